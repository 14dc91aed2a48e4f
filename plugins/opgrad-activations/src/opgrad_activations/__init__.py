"""Activation functions for opgrad, in the namespace `activations`.

Example:
    >>> import opgrad
    >>> opgrad.ops.activations.hardtanh(3.0)
    1.0
    >>> opgrad.grad(opgrad.ops.activations.softsign)(1.0)
    0.25
"""

from __future__ import annotations

import opgrad
from opgrad_activations import (
    exponential,
    gated,
    normalised,
    periodic,
    rectifiers,
    saturating,
    self_gated,
    shrinkage,
    smooth,
)

FAMILIES = (
    rectifiers,
    exponential,
    smooth,
    saturating,
    self_gated,
    shrinkage,
    periodic,
    normalised,
    gated,
)


@opgrad.hookimpl
def opgrad_ops():
    """Return every op of every family."""
    return tuple(op for family in FAMILIES for op in family.OPS)
