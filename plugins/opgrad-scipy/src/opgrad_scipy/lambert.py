"""Lambert's function."""

from __future__ import annotations

from opgrad import elementwise, sample
from opgrad_scipy.special import evaluate_complex


@elementwise(
    numpy=("_lambertw",),
    samples=(sample(0.5 + 0.0j), sample(-2.0 + 1.0j), sample(0.3 - 0.2j, k=-1)),
)
def lambertw(z, *, k=0, tol=1e-8):
    """Return the W with W e^W = z on branch k: complex, also for real z, as in SciPy.

    The derivative is infinite at the branch point -1 / e.
    Source: DLMF §4.13.
    """
    return evaluate_complex("_lambertw", z, k, tol)


@lambertw.derivative
def lambertw_derivative(xp, y):
    """Return 1 / (e^W (1 + W)), finite also at z = 0."""
    return 1.0 / (xp.exp(y) * (1.0 + y))


@lambertw.arguments
def branch_as_number(z, k=0, tol=1e-8):
    """Take the branch as a number: SciPy makes an array of it."""
    return (z,), {"k": int(k), "tol": float(tol)}


OPS = (lambertw,)
