"""Derivatives, held against differences and against each other."""

from __future__ import annotations

from opgrad.errors import CallError
from opgrad.testing.cases import Case
from opgrad.testing.checks.check import Check, NotApplicable
from opgrad.testing.gradients import check_gradients


def backward(case: Case) -> None:
    """Reverse mode against differences, by a random projection of the outputs."""
    try:
        check_gradients(case.call, *case.operands, argnums=case.chosen)
    except CallError as error:
        raise NotApplicable(str(error)) from error


CHECKS = (
    Check(
        "backward",
        "the gradient is the slope that differences show",
        backward,
        tier="quick",
        gradient=True,
    ),
)
