"""Exponentials and logarithms, and what is made of them: sigmoid, logaddexp, xlogy, erf."""

from __future__ import annotations

import math

from opgrad.define import elementwise
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample

_LN_2 = math.log(2.0)
_LN_10 = math.log(10.0)
_TWO_BY_SQRT_PI = 2.0 / math.sqrt(math.pi)


# ------------------------------------------------------------------------------- exponentials


@elementwise(methods=("exp",), samples=(sample(0.0), sample(-3.0), sample([0.5, 2.0])))
def exp(xp, x):
    """e ** x, the exponential."""
    return xp.exp(x)


@exp.derivative
def exp_derivative(y):
    """d(e ** x)/dx = e ** x."""
    return y


@elementwise(methods=("exp2",), samples=(sample(0.0), sample(-3.0), sample([0.5, 2.0])))
def exp2(xp, x):
    """2 ** x."""
    return xp.exp2(x)


@exp2.derivative
def exp2_derivative(y):
    """d(2 ** x)/dx = ln 2 * 2 ** x."""
    return y * _LN_2


@elementwise(methods=("expm1",), samples=(sample(0.0), sample(1e-9), sample([-3.0, 2.0])))
def expm1(xp, x):
    """e ** x - 1, exact also where x is small."""
    return xp.expm1(x)


@expm1.derivative
def expm1_derivative(xp, x):
    """d(e ** x - 1)/dx = e ** x; y + 1 would lose every digit for x below -37."""
    return xp.exp(x)


# --------------------------------------------------------------------------------- logarithms


@elementwise(
    methods=("log",),
    domain=(0.0, math.inf),
    samples=(sample(1.0), sample(0.01), sample([0.5, 20.0])),
)
def log(xp, x):
    """The natural logarithm; -inf at 0, nan below."""
    return xp.log(x)


@log.derivative
def log_derivative(xp, x):
    """d(ln x)/dx = 1 / x."""
    return xp.divide(1.0, x)


@elementwise(
    methods=("log2",),
    domain=(0.0, math.inf),
    samples=(sample(1.0), sample(0.01), sample([0.5, 20.0])),
)
def log2(xp, x):
    """The logarithm to base 2; -inf at 0, nan below."""
    return xp.log2(x)


@log2.derivative
def log2_derivative(xp, x):
    """d(log2 x)/dx = 1 / (x ln 2)."""
    return xp.divide(1.0 / _LN_2, x)


@elementwise(
    methods=("log10",),
    domain=(0.0, math.inf),
    samples=(sample(1.0), sample(0.01), sample([0.5, 20.0])),
)
def log10(xp, x):
    """The logarithm to base 10; -inf at 0, nan below."""
    return xp.log10(x)


@log10.derivative
def log10_derivative(xp, x):
    """d(log10 x)/dx = 1 / (x ln 10)."""
    return xp.divide(1.0 / _LN_10, x)


@elementwise(
    methods=("log1p",),
    domain=(-1.0, math.inf),
    samples=(sample(0.0), sample(1e-9), sample([-0.5, 20.0])),
)
def log1p(xp, x):
    """ln(1 + x), exact also where x is small; -inf at -1."""
    return xp.log1p(x)


@log1p.derivative
def log1p_derivative(xp, x):
    """d(ln(1 + x))/dx = 1 / (1 + x)."""
    return xp.divide(1.0, 1.0 + x)


@elementwise(
    samples=(
        sample(0.5, -1.0),
        sample(1.0, 1.0),
        sample(1000.0, -1000.0),
        sample([1.0, 2.0], [3.0, -4.0]),
        sample([[1.0], [-2.0]], [0.0, 3.0]),
    ),
)
def logaddexp(xp, a, b):
    """ln(e ** a + e ** b) without overflow."""
    return xp.logaddexp(a, b)


@logaddexp.derivative("a")
def logaddexp_derivative_a(xp, a, b):
    """d(logaddexp)/da = sigmoid(a - b); one half where both are the same infinity."""
    return xp.sigmoid(_gap(xp, a, b))


@logaddexp.derivative("b")
def logaddexp_derivative_b(xp, a, b):
    """d(logaddexp)/db = sigmoid(b - a); one half where both are the same infinity."""
    return xp.sigmoid(_gap(xp, b, a))


def _gap(xp, a, b):
    """a - b, with inf - inf = 0."""
    same = xp.logical_and(xp.isinf(a), xp.equal(a, b))

    return xp.where(same, 0.0, a) - xp.where(same, 0.0, b)


@elementwise(
    domain={"b": (0.0, math.inf)},
    samples=(
        sample(2.0, 3.0),
        sample(0.0, 0.5),
        sample([0.5, -1.0], [0.25, 4.0]),
        sample([[1.0], [0.0]], [0.5, 3.0]),
    ),
)
def xlogy(xp, a, b):
    """a * ln(b), and 0 where a is 0, whatever b is.

    At a = 0 and b <= 0 both derivatives are 0, so that entropy sums stay finite.
    """
    return xp.xlogy(a, b)


@xlogy.derivative("a")
def xlogy_derivative_a(xp, a, b):
    """d(a ln b)/da = ln b."""
    flat = xp.logical_and(xp.equal(a, 0.0), xp.less_equal(b, 0.0))

    return xp.log(xp.where(flat, 1.0, b))


@xlogy.derivative("b")
def xlogy_derivative_b(xp, a, b):
    """d(a ln b)/db = a / b."""
    flat = xp.logical_and(xp.equal(a, 0.0), xp.equal(b, 0.0))

    return xp.divide(a, xp.where(flat, 1.0, b))


# ---------------------------------------------------------------------------- sigmoid and erf


@elementwise(
    methods=("sigmoid",),
    samples=(sample(0.0), sample(-4.0), sample(30.0), sample([0.5, -2.0])),
)
def sigmoid(xp, x):
    """1 / (1 + e ** -x), the logistic function, without overflow on either side."""
    return xp.sigmoid(x)


@sigmoid.derivative
def sigmoid_derivative(xp, x):
    """d(sigmoid)/dx = sigmoid_slope(x); y * (1 - y) would be 0 for x above 37."""
    return xp.sigmoid_slope(x)


@elementwise(samples=(sample(0.0), sample(-4.0), sample(30.0), sample([0.5, -2.0])))
def sigmoid_slope(xp, x):
    """sigmoid(x) * sigmoid(-x) = e ** -|x| / (1 + e ** -|x|)², the derivative of `sigmoid`.

    An op of its own, so that no higher derivative subtracts nearly equal numbers.
    """
    return xp.sigmoid_slope(x)


@sigmoid_slope.derivative
def sigmoid_slope_derivative(xp, x, y):
    """d(sigmoid_slope)/dx = -y * tanh(x / 2)."""
    return -y * xp.tanh(0.5 * x)


@elementwise(methods=("erf",), samples=(sample(0.0), sample(-0.7), sample([0.5, 2.0])))
def erf(xp, x):
    """2 / sqrt(pi) * integral from 0 to x of e ** -t², the error function."""
    return xp.erf(x)


@erf.derivative
def erf_derivative(xp, x):
    """d(erf)/dx = 2 / sqrt(pi) * e ** -x²."""
    return _TWO_BY_SQRT_PI * xp.exp(-x * x)


@elementwise(methods=("erfc",), samples=(sample(0.0), sample(-0.7), sample([0.5, 2.0])))
def erfc(xp, x):
    """1 - erf(x), exact also where erf(x) is nearly 1."""
    return xp.erfc(x)


@erfc.derivative
def erfc_derivative(xp, x):
    """d(erfc)/dx = -2 / sqrt(pi) * e ** -x²."""
    return -_TWO_BY_SQRT_PI * xp.exp(-x * x)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """The exponentials and logarithms."""
    return (
        exp,
        exp2,
        expm1,
        log,
        log2,
        log10,
        log1p,
        logaddexp,
        xlogy,
        sigmoid,
        sigmoid_slope,
        erf,
        erfc,
    )
