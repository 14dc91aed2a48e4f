"""What is drawn, and from where to where: checked once, for every picture of a function."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from opgrad.errors import CallError
from opgrad.plotting.curves import name_of


def check(f: Any, lo: Any, hi: Any) -> tuple[float, float]:
    """The ends of the interval as floats.

    Raises:
        CallError: `f` is no function, or an end no finite number, or they are no
            interval.
    """
    if not callable(f):
        message = (
            f"the first argument is a function of one number, and {f!r} is none: "
            "write plot(lambda x: 3 * x**2 - 4 * x + 5, -3, 3)"
        )
        raise CallError(message)
    low, high = finite("lo", lo), finite("hi", hi)
    if not low < high:
        message = f"{name_of(f)} is drawn from lo to hi, and lo={low:g} is not below hi={high:g}"
        raise CallError(message)
    if not math.isfinite(high - low):
        message = f"lo={low:g} and hi={high:g} are too far apart: no float holds hi - lo"
        raise CallError(message)

    return low, high


def finite(name: str, x: Any) -> float:
    """A number that was given, as a float.

    Raises:
        CallError: It is no number, or not a finite one.
    """
    if not isinstance(x, Real) or not math.isfinite(x):
        message = f"{name} is a finite number, and {x!r} was given"
        raise CallError(message)

    return float(x)
