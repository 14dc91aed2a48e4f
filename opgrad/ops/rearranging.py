"""Built-in ops that put entries in other places: flip, roll, repeat, tile, pad, meshgrid, tril."""

from __future__ import annotations

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops.indexing import IndexArray, Slice, getitem_transpose
from opgrad.ops.inspection import library
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]]
_CUBE = uniform((2, 3, 4))


# ----------------------------------------------------------------------------- the order of entries


@op(
    linear=True,
    samples=(
        sample([1.0, 2.0, 3.0]),
        sample(_MATRIX),
        sample(_MATRIX, axis=0),
        sample(_CUBE, axis=(0, -1)),
        sample([]),
    ),
)
def flip(xp, x, *, axis=None):
    """x with its entries in reverse order along `axis` (one, several, or None: all)."""
    return xp.flip(x, axis=axis)


@flip.backward("x")
def flip_backward(xp, g, axis):
    """g, turned back."""
    return xp.flip(g, axis=axis)


@op(
    linear=True,
    samples=(
        sample([1.0, 2.0, 3.0], shift=1),
        sample(_MATRIX, shift=-2),
        sample(_MATRIX, shift=4, axis=1),
        sample(_CUBE, shift=(1, -1), axis=(0, 2)),
        sample(_MATRIX, shift=2, axis=(0, 1)),
    ),
)
def roll(xp, x, *, shift, axis=None):
    """x with its entries moved on by `shift` along `axis`; what falls off comes in at the front.

    With axis None the entries move in the order they lie. Several axes take a shift each, or one.
    """
    return xp.roll(x, shift, axis=axis)


@roll.backward("x")
def roll_backward(xp, g, shift, axis):
    """g, moved back."""
    back = tuple(-n for n in shift) if isinstance(shift, tuple) else -shift

    return xp.roll(g, back, axis=axis)


# -------------------------------------------------------------------------------- the order of axes


@op(
    linear=True,
    samples=(
        sample(_CUBE, source=0, destination=-1),
        sample(_CUBE, source=(0, 1), destination=(-1, 0)),
    ),
)
def moveaxis(xp, x, *, source, destination):
    """x with the axes `source` moved to the places `destination`; the others keep their order."""
    return xp.moveaxis(x, source, destination)


@moveaxis.backward("x")
def moveaxis_backward(xp, g, source, destination):
    """g with its axes moved back."""
    return xp.moveaxis(g, destination, source)


@op(linear=True, methods=("swapaxes",), samples=(sample(_CUBE, axis1=0, axis2=-1),))
def swapaxes(xp, x, *, axis1, axis2):
    """x with two of its axes exchanged."""
    return xp.permute_dims(x, _swapped(x, axis1, axis2))


@swapaxes.backward("x")
def swapaxes_backward(xp, g, axis1, axis2):
    """g with the same axes exchanged."""
    return xp.permute_dims(g, _swapped(g, axis1, axis2))


def _swapped(x, axis1, axis2):
    order = list(range(len(shape_of(x))))
    order[axis1], order[axis2] = order[axis2], order[axis1]

    return tuple(order)


# ------------------------------------------------------------------------------------------- copies


@op(
    linear=True,
    nondiff=("repeats",),
    methods=("repeat",),
    samples=(
        sample([1.0, 2.0, 3.0], 2),
        sample(_MATRIX, 3, axis=1),
        sample(_MATRIX, 2),
        sample([1.0, 2.0, 3.0], [2, 0, 1]),
        sample(_MATRIX, [1, 2], axis=0),
        sample(_MATRIX, [2], axis=-1),
        sample(_CUBE, 0, axis=1),
    ),
)
def repeat(xp, x, repeats, *, axis=None):
    """x with each entry along `axis` (None: of x flattened) `repeats` times in its place.

    `repeats` is a number, or an array with one for each entry.
    """
    return xp.repeat(x, repeats, axis=axis)


@repeat.arguments
def repeat_arguments(x, repeats, axis=None):
    """`repeats` may be a list."""
    if isinstance(repeats, list | tuple):
        repeats = library().asarray(repeats)

    return (x, repeats), {"axis": axis}


@repeat.backward("x")
def repeat_backward(xp, g, x, repeats, axis):
    """Of each entry, the sum of g over its copies."""
    shape = shape_of(x)
    flat = _length(shape) if axis is None else None
    axis = 0 if axis is None else axis % len(shape)
    lengths = (flat,) if flat is not None else shape
    if isinstance(repeats, int):
        split = (*lengths[: axis + 1], repeats, *lengths[axis + 1 :])
        return xp.reshape(xp.sum(xp.reshape(g, split), axis=axis + 1), shape)
    places = xp.repeat(xp.arange(lengths[axis]), repeats)
    key = ((Slice(),) * axis) + (IndexArray(0),)

    return xp.reshape(getitem_transpose(g, xp.reshape(x, lengths), places, key=key), shape)


@op(
    linear=True,
    samples=(
        sample([1.0, 2.0, 3.0], repetitions=2),
        sample(_MATRIX, repetitions=(2, 3)),
        sample(_MATRIX, repetitions=(2, 1, 3)),
        sample(_CUBE, repetitions=(2,)),
        sample(2.0, repetitions=()),
        sample([1.0, 2.0], repetitions=(0,)),
    ),
)
def tile(xp, x, *, repetitions):
    """x laid out side by side, `repetitions` times along each axis, counted from the last axis."""
    counts = repetitions if isinstance(repetitions, tuple) else (repetitions,)

    return xp.tile(x, counts) if shape_of(x) or counts else x


@tile.backward("x")
def tile_backward(xp, g, x, repetitions):
    """The sum of g over the copies."""
    shape = shape_of(x)
    counts = repetitions if isinstance(repetitions, tuple) else (repetitions,)
    rank = max(len(shape), len(counts))
    counts = (1,) * (rank - len(counts)) + counts
    lengths = (1,) * (rank - len(shape)) + shape
    pairs = tuple(n for pair in zip(counts, lengths, strict=True) for n in pair)
    total = xp.sum(xp.reshape(g, pairs), axis=tuple(range(0, 2 * rank, 2))) if rank else g

    return xp.reshape(total, shape)


def _length(shape):
    """The number of entries."""
    length = 1
    for n in shape:
        length *= n

    return length


# -------------------------------------------------------------------------------------------- edges


@op(
    samples=(
        sample([1.0, 2.0], pad_width=((1, 2),)),
        sample(_MATRIX, pad_width=((1, 0), (0, 2)), constant_values=((5.0, 5.0), (1.0, 2.0))),
        sample(_MATRIX, pad_width=((0, 0), (0, 0))),
        sample(_MATRIX, pad_width=((1, 2), (2, 1)), mode="edge"),
        sample(_MATRIX, pad_width=((1, 1), (2, 1)), mode="reflect"),
        sample(_MATRIX, pad_width=((1, 3), (4, 1)), mode="symmetric"),
        sample(_MATRIX, pad_width=((3, 1), (2, 7)), mode="wrap"),
    ),
)
def pad(xp, x, *, pad_width, mode="constant", constant_values=None):
    """x with `pad_width` entries more before and after it along each axis, as `numpy.pad` has it.

    `pad_width` is a number, a pair for all axes, or a pair for each. The new entries are
    `constant_values` (0 unless given), or by `mode` copies of old ones: "edge" of the outermost,
    "reflect" and "symmetric" as in a mirror (without and with the outermost), "wrap" as if x went
    round.
    """
    if mode == "constant":
        return xp.pad(x, pad_width, constant_values=constant_values or 0)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        message = (
            f"there is no pad mode {mode!r} here; there are "
            "'constant', 'edge', 'reflect', 'symmetric' and 'wrap'"
        )
        raise ValueError(message)

    return xp.pad(x, pad_width, mode=mode)


@pad.arguments
def pad_arguments(x, pad_width, mode="constant", *, constant_values=None):
    """Widths come as a number, a pair, or a pair an axis, and are kept as the last; values too."""
    rank = len(shape_of(x))
    named = {"pad_width": _pairs(pad_width, rank), "mode": mode}
    if isinstance(constant_values, tuple | list) or hasattr(constant_values, "tolist"):
        constant_values = _pairs(constant_values, rank)

    return (x,), {**named, "constant_values": constant_values}


def _pairs(widths, rank):
    """One pair an axis, of whatever NumPy takes for it."""
    if isinstance(widths, dict):
        pairs = {axis % rank: pair for axis, pair in widths.items()}
        return tuple(_pairs(pairs.get(axis, 0), 1)[0] for axis in range(rank))
    if hasattr(widths, "tolist"):
        widths = widths.tolist()
    if not isinstance(widths, tuple | list):
        return ((widths, widths),) * rank
    rows = [tuple(row) if isinstance(row, tuple | list) else row for row in widths]
    if rows and not any(isinstance(row, tuple) for row in rows):
        rows = [tuple(rows)]
    rows = [row * 2 if len(row) == 1 else row for row in rows]

    return tuple(rows) * rank if len(rows) == 1 else tuple(rows)


@pad.backward("x")
def pad_backward(xp, g, x, pad_width, mode):
    """The part of g that is x's own, and, where the new entries are copies, what those received."""
    shape = shape_of(x)
    if mode == "constant":
        return g[tuple(slice(b, b + n) for n, (b, _) in zip(shape, pad_width, strict=True))]
    for axis in reversed(range(len(shape))):
        if pad_width[axis] != (0, 0):
            places = xp.pad(xp.arange(shape[axis]), (pad_width[axis],), mode=mode)
            before = (slice(None),) * axis
            like = g[(*before, slice(0, shape[axis]), ...)]  # only its shape and type matter
            key = ((Slice(),) * axis) + (IndexArray(0),)
            g = getitem_transpose(g, like, places, key=key)

    return g


@pad.jvp("x")
def pad_jvp(xp, t, pad_width, mode):
    """t with the same entries copied, or zeros where they are constant."""
    return xp.pad(t, pad_width, mode=mode)


@op(linear=True, samples=(sample(_MATRIX), sample(_MATRIX, k=1), sample(_CUBE, k=-1)))
def tril(xp, x, *, k=0):
    """The entries of each matrix on its k-th diagonal and below it; zeros above."""
    return xp.tril(x, k=k)


@tril.backward("x")
def tril_backward(xp, g, k):
    """The same part of g."""
    return xp.tril(g, k=k)


@op(linear=True, samples=(sample(_MATRIX), sample(_MATRIX, k=1), sample(_CUBE, k=-1)))
def triu(xp, x, *, k=0):
    """The entries of each matrix on its k-th diagonal and above it; zeros below."""
    return xp.triu(x, k=k)


@triu.backward("x")
def triu_backward(xp, g, k):
    """The same part of g."""
    return xp.triu(g, k=k)


# ----------------------------------------------------------------------------------- several arrays


@op(linear=True, outputs="many", samples=(sample(_MATRIX), sample(_CUBE, axis=-1)))
def unstack(xp, x, *, axis=0):
    """The arrays that lie along `axis`, without that axis: what `stack` puts together."""
    return tuple(xp.unstack(x, axis=axis))


@unstack.backward
def unstack_backward(xp, g, axis):
    """The gradients of the arrays, along the axis again."""
    return xp.stack(g, axis=axis)


@op(
    linear="jointly",
    outputs="many",
    broadcasts=True,
    samples=(
        sample([[1.0], [2.0]], [1.0, 2.0, 3.0]),
        sample(_MATRIX, 2.0, [[[1.0]]]),
        sample([1.0, 2.0]),
    ),
)
def broadcast_arrays(xp, *arrays):
    """Each array repeated, along axes of length one and new ones in front, to the shape of all."""
    return tuple(xp.broadcast_arrays(*as_arrays(xp, arrays)))


@broadcast_arrays.backward
def broadcast_arrays_backward(g):
    """g of each; the engine sums out the repeats."""
    return g


@op(
    linear="jointly",
    outputs="many",
    samples=(
        sample([1.0, 2.0, 3.0], [4.0, 5.0]),
        sample([1.0, 2.0], [4.0, 5.0, 6.0], [7.0], indexing="ij"),
        sample([1.0, 2.0], [4.0, 5.0, 6.0], [7.0]),
        sample([1.0, 2.0]),
    ),
)
def meshgrid(xp, *arrays, indexing="xy"):
    """The coordinates of a grid: array i of the result varies, along one axis, as vector i does.

    With "ij" that is axis i; with "xy" the first two change places.
    """
    return tuple(xp.meshgrid(*as_arrays(xp, arrays), indexing=indexing))


@meshgrid.backward
def meshgrid_backward(xp, g, arrays, indexing):
    """Of each vector, the sum over the axes it does not vary along."""
    rank = len(arrays)
    axes = list(range(rank))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    sums = [
        xp.sum(part, axis=tuple(i for i in range(rank) if i != axis))
        for part, axis in zip(g, axes, strict=True)
    ]

    return tuple(xp.reshape(s, shape_of(x)) for s, x in zip(sums, arrays, strict=True))


def as_arrays(xp, arrays):
    """The arrays, and Python numbers among them as arrays that promote none: numbers are weak."""
    if {hasattr(x, "dtype") for x in arrays} != {True, False}:
        return arrays  # of numbers alone `xp` makes nothing, and says so
    kind = xp.result_type(*arrays)

    return tuple(x if hasattr(x, "dtype") else xp.asarray(x, dtype=kind) for x in arrays)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops that put entries in other places."""
    return (
        flip,
        roll,
        moveaxis,
        swapaxes,
        repeat,
        tile,
        pad,
        tril,
        triu,
        unstack,
        broadcast_arrays,
        meshgrid,
    )
