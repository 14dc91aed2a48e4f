"""Special points: kinks, ties, the edges of a domain, and operands without derivative."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from opgrad import namespaces
from opgrad.errors import CallError, MissingRuleError
from opgrad.names import core
from opgrad.op import Op
from opgrad.projection import data_of
from opgrad.rules import REQUIRED
from opgrad.testing.cases import FLOATS, Case, cases_of, is_array, numpy
from opgrad.testing.checks.check import Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import hold
from opgrad.testing.gradients import GradientCheck
from opgrad.testing.report import Entry, GradientMismatch
from opgrad.testing.slopes import Finding, judge
from opgrad.testing.subject import EPS, Subject
from opgrad.transforms import grad
from opgrad.types import shape
from opgrad.value import Value

# -- kinks ----------------------------------------------------------------------------------------


def kinks(case: Case) -> None:
    """At each kink that is declared the slopes differ, and the derivative is between them.

    Where the op states which derivative it takes there, it is that one, in both modes.
    """
    op = case.op
    if len(op.operands) != 1:
        raise CheckFailure("kinks are declared of an op with one operand", operands=op.operands)
    needed = [name for name, default in op.attributes.items() if default is REQUIRED]
    call = functools.partial(op, **{name: case.attributes[name] for name in needed})
    for point, stated in op.kinks.items():
        for x in _as_data(float(point)):
            check = GradientCheck(Subject.of(call, (x,), (0,), 0))
            gradients = check.subject.reverse()
            modes: dict[str, Callable[[Any], float]] = {
                "reverse": lambda axis, found=gradients: axis.of(found),  # type: ignore[misc]
                "forward": lambda axis, check=check: check.derivative("forward", axis),  # type: ignore[misc]
            }
            for mode, derivative in modes.items():
                try:
                    (entry,) = check.compare(mode, derivative)
                except GradientMismatch as mismatch:
                    entry = mismatch.report.worst
                    if not _is_between(call, entry, x):
                        raise
                _hold_kink(entry, point, stated, mode)


def _is_between(call: Callable[..., Any], entry: Entry, x: Any) -> bool:
    """Whether the derivative where the op jumps lies between those on the two sides."""
    if entry.left is None or entry.right is None:
        return False
    if math.isfinite(entry.left) and math.isfinite(entry.right):
        return False
    slope = grad(lambda v: core().sum(call(v)))
    sides = [float(numpy().sum(slope(x + step))) for step in (-1e-6, 1e-6)]

    return min(sides) <= entry.got <= max(sides)


def _hold_kink(entry: Entry, point: float, stated: float | None, mode: str) -> None:
    slopes = {"left": entry.left, "right": entry.right}
    if not entry.is_kink:
        raise CheckFailure(
            f"{point:g} is declared a kink, and the slopes on its two sides are the same",
            slope=f"{entry.wanted:.9g}",
        )  # fmt: skip
    if stated is not None and not math.isclose(entry.got, stated, rel_tol=1e-12, abs_tol=1e-12):
        raise CheckFailure(
            f"at the kink {point:g} the derivative is not the one stated, {mode} mode",
            got=f"{entry.got:.9g}", wanted=f"{stated:.9g}", **slopes,
        )  # fmt: skip


def _as_data(x: float) -> list[Any]:
    np = numpy()

    return [x] if np is None else [x, np.array([x])]


# -- ties -----------------------------------------------------------------------------------------


def ties(case: Case) -> None:
    """Where all entries are equal, and move together, the derivative is the slope.

    A rule that counts a tie twice, or not at all, lies between the slopes of each single entry;
    moved together the entries stay tied, and there is no kink to hide behind.
    """
    np = numpy()
    tied, value = _tied(case)
    directions = [np.ones_like(tied.operands[i]) for i in tied.chosen]
    try:
        if not all([np.isfinite(y).all() for y in tied.outputs]):
            raise NotCheckable("where all entries are equal the value is not finite")
        gradients = tied.subject.reverse()
        tangent = tied.subject.forward(directions)
        for got, mode in (
            (sum([float(np.real(np.sum(g))) for g in gradients]), "reverse"),
            (tangent, "forward"),
        ):
            finding = judge(
                got, lambda distance: tied.subject.change(directions, distance),
                at=abs(value), eps=EPS, tolerance=1e-6,
            )  # fmt: skip
            rounding = 1e-12 * sum([float(np.sum(np.abs(g))) for g in gradients])
            if not finding.fits and not abs(got - finding.wanted) <= rounding:
                _refuse_tie(finding, value, mode)
    except (CallError, MissingRuleError, np.linalg.LinAlgError) as error:
        raise NotCheckable(f"equal entries are not for this op: {error}") from error


def _entries(case: Case) -> int:
    return sum([math.prod(shape(case.operands[i])) for i in case.chosen])


def _tied(case: Case) -> tuple[Case, complex]:
    """The case with every entry the same, one that all operands take, and that entry."""
    np = numpy()
    entries = [x for i in case.chosen for x in np.ravel(case.operands[i]).tolist()]
    names = case.op.names_of(case.operands)
    domains = [case.op.domain.get(names[i] or "", (-math.inf, math.inf)) for i in case.chosen]
    inside = [x for x in entries if x and all([low < x.real < high for low, high in domains])]
    if not inside:
        raise NotCheckable("no entry is in the domain of all operands")
    operands = list(case.operands)
    for i in case.chosen:
        operands[i] = np.full_like(operands[i], inside[0])

    return case.on(tuple(operands)), inside[0]


def _refuse_tie(finding: Finding, value: complex, mode: str) -> None:
    sides = {} if finding.left is None else {"left": finding.left, "right": finding.right}
    raise CheckFailure(
        f"where all entries are {value:g} and move together, the derivative is not the slope, "
        f"{mode} mode",
        got=f"{finding.got:.9g}", wanted=f"{finding.wanted:.9g}", **sides,
    )  # fmt: skip


# -- edges ----------------------------------------------------------------------------------------

_PROBES = (0.0, 1e-300, 1e-30, 1e-8, 1e-3, 0.5, 1.0, 3.0, 30.0, 1e3)
_LEAST, _MOST = 1e-300, 1e3
_NEAR = (1e-12, 1e-6, 1e-2)
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
        if all([math.isfinite(y) for y in base.outputs]):
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
        ones = (
            [y * 0.0 + 1.0 if math.isfinite(y) else 1.0 for y in case.outputs]
            if not shape(x)
            else [numpy().ones(shape(x)) for _ in case.outputs]
        )
        (slope,) = case.pull((self.place,))(ones)

        return case.outputs, data_of(slope)

    @property
    def name(self) -> str:
        return self.base.op.names_of(self.base.operands)[self.place] or ""

    def inside(self) -> list[float]:
        """Points of the open interval, in order: ordinary, tiny, large, and near its edges."""
        low, high = self.domain
        points = {sign * p for p in _PROBES for sign in (1.0, -1.0)}
        points |= {low + d for d in _NEAR} | {high - d for d in _NEAR}
        points |= {math.nextafter(low, math.inf), math.nextafter(high, -math.inf)}
        found = {
            p + 0.0 for p in points if low < p < high and (p == 0.0 or _LEAST <= abs(p) <= _MOST)
        }

        return sorted(found)


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
                    at=f"{line.name} = {x!r}", others=line.base.operands, domain=line.domain,
                )  # fmt: skip
            if math.isinf(y):
                _hold_overflow(line, k, what, points, [row[k] for row in results], i)
    for x in line.domain:
        if math.isfinite(x):
            values, slope = line.at(x)
            if math.isnan(slope) and not any(map(math.isnan, values)):
                raise CheckFailure(
                    "the derivative is NaN at the edge of the domain, where the value is a number",
                    at=f"{line.name} = {x!r}", value=values[0], others=line.base.operands,
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
            at=f"{line.name} = {outer!r}", got=ys[i], just_before=f"{last:.9g} at {inner!r}",
            others=line.base.operands,
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
            types=False, at=f"{line.name} = {x!r}", others=line.base.operands,
        )  # fmt: skip


# -- operands without derivative ------------------------------------------------------------------


def nondiff(case: Case) -> None:
    """What carries no derivative takes none: moved a little, it does not move the result."""
    if not case.op.differentiable:
        values = [Value(x) if i in _fixed(case) else x for i, x in enumerate(case.operands)]
        results = case.call(*values)
        for y in results if isinstance(results, tuple) else (results,):
            if isinstance(y, Value) and y.requires_grad:
                raise CheckFailure("the result of an op without derivative wants a gradient")
    places = _fixed(case)
    if not places or not case.weights:
        return  # whole numbers and truth values move by no small step
    check = GradientCheck(Subject.of(case.call, case.operands, places, 0))
    try:
        check.compare("reverse", lambda _: 0.0)
    except GradientMismatch as mismatch:
        worst = mismatch.report.worst
        raise CheckFailure(
            "the result moves with an operand that is declared nondiff: its derivative is lost",
            operand=worst.where,
            slope=f"{worst.wanted:.9g}",
        ) from mismatch


def _fixed(case: Case) -> tuple[int, ...]:
    """The places of real data that is declared to carry no derivative."""
    names = case.op.names_of(case.operands)

    return tuple(
        [
            i
            for i, (name, x) in enumerate(zip(names, case.operands, strict=False))
            if name in case.op.nondiff
            and type(x) is not int
            and namespaces.kind_of(x) is namespaces.REAL
            and 0 not in shape(x)
        ]
    )


CHECKS = (
    Check(
        "nondiff", "moving what carries no derivative moves nothing",
        nondiff, applies=lambda case: not case.op.differentiable or bool(_fixed(case)),
    ),
    Check(
        "ties", "entries that are tied share the derivative",
        ties, applies=lambda case: is_array(case) and _entries(case) > 1,
    ),
    Check(
        "kinks", "at kinks the derivative is between the slopes, and the stated one",
        kinks, whole=True, applies=lambda case: bool(case.op.kinks),
    ),
    Check(
        "edges", "no NaN inside the domain or at its edge, at extremes neither",
        edges, whole=True, applies=lambda case: case.op.elementwise and case.op.differentiable,
    ),
)  # fmt: skip
