"""Kinks: where the slopes on two sides differ, and where entries are tied."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

from opgrad.errors import CallError
from opgrad.names import core
from opgrad.rules import REQUIRED
from opgrad.testing.cases import Case, is_array, numpy
from opgrad.testing.checks.check import REFUSED, Check, CheckFailure, NotCheckable
from opgrad.testing.gradients import GradientCheck
from opgrad.testing.report import Entry, GradientMismatch
from opgrad.testing.slopes import Finding, judge
from opgrad.testing.subject import EPS, Subject
from opgrad.transforms import grad
from opgrad.types import shape

_DISTANCES = (1e-5, 1e-6, 1e-7, 1e-8)
_WALL = (1.25, 8.0)
"""How much steeper a wall is at a tenth of the distance: a power below 1, sqrt(10) for a square
root. At a jump, which is no wall, it is 10."""
_STEADY = 1.3
"""How far those ratios may differ: of a wall they are equal, of what is undetermined by chance."""


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
            for mode in ("reverse", "forward"):
                _hold_kink(_entry(check, mode, call, x), point, stated, mode)


def _entry(check: GradientCheck, mode: str, call: Callable[..., Any], x: Any) -> Entry:
    """The derivative beside the slopes on both sides; between them, or the check fails."""
    try:
        (entry,) = check.compare(mode, lambda axis: check.derivative(mode, axis))
    except GradientMismatch as mismatch:
        entry = mismatch.report.worst
        if not _is_between(call, entry, x):
            raise

    return entry


def _is_between(call: Callable[..., Any], entry: Entry, x: Any) -> bool:
    """Whether the derivative where the op jumps lies between those on the two sides."""
    if entry.left is None or entry.right is None:
        return False
    if math.isfinite(entry.left) and math.isfinite(entry.right):
        return False
    slope = grad(lambda v: core().sum(call(v)))
    sides = [slope(x + step) for step in (-1e-6, 1e-6)]

    return bool(min(sides) <= entry.got <= max(sides))


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
                if not math.isfinite(got) and _is_edge(tied):
                    raise NotCheckable("where all entries are equal the domain ends")
                _refuse_tie(finding, value, mode)
    except (CallError, *REFUSED, np.linalg.LinAlgError) as error:
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


def _is_edge(tied: Case) -> bool:
    """Whether a step aside, where no two entries are equal, leads out of the domain or up a wall.

    So it is with sqrt(a - b): no derivative of it is finite where a is b.
    """
    for sign in (1.0, -1.0):
        directions = [sign * x for x in tied.directions]
        slopes = [abs(tied.subject.change(directions, d)[1]) / d for d in _DISTANCES]
        if any(map(math.isnan, slopes)):
            return True
        if min(slopes) > 0.0:
            ratios = [near / far for far, near in itertools.pairwise(slopes)]
            low, high = min(ratios), max(ratios)
            if _WALL[0] < low and high < min(_WALL[1], _STEADY * low):
                return True

    return False


def _refuse_tie(finding: Finding, value: complex, mode: str) -> None:
    sides = {} if finding.left is None else {"left": finding.left, "right": finding.right}
    raise CheckFailure(
        f"where all entries are {value:g} and move together, the derivative is not the slope, "
        f"{mode} mode",
        got=f"{finding.got:.9g}", wanted=f"{finding.wanted:.9g}", **sides,
    )  # fmt: skip


CHECKS = (
    Check(
        "kinks", "at kinks the derivative is between the slopes, and the stated one",
        kinks, whole=True, applies=lambda case: bool(case.op.kinks),
    ),
    Check(
        "ties", "entries that are tied share the derivative",
        ties, applies=lambda case: is_array(case) and _entries(case) > 1,
    ),
)  # fmt: skip
