"""Products and sums of products: dot, inner, kron, einsum, cross, correlate, trapezoid."""

from __future__ import annotations

from typing import Any

from opgrad.errors import CallError
from opgrad.numpy_functions.operands import array, flat, operand, ops, rank_of
from opgrad.types import shape as shape_of
from opgrad.value import Value


def dot(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    if not (rank_of(a) and rank_of(b)):
        return ops.multiply(a, b)
    if rank_of(b) <= 2:
        return ops.matmul(a, b)

    return ops.tensordot(a, b, axes=((rank_of(a) - 1,), (rank_of(b) - 2,)))


def inner(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    if not (rank_of(a) and rank_of(b)):
        return ops.multiply(a, b)

    return ops.tensordot(a, b, axes=((rank_of(a) - 1,), (rank_of(b) - 1,)))


def vdot(a: Any, b: Any) -> Any:
    return ops.vecdot(flat(a), flat(b))


def outer(a: Any, b: Any) -> Any:
    return ops.outer(operand(a), operand(b))


def matvec(x1: Any, x2: Any) -> Any:
    return ops.matmul(operand(x1), operand(x2)[..., None])[..., 0]


def vecmat(x1: Any, x2: Any) -> Any:
    return ops.matmul(ops.conj(operand(x1))[..., None, :], operand(x2))[..., 0, :]


def kron(a: Any, b: Any) -> Any:
    a, b = array(operand(a)), array(operand(b))
    rank = max(rank_of(a), rank_of(b))
    of_a = (1,) * (rank - rank_of(a)) + shape_of(a)
    of_b = (1,) * (rank - rank_of(b)) + shape_of(b)
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
    y: Any = ops.zeros_like(x) if isinstance(x, Value) or rank_of(x) else 0.0
    for coefficient in p:
        y = y * operand(x) + coefficient

    return y


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = ops.moveaxis(operand(y), source=axis, destination=-1)
    steps: Any = operand(dx)
    if x is not None:
        x = operand(x)
        x = ops.moveaxis(x, source=axis, destination=-1) if rank_of(x) > 1 else x
        steps = x[..., 1:] - x[..., :-1]

    return ops.sum(steps * (y[..., 1:] + y[..., :-1]) * 0.5, axis=-1)
