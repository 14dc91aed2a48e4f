"""Values: the same by every road."""

from __future__ import annotations

from opgrad import trees
from opgrad.projection import data_of
from opgrad.testing.cases import Case
from opgrad.testing.checks.check import Check, CheckFailure
from opgrad.value import Value


def value(case: Case) -> None:
    """The op gives the same on plain data and on Values."""
    plain = list(trees.leaves(case.call(*case.operands)))
    values = [x if x is None else Value(x) for x in case.operands]
    recorded = [data_of(y) for y in trees.leaves(case.call(*values))]
    if repr(plain) != repr(recorded):
        message = f"plain data gives {plain!r}, Values give {recorded!r}"
        raise CheckFailure(message)


CHECKS = (Check("value", "the value is the same by every road", value, tier="quick"),)
