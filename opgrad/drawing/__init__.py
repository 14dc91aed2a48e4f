"""Pictures of graphs of Values: DOT, SVG, PNG, text and a page to step through.

`graph` says what is drawn, `folding` draws repeated structure once, `layout` says where, and
`dot`, `svg`, `text` say how. No file here needs an array library or graphviz.
"""

from __future__ import annotations

from opgrad.drawing.picture import Picture, draw

__all__ = ["Picture", "draw"]
