"""Built-in factorizations into triangles, in `opgrad.ops.linalg`: cholesky, qr.

They take a batch of matrices in the last two axes. Where the literature writes a gradient with
adjoints, the rules here have its conjugate: opgrad's gradients are those of g·f'(z).
"""

from __future__ import annotations

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops._matrices import adjoint, diagonal_mask, hermitian, skew, unless_free
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_POSITIVE = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.5, -0.5, 2.0]]
_HERMITIAN = [[3.0, 1.0 - 0.5j], [1.0 + 0.5j, 2.0]]
_TALL, _WIDE = uniform((4, 3)), uniform((2, 3))


# ----------------------------------------------------------------------------------------- cholesky


@op(
    numpy=("cholesky",),
    symbol="chol",
    samples=(
        sample(_POSITIVE),
        sample([[[2.0, 0.5], [0.5, 1.0]], [[3.0, -1.0], [-1.0, 5.0]]]),
        sample([[2.0]]),
        sample(_POSITIVE, upper=True),
        sample(_HERMITIAN),
        sample(_HERMITIAN, upper=True),
    ),
)
def cholesky(xp, x, *, upper=False):
    """The triangular y with y yᴴ = x (`upper`: yᴴ y = x) for a positive definite Hermitian x.

    It is a function of (x + xᴴ)/2, so that the gradient is symmetric, as in JAX; NumPy reads one
    triangle, and an x that is not Hermitian is refused. Rules: Murray 2016, arXiv:1602.07527.
    """
    return xp.linalg.cholesky(hermitian(xp, x), upper=upper)


@cholesky.backward("x")
def cholesky_backward(xp, g, y, upper):
    """y⁻ᵀ m conj(y)⁻¹ with m the Hermitian part of Φ(yᵀ g), Φ as `_lower`."""
    if upper:
        g, y = adjoint(xp, g), adjoint(xp, y)
    transposed = xp.matrix_transpose(y)
    half = _lower(xp, xp.matmul(transposed, g))
    left = xp.linalg.solve(transposed, (half + adjoint(xp, half)) * 0.5)

    return adjoint(xp, xp.linalg.solve(transposed, adjoint(xp, left)))


@cholesky.jvp("x")
def cholesky_jvp(xp, t, y, upper):
    """y Φ(y⁻¹ dx y⁻ᴴ), for the Hermitian part of dx."""
    if upper:
        y = adjoint(xp, y)
    left = xp.linalg.solve(y, (t + adjoint(xp, t)) * 0.5)
    moved = xp.matmul(y, _lower(xp, xp.linalg.solve(y, adjoint(xp, left))))

    return adjoint(xp, moved) if upper else moved


# ----------------------------------------------------------------------------------------------- qr


@op(
    outputs=2,
    numpy=("qr",),
    samples=(
        sample(uniform((3, 3))),
        sample(_TALL),
        sample(_WIDE),
        sample(uniform((2, 3, 2))),
        sample(uniform((2, 4))),
        sample(_TALL, mode="complete"),
        sample(_WIDE, mode="complete"),
        sample([[1.0 + 1.0j, 2.0], [0.5, -1.0j], [1.0, 1.0]]),
    ),
)
def qr(xp, x, *, mode="reduced"):
    """(q, r) with x = q r, q with orthonormal columns, r upper triangular with a real diagonal.

    `mode="complete"` gives a square q. The first min(M, N) columns of x must be independent; else
    the derivative does not exist, and NumPy's LinAlgError says so. Rules: Roberts and Roberts 2020,
    arXiv:2009.10071. Of a complete q only what does not depend on the choice of the columns beyond
    those of x has a derivative; a gradient of anything else is NaN.
    """
    if mode not in {"reduced", "complete"}:
        message = f"mode is 'reduced' or 'complete', not {mode!r}; for r alone take qr(x)[1]"
        raise ValueError(message)

    return xp.linalg.qr(x, mode=mode)


@qr.backward
def qr_backward(xp, g, x, y):
    """(f + conj(q) (Φ(m - mᴴ) - m)) r⁻ᵀ with m = qᵀ f - h rᵀ, for gradients f of q and h of r."""
    (f, h), (q, r) = g, y
    rows, columns = shape_of(x)[-2:]
    if rows < columns:  # the columns behind the square part are qᴴ x there
        behind = h[..., rows:]
        f = f + xp.matmul(xp.conj(x[..., rows:]), adjoint(xp, behind))
        first = _qr_backward_tall(xp, f, h[..., :rows], q, r[..., :rows])

        return xp.concat([first, xp.matmul(xp.conj(q), behind)], axis=-1)
    if shape_of(q)[-1] == columns:
        return _qr_backward_tall(xp, f, h, q, r)
    free, of_free = q[..., columns:], f[..., columns:]
    q, r, f, h = q[..., :columns], r[..., :columns, :], f[..., :columns], h[..., :columns, :]
    turn = skew(xp, xp.matmul(xp.matrix_transpose(free), of_free))
    f = f - xp.matmul(xp.conj(free), xp.matmul(adjoint(xp, of_free), xp.conj(q)))

    return unless_free(xp, turn, (of_free,), _qr_backward_tall(xp, f, h, q, r))


def _qr_backward_tall(xp, f, h, q, r):
    m = xp.matmul(xp.matrix_transpose(q), f) - xp.matmul(h, xp.matrix_transpose(r))
    inner = _lower(xp, m - adjoint(xp, m)) - m
    d = f + xp.matmul(xp.conj(q), inner)

    return xp.matrix_transpose(xp.linalg.solve(_exact(xp, r), xp.matrix_transpose(d)))


@qr.jvp
def qr_jvp(xp, t, x, y):
    """(q w + (1 - q qᴴ) dx r⁻¹, (c - w) r) with c = qᴴ dx r⁻¹ and w = Φ(c) - Φ(c)ᴴ."""
    q, r = y
    rows, columns = shape_of(x)[-2:]
    square = min(rows, columns)
    first, r_first = q[..., :square], r[..., :square, :square]
    scaled = _over(xp, t[..., :square], r_first)
    inner = xp.matmul(adjoint(xp, first), scaled)
    half = _lower(xp, inner)
    turn = half - adjoint(xp, half)
    dq = xp.matmul(first, turn - inner) + scaled
    dr = xp.matmul(inner - turn, r_first)
    if rows < columns:
        behind = xp.matmul(adjoint(xp, dq), x[..., rows:])
        behind = behind + xp.matmul(adjoint(xp, q), t[..., rows:])
        dr = xp.concat([dr, behind], axis=-1)
    if shape_of(q)[-1] > square:
        free = q[..., square:]
        across = xp.matmul(adjoint(xp, scaled), free)
        dq = xp.concat([dq, -xp.matmul(first, across)], axis=-1)
        dr = xp.concat([dr, xp.zeros_like(r[..., square:, :])], axis=-2)

    return dq, dr


def _over(xp, x, r):
    """The solution y of y r = x."""
    transposed = xp.matrix_transpose(_exact(xp, r))

    return xp.matrix_transpose(xp.linalg.solve(transposed, xp.matrix_transpose(x)))


def _exact(xp, r):
    """r with 0 on the diagonal where it is rounding beside its column: solving with it raises."""
    scale = xp.sum(xp.abs(r), axis=-2, keepdims=True)
    nothing = scale + xp.abs(r) / 32.0 == scale

    return xp.where(nothing & diagonal_mask(xp, r), 0.0, r)


def _lower(xp, x):
    """Φ: the lower triangle, with half the diagonal."""
    return (xp.tril(x) + xp.tril(x, k=-1)) * 0.5


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the factorizations into triangles."""
    return (cholesky, qr)
