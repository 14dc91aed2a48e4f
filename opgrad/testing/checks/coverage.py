"""Coverage: what the samples of an op leave out, so that no check can tell anything of it."""

from __future__ import annotations

from typing import Any

from opgrad.op import Op
from opgrad.rules import REQUIRED
from opgrad.testing.cases import Case
from opgrad.testing.checks.check import Check, NotCheckable
from opgrad.testing.checks.made import AXES, KEPT

COVERAGE = "coverage"
_OF_DATA = frozenset({"dtype", "device", "copy"})
"""Attributes by which the standard says what the result is made of, not what it is."""


def coverage(case: Case) -> None:
    """Each attribute has more than one value among the samples.

    Axes and real numbers are varied by the checks themselves. What another flag, word or whole
    number does to a derivative only a sample can show.

    Raises:
        NotCheckable: One has not.
    """
    single = [name for name in case.op.attributes if _is_single(case.op, name)]
    if single:
        values = ", ".join([f"{name}={_values(case.op, name)[0]!r}" for name in single])
        raise NotCheckable(f"no sample has another value than {values}: of others nothing is known")


def _is_single(op: Op, name: str) -> bool:
    values = _values(op, name)
    varied = name in AXES | KEPT | _OF_DATA or type(values[0]) is float

    return not varied and all([value == values[0] for value in values])


def _values(op: Op, name: str) -> list[Any]:
    """What the samples have; of an attribute without default each has one."""
    default = op.attributes[name]
    given = [sample.attributes.get(name, default) for sample in op.samples]

    return [value for value in given if value is not REQUIRED] or [default]


CHECKS = (
    Check(
        COVERAGE, "the samples have more than one value of each attribute",
        coverage, whole=True,
        applies=lambda case: case.op.differentiable and bool(case.op.attributes),
    ),
)  # fmt: skip
