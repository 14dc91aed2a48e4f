"""The normal distribution: its cumulative distribution function, the logarithm, the inverses."""

from __future__ import annotations

import math

from opgrad import elementwise, sample, uniform
from opgrad_scipy.error import erfcx, inverse_slope
from opgrad_scipy.special import evaluate

SQRT_2 = math.sqrt(2.0)
SQRT_2_PI = math.sqrt(2.0 * math.pi)
SQRT_2_BY_PI = math.sqrt(2.0 / math.pi)


@elementwise(samples=(sample(0.5), sample(-3.0), sample(6.0), sample(uniform((2, 3)))))
def ndtr(x):
    """Return (1 + erf(x / sqrt(2))) / 2, the standard normal distribution function.

    Source: DLMF §7.18; Abramowitz and Stegun §26.2.
    """
    return evaluate("ndtr", x)


@ndtr.derivative
def ndtr_derivative(xp, x):
    """Return the density e^(-x^2 / 2) / sqrt(2 pi)."""
    return xp.exp(-0.5 * x * x) / SQRT_2_PI


@elementwise(
    samples=(sample(0.5), sample(-3.0), sample(-1e4), sample(6.0), sample(uniform((2, 3)))),
)
def log_ndtr(x):
    """Return log(ndtr(x)), exact in the lower tail.

    Source: DLMF §7.18; Abramowitz and Stegun §26.2.
    """
    return evaluate("log_ndtr", x)


@log_ndtr.derivative
def log_ndtr_derivative(xp, x):
    """Return density / ndtr, below zero as sqrt(2 / pi) / erfcx(-x / sqrt(2))."""
    below = x < 0.0
    low, high = xp.where(below, x, 0.0), xp.where(below, 0.0, x)
    upper = ndtr_derivative(xp, high) / ndtr(high)

    return xp.where(below, xp.divide(SQRT_2_BY_PI, erfcx(low / -SQRT_2)), upper)


@elementwise(
    domain=(0.0, 1.0),
    expected_failures={"second-order": "at 1e-300 it is beyond the range of floats"},
    samples=(sample(0.6), sample(0.01), sample(1e-300), sample(uniform((2, 3), 0.05, 0.95))),
)
def ndtri(p):
    """Return the x with ndtr(x) = p. At 0 and 1 value and derivative are infinite.

    Source: DLMF §7.17; Abramowitz and Stegun §26.2.
    """
    return evaluate("ndtri", p)


@ndtri.derivative
def ndtri_derivative(xp, p, y):
    """Return 1 / density(y), in the tails by density = sqrt(2 / pi) p / erfcx(-y / sqrt(2))."""
    tail = 2.0 * xp.where(p < 0.5, p, 1.0 - p)

    return SQRT_2_PI * inverse_slope(xp, y / SQRT_2, tail)


@elementwise(
    domain=(-math.inf, 0.0),
    samples=(sample(-0.6), sample(-5.0), sample(-1e4), sample(uniform((2, 3), -3.0, -0.05))),
)
def ndtri_exp(x):
    """Return the y with log_ndtr(y) = x. At 0 value and derivative are infinite.

    Source: DLMF §7.17; Abramowitz and Stegun §26.2.
    """
    return evaluate("ndtri_exp", x)


@ndtri_exp.derivative
def ndtri_exp_derivative(xp, y):
    """Return 1 / (the derivative of log_ndtr at y)."""
    return xp.divide(1.0, log_ndtr_derivative(xp, y))


OPS = (ndtr, log_ndtr, ndtri, ndtri_exp)
