"""Operands that carry no derivative: their being moved moves nothing."""

from __future__ import annotations

from opgrad import namespaces
from opgrad.testing.cases import Case
from opgrad.testing.checks.check import Check, CheckFailure
from opgrad.testing.gradients import GradientCheck
from opgrad.testing.report import GradientMismatch
from opgrad.testing.subject import Subject
from opgrad.types import shape
from opgrad.value import Value


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
            "the result moves with an operand that is declared nondiff: its derivative is lost; "
            "give it a rule, which may raise MissingRuleError where there is none",
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
)  # fmt: skip
