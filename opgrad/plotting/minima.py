"""Minima of a function of one number, found by walking downhill."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from opgrad.plotting.curves import Curve, Point, Slope, derivatives, sampled
from opgrad.plotting.interval import check

_STEPS = 400
_ZERO = 1e-12
"""A walk that ends this close to zero, in parts of a step, was on its way there."""
_ROUNDINGS = 4.0
"""A dip is deeper than this many rounding errors of the value, or it is none."""


def minima(f: Callable[[Any], Any], lo: float, hi: float) -> list[Point]:
    """The minima of `f` inside [lo, hi], as pairs of x and f(x), from left to right.

    `f` is sampled evenly, and every dip of the samples is a start of gradient descent: steps
    against the slope that opgrad computes, half as long after every turn. The ends of the interval
    are no minima, nor are flat stretches, jumps and poles.

    Args:
        f: A function of one number that returns one, or an op.
        lo: The left end.
        hi: The right end.

    Raises:
        CallError: `f` is no such function, or lo < hi does not hold.

    Examples:
        >>> [(round(x, 6), round(y, 6)) for x, y in minima(lambda x: 3 * x**2 - 4 * x + 5, -3, 3)]
        [(0.666667, 3.666667)]
    """
    low, high = check(f, lo, hi)
    value, slope = derivatives(f, 1)

    return minima_of(sampled(value, low, high), value, slope)


def minima_of(curve: Curve, value: Slope, slope: Slope) -> list[Point]:
    """The minima near the dips of a curve that was sampled already."""
    points = curve.points
    found = []
    for (before, _), (start, _), (after, _) in _dips(points):
        x = descend(slope, start, step=(after - before) / 4.0, low=before, high=after)
        x = 0.0 if abs(x) < _ZERO * (after - before) else x
        y = value(x)
        around = (value(before), value(after))
        broken = any(b.left[0] <= x <= b.right[0] for b in curve.breaks)
        rounding = _ROUNDINGS * math.ulp(y)
        if before < x < after and not broken and min(around) > y + rounding:
            found.append((x, y))

    return found


def _dips(points: tuple[Point, ...]) -> list[tuple[Point, Point, Point]]:
    """Each sample below its neighbours, between them; the first of two equal ones."""
    triples = zip(points, points[1:], points[2:], strict=False)

    return [(a, b, c) for a, b, c in triples if a[1] > b[1] <= c[1]]


def descend(slope: Slope, x: float, *, step: float, low: float, high: float) -> float:
    """Walk from `x` against the slope, by steps that are halved at every turn, to its end.

    Only the sign of the slope is used (Riedmiller and Braun 1993, Rprop), so that a kink and a
    flat valley are reached as exactly as a parabola's foot.
    """
    last, least = 0.0, math.ulp(high - low)
    for _ in range(_STEPS):
        now = slope(x)
        if not now or not math.isfinite(now) or step < least:
            break
        step *= 0.5 if now * last < 0.0 else 1.2 if last else 1.0
        new = min(max(x - math.copysign(step, now), low), high)
        if new == x:
            break
        last, x = math.copysign(1.0, now), new

    return x
