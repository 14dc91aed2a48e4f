"""What there is to draw of a function, in numbers: curves, minima, kinks, a tangent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs

from opgrad.errors import CallError
from opgrad.op import Op
from opgrad.plotting.curves import (
    SAMPLES,
    Curve,
    Point,
    Slope,
    derivatives,
    name_of,
    sampled_orders,
    warn_if_unreached,
)
from opgrad.plotting.interval import check, finite
from opgrad.plotting.minima import minima_of

ORDERS = 8
"""Each further derivative takes about twice the time of the last one."""
_SAME = 1e-9
"""A jump this near a declared kink, in parts of the interval, is that kink."""


@attrs.frozen
class Kink:
    """A point where the slope jumps, or the function itself."""

    x: float
    slope: float
    """The derivative that opgrad takes there."""
    kind: str
    """`kink`, or `jump` where the function itself does."""


@attrs.frozen
class Portrait:
    """What there is to draw of a function, in numbers."""

    name: str
    low: float
    high: float
    curves: list[Curve]
    """Of the function and its derivatives, in their order."""
    minima: list[Point]
    kinks: list[Kink]
    tangent: tuple[float, float, float] | None
    """Where, the value and the slope there."""


def portrait(
    f: Callable[[Any], Any],
    lo: float,
    hi: float,
    *,
    order: int = 1,
    tangent: float | None = None,
) -> Portrait:
    """Compute what `plot` draws; the arguments are the same."""
    low, high = check(f, lo, hi)
    if type(order) is not int or not 0 <= order <= ORDERS:
        message = f"order is the highest derivative to draw, 0 to {ORDERS}, and {order!r} was given"
        raise CallError(message)
    if tangent is not None and not low <= finite("tangent", tangent) <= high:
        message = f"tangent={tangent:g} lies outside of what is drawn, [{low:g}, {high:g}]"
        raise CallError(message)
    value, slope = derivatives(f, 1)
    # Slopes are needed to find kinks and minima, drawn or not.
    curves = sampled_orders(f, low, high, max(order, 1))
    if not any(math.isfinite(y) for _, y in curves[0].points):
        message = (
            f"{name_of(f)} is no finite number at any of the {SAMPLES} points from {low:g} to "
            f"{high:g} at which it was evaluated: nothing can be drawn"
        )
        raise CallError(message)
    warn_if_unreached(f, curves)

    return Portrait(
        name=name_of(f),
        low=low,
        high=high,
        curves=curves[: order + 1],
        minima=minima_of(curves[0], value, slope),
        kinks=[Kink(x, slope(x), kind) for x, kind in _kinks(f, low, high, curves)],
        tangent=None if tangent is None else _tangent(f, float(tangent), value, slope),
    )


def _tangent(
    f: Callable[[Any], Any], x: float, value: Slope, slope: Slope
) -> tuple[float, float, float]:
    found = (x, value(x), slope(x))
    if not all(map(math.isfinite, found)):
        message = (
            f"there is no tangent to {name_of(f)} at {x:g}: its value is {found[1]:g} there, "
            f"its slope {found[2]:g}"
        )
        raise CallError(message)

    return found


def _kinks(
    f: Callable[[Any], Any], low: float, high: float, curves: list[Curve]
) -> list[tuple[float, str]]:
    """Those that an op declares, for its default attributes, and those that the samples show."""
    declared = list(f.kinks) if isinstance(f, Op) else []
    near = _SAME * (high - low)

    def is_known(x: float, known: list[float]) -> bool:
        return any(abs(x - other) < near for other in known)

    jumps, found = curves[0].jumps, declared
    for x in [*jumps, *curves[1].jumps]:
        if not is_known(x, found):
            found.append(x)

    return [
        (x, "jump" if is_known(x, jumps) else "kink")
        for x in sorted(found)
        if low + near < x < high - near
    ]
