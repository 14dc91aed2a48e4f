"""What a check is: a named function that raises where an op breaks a promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from opgrad.errors import MissingRuleError, NotDifferentiableError, OpgradError

QUICK, STANDARD, FULL = TIERS = ("quick", "standard", "full")
"""How much is checked; each tier has the checks of those before it."""


REFUSED = (MissingRuleError, NotDifferentiableError)
"""What an op raises in a mode that it does not have: that is honest, and nothing to check."""


class CheckFailure(OpgradError, AssertionError):  # noqa: N818 -- a finding, as a GradientMismatch is
    """An op breaks what a check holds it to: what is wrong, and the facts, one a line."""

    def __init__(self, what: str, **facts: object) -> None:
        lines = [f"  {name.replace('_', ' '):<15} {fact}" for name, fact in facts.items()]
        super().__init__("\n".join([what, *lines]))


class NotCheckable(OpgradError):  # noqa: N818 -- no error: it is told as skipped
    """A promise cannot be checked on a case that it is of; the text says why."""


def need_gradient(case: Any) -> None:
    """Say that there is none, where no operand carries a derivative or no result does.

    Raises:
        NotCheckable: So it is.
    """
    if not case.chosen:
        raise NotCheckable("no operand here carries a derivative that the op has a rule for")
    if not case.weights:
        raise NotCheckable("the result here holds no real or complex number")


@attrs.frozen
class Check:
    """One promise, and the function that holds a case (or an op) to it."""

    name: str
    summary: str
    """The promise in a line."""
    function: Callable[[Any], None]
    tier: str = STANDARD
    """The first tier in which it runs."""
    gradient: bool = False
    """Whether passing it tells that a derivative is right."""
    whole: bool = False
    """Whether it is run once for the op, and not for each case."""
    applies: Callable[[Any], bool] = lambda _: True
    """Of which cases the promise is: of others nothing is said, not even that it was skipped."""
