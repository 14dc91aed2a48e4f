"""Where boxes and arrows lie: layers from left to right, no box over another."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import attrs

from opgrad.drawing.graph import Edge, Graph, Node
from opgrad.drawing.heights import Ports, Sizes, heights
from opgrad.drawing.layers import Layered, Spot, in_layers

Point = tuple[float, float]

MARGIN = 10.0
CHARACTER, ROW, PADDING = 7.3, 16.0, 8.0
"""The width of a character and the height of a row of text, and the space around them, px."""
FOLDED = 4.0
"""How far the second frame of a fold shows, px."""
_PORTS_APART = 14.0
_NARROWEST, _WIDEST = 28.0, 90.0  # the gap between two layers


@attrs.frozen
class Box:
    """A node and its place: the centre, width and height, in px; y grows downwards."""

    node: Node
    x: float
    y: float
    width: float
    height: float


@attrs.frozen
class Line:
    """An edge and its way: the control points of cubic Bézier curves, one after the other.

    The first point is the start; then come three points for each piece.
    """

    edge: Edge
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The curve as the `d` of an SVG path."""
        start, *rest = [f"{x:.1f} {y:.1f}" for x, y in self.points]

        return f"M{start} C{' '.join(rest)}"

    @property
    def label_at(self) -> Point:
        """The middle of the baseline of the label: over the line, shortly before its head."""
        wanted = self.points[-1][0] - 9 - text_width(self.edge.label) / 2
        x, y = min(self._samples(), key=lambda point: abs(point[0] - wanted))

        return x, y - 3

    def _samples(self) -> Iterator[Point]:
        for start in range(0, len(self.points) - 1, 3):
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.points[start : start + 4]
            for step in range(1, 16):
                t = step / 16
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                yield a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy


@attrs.frozen
class Layout:
    """All places, and the size of the whole; the corner at the upper left is (0, 0)."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def text_columns(text: str) -> int:
    """How many columns a text takes in a monospaced font; wide characters take two."""
    return len(text) + sum(unicodedata.east_asian_width(c) in "WF" for c in text)


def text_width(text: str) -> float:
    """The width of a text in a monospaced font, px."""
    return CHARACTER * text_columns(text)


def size_of(node: Node) -> tuple[float, float]:
    """The width and height that a node's text needs, px."""
    rows = [row for row in (node.title, *node.lines, node.provider) if row]
    shadow = FOLDED if node.kind == "fold" else 0.0

    return (
        max([text_width(row) for row in rows], default=0.0) + 2 * PADDING + shadow,
        ROW * max(len(rows), 1) + PADDING + shadow,
    )


def place(graph: Graph) -> Layout:
    """Place the nodes of a graph in layers, and lead the edges around them.

    Examples:
        >>> from opgrad.drawing.graph import graph_of
        >>> from opgrad.value import Value
        >>> layout = place(graph_of(Value(2.0) * Value(3.0)))
        >>> [box.node.title for box in sorted(layout.boxes, key=lambda box: box.x)]
        ['', '', '*', '']
    """
    layered = in_layers(graph)
    ports = _ports(layered)
    sizes = _sizes(layered, ports)
    ys = heights(layered, sizes, ports)
    top = min([y - sizes[spot][1] / 2 for spot, y in ys.items()], default=0.0)
    ys = {spot: y - top + MARGIN for spot, y in ys.items()}
    columns = _columns(layered, sizes, ys)
    boxes = {}
    for spots, (left, right) in zip(layered.layers, columns, strict=True):
        for spot in spots:
            if spot.node is not None:
                box = Box(spot.node, (left + right) / 2, ys[spot], *sizes[spot])
                boxes[spot.node.key] = box
    lines = []
    for edge, way in layered.ways:
        tail, head = boxes[edge.tail], boxes[edge.head]
        start, end = tail.x + tail.width / 2, head.x - head.width / 2
        arrivals = [ys[spot] + ports[near, spot] for near, spot in itertools.pairwise(way)]
        passed = [columns[spot.layer] for spot in way]
        lines.append(Line(edge, tuple(_curve(start, end, passed, [tail.y, *arrivals]))))
    layered.unlink()

    return Layout(
        boxes=tuple([boxes[node.key] for node in graph.nodes]),
        lines=tuple(lines),
        width=(columns[-1][1] if columns else 0.0) + MARGIN,
        height=max([box.y + box.height / 2 for box in boxes.values()], default=0.0) + MARGIN,
    )


def _ports(layered: Layered) -> Ports:
    """Links end one below the other, so that they and their labels can be told apart."""
    labelled = {id(way[-1]) for edge, way in layered.ways if edge.label}
    ports: dict[tuple[Spot, Spot], float] = {}
    for layer in layered.layers:
        for head in layer:
            tails = sorted(head.before, key=lambda tail: tail.place)
            apart = _PORTS_APART if id(head) in labelled else min(6.0, 24.0 / max(len(tails), 1))
            for index, tail in enumerate(tails):
                ports[tail, head] = (index - (len(tails) - 1) / 2) * apart if head.node else 0.0

    return ports


def _sizes(layered: Layered, ports: Ports) -> Sizes:
    """The room of each spot: boxes are high enough for their links."""
    sizes = {}
    for layer in layered.layers:
        for spot in layer:
            width, height = size_of(spot.node) if spot.node else (0.0, 0.0)
            reach = max([abs(ports[tail, spot]) for tail in spot.before], default=0.0)
            sizes[spot] = (width, max(height, 2 * reach + PADDING) if spot.node else 0.0)

    return sizes


# -- columns and curves ---------------------------------------------------------------------------


def _columns(layered: Layered, sizes: Sizes, ys: Mapping[Spot, float]) -> list[tuple[float, float]]:
    """The left and right end of each layer; where lines climb, the gap is wider."""
    labels: dict[int, float] = {}
    for edge, way in layered.ways:
        last = way[-1].layer
        labels[last] = max(labels.get(last, 0.0), text_width(edge.label))
    columns: list[tuple[float, float]] = []
    x = MARGIN
    for number, layer in enumerate(layered.layers):
        right = x + max(sizes[spot][0] for spot in layer)
        columns.append((x, right))
        climb = max([abs(ys[s] - ys[near]) for s in layer for near in s.after], default=0.0)
        gap = min(_NARROWEST + 0.15 * climb, _WIDEST)
        x = right + max(gap, labels.get(number + 1, 0.0) + _NARROWEST)

    return columns


def _curve(
    start: float, end: float, columns: Sequence[tuple[float, float]], ys: Sequence[float]
) -> Iterator[Point]:
    """From x to x: straight along the layers, and in curves from the height of one to the next."""
    x = start
    yield x, ys[0]
    for (y, (_, right)), (below, (left, _)) in itertools.pairwise(zip(ys, columns, strict=True)):
        yield from _straight(x, right, y)
        middle = (right + left) / 2
        yield from ((middle, y), (middle, below), (left, below))
        x = left
    yield from _straight(x, end, ys[-1])


def _straight(x: float, end: float, y: float) -> list[Point]:
    return [(x, y), (end, y), (end, y)] if end - x > 0.5 else []  # noqa: PLR2004 -- half a px
