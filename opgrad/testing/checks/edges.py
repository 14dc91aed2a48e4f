"""Edges of a domain: what an elementwise op gives there, near them, and far out."""

from __future__ import annotations

import itertools
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
_LEAST_OF_SEVERAL = 1e-30
"""The same where there are several operands: a quotient of them soon overflows."""
_NEAR = (1e-12, 1e-6, 1e-2)
"""Distances to the edges of a domain."""
_OVERFLOW = 1e290
"""What a value reaches before it overflows; one that becomes infinite from less is computed so."""
_GROWING = 1.001
"""Of a size 16 times as near to a pole: a logarithm at 5e-324 grows by this much at least."""
_MOST_LINES = 3
"""Along one operand: as many ways to hold the others, and the attributes."""


def edges(case: Case) -> None:
    """Inside the domain nothing is NaN, and only what overflows is infinite; no NaN at its edge."""
    found = lines(case.op)
    if not found:
        raise NotCheckable("no operand here carries a derivative that the op has a rule for")
    for line in found:
        _hold_line(line)


def lines(op: Op) -> list[Line]:
    """Each operand moved along its domain, while the others and the attributes are a sample's."""
    bases = list(_bases(op))
    attributes = [dict(base.attributes) for base in bases]
    again = [attributes.index(each) < i for i, each in enumerate(attributes)]
    found: dict[int, dict[str, Line]] = {}
    for _, base in sorted(zip(again, bases, strict=True), key=lambda pair: pair[0]):
        for place in base.chosen:
            line = Line.of(base, place)
            of_place = found.setdefault(place, {})
            if len(of_place) < _MOST_LINES:
                of_place.setdefault(line.held, line)

    return [line for of_place in found.values() for line in of_place.values()]


def _bases(op: Op) -> Iterator[Case]:
    """Calls on Python numbers: samples, or the first entries of theirs."""
    for case in cases_of(op):
        numbers = [_first(x, keep=i not in case.real) for i, x in enumerate(case.operands)]
        if any([isinstance(x, complex) for x in numbers]):
            continue
        base = Case(op, case.sample, FLOATS, tuple(numbers), case.attributes)
        if all([isinstance(y, int | float) and math.isfinite(y) for y in base.outputs]):
            yield base


def _first(x: Any, *, keep: bool) -> Any:
    while isinstance(x, list) or shape(x):
        if not len(x):
            return math.nan
        x = x[0]
    x = x.item() if hasattr(x, "item") else x

    return float(x) if type(x) is int and not keep else x


@attrs.frozen
class Line:
    """An elementwise op along one operand."""

    base: Case
    place: int
    domain: tuple[float, float]

    @staticmethod
    def of(base: Case, place: int) -> Line:
        """Along the operand at this place of a call on numbers."""
        name = base.op.names_of(base.operands)[place] or ""

        return Line(base, place, base.op.domain.get(name, (-math.inf, math.inf)))

    @property
    def held(self) -> str:
        """What does not change along the line: the other operands, and the attributes."""
        others = [x for i, x in enumerate(self.base.operands) if i != self.place]

        return repr((others, dict(self.base.attributes)))

    def samples(self) -> list[float]:
        """The points on it that are samples, or entries of theirs."""
        found = [Line.of(base, self.place) for base in _bases(self.base.op)]

        return [line.base.operands[self.place] for line in found if line.held == self.held]

    def on(self, x: Any) -> Case:
        """The call with a number, or an array of points, in the place of the operand."""
        operands = list(self.base.operands)
        operands[self.place] = x

        return self.base.on(tuple(operands))

    def at(self, x: Any) -> tuple[list[Any], Any]:
        """The values and the derivative of their sum, for a number or an array of points."""
        case = self.on(x)
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
        least = _LEAST if len(self.base.real) == 1 else _LEAST_OF_SEVERAL
        points = {p + 0.0 for p in points if p == 0.0 or least <= abs(p) <= _MOST}

        return sorted([p for p in points if low < p < high])

    def is_coupled(self, x: float) -> bool:
        """Whether the value is a number there for other operands or attributes.

        Then a domain, which is of one operand alone, cannot say where it is none.
        """
        moved = self.on(x)
        calls = [Line.of(base, self.place).on(x) for base in _bases(self.base.op)]
        for place in self.base.real:
            if place != self.place:
                other = Line.of(moved, place)
                calls += [other.on(point) for point in other.inside()]

        return any([y == y for call in calls for y in call.outputs])  # noqa: PLR0124 -- no NaN


def _hold_line(line: Line) -> None:
    found = [(x, *line.at(x)) for x in line.inside()]
    rows = [(x, [*values, slope]) for x, values, slope in found]
    rows = [(x, row) for x, row in rows if not (math.isnan(sum(row[:-1])) and line.is_coupled(x))]
    points, results = [x for x, _ in rows], [row for _, row in rows]
    for k in range(len(results[0]) if results else 0):
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
            if math.isnan(slope) and all(map(math.isfinite, values)):
                raise CheckFailure(
                    "the derivative is NaN at the edge of the domain, where the value is finite",
                    **line.where(x), value=values[0],
                )  # fmt: skip
    if numpy() is not None:
        _hold_arrays(line, [*points, *filter(math.isfinite, line.domain)])


def _hold_overflow(  # noqa: PLR0913, PLR0917 -- private
    line: Line, k: int, what: str, points: Sequence[float], ys: Sequence[float], i: int
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
    if abs(last) < _OVERFLOW and not _is_pole(line, k, inner, outer):
        raise CheckFailure(
            f"{what} is infinite inside the domain, and does not grow towards that: a step on the "
            "way overflows, or the domain is to be declared",
            **line.where(outer), got=ys[i], just_before=f"{last:.9g} at {inner!r}",
        )  # fmt: skip


def _is_pole(line: Line, k: int, inner: float, outer: float) -> bool:
    """Whether the size grows all the way, as beside a pole, and not up to an overflow."""
    apart = inner - outer
    near, far = [line.at(outer + factor * apart) for factor in (16.0, 256.0)]
    sizes = [abs((*values, slope)[k]) for values, slope in (line.at(inner), near, far)]

    return all([a > _GROWING * b for a, b in itertools.pairwise(sizes)])


def _between(a: float, b: float) -> float:
    """Half way; in size, where both are of one sign, so that few steps lead down to the tiny."""
    if a and b and (a > 0.0) == (b > 0.0):
        return math.copysign(math.sqrt(abs(a)) * math.sqrt(abs(b)), a)

    return a / 2.0 + b / 2.0


def _hold_arrays(line: Line, points: Sequence[float]) -> None:
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
