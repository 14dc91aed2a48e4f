"""Self-gated functions: x times a gate in [0, 1] that x itself opens."""

from __future__ import annotations

import math

from opgrad import composite, elementwise, sample, uniform
from opgrad_activations.checks import check_choice

SQRT_HALF = math.sqrt(0.5)
ONE_OVER_SQRT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
# gelu's tanh form: (1 + tanh(u)) / 2 = sigmoid(2u), with 2u = GELU_SLOPE (x + GELU_CUBIC x^3).
GELU_SLOPE = 2.0 * math.sqrt(2.0 / math.pi)
GELU_CUBIC = 0.044715
HARD_EDGE = 3.0  # hardswish is straight from here on, on both sides


@elementwise(
    symbol="SiLU",
    # Both tails, and both sides of the minimum at -1.278.
    samples=(sample(0.5), sample(-1.0), sample(-30.0), sample(800.0), sample(uniform((2, 3)))),
)
def silu(xp, x):
    """Return x sigmoid(x).

    Source: Elfwing, Uchibe, Doya 2017, arXiv:1702.03118; Hendrycks, Gimpel 2016, arXiv:1606.08415.
    """
    return x * xp.sigmoid(x)


@silu.derivative
def silu_derivative(xp, x):
    """Return s (1 + x (1 - s)) with s = sigmoid(x), and 1 - s taken as sigmoid(-x)."""
    return xp.sigmoid(x) * (1.0 + x * xp.sigmoid(-x))


@elementwise(
    symbol="Swish",
    # Both tails, a sharp gate, a half-open one.
    samples=(
        sample(0.5),
        sample(-30.0),
        sample(0.7, beta=4.0),
        sample(-2.0, beta=0.0),
        sample(uniform((2, 3))),
    ),
)
def swish(xp, x, *, beta=1.0):
    """Return x sigmoid(beta x): silu for beta 1, x / 2 for beta 0, near relu for a large beta.

    Source: Ramachandran, Zoph, Le 2017, arXiv:1710.05941.
    """
    return x * xp.sigmoid(beta * x)


@swish.derivative
def swish_derivative(xp, x, *, beta):
    """Return s (1 + beta x (1 - s)) with s = sigmoid(beta x)."""
    z = beta * x

    return xp.sigmoid(z) * (1.0 + z * xp.sigmoid(-z))


@composite(
    elementwise=True,
    symbol="QuickGELU",
    # Both tails, and both sides of the minimum.
    samples=(sample(0.5), sample(-0.5), sample(-30.0), sample(800.0), sample(uniform((2, 3)))),
)
def quick_gelu(x):
    """Return x sigmoid(1.702 x), the cheap stand-in for gelu.

    A composite: the derivative is found from that of swish.
    Source: Hendrycks, Gimpel 2016, arXiv:1606.08415.
    """
    return swish(x, beta=1.702)


@elementwise(
    symbol="GELU",
    # Both tails and both forms.
    samples=(
        sample(0.5),
        sample(-5.0),
        sample(800.0),
        sample(-0.5, approximate="tanh"),
        sample(3.0, approximate="tanh"),
        sample(uniform((2, 3))),
    ),
)
def gelu(xp, x, *, approximate="none"):
    """Return x Phi(x), where Phi is the normal distribution function.

    Exact: Phi(x) = erfc(-x / sqrt 2) / 2. With approximate="tanh":
    Phi(x) = (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    Source: Hendrycks, Gimpel 2016, arXiv:1606.08415.
    """
    check_choice("gelu", ("none", "tanh"), approximate=approximate)
    if approximate == "tanh":
        return x * xp.sigmoid(gelu_logit(x))

    return 0.5 * x * xp.erfc(-SQRT_HALF * x)


@gelu.derivative
def gelu_derivative(xp, x, *, approximate):
    """Return Phi(x) + x Phi'(x)."""
    if approximate == "tanh":
        logit = gelu_logit(x)
        slope = GELU_SLOPE * (1.0 + 3.0 * GELU_CUBIC * x * x)
        return xp.sigmoid(logit) * (1.0 + x * slope * xp.sigmoid(-logit))

    return 0.5 * xp.erfc(-SQRT_HALF * x) + ONE_OVER_SQRT_TWO_PI * x * xp.exp(-0.5 * x * x)


def gelu_logit(x):
    """Return what the tanh form puts into a sigmoid."""
    return GELU_SLOPE * x * (1.0 + GELU_CUBIC * x * x)


@elementwise(
    symbol="Mish",
    # Both tails, and both sides of the minimum at -1.192.
    samples=(sample(0.5), sample(-1.0), sample(-30.0), sample(800.0), sample(uniform((2, 3)))),
)
def mish(xp, x):
    """Return x tanh(softplus(x)).

    With s = sigmoid(x) and r = sigmoid(-x) the gate is s (1 + r) / (1 + r^2): no overflow, and
    nothing cancels.
    Source: Misra 2019, arXiv:1908.08681.
    """
    r = xp.sigmoid(-x)

    return x * xp.sigmoid(x) * (1.0 + r) / (1.0 + r * r)


@mish.derivative
def mish_derivative(xp, x):
    """Return the gate plus x times its slope, 4 s r^2 / (1 + r^2)^2."""
    r = xp.sigmoid(-x)
    d = 1.0 + r * r

    return xp.sigmoid(x) / d * (1.0 + r + 4.0 * x * r * r / d)


@elementwise(
    symbol="hardswish",
    kinks={-HARD_EDGE: 0.0, HARD_EDGE: 1.0},
    # All three pieces.
    samples=(sample(0.5), sample(-4.0), sample(3.5), sample(uniform((2, 3), -5.0, 5.0))),
)
def hardswish(xp, x):
    """Return x hardsigmoid(x): 0 up to -3, x from 3 on, x (x + 3) / 6 between.

    Source: Howard et al. 2019, arXiv:1905.02244.
    Kinks: at -3 the derivative is 0, that of the flat side; at 3, where no side is flat, it is 1,
    that of the straight side.
    """
    return x * xp.clip(x + HARD_EDGE, 0.0, 2.0 * HARD_EDGE) / (2.0 * HARD_EDGE)


@hardswish.derivative
def hardswish_derivative(xp, x):
    """Return 0, (2 x + 3) / 6, or 1."""
    between = xp.where(x >= HARD_EDGE, xp.ones_like(x), (2.0 * x + HARD_EDGE) / (2.0 * HARD_EDGE))

    return xp.where(x <= -HARD_EDGE, 0.0, between)


OPS = (silu, swish, quick_gelu, gelu, mish, hardswish)
