"""What a check is: a named function that raises where an op breaks a promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from opgrad.errors import OpgradError


class CheckFailure(OpgradError, AssertionError):  # noqa: N818 -- a finding, as a GradientMismatch is
    """An op breaks what a check holds it to."""


class NotApplicable(OpgradError):  # noqa: N818 -- no error: the check has nothing to say here
    """A check cannot be run on this case; the text says why."""


@attrs.frozen
class Check:
    """One promise, and the function that holds a case (or an op) to it."""

    name: str
    summary: str
    function: Callable[[Any], None]
    tier: str = "standard"
    """The first tier in which it runs."""
    gradient: bool = False
    """Whether passing it tells something of a derivative."""
    whole: bool = False
    """Whether it is run once for the op, and not for each case."""
