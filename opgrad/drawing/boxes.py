"""The graph of the page as SVG: boxes with rows of text, which its script fills step by step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape

import attrs

from opgrad.drawing.facts import Plain
from opgrad.drawing.graph import Graph, Node
from opgrad.drawing.layout import Box, Layout, Line, Point
from opgrad.drawing.record import Record

_ROW = 16.0  # px from one line of text to the next
_TIP = 7.0  # px, length of the tip of an arrow
_LONGEST = 24  # characters of a tag
_NARROWEST = 6  # characters for a number: boxes of small ones are as wide as others

Tags = Mapping[tuple[str, str], str]
"""What flows back along an arrow, by the keys of its tail and head."""


def tags_of(graph: Graph, record: Record, told: Plain) -> Tags:
    """The contributions that the steps tell of, as far as they are numbers."""
    flows: dict[tuple[int, int], list[str]] = {}
    for step in told["steps"]:
        for part in step.get("parts", []):
            amount = part.get("amount") or {}
            if "shape" not in amount and "short" in amount:
                flow = (part["operand"], step["values"][0])
                flows.setdefault(flow, []).append(amount["short"])
    places = {node.key: _place(node, record) for node in graph.nodes}
    tags = {}
    for edge in graph.edges:
        text = " + ".join(flows.get((places[edge.tail], places[edge.head]), []))
        tags[edge.tail, edge.head] = text if len(text) <= _LONGEST else ""

    return tags


def labelled(graph: Graph, record: Record, told: Plain, tags: Tags) -> Graph:
    """The graph with the texts that the page writes, so that they find their place."""
    widest = _widest(told)
    nodes = []
    for node in graph.nodes:
        provider = "" if node.provider == "core" else node.provider
        lines, title = node.lines, node.title
        if node.kind != "op":
            place = _place(node, record)
            lines = _lines(node, told["values"][place], widest.get(place, "0"))
            title = node.title or node.key
        nodes.append(attrs.evolve(node, title=title, lines=lines, provider=provider))
    edges = [
        attrs.evolve(edge, label=max(edge.label, tags[edge.tail, edge.head], key=len))
        for edge in graph.edges
    ]

    return attrs.evolve(graph, nodes=tuple(nodes), edges=tuple(edges))


def _widest(told: Plain) -> dict[int, str]:
    """The longest text that the gradient of each value has at any step."""
    widest: dict[int, str] = {}
    shown = [(place, value.get("final")) for place, value in enumerate(told["values"])]
    for step in told["steps"]:
        shown += [(part["operand"], part.get("after")) for part in step.get("parts", [])]
        shown += [(seed["value"], seed["grad"]) for seed in step.get("seeds", [])]
    for place, fact in shown:
        if fact and "short" in fact:
            widest[place] = max(widest.get(place, ""), fact["short"], key=len)

    return widest


def _lines(node: Node, value: Plain, grad: str) -> tuple[str, ...]:
    """Data and the longest text of a gradient, of an array what it is; of a fold what it holds."""
    data = value["data"] or {}
    lines = [line for line in node.lines if line.startswith("data ") or node.kind == "fold"]
    lines = [line for line in lines if not line.startswith("grad ")]
    if value["kind"] != "constant":
        lines.append(f"grad {grad:>{_NARROWEST}}")
    if "shape" in data:
        legend = " min/mean/max" if any(" / " in line for line in lines) else ""
        lines.insert(0, f"{data['dtype']} {data['shape']}{legend}")

    return tuple(lines)


def _place(node: Node, record: Record) -> int:
    (value, *_) = node.members or (node.value,)
    assert value is not None, "every box is of a Value"  # noqa: S101 -- for the type checker

    return record.place(value)


def picture_of(layout: Layout, graph: Graph, record: Record, tags: Tags) -> Iterator[str]:
    """The SVG, piece by piece."""
    yield (
        '<svg id="picture" role="group" '
        'aria-label="The graph. Up and Down go from value to value, Enter opens details" '
        f'data-width="{layout.width:g}" data-height="{layout.height:g}"><g id="camera">\n'
    )
    labels = {(edge.tail, edge.head): edge.label for edge in graph.edges}
    for line in layout.lines:
        ends = (line.edge.tail, line.edge.head)
        yield from _arrow(line, labels[ends], tags[ends])
    for box in layout.boxes:
        yield from _box(box, _place(box.node, record))
    yield "</g></svg>"


def _arrow(line: Line, label: str, tag: str) -> Iterator[str]:
    edge, points = line.edge, line.points
    yield (
        f'<g class="edge" data-tail="{escape(edge.tail)}" data-head="{escape(edge.head)}">'
        f'<path d="{line.path}"/><path class="tip end-tip" d="{_tip(*points[::-1])}"/>'
        f'<path class="tip start-tip" d="{_tip(*points)}"/>'
    )
    x, y = line.label_at
    for kind, text in (("label", label), ("tag", tag)):
        if text:
            yield f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
    yield "</g>\n"


def _tip(end: Point, *way: Point) -> str:
    """A triangle at the end of a way that is told from there on."""
    x, y = end
    bend = next((point for point in way if point != end), (x - 1.0, y))
    length = math.hypot(x - bend[0], y - bend[1])
    dx, dy = _TIP * (x - bend[0]) / length, _TIP * (y - bend[1]) / length
    corners = [(x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2)]

    return f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in corners)}Z"


def _box(box: Box, place: int) -> Iterator[str]:
    node = box.node
    left, top = box.x - box.width / 2, box.y - box.height / 2
    kinds = ["node", node.kind, "constant" if node.constant else ""]
    kinds.append("nameless" if node.title == node.key else "")
    role = 'role="img"' if node.kind == "op" else 'role="button" tabindex="-1"'
    spoken = f"op {node.title}" if node.kind == "op" else node.title
    yield (
        f'<g class="{" ".join(filter(None, kinds))}" {role} aria-label="{escape(spoken)}" '
        f'data-key="{escape(node.key)}" data-value="{place}" data-x="{box.x:g}" '
        f'data-y="{box.y:g}" data-width="{box.width:g}" data-height="{box.height:g}">'
        f'<rect x="{left:g}" y="{top:g}" width="{box.width:g}" height="{box.height:g}" '
        f'rx="{min(box.height / 2, 16) if node.kind == "op" else 5:g}"/>'
    )
    rows = [*_rows(node)]
    first = box.y - _ROW * (len(rows) - 1) / 2 + 4.5
    for number, row in enumerate(rows):
        yield from row.painted(box, first + _ROW * number)
    yield "</g>\n"


@attrs.frozen
class _Row:
    """A line of text: in the middle, or a word at the left and a number at the right."""

    kind: str
    text: str
    word: str = ""

    def painted(self, box: Box, y: float) -> Iterator[str]:
        if not self.word:
            yield f'<text class="{self.kind}" x="{box.x:g}" y="{y:g}">{escape(self.text)}</text>'
            return
        left, right = box.x - box.width / 2 + 9, box.x + box.width / 2 - 9
        yield f'<text class="word {self.kind}-word" x="{left:g}" y="{y:g}">{self.word}</text>'
        yield f'<text class="number {self.kind}" x="{right:g}" y="{y:g}">{escape(self.text)}</text>'


def _rows(node: Node) -> Iterator[_Row]:
    yield _Row("name", node.title)
    for line in node.lines:
        word, _, text = line.partition(" ")
        if word in {"data", "grad"} and node.kind != "op":
            yield _Row(word, text.strip() if word == "data" else "", word)
        else:
            yield _Row("line", line)
    if node.provider:
        yield _Row("provider", node.provider)
