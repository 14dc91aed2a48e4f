"""Modified Bessel functions, plain and scaled: differentiable in x, at a fixed order v.

The n-th derivative of a scaled one loses a factor of about x^n of its precision as x grows to
30 + 2 v^2, since exponential and function nearly cancel; beyond, it loses none (a series).
"""

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
def iv(v, x):
    """Return I_v(x). Complex x is taken.

    Source: DLMF §10.25, §10.29.
    """
    return evaluate_complex("iv", v, x)


@iv.derivative("v")
def iv_derivative_v():
    """Refuse."""
    raise unavailable("iv", "v")


@iv.derivative("x")
def iv_derivative_x(v, x):
    """Return (I_(v-1) + I_(v+1)) / 2."""
    return 0.5 * (iv(v - 1.0, x) + iv(v + 1.0, x))


@elementwise(samples=(*_UNARY, sample(0.0), sample(-3.0)))
def i0(x):
    """Return I_0(x).

    Source: DLMF §10.25, §10.29.
    """
    return evaluate("i0", x)


@i0.derivative
def i0_derivative(x):
    """Return I_1."""
    return i1(x)


@elementwise(samples=(*_UNARY, sample(0.0), sample(-3.0)))
def i1(x):
    """Return I_1(x).

    Source: DLMF §10.25, §10.29.
    """
    return evaluate("i1", x)


@i1.derivative
def i1_derivative(x):
    """Return (I_0 + I_2) / 2."""
    return 0.5 * (i0(x) + iv(2.0, x))


@elementwise(domain={"x": (0.0, math.inf)}, samples=_ORDERS)
def kv(v, x):
    """Return K_v(x). Complex x is taken. At 0 it is inf with derivative -inf.

    Source: DLMF §10.25, §10.29.
    """
    return evaluate_complex("kv", v, x)


@kv.derivative("v")
def kv_derivative_v():
    """Refuse."""
    raise unavailable("kv", "v")


@kv.derivative("x")
def kv_derivative_x(v, x):
    """Return -(K_(v-1) + K_(v+1)) / 2."""
    return -0.5 * (kv(v - 1.0, x) + kv(v + 1.0, x))


@elementwise(domain=(0.0, math.inf), samples=_UNARY)
def k0(x):
    """Return K_0(x): inf at 0 with derivative -inf, nan below.

    Source: DLMF §10.25, §10.29.
    """
    return evaluate("k0", x)


@k0.derivative
def k0_derivative(x):
    """Return -K_1."""
    return -k1(x)


@elementwise(domain=(0.0, math.inf), samples=_UNARY)
def k1(x):
    """Return K_1(x): inf at 0 with derivative -inf, nan below.

    Source: DLMF §10.25, §10.29.
    """
    return evaluate("k1", x)


@k1.derivative
def k1_derivative(x):
    """Return -(K_0 + K_2) / 2."""
    return -0.5 * (k0(x) + kv(2.0, x))


# ------------------------------------------------------------------- without their exponentials


@elementwise(
    domain={"x": (0.0, math.inf)},
    expected_failures={"edges": "at 0 SciPy's ive is nan for orders below 0, where I is infinite"},
    samples=(*_ORDERS, sample(1.0, 1e6)),
)
def ive(v, x):
    """Return e^-|x| I_v(x). The derivative of |x| at 0 is taken as 0.

    Source: DLMF §10.25, §10.29, §10.40.
    """
    return evaluate("ive", v, x)


@ive.derivative("v")
def ive_derivative_v():
    """Refuse."""
    raise unavailable("ive", "v")


@ive.derivative("x")
def ive_derivative_x(xp, v, x, y):
    """Return e^-|x| (I_(v-1) + I_(v+1)) / 2 - sign(x) ive, for large x by the series of ive."""
    slope = 0.5 * (ive(v - 1.0, x) + ive(v + 1.0, x)) - xp.sign(x) * y

    return _far_or(xp, v, x, y, slope, sign=-1.0)


@elementwise(kinks={0.0: 0.0}, samples=(*_UNARY, sample(-3.0), sample(1e6)))
def i0e(x):
    """Return e^-|x| I_0(x). The derivative of |x| at the kink 0 is taken as 0.

    Source: DLMF §10.25, §10.29, §10.40.
    """
    return evaluate("i0e", x)


@i0e.derivative
def i0e_derivative(xp, x, y):
    """Return i1e - sign(x) i0e, for large x by the series of i0e."""
    return _far_or(xp, 0.0, x, y, i1e(x) - xp.sign(x) * y, sign=-1.0)


@elementwise(samples=(*_UNARY, sample(-3.0), sample(0.0), sample(1e6)))
def i1e(x):
    """Return e^-|x| I_1(x), whose second derivative has a kink at 0.

    Source: DLMF §10.25, §10.29, §10.40.
    """
    return evaluate("i1e", x)


@i1e.derivative
def i1e_derivative(xp, x, y):
    """Return (i0e + ive(2)) / 2 - sign(x) i1e, for large x by the series of i1e."""
    slope = 0.5 * (i0e(x) + ive(2.0, x)) - xp.sign(x) * y

    return _far_or(xp, 1.0, x, y, slope, sign=-1.0)


@elementwise(domain={"x": (0.0, math.inf)}, samples=(*_ORDERS, sample(1.0, 1e6)))
def kve(v, x):
    """Return e^x K_v(x). At 0 it is inf with derivative -inf.

    Source: DLMF §10.25, §10.29, §10.40.
    """
    return evaluate("kve", v, x)


@kve.derivative("v")
def kve_derivative_v():
    """Refuse."""
    raise unavailable("kve", "v")


@kve.derivative("x")
def kve_derivative_x(xp, v, x, y):
    """Return kve - (kve(v - 1) + kve(v + 1)) / 2, for large x by the series of kve."""
    mean = 0.5 * (kve(v - 1.0, x) + kve(v + 1.0, x))
    slope = xp.where(mean == math.inf, -mean, y - mean)

    return _far_or(xp, v, x, y, slope, sign=1.0)


_TERMS = 20


def _far_or(xp, v, x, y, slope, *, sign):
    """Return `slope`, and for large |x|, where it cancels, the derivative of the series of y.

    y is proportional to the sum of sign^k a_k(v) |x|^(-k-1/2), so y' / y is a quotient of series.
    """
    size = xp.abs(x)
    far = size > 30.0 + 2.0 * v * v
    x, size = xp.where(far, x, 1.0), xp.where(far, size, math.inf)
    term, bottom, top = 1.0, 1.0, 0.5
    for k in range(1, _TERMS + 1):
        term = term * (sign * (4.0 * v * v - (2 * k - 1) ** 2) / (8 * k)) / size
        bottom = bottom + term
        top = top + (k + 0.5) * term

    return xp.where(far, -y / x * (top / bottom), slope)


OPS = (iv, i0, i1, kv, k0, k1, ive, i0e, i1e, kve)
