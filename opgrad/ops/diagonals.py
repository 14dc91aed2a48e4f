"""Built-in ops on diagonals, in `opgrad.ops.linalg`: diagonal, trace."""

from __future__ import annotations

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops._matrices import diagonal_mask
from opgrad.ops.indexing import IndexList, getitem_transpose
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_SAMPLES = (
    sample(uniform((3, 3))),
    sample(uniform((2, 4)), offset=1),
    sample(uniform((4, 2)), offset=-2),
    sample(uniform((2, 3, 2)), offset=-1),
    sample([[1.0 + 2.0j, 0.5], [1.0j, -1.0]]),
)


@op(linear=True, symbol="diag", samples=_SAMPLES)
def diagonal(xp, x, *, offset=0):
    """yᵢ = xᵢ,ᵢ₊ₒ, the diagonals of a batch of matrices: those of the last two axes."""
    return xp.linalg.diagonal(x, offset=offset)


@diagonal.backward("x")
def diagonal_backward(g, x, offset):
    """g on that diagonal, zeros elsewhere."""
    count = shape_of(g)[-1]
    rows, columns = (
        IndexList(tuple(range(start, start + count))) for start in (max(-offset, 0), max(offset, 0))
    )

    return getitem_transpose(g, x, key=(Ellipsis, rows, columns))


@op(linear=True, symbol="tr", samples=_SAMPLES)
def trace(xp, x, *, offset=0, dtype=None):
    """tr x = Σᵢ xᵢ,ᵢ₊ₒ, the sum of the diagonal of each matrix: of the last two axes."""
    return xp.linalg.trace(x, offset=offset, dtype=dtype)


@trace.backward("x")
def trace_backward(xp, g, x, offset):
    """g in each entry of that diagonal, zeros elsewhere."""
    return xp.where(diagonal_mask(xp, x, offset), xp.reshape(g, (*shape_of(g), 1, 1)), 0.0)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops on diagonals."""
    return (diagonal, trace)
