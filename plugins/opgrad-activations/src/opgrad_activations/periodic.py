"""Periodic functions: for targets that repeat."""

from __future__ import annotations

from opgrad import elementwise, sample, uniform
from opgrad_activations.checks import check_positive


@elementwise(
    symbol="snake",
    # Both signs, a far point, a fast wave.
    samples=(
        sample(0.5),
        sample(-2.0),
        sample(100.0),
        sample(-0.5, a=5.0),
        sample(uniform((2, 3))),
    ),
)
def snake(xp, x, *, a=1.0):
    """Return x + sin(a x)^2 / a.

    Source: Ziyin, Hartwig, Ueda 2020, arXiv:2006.08195.
    """
    check_positive("snake", a=a)

    return x + xp.square(xp.sin(a * x)) / a


@snake.derivative
def snake_derivative(xp, x, *, a):
    """Return (sin(a x) + cos(a x))^2, which is 1 + sin(2 a x) and never negative."""
    return xp.square(xp.sin(a * x) + xp.cos(a * x))


OPS = (snake,)
