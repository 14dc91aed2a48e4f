"""Built-in ops around the inverse, in `opgrad.ops.linalg`: solve, inv, det, pinv, and so on.

They take a batch of matrices in the last two axes. Their derivatives are those of Giles 2008, "An
extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation", with plain transposes, so that they hold for complex matrices.
"""

from __future__ import annotations

import operator

from opgrad.define import composite, op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops._matrices import adjoint, diagonal_mask
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_SQUARE = [[2.0, 0.5, -1.0], [0.25, -1.5, 0.5], [1.0, 0.75, 3.0]]
_BATCH = [[[2.0, 0.5], [0.25, -1.5]], [[1.0, 2.0], [-0.5, 3.0]]]
_COMPLEX = [[2.0 + 1.0j, 0.5], [-1.0j, 1.5 - 0.5j]]
_RANK_2 = [[1.0, 2.0, 3.0], [2.0, 1.0, 0.0], [3.0, 3.0, 3.0]]
_INVERTIBLE = (sample(_SQUARE), sample(_BATCH), sample([[-2.0]]), sample(_COMPLEX))


# ------------------------------------------------------------------------------------ solve and inv


@op(
    broadcasts=True,
    numpy=("solve",),
    symbol="\\",
    samples=(
        sample(_SQUARE, [1.0, -2.0, 0.5]),
        sample(_SQUARE, uniform((3, 2))),
        sample(_BATCH, uniform((2, 2, 3))),
        sample(_BATCH, [1.0, -2.0]),
        sample(_BATCH, uniform((2, 3))),
        sample(_BATCH[0], uniform((3, 2, 2))),
        sample(_BATCH, uniform((3, 1, 2, 1))),
        sample(_COMPLEX, [1.0j, 2.0 - 1.0j]),
        sample(_COMPLEX, uniform((2, 2))),
    ),
)
def solve(xp, a, b):
    """y = a⁻¹ b, the solution of a y = b. A 1-d b is one column; else b holds columns.

    Batches broadcast. Giles 2008, section 2.3.1. A singular a raises NumPy's LinAlgError.
    """
    return xp.linalg.solve(a, b)


@solve.backward
def solve_backward(xp, g, a, b, y):
    """-d yᵀ for a and d for b, with d = a⁻ᵀ g: one system for both."""
    single = len(shape_of(b)) == 1
    if single:
        g, y = xp.expand_dims(g, axis=-1), xp.expand_dims(y, axis=-1)
    d = xp.linalg.solve(xp.matrix_transpose(a), g)
    left, right = d, y
    if len(shape_of(a)) == 2 < len(shape_of(y)):  # one matrix for a batch: sum within one product
        left, right = _columns(xp, d), _columns(xp, y)

    return (
        -xp.matmul(left, xp.matrix_transpose(right)),
        xp.squeeze(d, axis=-1) if single else d,
    )


@solve.jvp
def solve_jvp(xp, t, a, b, y):
    """a⁻¹ (db - da y)."""
    da, db = t
    if da is not None:
        if len(shape_of(b)) == 1:
            moved = xp.squeeze(xp.matmul(da, xp.expand_dims(y, axis=-1)), axis=-1)
        else:
            moved = xp.matmul(da, y)
        db = -moved if db is None else db - moved
    if len(shape_of(b)) > 1 or len(shape_of(db)) == 1:
        return xp.linalg.solve(a, db)

    return xp.squeeze(xp.linalg.solve(a, xp.expand_dims(db, axis=-1)), axis=-1)


def _columns(xp, x):
    """All columns of a batch of matrices as one matrix."""
    *batch, rows, columns = shape_of(x)
    for n in batch:
        columns *= n
    order = (len(batch), *range(len(batch)), len(batch) + 1)

    return xp.reshape(xp.permute_dims(x, order), (rows, columns))


@op(numpy=("inv",), symbol="⁻¹", samples=_INVERTIBLE)
def inv(xp, x):
    """x⁻¹. Giles 2008, section 2.2.3. A singular x raises NumPy's LinAlgError."""
    return xp.linalg.inv(x)


@inv.backward("x")
def inv_backward(xp, g, y):
    """-yᵀ g yᵀ."""
    transposed = xp.matrix_transpose(y)

    return -xp.matmul(transposed, xp.matmul(g, transposed))


@inv.jvp("x")
def inv_jvp(xp, t, y):
    """-y dx y."""
    return -xp.matmul(y, xp.matmul(t, y))


# ------------------------------------------------------------------------------------- determinants


_ANY_RANK = (*_INVERTIBLE, sample(_RANK_2), sample([[0.0]]), sample([_SQUARE, _RANK_2]))


@op(numpy=("det",), samples=_ANY_RANK)
def det(xp, x):
    """det x. The first two derivatives are finite and right for every x, singular or not.

    From the third on they hold where x can be inverted, and raise NumPy's LinAlgError elsewhere.
    """
    return xp.linalg.det(x)


@det.backward("x")
def det_backward(xp, g, x):
    """g·C with the cofactors C, which are det(x)·x⁻ᵀ where x can be inverted (Jacobi)."""
    return _as_matrices(xp, g) * cofactors(x)


@det.jvp("x")
def det_jvp(xp, t, x):
    """Σ Cᵢⱼ·dxᵢⱼ."""
    return xp.sum(cofactors(x) * t, axis=(-2, -1))


@op(
    samples=(*_ANY_RANK, sample([[1.0, 0.0], [0.0, 1.0]])),
    expected_failures={"second-order": "it needs the inverse, and raises where there is none"},
)
def cofactors(xp, x):
    """Cᵢⱼ = ∂det(x)/∂xᵢⱼ, the transposed adjugate, found from the singular values of x.

    With x = u·diag(s)·v it is det(u)·det(v) times conj(u)·diag(Π of the other s)·conj(v): nothing
    is divided by, so x may be singular.
    """
    u, s, v = xp.linalg.svd(x)
    others = _products_before(xp, s) * xp.flip(_products_before(xp, xp.flip(s, axis=-1)), axis=-1)
    turned = xp.conj(u) * others[..., None, :]

    return _as_matrices(xp, xp.linalg.det(u) * xp.linalg.det(v)) * xp.matmul(turned, xp.conj(v))


@cofactors.backward("x")
def cofactors_backward(g, x):
    """The derivative is symmetric: that of a second derivative."""
    return cofactors_change(g, x)


@cofactors.jvp("x")
def cofactors_jvp(t, x):
    """By its name."""
    return cofactors_change(t, x)


@op(
    symbol="d cofactors",
    samples=(
        sample(uniform((3, 3)), _SQUARE),
        sample(uniform((2, 2, 2)), _BATCH),
        sample([[2.0]], [[3.0]]),
        sample(uniform((3, 3)), [[2.0, 1.0j, 0.5], [1.0, -1.0, 2.0j], [0.5j, 1.0, 1.0 - 1.0j]]),
    ),
)
def cofactors_change(xp, dx, x):
    """The change of `cofactors(x)` along dx, from the singular values of x as those are.

    In their basis, where x is diagonal, entry ij of it is -Pᵢⱼ·dxⱼᵢ, with Pᵢⱼ the product of all
    singular values but the i-th and the j-th, and entry ii is Σₖ Pᵢₖ·dxₖₖ.
    """
    u, s, v = xp.linalg.svd(x)
    inner = xp.matmul(xp.conj(xp.matrix_transpose(u)), xp.matmul(dx, adjoint(xp, v)))
    pairs = _products_without_pairs(xp, s)
    on_diagonal = xp.matmul(pairs, xp.linalg.diagonal(inner)[..., None])
    change = xp.where(diagonal_mask(xp, x), on_diagonal, -pairs * xp.matrix_transpose(inner))
    turned = xp.matmul(xp.conj(u), xp.matmul(change, xp.conj(v)))

    return _as_matrices(xp, xp.linalg.det(u) * xp.linalg.det(v)) * turned


@cofactors_change.backward("dx")
def cofactors_change_backward_dx(g, x):
    """The same of g: a second derivative is symmetric."""
    return cofactors_change(g, x)


@cofactors_change.jvp("dx")
def cofactors_change_jvp_dx(t, x):
    """The same of t."""
    return cofactors_change(t, x)


@cofactors_change.backward("x")
def cofactors_change_backward_x(xp, g, dx, x):
    """The third derivative of the determinant, symmetric too."""
    return _third_derivative(xp, x, dx, g)


@cofactors_change.jvp("x")
def cofactors_change_jvp_x(xp, t, dx, x):
    """The third derivative of the determinant along dx and t."""
    return _third_derivative(xp, x, dx, t)


def _third_derivative(xp, x, p, q):
    """The gradient of det(x)·(tr P tr Q - tr PQ) with P = x⁻¹p, Q = x⁻¹q."""
    inverse = xp.linalg.inv(x)
    p, q = xp.matmul(inverse, p), xp.matmul(inverse, q)
    pq = xp.matmul(p, q)
    tr_p, tr_q, tr_pq = (_as_matrices(xp, xp.linalg.trace(m)) for m in (p, q, pq))
    on_diagonal = xp.where(diagonal_mask(xp, x), tr_p * tr_q - tr_pq, 0.0)
    inner = on_diagonal - tr_q * p - tr_p * q + pq + xp.matmul(q, p)

    return _as_matrices(xp, xp.linalg.det(x)) * xp.matrix_transpose(xp.matmul(inner, inverse))


def _products_before(xp, s):
    """For each entry along the last axis, the product of those before it."""
    return xp.cumulative_prod(xp.concat([xp.ones_like(s[..., :1]), s[..., :-1]], axis=-1), axis=-1)


def _products_without_pairs(xp, s):
    """Pᵢⱼ, the product of all entries but the i-th and the j-th; 0 for i = j."""
    row = s[..., None, :]
    after = xp.triu(xp.ones_like(row) * xp.ones_like(s[..., :, None]), k=1) != 0.0
    between = _products_before(xp, xp.where(after, row, 1.0))
    before = _products_before(xp, s)[..., :, None]
    behind = xp.flip(_products_before(xp, xp.flip(s, axis=-1)), axis=-1)[..., None, :]
    upper = xp.where(after, before * between * behind, 0.0)

    return upper + xp.matrix_transpose(upper)


@op(outputs=2, numpy=("slogdet",), samples=_INVERTIBLE)
def slogdet(xp, x):
    """(det x / |det x|, log |det x|), without overflow. Giles 2008, section 2.2.4.

    The derivative of log |det x| is x⁻ᵀ: for a singular x it raises NumPy's LinAlgError. The sign
    of a real determinant is a step; that of a complex one turns.
    """
    return xp.linalg.slogdet(x)


@slogdet.backward
def slogdet_backward(xp, g, x, y):
    """(h + i·Im(f·sign))·x⁻ᵀ, for the gradients f of the sign and h of the logarithm."""
    of_sign, of_log = g
    turn = of_sign * y[0]
    scale = of_log + (turn - xp.conj(turn)) * 0.5

    return _as_matrices(xp, scale) * xp.matrix_transpose(xp.linalg.inv(x))


@slogdet.jvp
def slogdet_jvp(xp, t, x, y):
    """(i·Im(r)·sign, Re(r)) with r = tr(x⁻¹ dx)."""
    r = xp.linalg.trace(xp.linalg.solve(x, t))

    return y[0] * ((r - xp.conj(r)) * 0.5), xp.real(r)


# ----------------------------------------------------------------------------- pseudo-inverse, rank


@op(
    nondiff=("rtol",),
    numpy=("pinv",),
    symbol="⁺",
    samples=(
        sample(_SQUARE),
        sample(uniform((3, 2))),
        sample(uniform((2, 2, 4))),
        sample([[1.0 + 1.0j, 2.0], [0.5, -1.0j], [1.0, 1.0]]),
        sample(_BATCH, 1e-9),
    ),
)
def pinv(xp, x, rtol=None):
    """x⁺, the pseudo-inverse of Moore and Penrose.

    Singular values up to `rtol` times the largest count as zero; rtol is max(M, N) times the
    spacing of numbers at 1, unless given. The derivative (Golub and Pereyra 1973) is that at
    constant rank; where the rank changes, x⁺ jumps.
    """
    return xp.linalg.pinv(x, rtol=rtol)


@pinv.backward("x")
def pinv_backward(xp, g, x, y):
    """-yᵀ g yᵀ + conj(1 - x y) gᴴ conj(y) yᵀ + yᵀ conj(y) gᴴ conj(1 - y x)."""
    transposed, conjugate = xp.matrix_transpose(y), xp.conj(y)
    mirrored, plain = adjoint(xp, g), xp.conj(x)
    d = -xp.matmul(transposed, xp.matmul(g, transposed))
    outside = xp.matmul(xp.matmul(mirrored, conjugate), transposed)
    d = d + outside - xp.matmul(plain, xp.matmul(conjugate, outside))
    outside = xp.matmul(transposed, xp.matmul(conjugate, mirrored))

    return d + outside - xp.matmul(xp.matmul(outside, conjugate), plain)


@pinv.jvp("x")
def pinv_jvp(xp, t, x, y):
    """-y dx y + y yᴴ dxᴴ (1 - x y) + (1 - y x) dxᴴ yᴴ y."""
    moved, mirrored = adjoint(xp, t), adjoint(xp, y)
    d = -xp.matmul(y, xp.matmul(t, y))
    outside = xp.matmul(y, xp.matmul(mirrored, moved))
    d = d + outside - xp.matmul(xp.matmul(outside, x), y)
    outside = xp.matmul(xp.matmul(moved, mirrored), y)

    return d + outside - xp.matmul(y, xp.matmul(x, outside))


@op(nondiff=True, numpy=("matrix_rank",), samples=(sample(_RANK_2), sample(_BATCH, 0.5)))
def matrix_rank(xp, x, rtol=None):
    """The number of singular values above `rtol` times the largest; rtol as for `pinv`."""
    return xp.linalg.matrix_rank(x, rtol=rtol)


@composite(
    numpy=("matrix_power",),
    symbol="ⁿ",
    samples=(
        sample(_SQUARE, n=0),
        sample(_SQUARE, n=1),
        sample(_SQUARE, n=5),
        sample(_BATCH, n=-2),
        sample(_COMPLEX, n=3),
    ),
)
def matrix_power(xp, x, *, n):
    """xⁿ for a whole number n, by squaring; a negative one is the power of the inverse."""
    rows, columns = shape_of(x)[-2:]
    if rows != columns:
        message = f"a power is one of square matrices, not of {rows} by {columns}"
        raise ValueError(message)
    n = operator.index(n)
    if n == 0:
        return xp.where(diagonal_mask(xp, x), xp.ones_like(x), xp.zeros_like(x))
    if n < 0:
        x, n = xp.linalg.inv(x), -n
    power = None
    while True:
        if n % 2:
            power = x if power is None else xp.matmul(power, x)
        n //= 2
        if not n:
            return power
        x = xp.matmul(x, x)


def _as_matrices(xp, x):
    """With two more axes, to be multiplied with a batch of matrices."""
    return xp.reshape(x, (*shape_of(x), 1, 1))


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops around the inverse."""
    return (
        solve,
        inv,
        det,
        cofactors,
        cofactors_change,
        slogdet,
        pinv,
        matrix_rank,
        matrix_power,
    )
