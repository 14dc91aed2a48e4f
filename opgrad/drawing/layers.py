"""The order of things: which layer each box is in, and who stands above whom.

An edge over several layers goes through a spot in each of those between. All edges of one tail
share these spots, so a weight that is used everywhere is one line with branches.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence

import attrs

from opgrad.drawing.graph import Edge, Graph, Node

_SWEEPS = 12
_SMALL = 3000  # spots: up to here neighbours are also tried the other way round, pair by pair


@attrs.define(eq=False)
class Spot:
    """A place in a layer: for a node, or (node None) for a line that passes."""

    node: Node | None
    layer: int
    place: int = 0
    """How many of its layer are above it."""
    before: list[Spot] = attrs.field(factory=list, repr=False)
    after: list[Spot] = attrs.field(factory=list, repr=False)


@attrs.frozen
class Layered:
    """The layers from left to right, each from top to bottom, and the way of every edge."""

    layers: tuple[list[Spot], ...]
    ways: tuple[tuple[Edge, tuple[Spot, ...]], ...]

    def unlink(self) -> None:
        """Let the spots go: they hold each other, and the Values that are drawn."""
        for layer in self.layers:
            for spot in layer:
                spot.before.clear()
                spot.after.clear()


def in_layers(graph: Graph) -> Layered:
    """Put the nodes of a graph in layers, with few crossings."""
    numbers = _numbers(graph)
    spots = {node.key: Spot(node, numbers[node.key]) for node in graph.nodes}
    layers: tuple[list[Spot], ...] = tuple([] for _ in range(1 + max(numbers.values(), default=-1)))
    heads: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        heads.setdefault(edge.tail, []).append(edge)
    ways = []
    for spot in spots.values():
        layers[spot.layer].append(spot)
        edges = heads.get(spot.node.key, []) if spot.node else []
        passed = [spot]
        for edge in sorted(edges, key=lambda edge: numbers[edge.head]):
            head = spots[edge.head]
            for number in range(spot.layer + len(passed), head.layer):
                passed.append(_link(passed[-1], Spot(None, number)))
                layers[number].append(passed[-1])
            way = passed[: head.layer - spot.layer]
            ways.append((edge, (*way, _link(way[-1], head))))
    _order(layers)

    return Layered(layers, tuple(ways))


def _link(tail: Spot, head: Spot) -> Spot:
    tail.after.append(head)
    head.before.append(tail)

    return head


def _numbers(graph: Graph) -> dict[str, int]:
    """The layer of each node: as near as can be to where it is used, or to what it is made of.

    Whichever of the two it has more of: that makes the edges short.
    """
    tails: dict[str, list[str]] = {node.key: [] for node in graph.nodes}
    heads: dict[str, list[str]] = {node.key: [] for node in graph.nodes}
    for edge in graph.edges:
        tails[edge.head].append(edge.tail)
        heads[edge.tail].append(edge.head)
    number: dict[str, int] = {}
    for node in reversed(graph.nodes):
        number[node.key] = min([number[head] for head in heads[node.key]], default=0) - 1
    for node in graph.nodes:
        key = node.key
        if len(tails[key]) >= max(len(heads[key]), 1):
            number[key] = 1 + max(number[tail] for tail in tails[key])
    first = min(number.values(), default=0)

    return {key: layer - first for key, layer in number.items()}


# -- who stands above whom ------------------------------------------------------------------------


def _order(layers: Sequence[list[Spot]]) -> None:
    """Sort each layer by where its neighbours are, to and fro, and keep the best."""
    for layer in layers:
        _number(layer)
    best, fewest = [layer[:] for layer in layers], _crossings(layers)
    small = sum(map(len, layers)) <= _SMALL
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        for layer in layers if forward else layers[::-1]:
            _by_neighbours(layer, forward=forward)
        if small:
            for layer in layers:
                _swap_neighbours(layer)
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [layer[:] for layer in layers], crossings
    for layer, ordered in zip(layers, best, strict=True):
        layer[:] = ordered
        _number(layer)


def _number(layer: Iterable[Spot]) -> None:
    for place, spot in enumerate(layer):
        spot.place = place


def _by_neighbours(layer: list[Spot], *, forward: bool) -> None:
    """Sort by the mean place of the neighbours; who has none stays where it is."""
    means = {}
    for spot in layer:
        near = spot.before if forward else spot.after
        means[id(spot)] = sum(n.place for n in near) / len(near) if near else spot.place
    layer.sort(key=lambda spot: means[id(spot)])
    _number(layer)


def _swap_neighbours(layer: list[Spot]) -> None:
    """Exchange two that stand together, wherever that takes crossings away."""
    for place in range(len(layer) - 1):
        upper, lower = layer[place], layer[place + 1]
        gain = sum(
            _pairs(above, below) - _pairs(below, above)
            for above, below in ((upper.before, lower.before), (upper.after, lower.after))
        )
        if gain > 0:
            layer[place : place + 2] = [lower, upper]
            lower.place, upper.place = place, place + 1


def _pairs(above: Sequence[Spot], below: Sequence[Spot]) -> int:
    """How many edges of the one cross edges of the other."""
    places = sorted([spot.place for spot in below])

    return sum(_smaller(places, spot.place) for spot in above)


def _smaller(places: Sequence[int], place: int) -> int:
    return bisect_right(places, place - 1)


def _crossings(layers: Iterable[list[Spot]]) -> int:
    """How many pairs of edges cross, over all layers."""
    count = 0
    for layer in layers:
        passed: list[int] = []
        for spot in layer:
            places = [head.place for head in spot.after]
            count += sum(len(passed) - bisect_right(passed, place) for place in places)
            for place in places:
                insort(passed, place)

    return count
