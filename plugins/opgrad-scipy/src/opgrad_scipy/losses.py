"""Losses that forgive outliers: quadratic near zero, linear far out."""

from __future__ import annotations

import math

from opgrad import elementwise, sample, uniform
from opgrad_scipy.special import evaluate

_SAMPLES = (
    sample(1.0, 0.5),
    sample(1.0, -3.0),
    sample(0.5, 0.0),
    sample([0.5, 2.0], [2.5, 0.2]),
    sample(1.0, uniform((2, 3))),
)


@elementwise(domain={"delta": (0.0, math.inf)}, samples=_SAMPLES)
def huber(delta, r):
    """Return r^2 / 2 where |r| is at most delta, else delta (|r| - delta / 2).

    Once differentiable; on the edge the second derivative is that of the inside. inf where delta is
    negative.
    Source: Huber 1964, Robust estimation of a location parameter.
    """
    return evaluate("huber", delta, r)


@huber.derivative("delta")
def huber_derivative_delta(xp, delta, r):
    """Return |r| - delta outside, 0 inside."""
    size = xp.abs(r)

    return xp.where(size <= delta, 0.0, size - delta)


@huber.derivative("r")
def huber_derivative_r(xp, delta, r):
    """Return r inside, delta with the sign of r outside."""
    return xp.where(xp.abs(r) <= delta, r, delta * xp.sign(r))


@elementwise(domain={"delta": (0.0, math.inf)}, samples=_SAMPLES)
def pseudo_huber(delta, r):
    """Return delta^2 (sqrt(1 + (r / delta)^2) - 1): huber, rounded off.

    0 where delta or r is 0, inf where delta is negative.
    Source: Hartley, Zisserman 2003, Multiple view geometry, §A6.8.
    """
    return evaluate("pseudo_huber", delta, r)


@pseudo_huber.derivative("delta")
def pseudo_huber_derivative_delta(xp, delta, r):
    """Return 2 delta (s - 1) - r^2 / (delta s) with s = sqrt(1 + (r / delta)^2).

    It is written as r^4 / (h (h + delta)^2) with h = delta s, which does not cancel.
    """
    h = _positive_hypot(xp, delta, r)

    return r * xp.divide(r, h) * xp.square(xp.divide(r, h + delta))


@pseudo_huber.derivative("r")
def pseudo_huber_derivative_r(xp, delta, r):
    """Return r / sqrt(1 + (r / delta)^2), far out as delta less a small term.

    There the derivative of the quotient would be the difference of two nearly equal numbers.
    """
    h = _positive_hypot(xp, delta, r)
    size = xp.abs(r)
    short = delta * xp.divide(delta, h) * xp.divide(delta, h + size)

    return xp.where(size > delta, xp.sign(r) * (delta - short), delta * xp.divide(r, h))


def _positive_hypot(xp, delta, r):
    """Return sqrt(delta^2 + r^2), and 1 where both are 0."""
    h = xp.hypot(delta, r)

    return xp.where(h == 0.0, 1.0, h)


OPS = (huber, pseudo_huber)
