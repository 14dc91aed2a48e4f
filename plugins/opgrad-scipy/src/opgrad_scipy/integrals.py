"""Integrals of elementary functions, and e^x - 1 and its kin."""

from __future__ import annotations

import math

from opgrad import elementwise, op, ops, sample, uniform
from opgrad_scipy.special import check_whole, evaluate, polynomial

_UNARY = (sample(0.5), sample(3.0), sample(20.0), sample(uniform((2, 3), 0.2, 8.0)))


@elementwise(domain=(0.0, math.inf), samples=(*_UNARY, sample(-3.0)))
def expi(x):
    """Return the integral of e^t / t from -infinity to x, its principal value for x > 0.

    At 0 the value is -inf and the derivative inf.
    Source: DLMF §6.2.
    """
    return evaluate("expi", x)


@expi.derivative
def expi_derivative(xp, x):
    """Return e^x / x; half of the power is multiplied at the end, so that it overflows later."""
    power = xp.exp(0.5 * x)

    return xp.divide(power, x) * power


@elementwise(domain=(0.0, math.inf), samples=_UNARY)
def exp1(x):
    """Return the integral of e^-t / t from x to infinity: inf at 0, nan below.

    Source: DLMF §6.2.
    """
    return evaluate("exp1", x)


@exp1.derivative
def exp1_derivative(xp, x):
    """Return -e^-x / x."""
    return -xp.divide(xp.exp(-x), x)


@elementwise(
    domain=(0.0, math.inf),
    samples=(
        sample(0.5, n=1),
        sample(3.0, n=2),
        sample(0.5, n=0),
        sample(1.5, n=-2),
        sample(uniform((2, 3), 0.2, 8.0), n=4),
    ),
)
def expn(xp, x, *, n):
    """Return the integral of e^(-x t) / t^n from 1 to infinity, for any whole n.

    Called in SciPy's order, `expn(n, x)`, or as `expn(x, n=2)`.
    Source: DLMF §8.19.
    """
    check_whole("expn", n=n)
    if n > 0:
        return evaluate("expn", float(n), x)
    power = xp.exp(-x)
    y = xp.divide(power, x)
    for k in range(1, 1 - n):
        y = xp.divide(power + k * y, x)

    return y


@expn.derivative
def expn_derivative(x, *, n):
    """Return -expn(n - 1, x)."""
    return -expn(x, n=n - 1)


@expn.arguments
def order_first(first, *rest, n=None):
    """Take `(n, x)`, as SciPy does, or `(x, n=n)`."""
    if n is None and rest:
        return rest, {"n": first}

    return (first, *rest), {} if n is None else {"n": n}


@op(outputs=2, samples=_UNARY)
def sici(x):
    """Return the integrals Si of sin(t) / t and Ci of cos(t) / t: two outputs.

    Ci is -inf at 0, and there its derivative is inf.
    Source: DLMF §6.2.
    """
    return evaluate("sici", x)


@sici.backward
def sici_backward(xp, g, x):
    """Return g0 sin(x) / x + g1 cos(x) / x."""
    of_si, of_ci = g

    return of_si * ops.sinc(x / math.pi) + of_ci * _over(xp, xp.cos(x), x, of_ci)


@sici.jvp
def sici_jvp(xp, t, x):
    """Return t sin(x) / x and t cos(x) / x."""
    return t * ops.sinc(x / math.pi), t * xp.divide(xp.cos(x), x)


@op(outputs=2, samples=_UNARY)
def shichi(x):
    """Return the integrals Shi of sinh(t) / t and Chi of (cosh(t) - 1) / t: two outputs.

    Chi has Euler's constant and log(x) added; it is -inf at 0, and there its derivative is inf.
    Source: DLMF §6.2.
    """
    return evaluate("shichi", x)


@shichi.backward
def shichi_backward(xp, g, x):
    """Return g0 sinh(x) / x + g1 cosh(x) / x."""
    of_shi, of_chi = g

    return of_shi * _sinhc(xp, x) + of_chi * _over(xp, xp.cosh(x), x, of_chi)


@shichi.jvp
def shichi_jvp(xp, t, x):
    """Return t sinh(x) / x and t cosh(x) / x."""
    return t * _sinhc(xp, x), t * xp.divide(xp.cosh(x), x)


def _over(xp, numerator, x, g):
    """Return numerator / x, and 0 at x = 0 where the cotangent is 0: nothing flows back there."""
    idle = xp.logical_and(x == 0.0, g == 0.0)

    return xp.where(idle, 0.0, xp.divide(numerator, xp.where(idle, 1.0, x)))


_SINHC_SERIES = tuple(1.0 / math.factorial(2 * k + 1) for k in range(10))


def _sinhc(xp, x):
    """Return sinh(x) / x, below 1 by its power series."""
    near = xp.abs(x) < 1.0
    series = polynomial(xp.square(xp.where(near, x, 0.0)), _SINHC_SERIES)
    x_far = xp.where(near, 1.0, x)

    return xp.where(near, series, xp.sinh(x_far) / x_far)


@elementwise(
    domain=(0.0, math.inf), samples=(*_UNARY, sample(1.0), sample(1.0 + 1e-9), sample(0.8))
)
def spence(x):
    """Return the integral of log(t) / (1 - t) from 1 to x: the dilogarithm of 1 - x.

    At 0 the derivative is -inf.
    Source: DLMF §25.12.
    """
    return evaluate("spence", x)


# log(1 + u) / u in powers of -u, exact for |u| < 1/4.
_LOG_SERIES = tuple(1.0 / (k + 1) for k in range(26))


@spence.derivative
def spence_derivative(xp, x):
    """Return log(x) / (1 - x), near 1 as the power series of -log(1 + u) / u with u = x - 1."""
    u = x - 1.0
    near = xp.abs(u) < 0.25
    series = polynomial(xp.where(near, -u, 0.0), _LOG_SERIES)

    return -xp.where(near, series, xp.divide(xp.log(x), xp.where(near, 1.0, u)))


@elementwise(
    samples=(
        sample(0.5),
        sample(0.0),
        sample(-40.0),
        sample(0.7, order=2),
        sample(uniform((2, 3), -4.0, 4.0)),
    ),
)
def exprel(xp, x, *, order=0):
    """Return (e^x - 1) / x, 1 at 0; or its derivative of this order.

    The n-th derivative is the integral of t^n e^(x t) from 0 to 1.
    Source: SciPy's reference, scipy.special.exprel; DLMF §13.4 for the integral.
    """
    check_whole("exprel", least=0, order=order)
    y = evaluate("exprel", x)
    if order == 0:
        return y
    small = xp.clip(x, -1.0, 1.0)
    terms = tuple(1.0 / (math.factorial(k) * (k + order + 1)) for k in range(20))
    near = polynomial(small, terms)
    negative, positive = xp.minimum(x, -1.0), xp.maximum(x, 1.0)
    power, low, high = xp.exp(negative), y, y
    for k in range(1, order + 1):
        low = (power - k * low) / negative
        high = y + (1.0 - k * high) / positive
    far = xp.where(x < 0.0, low, xp.where(y == math.inf, y, high))

    return xp.where(xp.abs(x) < 1.0, near, far)


@exprel.derivative
def exprel_derivative(x, *, order):
    """Return the derivative of the next order."""
    return exprel(x, order=order + 1)


@elementwise(samples=(*_UNARY, sample(0.0), sample(-1e-9)))
def cosm1(x):
    """Return cos(x) - 1, exact also where x is small.

    Source: DLMF §4.21, as -2 sin(x / 2)^2.
    """
    return evaluate("cosm1", x)


@cosm1.derivative
def cosm1_derivative(xp, x):
    """Return -sin(x)."""
    return -xp.sin(x)


OPS = (expi, exp1, expn, sici, shichi, spence, exprel, cosm1)
