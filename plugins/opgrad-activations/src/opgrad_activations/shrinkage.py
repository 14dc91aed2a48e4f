"""Shrinkage functions: what is small becomes smaller, or zero."""

from __future__ import annotations

from opgrad import elementwise, sample, uniform
from opgrad_activations.checks import check_not_negative


@elementwise(
    symbol="tanhshrink",
    # Near zero, where x and tanh(x) cancel, on both sides of 1, and far out.
    samples=(
        sample(0.5),
        sample(-0.01),
        sample(-3.0),
        sample(800.0),
        sample(uniform((2, 3))),
    ),
)
def tanhshrink(xp, x):
    """Return x - tanh(x).

    Source: the module TanhShrink of Lua Torch (Collobert, Kavukcuoglu, Farabet 2011).
    """
    return xp.where(xp.abs(x) > 1.0, x - xp.tanh(x), tanhshrink_near_zero(xp, x))


@tanhshrink.derivative
def tanhshrink_derivative(xp, x):
    """Return tanh(x)^2."""
    return xp.square(xp.tanh(x))


def tanhshrink_near_zero(xp, x):
    """Return x f / (1 + f), where f = x^2 / (3 + x^2 / (5 + x^2 / (7 + ...))).

    This is Lambert's continued fraction, tanh(x) = x / (1 + f): no term is negative, so nothing
    cancels. For |x| up to 1 nine terms leave an error below 1e-17.
    """
    near = xp.where(xp.abs(x) > 1.0, 0.0, x)
    square = near * near
    fraction = square / 19.0
    for odd in (17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
        fraction = square / (odd + fraction)

    return near * fraction / (1.0 + fraction)


@elementwise(
    symbol="softshrink",
    kinks={-0.5: 0.0, 0.5: 0.0},
    # All three pieces, and a wider gap.
    samples=(
        sample(0.2),
        sample(-1.5),
        sample(3.0),
        sample(1.5, lambd=2.0),
        sample(uniform((2, 3))),
    ),
)
def softshrink(xp, x, *, lambd=0.5):
    """Return x moved towards zero by lambd, and 0 from there on.

    Source: Donoho 1995, De-noising by soft-thresholding.
    Kinks: at lambd and -lambd the derivative is 0, that of the flat side.
    """
    check_not_negative("softshrink", lambd=lambd)

    return x - xp.clip(x, -lambd, lambd)


@softshrink.derivative
def softshrink_derivative(xp, x, *, lambd):
    """Return 1 where |x| is above lambd, else 0."""
    return xp.where(xp.abs(x) > lambd, xp.ones_like(x), 0.0)


@elementwise(
    symbol="hardshrink",
    kinks={-0.5: 0.0, 0.5: 0.0},
    # All three pieces, and a wider gap.
    samples=(
        sample(0.2),
        sample(-1.5),
        sample(3.0),
        sample(1.5, lambd=2.0),
        sample(uniform((2, 3))),
    ),
)
def hardshrink(xp, x, *, lambd=0.5):
    """Return x where |x| is above lambd, else 0.

    Source: Donoho, Johnstone 1994, Ideal spatial adaptation by wavelet shrinkage.
    Kinks: at lambd and -lambd, where the function jumps, the derivative is 0, that of the flat
    side.
    """
    check_not_negative("hardshrink", lambd=lambd)

    return xp.where(xp.abs(x) <= lambd, 0.0, x)


@hardshrink.derivative
def hardshrink_derivative(xp, x, *, lambd):
    """Return 1 where |x| is above lambd, else 0."""
    return xp.where(xp.abs(x) > lambd, xp.ones_like(x), 0.0)


OPS = (tanhshrink, softshrink, hardshrink)
