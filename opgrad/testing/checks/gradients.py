"""Derivatives: against differences, of each mode against the other, and of second order."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opgrad import namespaces, trees
from opgrad.errors import CallError
from opgrad.matrices import jacobian as jacobian_of
from opgrad.names import core
from opgrad.projection import data_of, is_complex
from opgrad.testing.cases import MOST_ENTRIES, Case, is_differentiable, without_rules
from opgrad.testing.checks.check import (
    FULL,
    QUICK,
    REFUSED,
    Check,
    CheckFailure,
    NotCheckable,
    need_gradient,
)
from opgrad.testing.checks.compare import hold, largest
from opgrad.testing.differences import Index, indices
from opgrad.testing.gradients import GradientCheck
from opgrad.testing.report import GradientMismatch
from opgrad.testing.subject import Axis, Subject, inner, random_like
from opgrad.transforms import grad

SECOND = 1e-5
"""Relative error allowed of a second derivative: it is held against differences of a gradient."""
OF_THE_ROW = 1e-6
"""Error allowed of an entry of a Jacobian, relative to the largest of its row."""
AGREEMENT = 1e-9
"""Relative error allowed between the two modes."""
ROUNDING = 1e-12
"""Relative error allowed between two ways to compute the same in double precision."""


def backward(case: Case) -> None:
    """The gradient by reverse mode is the slope."""
    check = _check(case)
    gradients = check.subject.reverse()
    _compare(check, "reverse", lambda axis: axis.of(gradients))


def forward(case: Case) -> None:
    """The derivative by forward mode is the slope."""
    check = _check(case)
    try:
        _compare(check, "forward", lambda axis: check.derivative("forward", axis))
    except REFUSED as error:
        raise NotCheckable(str(error)) from error


def agreement(case: Case) -> None:
    """Along a random direction the tangent is that of the gradient; no difference is taken."""
    _agree(_check(case), AGREEMENT)


def _agree(check: GradientCheck, tolerance: float) -> None:
    subject = check.subject
    generator = random.Random(1)  # noqa: S311 -- a direction, not a secret
    directions = [random_like(leaf.data, generator) for leaf in subject.leaves]
    try:
        tangent = subject.forward(directions)
    except REFUSED as error:
        raise NotCheckable(str(error)) from error
    gradients = subject.reverse()
    parts = [inner([g], [d]) for g, d in zip(gradients, directions, strict=True)]
    wanted = sum(parts)
    sizes = [largest(g) * largest(d) for g, d in zip(gradients, directions, strict=True)]
    if not (math.isfinite(tangent) and math.isfinite(wanted)):
        same = tangent == wanted or not (math.isfinite(tangent) or math.isfinite(wanted))
    else:
        same = abs(tangent - wanted) <= tolerance * sum(sizes)
    if not same:
        raise CheckFailure(
            "forward and reverse mode disagree along a random direction",
            forward=f"{tangent:.17g}", reverse=f"{wanted:.17g}",
        )  # fmt: skip


def second_order(case: Case) -> None:
    """The derivative of the gradient is the slope of the gradient."""
    check = _check(case)
    gradients = check.subject.reverse()
    try:
        entries = check.compare("reverse", lambda axis: axis.of(gradients))
    except GradientMismatch as mismatch:
        reason = "the first derivative is wrong, or not to be seen: see `backward`"
        raise NotCheckable(reason) from mismatch
    except CallError as error:
        raise NotCheckable(str(error)) from error
    if any([entry.is_kink for entry in entries]):
        reason = "at a kink, an edge or a jump: the gradient is not smooth"
        raise NotCheckable(reason)
    try:
        _compare_second(case, curvature=1.0)
    except REFUSED as error:
        raise NotCheckable(str(error)) from error
    except GradientMismatch as mismatch:
        if not math.isnan(mismatch.report.worst.got):
            raise
        _compare_second(case, curvature=0.0)  # at the end of the range the square overflows


def _compare_second(case: Case, curvature: float) -> None:
    function = _gradient_of(case, curvature)
    subject = Subject.of(function, case.operands, case.chosen, 0, named=case.call)
    subject.name, subject.most = f"the gradient of {case.op.described}", MOST_ENTRIES
    check = GradientCheck(subject, SECOND)
    found = subject.reverse()
    _compare(check, "reverse", lambda axis: axis.of(found))
    _agree(check, SECOND)


def _gradient_of(case: Case, curvature: float) -> Callable[..., list[Any]]:
    """The gradient of a number made of all outputs, curved in each, as a function."""
    generator = random.Random(1)  # noqa: S311 -- weights, not a secret
    weights: list[Any] = []

    def number(*xs: Any) -> Any:
        parts = [part for y in trees.leaves(case.call(*xs)) for part in _real_parts(y)]
        weights.extend([random_like(data_of(part), generator) for part in parts[len(weights) :]])
        total = 0.0
        for part, weight in zip(parts, weights, strict=True):
            total = total + core().sum(part * weight)
            if curvature:
                total = total + 0.5 * curvature * core().sum(part * part)
        return total

    gradient = grad(number, argnums=case.chosen)

    return lambda *xs: [part for g in gradient(*xs) for part in _real_parts(g)]


def _real_parts(y: Any) -> list[Any]:
    """A real output as it is, a complex one as two; none of what has no derivative."""
    data = data_of(y)
    if namespaces.kind_of(data) is not namespaces.REAL:
        return []

    return [core().real(y), core().imag(y)] if is_complex(data) else [y]


def jacobian(case: Case) -> None:
    """Every entry of the Jacobian is the slope of that output, each by itself."""
    check = _check(case)
    subject = check.subject
    axes = list(subject.axes())
    rows = {}
    for number, index in _some_outputs(subject):
        weights = subject.only(number, index)
        row = rows[number, index] = subject.reverse(weights)
        scale = max([abs(axis.of(row)) for axis in axes])
        try:
            if not all([_is_near(subject, axis, row, weights, scale) for axis in axes]):
                check.compare("reverse", lambda axis, row=row: axis.of(row), weights)  # type: ignore[misc]
        except GradientMismatch as mismatch:
            if mismatch.report.unseen != mismatch.report.entries:
                raise
        except CallError as error:
            raise NotCheckable(str(error)) from error
    _hold_transform(case, rows)


def _some_outputs(subject: Subject) -> list[tuple[int, Index]]:
    """The entries of the outputs, or of many some, drawn at random."""
    places = [(number, i) for number, y in enumerate(subject.outputs) for i in indices(y)]
    generator = random.Random(4)  # noqa: S311 -- a choice of entries, not a secret

    return places if len(places) <= MOST_ENTRIES else generator.sample(places, MOST_ENTRIES)


def _is_near(
    subject: Subject, axis: Axis, row: Sequence[Any], weights: Sequence[Any], scale: float
) -> bool:
    """Whether an entry is what a central difference says, by the size of the others of its row.

    An entry that is zero by chance has only the rounding errors of the output to be seen in.
    """
    step = subject.eps(axis) ** (1.0 / 3.0) * max(1.0, abs(subject.at(axis)))
    line = subject.line(axis, weights)
    (ahead, more, _), (behind, less, _) = line(step), line(-step)
    slope = (more - less) / (ahead - behind) if ahead != behind else math.nan

    return abs(axis.of(row) - slope) <= OF_THE_ROW * scale


def _hold_transform(case: Case, rows: Mapping[tuple[int, Index], Sequence[Any]]) -> None:
    """`opgrad.jacobian`, which sweeps its rows together, has the rows that single sweeps give."""
    subject = case.subject
    data = [*subject.outputs, *[leaf.data for leaf in subject.leaves]]
    if any(map(is_complex, data)):
        return
    places = case.chosen
    found = jacobian_of(case.function(places), tuple(range(len(places))))(
        *[case.operands[i] for i in places]
    )
    for (number, index), row in rows.items():
        unit, _ = subject.unit_and_name((number, index))
        wanted = [g / unit for g in row]
        hold(
            [block[index] if index else block for block in found[number]], wanted,
            "opgrad.jacobian has another row than a sweep gives",
            relative=ROUNDING, absolute=ROUNDING * max(map(largest, wanted)),
            types=False, row=f"{list(index)} of output {number}",
        )  # fmt: skip


def composite(case: Case) -> None:
    """The rules of a composite give what running its forward on ops gives, to the last digits."""
    op = case.op
    bare = case.of(without_rules(op))
    wanted = bare.gradients(case.chosen)
    hold(
        case.gradients(case.chosen), wanted,
        "the rule and the derivative found by running the forward on ops differ",
        relative=ROUNDING, absolute=[ROUNDING * largest(w) for w in wanted],
    )  # fmt: skip


def _check(case: Case) -> GradientCheck:
    need_gradient(case)
    try:
        return GradientCheck(case.subject)
    except CallError as error:
        raise NotCheckable(str(error)) from error


def _compare(check: GradientCheck, mode: str, derivative: Callable[[Any], float]) -> None:
    try:
        check.compare(mode, derivative)
    except GradientMismatch as mismatch:
        if mismatch.report.unseen == mismatch.report.entries:
            raise NotCheckable(str(mismatch)) from mismatch
        raise
    except CallError as error:
        raise NotCheckable(str(error)) from error


CHECKS = (
    Check(
        "backward", "the gradient by reverse mode is the slope that differences show",
        backward, tier=QUICK, gradient=True, applies=is_differentiable,
    ),
    Check(
        "forward", "the derivative by forward mode is that slope, too",
        forward, tier=QUICK, gradient=True, applies=is_differentiable,
    ),
    Check(
        "agreement", "both modes agree along a random direction, without differences",
        agreement, tier=QUICK, gradient=True, applies=is_differentiable,
    ),
    Check(
        "second-order", "the derivative of the gradient is the slope of the gradient",
        second_order, gradient=True,
        applies=lambda case: case.op.differentiable and not case.op.saves,
    ),
    Check(
        "composite", "rules of a composite give what its forward on ops gives",
        composite, gradient=True, applies=lambda case: case.op.composite and bool(case.op.rules),
    ),
    Check(
        "jacobian", "every entry of the Jacobian is the slope of that output",
        jacobian, tier=FULL, gradient=True, applies=is_differentiable,
    ),
)  # fmt: skip
