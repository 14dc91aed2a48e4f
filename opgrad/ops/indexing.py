"""Built-in ops that pick entries: `v[...]`, take, take_along_axis, and their transposes.

A key is kept as a template: a tuple of integers, None, Ellipsis, and the markers below, which are
hashable. Index arrays are operands, so that a graph shows them; they carry no derivative.
"""

from __future__ import annotations

import operator
from typing import Any

import attrs

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]]
_CUBE = uniform((2, 3, 4))
_SHORT_KEYS = {
    "array-api": "a key may leave out the last axes, as in NumPy; the standard wants an ellipsis",
}


@attrs.frozen
class Slice:
    """A slice within a template (Python 3.11 cannot hash slices)."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


@attrs.frozen
class IndexArray:
    """The place of index array number `number` within a template."""

    number: int


@attrs.frozen
class IndexList:
    """A list of integers or booleans, as one writes in `v[[0, 2]]`, within a template."""

    items: tuple[Any, ...]


# ------------------------------------------------------------------------- entries by a key


@op(
    linear=True,
    nondiff=("i0", "i1", "i2", "i3"),
    operator="[]",
    expected_failures=_SHORT_KEYS,
    samples=(
        sample(_MATRIX, key=(1,)),
        sample(_MATRIX, key=(slice(None), slice(None, None, -2))),
        sample(_CUBE, key=(Ellipsis, None, -1)),
        sample(_CUBE, key=(0, slice(1, None))),
        sample(_MATRIX, [0, 1, 1, 0, 1], key=(IndexArray(0),)),
        sample(_MATRIX, [[0, -1], [1, 1]], [2, 2], key=(IndexArray(0), IndexArray(1))),
        sample(_CUBE, [2, 2, 0], key=(0, slice(None), IndexArray(0))),
        sample(_MATRIX, [[True, False, True], [False, True, True]], key=(IndexArray(0),)),
        sample(_MATRIX, [True, False], key=(IndexArray(0), slice(0, 2))),
        sample(_MATRIX, key=(slice(None), [0, 0, 2])),
        sample(_MATRIX, key=()),
    ),
)
def getitem(x, i0=None, i1=None, i2=None, i3=None, *, key):
    """x[key], with integers, slices, None, Ellipsis, and integer or boolean arrays, as in NumPy.

    An entry picked twice receives both gradients. A key holds at most four arrays.
    """
    return x[_thawed(key, (i0, i1, i2, i3))]


@getitem.arguments
def getitem_arguments(x, *indices, key=None):
    """`x[key]` is `getitem(x, key)`; a template goes in as `key=`, its arrays after x."""
    arrays: list[Any] = []
    if key is not None:
        arrays += [i for i in indices if i is not None]
    elif len(indices) == 1:
        key = indices[0]
    else:
        message = "it takes one key: v[i, j], or getitem(x, (i, j))"
        raise TypeError(message)
    template = _frozen(key if isinstance(key, tuple) else (key,), arrays)
    if len(arrays) > 4:
        message = f"a key holds at most four index arrays, this one {len(arrays)}"
        raise TypeError(message)

    return (x, *arrays), {"key": template}


@getitem.backward("x")
def getitem_backward(g, x, i0, i1, i2, i3, key):
    """g, added at the key to zeros of the shape of x."""
    return getitem_transpose.again((g, x, i0, i1, i2, i3), {"key": key})


@op(
    linear=True,
    nondiff=("x", "i0", "i1", "i2", "i3"),
    symbol="[]ᵀ",
    expected_failures=_SHORT_KEYS,
    samples=(
        sample([1.0, 2.0, 3.0], _MATRIX, key=(1,)),
        sample(uniform((5, 3)), _MATRIX, [0, 1, 1, 0, 1], key=(IndexArray(0),)),
        sample([[3.0, -1.0]], _MATRIX, [True, False], key=(IndexArray(0), Slice(0, 2))),
    ),
)
def getitem_transpose(xp, picked, x, i0=None, i1=None, i2=None, i3=None, *, key):
    """Zeros of the shape and type of x, with `picked` added at [key]: the transpose of `getitem`.

    An entry that the key names twice gets both. `key` is a template, as `getitem` keeps.
    """
    plain_key = _thawed(key, (i0, i1, i2, i3))
    if any(_may_repeat(xp, part) for part in plain_key):
        return xp.add_at(x, plain_key, picked)
    result = xp.zeros(shape_of(x), dtype=x.dtype)
    result[plain_key] = picked

    return result


@getitem_transpose.backward("picked")
def getitem_transpose_backward(g, i0, i1, i2, i3, key):
    """g[key]."""
    return getitem.again((g, i0, i1, i2, i3), {"key": key})


@getitem_transpose.jvp("picked")
def getitem_transpose_jvp(t, x, i0, i1, i2, i3, key):
    """The same of t, as an op: the forward fills an array, which nobody can differentiate."""
    return getitem_transpose.again((t, x, i0, i1, i2, i3), {"key": key})


# --------------------------------------------------------------------------------- templates


def _frozen(key, arrays):
    """The template of a key; index arrays are appended to `arrays`."""
    return tuple(_frozen_part(part, arrays) for part in key)


def _frozen_part(part, arrays):
    if part is None or part is Ellipsis or isinstance(part, (Slice, IndexArray, IndexList)):
        return part
    if isinstance(part, slice):
        return Slice(*(_bound(n) for n in (part.start, part.stop, part.step)))
    if isinstance(part, (list, tuple)):
        return IndexList(_as_items(part))
    if isinstance(part, bool) or getattr(part, "shape", None) is not None:
        arrays.append(part)

        return IndexArray(len(arrays) - 1)

    return operator.index(part)


def _bound(n):
    return None if n is None else operator.index(n)


def _as_items(part):
    if isinstance(part, (list, tuple)):
        return tuple(_as_items(item) for item in part)

    return part if isinstance(part, bool) else operator.index(part)


def _thawed(template, arrays):
    """The key that a template stands for."""
    return tuple(_thawed_part(part, arrays) for part in template)


def _thawed_part(part, arrays):
    if isinstance(part, Slice):
        return slice(part.start, part.stop, part.step)
    if isinstance(part, IndexArray):
        return arrays[part.number]
    if isinstance(part, IndexList):
        return _as_lists(part.items)

    return part


def _as_lists(items):
    return [_as_lists(item) if isinstance(item, tuple) else item for item in items]


def _may_repeat(xp, part):
    """Whether this part of a key can name an entry twice: integers in an array or a list."""
    if isinstance(part, list):
        return True

    return bool(shape_of(part)) and not xp.isdtype(part.dtype, "bool")


# --------------------------------------------------------------------- take, take_along_axis


@op(
    linear=True,
    nondiff="indices",
    methods=("take",),
    expected_failures={
        "array-api": "indices of several axes, as NumPy takes; the standard has one"
    },
    samples=(
        sample(_MATRIX, [2, 0, 2, 2], axis=1),
        sample(_MATRIX, [-1], axis=0),
        sample(_CUBE, [[2, 0], [1, 1]], axis=-2),
        sample(_MATRIX, [5, 0, 5]),
    ),
)
def take(xp, x, indices, *, axis=None):
    """The entries of x at `indices` along `axis` (None: of x flattened)."""
    if axis is None:
        x, axis = xp.reshape(x, (-1,)), 0

    return xp.take(x, indices, axis=axis)


@take.backward("x")
def take_backward(xp, g, x, indices, axis):
    """g, added at the indices to zeros of the shape of x."""
    if axis is None:
        flat = xp.reshape(x, (-1,))

        return xp.reshape(
            getitem_transpose(g, flat, indices, key=(IndexArray(0),)),
            shape_of(x),
        )
    before = (Slice(),) * (axis % len(shape_of(x)))

    return getitem_transpose(g, x, indices, key=(*before, IndexArray(0)))


@op(
    linear=True,
    nondiff="indices",
    samples=(
        sample(_MATRIX, [[2, 0, 2, 2], [0, 1, 1, -1]]),
        sample(_MATRIX, [[1, 0, 1]], axis=0),
        sample(_CUBE, [[[1, 1, 0, 2]], [[0, 2, 1, 1]]], axis=1),
    ),
)
def take_along_axis(xp, x, indices, *, axis=-1):
    """For each vector along `axis`, its entries at the indices that lie along it.

    What `argmax(x, axis=a, keepdims=True)` and `argsort` give are such indices.
    """
    return xp.take_along_axis(x, indices, axis=axis)


@take_along_axis.backward("x")
def take_along_axis_backward(g, x, indices, axis):
    """g, added at the indices to zeros of the shape of x."""
    return take_along_axis_transpose(g, x, indices, axis=axis)


@op(
    linear=True,
    nondiff=("x", "indices"),
    symbol="take_along_axisᵀ",
    samples=(sample(uniform((2, 4)), _MATRIX, [[2, 0, 2, 2], [0, 1, 1, -1]]),),
)
def take_along_axis_transpose(xp, picked, x, indices, *, axis=-1):
    """Zeros like x with `picked` added at the indices: the transpose of `take_along_axis`."""
    shape = shape_of(x)
    along = axis % len(shape)
    key = tuple(
        indices if i == along else xp.reshape(xp.arange(n), _in_axis(i, len(shape)))
        for i, n in enumerate(shape)
    )

    return xp.add_at(x, key, picked)


@take_along_axis_transpose.backward("picked")
def take_along_axis_transpose_backward(xp, g, indices, axis):
    """The entries of g at the indices."""
    return xp.take_along_axis(g, indices, axis=axis)


@take_along_axis_transpose.jvp("picked")
def take_along_axis_transpose_jvp(t, x, indices, axis):
    """The same of t, as an op: the forward fills an array, which nobody can differentiate."""
    return take_along_axis_transpose(t, x, indices, axis=axis)


def _in_axis(axis, ndim):
    """The shape of a vector that lies along `axis`."""
    return (1,) * axis + (-1,) + (1,) * (ndim - axis - 1)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops that pick entries, and their transposes."""
    return (getitem, getitem_transpose, take, take_along_axis, take_along_axis_transpose)
