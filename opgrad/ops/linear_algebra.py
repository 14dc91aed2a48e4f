"""Built-in ops on vectors and matrices: matmul, outer, and what transposes."""

from __future__ import annotations

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX_2_3 = uniform((2, 3))
_CUBE = uniform((2, 3, 2))


# ----------------------------------------------------------------------------------- products


@op(
    linear=True,
    broadcasts=True,
    operator="@",
    methods=("matmul",),
    samples=(
        sample(_MATRIX_2_3, uniform((3, 4))),
        sample(uniform((3,)), uniform((3,), seed=1)),
        sample(_MATRIX_2_3, uniform((3,))),
        sample(uniform((2,)), _MATRIX_2_3),
        sample(_CUBE, uniform((2, 2, 3))),
        sample(_CUBE, uniform((2, 4))),
        sample(_MATRIX_2_3, _CUBE),
        sample(_CUBE, uniform((2,))),
        sample(uniform((3,)), _CUBE),
        sample(uniform((2, 1, 2, 3)), uniform((3, 3, 1))),
    ),
)
def matmul(xp, a, b):
    """(a @ b)ᵢⱼ = Σₖ aᵢₖ·bₖⱼ, the product of matrices.

    Axes before the last two are a batch and broadcast. A 1-d operand is a row on the left, a
    column on the right, and its axis is not in the result.
    """
    return xp.matmul(a, b)


@matmul.backward("a")
def matmul_backward_a(xp, g, a, b):
    """g @ bᵀ; the engine sums over the batch where only b has one."""
    if len(shape_of(b)) == 1:
        column = g if len(shape_of(a)) == 1 else xp.expand_dims(g, axis=-1)

        return column * b
    if len(shape_of(a)) == 1:
        return xp.squeeze(xp.matmul(b, xp.expand_dims(g, axis=-1)), axis=-1)

    return xp.matmul(g, xp.matrix_transpose(b))


@matmul.backward("b")
def matmul_backward_b(xp, g, a, b):
    """aᵀ @ g; a batch that b lacks is summed over within one product."""
    if len(shape_of(a)) == 1:
        if len(shape_of(b)) == 1:
            return g * a

        return xp.expand_dims(a, axis=-1) * xp.expand_dims(g, axis=-2)
    if len(shape_of(b)) == 1:
        g = xp.expand_dims(g, axis=-1)
    if len(shape_of(b)) <= 2 < len(shape_of(a)):  # b is a matrix, a is a batch
        a = _rows(xp, a)
        g = _rows(xp, g)
    gradient = xp.matmul(xp.matrix_transpose(a), g)

    return xp.squeeze(gradient, axis=-1) if len(shape_of(b)) == 1 else gradient


def _rows(xp, x):
    """All rows of a batch of matrices as one matrix."""
    *batch, columns = shape_of(x)
    count = 1
    for n in batch:
        count *= n

    return xp.reshape(x, (count, columns))


@op(
    linear=True,
    methods=("outer",),
    samples=(sample([1.0, -2.0], [0.5, 3.0, 2.0]), sample([1.5], [2.0]), sample([], [1.0, 2.0])),
)
def outer(xp, a, b):
    """(a ⊗ b)ᵢⱼ = aᵢ·bⱼ, the outer product of vectors; other arrays are flattened, as in NumPy."""
    return xp.reshape(a, (-1, 1)) * xp.reshape(b, (1, -1))


@outer.backward("a")
def outer_backward_a(xp, g, a, b):
    """g @ b."""
    return xp.reshape(xp.matmul(g, xp.reshape(b, (-1,))), shape_of(a))


@outer.backward("b")
def outer_backward_b(xp, g, a, b):
    """a @ g."""
    return xp.reshape(xp.matmul(xp.reshape(a, (-1,)), g), shape_of(b))


# --------------------------------------------------------------------------------- transposes


@op(
    linear=True,
    methods=("matrix_transpose",),
    properties=("mT",),
    samples=(sample(_MATRIX_2_3), sample(_CUBE)),
)
def matrix_transpose(xp, x):
    """xᵀ, the last two axes exchanged: `v.mT`."""
    return xp.matrix_transpose(x)


@matrix_transpose.backward("x")
def matrix_transpose_backward(xp, g):
    """gᵀ."""
    return xp.matrix_transpose(g)


@op(
    linear=True,
    methods=("permute_dims",),
    samples=(sample(_CUBE, axes=(2, 0, 1)), sample(_CUBE, axes=(-1, 1, 0)), sample(2.0, axes=())),
)
def permute_dims(xp, x, *, axes):
    """x with its axes in the order `axes`: axis i of the result is axis `axes[i]` of x."""
    return xp.permute_dims(x, axes)


@permute_dims.backward("x")
def permute_dims_backward(xp, g, axes):
    """g with its axes put back."""
    return xp.permute_dims(g, _inverse(axes))


@op(
    linear=True,
    methods=("transpose",),
    properties=("T",),
    samples=(
        sample(_MATRIX_2_3),
        sample(_CUBE),
        sample(_CUBE, axes=(1, 0, 2)),
        sample([1.0, 2.0]),
        sample(2.0),
    ),
)
def transpose(xp, x, *, axes=None):
    """x with its axes in the order `axes`, or reversed: `v.transpose(1, 0)`, or `v.T`.

    For a matrix `v.T` is the Array API's `T`. That standard leaves other shapes open; here they
    are as in NumPy: a vector is its own transpose, and of more axes all are reversed. `v.mT`
    exchanges the last two only.
    """
    return xp.permute_dims(x, _order(x, axes))


@transpose.arguments
def transpose_arguments(x, *order, axes=None):
    """`transpose(x, 1, 0)` is `transpose(x, (1, 0))`."""
    if order:
        axes = order[0] if len(order) == 1 and not isinstance(order[0], int) else order

    return (x,), {"axes": axes}


@transpose.backward("x")
def transpose_backward(xp, g, axes):
    """g with its axes put back."""
    return xp.permute_dims(g, _inverse(_order(g, axes)))


def _order(x, axes):
    return tuple(range(len(shape_of(x))))[::-1] if axes is None else axes


def _inverse(axes):
    """The permutation that undoes `axes`."""
    order = tuple(i % len(axes) for i in axes)

    return tuple(order.index(i) for i in range(len(order)))


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops on vectors and matrices."""
    return (matmul, outer, matrix_transpose, permute_dims, transpose)
