"""Linearity: a sweep gives nothing for nothing, and twice for twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opgrad.projection import data_of
from opgrad.testing.cases import Case, is_differentiable, numpy
from opgrad.testing.checks.check import REFUSED, Check, need_gradient
from opgrad.testing.checks.compare import hold
from opgrad.transforms import linearize
from opgrad.types import shape

EXACT = 1e-13
"""Relative difference allowed between a gradient and the same, scaled by a power of two."""


def linearity(case: Case) -> None:
    """The backward is linear in the cotangent, and forward mode in the tangent."""
    need_gradient(case)
    pull = case.pull()

    def backward(g: list[Any]) -> list[Any]:
        return [data_of(d) for d in pull(g)]

    _hold_linear(backward, case.weights, "the backward", "g")
    _, push = linearize(case.function(case.chosen), *[case.operands[i] for i in case.chosen])

    def forward(t: list[Any]) -> list[Any]:
        return [data_of(d) for d in push(*t)]

    try:
        _hold_linear(forward, case.directions, "forward mode", "t")
    except REFUSED:
        return


def _hold_linear(
    sweep: Callable[[list[Any]], list[Any]], given: list[Any], what: str, name: str
) -> None:
    once = sweep(given)
    for factor in (0.0, 2.0, -1.0):
        found = sweep([factor * x for x in given])
        wanted = [_scaled(d, factor) for d in once]
        hold(
            found, wanted, f"{what} is not linear: {factor:g} {name} gives another result",
            relative=EXACT, types=False,
        )  # fmt: skip


def _scaled(d: Any, factor: float) -> Any:
    """As a linear map has it: nothing gives nothing, also where the derivative is infinite."""
    if factor:
        return factor * d

    return numpy().zeros_like(d) if shape(d) else 0.0


CHECKS = (
    Check(
        "linearity", "the backward is linear in g, forward mode in t",
        linearity, applies=is_differentiable,
    ),
)  # fmt: skip
