"""Functions that change shape and place: reshape, vstack, split, sort, diag, linspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opgrad.errors import CallError
from opgrad.namespaces import numpy as xp
from opgrad.numpy_functions.operands import array, flat, operand, ops, rank_of
from opgrad.types import shape as shape_of


def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    a = array(operand(a))
    lengths = tuple(shape) if isinstance(shape, list | tuple) or rank_of(shape) else (shape,)
    if order == "F":
        return ops.transpose(ops.reshape(ops.transpose(a), shape=lengths[::-1], copy=copy))
    _check_order("reshape", order)

    return ops.reshape(a, shape=lengths, copy=copy)


def ravel(a: Any, order: str = "C") -> Any:
    a = array(operand(a))
    if order == "F":
        return ops.ravel(ops.transpose(a))
    _check_order("ravel", order)

    return ops.ravel(a)


def _check_order(name: str, order: str) -> None:
    if order != "C":
        message = f"numpy.{name}: order {order!r} depends on how memory lies; take 'C' or 'F'"
        raise CallError(message)


def sort(a: Any, axis: int | None = -1, kind: Any = None) -> Any:
    del kind  # another way to the same order
    if axis is None:
        return ops.sort(flat(a))

    return ops.sort(operand(a), axis=axis)


def argsort(a: Any, axis: int | None = -1, kind: Any = None) -> Any:
    del kind
    if axis is None:
        return ops.argsort(flat(a))

    return ops.argsort(operand(a), axis=axis)


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        return ops.take_along_axis(flat(arr), operand(indices), axis=0)

    return ops.take_along_axis(operand(arr), operand(indices), axis=axis)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    a = operand(a)
    rank = rank_of(a)
    axis, start = axis % rank, start + rank if start < 0 else start

    return ops.moveaxis(a, source=axis, destination=start - 1 if axis < start else start)


def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        return ops.concat([flat(x) for x in arrays], axis=0)

    return ops.concat([array(operand(x)) for x in arrays], axis=axis)


concat = concatenate


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate([arr, values], axis)


def atleast_1d(*arys: Any) -> Any:
    return _each([ops.reshape(x, shape=(1,)) if not rank_of(x) else x for x in _all(arys)])


def atleast_2d(*arys: Any) -> Any:
    return _each([x[None, :] if rank_of(x) == 1 else _up(x, (1, 1)) for x in _all(arys)])


def atleast_3d(*arys: Any) -> Any:
    def raised(x: Any) -> Any:
        if rank_of(x) == 1:
            return x[None, :, None]
        return x[:, :, None] if rank_of(x) == 2 else _up(x, (1, 1, 1))

    return _each([raised(x) for x in _all(arys)])


def _all(xs: Sequence[Any]) -> list[Any]:
    return [array(operand(x)) for x in xs]


def _each(xs: list[Any]) -> Any:
    return xs[0] if len(xs) == 1 else tuple(xs)


def _up(x: Any, shape: tuple[int, ...]) -> Any:
    return x if rank_of(x) else ops.reshape(x, shape=shape)


def vstack(tup: Any) -> Any:
    return ops.concat([atleast_2d(x) for x in tup], axis=0)


def hstack(tup: Any) -> Any:
    arrays = [atleast_1d(x) for x in tup]

    return ops.concat(arrays, axis=0 if rank_of(arrays[0]) == 1 else 1)


def dstack(tup: Any) -> Any:
    return ops.concat([atleast_3d(x) for x in tup], axis=2)


def column_stack(tup: Any) -> Any:
    columns = [x if rank_of(x) >= 2 else flat(x)[:, None] for x in _all(tuple(tup))]

    return ops.concat(columns, axis=1)


def block(arrays: Any) -> Any:
    depth = _depth(arrays)
    ranks = [rank_of(x) for x in _leaves(arrays)]

    return _joined(arrays, max(depth, *ranks), -depth)


def _depth(x: Any) -> int:
    return 1 + max([_depth(part) for part in x]) if isinstance(x, list) else 0


def _leaves(x: Any) -> list[Any]:
    return [leaf for part in x for leaf in _leaves(part)] if isinstance(x, list) else [x]


def _joined(x: Any, rank: int, axis: int) -> Any:
    if isinstance(x, list):
        return ops.concat([_joined(part, rank, axis + 1) for part in x], axis=axis)
    x = array(x)

    return ops.reshape(x, shape=((1,) * (rank - rank_of(x)) + shape_of(x)))


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    ary = operand(ary)
    cuts = indices_or_sections
    if not rank_of(xp.asarray(cuts)):
        size, longer = divmod(shape_of(ary)[axis], cuts)
        lengths = [size + 1] * longer + [size] * (cuts - longer)
        cuts = [sum(lengths[:i]) for i in range(1, len(lengths))]

    return list(ops.split(ary, sections=_ints(cuts), axis=axis))


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    return list(ops.split(operand(ary), sections=_ints(indices_or_sections), axis=axis))


def _ints(cuts: Any) -> Any:
    cuts = xp.asarray(cuts).tolist()

    return tuple(cuts) if isinstance(cuts, list) else cuts


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 0 if rank_of(ary) == 1 else 1)


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
    arr = flat(arr) if axis is None else operand(arr)
    kept = xp.delete(xp.arange(shape_of(arr)[axis or 0]), xp.asarray(obj))

    return ops.take(arr, kept, axis=axis or 0)


def diag(v: Any, k: int = 0) -> Any:
    v = operand(v)
    if rank_of(v) != 1:
        return ops.linalg.diagonal(v, offset=k)
    n = shape_of(v)[0] + abs(k)
    padded = ops.pad(v, pad_width=((max(-k, 0), max(k, 0)),))

    return ops.where(xp.eye(n, k=k, dtype=bool), padded[:, None], 0.0)


def diagflat(v: Any, k: int = 0) -> Any:
    return diag(flat(v), k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = ops.moveaxis(operand(a), source=(axis1, axis2), destination=(-2, -1))

    return ops.linalg.diagonal(a, offset=offset)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    a = ops.moveaxis(operand(a), source=(axis1, axis2), destination=(-2, -1))

    return ops.linalg.trace(a, offset=offset, dtype=dtype)


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
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
    endpoint: bool = True,
) -> Any:
    start, stop = operand(start), operand(stop)
    part = xp.linspace(0.0, 1.0, num, endpoint=endpoint)
    part = xp.reshape(part, (num, *(1,) * max(rank_of(start), rank_of(stop))))

    return start + (stop - start) * part
