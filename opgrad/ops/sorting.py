"""Order, and what is found by it: sort, argsort, searchsorted, unique values, isin, nonzero.

A sorted array is the same entries in other places, so its derivative is a permutation. Entries
that are equal keep their order. Places (indices, counts) carry no derivative.
"""

from __future__ import annotations

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops.indexing import IndexArray, getitem_transpose
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]]
_CUBE = uniform((2, 3, 4))


# ------------------------------------------------------------------------------ sort, argsort


@op(
    samples=(
        sample([3.0, -1.0, 2.0]),
        sample(_MATRIX, descending=True),
        sample(_MATRIX, axis=0),
        sample(_CUBE, axis=1, descending=True, stable=False),
        sample([]),
    ),
)
def sort(xp, x, *, axis=-1, descending=False, stable=True):
    """The entries of x in rising order along `axis`, or in falling order; NaN comes last in rising.

    Equal entries keep their order; the derivative sends each its own part.
    """
    y = xp.sort(x, axis=axis, stable=stable)

    return xp.flip(y, axis=axis) if descending else y


@sort.backward("x")
def sort_backward(xp, g, x, axis, descending):
    """The entries of g, each back in its place."""
    order = xp.argsort(_order(xp, x, axis, descending), axis=axis)

    return xp.take_along_axis(g, order, axis=axis)


@sort.jvp("x")
def sort_jvp(xp, t, x, axis, descending):
    """The entries of t, in the order of those of x."""
    return xp.take_along_axis(t, _order(xp, x, axis, descending), axis=axis)


@op(
    nondiff=True,
    methods=("argsort",),
    samples=(
        sample([3.0, -1.0, 2.0, -1.0]),
        sample([3.0, -1.0, 2.0, -1.0], descending=True),
        sample(_MATRIX, axis=0, stable=False),
    ),
)
def argsort(xp, x, *, axis=-1, descending=False, stable=True):
    """The indices that sort x along `axis`; of equal entries the first comes first."""
    if not descending:
        return xp.argsort(x, axis=axis, stable=stable)

    return _order(xp, x, axis, descending)


def _order(xp, x, axis, descending):
    """The indices that sort x, equal entries in the order they have, in either direction."""
    if not descending:
        return xp.argsort(x, axis=axis, stable=True)
    last = shape_of(x)[axis] - 1
    rising = xp.argsort(xp.flip(x, axis=axis), axis=axis, stable=True)

    return last - xp.flip(rising, axis=axis)


# -------------------------------------------------------------------------------- searchsorted


@op(
    nondiff=True,
    methods=("searchsorted",),
    samples=(
        sample([1.0, 2.0, 2.0, 3.0], [0.0, 2.0, 5.0]),
        sample([1.0, 2.0, 2.0, 3.0], [[2.0], [2.5]], side="right"),
        sample([3.0, 1.0, 2.0], [1.5, 3.0], [1, 2, 0]),
    ),
)
def searchsorted(xp, x1, x2, sorter=None, *, side="left"):
    """Where in the rising x1 each entry of x2 would stand, before its equals or (right) after.

    `searchsorted(x1, x2, side="left", sorter=None)`; x1 need not be sorted where `sorter` holds
    the indices that sort it.
    """
    return xp.searchsorted(x1, x2, side=side, sorter=sorter)


@searchsorted.arguments
def searchsorted_arguments(x1, x2, side="left", sorter=None):
    """`sorter` is an array, hence an operand; as in NumPy it is named, or comes after `side`."""
    if not isinstance(side, str):  # the operands by place, as a graph keeps them
        side, sorter = sorter or "left", side

    return (x1, x2, sorter), {"side": side}


# ------------------------------------------------------------------------------- unique entries


@op(
    samples=(
        sample([3.0, -1.0, 2.0]),
        sample([3.0, -1.0, 3.0, 3.0, -1.0]),
        sample([[0.5, 2.0], [2.0, 0.5]]),
        sample(_MATRIX),
        sample([]),
    ),
)
def unique_values(xp, x):
    """The values that occur in x, each once, in rising order; each NaN counts as a value.

    Entries of one value are tied, and share its derivative equally.
    """
    return xp.unique_all(x)[0]


@unique_values.backward("x")
def unique_values_backward(xp, g, x):
    """Of each entry: g of its value, shared among the entries of that value."""
    _, inverse, counts = unique_places(x)
    share = g / xp.astype(counts, g.dtype)

    return xp.reshape(xp.take(share, xp.reshape(inverse, (-1,)), axis=0), shape_of(x))


@unique_values.jvp("x")
def unique_values_jvp(xp, t, x, y):
    """Of each value: the mean of t over the entries of that value."""
    _, inverse, counts = unique_places(x)
    places = xp.reshape(inverse, (-1,))
    total = getitem_transpose(xp.reshape(t, (-1,)), y, places, key=(IndexArray(0),))

    return total / xp.astype(counts, t.dtype)


@op(nondiff=True, outputs=3, samples=(sample([3.0, -1.0, 3.0]), sample(_MATRIX)))
def unique_places(xp, x):
    """Of the unique values of x, in their rising order: where each is first, and how often it is.

    Three arrays: the index of the first occurrence in x flattened; of each entry of x the index of
    its value; and the counts.
    """
    found = xp.unique_all(x)

    return found[1], found[2], found[3]


@op(
    nondiff=True,
    expected_failures={"array-api": "the standard has it for integers alone, and NumPy for all"},
    samples=(
        sample([1.0, 2.0, 3.0], [2.0, 5.0]),
        sample(_MATRIX, [[2.0], [0.5]], invert=True),
        sample([1, 2, 3], [2]),
    ),
)
def isin(xp, x1, x2, *, invert=False):
    """Of each entry of x1, whether x2 has it (or, inverted, has it not)."""
    return xp.isin(x1, x2, invert=invert)


# ------------------------------------------------------------------------------ what is not zero


@op(
    nondiff=True,
    outputs="many",
    methods=("nonzero",),
    samples=(sample([0.0, 2.0, -1.0]), sample([[0.0, 1.0], [2.0, 0.0]])),
)
def nonzero(xp, x):
    """The indices of the entries that are not zero: one array an axis."""
    return tuple(xp.nonzero(x))


@op(nondiff=True, samples=(sample([0.0, 2.0, -1.0]), sample([[0.0, 1.0], [2.0, 3.0]], axis=1)))
def count_nonzero(xp, x, *, axis=None, keepdims=False):
    """How many entries over `axis` are not zero."""
    return xp.count_nonzero(x, axis=axis, keepdims=keepdims)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops that sort, search and count."""
    return (
        sort,
        argsort,
        searchsorted,
        unique_values,
        unique_places,
        isin,
        nonzero,
        count_nonzero,
    )
