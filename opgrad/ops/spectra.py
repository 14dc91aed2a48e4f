"""Built-in eigenvalues and singular values, in `opgrad.ops.linalg`: eigh, eigvalsh, svd, svdvals.

They take a batch of matrices in the last two axes. Where the literature writes a gradient with
adjoints, the rules here have its conjugate: opgrad's gradients are those of g·f'(z).

Vectors are not unique: complex ones may be turned by a phase, those of equal values by any
rotation. What does not depend on that choice has a derivative, and gets it. What does has none: its
gradient is NaN, never a number that means nothing. A tangent (forward mode) is that of one choice,
the vectors not turning along themselves.
"""

from __future__ import annotations

import math

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops._matrices import adjoint, diagonal_mask, hermitian, skew, unless_free
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_POSITIVE = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.5, -0.5, 2.0]]
_POSITIVES = [[[2.0, 0.5], [0.5, 1.0]], [[3.0, -1.0], [-1.0, 5.0]]]
_HERMITIAN = [[3.0, 1.0 - 0.5j], [1.0 + 0.5j, 2.0]]
_SYMMETRIC = (sample(_POSITIVE), sample(_POSITIVES), sample([[2.0]]))
_TALL, _WIDE = uniform((4, 3)), uniform((2, 3))
_RECTANGULAR = (
    sample(uniform((3, 3))),
    sample(_TALL),
    sample(_WIDE),
    sample(uniform((2, 3, 2))),
    sample([[2.0]]),
)


# --------------------------------------------------------------------------------------------- eigh


_TIES = {"ties": "equal values leave their vectors undetermined, so that these have no derivative"}


@op(outputs=2, numpy=("eigh",), samples=_SYMMETRIC, expected_failures=_TIES)
def eigh(xp, x):
    """(w, v) with x = v diag(w) vᴴ for a Hermitian x, w ascending. Giles 2008, section 3.1.

    It is a function of (x + xᴴ)/2, so that the gradient is symmetric, as in JAX; NumPy reads one
    triangle, and an x that is not Hermitian is refused. Eigenvectors of equal eigenvalues (equal
    but for rounding) have no derivative: gradients through them are infinite or NaN, those through
    eigenvalues, and through other columns, are right.
    """
    return xp.linalg.eigh(hermitian(xp, x))


@eigh.backward
def eigh_backward(xp, g, y):
    """conj(v) (diag(f) + skew(vᵀ h) / (wⱼ - wᵢ)) vᵀ, for the gradients f of w and h of v."""
    (f, h), (w, v) = g, y
    transposed = xp.matrix_transpose(v)
    turn = skew(xp, xp.matmul(transposed, h))
    mask = diagonal_mask(xp, turn)
    unused = xp.all(h == 0.0, axis=-2, keepdims=True)
    gaps = _divisor(xp, _gaps(w), w, mask | unused & xp.matrix_transpose(unused))
    inner = xp.where(mask, f[..., None, :], turn / gaps)
    d = xp.matmul(xp.conj(v), xp.matmul(inner, transposed))

    return unless_free(xp, xp.where(mask, turn, 0.0), (h,), d)


@eigh.jvp
def eigh_jvp(xp, t, y):
    """(Re diag(b), v (b / (wⱼ - wᵢ))) with b = vᴴ dx v, for the Hermitian part of dx."""
    w, v = y
    inner = xp.matmul(adjoint(xp, v), xp.matmul((t + adjoint(xp, t)) * 0.5, v))
    gaps = _divisor(xp, _gaps(w), w, diagonal_mask(xp, inner))

    return xp.real(xp.linalg.diagonal(inner)), xp.matmul(v, inner / gaps)


@op(
    numpy=("eigvalsh",), samples=(*_SYMMETRIC, sample([[1.0, 0.0], [0.0, 1.0]]), sample(_HERMITIAN))
)
def eigvalsh(xp, x):
    """The eigenvalues of a Hermitian x, ascending. Giles 2008, section 3.1.

    It is a function of (x + xᴴ)/2, as `eigh`. Where eigenvalues are equal they have a kink each,
    and a gradient between its slopes; any symmetric function of them has its derivative. Second
    derivatives are infinite or NaN there.
    """
    return xp.linalg.eigvalsh(hermitian(xp, x))


@eigvalsh.backward("x")
def eigvalsh_backward(xp, g, x):
    """conj(v) diag(g) vᵀ."""
    _, v = eigh(x)

    return xp.matmul(xp.conj(v) * g[..., None, :], xp.matrix_transpose(v))


@eigvalsh.jvp("x")
def eigvalsh_jvp(xp, t, x):
    """Re diag(vᴴ dx v)."""
    _, v = eigh(x)

    return xp.real(xp.sum(xp.conj(v) * xp.matmul(t, v), axis=-2))


# ---------------------------------------------------------------------------------------------- svd


@op(
    outputs=3,
    numpy=("svd",),
    expected_failures=_TIES,
    samples=(
        *_RECTANGULAR,
        sample(_TALL, full_matrices=False),
        sample(uniform((2, 4)), full_matrices=False),
        sample(uniform((2, 3, 2)), full_matrices=False),
    ),
)
def svd(xp, x, *, full_matrices=True):
    """(u, s, v) with x = u diag(s) v, orthonormal columns of u and rows of v, s descending.

    Townsend 2016, "Differentiating the singular value decomposition"; for complex x Wan and Zhang
    2019, arXiv:1909.02659. Vectors of equal singular values, and of those that are zero, have no
    derivative: gradients through them are infinite or NaN, those through s, and through other
    vectors, are right. Of the vectors that `full_matrices` adds, only what does not depend on
    their choice has one. At s = 0, a kink, that of s is 0.
    """
    return xp.linalg.svd(x, full_matrices=full_matrices)


@svd.backward
def svd_backward(xp, g, x, y):
    """conj(u) m conj(v) with m = diag(f) + skew(p + q)/(sⱼ - sᵢ) + skew(p - q)/(sᵢ + sⱼ).

    f is the gradient of s; p is uᵀ times that of u, q is conj(v) times the adjoint of that of v.
    More comes from u and v as they leave the range of x: their part outside it, over s.
    """
    # Long: it is one formula, whose parts share their products.
    (of_u, f, of_v), (u, s, v) = g, y
    rows, columns = shape_of(x)[-2:]
    count = min(rows, columns)
    free_u, free_v = u[..., count:], v[..., count:, :]
    of_free_u, of_free_v = of_u[..., count:], of_v[..., count:, :]
    u, v, of_u, of_v = u[..., :count], v[..., :count, :], of_u[..., :count], of_v[..., :count, :]
    conj_u, conj_v = xp.conj(u), xp.conj(v)
    p = xp.matmul(xp.matrix_transpose(u), of_u)
    q = xp.matmul(conj_v, adjoint(xp, of_v))
    both, apart = skew(xp, p + q), skew(xp, p - q)
    mask = diagonal_mask(xp, p)
    unused = _unused(xp, of_u, of_v, of_free_u, of_free_v)
    pairs = unused & xp.matrix_transpose(unused)

    inner = both / _divisor(xp, _gaps(s), s, mask | pairs)
    inner = xp.where(mask, (f * xp.sign(s))[..., None, :], inner)
    inner = inner + apart / _divisor(xp, _sums(s), s, mask & (apart == 0.0) | pairs)
    size = _divisor(xp, s[..., None, :], s, unused)
    left = xp.matmul(conj_u, inner)
    if rows > count:
        outside = of_u - xp.matmul(conj_u, p)
        inward = xp.matmul(xp.conj(free_u), xp.matmul(adjoint(xp, of_free_u), conj_u))
        left = left + (outside - inward) / size
    d = xp.matmul(left, conj_v)
    if columns > count:
        outside = of_v - xp.matmul(adjoint(xp, q), conj_v)
        inward = xp.matmul(xp.matmul(conj_v, adjoint(xp, of_free_v)), xp.conj(free_v))
        d = d + xp.matmul(conj_u / size, outside - inward)

    turn_u = skew(xp, xp.matmul(xp.matrix_transpose(free_u), of_free_u))
    turn_v = skew(xp, xp.matmul(xp.conj(free_v), adjoint(xp, of_free_v)))
    d = unless_free(xp, xp.where(mask, both, 0.0), (of_u, of_v), d)
    d = unless_free(xp, turn_u, (of_free_u,), d)

    return unless_free(xp, turn_v, (of_free_v,), d)


@svd.jvp
def svd_jvp(xp, t, x, y):
    """(u (h/(sⱼ - sᵢ) + k/(sᵢ + sⱼ)), Re diag(p), (k/(sᵢ + sⱼ) - h/(sⱼ - sᵢ)) v) for p = uᴴ dx vᴴ.

    h and k are the Hermitian and the skew part of p. More is added where u and v leave the range
    of x: the part of dx outside it, over s.
    """
    u, s, v = y
    rows, columns = shape_of(x)[-2:]
    count = min(rows, columns)
    free_u, free_v = u[..., count:], v[..., count:, :]
    u, v = u[..., :count], v[..., :count, :]
    along_v, along_u = xp.matmul(t, adjoint(xp, v)), xp.matmul(adjoint(xp, u), t)
    p = xp.matmul(along_u, adjoint(xp, v))
    turn, mask = skew(xp, p), diagonal_mask(xp, p)

    both = (p - turn) / _divisor(xp, _gaps(s), s, mask)
    apart = turn / _divisor(xp, _sums(s), s, mask & (turn == 0.0))
    du, dv = xp.matmul(u, both + apart), xp.matmul(apart - both, v)
    size = _divisor(xp, s[..., None, :], s, idle=False)
    if rows > count:
        outside = (along_v - xp.matmul(u, p)) / size
        inward = xp.matmul(u, xp.matmul(adjoint(xp, outside), free_u))
        du = xp.concat([du + outside, -inward], axis=-1)
    if columns > count:
        outside = (along_u - xp.matmul(p, v)) / xp.matrix_transpose(size)
        inward = xp.matmul(xp.matmul(free_v, adjoint(xp, outside)), v)
        dv = xp.concat([dv + outside, -inward], axis=-2)

    return du, xp.real(xp.linalg.diagonal(p)) * xp.sign(s), dv


def _unused(xp, of_u, of_v, of_free_u, of_free_v):
    """Which pairs of singular vectors get no gradient, as a row.

    None does where free ones get some: beside s = 0 they are of one kind.
    """
    by_u = xp.all(of_u == 0.0, axis=-2, keepdims=True)
    by_v = xp.matrix_transpose(xp.all(of_v == 0.0, axis=-1, keepdims=True))
    free_u = xp.all(of_free_u == 0.0, axis=(-2, -1), keepdims=True)
    free_v = xp.all(of_free_v == 0.0, axis=(-2, -1), keepdims=True)

    return by_u & by_v & free_u & free_v


def _sums(s):
    """sᵢ + sⱼ."""
    return s[..., None, :] + s[..., :, None]


@op(numpy=("svdvals",), symbol="σ", samples=(*_RECTANGULAR, sample([[1.0, 1.0j], [0.5, 2.0]])))
def svdvals(xp, x):
    """The singular values of x, descending. Giles 2008, section 3.2.

    Where they are equal they have a kink each, as eigenvalues do, and one that is 0 has derivative
    0. Second derivatives are infinite or NaN there.
    """
    return xp.linalg.svdvals(x)


@svdvals.backward("x")
def svdvals_backward(xp, g, x):
    """conj(u) diag(g) conj(v)."""
    u, s, v = svd(x, full_matrices=False)

    return xp.matmul(xp.conj(u) * (g * xp.sign(s))[..., None, :], xp.conj(v))


@svdvals.jvp("x")
def svdvals_jvp(xp, t, x):
    """Re diag(uᴴ dx vᴴ)."""
    u, s, v = svd(x, full_matrices=False)
    moved = xp.matmul(t, adjoint(xp, v))

    return xp.real(xp.sum(xp.conj(u) * moved, axis=-2)) * xp.sign(s)


# ---------------------------------------------------------------------------------------- in common


def _gaps(w):
    """wⱼ - wᵢ."""
    return w[..., None, :] - w[..., :, None]


def _divisor(xp, x, w, idle):
    """x, to divide by: exactly 0 where beside the sizes of w it may be rounding.

    There the quotient is infinite or NaN, as it should be; but 0 where it is idle.
    """
    scale = xp.sum(xp.abs(w), axis=-1, keepdims=True)[..., None]
    nothing = scale + xp.abs(x) / 32.0 == scale  # 16 roundings or fewer

    return xp.where(nothing & idle, math.inf, xp.where(nothing, 0.0, x))


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the decompositions by eigenvalues and singular values."""
    return (eigh, eigvalsh, svd, svdvals)
