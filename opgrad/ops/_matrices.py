"""Parts of matrices that the rules of linear algebra share; no op is defined here."""

from __future__ import annotations

import math

from opgrad.types import shape as shape_of


def adjoint(xp, x):
    """xᴴ, the transpose of the conjugate."""
    return xp.conj(xp.matrix_transpose(x))


def skew(xp, x):
    """(x - xᴴ)/2, the skew-Hermitian part."""
    return (x - adjoint(xp, x)) * 0.5


def hermitian(xp, x):
    """(x + xᴴ)/2. What is not Hermitian but for small errors is refused.

    A tenth of an entry, and a hundredth of the largest, pass as errors: finite differences do.
    """
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2] or 0 in shape:
        return x  # NumPy says what is wrong
    mirrored = adjoint(xp, x)
    if xp.all(x == mirrored):
        return x
    size, other = xp.abs(x), xp.abs(mirrored)
    allowed = 0.1 * xp.maximum(size, other) + 0.01 * xp.max(size, axis=(-2, -1), keepdims=True)
    if xp.any(xp.abs(x - mirrored) > allowed):
        message = (
            "the matrix is not Hermitian, and NumPy would read one triangle of it; "
            "to mean that, write tril(x) + conj(tril(x, k=-1)).mT"
        )
        raise ValueError(message)

    return (x + mirrored) * 0.5


def diagonal_mask(xp, x, offset=0):
    """True on a diagonal of each matrix of x, false elsewhere."""
    ones = xp.ones_like(x)

    return xp.tril(ones, k=offset) != xp.tril(ones, k=offset - 1)


def unless_free(xp, turn, gradients, d):
    """The gradient d, or NaN where the loss depends on what is a matter of choice.

    Columns of a factor turn among themselves by `turn`, as far as the gradients of that factor ask
    them to. What they ask beyond rounding makes the gradient one of no function of x.
    """
    asked = sum(_squares(xp, g) for g in gradients) * 1e-6

    return xp.where(_squares(xp, turn) > asked, math.nan, d)


def _squares(xp, x):
    """Σ |xᵢⱼ|² of each matrix."""
    size = xp.abs(x)

    return xp.sum(size * size, axis=(-2, -1), keepdims=True)
