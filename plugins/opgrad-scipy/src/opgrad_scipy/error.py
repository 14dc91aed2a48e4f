"""The error function and its kin: scaled, imaginary, inverse, and Dawson's integral."""

from __future__ import annotations

import math

from opgrad import composite, elementwise, sample, uniform
from opgrad_scipy.special import check_whole, evaluate, evaluate_complex, polynomial

TWO_BY_SQRT_PI = 2.0 / math.sqrt(math.pi)


@composite(elementwise=True, samples=(sample(0.5), sample(-3.0), sample(uniform((2, 3)))))
def erf(xp, x):
    """Return 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x: opgrad's own erf.

    Source: DLMF §7.2.
    """
    return xp.erf(x)


@composite(elementwise=True, samples=(sample(0.5), sample(-3.0), sample(uniform((2, 3)))))
def erfc(xp, x):
    """Return 1 - erf(x), exact where erf(x) is nearly 1: opgrad's own erfc.

    Source: DLMF §7.2.
    """
    return xp.erfc(x)


# Where the two ways to the integrals of erfc meet, and how many steps the second takes there.
_FAR, _STEPS = 1.5, 100


@elementwise(
    samples=(
        sample(0.5),
        sample(-3.0),
        sample(50.0),
        sample(0.7, order=2),
        sample(uniform((2, 3))),
    ),
)
def erfcx(xp, x, *, order=0):
    """Return e^(x^2) erfc(x), or its derivative of this order.

    The n-th derivative is (-2)^n n! e^(x^2) i^n erfc(x), with the repeated integrals of erfc:
    2 x y - 2 / sqrt(pi) loses every digit for large x. Overflows to inf below -26.
    Source: DLMF §7.2, §7.18 (derivatives, recurrence, continued fraction).
    """
    check_whole("erfcx", least=0, order=order)
    if order == 0:
        return evaluate("erfcx", x)
    integral = xp.where(x < _FAR, _upward(xp, x, order), _downward(xp, x, order))

    return (-2.0) ** order * math.factorial(order) * integral


@erfcx.derivative
def erfcx_derivative(x, *, order):
    """Return the derivative of the next order."""
    return erfcx(x, order=order + 1)


def _upward(xp, x, n):
    """Return e^(x^2) i^n erfc(x) from those before it; stable where x is not large."""
    x = xp.minimum(x, _FAR)
    before, integral = TWO_BY_SQRT_PI, evaluate("erfcx", x)
    for k in range(1, n + 1):
        before, integral = integral, (0.5 * before - x * integral) / k

    return integral


def _downward(xp, x, n):
    """Return e^(x^2) i^n erfc(x) by the ratios of one to the one before, last ratio first."""
    x = xp.maximum(x, _FAR)
    ratio = 1.0 / (x + xp.hypot(x, math.sqrt(2.0 * (n + _STEPS))))
    product = evaluate("erfcx", x)
    for k in range(n + _STEPS - 1, 0, -1):
        ratio = 1.0 / (2.0 * x + 2.0 * (k + 1) * ratio)
        if k <= n:
            product = product * ratio

    return product


@elementwise(samples=(sample(0.5), sample(-3.0), sample(uniform((2, 3)))))
def erfi(x):
    """Return -i erf(i x), that is 2 / sqrt(pi) times the integral of e^(t^2) from 0 to x.

    Source: DLMF §7.2. Complex x is taken.
    """
    return evaluate_complex("erfi", x)


@erfi.derivative
def erfi_derivative(xp, x):
    """Return 2 / sqrt(pi) e^(x^2)."""
    return TWO_BY_SQRT_PI * xp.exp(x * x)


@elementwise(
    domain=(-1.0, 1.0),
    samples=(sample(0.5), sample(-0.9), sample(0.999999), sample(uniform((2, 3), -0.9, 0.9))),
)
def erfinv(x):
    """Return the y with erf(y) = x. At -1 and 1 value and derivative are infinite.

    Source: DLMF §7.17.
    """
    return evaluate("erfinv", x)


@erfinv.derivative
def erfinv_derivative(xp, x, y):
    """Return sqrt(pi) / 2 e^(y^2), in the tails by e^(y^2) = erfcx(|y|) / (1 - |x|)."""
    return inverse_slope(xp, y, 1.0 - xp.abs(x)) / TWO_BY_SQRT_PI


@elementwise(
    domain=(0.0, 2.0),
    samples=(sample(0.5), sample(1.9), sample(1e-30), sample(uniform((2, 3), 0.1, 1.9))),
)
def erfcinv(x):
    """Return the y with erfc(y) = x. At 0 and 2 value and derivative are infinite.

    Source: DLMF §7.17.
    """
    return evaluate("erfcinv", x)


@erfcinv.derivative
def erfcinv_derivative(xp, x, y):
    """Return -sqrt(pi) / 2 e^(y^2), in the tails by e^(y^2) = erfcx(|y|) / min(x, 2 - x)."""
    return -inverse_slope(xp, y, xp.where(x < 1.0, x, 2.0 - x)) / TWO_BY_SQRT_PI


def inverse_slope(xp, y, tail):
    """Return e^(y^2), given tail = erfc(|y|).

    Far out e^(y^2) would make 2 y^2 ulp of one ulp in y, and erfcx(|y|) / tail does not.
    """
    plain = xp.logical_or(tail > 0.5, tail <= 0.0)

    return xp.where(plain, xp.exp(y * y), erfcx(xp.abs(y)) / xp.where(plain, 1.0, tail))


# Dawson's integral beyond this is its asymptotic series, whose smallest term is e^(-x^2) here.
_DAWSON_FAR, _DAWSON_TERMS = 6.5, 30


@elementwise(
    expected_failures={"float16": "far out the coefficients of a series are beyond float16"},
    samples=(
        sample(0.5),
        sample(-3.0),
        sample(50.0),
        sample(0.7, order=2),
        sample(uniform((2, 3))),
    ),
)
def dawsn(xp, x, *, order=0):
    """Return e^(-x^2) times the integral of e^(t^2) from 0 to x, or its derivative of this order.

    The first derivative is 1 - 2 x y, of which less and less is left as x grows: between 1 and 6.5
    the n-th loses a factor of about (2 x^2)^n of its precision; beyond, none (a series).
    Source: DLMF §7.2, §7.12.
    """
    check_whole("dawsn", least=0, order=order)
    y = evaluate("dawsn", x)
    if order == 0:
        return y
    near = xp.abs(x) < _DAWSON_FAR
    x_near, x_far = xp.where(near, x, 0.0), xp.where(near, _DAWSON_FAR, x)
    before, derivative = xp.where(near, y, 0.0), 1.0 - 2.0 * x_near * y
    for k in range(1, order):
        before, derivative = derivative, -2.0 * (x_near * derivative + k * before)

    return xp.where(near, derivative, _dawson_far(x_far, order))


@dawsn.derivative
def dawsn_derivative(x, *, order):
    """Return the derivative of the next order."""
    return dawsn(x, order=order + 1)


def _dawson_far(x, order):
    """Return the n-th derivative of the sum of (2m - 1)!! / (2^(m+1) x^(2m+1)), term by term."""
    coefficients = []
    odd = 0.5  # (2m - 1)!! / 2^(m+1)
    for m in range(_DAWSON_TERMS):
        coefficients.append((-1.0) ** order * odd * math.perm(2 * m + order, order))
        odd *= (2 * m + 1) / 2
    z = 1.0 / x

    return polynomial(z * z, tuple(coefficients)) * z ** (order + 1)


@elementwise(samples=(sample(0.5 - 1.0j), sample(-1.0 + 2.0j), sample(0.3 + 0.0j)))
def wofz(z):
    """Return e^(-z^2) erfc(-i z), the Faddeeva function, complex also for real z.

    Source: DLMF §7.2.
    """
    return evaluate_complex("wofz", z)


@wofz.derivative
def wofz_derivative(z, y):
    """Return 2 i / sqrt(pi) - 2 z y."""
    return TWO_BY_SQRT_PI * 1j - 2.0 * z * y


OPS = (erf, erfc, erfcx, erfi, erfinv, erfcinv, dawsn, wofz)
