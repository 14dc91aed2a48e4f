"""NumPy's functions that are no op but are made of ops, with NumPy's signatures.

Each is named as NumPy names it, `linalg__cond` for `numpy.linalg.cond`. They get what the caller
gave: Values, arrays, numbers, and lists of them.
"""

from __future__ import annotations

import builtins
from collections import namedtuple
from collections.abc import Sequence
from math import inf, log, pi
from typing import Any

from opgrad.errors import CallError
from opgrad.namespaces import numpy as xp
from opgrad.plugins import core
from opgrad.types import shape as shape_of
from opgrad.value import Value

ops: Any = core()


def operand(x: Any) -> Any:
    """What NumPy would make an array of, as one; Values in it keep their gradients."""
    if not isinstance(x, list | tuple):
        return x
    if not _holds_value(x):
        return xp.asarray(x)

    return ops.stack([_array(operand(part)) for part in x], axis=0)


def _holds_value(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any([_holds_value(part) for part in x])

    return type(x) is Value


def _array(x: Any) -> Any:
    return x if hasattr(x, "dtype") else xp.asarray(x)


def _rank(x: Any) -> int:
    return len(shape_of(x))


# -- products -------------------------------------------------------------------------------------


def dot(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    if not (_rank(a) and _rank(b)):
        return ops.multiply(a, b)
    if _rank(b) <= 2:  # noqa: PLR2004 -- a matrix
        return ops.matmul(a, b)

    return ops.tensordot(a, b, axes=((_rank(a) - 1,), (_rank(b) - 2,)))


def inner(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    if not (_rank(a) and _rank(b)):
        return ops.multiply(a, b)

    return ops.tensordot(a, b, axes=((_rank(a) - 1,), (_rank(b) - 1,)))


def vdot(a: Any, b: Any) -> Any:
    return ops.vecdot(_flat(a), _flat(b))


def outer(a: Any, b: Any) -> Any:
    return ops.outer(operand(a), operand(b))


def matvec(x1: Any, x2: Any) -> Any:
    return ops.matmul(operand(x1), operand(x2)[..., None])[..., 0]


def vecmat(x1: Any, x2: Any) -> Any:
    return ops.matmul(ops.conj(operand(x1))[..., None, :], operand(x2))[..., 0, :]


def kron(a: Any, b: Any) -> Any:
    a, b = _array(operand(a)), _array(operand(b))
    rank = max(_rank(a), _rank(b))
    of_a = (1,) * (rank - _rank(a)) + shape_of(a)
    of_b = (1,) * (rank - _rank(b)) + shape_of(b)
    spread_a = ops.reshape(a, shape=tuple([n for m in of_a for n in (m, 1)]))
    spread_b = ops.reshape(b, shape=tuple([n for m in of_b for n in (1, m)]))
    shape = tuple([m * n for m, n in zip(of_a, of_b, strict=True)])

    return ops.reshape(spread_a * spread_b, shape=shape)


def einsum(*operands: Any, optimize: Any = None) -> Any:
    if isinstance(operands[0], str):
        return ops.einsum(operands[0], *map(operand, operands[1:]), optimize=_plan(optimize))
    pairs = len(operands) // 2 * 2  # arrays and their axes in turn, and maybe those of the result
    lists = [isinstance(axes, list | tuple) for axes in operands[1:pairs:2]]
    if not lists or not all(lists):
        message = "numpy.einsum takes subscripts first, or a list of axes after each array"
        raise CallError(message)
    arrays = [x if i % 2 else operand(x) for i, x in enumerate(operands[:pairs])]

    return ops.einsum(*arrays, *operands[pairs:], optimize=_plan(optimize))


def _plan(optimize: Any) -> Any:
    return tuple([_plan(it) for it in optimize]) if isinstance(optimize, list | tuple) else optimize


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a = ops.moveaxis(operand(a), source=axisa, destination=-1)
    b = ops.moveaxis(operand(b), source=axisb, destination=-1)

    return ops.moveaxis(ops.linalg.cross(a, b, axis=-1), source=-1, destination=axisc)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    return ops.convolve(operand(a), operand(v), mode=mode)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = operand(a), operand(v)
    if mode != "full" and len(v) > len(a):  # the longer slides over the other, and NumPy turns it
        return ops.flip(ops.conj(correlate(v, a, mode=mode)), axis=0)

    return ops.convolve(a, ops.conj(ops.flip(v, axis=0)), mode=mode)


def polyval(p: Any, x: Any) -> Any:
    y: Any = ops.zeros_like(x) if isinstance(x, Value) or _rank(x) else 0.0
    for coefficient in p:
        y = y * operand(x) + coefficient

    return y


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = ops.moveaxis(operand(y), source=axis, destination=-1)
    steps: Any = operand(dx)
    if x is not None:
        x = operand(x)
        x = ops.moveaxis(x, source=axis, destination=-1) if _rank(x) > 1 else x
        steps = x[..., 1:] - x[..., :-1]

    return ops.sum(steps * (y[..., 1:] + y[..., :-1]) * 0.5, axis=-1)


# -- entry by entry -------------------------------------------------------------------------------


def where(condition: Any, *branches: Any) -> Any:
    if len(branches) == 1:
        message = "numpy.where takes one argument or three, got 2"
        raise CallError(message)
    if not branches:
        return ops.nonzero(operand(condition))
    a, b = map(operand, branches)

    return ops.where(operand(condition), a, b)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        y = ops.where(operand(condition), operand(choice), operand(y))

    return y


def nan_to_num(
    x: Any,
    copy: bool = True,
    nan: Any = 0.0,
    posinf: Any = None,
    neginf: Any = None,
) -> Any:
    del copy
    x = operand(x)
    limits = xp.finfo(x.dtype)
    y = ops.where(ops.isnan(x), nan, x)
    y = ops.where(ops.equal(x, inf), float(limits.max) if posinf is None else posinf, y)

    return ops.where(ops.equal(x, -inf), float(limits.min) if neginf is None else neginf, y)


def isposinf(x: Any) -> Any:
    return ops.equal(operand(x), inf)


def isneginf(x: Any) -> Any:
    return ops.equal(operand(x), -inf)


def around(a: Any, decimals: int = 0) -> Any:
    a = operand(a)
    if decimals == 0:
        return ops.round(a)

    return ops.round(a * 10.0**decimals) / 10.0**decimals


round = around  # noqa: A001 -- NumPy's name


def angle(z: Any, deg: bool = False) -> Any:  # noqa: FBT001, FBT002 -- NumPy's
    z = operand(z)
    radians = ops.atan2(ops.imag(z), ops.real(z))

    return radians * (180.0 / pi) if deg else radians


def deg2rad(x: Any) -> Any:
    return ops.multiply(x, pi / 180.0)


def rad2deg(x: Any) -> Any:
    return ops.multiply(x, 180.0 / pi)


radians, degrees = deg2rad, rad2deg


def logaddexp2(x1: Any, x2: Any) -> Any:
    return ops.logaddexp(ops.multiply(x1, log(2.0)), ops.multiply(x2, log(2.0))) / log(2.0)


def fmax(x1: Any, x2: Any) -> Any:
    return ops.where(ops.isnan(x1), x2, ops.where(ops.isnan(x2), x1, ops.maximum(x1, x2)))


def fmin(x1: Any, x2: Any) -> Any:
    return ops.where(ops.isnan(x1), x2, ops.where(ops.isnan(x2), x1, ops.minimum(x1, x2)))


def heaviside(x1: Any, x2: Any) -> Any:
    step = ops.where(ops.greater(x1, 0.0), 1.0, ops.where(ops.less(x1, 0.0), 0.0, x2))

    return ops.where(ops.isnan(x1), x1, step)


def divmod(x1: Any, x2: Any) -> Any:  # noqa: A001 -- NumPy's name
    return ops.floor_divide(x1, x2), ops.remainder(x1, x2)


# -- statistics -----------------------------------------------------------------------------------


def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,  # noqa: FBT001, FBT002 -- NumPy's
    *,
    keepdims: bool = False,
) -> Any:
    a = operand(a)
    if weights is None:
        y = ops.mean(a, axis=axis, keepdims=keepdims)
        total: Any = float(_count(a, axis))
    else:
        w = operand(weights)
        if shape_of(w) != shape_of(a):
            if _rank(w) != 1 or not isinstance(axis, int):
                message = "numpy.average: weights have the shape of the array, or go along one axis"
                raise CallError(message)
            w = ops.reshape(
                w, shape=tuple([-1 if i == axis % _rank(a) else 1 for i in range(_rank(a))])
            )
            w = ops.broadcast_to(w, shape=shape_of(a))
        total = ops.sum(w, axis=axis, keepdims=keepdims)
        y = ops.sum(a * w, axis=axis, keepdims=keepdims) / total

    return (y, ops.broadcast_to(_array(total), shape=shape_of(y))) if returned else y


def _count(x: Any, axis: Any) -> int:
    shape = shape_of(x)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = 1
    for i in axes:
        count *= shape[i]

    return count


def ptp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = operand(a)

    return ops.max(a, axis=axis, keepdims=keepdims) - ops.min(a, axis=axis, keepdims=keepdims)


def nanargmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = operand(a)

    return ops.argmax(ops.where(ops.isnan(a), -inf, a), axis=axis, keepdims=keepdims)


def nanargmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = operand(a)

    return ops.argmin(ops.where(ops.isnan(a), inf, a), axis=axis, keepdims=keepdims)


def nanmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = operand(a)

    return ops.max(ops.where(ops.isnan(a), -inf, a), axis=axis, keepdims=keepdims)


def nanmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = operand(a)

    return ops.min(ops.where(ops.isnan(a), inf, a), axis=axis, keepdims=keepdims)


def nansum(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = operand(a)

    return ops.sum(ops.where(ops.isnan(a), 0.0, a), axis=axis, keepdims=keepdims)


def nanprod(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = operand(a)

    return ops.prod(ops.where(ops.isnan(a), 1.0, a), axis=axis, keepdims=keepdims)


def nanmean(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    present = xp.logical_not(xp.isnan(operand(a).data if isinstance(a, Value) else operand(a)))
    count = xp.sum(present, axis=axis, keepdims=keepdims)

    return nansum(a, axis, keepdims=keepdims) / count


def median(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    return quantile(a, 0.5, axis, keepdims=keepdims)


def percentile(a: Any, q: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    return quantile(a, xp.asarray(q) / 100.0, axis, keepdims=keepdims)


def quantile(a: Any, q: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    a, q = operand(a), xp.asarray(q)
    rank = _rank(a)
    ordered = ops.sort(_flat(a) if axis is None else a, axis=-1 if axis is None else axis)
    ordered = ops.moveaxis(ordered, source=-1 if axis is None else axis, destination=0)
    last = len(ordered) - 1
    place = q * last
    low = xp.clip(xp.floor(place), 0, max(last - 1, 0)).astype(int)
    below, above = ordered[low], ordered[xp.minimum(low + 1, last)]
    part = xp.reshape(place - low, (*shape_of(q), *(1,) * (_rank(ordered) - 1)))
    y = below + (above - below) * part
    y = ops.where(ops.isnan(ordered[-1]), ordered[-1], y)  # sorting puts NaN last
    if keepdims:
        axes = tuple(range(rank)) if axis is None else (axis % rank,)
        y = ops.expand_dims(y, axis=tuple([_rank(q) + i for i in axes]))

    return y


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,  # noqa: FBT001, FBT002 -- NumPy's
    bias: bool = False,  # noqa: FBT001, FBT002 -- NumPy's
    ddof: int | None = None,
) -> Any:
    rows = _rows(m, rowvar=rowvar)
    if y is not None:
        rows = ops.concat([rows, _rows(y, rowvar=rowvar)], axis=0)
    rows = rows - ops.mean(rows, axis=1, keepdims=True)
    divisor = shape_of(rows)[1] - ((0 if bias else 1) if ddof is None else ddof)

    return ops.squeeze(ops.matmul(rows, ops.conj(rows).T) / divisor)


def _rows(m: Any, *, rowvar: bool) -> Any:
    m = atleast_2d(m)

    return m if rowvar or shape_of(m)[0] == 1 else m.T


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:  # noqa: FBT001, FBT002 -- NumPy's
    c = cov(x, y, rowvar)
    if not shape_of(c):
        return c / c
    scale = ops.sqrt(ops.real(ops.linalg.diagonal(c)))

    return c / scale[:, None] / scale


# -- shape and place ------------------------------------------------------------------------------


def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    a = operand(a)
    lengths = tuple(shape) if isinstance(shape, list | tuple) or _rank(shape) else (shape,)
    if order == "F":
        return ops.transpose(ops.reshape(ops.transpose(a), shape=lengths[::-1], copy=copy))
    _check_order("reshape", order)

    return ops.reshape(a, shape=lengths, copy=copy)


def ravel(a: Any, order: str = "C") -> Any:
    a = operand(a)
    if order == "F":
        return ops.ravel(ops.transpose(a))
    _check_order("ravel", order)

    return ops.ravel(a)


def _check_order(name: str, order: str) -> None:
    if order != "C":
        message = f"numpy.{name}: order {order!r} depends on how memory lies; take 'C' or 'F'"
        raise CallError(message)


def _flat(x: Any) -> Any:
    return ops.ravel(_array(operand(x)))


def sort(a: Any, axis: int | None = -1, kind: Any = None) -> Any:
    del kind  # another way to the same order
    if axis is None:
        return ops.sort(_flat(a))

    return ops.sort(operand(a), axis=axis)


def argsort(a: Any, axis: int | None = -1, kind: Any = None) -> Any:
    del kind
    if axis is None:
        return ops.argsort(_flat(a))

    return ops.argsort(operand(a), axis=axis)


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        return ops.take_along_axis(_flat(arr), operand(indices), axis=0)

    return ops.take_along_axis(operand(arr), operand(indices), axis=axis)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    a = operand(a)
    rank = _rank(a)
    axis, start = axis % rank, start + rank if start < 0 else start

    return ops.moveaxis(a, source=axis, destination=start - 1 if axis < start else start)


def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        return ops.concat([_flat(x) for x in arrays], axis=0)

    return ops.concat([_array(operand(x)) for x in arrays], axis=axis)


concat = concatenate


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate([arr, values], axis)


def atleast_1d(*arys: Any) -> Any:
    return _each([ops.reshape(x, shape=(1,)) if not _rank(x) else x for x in _all(arys)])


def atleast_2d(*arys: Any) -> Any:
    return _each([x[None, :] if _rank(x) == 1 else _up(x, (1, 1)) for x in _all(arys)])


def atleast_3d(*arys: Any) -> Any:
    def raised(x: Any) -> Any:
        if _rank(x) == 1:
            return x[None, :, None]
        return x[:, :, None] if _rank(x) == 2 else _up(x, (1, 1, 1))  # noqa: PLR2004 -- a matrix

    return _each([raised(x) for x in _all(arys)])


def _all(xs: Sequence[Any]) -> list[Any]:
    return [_array(operand(x)) for x in xs]


def _each(xs: list[Any]) -> Any:
    return xs[0] if len(xs) == 1 else tuple(xs)


def _up(x: Any, shape: tuple[int, ...]) -> Any:
    return x if _rank(x) else ops.reshape(x, shape=shape)


def vstack(tup: Any) -> Any:
    return ops.concat([atleast_2d(x) for x in tup], axis=0)


def hstack(tup: Any) -> Any:
    arrays = [atleast_1d(x) for x in tup]

    return ops.concat(arrays, axis=0 if _rank(arrays[0]) == 1 else 1)


def dstack(tup: Any) -> Any:
    return ops.concat([atleast_3d(x) for x in tup], axis=2)


def column_stack(tup: Any) -> Any:
    columns = [x if _rank(x) >= 2 else _flat(x)[:, None] for x in _all(tuple(tup))]  # noqa: PLR2004 -- a matrix

    return ops.concat(columns, axis=1)


def block(arrays: Any) -> Any:
    depth = _depth(arrays)
    ranks = [_rank(x) for x in _leaves(arrays)]

    return _joined(arrays, max(depth, *ranks), -depth)


def _depth(x: Any) -> int:
    return 1 + max([_depth(part) for part in x]) if isinstance(x, list) else 0


def _leaves(x: Any) -> list[Any]:
    return [leaf for part in x for leaf in _leaves(part)] if isinstance(x, list) else [x]


def _joined(x: Any, rank: int, axis: int) -> Any:
    if isinstance(x, list):
        return ops.concat([_joined(part, rank, axis + 1) for part in x], axis=axis)
    x = _array(x)

    return ops.reshape(x, shape=((1,) * (rank - _rank(x)) + shape_of(x)))


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    ary = operand(ary)
    cuts = indices_or_sections
    if not _rank(xp.asarray(cuts)):
        size, longer = builtins.divmod(shape_of(ary)[axis], cuts)
        lengths = [size + 1] * longer + [size] * (cuts - longer)
        cuts = [sum(lengths[:i]) for i in range(1, len(lengths))]

    return list(ops.split(ary, sections=_ints(cuts), axis=axis))


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    return list(ops.split(operand(ary), sections=_ints(indices_or_sections), axis=axis))


def _ints(cuts: Any) -> Any:
    cuts = xp.asarray(cuts).tolist()

    return tuple(cuts) if isinstance(cuts, list) else cuts


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 0 if _rank(ary) == 1 else 1)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 2)


def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    return tuple(ops.broadcast_arrays(*map(operand, args)))


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    del copy
    if not sparse:
        return tuple(ops.meshgrid(*map(operand, xi), indexing=indexing))
    message = "numpy.meshgrid: sparse=True has no op; index the vectors with None instead"
    raise CallError(message)


def fliplr(m: Any) -> Any:
    return ops.flip(operand(m), axis=1)


def flipud(m: Any) -> Any:
    return ops.flip(operand(m), axis=0)


def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    m, (first, second) = operand(m), axes
    for _ in range(k % 4):
        m = ops.flip(ops.swapaxes(m, axis1=first, axis2=second), axis=first)

    return m


def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = _flat(arr) if axis is None else operand(arr)
    kept = xp.delete(xp.arange(shape_of(arr)[axis or 0]), xp.asarray(obj))

    return ops.take(arr, kept, axis=axis or 0)


def diag(v: Any, k: int = 0) -> Any:
    v = operand(v)
    if _rank(v) != 1:
        return ops.linalg.diagonal(v, offset=k)
    n = shape_of(v)[0] + abs(k)
    padded = ops.pad(v, pad_width=((max(-k, 0), max(k, 0)),))

    return ops.where(xp.eye(n, k=k, dtype=bool), padded[:, None], 0.0)


def diagflat(v: Any, k: int = 0) -> Any:
    return diag(_flat(v), k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = ops.moveaxis(operand(a), source=(axis1, axis2), destination=(-2, -1))

    return ops.linalg.diagonal(a, offset=offset)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    a = ops.moveaxis(operand(a), source=(axis1, axis2), destination=(-2, -1))

    return ops.linalg.trace(a, offset=offset, dtype=dtype)


def unique(
    ar: Any,
    return_index: bool = False,  # noqa: FBT001, FBT002 -- NumPy's
    return_inverse: bool = False,  # noqa: FBT001, FBT002 -- NumPy's
    return_counts: bool = False,  # noqa: FBT001, FBT002 -- NumPy's
) -> Any:
    ar = operand(ar)
    values = ops.unique_values(ar)
    asked = (return_index, return_inverse, return_counts)
    places = [it for it, wanted in zip(ops.unique_places(ar), asked, strict=True) if wanted]

    return (values, *places) if places else values


def full_like(a: Any, fill_value: Any, dtype: Any = None) -> Any:
    return ops.full_like(operand(a), operand(fill_value), dtype=dtype)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,  # noqa: FBT001, FBT002 -- NumPy's
) -> Any:
    start, stop = operand(start), operand(stop)
    part = xp.linspace(0.0, 1.0, num, endpoint=endpoint)
    part = xp.reshape(part, (num, *(1,) * max(_rank(start), _rank(stop))))

    return start + (stop - start) * part


# -- numpy.linalg, numpy.fft ----------------------------------------------------------------------

EighResult = namedtuple("EighResult", ("eigenvalues", "eigenvectors"))  # noqa: PYI024 -- of any data
SVDResult = namedtuple("SVDResult", ("U", "S", "Vh"))  # noqa: PYI024 -- of any data
QRResult = namedtuple("QRResult", ("Q", "R"))  # noqa: PYI024 -- of any data
SlogdetResult = namedtuple("SlogdetResult", ("sign", "logabsdet"))  # noqa: PYI024 -- of any data


def linalg__eigh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803 -- NumPy's
    del UPLO  # the op looks at both triangles

    return EighResult(*ops.linalg.eigh(operand(a)))


def linalg__svd(
    a: Any,
    full_matrices: bool = True,  # noqa: FBT001, FBT002 -- NumPy's
    compute_uv: bool = True,  # noqa: FBT001, FBT002 -- NumPy's
    hermitian: bool = False,  # noqa: FBT001, FBT002 -- NumPy's
) -> Any:
    del hermitian  # a faster way to the same numbers
    if not compute_uv:
        return ops.linalg.svdvals(operand(a))

    return SVDResult(*ops.linalg.svd(operand(a), full_matrices=full_matrices))


def linalg__qr(a: Any, mode: str = "reduced") -> Any:
    if mode == "r":
        return ops.linalg.qr(operand(a))[1]

    return QRResult(*ops.linalg.qr(operand(a), mode=mode))


def linalg__slogdet(a: Any) -> Any:
    return SlogdetResult(*ops.linalg.slogdet(operand(a)))


def linalg__norm(x: Any, ord: Any = None, axis: Any = None, *, keepdims: bool = False) -> Any:  # noqa: A002 -- NumPy's
    axis = tuple(axis) if isinstance(axis, list) else axis

    return ops.linalg.norm(operand(x), ord=ord, axis=axis, keepdims=keepdims)


def linalg__pinv(
    a: Any,
    rcond: Any = None,
    hermitian: bool = False,  # noqa: FBT001, FBT002 -- NumPy's
    *,
    rtol: Any = None,
) -> Any:
    del hermitian
    cut = rtol if rcond is None else rcond

    return ops.linalg.pinv(operand(a), rtol=1e-15 if cut is None else cut)


def linalg__cond(x: Any, p: Any = None) -> Any:
    x = operand(x)
    if p in {None, 2, -2}:
        s = ops.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]  # noqa: PLR2004 -- NumPy's

    def norm(m: Any) -> Any:
        return ops.linalg.norm(m, ord=p, axis=(-2, -1))

    return norm(x) * norm(ops.linalg.inv(x))


def linalg__lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = operand(a), operand(b)
    m, n = shape_of(a)
    cut = float(xp.finfo(a.dtype).eps) * max(m, n) if rcond is None else rcond
    x = ops.matmul(ops.linalg.pinv(a, rtol=cut), b)
    s = ops.linalg.svdvals(a)
    data = s.data if isinstance(s, Value) else s
    rank = int(xp.sum(data > cut * data[0]))
    rest = b - ops.matmul(a, x)
    rest = rest if _rank(rest) > 1 else rest[:, None]
    squares = ops.sum(ops.abs(rest) ** 2, axis=0)

    return x, squares if rank == n < m else squares[:0], rank, s


def linalg__multi_dot(arrays: Any) -> Any:
    y, *rest = map(operand, arrays)
    for x in rest:
        y = ops.matmul(y, x)

    return y


def fft__fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str = "backward") -> Any:
    return ops.fft.fftn(operand(a), s=_pair(s), axes=_pair(axes), norm=norm)


def fft__ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str = "backward") -> Any:
    return ops.fft.ifftn(operand(a), s=_pair(s), axes=_pair(axes), norm=norm)


def fft__rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str = "backward") -> Any:
    return ops.fft.rfftn(operand(a), s=_pair(s), axes=_pair(axes), norm=norm)


def fft__irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str = "backward") -> Any:
    return ops.fft.irfftn(operand(a), s=_pair(s), axes=_pair(axes), norm=norm)


def _pair(axes: Any) -> Any:
    return None if axes is None else tuple(axes)
