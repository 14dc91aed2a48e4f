"""What a check is: a named function that raises where an op breaks a promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from opgrad.errors import OpgradError

QUICK, STANDARD, FULL = TIERS = ("quick", "standard", "full")
"""How much is checked; each tier has the checks of those before it."""


class CheckFailure(OpgradError, AssertionError):  # noqa: N818 -- a finding, as a GradientMismatch is
    """An op breaks what a check holds it to: what is wrong, and the facts, one a line."""

    def __init__(self, what: str, **facts: object) -> None:
        lines = [f"  {name.replace('_', ' '):<15} {fact}" for name, fact in facts.items()]
        super().__init__("\n".join([what, *lines]))


class NotApplicable(OpgradError):  # noqa: N818 -- no error: the check has nothing to say here
    """A check cannot be run on a case; the text says why."""


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
