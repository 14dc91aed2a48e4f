"""Functions of `numpy.linalg` and `numpy.fft`; `linalg__cond` is `numpy.linalg.cond`."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from opgrad.namespaces import numpy as xp
from opgrad.numpy_functions.operands import operand, ops, rank_of
from opgrad.types import shape as shape_of
from opgrad.value import Value

EighResult = namedtuple("EighResult", ("eigenvalues", "eigenvectors"))  # noqa: PYI024 -- of any data
SVDResult = namedtuple("SVDResult", ("U", "S", "Vh"))  # noqa: PYI024 -- of any data
QRResult = namedtuple("QRResult", ("Q", "R"))  # noqa: PYI024 -- of any data
SlogdetResult = namedtuple("SlogdetResult", ("sign", "logabsdet"))  # noqa: PYI024 -- of any data


def linalg__eigh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803 -- NumPy's
    del UPLO  # the op looks at both triangles

    return EighResult(*ops.linalg.eigh(operand(a)))


def linalg__svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
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


def linalg__norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis

    return ops.linalg.norm(operand(x), ord=ord, axis=axis, keepdims=keepdims)


def linalg__pinv(
    a: Any,
    rcond: Any = None,
    hermitian: bool = False,
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
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]

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
    rest = rest if rank_of(rest) > 1 else rest[:, None]
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
