"""The gamma function, its logarithm, its derivatives, and the beta function made of it."""

from __future__ import annotations

import math

from opgrad import composite, elementwise, sample, uniform
from opgrad_scipy.special import check_whole, evaluate, evaluate_complex
from opgrad_scipy.zetas import zeta


@elementwise(
    domain=(0.0, math.inf),
    samples=(sample(0.5), sample(-1.5), sample(20.0), sample(uniform((2, 3), 0.1, 4.0))),
)
def gamma(x):
    """Return the integral of t^(x-1) e^-t from 0 to infinity, continued to the left.

    Infinite at 0 and nan at the other poles -1, ... Complex x is taken, and differentiated once.
    Source: DLMF §5.2.
    """
    return evaluate_complex("gamma", x)


@gamma.derivative
def gamma_derivative(x, y):
    """Return gamma(x) digamma(x)."""
    return y * digamma(x)


@elementwise(
    domain=(0.0, math.inf),
    samples=(sample(0.5), sample(-1.5), sample(1e6), sample(uniform((2, 3), 0.1, 4.0))),
)
def gammaln(x):
    """Return log |gamma(x)|.

    At the poles 0, -1, ... the value is inf; the derivative is -inf at 0 and nan at the others.
    Source: DLMF §5.2.
    """
    return evaluate("gammaln", x)


@gammaln.derivative
def gammaln_derivative(x):
    """Return digamma(x)."""
    return digamma(x)


@elementwise(
    domain=(0.0, math.inf),
    expected_failures={
        "second-order": "complex data are differentiated once, as the docstring says"
    },
    samples=(sample(0.5), sample(1e6), sample(1.5 - 2.0j), sample(uniform((2, 3), 0.1, 4.0))),
)
def loggamma(x):
    """Return the principal branch of log(gamma(x)): nan for real x below 0, where it is complex.

    Complex x is taken, and differentiated once.
    Source: DLMF §5.2.
    """
    return evaluate_complex("loggamma", x)


@loggamma.derivative
def loggamma_derivative(x):
    """Return digamma(x)."""
    return digamma(x)


@elementwise(
    samples=(
        sample(0.7),
        sample(0.0),
        sample(-2.0),
        sample(-1.5),
        sample(5.0),
        sample(uniform((2, 3), -3.0, 4.0)),
    ),
)
def rgamma(x):
    """Return 1 / gamma(x), which is 0 at the poles of gamma and smooth everywhere.

    Source: DLMF §5.2, §5.5 (reflection).
    """
    return evaluate("rgamma", x)


@rgamma.derivative
def rgamma_derivative(xp, x, y):
    """Return -rgamma(x) digamma(x), left of 1/2 that of sin(pi x) gamma(1 - x) / pi.

    At -n it is (-1)^n n!, where the product would be 0 times infinity.
    """
    left = x < 0.5
    low, high = xp.where(left, x, 0.0), xp.where(left, 1.0, x)
    whole = xp.round(low)
    angle = math.pi * (low - whole)
    sign = 1.0 - 2.0 * xp.remainder(whole, 2.0)
    slope = xp.cos(angle) - xp.sin(angle) * digamma(1.0 - low) / math.pi

    return xp.where(left, sign * gamma(1.0 - low) * slope, -y * digamma(high))


@elementwise(
    numpy=("psi",),
    domain=(0.0, math.inf),
    samples=(sample(0.5), sample(-1.5), sample(1e6), sample(uniform((2, 3), 0.1, 4.0))),
)
def digamma(x):
    """Return the derivative of log(gamma(x)), also called psi.

    -inf at 0, nan at the other poles. Complex x is taken, but not differentiated.
    Source: DLMF §5.2.
    """
    return evaluate_complex("psi", x)


@digamma.derivative
def digamma_derivative(x):
    """Return polygamma(1, x)."""
    return polygamma(x, n=1)


@elementwise(
    domain=(0.0, math.inf),
    samples=(
        sample(0.5, n=1),
        sample(-1.5, n=2),
        sample(30.0, n=1),
        sample(2.0, n=0),
        sample(uniform((2, 3), 0.2, 4.0), n=3),
    ),
)
def polygamma(x, *, n):
    """Return the n-th derivative of digamma: (-1)^(n+1) n! zeta(n + 1, x). Infinite at the poles.

    Called in SciPy's order, `polygamma(n, x)`, or as `polygamma(x, n=1)`; n is a whole number.
    Source: DLMF §5.15.
    """
    check_whole("polygamma", least=0, n=n)
    if n == 0:
        return evaluate("psi", x)

    return (-1.0) ** (n + 1) * evaluate("gamma", n + 1.0) * zeta(n + 1.0, x)


@polygamma.derivative
def polygamma_derivative(x, *, n):
    """Return polygamma(n + 1, x)."""
    return polygamma(x, n=n + 1)


@polygamma.arguments
def order_first(first, *rest, n=None):
    """Take `(n, x)`, as SciPy does, or `(x, n=n)`."""
    if n is None and rest:
        return rest, {"n": first}

    return (first, *rest), {} if n is None else {"n": n}


@composite(
    elementwise=True,
    expected_failures={"edges": "the domain begins at (d - 1) / 2, so it depends on an attribute"},
    samples=(sample(1.5, d=2), sample(30.0, d=5), sample(uniform((2, 3), 1.5, 4.0), d=3)),
)
def multigammaln(a, *, d):
    """Return the logarithm of the multivariate gamma function of dimension d.

    That is d (d - 1) / 4 log(pi) + the sum of loggamma(a - j / 2) for j = 0, ..., d - 1; nan where
    a is below (d - 1) / 2, where SciPy raises.
    Source: DLMF §35.3.
    """
    check_whole("multigammaln", least=1, d=d)
    total = loggamma(a)
    for j in range(1, d):
        total = total + loggamma(a - 0.5 * j)

    return total + 0.25 * d * (d - 1) * math.log(math.pi)


@elementwise(
    domain={"a": (0.0, math.inf), "b": (0.0, math.inf)},
    samples=(
        sample(0.5, 2.0),
        sample(3.0, 30.0),
        sample([0.5, 1.5], [2.5, 0.2]),
        sample(uniform((2, 1), 0.5, 3.0), uniform((3,), 0.5, 3.0)),
    ),
)
def beta(a, b):
    """Return gamma(a) gamma(b) / gamma(a + b).

    Source: DLMF §5.12.
    """
    return evaluate("beta", a, b)


@beta.derivative("a")
def beta_derivative_a(xp, a, b, y):
    """Return beta (digamma(a) - digamma(a + b))."""
    return -y * digamma_gain(xp, a, b)


@beta.derivative("b")
def beta_derivative_b(xp, a, b, y):
    """Return beta (digamma(b) - digamma(a + b))."""
    return -y * digamma_gain(xp, b, a)


@elementwise(
    domain={"a": (0.0, math.inf), "b": (0.0, math.inf)},
    samples=(
        sample(0.5, 2.0),
        sample(1e8, 3.0),
        sample([0.5, 1.5], [2.5, 0.2]),
        sample(uniform((2, 1), 0.5, 3.0), uniform((3,), 0.5, 3.0)),
    ),
)
def betaln(a, b):
    """Return log |beta(a, b)|.

    Source: DLMF §5.12.
    """
    return evaluate("betaln", a, b)


@betaln.derivative("a")
def betaln_derivative_a(xp, a, b):
    """Return digamma(a) - digamma(a + b)."""
    return -digamma_gain(xp, a, b)


@betaln.derivative("b")
def betaln_derivative_b(xp, a, b):
    """Return digamma(b) - digamma(a + b)."""
    return -digamma_gain(xp, b, a)


# digamma(x) ~ log(x) - 1 / (2 x) - the sum of B_2k / (2k) x^(-2k), DLMF §5.11: those B_2k / (2k).
_STIRLING = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_LARGE = 10.0


def digamma_gain(xp, a, b):
    """Return digamma(a + b) - digamma(a).

    For large a and small b the two are nearly equal, so their asymptotic series are subtracted term
    by term, with p^2k - q^2k built up from p - q.
    """
    large = xp.logical_and(a >= _LARGE, b >= 0.0)
    far, step = xp.where(large, a, 1.0), xp.where(large, b, 0.0)
    p, q = 1.0 / far, 1.0 / (far + step)
    gap = step * p * q  # p - q
    square_gap = gap * (p + q)  # p^2 - q^2
    series = xp.log1p(step * p) + 0.5 * gap
    power, difference = 1.0, 0.0
    for coefficient in _STIRLING:
        difference = p * p * difference + power * square_gap
        power = power * q * q
        series = series + coefficient * difference
    near = xp.where(large, 1.0, a)

    return xp.where(large, series, digamma(near + xp.where(large, 0.0, b)) - digamma(near))


OPS = (gamma, gammaln, loggamma, rgamma, digamma, polygamma, multigammaln, beta, betaln)
