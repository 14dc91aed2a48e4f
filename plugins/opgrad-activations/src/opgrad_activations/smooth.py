"""Smooth rectifiers: relu with its corner rounded off."""

from __future__ import annotations

import math

from opgrad import elementwise, sample, uniform
from opgrad_activations.checks import check_positive


@elementwise(
    symbol="softplus",
    # Both tails, a sharp one, and the straight piece above a threshold.
    samples=(
        sample(0.5),
        sample(-30.0),
        sample(800.0),
        sample(-0.5, beta=3.0),
        sample(2.0, beta=2.0, threshold=3.0),
        sample(uniform((2, 3))),
    ),
)
def softplus(xp, x, *, beta=1.0, threshold=math.inf):
    """Return log(1 + e^(beta x)) / beta.

    Above the threshold (beta x > threshold) it is x itself. The form used here does not overflow,
    so the default cuts nothing off; PyTorch cuts at 20.
    Source: Dugas et al. 2001, Incorporating second-order functional knowledge for better option
    pricing.
    """
    check_positive("softplus", beta=beta)
    z = beta * x
    smooth = xp.relu(z) + xp.log1p(xp.exp(-xp.abs(z)))

    return xp.where(z > threshold, x, smooth / beta)


@softplus.derivative
def softplus_derivative(xp, x, *, beta, threshold):
    """Return sigmoid(beta x), and 1 above the threshold."""
    return xp.where(beta * x > threshold, xp.ones_like(x), xp.sigmoid(beta * x))


@elementwise(
    symbol="squareplus",
    # Both tails and another b.
    samples=(
        sample(0.5),
        sample(-30.0),
        sample(800.0),
        sample(-0.5, b=0.1),
        sample(uniform((2, 3))),
    ),
)
def squareplus(xp, x, *, b=4.0):
    """Return (x + sqrt(x^2 + b)) / 2.

    Below zero x and the root cancel, so the same number is taken from
    (sqrt(x^2 + b) + x) (sqrt(x^2 + b) - x) = b.
    Source: Barron 2021, arXiv:2112.11687.
    """
    check_positive("squareplus", b=b)
    half = 0.5 * (xp.abs(x) + xp.hypot(x, math.sqrt(b)))  # x * x would overflow

    return xp.where(x > 0.0, half, 0.25 * b / half)


@squareplus.derivative
def squareplus_derivative(xp, x, y, *, b):
    """Return y / sqrt(x^2 + b), which is (1 + x / sqrt(x^2 + b)) / 2 without the cancellation."""
    return y / xp.hypot(x, math.sqrt(b))


OPS = (softplus, squareplus)
