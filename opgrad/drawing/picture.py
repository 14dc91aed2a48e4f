"""`draw`: the graph of a Value as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import attrs

from opgrad import namespaces
from opgrad.drawing import binary, dot, svg, text
from opgrad.drawing.graph import LIMIT, Graph, graph_of
from opgrad.drawing.layout import Layout, place
from opgrad.drawing.page import PAGE_LIMIT, html_of
from opgrad.errors import CallError
from opgrad.trees import leaves
from opgrad.value import Value

LAYOUTS = ("auto", "graphviz", "builtin")


def draw(
    *values: Any,
    names: Mapping[str, Any] | None = None,
    limit: int | None = LIMIT,
    layout: str = "auto",
) -> Picture:
    """Draw how Values came about: boxes for Values and ops, arrows from operands to results.

    The picture shows data and gradients as they are now; nothing is recorded or changed. In a
    notebook it shows itself; `print` shows it as a tree; `save` writes it.

    Args:
        values: Values, and lists, tuples and dicts of them.
        names: What Values are called, such as `locals()`: a list `w` gives `w[0]`, an object
            `layer` gives `layer.w[0]`. Private names are passed over. A Value that was named
            (`Value.named`) keeps its name.
        limit: The most boxes. In a larger graph, what repeats is folded into one box, and the
            picture says so. None: no limit.
        layout: Who places the boxes: "graphviz" where it is installed and "builtin" where not
            ("auto"), or always the one or the other.

    Raises:
        CallError: There is no Value in `values`, no such layout, a limit below 1, or `names` is no
            mapping.

    Examples:
        >>> import opgrad
        >>> a, b = opgrad.Value(2.0), opgrad.Value(-3.0)
        >>> c = a * b
        >>> c.backward()
        >>> print(opgrad.draw(c, names=locals()))
        c = *  data -6, grad 1
        ├─ a   data 2, grad -3
        └─ b   data -3, grad 2
    """
    if layout not in LAYOUTS:
        message = f"no layout {layout!r}; it is {', '.join(map(repr, LAYOUTS[:-1]))} or 'builtin'"
        raise CallError(message)
    if limit is not None and limit < 1:
        message = f"limit={limit} leaves no box to draw; limit=None draws all"
        raise CallError(message)
    if names is not None and not hasattr(names, "items"):
        message = f"names maps names to Values, as locals() does; got {type(names).__name__}"
        raise CallError(message)
    outputs = tuple(_values_in(values))
    graph = graph_of(*outputs, names=names, limit=limit)

    return Picture(graph, outputs, names or {}, layout, limit)


def _values_in(given: Iterable[Any]) -> list[Value]:
    """The Values among what was given, each once."""
    found: dict[Value, None] = {}
    for one in given:
        held = [leaf for leaf in leaves(one) if type(leaf) is Value]
        if not held:
            what = namespaces.describe(one)
            message = (
                f"draw takes Values, and there is none in {what}; plain data have no graph: make "
                "the inputs Values (opgrad.Value(2.0)) and run the code again"
            )
            raise CallError(message)
        found |= dict.fromkeys(held)
    if not found:
        message = "draw takes at least one Value"
        raise CallError(message)

    return list(found)


@attrs.frozen(repr=False, eq=False)
class Picture:
    """The graph of some Values, as it was when it was drawn; `opgrad.draw` makes it."""

    graph: Graph
    outputs: tuple[Value, ...]
    names: Mapping[str, Any]
    layout: str
    limit: int | None = LIMIT

    def to_dot(self) -> str:
        """The text of a DOT file, for graphviz and its relatives; needs neither."""
        return dot.to_dot(self.graph)

    def to_svg(self) -> str:
        """An SVG that stands alone, light or dark as its reader prefers.

        Raises:
            ImportError: `layout="graphviz"`, and the Python package is not installed.
            FileNotFoundError: `layout="graphviz"`, and its program is not.
        """
        return svg.to_svg(self._placed(), self.graph.notes, self.graph.outputs)

    def to_png(self) -> bytes:
        """A PNG, painted by graphviz from the DOT text.

        Raises:
            ImportError: The Python package graphviz is not installed.
            FileNotFoundError: Its program is not.
        """
        return binary.to_png(self.graph)

    def to_text(self) -> str:
        """A tree of text; what is shared is told once."""
        return text.to_text(self.graph)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """One page that steps through the forward and the backward pass; also written to a file.

        Both passes are those of the Values as they are now.

        Args:
            path: Where to write it; None: nowhere.

        Raises:
            NotDifferentiableError: An output is a constant or no scalar.
            InPlaceError: Data changed since the forward.
        """
        limit = PAGE_LIMIT if self.limit == LIMIT else self.limit  # a page shows one part at a time
        page = html_of(*self.outputs, names=self.names, limit=limit)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")

        return page

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture as what the name ends in: .svg, .png, .dot, .gv, .txt, .html.

        Raises:
            ValueError: The name ends in something else.
        """
        path = Path(path)
        ways: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.to_svg,
            ".png": self.to_png,
            ".dot": self.to_dot,
            ".gv": self.to_dot,
            ".txt": self.to_text,
            ".html": self.to_html,
        }
        make = ways.get(path.suffix.lower())
        if make is None:
            message = f"no picture is written as {path.name!r}; its name ends in {', '.join(ways)}"
            raise ValueError(message)
        made = make()
        path.write_bytes(made if isinstance(made, bytes) else made.encode())

        return path

    def _placed(self) -> Layout:
        by_dot = self.layout == "graphviz" or (self.layout == "auto" and binary.suits(self.graph))

        return binary.place_by_dot(self.graph) if by_dot else place(self.graph)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_html_(self) -> str:
        """The SVG within the page, in whose colours it is readable; wide ones are scrolled."""
        inline = svg.to_inline_svg(self._placed(), self.graph.notes, self.graph.outputs)

        return f'<div style="overflow-x:auto">{inline}</div>'

    def __rich__(self) -> Any:
        return text.to_rich(self.graph)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        kinds = [node.kind for node in self.graph.nodes]
        ops, folds = kinds.count("op"), kinds.count("fold")
        folded = f", {folds} folded boxes" if folds else ""

        return f"<picture of {len(kinds) - ops - folds} Values and {ops} ops{folded}>"
