"""Built-in norms and the cross product, in `opgrad.ops.linalg`.

Where a norm is 0 its derivative is taken as 0: a minimum. Entries or singular values that tie for
the largest or smallest share the derivative equally.
"""

from __future__ import annotations

import math

from opgrad.define import composite, op
from opgrad.errors import CallError
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops.spectra import svdvals
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_VECTOR = [3.0, -1.0, 0.5, 2.0]
_CUBE = uniform((2, 3, 4))
_COMPLEX = [[1.0 + 1.0j, 2.0], [0.5, -1.0j], [1.0, 1.0]]
_ORDERS = (2, 1, math.inf, -math.inf, 0, 3, 0.5, -1)


# ------------------------------------------------------------------------------------ of vectors


@op(
    numpy=("vector_norm",),
    symbol="‖·‖",
    samples=(
        *[sample(_VECTOR, ord=order) for order in _ORDERS],
        *[sample(_COMPLEX, axis=0, ord=order) for order in (2, 1, math.inf, 3)],
        sample(_CUBE),
        sample(_CUBE, axis=1, keepdims=True),
        sample(_CUBE, axis=(0, 2), ord=3),
        sample([0.0, 0.0]),
        sample([[0.0, 2.0], [0.0, 0.0]], axis=1, ord=1.5),
        sample(-2.0),
    ),
)
def vector_norm(xp, x, *, axis=None, keepdims=False, ord=2):  # noqa: A002 -- the Array API name
    """(Σ |xᵢ|ᵖ)^(1/p) over `axis` for p = `ord`; max |xᵢ| for inf, min |xᵢ| for -inf.

    Derivative 0 where the norm is 0, and along an entry that is 0 (a kink for p = 1, a cusp for
    p < 1). With `ord=0` it counts the entries other than 0: a step function, of derivative 0.
    """
    if not hasattr(x, "dtype"):  # a Python number
        return abs(x) if ord else float(x != 0)

    return xp.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


@vector_norm.backward("x")
def vector_norm_backward(xp, g, x, y, axis, ord):  # noqa: A002 -- the attribute's name
    """g·conj(xᵢ)/|xᵢ|·(|xᵢ|/y)^(p - 1)."""
    return xp.reshape(g, _kept(x, axis)) * _slopes(xp, x, y, axis, ord)


@vector_norm.jvp("x")
def vector_norm_jvp(xp, t, x, y, axis, keepdims, ord):  # noqa: A002 -- the attribute's name
    """Re Σ conj(xᵢ)/|xᵢ|·(|xᵢ|/y)^(p - 1)·dxᵢ."""
    return xp.real(xp.sum(_slopes(xp, x, y, axis, ord) * t, axis=axis, keepdims=keepdims))


def _slopes(xp, x, y, axis, p):
    """What to multiply dxᵢ with."""
    y = xp.reshape(y, _kept(x, axis))
    if p == 0:
        return xp.zeros_like(x)
    if p == 1:
        return xp.conj(xp.sign(x))
    flat = y == 0.0
    size = xp.where(flat, xp.ones_like(y), y)
    if p == 2:
        return xp.where(flat, 0.0, xp.conj(x) / size)
    if math.isinf(p):
        tied = xp.where(xp.abs(x) == y, xp.ones_like(y), xp.zeros_like(y))
        share = tied / xp.sum(tied, axis=axis, keepdims=True)
        return xp.conj(xp.sign(x)) * share
    ratios = xp.abs(x) / size
    if p < 1:
        ratios = xp.where(ratios == 0.0, xp.ones_like(ratios), ratios)

    return xp.where(flat, 0.0, xp.conj(xp.sign(x)) * ratios ** (p - 1.0))


def _kept(x, axis):
    """The shape of a norm of x that keeps its axes."""
    shape = shape_of(x)
    if axis is None:
        return (1,) * len(shape)
    axes = {i % len(shape) for i in (axis if isinstance(axis, tuple) else (axis,))}

    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


# ----------------------------------------------------------------------------------- of matrices


_MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


@composite(
    numpy=("matrix_norm",),
    symbol="‖·‖",
    samples=(
        sample(uniform((3, 2))),
        *[sample(uniform((2, 3)), ord=order) for order in _MATRIX_ORDERS],
        *[sample(_COMPLEX, ord=order) for order in ("fro", "nuc", 1, -2)],
        sample(_CUBE, keepdims=True, ord="nuc"),
        sample([[0.0, 0.0], [0.0, 0.0]]),
        sample([[0.0, 0.0], [0.0, 0.0]], ord="nuc"),
    ),
)
def matrix_norm(xp, x, *, keepdims=False, ord=None):  # noqa: A002 -- the Array API name
    """The norm of each matrix, of the last two axes.

    `ord` is "fro" (the default: √Σ|xᵢⱼ|²), "nuc" (the sum of the singular values), 2 or -2 (the
    largest or smallest of them), 1 or -1 (the largest or smallest Σᵢ|xᵢⱼ| of a column), inf or -inf
    (that of a row).
    """
    if ord is None or ord == "fro":
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord == "nuc":
        y = xp.sum(svdvals(x), axis=-1)
    elif ord in {2, -2}:
        y = (xp.max if ord > 0 else xp.min)(svdvals(x), axis=-1)
    elif ord in {1, -1, math.inf, -math.inf}:
        sums = xp.sum(xp.abs(x), axis=-2 if abs(ord) == 1 else -1)
        y = (xp.max if ord > 0 else xp.min)(sums, axis=-1)
    else:
        message = f"a matrix has norms {_MATRIX_ORDERS}, none of ord {ord!r}"
        raise CallError(message)

    return xp.expand_dims(y, axis=(-2, -1)) if keepdims else y


@composite(
    numpy=("norm",),
    symbol="‖·‖",
    samples=(
        sample(_CUBE),
        sample(_VECTOR, ord=1),
        sample(uniform((3, 2)), ord="nuc"),
        sample(_CUBE, axis=1, ord=math.inf),
        sample(_CUBE, axis=(0, 2), ord=2, keepdims=True),
        sample(_CUBE, axis=(2, 0), ord=1),
    ),
)
def norm(xp, x, *, ord=None, axis=None, keepdims=False):  # noqa: A002 -- NumPy's name
    """The norm as `numpy.linalg.norm` has it.

    Of a vector or along one axis it is `vector_norm`, of a matrix or over two axes `matrix_norm`;
    with neither `ord` nor `axis` it is √Σ|xᵢ|² of all entries.
    """
    ndim = len(shape_of(x))
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    if axis is None:
        if ndim not in {1, 2}:
            message = f"with ord={ord!r} and no axis it takes a vector or a matrix, not {ndim} axes"
            raise CallError(message)
        axis = tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        message = f"a norm is over one axis or two, not over {axis!r}"
        raise CallError(message)
    last = tuple(i % ndim for i in axes)
    order = tuple(i for i in range(ndim) if i not in last) + last
    y = matrix_norm(xp.permute_dims(x, order), ord=ord)

    return xp.reshape(y, _kept(x, axes)) if keepdims else y


# --------------------------------------------------------------------------------- cross product


@op(
    linear=True,
    broadcasts=True,
    numpy=("cross",),
    symbol="×",
    samples=(
        sample([1.0, -2.0, 0.5], [0.5, 3.0, 2.0]),
        sample(uniform((2, 3)), uniform((3,))),
        sample(uniform((3, 2)), uniform((4, 3, 1)), axis=-2),
        sample(uniform((3, 2)), uniform((3, 2), seed=1), axis=0),
        sample([1.0j, 2.0, 0.5], [1.0, 1.0 - 1.0j, 3.0]),
    ),
)
def cross(xp, a, b, *, axis=-1):
    """a × b, of vectors with three entries along `axis`; the other axes broadcast.

    `axis` counts from the end where a and b have different numbers of axes.
    """
    if axis >= 0 and len(shape_of(a)) != len(shape_of(b)):
        message = (
            f"operands of shapes {shape_of(a)} and {shape_of(b)} broadcast from the last axis on: "
            f"count the axis {axis} from there, as a negative number"
        )
        raise CallError(message)

    return xp.linalg.cross(a, b, axis=_from_the_end(a, axis))


def _from_the_end(x, axis):
    """The axis as a negative number, which the standard asks for."""
    return axis - len(shape_of(x)) if axis >= 0 else axis


@cross.backward("a")
def cross_backward_a(xp, g, b, axis):
    """b × g."""
    return xp.linalg.cross(b, g, axis=_from_the_end(g, axis))


@cross.backward("b")
def cross_backward_b(xp, g, a, axis):
    """g × a."""
    return xp.linalg.cross(g, a, axis=_from_the_end(g, axis))


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the norms and the cross product."""
    return (vector_norm, matrix_norm, norm, cross)
