"""Bessel functions of the first and second kind: differentiable in x, at a fixed order v."""

from __future__ import annotations

import math

from opgrad import elementwise, sample, uniform
from opgrad_scipy.special import evaluate, evaluate_complex, unavailable

_UNARY = (sample(0.5), sample(3.0), sample(50.0), sample(uniform((2, 3), 0.2, 8.0)))
_ORDERS = (
    sample(2.0, 0.5),
    sample(0.5, 3.0),
    sample(-1.5, 50.0),
    sample([0.0, 1.0], [2.5, 0.2]),
    sample(1.0, uniform((2, 3), 0.2, 8.0)),
)


@elementwise(domain={"x": (0.0, math.inf)}, samples=_ORDERS)
def jv(v, x):
    """Return J_v(x). Complex x is taken.

    Source: DLMF §10.2, §10.6.
    """
    return evaluate_complex("jv", v, x)


@jv.derivative("v")
def jv_derivative_v():
    """Refuse."""
    raise unavailable("jv", "v")


@jv.derivative("x")
def jv_derivative_x(v, x):
    """Return (J_(v-1) - J_(v+1)) / 2."""
    return 0.5 * (jv(v - 1.0, x) - jv(v + 1.0, x))


@elementwise(samples=(*_UNARY, sample(0.0), sample(-3.0)))
def j0(x):
    """Return J_0(x).

    Source: DLMF §10.2, §10.6.
    """
    return evaluate("j0", x)


@j0.derivative
def j0_derivative(x):
    """Return -J_1."""
    return -j1(x)


@elementwise(samples=(*_UNARY, sample(0.0), sample(-3.0)))
def j1(x):
    """Return J_1(x).

    Source: DLMF §10.2, §10.6.
    """
    return evaluate("j1", x)


@j1.derivative
def j1_derivative(x):
    """Return (J_0 - J_2) / 2."""
    return 0.5 * (j0(x) - jv(2.0, x))


@elementwise(domain={"x": (0.0, math.inf)}, samples=_ORDERS)
def yv(v, x):
    """Return Y_v(x). Complex x is taken. At 0 it is -inf with derivative inf, for v >= 0.

    Source: DLMF §10.2, §10.6.
    """
    return evaluate_complex("yv", v, x)


@yv.derivative("v")
def yv_derivative_v():
    """Refuse."""
    raise unavailable("yv", "v")


@yv.derivative("x")
def yv_derivative_x(xp, v, x):
    """Return (Y_(v-1) - Y_(v+1)) / 2."""
    above = yv(v + 1.0, x)
    steep = xp.logical_and(above == -math.inf, v >= 0.0)

    return xp.where(steep, -above, 0.5 * (yv(v - 1.0, x) - above))


@elementwise(domain=(0.0, math.inf), samples=_UNARY)
def y0(x):
    """Return Y_0(x): -inf at 0 with derivative inf, nan below.

    Source: DLMF §10.2, §10.6.
    """
    return evaluate("y0", x)


@y0.derivative
def y0_derivative(x):
    """Return -Y_1."""
    return -y1(x)


@elementwise(domain=(0.0, math.inf), samples=_UNARY)
def y1(x):
    """Return Y_1(x): -inf at 0 with derivative inf, nan below.

    Source: DLMF §10.2, §10.6.
    """
    return evaluate("y1", x)


@y1.derivative
def y1_derivative(xp, x):
    """Return (Y_0 - Y_2) / 2."""
    above = yv(2.0, x)

    return xp.where(above == -math.inf, -above, 0.5 * (y0(x) - above))


OPS = (jv, j0, j1, yv, y0, y1)
