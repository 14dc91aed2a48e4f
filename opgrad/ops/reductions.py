"""Built-in ops that reduce axes: sum, mean, prod, max, min, var, std, logsumexp, all, any, argmax.

`axis` is None (every axis), an int or a tuple of ints; with `keepdims` the reduced axes stay, with
length one. The axes are those of the Array API. A Python float has no axes: it reduces to itself.
"""

from __future__ import annotations

import math

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]]
_TIED = [[2.0, 1.0, 2.0], [-1.0, -1.0, -1.0]]
_AXES = (
    sample(0.75),
    sample(_MATRIX),
    sample(_MATRIX, axis=0),
    sample(_MATRIX, axis=-1, keepdims=True),
    sample(uniform((2, 3, 2)), axis=(0, 2)),
    sample([1.5], axis=0),
)


# ------------------------------------------------------------------------------- sum and mean


@op(linear=True, methods=("sum",), symbol="Σ", samples=(*_AXES, sample([])))
def sum_(xp, x, *, axis=None, dtype=None, keepdims=False):
    """Σ xᵢ, the sum over `axis`, of type `dtype` if given; 0 where there is nothing to add."""
    if dtype is None:
        return xp.sum(x, axis=axis, keepdims=keepdims)

    return xp.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)


@sum_.backward("x")
def sum_backward(xp, g, x, axis, keepdims):
    """g for each entry that was added."""
    return _stretched(xp, g, x, axis, keepdims)


@op(linear=True, methods=("mean",), samples=_AXES)
def mean(xp, x, *, axis=None, keepdims=False):
    """Σ xᵢ / n, the arithmetic mean over `axis`."""
    return xp.mean(x, axis=axis, keepdims=keepdims)


@mean.backward("x")
def mean_backward(xp, g, x, axis, keepdims):
    """g / n for each entry."""
    return _stretched(xp, g / max(_count(x, axis), 1), x, axis, keepdims)


# --------------------------------------------------------------------------------------- prod


@op(
    methods=("prod",),
    symbol="Π",
    samples=(
        *_AXES,
        sample([3.0, 0.0, 2.0]),
        sample([[3.0, 0.0, 2.0], [0.0, 0.0, 4.0], [1.0, 2.0, 5.0]], axis=1),
        sample([]),
    ),
)
def prod(xp, x, *, axis=None, dtype=None, keepdims=False):
    """Π xᵢ, the product over `axis`, of type `dtype` if given; 1 where nothing is to multiply.

    The derivative is the product of the other entries, found without dividing: it is right where
    entries are zero, and so are the derivatives of that.
    """
    if dtype is None:
        return xp.prod(x, axis=axis, keepdims=keepdims)

    return xp.prod(x, axis=axis, dtype=dtype, keepdims=keepdims)


@prod.backward("x")
def prod_backward(xp, g, x, axis, keepdims):
    """g · Π of the others."""
    return _spread(xp, g, x, axis, keepdims) * _others(xp, x, axis)


@prod.jvp("x")
def prod_jvp(xp, t, x, axis, keepdims):
    """Σ tᵢ · Π of the others."""
    return xp.sum(t * _others(xp, x, axis), axis=axis, keepdims=keepdims)


def _others(xp, x, axis):
    """For each entry, the product of the other entries over `axis`."""
    shape = shape_of(x)
    if not shape:
        return xp.ones_like(x)
    axes = _axes(axis, len(shape))
    order = axes + tuple(i for i in range(len(shape)) if i not in axes)
    moved = xp.permute_dims(x, order)
    rows = xp.reshape(moved, (_count(x, axis), *(shape[i] for i in order[len(axes) :])))
    others = xp.reshape(_other_rows(xp, rows), tuple(shape[i] for i in order))

    return xp.permute_dims(others, tuple(order.index(i) for i in range(len(shape))))


def _other_rows(xp, rows):
    """For each row, the product of the other rows: pairs up and down a tree, n·log n in all.

    The rows of the first half are paired with those of the second. The others of a row are its
    partner and the others of the pair.
    """
    n = shape_of(rows)[0]
    if n < 2:
        return xp.ones_like(rows)
    half = n // 2
    first, second = rows[:half, ...], rows[half : 2 * half, ...]
    pairs = first * second
    last = rows[2 * half :, ...]  # one row where n is odd, else none
    others = _other_rows(xp, xp.concat([pairs, last], axis=0))
    beside = others[:half, ...]

    return xp.concat([beside * second, beside * first, others[half:, ...]], axis=0)


# ------------------------------------------------------------------------------- max and min


@op(methods=("max",), numpy=("amax",), samples=(*_AXES, sample(_TIED, axis=1), sample(_TIED)))
def max_(xp, x, *, axis=None, keepdims=False):
    """max xᵢ, the largest entry over `axis`; NaN if one is NaN.

    Tied entries share the derivative equally.
    """
    return xp.max(x, axis=axis, keepdims=keepdims)


@max_.backward("x")
def max_backward(xp, g, x, y, axis, keepdims):
    """g shared among the entries that are the largest."""
    below = x < _spread(xp, y, x, axis, keepdims)

    return _shared_among_tied(xp, g, x, below, axis, keepdims)


@max_.jvp("x")
def max_jvp(xp, t, x, y, axis, keepdims):
    """The mean of t over the entries that are the largest."""
    below = x < _spread(xp, y, x, axis, keepdims)

    return _mean_of_tied(xp, t, x, below, axis, keepdims)


@op(methods=("min",), numpy=("amin",), samples=(*_AXES, sample(_TIED, axis=1), sample(_TIED)))
def min_(xp, x, *, axis=None, keepdims=False):
    """min xᵢ, the smallest entry over `axis`; NaN if one is NaN.

    Tied entries share the derivative equally.
    """
    return xp.min(x, axis=axis, keepdims=keepdims)


@min_.backward("x")
def min_backward(xp, g, x, y, axis, keepdims):
    """g shared among the entries that are the smallest."""
    above = x > _spread(xp, y, x, axis, keepdims)

    return _shared_among_tied(xp, g, x, above, axis, keepdims)


@min_.jvp("x")
def min_jvp(xp, t, x, y, axis, keepdims):
    """The mean of t over the entries that are the smallest."""
    above = x > _spread(xp, y, x, axis, keepdims)

    return _mean_of_tied(xp, t, x, above, axis, keepdims)


def _shared_among_tied(xp, g, x, beaten, axis, keepdims):
    """g / (number of tied) where an entry is not beaten, and exactly 0 where it is."""
    tied = xp.where(beaten, xp.zeros_like(x), xp.ones_like(x))
    share = _spread(xp, g, x, axis, keepdims) / xp.sum(tied, axis=axis, keepdims=True)

    return xp.where(beaten, 0.0, share)


def _mean_of_tied(xp, t, x, beaten, axis, keepdims):
    """The mean of t over the entries that are not beaten."""
    tied = xp.where(beaten, xp.zeros_like(x), xp.ones_like(x))
    total = xp.sum(xp.where(beaten, 0.0, t), axis=axis, keepdims=keepdims)

    return total / xp.sum(tied, axis=axis, keepdims=keepdims)


# ------------------------------------------------------------------------------- var and std


_SPREADS = (
    sample(_MATRIX),
    sample(_MATRIX, axis=0, correction=1.0),
    sample(_MATRIX, axis=-1, keepdims=True),
    sample(uniform((2, 3, 2)), axis=(0, 2), correction=0.5),
)


@op(methods=("var",), samples=(*_SPREADS, sample(0.75), sample([1.5, 1.5])))
def var(xp, x, *, axis=None, correction=0.0, keepdims=False):
    """Σ |xᵢ - mean|² / (n - correction), the variance over `axis`.

    correction 0 is that of a whole population, 1 the unbiased estimate from a sample.
    """
    return xp.var(x, axis=axis, correction=correction, keepdims=keepdims)


@var.backward("x")
def var_backward(xp, g, x, axis, correction, keepdims):
    """2·g·(xᵢ - mean) / (n - correction), conjugated where complex."""
    scale = _spread(xp, g, x, axis, keepdims) * (2.0 * _reciprocal(_count(x, axis) - correction))

    return scale * xp.conj(_centred(xp, x, axis))


@var.jvp("x")
def var_jvp(xp, t, x, axis, correction, keepdims):
    """Σ 2·(xᵢ - mean)·tᵢ / (n - correction)."""
    scale = 2.0 * _reciprocal(_count(x, axis) - correction)

    slopes = xp.conj(_centred(xp, x, axis)) * scale

    return xp.real(xp.sum(slopes * t, axis=axis, keepdims=keepdims))


@op(methods=("std",), samples=(*_SPREADS, sample([[1.0, 3.0], [2.0, 2.0]], axis=0)))
def std(xp, x, *, axis=None, correction=0.0, keepdims=False):
    """√(Σ |xᵢ - mean|² / (n - correction)), the standard deviation over `axis`.

    Where it is 0 the derivative is 0, as that of a norm at 0: a minimum.
    """
    return xp.std(x, axis=axis, correction=correction, keepdims=keepdims)


@std.backward("x")
def std_backward(xp, g, x, y, axis, correction, keepdims):
    """g·(xᵢ - mean) / ((n - correction)·std), conjugated where complex."""
    slopes = _std_slopes(xp, x, y, axis, correction, keepdims)

    return _spread(xp, g, x, axis, keepdims) * slopes


@std.jvp("x")
def std_jvp(xp, t, x, y, axis, correction, keepdims):
    """Σ (xᵢ - mean)·tᵢ / ((n - correction)·std)."""
    slopes = _std_slopes(xp, x, y, axis, correction, keepdims)

    return xp.real(xp.sum(slopes * t, axis=axis, keepdims=keepdims))


def _std_slopes(xp, x, y, axis, correction, keepdims):
    deviation = _spread(xp, y, x, axis, keepdims)
    flat = deviation == 0.0
    slopes = xp.conj(_centred(xp, x, axis)) / xp.where(flat, xp.ones_like(deviation), deviation)
    scale = _reciprocal(_count(x, axis) - correction)

    return xp.where(flat, 0.0, slopes * scale)


def _centred(xp, x, axis):
    return x - xp.mean(x, axis=axis, keepdims=True)


def _reciprocal(n):
    """1 / n; NaN where nothing is left to divide by, as the variance itself is NaN there."""
    return 1.0 / n if n > 0 else math.nan


# --------------------------------------------------------------------------------- logsumexp


_WITH_INFINITIES = [[0.0, -math.inf, 1.0], [-math.inf, 2.0, -math.inf]]


@op(
    methods=("logsumexp",),
    symbol="logΣexp",
    samples=(
        *_AXES,
        sample([1000.0, 999.0, -1000.0]),
        sample(_WITH_INFINITIES, axis=1),
    ),
)
def logsumexp(xp, x, *, axis=None, keepdims=False):
    """log Σ exp(xᵢ) over `axis`, with no overflow.

    The derivative is exp(xᵢ - y), the softmax, which sums to 1 over the axis. Where y is infinite
    it is the limit that keeps that sum: entries equal to y share it equally.
    """
    return xp.logsumexp(x, axis=axis, keepdims=keepdims)


@logsumexp.backward("x")
def logsumexp_backward(xp, g, x, axis, keepdims):
    """g·softmax(x)."""
    return _spread(xp, g, x, axis, keepdims) * logsumexp_weights(x, axis=axis)


@logsumexp.jvp("x")
def logsumexp_jvp(xp, t, x, axis, keepdims):
    """Σ softmax(x)·t."""
    return xp.sum(logsumexp_weights(x, axis=axis) * t, axis=axis, keepdims=keepdims)


@op(samples=(sample(0.75), sample(_MATRIX), sample(_MATRIX, axis=1), sample(_TIED, axis=(0, 1))))
def logsumexp_weights(xp, x, *, axis=None):
    """exp(xᵢ - logsumexp(x)), the derivative of `logsumexp`: how much each entry counts.

    An op of its own, for its derivative is best had from its output, also at infinities.
    """
    return xp.logsumexp_weights(x, axis=axis)


@logsumexp_weights.backward("x")
def logsumexp_weights_backward(xp, g, y, axis):
    """y·(g - Σ g·y)."""
    return _weights_product(xp, g, y, axis)


@logsumexp_weights.jvp("x")
def logsumexp_weights_jvp(xp, t, y, axis):
    """y·(t - Σ t·y): the matrix of derivatives is symmetric."""
    return _weights_product(xp, t, y, axis)


def _weights_product(xp, v, y, axis):
    return y * (v - xp.sum(v * y, axis=axis, keepdims=True))


# ------------------------------------------------- reductions that have no derivative to carry


@op(nondiff=True, methods=("all",), samples=(sample([True, False]), sample(_MATRIX, axis=0)))
def all_(xp, x, *, axis=None, keepdims=False):
    """Whether every entry over `axis` is true (not zero); true where there is none."""
    return xp.all(x, axis=axis, keepdims=keepdims)


@op(nondiff=True, methods=("any",), samples=(sample([True, False]), sample(_MATRIX, axis=0)))
def any_(xp, x, *, axis=None, keepdims=False):
    """Whether any entry over `axis` is true (not zero); false where there is none."""
    return xp.any(x, axis=axis, keepdims=keepdims)


@op(nondiff=True, methods=("argmax",), samples=(sample(_MATRIX), sample(_MATRIX, axis=1)))
def argmax(xp, x, *, axis=None, keepdims=False):
    """The index of the largest entry over `axis` (an axis, or None for all), the first if tied."""
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@op(nondiff=True, methods=("argmin",), samples=(sample(_MATRIX), sample(_MATRIX, axis=1)))
def argmin(xp, x, *, axis=None, keepdims=False):
    """The index of the smallest entry over `axis` (an axis, or None for all), the first if tied."""
    return xp.argmin(x, axis=axis, keepdims=keepdims)


# --------------------------------------------------------------------------- shapes and axes


def _stretched(xp, reduced, x, axis, keepdims):
    """`reduced`, repeated over the axes it lost: the shape of x."""
    if not shape_of(x):
        return reduced

    return xp.broadcast_to(_spread(xp, reduced, x, axis, keepdims), shape_of(x))


def _spread(xp, reduced, x, axis, keepdims):
    """`reduced`, so that it broadcasts against x: the axes it lost come back with length one."""
    if keepdims or axis is None:
        return reduced
    shape = shape_of(x)
    axes = _axes(axis, len(shape))

    return xp.reshape(reduced, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def _count(x, axis):
    """How many entries go into one entry of the result."""
    shape = shape_of(x)

    return math.prod(shape[i] for i in _axes(axis, len(shape)))


def _axes(axis, ndim):
    """The reduced axes as a tuple, counted from the front."""
    if axis is None:
        return tuple(range(ndim))

    return tuple(i % ndim for i in (axis if isinstance(axis, tuple) else (axis,)))


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the reductions."""
    return (
        sum_,
        mean,
        prod,
        max_,
        min_,
        var,
        std,
        logsumexp,
        logsumexp_weights,
        all_,
        any_,
        argmax,
        argmin,
    )
