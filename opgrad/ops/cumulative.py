"""Running sums and products, and differences, along an axis."""

from __future__ import annotations

from opgrad.define import composite, op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]]
_CUBE = uniform((2, 3, 2))
_RUNS = (
    sample([1.5, -2.0, 3.0, 0.5]),
    sample([1.5, -2.0], include_initial=True),
    sample(_MATRIX),
    sample(_MATRIX, axis=0),
    sample(_MATRIX, axis=-1, include_initial=True),
    sample(_CUBE, axis=1),
    sample([], axis=0),
    sample([], include_initial=True),
)


# --------------------------------------------------------------------------------------- sums


@op(linear=True, methods=("cumulative_sum", "cumsum"), numpy=("cumsum",), samples=_RUNS)
def cumulative_sum(xp, x, *, axis=None, dtype=None, include_initial=False):
    """yₖ = x₀ + … + xₖ along `axis` (None: of x flattened); with the initial 0 one entry longer."""
    x, along = _along(xp, x, axis)

    return xp.cumulative_sum(x, axis=along, dtype=dtype, include_initial=include_initial)


@cumulative_sum.backward("x")
def cumulative_sum_backward(xp, g, x, axis, include_initial):
    """The running sum of g from the end."""
    along = _counted(x, axis)
    g = _without_initial(g, along, include_initial)
    total = xp.flip(xp.cumulative_sum(xp.flip(g, axis=along), axis=along), axis=along)

    return xp.reshape(total, shape_of(x))


# ----------------------------------------------------------------------------------- products


@op(
    methods=("cumulative_prod", "cumprod"),
    numpy=("cumprod",),
    samples=(
        *_RUNS,
        sample([3.0, 0.0, 2.0, -1.0]),
        sample([[3.0, 0.0, 2.0, 0.0, 5.0], [0.0, 0.0, 4.0, 1.0, 2.0]], axis=1),
    ),
)
def cumulative_prod(xp, x, *, axis=None, dtype=None, include_initial=False):
    """yₖ = x₀ · … · xₖ along `axis` (None: of x flattened); with the initial 1 one entry longer.

    The derivative is found without dividing: it is right where entries are zero, and so are the
    derivatives of that.
    """
    x, along = _along(xp, x, axis)

    return xp.cumulative_prod(x, axis=along, dtype=dtype, include_initial=include_initial)


@cumulative_prod.backward("x")
def cumulative_prod_backward(xp, g, x, axis, include_initial):
    """(x₀ · … · xᵢ₋₁)·sᵢ, where sᵢ = gᵢ + xᵢ₊₁·sᵢ₊₁ runs from the end."""
    shape = shape_of(x)
    x, along = _along(xp, x, axis)
    g = _without_initial(g, along, include_initial)
    after = xp.flip(_beside(xp, x, along, before=False), axis=along)
    sums = xp.flip(_recurrence(xp, after, xp.flip(g, axis=along), along), axis=along)

    return xp.reshape(_products_before(xp, x, along) * sums, shape)


@cumulative_prod.jvp("x")
def cumulative_prod_jvp(xp, t, x, axis, include_initial):
    """sₖ = (x₀ · … · xₖ₋₁)·tₖ + xₖ·sₖ₋₁: the product rule, along the axis."""
    x, along = _along(xp, x, axis)
    t, _ = _along(xp, t, axis)
    sums = _recurrence(xp, x, _products_before(xp, x, along) * t, along)
    if not include_initial:
        return sums

    return xp.concat([xp.zeros(_entry(sums, along), dtype=sums.dtype), sums], axis=along)


def _products_before(xp, x, axis):
    """Of each entry: the product of those before it; 1 for the first."""
    return xp.cumulative_prod(_beside(xp, x, axis, before=True), axis=axis)


def _beside(xp, x, axis, *, before):
    """Of each entry: the one before it or after it; 1 where there is none."""
    n = shape_of(x)[axis]
    if n == 0:
        return x
    one = xp.ones(_entry(x, axis), dtype=x.dtype)
    if before:
        return xp.concat([one, x[_part(axis, 0, n - 1)]], axis=axis)

    return xp.concat([x[_part(axis, 1, n)], one], axis=axis)


def _recurrence(xp, a, b, axis):
    """yₖ = bₖ + aₖ·yₖ₋₁ along an axis, in log₂ n steps on whole arrays.

    A step composes the map y ↦ b + a·y of each entry with that of the entry 1, 2, 4, … before.
    """
    n, distance = shape_of(b)[axis], 1
    while distance < n:
        first, here = _part(axis, 0, distance), _part(axis, distance, n)
        there = _part(axis, 0, n - distance)
        b = xp.concat([b[first], b[here] + a[here] * b[there]], axis=axis)
        a = xp.concat([a[first], a[here] * a[there]], axis=axis)
        distance *= 2

    return b


# --------------------------------------------------------------------- what both kinds of run need


def _along(xp, x, axis):
    """x, flattened where the axis is None, and the axis counted from the front."""
    return (xp.reshape(x, (-1,)) if axis is None else x), _counted(x, axis)


def _counted(x, axis):
    """The axis, counted from the front."""
    if axis is None:
        return 0
    rank = len(shape_of(x))
    if not -rank <= axis < rank:
        message = f"there is no axis {axis} in an array of shape {shape_of(x)}"
        raise ValueError(message)

    return axis % rank


def _without_initial(g, axis, include_initial):
    return g[_part(axis, 1, None)] if include_initial else g


def _part(axis, start, stop):
    """The key of the entries from `start` to `stop` along `axis`."""
    return (*(slice(None),) * axis, slice(start, stop), ...)


def _entry(x, axis):
    """The shape of one entry of x along `axis`."""
    return tuple(1 if i == axis else n for i, n in enumerate(shape_of(x)))


# -------------------------------------------------------------------------------- differences


@composite(
    samples=(
        sample([1.5, -2.0, 3.0, 0.5]),
        sample([1.5, -2.0, 3.0, 0.5], n=2),
        sample(_MATRIX, axis=0),
        sample(_MATRIX, axis=0, n=3),
        sample(_MATRIX, n=0),
        sample(_MATRIX, [[1.0], [2.0]], [[0.5, 3.0], [1.0, -1.0]], n=2),
        sample([1.5, -2.0], None, [4.0]),
        sample(_MATRIX, 1.0, None, axis=1),
    ),
)
def diff(xp, x, prepend=None, append=None, *, n=1, axis=-1):
    """xₖ₊₁ - xₖ along `axis`, n times: `diff(x, n=1, axis=-1, prepend=None, append=None)`.

    `prepend` and `append` are joined to x along the axis first; a number stands for an entry.
    """
    if n < 0:
        message = f"differences are taken n times, n at least 0, not {n}"
        raise ValueError(message)
    along = _counted(x, axis)
    joined = _joined(xp, x, prepend, append, along)
    for _ in range(n):
        count = shape_of(joined)[along]
        first, last = min(count, 1), max(count - 1, 0)
        joined = joined[_part(along, first, None)] - joined[_part(along, 0, last)]

    return joined


@diff.arguments
def diff_arguments(x, *given, n=1, axis=-1, prepend=None, append=None):
    """The order is NumPy's, with the arrays at the end; or x is followed by arrays alone."""
    arrays = bool(given) and not isinstance(given[0], int)
    names = ("prepend", "append") if arrays else ("n", "axis", "prepend", "append")
    named = {"n": n, "axis": axis, "prepend": prepend, "append": append}
    named |= zip(names, given, strict=False)

    return (x, named.pop("prepend"), named.pop("append")), named


def _joined(xp, x, prepend, append, axis):
    parts = [part for part in (prepend, x, append) if part is not None]
    if len(parts) == 1:
        return x
    entry = xp.ones(_entry(x, axis), dtype=x.dtype)

    return xp.concat([part if shape_of(part) else part * entry for part in parts], axis=axis)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops that run along an axis."""
    return (cumulative_sum, cumulative_prod, diff)
