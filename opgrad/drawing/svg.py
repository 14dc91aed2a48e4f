"""A placed graph as SVG, in colours that a light and a dark page can bear."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from opgrad.drawing.layout import FOLDED, MARGIN, ROW, Box, Layout, Line, text_width

COLOURS = {"leaf": "#3f8edb", "value": "#8a8f98", "op": "#d9822b", "fold": "#9a6fd6"}
"""The colour of each kind of box: midway between black and white."""
PLUGIN = "#2fa36b"
"""The colour of the name of a plugin; that of the built-in ops is grey."""
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
_STYLE = (
    "<style>.opgrad-picture{color:#1c2128;background:#fff}"
    "@media (prefers-color-scheme:dark){.opgrad-picture{color:#e6e9ee;background:#14171c}}</style>"
)


def to_svg(layout: Layout, notes: Sequence[str], outputs: Sequence[str]) -> str:
    """A picture that stands alone: its background is as light or dark as its reader prefers."""
    return _svg(layout, notes, outputs, ' class="opgrad-picture"', _STYLE)


def to_inline_svg(layout: Layout, notes: Sequence[str], outputs: Sequence[str]) -> str:
    """A picture within a page, in that page's colour of text."""
    return _svg(layout, notes, outputs, "", "")


def _svg(
    layout: Layout, notes: Sequence[str], outputs: Sequence[str], attributes: str, style: str
) -> str:
    width = max(layout.width, max(map(text_width, notes), default=0.0) + 2 * MARGIN)
    height = layout.height + (ROW * len(notes) + MARGIN if notes else 0.0)
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="graph of Values"',
        f'fill="currentColor" font-family="{FONT}" font-size="12"{attributes}>',
        style,
        '<g fill="none" stroke="currentColor" stroke-opacity="0.55" stroke-width="1.2">',
        *[f'<path d="{line.path}"/>' for line in layout.lines],
        "</g>",
    ]
    for line in layout.lines:
        parts += _tip(line)
    parts.append('<g text-anchor="middle">')
    for box in layout.boxes:
        parts += _box(box, output=box.node.key in outputs)
    parts.append("</g>")
    for row, note in enumerate(notes):
        y = layout.height + ROW * (row + 0.75)
        parts.append(f'<text x="{MARGIN:g}" y="{y:.1f}" fill-opacity="0.75">{escape(note)}</text>')

    return "\n".join([*filter(None, parts), "</svg>\n"])


def _tip(line: Line) -> Iterator[str]:
    """The tip of an arrow, and its label."""
    x, y = line.points[-1]
    bend = next((point for point in line.points[::-1] if point != (x, y)), (x - 1, y))
    turn = math.degrees(math.atan2(y - bend[1], x - bend[0]))
    where = f"translate({x:.1f} {y:.1f}) rotate({turn:.0f})"
    yield f'<path d="M0 0 l-7 -3.2 v6.4 z" transform="{where}" fill-opacity="0.7"/>'
    if line.edge.label:
        x, y = line.label_at
        where = f'x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="middle" fill-opacity="0.8"'
        yield f"<text {where}>{escape(line.edge.label)}</text>"


def _box(box: Box, *, output: bool) -> Iterator[str]:
    """A frame, and the text in it."""
    node = box.node
    yield f"<g data-key={quoteattr(node.key)}>"
    if node.hint:
        yield f"<title>{escape(node.hint)}</title>"
    yield from _frame(box, output=output)
    shadow = FOLDED if node.kind == "fold" else 0.0
    rows = list(_rows(box))
    y = box.y - (shadow + ROW * (len(rows) - 1)) / 2 + 4
    for row, (text, style) in enumerate(rows):
        where = f'x="{box.x - shadow / 2:.1f}" y="{y + ROW * row:.1f}"'
        yield f"<text {where}{style}>{escape(text)}</text>"
    yield "</g>"


def _frame(box: Box, *, output: bool) -> Iterator[str]:
    """A box; of a fold, with another behind it; dashed for a constant, thick for an output."""
    node = box.node
    colour = COLOURS["value" if node.constant else node.kind]
    shadow = FOLDED if node.kind == "fold" else 0.0
    left, top = box.x - box.width / 2, box.y - box.height / 2
    shape = f'width="{box.width - shadow:.1f}" height="{box.height - shadow:.1f}" '
    shape += f'rx="{12 if node.kind == "op" else 4}" fill="{colour}" stroke="{colour}" '
    shape += f'fill-opacity="0.14" stroke-width="{2.4 if output else 1.3}"'
    shape += ' stroke-dasharray="4 3"' if node.constant else ""
    for offset in [shadow, 0.0] if shadow else [0.0]:
        yield f'<rect x="{left + offset:.1f}" y="{top + offset:.1f}" {shape}/>'


def _rows(box: Box) -> Iterator[tuple[str, str]]:
    """The title in bold, what was counted or measured, and in small who brought the op."""
    node = box.node
    if node.title:
        yield node.title, ' font-weight="bold"'
    for line in node.lines:
        yield line, ""
    if node.provider:
        paint = ' fill-opacity="0.55"' if node.provider == "core" else f' fill="{PLUGIN}"'
        yield node.provider, f' font-size="10"{paint}'
