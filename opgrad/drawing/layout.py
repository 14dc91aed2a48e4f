"""Where boxes and arrows lie: layers from left to right, no box over another."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import attrs

from opgrad.drawing.graph import Edge, Graph, Node
from opgrad.drawing.layers import Layered, Spot, in_layers

Point = tuple[float, float]

MARGIN = 10.0
CHARACTER, ROW, PADDING = 7.3, 16.0, 8.0
"""The width of a character and the height of a row of text, and the space around them, px."""
FOLDED = 4.0
"""How far the second frame of a fold shows, px."""
_APART, _LINES_APART, _PORTS_APART = 14.0, 9.0, 14.0
_NARROWEST, _WIDEST = 28.0, 90.0  # the gap between two layers
_SWEEPS = 24


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
    ys = _heights(layered, sizes, ports)
    columns = _columns(layered, sizes, ys)
    boxes = {}
    for spots, (left, right) in zip(layered.layers, columns, strict=True):
        for spot in spots:
            if spot.node is not None:
                box = Box(spot.node, (left + right) / 2, ys[spot], *sizes[spot])
                boxes[spot.node.key] = box
    lines = []
    for edge, way in layered.ways:
        points = list(_curve(way, boxes, columns, ys, ports))
        lines.append(Line(edge, tuple(points)))

    return Layout(
        boxes=tuple([boxes[node.key] for node in graph.nodes]),
        lines=tuple(lines),
        width=(columns[-1][1] if columns else 0.0) + MARGIN,
        height=max([box.y + box.height / 2 for box in boxes.values()], default=0.0) + MARGIN,
    )


Ports = dict[tuple[Spot, Spot], float]
"""How far from the middle of its head a link ends."""


def _ports(layered: Layered) -> Ports:
    """Links end one below the other, so that they and their labels can be told apart."""
    labelled = {id(way[-1]) for edge, way in layered.ways if edge.label}
    ports: Ports = {}
    for layer in layered.layers:
        for head in layer:
            tails = sorted(head.before, key=lambda tail: tail.place)
            apart = _PORTS_APART if id(head) in labelled else min(6.0, 24.0 / max(len(tails), 1))
            for index, tail in enumerate(tails):
                ports[tail, head] = (index - (len(tails) - 1) / 2) * apart if head.node else 0.0

    return ports


def _sizes(layered: Layered, ports: Ports) -> dict[Spot, tuple[float, float]]:
    """The room of each spot: boxes are high enough for their links."""
    sizes = {}
    for layer in layered.layers:
        for spot in layer:
            width, height = size_of(spot.node) if spot.node else (0.0, 0.0)
            reach = max([abs(ports[tail, spot]) for tail in spot.before], default=0.0)
            sizes[spot] = (width, max(height, 2 * reach + PADDING) if spot.node else 0.0)

    return sizes


# -- heights --------------------------------------------------------------------------------------


def _heights(
    layered: Layered, sizes: Mapping[Spot, tuple[float, float]], ports: Ports
) -> dict[Spot, float]:
    """The y of each spot: near its neighbours, in order, and apart from one another."""
    ys: dict[Spot, float] = {}
    for layer in layered.layers:
        y = 0.0
        for spot, offset in zip(layer, _offsets(layer, sizes), strict=True):
            ys[spot] = y + offset
        middle = (ys[layer[0]] + ys[layer[-1]]) / 2
        for spot in layer:
            ys[spot] -= middle
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for layer in layered.layers if forward else layered.layers[::-1]:
            wishes = [
                _wish(spot, ys, ports, both=sweep >= _SWEEPS // 2, forward=forward)
                for spot in layer
            ]
            for spot, y in zip(layer, _settle(wishes, _offsets(layer, sizes)), strict=True):
                ys[spot] = y
    _straighten(layered, ys, sizes)
    top = min([ys[spot] - sizes[spot][1] / 2 for spot in ys], default=0.0)

    return {spot: y - top + MARGIN for spot, y in ys.items()}


def _offsets(layer: Sequence[Spot], sizes: Mapping[Spot, tuple[float, float]]) -> list[float]:
    """How far below the first each spot of a layer is at least."""
    offsets = [0.0]
    for upper, lower in zip(layer, layer[1:], strict=False):
        apart = _APART if upper.node or lower.node else _LINES_APART
        offsets.append(offsets[-1] + (sizes[upper][1] + sizes[lower][1]) / 2 + apart)

    return offsets


def _wish(
    spot: Spot, ys: Mapping[Spot, float], ports: Ports, *, both: bool, forward: bool
) -> tuple[float, float]:
    """Where a spot would like to be, and how much: lines that pass are to be straight."""
    pulls = [(ys[near] - ports[near, spot], near) for near in spot.before if both or forward]
    pulls += [(ys[near] + ports[spot, near], near) for near in spot.after if both or not forward]
    if not pulls:
        return ys[spot], 0.01
    weights = [8.0 if not (spot.node or near.node) else 1.0 for _, near in pulls]
    total = sum(weights)

    return sum(y * weight for (y, _), weight in zip(pulls, weights, strict=True)) / total, total


def _settle(wishes: Sequence[tuple[float, float]], offsets: Sequence[float]) -> list[float]:
    """The places nearest to the wishes (least squares) that keep order and distance.

    Pool adjacent violators: those that would come too close move together.
    """
    pools: list[tuple[float, float, int]] = []  # (mean, weight, how many)
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        mean, heavy, count = wish - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, more, others = pools.pop()
            mean = (mean * heavy + other * more) / (heavy + more)
            heavy, count = heavy + more, count + others
        pools.append((mean, heavy, count))
    settled = [mean for mean, _, count in pools for _ in range(count)]

    return [mean + offset for mean, offset in zip(settled, offsets, strict=True)]


def _straighten(
    layered: Layered, ys: dict[Spot, float], sizes: Mapping[Spot, tuple[float, float]]
) -> None:
    """Bring each run of spots, one after the other, to one height, where there is room."""
    room: dict[Spot, tuple[Spot | None, float]] = {}
    for layer in layered.layers:
        offsets = _offsets(layer, sizes)
        for upper, lower, one, other in zip(layer, layer[1:], offsets, offsets[1:], strict=False):
            room[lower] = (upper, other - one)
    below = {upper: (lower, apart) for lower, (upper, apart) in room.items()}
    for run in _runs(layered):
        lowest = max(
            [ys[up] + apart for s in run if s in room for up, apart in [room[s]]], default=-math.inf
        )
        highest = min(
            [ys[low] - apart for s in run if s in below for low, apart in [below[s]]],
            default=math.inf,
        )
        if lowest <= highest:
            mean = sum(ys[spot] for spot in run) / len(run)
            for spot in run:
                ys[spot] = min(max(mean, lowest), highest)


def _runs(layered: Layered) -> Iterator[list[Spot]]:
    """Lines that pass through layers, and chains of boxes: each is the only one after another."""
    for layer in layered.layers:
        for spot in layer:
            if len(spot.before) == 1 and _continues(spot.before[0], spot):
                continue
            run = [spot]
            while run[-1].after and _continues(run[-1], run[-1].after[0]):
                run.append(run[-1].after[0])
            if len(run) > 1:
                yield run


def _continues(one: Spot, other: Spot) -> bool:
    alone = len(one.after) == len(other.before) == 1

    return other is one.after[0] and (alone or (one.node is None and other.node is None))


# -- columns and curves ---------------------------------------------------------------------------


def _columns(
    layered: Layered, sizes: Mapping[Spot, tuple[float, float]], ys: Mapping[Spot, float]
) -> list[tuple[float, float]]:
    """The left and right end of each layer; where lines climb, the gap is wider."""
    labels: dict[int, float] = {}
    for edge, way in layered.ways:
        layer = way[-1].layer
        labels[layer] = max(labels.get(layer, 0.0), text_width(edge.label))
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
    way: Sequence[Spot],
    boxes: Mapping[str, Box],
    columns: Sequence[tuple[float, float]],
    ys: Mapping[Spot, float],
    ports: Ports,
) -> Iterator[Point]:
    """Straight along the layers, and in curves from one to the next."""
    first, last = way[0], way[-1]
    assert first.node is not None
    assert last.node is not None
    tail, head = boxes[first.node.key], boxes[last.node.key]
    x, y = tail.x + tail.width / 2, ys[first]
    yield x, y
    for one, other in zip(way, way[1:], strict=False):
        right, left = columns[one.layer][1], columns[other.layer][0]
        below = ys[other] + ports[one, other]
        yield from _straight(x, right, y)
        middle = (right + left) / 2
        yield from ((middle, y), (middle, below), (left, below))
        x, y = left, below
    yield from _straight(x, head.x - head.width / 2, y)


def _straight(x: float, end: float, y: float) -> list[Point]:
    return [(x, y), (end, y), (end, y)] if end - x > 0.5 else []  # noqa: PLR2004 -- half a px
