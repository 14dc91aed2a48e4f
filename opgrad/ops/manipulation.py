"""Built-in ops that change shape or type and compute nothing: reshape, stack, split, and so on."""

from __future__ import annotations

import operator

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops.inspection import check_device
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]]
_CUBE = uniform((2, 3, 2))


# ---------------------------------------------------------------------------------- one array


@op(
    methods=("reshape",),
    samples=(
        sample(_MATRIX, shape=(3, 2)),
        sample(_MATRIX, shape=(-1,)),
        sample([2.0], shape=()),
        sample(2.0, shape=()),
        sample([], shape=(0, 3)),
    ),
)
def reshape(xp, x, *, shape, copy=None):
    """x in another shape, entries in the order they lie; one length may be -1, found from the rest.

    `reshape(x, (2, 3))`, and as a method also `v.reshape(2, 3)`. With `copy` False memory must be
    shared, with True it is not.
    """
    if copy is None or not hasattr(x, "dtype"):
        return xp.reshape(x, shape)

    return xp.reshape(x, shape, copy=copy)


@reshape.arguments
def reshape_arguments(x, shape, *lengths, copy=None):
    """`reshape(x, 2, 3)` is `reshape(x, (2, 3))`; lengths may be arrays without axes."""
    if lengths or not isinstance(shape, tuple | list):
        shape = (shape, *lengths)

    return (x,), {"shape": tuple(map(operator.index, shape)), "copy": copy}


@reshape.backward("x")
def reshape_backward(xp, g, x):
    """g in the shape of x."""
    return xp.reshape(g, shape_of(x))


@reshape.jvp("x")
def reshape_jvp(xp, t, y):
    """t in the shape of y; `copy` was for the forward alone."""
    return xp.reshape(t, shape_of(y))


@op(linear=True, methods=("ravel", "flatten"), samples=(sample(_MATRIX), sample([1.0, 2.0])))
def ravel(xp, x):
    """x in one dimension, entries in the order they lie."""
    return xp.reshape(x, (-1,))


@ravel.backward("x")
def ravel_backward(xp, g, x):
    """g in the shape of x."""
    return xp.reshape(g, shape_of(x))


@op(
    linear=True,
    samples=(sample(_MATRIX, axis=0), sample(_MATRIX, axis=-1), sample(_MATRIX, axis=(0, 2))),
)
def expand_dims(xp, x, *, axis):
    """x with a new axis of length one at `axis` (or at each of several); 0 unless given."""
    return xp.expand_dims(x, axis=axis)


@expand_dims.arguments
def expand_dims_arguments(x, axis=0):
    """`axis` may follow x, and is 0 where it is not given."""
    return (x,), {"axis": axis}


@expand_dims.backward("x")
def expand_dims_backward(xp, g, x):
    """g in the shape of x."""
    return xp.reshape(g, shape_of(x))


@op(
    linear=True,
    methods=("squeeze",),
    samples=(
        sample([[[1.0], [2.0]]]),
        sample([[[1.0], [2.0]]], axis=0),
        sample([[[1.0], [2.0]]], axis=(0, -1)),
        sample([[1.0]]),
        sample(2.0),
    ),
)
def squeeze(xp, x, *, axis=None):
    """x without the axes of length one in `axis` (None: without any of length one)."""
    if axis is None:
        return xp.reshape(x, tuple(n for n in shape_of(x) if n != 1))

    return xp.squeeze(x, axis=axis)


@squeeze.backward("x")
def squeeze_backward(xp, g, x):
    """g in the shape of x."""
    return xp.reshape(g, shape_of(x))


@op(
    linear=True,
    broadcasts=True,
    samples=(
        sample([1.0, 2.0, 3.0], shape=(2, 3)),
        sample([[1.0], [2.0]], shape=(3, 2, 2)),
        sample([[1.0], [2.0]], shape=(2, 0)),
        sample(2.0, shape=()),
    ),
)
def broadcast_to(xp, x, *, shape):
    """x repeated along axes of length one, and along new ones in front, to `shape`."""
    return xp.broadcast_to(x, shape)


@broadcast_to.backward("x")
def broadcast_to_backward(g):
    """g; the engine sums out the repeats."""
    return g


@op(
    linear=True,
    methods=("astype",),
    samples=(sample([0.5, -2.0], dtype=float), sample([0.5, -2.0], dtype=float, copy=False)),
)
def astype(xp, x, *, dtype, copy=True, device=None):
    """x with entries of type `dtype`. The gradient is that of x, in the type of x.

    With `copy` False memory is shared where the type is that already.
    """
    check_device(device)

    if copy or not hasattr(x, "dtype"):
        return xp.astype(x, dtype)

    return xp.astype(x, dtype, copy=False)


@astype.backward("x")
def astype_backward(g):
    """g; the engine gives it the type of x."""
    return g


# -------------------------------------------------------------------------- several arrays


@op(
    linear="jointly",
    numpy=("concatenate",),
    samples=(
        sample([1.0, 2.0, 3.0], [4.0, 5.0]),
        sample(_MATRIX, [[1.0, 2.0, 3.0]], axis=0),
        sample(_MATRIX, [[1.0], [2.0]], _MATRIX, axis=-1),
        sample(_MATRIX, [5.0], axis=None),
    ),
)
def concat(xp, *arrays, axis):
    """The arrays one after the other along `axis` (None: each flattened): `concat([a, b])`.

    `axis` is 0 unless given.
    """
    return xp.concat(arrays, axis=axis)


@concat.backward
def concat_backward(xp, g, arrays, axis):
    """Each array's part of g."""
    if axis is None:
        parts = _parts(g, [_size(x) for x in arrays], 0)

        return tuple(xp.reshape(part, shape_of(x)) for part, x in zip(parts, arrays, strict=True))
    axis %= len(shape_of(g))

    return _parts(g, [shape_of(x)[axis] for x in arrays], axis)


@op(
    linear="jointly",
    samples=(
        sample([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]),
        sample(_MATRIX, _MATRIX, axis=1),
        sample(_MATRIX, _MATRIX, axis=-1),
    ),
)
def stack(xp, *arrays, axis):
    """The arrays, all of one shape, along a new axis: `stack([a, b])`; axis 0 unless given."""
    return xp.stack(arrays, axis=axis)


@stack.backward
def stack_backward(g, arrays, axis):
    """Each array's part of g."""
    before = (slice(None),) * (axis % len(shape_of(g)))

    return tuple(g[(*before, i, ...)] for i in range(len(arrays)))


@concat.arguments
@stack.arguments
def list_arguments(arrays, *rest, axis=0):
    """The arrays come as one list or tuple, or one by one; `axis`, if not given, is 0."""
    if isinstance(arrays, list | tuple):
        return tuple(arrays), {"axis": rest[0] if rest else axis}
    if not rest:
        message = "the arrays come in a list: op([a, b], axis=0)"
        raise TypeError(message)

    return (arrays, *rest), {"axis": axis}


@op(
    linear=True,
    outputs="many",
    samples=(
        sample([1.0, 2.0, 3.0, 4.0], sections=2),
        sample(uniform((2, 6)), sections=3, axis=1),
        sample(uniform((5, 2)), sections=(1, 3), axis=0),
        sample([1.0, 2.0, 3.0], sections=(0, 2)),
    ),
)
def split(xp, x, *, sections, axis=0):
    """x cut along `axis`, as `numpy.split` does: a tuple of arrays.

    `sections` is a number of equal parts, or the indices at which to cut.
    """
    return tuple(xp.split(x, sections, axis=axis))


@split.backward
def split_backward(xp, g, axis):
    """The gradients of the parts, put together again."""
    return xp.concat(g, axis=axis)


def _parts(g, lengths, axis):
    """`g` cut along `axis` into parts of these lengths."""
    before = (slice(None),) * axis
    parts, start = [], 0
    for n in lengths:
        parts.append(g[(*before, slice(start, start + n), ...)])
        start += n

    return tuple(parts)


def _size(x):
    size = 1
    for n in shape_of(x):
        size *= n

    return size


# ------------------------------------------------------------------------- constants of a shape


@op(nondiff=True, samples=(sample(_MATRIX), sample(2.0)))
def zeros_like(xp, x, *, dtype=None, device=None):
    """Zeros of the shape and (unless given) the type of x: a constant."""
    check_device(device)

    return xp.zeros_like(x) if dtype is None else xp.zeros_like(x, dtype=dtype)


@op(nondiff=True, samples=(sample(_MATRIX), sample(2.0)))
def ones_like(xp, x, *, dtype=None, device=None):
    """Ones of the shape and (unless given) the type of x: a constant."""
    check_device(device)

    return xp.ones_like(x) if dtype is None else xp.ones_like(x, dtype=dtype)


@op(
    nondiff=("x",),
    linear=True,
    broadcasts=True,
    expected_failures={"array-api": "the fill value is an operand; that of the standard a number"},
    samples=(sample(_MATRIX, 3.0), sample(2.0, 0.5)),
)
def full_like(xp, x, fill_value, *, dtype=None, device=None):
    """`fill_value` in every entry, in the shape and (unless given) the type of x."""
    check_device(device)
    if dtype is None:
        return xp.full_like(x, fill_value)

    return xp.full_like(x, fill_value, dtype=dtype)


@full_like.backward("fill_value")
def full_like_backward(g):
    """g; the engine sums over the entries."""
    return g


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops that change shape or type."""
    return (
        reshape,
        ravel,
        expand_dims,
        squeeze,
        broadcast_to,
        astype,
        concat,
        stack,
        split,
        zeros_like,
        ones_like,
        full_like,
    )
