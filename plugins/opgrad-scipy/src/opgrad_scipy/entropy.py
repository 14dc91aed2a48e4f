"""x log x and what is made of it: entropies and divergences.

Where the first operand is 0, so is x log y, whatever y is; the derivatives follow opgrad's xlogy:
where both operands are 0 they are those of a function that is 0 there.
"""

from __future__ import annotations

import math

from opgrad import composite, elementwise, sample, uniform
from opgrad_scipy.special import evaluate

_POSITIVE = {"a": (0.0, math.inf), "b": (0.0, math.inf)}
_PAIRS = (
    sample(0.5, 2.0),
    sample(3.0, 3.0),
    sample(1e-3, 50.0),
    sample([0.5, 1.5], [2.5, 0.2]),
    sample(uniform((2, 1), 0.5, 3.0), uniform((3,), 0.5, 3.0)),
)


@composite(elementwise=True, domain={"b": (0.0, math.inf)}, samples=(*_PAIRS, sample(0.0, 2.0)))
def xlogy(xp, a, b):
    """Return a log(b), and 0 where a is 0: opgrad's own xlogy.

    Source: SciPy's reference, scipy.special.xlogy.
    """
    return xp.xlogy(a, b)


@elementwise(
    domain={"b": (-1.0, math.inf)},
    samples=(*_PAIRS, sample(0.0, 2.0), sample(2.0, -0.5), sample(2.0, 1e-12)),
)
def xlog1py(a, b):
    """Return a log(1 + b), and 0 where a is 0.

    Where a is 0 and b at most -1 both derivatives are 0.
    Source: SciPy's reference, scipy.special.xlog1py.
    """
    return evaluate("xlog1py", a, b)


@xlog1py.derivative("a")
def xlog1py_derivative_a(xp, a, b):
    """Return log(1 + b)."""
    return xp.log1p(xp.where(xp.logical_and(a == 0.0, b <= -1.0), 0.0, b))


@xlog1py.derivative("b")
def xlog1py_derivative_b(xp, a, b):
    """Return a / (1 + b)."""
    return xp.divide(a, xp.where(xp.logical_and(a == 0.0, b == -1.0), 1.0, 1.0 + b))


@elementwise(
    domain=(0.0, math.inf),
    samples=(sample(0.5), sample(3.0), sample(1e-9), sample(uniform((2, 3), 0.1, 3.0))),
)
def entr(x):
    """Return -x log(x), 0 at 0, and -inf below. The derivative at 0 is inf.

    Source: Boyd, Vandenberghe 2004, Convex optimization, §3.1.5.
    """
    return evaluate("entr", x)


@entr.derivative
def entr_derivative(xp, x):
    """Return -log(x) - 1."""
    return -xp.log(x) - 1.0


@elementwise(domain=_POSITIVE, samples=_PAIRS)
def rel_entr(a, b):
    """Return a log(a / b), 0 where a is 0 and b not negative, and inf elsewhere.

    At a = 0 the derivative in a is -inf, and 0 where b is 0 too.
    Source: Boyd, Vandenberghe 2004, Convex optimization, §3.2.6.
    """
    return evaluate("rel_entr", a, b)


@rel_entr.derivative("a")
def rel_entr_derivative_a(xp, a, b):
    """Return log(a / b) + 1."""
    return xp.where(_both_zero(xp, a, b), 0.0, _log_ratio(xp, a, b) + 1.0)


@rel_entr.derivative("b")
def rel_entr_derivative_b(xp, a, b):
    """Return -a / b."""
    return -_ratio(xp, a, b)


@elementwise(domain=_POSITIVE, samples=_PAIRS)
def kl_div(a, b):
    """Return a log(a / b) - a + b, b where a is 0 and b not negative, and inf elsewhere.

    At a = 0 the derivative in a is -inf, and 0 where b is 0 too.
    Source: Boyd, Vandenberghe 2004, Convex optimization, §3.2.6.
    """
    return evaluate("kl_div", a, b)


@kl_div.derivative("a")
def kl_div_derivative_a(xp, a, b):
    """Return log(a / b)."""
    return xp.where(_both_zero(xp, a, b), 0.0, _log_ratio(xp, a, b))


@kl_div.derivative("b")
def kl_div_derivative_b(xp, a, b):
    """Return 1 - a / b, as (b - a) / b."""
    both = _both_zero(xp, a, b)

    return xp.where(both, 1.0, xp.divide(b - a, xp.where(both, 1.0, b)))


def _both_zero(xp, a, b):
    return xp.logical_and(a == 0.0, b == 0.0)


def _ratio(xp, a, b):
    """Return a / b, and 0 for 0 / 0."""
    return xp.divide(a, xp.where(_both_zero(xp, a, b), 1.0, b))


def _log_ratio(xp, a, b):
    """Return log(a / b), also where the ratio is beyond the floats; 0 for 0 / 0."""
    both = _both_zero(xp, a, b)
    a, b = xp.where(both, 1.0, a), xp.where(both, 1.0, b)
    ratio = xp.divide(a, b)
    plain = xp.logical_and(ratio > 0.0, ratio < math.inf)

    return xp.where(plain, xp.log(xp.where(plain, ratio, 1.0)), xp.log(a) - xp.log(b))


OPS = (xlogy, xlog1py, entr, rel_entr, kl_div)
