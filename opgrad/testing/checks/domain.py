"""The domain of an elementwise op: between and beyond the samples the derivative is the slope, too.

A rule may be right at every sample, and wrong for a larger number, a negative one, or at 0. These
points are not the author's choice, so a derivative is called wrong only where the slopes leave no
doubt.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Iterator
from typing import Any

import attrs

from opgrad.projection import data_of
from opgrad.testing.cases import WITHOUT_NUMPY, Case, numpy
from opgrad.testing.checks.check import REFUSED, Check, CheckFailure, NotCheckable
from opgrad.testing.checks.edges import Line, lines
from opgrad.testing.checks.steady import STEPS, WRONG_AT_SAMPLES, contradicted, noise
from opgrad.testing.reproduce import call_of
from opgrad.transforms import linearize
from opgrad.types import shape

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
    found = lines(case.op)
    several = {line.place: line for line in found if len(line.base.real) > 1}
    seen = [_hold(line, line) for line in found]
    seen += [_hold(_mixed(line), line) for line in several.values()]
    if not any(seen):
        raise NotCheckable("there is no point at which the value is real and finite")


def _mixed(line: Line) -> Line:
    """With every other operand anywhere in its domain, instead of where a sample has it."""
    np = numpy()
    operands = list(line.base.operands)
    count = len(_points(*line.domain))
    for place in line.base.real:
        points = list(_points(*Line.of(line.base, place).domain))
        random.Random(place).shuffle(points)  # noqa: S311 -- an order, not a secret
        operands[place] = np.resize(points, count)

    return Line.of(line.base.on(tuple(operands)), line.place)


def _hold(line: Line, sample: Line) -> bool:
    """Hold the derivatives along a line to the slopes; whether there were any."""
    np = numpy()
    points, seen = _points(*line.domain), False
    for held in _held(line, points):
        if held.wrong.any():
            if any([each.wrong.any() for each in _held(sample, np.array(sample.samples()))]):
                raise NotCheckable(WRONG_AT_SAMPLES)
            _refuse(line, points, held)
        seen |= bool(np.isfinite(held.got).any())

    return seen


@attrs.frozen
class _Held:
    """Derivatives of one mode beside the slopes."""

    mode: str
    got: Any
    left: Any
    right: Any
    wrong: Any


def _held(line: Line, points: Any) -> Iterator[_Held]:
    """The derivatives at points of a line in each mode, if the values are real."""
    np = numpy()
    values, slopes = line.at(points)
    if not all([np.isrealobj(y) for y in values]):
        return
    base = sum(values)
    left, right, steps = _around(line, points, base)
    for mode, got in (("reverse", slopes), ("forward", _pushed(line, points, slopes))):
        noises = noise(np.abs(base), np.abs(got * points), steps)
        wrong = np.isfinite(base) & contradicted(got, left, right, noises)
        yield _Held(mode, got, left, right, wrong)


def _refuse(line: Line, points: Any, held: _Held) -> None:
    i = int(numpy().argmax(held.wrong))
    operands = [x[i].item() if shape(x) else x for x in line.on(points).operands]
    raise CheckFailure(
        f"away from the samples the derivative is not the slope, {held.mode} mode; if the op is "
        "not for such numbers, declare its domain",
        call=call_of(line.base.on(tuple(operands))), operand=line.base.name_of(line.place),
        domain=line.domain, got=f"{held.got[i]:.9g}",
        left=f"{held.left[1][i]:.9g}", right=f"{held.right[1][i]:.9g}",
    )  # fmt: skip


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


def _pushed(line: Line, points: Any, slopes: Any) -> Any:
    """The derivatives by forward mode; of an op that has none, those by reverse mode again."""
    np = numpy()
    _, push = linearize(line.on(points).function((line.place,)), points)
    try:
        return sum([data_of(t) for t in push(np.ones_like(points))])
    except REFUSED:
        return slopes


CHECKS = (
    Check(
        "domain", "away from the samples the derivative is the slope as well",
        domain, gradient=True, whole=True,
        applies=lambda case: case.op.elementwise and case.op.differentiable,
    ),
)  # fmt: skip
