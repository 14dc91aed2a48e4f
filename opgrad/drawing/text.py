"""A graph as a tree of text: results above what they were made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from opgrad.drawing.graph import Edge, Graph, Node
from opgrad.drawing.layout import text_columns

_WIDEST = 48  # characters before the numbers, as long as these stand in one column


@attrs.frozen
class Row:
    """One line of the tree."""

    depth: int
    last: bool
    """Whether no other operand of the same result follows."""
    name: str
    numbers: str


def to_text(graph: Graph) -> str:
    """The tree with its branches drawn. What is shared is told once, and after that only named.

    Examples:
        >>> from opgrad.drawing.graph import graph_of
        >>> from opgrad.value import Value
        >>> a, b = Value(2.0).named("a"), Value(-3.0).named("b")
        >>> print(to_text(graph_of((a * b + a).named("L"))))
        L = +    data -4, grad 0
        ├─ *     data -6, grad 0
        │  ├─ a  data 2, grad 0
        │  └─ b  data -3, grad 0
        └─ a     above
    """
    lines: list[tuple[str, str]] = []
    branches: list[bool] = []  # at each depth, whether one goes on below
    for row in rows_of(graph):
        del branches[row.depth :]
        guides = "".join(["│  " if goes_on else "   " for goes_on in branches[1:]])
        branch = ("└─ " if row.last else "├─ ") if row.depth else ""
        branches.append(not row.last)
        lines.append((guides + branch + row.name, row.numbers))
    width = min(max([text_columns(name) for name, _ in lines], default=0), _WIDEST)
    tree = [f"{_padded(name, width)}  {numbers}".rstrip() for name, numbers in lines]

    return "\n".join([*tree, *(["", *graph.notes] if graph.notes else [])])


def to_rich(graph: Graph) -> Any:
    """The tree as rich prints it."""
    from rich.text import Text  # noqa: PLC0415 -- optional
    from rich.tree import Tree  # noqa: PLC0415 -- optional

    rows = list(rows_of(graph))
    width = min(max([text_columns(r.name) + 4 * r.depth for r in rows], default=0), _WIDEST)
    root = Tree("", hide_root=True, guide_style="dim")
    path = [root]
    for row in rows:
        del path[row.depth + 1 :]
        name = Text(_padded(row.name, width - 4 * row.depth), style="bold")
        path.append(path[-1].add(Text.assemble(name, "  ", (row.numbers, "cyan"))))
    for note in graph.notes:
        root.add(Text(note, style="dim"))

    return root


def rows_of(graph: Graph) -> Iterator[Row]:
    """The lines of the tree, from the outputs on."""
    walk = _Walk(graph)
    waiting = [(key, 0, True, "") for key in reversed(graph.outputs)]
    while waiting:
        key, depth, last, label = waiting.pop()
        row, edges = walk.step(key)
        yield Row(depth, last, f"{label}: {row[0]}" if label else row[0], row[1])
        waiting += [
            (edge.tail, depth + 1, number == 0, edge.label)
            for number, edge in enumerate(reversed(edges))
        ]


class _Walk:
    """What is known of the graph on the way, and what was told already."""

    def __init__(self, graph: Graph) -> None:
        self._nodes = {node.key: node for node in graph.nodes}
        self._into: dict[str, list[Edge]] = {}
        self._uses: dict[str, int] = dict.fromkeys(graph.outputs, 1)
        for edge in graph.edges:
            self._into.setdefault(edge.head, []).append(edge)
            self._uses[edge.tail] = self._uses.get(edge.tail, 0) + 1
        self._told: set[str] = set()

    def step(self, key: str) -> tuple[tuple[str, str], list[Edge]]:
        """What a box is called, its numbers, and the edges to follow from here."""
        node = self._nodes[key]
        edges = self._into.get(key, [])
        maker = self._nodes[edges[0].tail] if node.kind == "value" and edges else None
        name = node.title or (key if self._uses.get(key, 0) > 1 else "")
        if key in self._told:
            return (name, "above"), []
        self._told.add(key)
        numbers = ", ".join(node.lines)
        if maker is None or maker.kind == "fold":
            return (name or node.kind, numbers), edges
        made = _call(maker, edges[0].label)
        if maker.key in self._told:
            numbers, edges = f"{numbers}, made with the one above", []
        else:
            self._told.add(maker.key)
            edges = self._into.get(maker.key, [])

        return (f"{name} = {made}" if name else made, numbers), edges


def _call(op: Node, output: str) -> str:
    """An op as it was called: `Σ(axis = 0)`, `eigh[1] (linalg)`."""
    called = f"({', '.join(op.lines)})" if op.lines else ""
    provider = f" ({op.provider})" if op.provider not in {"", "core"} else ""

    return f"{op.title}{called}{output}{provider}"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - text_columns(text))
