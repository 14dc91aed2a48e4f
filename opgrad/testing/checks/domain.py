"""The domain of an elementwise op: between and beyond the samples the derivative is the slope, too.

A rule may be right at every sample, and wrong for a larger number, a negative one, or at 0. These
points are not the author's choice, so a derivative is called wrong only where the slopes leave no
doubt.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from opgrad.projection import data_of
from opgrad.testing.cases import WITHOUT_NUMPY, Case, numpy
from opgrad.testing.checks.check import REFUSED, Check, CheckFailure, NotCheckable
from opgrad.testing.checks.edges import Line, lines
from opgrad.testing.checks.steady import STEPS, contradicted, noise
from opgrad.transforms import linearize

_MANY = 64
"""Points spread evenly over a domain, or near its finite edge, or near 0."""
_WIDE = 9.0
"""How far out those lie, where the domain goes on."""
_DISTANCES = tuple([10.0 ** (power / 2.0) for power in range(-20, 7)])
"""From there, of further points: from 1e-10 to 1000."""
_SPECIAL = (0.0, 0.5, 1.0, 2.0, 3.0)
"""Numbers at which formulas have their cases, of either sign."""
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def domain(case: Case) -> None:
    """Along each operand, all over its domain, the derivative is the slope in both modes."""
    if numpy() is None:
        raise NotCheckable(WITHOUT_NUMPY)
    if not any([_hold(line) for line in lines(case.op)]):
        raise NotCheckable("there is no point at which value and derivative are real and finite")


def _hold(line: Line) -> bool:
    """Hold the derivatives along a line to the slopes; whether there were any."""
    np = numpy()
    points = _points(*line.domain)
    values, slopes = line.at(points)
    if not all([np.isrealobj(y) for y in values]):
        return False
    base = sum(values)
    plain = np.isfinite(base) & np.isfinite(slopes)
    left, right, steps = _around(line, points, base)
    for mode, got in (("reverse", slopes), ("forward", _pushed(line, points))):
        noises = noise(np.abs(base), np.abs(got * points), steps)
        wrong = plain & contradicted(got, left, right, noises)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise CheckFailure(
                f"the derivative is not the slope in the domain, away from the samples, {mode} "
                "mode; if it is not for such numbers, declare the domain",
                **line.where(float(points[i])), domain=line.domain, got=f"{got[i]:.9g}",
                wanted=f"{(left[1][i] + right[1][i]) / 2.0:.9g}",
                left=f"{left[1][i]:.9g}", right=f"{right[1][i]:.9g}",
            )  # fmt: skip

    return bool(plain.any())


def _points(low: float, high: float) -> Any:
    """Points of an open interval: spread over it, and from its edges, or 0, outwards."""
    np = numpy()
    parts = (np.arange(1, _MANY + 1) * _GOLDEN) % 1.0  # evenly spread, and at no round numbers
    distances, special = np.array(_DISTANCES), np.array(_SPECIAL)
    if math.isinf(low) and math.isinf(high):
        found = [_WIDE * (2.0 * parts - 1.0), distances, -distances]
    elif math.isinf(high):
        found = [low + _WIDE * parts, low + distances]
    elif math.isinf(low):
        found = [high - _WIDE * parts, high - distances]
    else:
        part = (high - low) * distances[distances < 1.0]
        found = [low + (high - low) * parts, low + part, high - part]
    points = np.concatenate([special, -special[1:], *found])

    return points[(low < points) & (points < high)]


def _around(line: Line, points: Any, base: Any) -> tuple[Any, Any, Any]:
    """The slopes on both sides of each point for each step, and how far each goes."""
    np = numpy()
    edges = [np.abs(points - edge) for edge in line.domain if math.isfinite(edge)]
    room = functools.reduce(np.minimum, edges, np.maximum(np.abs(points), 1.0))
    steps = np.array(STEPS)[:, None] * room
    there = points + np.stack([-steps, steps])
    left, right = (sum(line.on(there).outputs) - base) / (there - points)

    return left, right, steps


def _pushed(line: Line, points: Any) -> Any:
    """The derivatives by forward mode; of an op that has none NaN, of which nothing is said."""
    np = numpy()
    _, push = linearize(line.on(points).function((line.place,)), points)
    try:
        return sum([data_of(t) for t in push(np.ones_like(points))])
    except REFUSED:
        return np.full_like(points, math.nan)


CHECKS = (
    Check(
        "domain", "away from the samples the derivative is the slope as well",
        domain, gradient=True, whole=True,
        applies=lambda case: case.op.elementwise and case.op.differentiable,
    ),
)  # fmt: skip
