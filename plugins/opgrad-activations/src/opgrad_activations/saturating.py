"""Saturating functions: flat, or nearly so, far from zero."""

from __future__ import annotations

from opgrad import elementwise, sample, uniform
from opgrad.errors import CallError

HARD_EDGE = 3.0  # hardsigmoid is flat from here on, on both sides


@elementwise(
    symbol="softsign",
    # Both signs, and a long tail.
    samples=(sample(0.5), sample(-3.0), sample(800.0), sample(uniform((2, 3)))),
)
def softsign(xp, x):
    """Return x / (1 + |x|).

    Source: Turian, Bergstra, Bengio 2009, Quadratic features and deep architectures for chunking.
    """
    return x / (1.0 + xp.abs(x))


@softsign.derivative
def softsign_derivative(xp, x):
    """Return 1 / (1 + |x|)^2."""
    return xp.square(1.0 / (1.0 + xp.abs(x)))  # the square of 1 + |x| would overflow first


@elementwise(
    symbol="logsigmoid",
    # Both tails.
    samples=(sample(0.5), sample(-800.0), sample(30.0), sample(uniform((2, 3)))),
)
def logsigmoid(xp, x):
    """Return log(sigmoid(x)) = -log(1 + e^-x), as min(x, 0) - log(1 + e^-|x|).

    Source: the loss of Mikolov et al. 2013, arXiv:1310.4546.
    """
    return xp.minimum(x, 0.0) - xp.log1p(xp.exp(-xp.abs(x)))


@logsigmoid.derivative
def logsigmoid_derivative(xp, x):
    """Return 1 - sigmoid(x) = sigmoid(-x)."""
    return xp.sigmoid(-x)


@elementwise(
    symbol="hardtanh",
    kinks={-1.0: 0.0, 1.0: 0.0},
    # All three pieces, and bounds of our own.
    samples=(
        sample(0.5),
        sample(-3.0),
        sample(1.5),
        sample(1.5, low=-2.0, high=2.0),
        sample(uniform((2, 3))),
    ),
)
def hardtanh(xp, x, *, low=-1.0, high=1.0):
    """Return x held between low and high.

    Source: Collobert 2004, Large scale machine learning (thesis).
    Kinks: at both bounds the derivative is 0, that of the flat side (clip, which reads the bound as
    still inside, has 1).
    """
    if not low < high:
        raise CallError(f"hardtanh: low must be below high, got {low!r} and {high!r}")

    return xp.clip(x, low, high)


@hardtanh.derivative
def hardtanh_derivative(xp, x, *, low, high):
    """Return 1 strictly between the bounds, 0 elsewhere."""
    return xp.where((x > low) & (x < high), xp.ones_like(x), 0.0)


@elementwise(
    symbol="hardsigmoid",
    kinks={-HARD_EDGE: 0.0, HARD_EDGE: 0.0},
    # All three pieces.
    samples=(sample(0.5), sample(-4.0), sample(3.5), sample(uniform((2, 3), -5.0, 5.0))),
)
def hardsigmoid(xp, x):
    """Return x / 6 + 1 / 2 held between 0 and 1.

    Source: Courbariaux, Bengio, David 2015, arXiv:1511.00363; with this slope Howard et al. 2019,
    arXiv:1905.02244.
    Kinks: at -3 and 3 the derivative is 0, that of the flat side.
    """
    return xp.clip(x + HARD_EDGE, 0.0, 2.0 * HARD_EDGE) / (2.0 * HARD_EDGE)


@hardsigmoid.derivative
def hardsigmoid_derivative(xp, x):
    """Return 1/6 strictly between the kinks, 0 elsewhere."""
    return xp.where(xp.abs(x) < HARD_EDGE, xp.ones_like(x) / (2.0 * HARD_EDGE), 0.0)


@elementwise(
    symbol="gaussian",
    # Both signs, the top, the flat tail.
    samples=(sample(0.5), sample(-1.5), sample(0.0), sample(800.0), sample(uniform((2, 3)))),
)
def gaussian(xp, x):
    """Return e^(-x^2).

    Source: Broomhead, Lowe 1988, Multivariable functional interpolation and adaptive networks.
    """
    return xp.exp(-x * x)


@gaussian.derivative
def gaussian_derivative(x, y):
    """Return -2 x e^(-x^2)."""
    return -2.0 * x * y


OPS = (softsign, logsigmoid, hardtanh, hardsigmoid, gaussian)
