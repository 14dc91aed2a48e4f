"""How high each spot of the layers lies: near its neighbours, in order, and not too close."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from opgrad.drawing.layers import Layered, Spot

_APART, _LINES_APART = 14.0, 9.0  # px between boxes, and between lines that pass
_SWEEPS = 24
_STIFF = 8.0  # how much more a line that passes wants to be straight than a box to be near

Sizes = Mapping[Spot, tuple[float, float]]
"""The width and height of each spot."""
Ports = Mapping[tuple[Spot, Spot], float]
"""How far below the middle of its head a link ends."""
Heights = dict[Spot, float]
"""The y of the middle of each spot."""


def heights(layered: Layered, sizes: Sizes, ports: Ports) -> Heights:
    """The y of each spot, growing downwards from anywhere."""
    ys: Heights = {}
    for layer in layered.layers:
        offsets = _offsets(layer, sizes)
        ys |= {spot: y - offsets[-1] / 2 for spot, y in zip(layer, offsets, strict=True)}
    for sweep in range(_SWEEPS):
        forward, both = sweep % 2 == 0, sweep >= _SWEEPS // 2
        for layer in layered.layers if forward else layered.layers[::-1]:
            before, after = forward or both, both or not forward
            wishes = [_wish(spot, ys, ports, before=before, after=after) for spot in layer]
            ys |= zip(layer, _settle(wishes, _offsets(layer, sizes)), strict=True)
    _straighten(layered, ys, sizes)

    return ys


def _offsets(layer: Sequence[Spot], sizes: Sizes) -> list[float]:
    """How far below the first each spot of a layer is at least."""
    offsets = [0.0]
    for upper, lower in itertools.pairwise(layer):
        apart = _APART if upper.node or lower.node else _LINES_APART
        offsets.append(offsets[-1] + (sizes[upper][1] + sizes[lower][1]) / 2 + apart)

    return offsets


def _wish(
    spot: Spot, ys: Heights, ports: Ports, *, before: bool, after: bool
) -> tuple[float, float]:
    """Where a spot would like to be, and how much."""
    pulls = [(ys[near] - ports[near, spot], near) for near in spot.before if before]
    pulls += [(ys[near] + ports[spot, near], near) for near in spot.after if after]
    if not pulls:
        return ys[spot], 0.01
    weights = [1.0 if spot.node or near.node else _STIFF for _, near in pulls]
    total = sum(weights)

    return sum([y * w for (y, _), w in zip(pulls, weights, strict=True)]) / total, total


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


def _straighten(layered: Layered, ys: Heights, sizes: Sizes) -> None:
    """Bring each run of spots, one run after the other, to one height, where there is room."""
    above: dict[Spot, tuple[Spot, float]] = {}
    below: dict[Spot, tuple[Spot, float]] = {}
    for layer in layered.layers:
        offsets = _offsets(layer, sizes)
        for (upper, lower), (one, other) in zip(
            itertools.pairwise(layer), itertools.pairwise(offsets), strict=True
        ):
            above[lower], below[upper] = (upper, other - one), (lower, other - one)
    for run in _runs(layered):
        over = [above[spot] for spot in run if spot in above]
        under = [below[spot] for spot in run if spot in below]
        least = max([ys[spot] + apart for spot, apart in over], default=-math.inf)
        most = min([ys[spot] - apart for spot, apart in under], default=math.inf)
        if least <= most:
            mean = sum([ys[spot] for spot in run]) / len(run)
            ys |= dict.fromkeys(run, min(max(mean, least), most))


def _runs(layered: Layered) -> Iterator[list[Spot]]:
    """Lines that pass through layers, and chains of boxes, each with one before and one after."""
    for spot in itertools.chain.from_iterable(layered.layers):
        if len(spot.before) == 1 and _continues(spot.before[0], spot):
            continue
        run = [spot]
        while run[-1].after and _continues(run[-1], run[-1].after[0]):
            run.append(run[-1].after[0])
        if len(run) > 1:
            yield run


def _continues(one: Spot, other: Spot) -> bool:
    alone = len(one.after) == len(other.before) == 1

    return other is one.after[0] and (alone or not (one.node or other.node))
