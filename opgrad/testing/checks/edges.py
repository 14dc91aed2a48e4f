"""Edges of a domain: what an elementwise op gives there, near them, and far out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from opgrad.op import Op
from opgrad.projection import data_of
from opgrad.testing.cases import FLOATS, Case, cases_of, numpy
from opgrad.testing.checks.check import Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import hold
from opgrad.types import shape

_PROBES = (0.0, 1e-300, 1e-30, 1e-8, 1e-3, 0.5, 1.0, 3.0, 30.0, 1e3)
_LEAST, _MOST = 1e-300, 1e3
"""The sizes of points: what is smaller still has lost digits by itself."""
_NEAR = (1e-12, 1e-6, 1e-2)
"""Distances to the edges of a domain."""
_OVERFLOW = 1e290
"""What a value reaches before it overflows; one that becomes infinite from less is computed so."""
_MOST_BASES = 3
"""Samples whose values the other operands are held at."""


def edges(case: Case) -> None:
    """Inside the domain nothing is NaN, and only what overflows is infinite; no NaN at its edge."""
    op = case.op
    seen = 0
    for base in _bases(op):
        for place in base.real:
            name = op.names_of(base.operands)[place]
            if place in base.chosen:
                _hold_line(_Line(base, place, op.domain.get(name or "", (-math.inf, math.inf))))
                seen += 1
    if not seen:
        raise NotCheckable("no operand here carries a derivative that the op has a rule for")


def _bases(op: Op) -> Iterator[Case]:
    """Calls on Python numbers: samples, or the first entries of theirs."""
    count = 0
    for case in cases_of(op):
        numbers = [_first(x, keep=i not in case.real) for i, x in enumerate(case.operands)]
        if count == _MOST_BASES or any([isinstance(x, complex) for x in numbers]):
            continue
        base = Case(op, case.sample, FLOATS, tuple(numbers), case.attributes)
        if all([isinstance(y, int | float) and math.isfinite(y) for y in base.outputs]):
            count += 1
            yield base


def _first(x: Any, *, keep: bool) -> Any:
    while isinstance(x, list) or shape(x):
        if not len(x):
            return math.nan
        x = x[0]
    x = x.item() if hasattr(x, "item") else x

    return float(x) if type(x) is int and not keep else x


@attrs.frozen
class _Line:
    """An elementwise op along one operand."""

    base: Case
    place: int
    domain: tuple[float, float]

    def at(self, x: Any) -> tuple[list[Any], Any]:
        """The values and the derivative of their sum, for a number or an array of points."""
        operands = list(self.base.operands)
        operands[self.place] = x
        case = self.base.on(tuple(operands))
        one = numpy().ones(shape(x)) if shape(x) else 1.0
        (slope,) = case.pull((self.place,))([one] * len(case.outputs))

        return case.outputs, data_of(slope)

    def where(self, x: float) -> dict[str, Any]:
        """The point, for a message."""
        return {"at": f"{self.base.name_of(self.place)} = {x!r}", "others": self.base.operands}

    def inside(self) -> list[float]:
        """Points of the open interval, in order: ordinary, tiny, large, and near its edges."""
        low, high = self.domain
        points = {sign * p for p in _PROBES for sign in (1.0, -1.0)}
        points |= {low + d for d in _NEAR} | {high - d for d in _NEAR}
        points |= {math.nextafter(low, math.inf), math.nextafter(high, -math.inf)}
        points = {p + 0.0 for p in points if p == 0.0 or _LEAST <= abs(p) <= _MOST}

        return sorted([p for p in points if low < p < high])


def _hold_line(line: _Line) -> None:
    points = line.inside()
    found = [line.at(x) for x in points]
    results = [(*values, slope) for values, slope in found]
    for k in range(len(results[0])):
        what = "the derivative" if k == len(results[0]) - 1 else "the value"
        for i, x in enumerate(points):
            y = results[i][k]
            if y != y:  # noqa: PLR0124 -- NaN
                raise CheckFailure(
                    f"{what} is NaN inside the domain; declare a domain where it is a number",
                    **line.where(x), domain=line.domain,
                )  # fmt: skip
            if math.isinf(y):
                _hold_overflow(line, k, what, points, [row[k] for row in results], i)
    for x in line.domain:
        if math.isfinite(x):
            values, slope = line.at(x)
            if math.isnan(slope) and not any(map(math.isnan, values)):
                raise CheckFailure(
                    "the derivative is NaN at the edge of the domain, where the value is a number",
                    **line.where(x), value=values[0],
                )  # fmt: skip
    if numpy() is not None:
        _hold_arrays(line, [*points, *filter(math.isfinite, line.domain)])


def _hold_overflow(  # noqa: PLR0913, PLR0917 -- private
    line: _Line, k: int, what: str, points: Sequence[float], ys: Sequence[float], i: int
) -> None:
    """Infinite is right where the size grew beyond all floats on the way there."""
    finite = [j for j, y in enumerate(ys) if math.isfinite(y)]
    if not finite:
        raise CheckFailure(f"{what} is infinite everywhere", others=line.base.operands)
    near = min(finite, key=lambda j: abs(j - i))
    inner, outer, last = points[near], points[i], ys[near]
    for _ in range(200):
        middle = _between(inner, outer)
        if middle in {inner, outer}:
            break
        values, slope = line.at(middle)
        y = (*values, slope)[k]
        if math.isfinite(y):
            inner, last = middle, y
        else:
            outer = middle
    if abs(last) < _OVERFLOW:
        raise CheckFailure(
            f"{what} is infinite inside the domain, and does not grow towards that: a step on the "
            "way overflows, or the domain is to be declared",
            **line.where(outer), got=ys[i], just_before=f"{last:.9g} at {inner!r}",
        )  # fmt: skip


def _between(a: float, b: float) -> float:
    """Half way; in size, where both are of one sign, so that few steps lead down to the tiny."""
    if a and b and (a > 0.0) == (b > 0.0):
        return math.copysign(math.sqrt(abs(a)) * math.sqrt(abs(b)), a)

    return a / 2.0 + b / 2.0


def _hold_arrays(line: _Line, points: Sequence[float]) -> None:
    """Arrays give the same there as numbers do."""
    values, slopes = line.at(numpy().array(points))
    for i, x in enumerate(points):
        wanted, slope = line.at(x)
        hold(
            [*[y[i] for y in values], slopes[i]], [*wanted, slope],
            "arrays and numbers differ at a special point", relative=1e-9, absolute=1e-300,
            types=False, **line.where(x),
        )  # fmt: skip


CHECKS = (
    Check(
        "edges", "no NaN inside the domain or at its edge, at extremes neither",
        edges, whole=True, applies=lambda case: case.op.elementwise and case.op.differentiable,
    ),
)  # fmt: skip
