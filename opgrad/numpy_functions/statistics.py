"""Statistics: average, median, quantile, cov, and the functions that pass over NaN."""

from __future__ import annotations

from math import inf
from typing import Any

from opgrad.errors import CallError
from opgrad.namespaces import numpy as xp
from opgrad.numpy_functions.operands import array, flat, operand, ops, rank_of
from opgrad.numpy_functions.shapes import atleast_2d
from opgrad.types import shape as shape_of
from opgrad.value import Value


def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
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
            if rank_of(w) != 1 or not isinstance(axis, int):
                message = "numpy.average: weights have the shape of the array, or go along one axis"
                raise CallError(message)
            w = ops.reshape(
                w, shape=tuple([-1 if i == axis % rank_of(a) else 1 for i in range(rank_of(a))])
            )
            w = ops.broadcast_to(w, shape=shape_of(a))
        total = ops.sum(w, axis=axis, keepdims=keepdims)
        y = ops.sum(a * w, axis=axis, keepdims=keepdims) / total

    return (y, ops.broadcast_to(array(total), shape=shape_of(y))) if returned else y


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
    rank = rank_of(a)
    ordered = ops.sort(flat(a) if axis is None else a, axis=-1 if axis is None else axis)
    ordered = ops.moveaxis(ordered, source=-1 if axis is None else axis, destination=0)
    last = len(ordered) - 1
    place = q * last
    low = xp.clip(xp.floor(place), 0, max(last - 1, 0)).astype(int)
    below, above = ordered[low], ordered[xp.minimum(low + 1, last)]
    part = xp.reshape(place - low, (*shape_of(q), *(1,) * (rank_of(ordered) - 1)))
    y = below + (above - below) * part
    y = ops.where(ops.isnan(ordered[-1]), ordered[-1], y)  # sorting puts NaN last
    if keepdims:
        axes = tuple(range(rank)) if axis is None else (axis % rank,)
        y = ops.expand_dims(y, axis=tuple([rank_of(q) + i for i in axes]))

    return y


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
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


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    c = cov(x, y, rowvar)
    if not shape_of(c):
        return c / c
    scale = ops.sqrt(ops.real(ops.linalg.diagonal(c)))

    return c / scale[:, None] / scale
