"""Derivatives: against differences, of each mode against the other, and of second order."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from opgrad import namespaces, trees
from opgrad.errors import CallError, MissingRuleError
from opgrad.matrices import jacobian as jacobian_of
from opgrad.names import core
from opgrad.projection import data_of, is_complex
from opgrad.testing.cases import MOST_ENTRIES, Case, without_rules
from opgrad.testing.checks.check import FULL, QUICK, Check, CheckFailure, NotApplicable
from opgrad.testing.checks.compare import hold, largest
from opgrad.testing.differences import indices
from opgrad.testing.gradients import GradientCheck
from opgrad.testing.report import GradientMismatch
from opgrad.testing.subject import Subject, inner, random_like
from opgrad.transforms import grad

SECOND = 1e-5
"""Relative error allowed of a second derivative: it is held against differences of a gradient."""
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
    except MissingRuleError as error:
        raise NotApplicable(str(error)) from error


def agreement(case: Case) -> None:
    """Along a random direction the tangent is that of the gradient; no difference is taken."""
    _agree(_check(case), AGREEMENT)


def _agree(check: GradientCheck, tolerance: float) -> None:
    subject = check.subject
    generator = random.Random(1)  # noqa: S311 -- a direction, not a secret
    directions = [random_like(leaf.data, generator) for leaf in subject.leaves]
    try:
        tangent = subject.forward(directions)
    except MissingRuleError as error:
        raise NotApplicable(str(error)) from error
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
    if case.op.saves:
        reason = "the forward saves, so the op is differentiable once"
        raise NotApplicable(reason)
    check = _check(case)
    gradients = check.subject.reverse()
    try:
        entries = check.compare("reverse", lambda axis: axis.of(gradients))
    except GradientMismatch as mismatch:
        reason = "the first derivative is wrong, or not to be seen: see `backward`"
        raise NotApplicable(reason) from mismatch
    except CallError as error:
        raise NotApplicable(str(error)) from error
    if any([entry.is_kink for entry in entries]):
        reason = "at a kink, an edge or a jump: the gradient is not smooth"
        raise NotApplicable(reason)
    try:
        _compare_second(case, curvature=1.0)
    except GradientMismatch as mismatch:
        if not math.isnan(mismatch.report.worst.got):
            raise
        _compare_second(case, curvature=0.0)  # at the end of the range the square overflows


def _compare_second(case: Case, curvature: float) -> None:
    function = _gradient_of(case, curvature)
    subject = Subject.of(function, case.operands, case.chosen, 0)
    subject.most = MOST_ENTRIES
    check = GradientCheck(subject, SECOND)
    found = subject.reverse()
    _compare(check, "reverse", lambda axis: axis.of(found))
    _agree(check, SECOND)


def _gradient_of(case: Case, curvature: float) -> Callable[..., list[Any]]:
    """The gradient of a number made of all outputs, curved in each, as a function."""

    def number(*xs: Any) -> Any:
        generator = random.Random(1)  # noqa: S311 -- weights, not a secret
        total = 0.0
        for y in trees.leaves(case.call(*xs)):
            for part in _real_parts(y):
                weights = random_like(data_of(part), generator)
                total = total + core().sum(part * weights)
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
    for number, output in enumerate(subject.outputs):
        for index in indices(output):
            weights = subject.only(number, index)
            row = subject.reverse(weights)
            try:
                check.compare("reverse", lambda axis, row=row: axis.of(row), weights)  # type: ignore[misc]
            except GradientMismatch as mismatch:
                if mismatch.report.unseen != mismatch.report.entries:
                    raise
    _hold_transform(case, subject)


def _hold_transform(case: Case, subject: Subject) -> None:
    """`opgrad.jacobian`, which sweeps its rows together, has the rows that single sweeps give."""
    if any([is_complex(data) for data in (*case.operands, *subject.outputs)]):
        return
    places = case.chosen
    found = jacobian_of(case.function(places), tuple(range(len(places))))(
        *[case.operands[i] for i in places]
    )
    for number, output in enumerate(subject.outputs):
        for index in indices(output):
            weights = subject.only(number, index)
            unit, _ = subject.unit_and_name((number, index))
            rows = [block[index] if index else block for block in found[number]]
            wanted = [g / unit for g in subject.reverse(weights)]
            hold(
                rows, wanted, "opgrad.jacobian has another row than a sweep gives",
                relative=ROUNDING, absolute=[ROUNDING * largest(w) for w in wanted],
                types=False, row=f"{list(index)} of output {number}",
            )  # fmt: skip


def composite(case: Case) -> None:
    """The rules of a composite give what running its forward on ops gives, to the last digits."""
    op = case.op
    if not (op.composite and op.rules):
        reason = "not a composite with rules of its own"
        raise NotApplicable(reason)
    bare = case.of(without_rules(op))
    wanted = bare.gradients(case.chosen)
    hold(
        case.gradients(case.chosen), wanted,
        "the rule and the derivative found by running the forward on ops differ",
        relative=ROUNDING, absolute=[ROUNDING * largest(w) for w in wanted],
    )  # fmt: skip


def _check(case: Case) -> GradientCheck:
    if not case.op.differentiable:
        reason = "not differentiable: the result is a constant"
        raise NotApplicable(reason)
    if not case.chosen:
        reason = "no operand here carries a derivative that the op has a rule for"
        raise NotApplicable(reason)
    try:
        return GradientCheck(case.subject)
    except CallError as error:
        raise NotApplicable(str(error)) from error


def _compare(check: GradientCheck, mode: str, derivative: Callable[[Any], float]) -> None:
    try:
        check.compare(mode, derivative)
    except GradientMismatch as mismatch:
        if mismatch.report.unseen == mismatch.report.entries:
            raise NotApplicable(str(mismatch)) from mismatch
        raise
    except CallError as error:
        raise NotApplicable(str(error)) from error


CHECKS = (
    Check(
        "backward", "the gradient by reverse mode is the slope that differences show",
        backward, tier=QUICK, gradient=True,
    ),
    Check(
        "forward", "the derivative by forward mode is that slope, too",
        forward, tier=QUICK, gradient=True,
    ),
    Check(
        "agreement", "both modes agree along a random direction, without differences",
        agreement, tier=QUICK, gradient=True,
    ),
    Check(
        "second-order", "the derivative of the gradient is the slope of the gradient",
        second_order, gradient=True,
    ),
    Check(
        "composite", "rules of a composite give what its forward on ops gives",
        composite, gradient=True,
    ),
    Check(
        "jacobian", "every entry of the Jacobian is the slope of that output",
        jacobian, tier=FULL, gradient=True,
    ),
)  # fmt: skip
