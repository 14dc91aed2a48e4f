"""Exponential units: the identity above zero, an exponential that levels off below."""

from __future__ import annotations

from opgrad import elementwise, sample, uniform
from opgrad_activations.checks import check_positive

# The fixed point of Klambauer et al. 2017 (mean 0, variance 1), with all digits a float holds.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@elementwise(
    symbol="ELU",
    # Both sides of zero, the flat tail, another alpha.
    samples=(
        sample(1.5),
        sample(-2.0),
        sample(-40.0),
        sample(-0.5, alpha=0.3),
        sample(uniform((2, 3))),
    ),
)
def elu(xp, x, *, alpha=1.0):
    """Return x above zero, alpha (e^x - 1) below.

    Source: Clevert, Unterthiner, Hochreiter 2015, arXiv:1511.07289.
    Smooth for alpha 1; otherwise the derivative at 0 is `alpha`, that of the side below.
    """
    return xp.where(x > 0.0, x, alpha * xp.expm1(up_to_zero(xp, x)))


@elu.derivative
def elu_derivative(xp, x, *, alpha):
    """Return 1 above zero, alpha e^x up to it."""
    return xp.where(x > 0.0, xp.ones_like(x), alpha * xp.exp(up_to_zero(xp, x)))


@elementwise(
    symbol="CELU",
    # Both sides of zero, the flat tail, another alpha.
    samples=(
        sample(1.5),
        sample(-2.0),
        sample(-40.0),
        sample(-0.5, alpha=0.3),
        sample(uniform((2, 3))),
    ),
)
def celu(xp, x, *, alpha=1.0):
    """Return x above zero, alpha (e^(x / alpha) - 1) below: elu with slope 1 at 0 for any alpha.

    Source: Barron 2017, arXiv:1704.07483.
    """
    check_positive("celu", alpha=alpha)

    return xp.where(x > 0.0, x, alpha * xp.expm1(up_to_zero(xp, x) / alpha))


@celu.derivative
def celu_derivative(xp, x, *, alpha):
    """Return 1 above zero, e^(x / alpha) up to it."""
    return xp.where(x > 0.0, xp.ones_like(x), xp.exp(up_to_zero(xp, x) / alpha))


@elementwise(
    symbol="SELU",
    kinks={0.0: SELU_SCALE * SELU_ALPHA},
    # Both sides of the kink, the flat tail.
    samples=(sample(1.5), sample(-2.0), sample(-40.0), sample(uniform((2, 3)))),
)
def selu(xp, x):
    """Return scale x above zero, scale alpha (e^x - 1) below: elu that keeps mean 0, variance 1.

    Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017, arXiv:1706.02515.
    Kink: at 0 the derivative is scale alpha, that of the side below.
    """
    return SELU_SCALE * xp.where(x > 0.0, x, SELU_ALPHA * xp.expm1(up_to_zero(xp, x)))


@selu.derivative
def selu_derivative(xp, x):
    """Return scale above zero, scale alpha e^x up to it."""
    return SELU_SCALE * xp.where(x > 0.0, xp.ones_like(x), SELU_ALPHA * xp.exp(up_to_zero(xp, x)))


def up_to_zero(xp, x):
    """Return x where it is not above zero, else 0: `where` computes both sides, and e^1000 is inf.

    At 0 its own derivative is 1, so a second derivative there is that of the side below; minimum
    would share the tie.
    """
    return xp.where(x > 0.0, 0.0, x)


OPS = (elu, celu, selu)
