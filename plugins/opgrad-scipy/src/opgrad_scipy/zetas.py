"""The zeta functions of Riemann and Hurwitz."""

from __future__ import annotations

import math

from opgrad import elementwise, sample, uniform
from opgrad_scipy.special import evaluate, unavailable


@elementwise(
    numpy=("_zeta", "_riemann_zeta"),
    domain={"x": (1.0, math.inf), "q": (0.0, math.inf)},
    samples=(
        sample(2.0, 0.5),
        sample(3.5, 20.0),
        sample([2.0, 1.5], [0.7, 3.0]),
        sample(4.0, uniform((2, 3), 0.5, 3.0)),
    ),
)
def zeta(x, q=None):
    """Return the sum of (k + q)^-x for k = 0, 1, ..., Hurwitz's zeta; without q, Riemann's.

    Differentiable in q. Infinite at q = 0, -1, ...
    Source: DLMF §25.11, §25.2.
    """
    return evaluate("_riemann_zeta", x) if q is None else evaluate("_zeta", x, q)


@zeta.derivative("x")
def zeta_derivative_x():
    """Refuse."""
    raise unavailable("zeta", "x")


@zeta.derivative("q")
def zeta_derivative_q(x, q):
    """Return -x zeta(x + 1, q)."""
    return -x * zeta(x + 1.0, q)


OPS = (zeta,)
