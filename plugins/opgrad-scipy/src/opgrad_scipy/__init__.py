"""SciPy's special functions for opgrad, in the namespace `scipy`.

Example:
    >>> import opgrad
    >>> opgrad.ops.scipy.gammaln(1.0)
    0.0
    >>> opgrad.grad(opgrad.ops.scipy.ndtr)(0.0)
    0.3989422804014327
"""

from __future__ import annotations

import opgrad
from opgrad_scipy import (
    bessel,
    entropy,
    error,
    gammas,
    incomplete,
    integrals,
    lambert,
    logistic,
    losses,
    modified_bessel,
    normal,
    zetas,
)

FAMILIES = (
    error,
    normal,
    logistic,
    gammas,
    incomplete,
    entropy,
    losses,
    bessel,
    modified_bessel,
    integrals,
    zetas,
    lambert,
)


@opgrad.hookimpl
def opgrad_ops():
    """Return every op of every family."""
    return tuple(op for family in FAMILIES for op in family.OPS)
