"""The incomplete gamma and beta functions, regularised: differentiable in where they end."""

from __future__ import annotations

import math

from opgrad import elementwise, sample, uniform
from opgrad_scipy.entropy import kl_div, xlog1py
from opgrad_scipy.gammas import betaln, gammaln
from opgrad_scipy.special import evaluate, polynomial, unavailable

_GAMMA_DOMAIN = {"a": (0.0, math.inf), "x": (0.0, math.inf)}
_GAMMA_SAMPLES = (
    sample(0.5, 2.0),
    sample(3.0, 0.7),
    sample(1e3, 990.0),
    sample([2.5, 20.0], [1.5, 25.0]),
    sample(2.5, uniform((2, 3), 0.2, 4.0)),
)


@elementwise(domain=_GAMMA_DOMAIN, samples=_GAMMA_SAMPLES)
def gammainc(a, x):
    """Return the integral of t^(a-1) e^-t from 0 to x, over gamma(a). Differentiable in x.

    Source: DLMF §8.2, §8.8.
    """
    return evaluate("gammainc", a, x)


@gammainc.derivative("a")
def gammainc_derivative_a():
    """Refuse."""
    raise unavailable("gammainc", "a")


@gammainc.derivative("x")
def gammainc_derivative_x(xp, a, x):
    """Return x^(a-1) e^-x / gamma(a)."""
    return gamma_density(xp, a, x)


@elementwise(domain=_GAMMA_DOMAIN, samples=_GAMMA_SAMPLES)
def gammaincc(a, x):
    """Return 1 - gammainc(a, x), exact also where that is nearly 1. Differentiable in x.

    Source: DLMF §8.2, §8.8.
    """
    return evaluate("gammaincc", a, x)


@gammaincc.derivative("a")
def gammaincc_derivative_a():
    """Refuse."""
    raise unavailable("gammaincc", "a")


@gammaincc.derivative("x")
def gammaincc_derivative_x(xp, a, x):
    """Return -x^(a-1) e^-x / gamma(a)."""
    return -gamma_density(xp, a, x)


# log gamma(a) - (a - 1/2) log(a) + a - log(2 pi) / 2 in powers of 1 / a^2, DLMF §5.11.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_LARGE = 16.0


def gamma_density(xp, a, x):
    """Return x^(a-1) e^-x / gamma(a).

    For large a the three are huge and nearly cancel; then x^a e^-x a^-a e^a, whose logarithm is
    -kl_div(a, x), is taken out of them.
    """
    large = xp.logical_and(a >= _LARGE, x > 0.0)
    far_a, far_x = xp.where(large, a, 1.0), xp.where(large, x, 1.0)
    error = polynomial(1.0 / (far_a * far_a), _STIRLING) / far_a
    far = xp.exp(-kl_div(far_a, far_x) - error) * xp.sqrt(far_a / (2.0 * math.pi)) / far_x
    near_a = xp.where(large, 1.0, a)
    near_x = xp.where(large, 1.0, x)
    near = xp.pow(near_x, near_a - 1.0) * xp.exp(-near_x - gammaln(near_a))

    return xp.where(large, far, near)


_BETA_DOMAIN = {"a": (0.0, math.inf), "b": (0.0, math.inf), "x": (0.0, 1.0)}
_BETA_SAMPLES = (
    sample(0.5, 2.0, 0.3),
    sample(3.0, 1.5, 0.9),
    sample([2.5, 20.0], [1.5, 25.0], [0.2, 0.5]),
    sample(2.5, 1.5, uniform((2, 3), 0.1, 0.9)),
)


@elementwise(domain=_BETA_DOMAIN, samples=_BETA_SAMPLES)
def betainc(a, b, x):
    """Return the integral of t^(a-1) (1 - t)^(b-1) from 0 to x, over beta(a, b).

    Differentiable in x; the derivative loses about a factor of a + b of its precision.
    Source: DLMF §8.17.
    """
    return evaluate("betainc", a, b, x)


@betainc.derivative("a")
def betainc_derivative_a():
    """Refuse."""
    raise unavailable("betainc", "a")


@betainc.derivative("b")
def betainc_derivative_b():
    """Refuse."""
    raise unavailable("betainc", "b")


@betainc.derivative("x")
def betainc_derivative_x(xp, a, b, x):
    """Return x^(a-1) (1 - x)^(b-1) / beta(a, b)."""
    return beta_density(xp, a, b, x)


@elementwise(domain=_BETA_DOMAIN, samples=_BETA_SAMPLES)
def betaincc(a, b, x):
    """Return 1 - betainc(a, b, x), exact also where that is nearly 1. Differentiable in x.

    Source: DLMF §8.17.
    """
    return evaluate("betaincc", a, b, x)


@betaincc.derivative("a")
def betaincc_derivative_a():
    """Refuse."""
    raise unavailable("betaincc", "a")


@betaincc.derivative("b")
def betaincc_derivative_b():
    """Refuse."""
    raise unavailable("betaincc", "b")


@betaincc.derivative("x")
def betaincc_derivative_x(xp, a, b, x):
    """Return -x^(a-1) (1 - x)^(b-1) / beta(a, b)."""
    return -beta_density(xp, a, b, x)


def beta_density(xp, a, b, x):
    """Return x^(a-1) (1 - x)^(b-1) / beta(a, b)."""
    return xp.exp(xp.xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b))


OPS = (gammainc, gammaincc, betainc, betaincc)
