"""The built-in ops of `opgrad.ops.linalg`.

Every sample of every op goes through the same checks, beside NumPy and finite differences; what
is singular, degenerate or a matter of choice has its own.
"""

import math

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.ops import diagonals, inverses, norms, spectra, triangles
from opgrad.value import Value

FAMILIES = (inverses, triangles, spectra, norms, diagonals)
LINALG_OPS = [op for family in FAMILIES for op in family.opgrad_ops()]


@attrs.frozen(eq=False)
class Case:
    """One sample of one op, as functions of its differentiable operands."""

    op: object
    operands: tuple
    attributes: dict
    name: str

    @property
    def places(self):
        """Where the differentiable operands are."""
        return [i for i in range(len(self.operands)) if self.op.operands[i] not in self.op.nondiff]

    @property
    def points(self):
        """The differentiable operands."""
        return tuple(self.operands[i] for i in self.places)

    def __call__(self, *points):
        """The outputs, as a tuple, for these differentiable operands."""
        operands = list(self.operands)
        for place, point in zip(self.places, points, strict=True):
            operands[place] = point
        outputs = self.op(*operands, **self.attributes)

        return outputs if isinstance(outputs, tuple) else (outputs,)

    def projected(self, *points):
        """The outputs as one real number, curved in them: fixed random weights, summed."""
        generator = np.random.default_rng(7)
        total = 0.0
        for output in self(*points):
            weighted = output * random_like(output, generator)
            total = total + ops.sum(ops.real(weighted * weighted * 0.5 + weighted))

        return total


def random_like(x, generator):
    """Random numbers of the shape of x, complex where x is; a float for a float."""
    if not getattr(x, "shape", ()):
        return float(generator.normal())
    numbers = generator.normal(size=x.shape)
    if x.dtype.kind == "c":
        numbers = numbers + 1j * generator.normal(size=x.shape)

    return numbers


def as_data(operand):
    """Nested lists as arrays."""
    return np.array(operand) if type(operand) is list else operand


def cases(op):
    """One case for each sample."""
    return [
        Case(op, tuple(map(as_data, s.operands)), dict(s.attributes), f"{op.name}-{number}")
        for number, s in enumerate(op.samples)
    ]


ALL_CASES = [case for op in LINALG_OPS for case in cases(op)]


def is_kink(case):
    """Whether the sample stands where slopes differ: checked by tests of their own."""
    x, attributes = case.operands[0], case.attributes
    if case.op.name in {"vector_norm", "matrix_norm"}:
        return not np.all(x) or attributes.get("ord") == 0

    return case.name == "eigvalsh-3"  # of equal eigenvalues


DIFFERENTIABLE = [c for c in ALL_CASES if c.op.differentiable and not is_kink(c)]
# The third derivative of a determinant needs an inverse.
TWICE = [c for c in DIFFERENTIABLE if not (c.op.name == "cofactors" and c.name > "cofactors-3")]


def by_name(all_cases):
    """Run a test for each case, under its name."""
    return pytest.mark.parametrize("case", all_cases, ids=[c.name for c in all_cases])


def direction(points, seed=3):
    """Random directions, one for each point."""
    generator = np.random.default_rng(seed)

    return tuple(random_like(x, generator) for x in points)


def moved(points, directions, step):
    """The points, a step along the directions."""
    return tuple(x + step * d for x, d in zip(points, directions, strict=True))


def inner(left, right):
    """Re Σ of products: how far a gradient goes along a direction."""
    return sum(float(np.sum(np.asarray(a) * b).real) for a, b in zip(left, right, strict=True))


def gradients(f, points):
    """The gradient in each argument."""
    return opgrad.grad(f, argnums=tuple(range(len(points))))(*points)


def slope(f, points, directions, step=1e-5):
    """The central difference of a number along a direction."""
    ahead = f(*moved(points, directions, step))
    behind = f(*moved(points, directions, -step))

    return float(ahead - behind) / (2.0 * step)


def normal(*shape, seed=0):
    """Random numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def complex_normal(*shape, seed=0):
    """Random complex numbers."""
    return normal(*shape, seed=seed) + 1j * normal(*shape, seed=seed + 100)


def positive(n=4, seed=0):
    """A symmetric positive definite matrix."""
    x = normal(n, n, seed=seed)

    return x @ x.T + n * np.eye(n)


def rotated(*eigenvalues, seed=0):
    """A symmetric matrix with these eigenvalues."""
    q, _ = np.linalg.qr(normal(len(eigenvalues), len(eigenvalues), seed=seed))

    return q @ np.diag(eigenvalues) @ q.T


def agrees(f, x, *, symmetric=False, rel=1e-6):
    """Check gradient and tangent of f at x beside finite differences along a direction."""
    d = direction((x,))[0]
    if symmetric:
        d = d + d.conj().swapaxes(-1, -2)
    wanted = slope(f, (x,), (d,), 1e-6)

    assert inner((opgrad.grad(f)(x),), (d,)) == pytest.approx(wanted, rel=rel, abs=1e-7)
    assert float(opgrad.jvp(f, (x,), (d,))[1]) == pytest.approx(wanted, rel=rel, abs=1e-7)


# --------------------------------------------------------------------- for every op and sample


def reference_cofactors(x):
    """By minors, one at a time."""
    n = x.shape[-1]
    y = np.empty_like(x)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(x, i, axis=-2), j, axis=-1)
            y[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)

    return y


def reference_cofactors_change(dx, x):
    """By a difference: cofactors are polynomials, of degree 2 at most here."""
    return (reference_cofactors(x + dx) - reference_cofactors(x - dx)) / 2.0


MADE_HERE = {"cofactors": reference_cofactors, "cofactors_change": reference_cofactors_change}
REFERENCES = {op.name: MADE_HERE.get(op.name) or getattr(np.linalg, op.name) for op in LINALG_OPS}


def reference(case):
    """What NumPy gives; defaults of opgrad that NumPy has not are filled in."""
    attributes = dict(case.attributes)
    operands = case.operands
    if case.op.name in {"pinv", "matrix_rank"}:
        attributes["rtol"] = operands[1] if len(operands) > 1 else None
        operands = operands[:1]

    return REFERENCES[case.op.name](*operands, **attributes)


def test_every_op_ships_samples():
    """An op without samples would be checked by nothing."""
    assert [op.name for op in LINALG_OPS if not op.samples] == []


def test_the_array_api_is_there_and_falls_back_on_the_main_namespace():
    """All of `linalg` of the 2024.12 standard: products and transposes are those of `ops`."""
    names = [
        *["cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul"],
        *["matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr"],
        *["slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm"],
    ]

    assert [n for n in names if not isinstance(getattr(ops.linalg, n), opgrad.Op)] == []
    assert ops.linalg.matmul is ops.matmul
    assert ops.linalg.vecdot is ops.vecdot


@by_name(ALL_CASES)
def test_value_is_that_of_numpy(case):
    """Same numbers, same shape, on plain arrays and floats."""
    expected = reference(case)
    actual = case.op(*case.operands, **case.attributes)
    if not isinstance(expected, tuple):
        expected, actual = (expected,), (actual,)

    for want, got in zip(expected, actual, strict=True):
        assert np.shape(want) == np.shape(got)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)


@by_name(ALL_CASES)
def test_values_give_the_same_as_plain_data(case):
    """Recording changes no number."""
    plain = case.op(*case.operands, **case.attributes)
    wrapped = case.op(
        *(Value(x) if i in case.places else x for i, x in enumerate(case.operands)),
        **case.attributes,
    )
    plain, wrapped = (o if isinstance(o, tuple) else (o,) for o in (plain, wrapped))

    for want, got in zip(plain, wrapped, strict=True):
        assert np.array_equal(got.data if type(got) is Value else got, want)


@by_name(DIFFERENTIABLE)
def test_gradient_is_the_finite_difference(case):
    """Along a random direction, complex where the operands are, in all of them at once."""
    directions = direction(case.points)
    actual = inner(gradients(case.projected, case.points), directions)

    assert actual == pytest.approx(
        slope(case.projected, case.points, directions), rel=1e-7, abs=1e-8
    )


@by_name(DIFFERENTIABLE)
def test_gradient_has_the_shape_and_type_of_its_operand(case):
    """Floats get floats, arrays get arrays of their shape; real stays real."""
    found = gradients(case.projected, case.points)

    for x, d in zip(case.points, found, strict=True):
        assert np.shape(d) == np.shape(x)
        assert np.asarray(d).dtype == np.asarray(x).dtype


@by_name(DIFFERENTIABLE)
def test_forward_and_backward_mode_agree(case):
    """To the last digits: <gradient, direction> is the tangent."""
    directions = direction(case.points)
    _, tangent = opgrad.jvp(case.projected, case.points, directions)
    backward = inner(gradients(case.projected, case.points), directions)

    assert float(tangent) == pytest.approx(backward, rel=1e-11, abs=1e-12)


@by_name(TWICE)
def test_second_derivative_is_the_finite_difference_of_the_first(case):
    """Reverse over reverse: the gradient of a random projection of the gradient."""
    weights = direction(case.points, seed=5)

    def along(*points):
        found = gradients(case.projected, points)
        parts = [ops.sum(ops.real(d * w)) for d, w in zip(found, weights, strict=True)]

        return sum(parts, start=0.0)

    directions = direction(case.points, seed=6)
    actual = inner(gradients(along, case.points), directions)

    assert actual == pytest.approx(slope(along, case.points, directions), rel=1e-6, abs=1e-6)


@by_name(TWICE)
def test_second_derivative_is_the_same_in_every_mixture_of_modes(case):
    """Forward over reverse, reverse over forward, forward over forward: all agree."""
    first, second = direction(case.points, seed=5), direction(case.points, seed=6)

    def pulled(*points):
        found = gradients(case.projected, points)
        parts = [ops.sum(ops.real(d * w)) for d, w in zip(found, first, strict=True)]

        return sum(parts, start=0.0)

    def pushed(*points):
        return opgrad.jvp(case.projected, points, first)[1]

    expected = inner(gradients(pulled, case.points), second)
    mixtures = [
        opgrad.jvp(pulled, case.points, second)[1],
        inner(gradients(pushed, case.points), second),
        opgrad.jvp(pushed, case.points, second)[1],
    ]

    assert [float(m) for m in mixtures] == pytest.approx([expected] * 3, rel=1e-9, abs=1e-9)


@by_name([c for c in DIFFERENTIABLE if all(isinstance(x, np.ndarray) for x in c.points)])
def test_single_precision_stays_single(case):
    """Outputs, gradients and tangents of float32 and complex64; nothing in a rule promotes."""

    def single(x):
        kind = {"f": np.float32, "c": np.complex64}.get(getattr(x, "dtype", np.dtype(int)).kind)

        return x if kind is None else x.astype(kind)

    case = attrs.evolve(case, operands=tuple(map(single, case.operands)))
    found, pull = opgrad.vjp(case, *case.points)
    _, tangents = opgrad.jvp(case, case.points, case.points)
    back = pull(found)

    assert {np.asarray(y).dtype for y in (*found, *tangents)} <= {
        np.dtype(np.float32),
        np.dtype(np.complex64),
    }
    assert [d.dtype for d in back] == [x.dtype for x in case.points]


# Each with the shapes of its operands, and whether they are to be positive definite.
EMPTIES = {
    "solve": [(0, 2, 2), (0, 2, 1)],
    "inv": [(0, 2, 2)],
    "det": [(0, 2, 2)],
    "slogdet": [(0, 2, 2)],
    "pinv": [(0, 3, 2)],
    "cholesky": [(0, 2, 2)],
    "qr": [(0, 3, 2)],
    "eigh": [(0, 2, 2)],
    "eigvalsh": [(0, 2, 2)],
    "svd": [(0, 3, 2)],
    "svdvals": [(0, 3, 2)],
    "matrix_norm": [(0, 3, 2)],
    "vector_norm": [(0, 3)],
    "cross": [(0, 3), (0, 3)],
    "trace": [(0, 2, 2)],
    "diagonal": [(0, 2, 2)],
}


@pytest.mark.parametrize("name", EMPTIES)
def test_batches_of_no_matrix_have_gradients_of_their_shape(name):
    """A sum over nothing: nothing to do, nothing to fail."""
    operands = [np.zeros(shape) for shape in EMPTIES[name]]

    def total(*xs):
        outputs = getattr(ops.linalg, name)(*xs)
        parts = outputs if isinstance(outputs, tuple) else (outputs,)

        return sum((ops.sum(y) for y in parts), start=0.0)

    found = gradients(total, operands)
    _, tangent = opgrad.jvp(total, operands, operands)

    assert [d.shape for d in found] == EMPTIES[name]
    assert tangent == 0.0


@pytest.mark.parametrize("name", ["inv", "det", "cofactors", "cholesky", "eigvalsh", "svdvals"])
def test_matrices_without_rows_have_gradients_of_their_shape(name):
    """det of a 0 by 0 matrix is 1."""
    d = opgrad.grad(lambda x: ops.sum(getattr(ops.linalg, name)(x)))(np.zeros((2, 0, 0)))

    assert d.shape == (2, 0, 0)


# ----------------------------------------------------------------------------- solve, inv, power


def test_gradient_of_solve_is_the_textbook_one():
    """With d = A⁻ᵀ g: -d yᵀ and d."""
    a, b, g = positive(3), normal(3), normal(3, seed=1)
    da, db = opgrad.grad(lambda a, b: ops.sum(g * ops.linalg.solve(a, b)), argnums=(0, 1))(a, b)
    d = np.linalg.solve(a.T, g)

    np.testing.assert_allclose(da, -np.outer(d, np.linalg.solve(a, b)))
    np.testing.assert_allclose(db, d)


def test_constant_operand_of_solve_gets_nothing():
    """Only what is a Value is differentiated, in forward mode too."""
    a, b = positive(3), normal(3)
    by_a = opgrad.jvp(lambda a: ops.linalg.solve(a, b), (a,), (a,))[1]
    by_b = opgrad.jvp(lambda b: ops.linalg.solve(a, b), (b,), (b,))[1]
    y = np.linalg.solve(a, b)

    np.testing.assert_allclose(by_a, -y)
    np.testing.assert_allclose(by_b, y)


def test_one_matrix_for_a_batch_sums_the_gradients():
    """As if it had been repeated."""
    a, b = positive(2), normal(5, 3, 2, 2)
    da = opgrad.grad(lambda a: ops.sum(ops.linalg.solve(a, b) ** 2))(a)
    repeated = np.broadcast_to(a, (5, 3, 2, 2))
    each = opgrad.grad(lambda a: ops.sum(ops.linalg.solve(a, b) ** 2))(repeated)

    np.testing.assert_allclose(da, each.sum(axis=(0, 1)))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6, -1, -3])
def test_power_is_that_of_numpy_and_so_are_its_slopes(n):
    """By squaring, or of the inverse."""
    x = positive(3) / 4.0

    np.testing.assert_allclose(ops.linalg.matrix_power(x, n), np.linalg.matrix_power(x, n))
    agrees(lambda x: ops.sum(ops.linalg.matrix_power(x, n) * positive(3, seed=1)), x)


# --------------------------------------------------------------------------------- determinants

RANKS = {
    "full": np.array(
        [[2.0, 1.0, 0.0, 1.0], [0.0, 3.0, 1.0, 0.5], [1.0, 0.0, 1.0, 2.0], [1, 2, 3, 5]]
    ),
    "identity": np.eye(4),
    "three": rotated(1.0, 2.0, -3.0, 0.0),
    "two": rotated(1.0, -2.0, 0.0, 0.0),
    "one": rotated(2.0, 0.0, 0.0, 0.0),
    "zero": np.zeros((4, 4)),
}


@pytest.mark.parametrize("x", RANKS.values(), ids=RANKS)
def test_gradient_of_the_determinant_is_the_cofactors_at_any_rank(x):
    """Singular matrices are matrices like others."""
    np.testing.assert_allclose(opgrad.grad(ops.linalg.det)(x), reference_cofactors(x), atol=1e-14)


@pytest.mark.parametrize("x", RANKS.values(), ids=RANKS)
def test_second_derivative_of_the_determinant_is_right_at_any_rank(x):
    """Beside differences of the cofactors, which are found minor by minor."""
    t = normal(4, 4)
    step = 1e-4
    wanted = (reference_cofactors(x + step * t) - reference_cofactors(x - step * t)) / (2.0 * step)
    found = opgrad.hvp(ops.linalg.det, (x,), (t,))

    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_third_derivative_of_the_determinant_is_right_where_there_is_an_inverse():
    """At the identity too, where singular values are equal."""
    t = normal(3, 3)

    def along(s):
        return ops.linalg.det(np.eye(3) + s * t)

    third = opgrad.grad(opgrad.grad(opgrad.grad(along)))(0.0)

    assert third == pytest.approx(6.0 * np.linalg.det(t))


def test_third_derivative_of_the_determinant_of_a_singular_matrix_raises():
    """It is not guessed; the error says where it came from."""
    x = np.array([[1.0, 2.0], [2.0, 4.0]])

    def along(s):
        return ops.linalg.det(x + s * np.eye(2))

    with pytest.raises(np.linalg.LinAlgError) as caught:
        opgrad.grad(opgrad.grad(opgrad.grad(along)))(0.0)
    assert "linalg.cofactors_change" in "".join(caught.value.__notes__)


def test_log_determinant_has_the_inverse_as_gradient():
    """d log |det x| = tr(x⁻¹ dx); a real sign has none."""
    x = normal(3, 3)
    of_sign = opgrad.grad(lambda x: ops.linalg.slogdet(x)[0])(x)

    np.testing.assert_allclose(
        opgrad.grad(lambda x: ops.linalg.slogdet(x)[1])(x), np.linalg.inv(x).T
    )
    assert np.array_equal(of_sign, np.zeros((3, 3)))


def test_complex_sign_of_the_determinant_turns():
    """det = sign · exp(log): the product rule gives the derivative of the determinant."""
    x = complex_normal(3, 3)

    def by_parts(x):
        sign, log = ops.linalg.slogdet(x)

        return ops.real(sign * ops.exp(log))

    expected = opgrad.grad(lambda x: ops.real(ops.linalg.det(x)))(x)

    np.testing.assert_allclose(opgrad.grad(by_parts)(x), expected)


def test_gradient_of_the_log_determinant_of_a_singular_matrix_raises():
    """log 0 is -inf; its gradient would be infinite everywhere, and the error names the op."""
    x = np.array([[1.0, 2.0], [2.0, 4.0]])

    with pytest.raises(np.linalg.LinAlgError) as caught:
        opgrad.grad(lambda x: ops.linalg.slogdet(x)[1])(x)
    assert "the backward of linalg.slogdet" in "".join(caught.value.__notes__)


# ------------------------------------------------------------------------------ pseudo-inverse


def test_pseudo_inverse_of_low_rank_has_the_derivative_at_constant_rank():
    """Along a direction that keeps the rank, finite differences agree."""
    left, right, dl, dr = (normal(*s, seed=i) for i, s in enumerate([(4, 2), (2, 3)] * 2))

    def along(s):
        return ops.sum(ops.linalg.pinv((left + s * dl) @ (right + s * dr)) * normal(3, 4, seed=9))

    wanted = (along(1e-6) - along(-1e-6)) / 2e-6

    assert opgrad.grad(along)(0.0) == pytest.approx(wanted, rel=1e-6)
    assert opgrad.jvp(along, (0.0,), (1.0,))[1] == pytest.approx(wanted, rel=1e-6)


def test_tolerances_of_rank_may_be_arrays():
    """One for each matrix; they carry no derivative."""
    x = np.array([np.diag([1.0, 0.5]), np.diag([1.0, 0.5])])
    rtol = np.array([0.1, 0.9])

    assert ops.linalg.matrix_rank(x, rtol=rtol).tolist() == [2, 1]
    assert not ops.linalg.matrix_rank(Value(x)).requires_grad
    np.testing.assert_allclose(
        ops.linalg.pinv(Value(x), rtol=rtol).data, np.linalg.pinv(x, rtol=rtol)
    )


# ------------------------------------------------------------------------------------- cholesky


def test_gradient_of_cholesky_is_symmetric():
    """Of a function of the symmetric part: both triangles share it."""
    d = opgrad.grad(lambda x: ops.sum(ops.linalg.cholesky(x) * normal(4, 4)))(positive())

    np.testing.assert_allclose(d, d.T)


def test_log_likelihood_of_a_gaussian_process_has_the_known_gradient():
    """(K⁻¹ - α αᵀ)/2 with α = K⁻¹ y, by the triangle as well as by the determinant."""
    k, y = positive(5), normal(5)

    def by_triangle(k):
        factor = ops.linalg.cholesky(k)
        z = ops.linalg.solve(factor, y)

        return 0.5 * ops.sum(z * z) + ops.sum(ops.log(ops.linalg.diagonal(factor)))

    def by_determinant(k):
        return 0.5 * (y @ ops.linalg.solve(k, y) + ops.linalg.slogdet(k)[1])

    alpha = np.linalg.solve(k, y)
    expected = 0.5 * (np.linalg.inv(k) - np.outer(alpha, alpha))

    np.testing.assert_allclose(opgrad.grad(by_triangle)(k), expected, atol=1e-13)
    np.testing.assert_allclose(opgrad.grad(by_determinant)(k), expected, atol=1e-13)


@pytest.mark.parametrize("name", ["cholesky", "eigh", "eigvalsh"])
def test_matrix_that_is_not_hermitian_is_refused(name):
    """NumPy would read one triangle: a value and a gradient of something else."""
    with pytest.raises(ValueError, match="not Hermitian") as caught:
        getattr(ops.linalg, name)(Value(np.tril(positive())))
    assert f"linalg.{name}" in "".join(caught.value.__notes__)


def test_rounding_errors_do_not_make_a_matrix_less_hermitian():
    """Products are symmetric up to them."""
    x = normal(30, 30)
    k = x @ np.diag(np.arange(1.0, 31.0)) @ x.T

    np.testing.assert_allclose(ops.linalg.cholesky(k), np.linalg.cholesky(k), rtol=1e-6)


# ------------------------------------------------------------------------------------------- qr


def test_gradient_of_qr_of_dependent_columns_raises():
    """It does not exist there."""
    x = np.array([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]])

    with pytest.raises(np.linalg.LinAlgError) as caught:
        opgrad.grad(lambda x: ops.sum(ops.linalg.qr(x)[0]))(x)
    assert "linalg.qr" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("make", [normal, complex_normal])
def test_projector_on_the_columns_that_complete_q_has_its_derivative(make):
    """It does not depend on which columns they are."""
    weights = make(5, 5, seed=4)

    def f(x):
        free = ops.linalg.qr(x, mode="complete")[0][:, 2:]

        return ops.sum(ops.real(free @ ops.conj(free).mT * weights))

    agrees(f, make(5, 2))


def test_columns_that_complete_q_are_a_matter_of_choice():
    """What depends on them alone has no gradient: NaN, not a number."""
    d = opgrad.grad(lambda x: ops.linalg.qr(x, mode="complete")[0][0, -1])(normal(5, 2))

    assert np.isnan(d).all()


def test_other_modes_of_qr_are_refused():
    """`r` is the second of two."""
    with pytest.raises(ValueError, match=r"mode.*qr\(x\)\[1\]"):
        ops.linalg.qr(normal(3, 2), mode="r")


# ----------------------------------------------------------------------------------- eigenvalues


def test_eigenvalues_have_the_projectors_as_gradients():
    """dλ = vᵀ dx v."""
    x = positive()
    _, v = np.linalg.eigh(x)
    d = opgrad.grad(lambda x: ops.linalg.eigvalsh(x)[1])(x)

    np.testing.assert_allclose(d, np.outer(v[:, 1], v[:, 1]), atol=1e-14)


def test_complex_eigenvectors_have_what_does_not_depend_on_their_phase():
    """|v|² and the projectors, first and second derivatives."""
    x = complex_normal(4, 4)
    x = x + x.conj().T
    weights = complex_normal(4, 4, seed=1)

    def f(x):
        w, v = ops.linalg.eigh(x)
        projector = v[:, :1] @ ops.conj(v[:, :1]).mT

        return ops.sum(ops.real(projector * weights)) + ops.sum(abs(v) ** 3) + w[0] * w[1]

    agrees(f, x, symmetric=True)
    t = complex_normal(4, 4, seed=2)
    t = t + t.conj().T

    def along(x):
        return ops.sum(ops.real(opgrad.grad(f)(x) * t))

    assert opgrad.jvp(along, (x,), (t,))[1] == pytest.approx(slope(along, (x,), (t,)), rel=1e-6)
    assert inner((opgrad.grad(along)(x),), (t,)) == pytest.approx(
        slope(along, (x,), (t,)), rel=1e-6
    )


@pytest.mark.parametrize("name", ["eigh", "svd"])
def test_phase_of_complex_vectors_is_a_matter_of_choice(name):
    """A loss that depends on it has no gradient: NaN, not a number."""
    x = complex_normal(3, 3)
    which = 1 if name == "eigh" else 0
    weights = complex_normal(3, 3, seed=1)
    d = opgrad.grad(lambda x: ops.sum(ops.real(getattr(ops.linalg, name)(x)[which] * weights)))(
        x + x.conj().T
    )

    assert np.isnan(d).all()


EQUAL = {"identity": np.eye(3), "two": rotated(1.0, 1.0, 2.0), "zero": np.zeros((3, 3))}


@pytest.mark.parametrize("x", EQUAL.values(), ids=EQUAL)
def test_symmetric_functions_of_equal_eigenvalues_have_their_gradient(x):
    """Σ w³ is tr x³, with gradient 3 x²: by eigvalsh, and by eigh whose vectors nobody uses."""
    for eigenvalues in (ops.linalg.eigvalsh, lambda x: ops.linalg.eigh(x)[0]):
        d = opgrad.grad(lambda x, f=eigenvalues: ops.sum(f(x) ** 3))(x)
        _, tangent = opgrad.jvp(lambda x, f=eigenvalues: ops.sum(f(x) ** 3), (x,), (np.eye(3),))

        np.testing.assert_allclose(d, 3.0 * x @ x, atol=1e-13)
        assert float(tangent) == pytest.approx(3.0 * np.trace(x @ x), abs=1e-13)


def test_vectors_of_other_eigenvalues_have_their_gradient_beside_equal_ones():
    """The leading directions of a matrix of low rank, as in principal components."""
    x = rotated(0.0, 0.0, 0.0, 1.0, 3.0)
    weights = normal(5, 5)

    def f(x):
        top = ops.linalg.eigh(x)[1][:, -2:]

        return ops.sum(top @ top.mT * weights) + ops.sum(top**4)

    d = opgrad.grad(f)(x)
    t = normal(5, 5, seed=3)
    t = t + t.T

    assert inner((d,), (t,)) == pytest.approx(slope(f, (x,), (t,), 1e-6), rel=1e-6)


def test_vectors_of_equal_eigenvalues_have_no_gradient():
    """Not a finite number that means nothing, also where rounding tells the values apart."""
    weights = normal(3, 3)

    def exponential(x):
        w, v = ops.linalg.eigh(x)

        return ops.sum((v * ops.exp(w)) @ v.mT * weights)

    for x in EQUAL.values():
        assert not np.isfinite(opgrad.grad(exponential)(x)).all()
        assert not np.isfinite(opgrad.jvp(exponential, (x,), (weights,))[1])


# ------------------------------------------------------------------------------- singular values

SHAPES = [(3, 3), (5, 3), (2, 4)]


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_complex_singular_vectors_have_what_does_not_depend_on_their_phase(shape, full):
    """Products of both, projectors, sizes of entries; also of the vectors that complete them."""
    count = min(shape)
    weights = complex_normal(*shape, seed=1)

    def f(x):
        u, s, v = ops.linalg.svd(x, full_matrices=full)
        pair = u[:, :1] @ v[:1]
        total = ops.sum(ops.real(pair * weights)) + ops.sum(abs(u[:, :count]) ** 3) + s[0] * s[1]
        for free in (u[:, count:], ops.conj(v[count:]).mT):
            projector = free @ ops.conj(free).mT
            total = total + ops.sum(ops.real(projector * complex_normal(*projector.shape)))

        return total

    agrees(f, complex_normal(*shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_second_derivatives_through_singular_vectors_are_right(shape):
    """Beside differences of the gradient."""
    weights = normal(*shape, seed=1)

    def f(x):
        u, s, v = ops.linalg.svd(x)

        return ops.sum(u[:, :1] @ v[:1] * weights) + ops.sum(s**3)

    x, t = normal(*shape), normal(*shape, seed=2)

    def along(x):
        return ops.sum(opgrad.grad(f)(x) * t)

    wanted = slope(along, (x,), (t,))

    assert opgrad.jvp(along, (x,), (t,))[1] == pytest.approx(wanted, rel=1e-6)
    assert inner((opgrad.grad(along)(x),), (t,)) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("full", [True, False])
def test_singular_values_of_low_rank_have_their_gradient(full):
    """Σ s² is Σ x²: by svdvals, and by svd whose vectors nobody uses."""
    x = normal(4, 1) @ normal(1, 3, seed=1)
    by_svd = opgrad.grad(lambda x: ops.sum(ops.linalg.svd(x, full_matrices=full)[1] ** 2))(x)
    by_values = opgrad.grad(lambda x: ops.sum(ops.linalg.svdvals(x) ** 2))(x)

    np.testing.assert_allclose(by_svd, 2.0 * x, atol=1e-13)
    np.testing.assert_allclose(by_values, 2.0 * x, atol=1e-13)


def test_leading_singular_vectors_of_low_rank_have_their_gradient():
    """Those of singular value 0 are not used, and take no part."""
    x = normal(5, 2) @ normal(2, 4, seed=1)
    weights = normal(5, 4, seed=2)

    def f(x):
        u, _, v = ops.linalg.svd(x, full_matrices=False)

        return ops.sum(u[:, :2] @ v[:2] * weights)

    agrees(f, x, rel=1e-5)


def test_singular_vectors_of_value_zero_have_no_gradient():
    """Not a finite number that means nothing: with those that complete them, they are arbitrary."""
    x = normal(4, 1) @ normal(1, 3, seed=1)

    for k, full in [(1, False), (2, True), (3, True)]:
        d = opgrad.grad(lambda x, k=k, full=full: ops.linalg.svd(x, full_matrices=full)[0][0, k])(x)

        assert not np.isfinite(d).all()


def test_singular_values_zero_are_kinks_with_slope_zero():
    """As a norm at 0: exactly 0 for the zero matrix."""
    x = np.zeros((3, 2))

    assert not opgrad.grad(lambda x: ops.sum(ops.linalg.svdvals(x)))(x).any()
    assert not opgrad.grad(lambda x: ops.sum(ops.linalg.svd(x)[1]))(x).any()
    assert opgrad.jvp(lambda x: ops.sum(ops.linalg.svdvals(x)), (x,), (x + 1.0,))[1] == 0.0


# ---------------------------------------------------------------------------------------- norms


@pytest.mark.parametrize("ord", [2, 1, math.inf, -math.inf, 0, 3, 1.5, 0.5])
def test_vector_norm_at_zero_has_gradient_zero(ord):  # noqa: A002 -- the name of the attribute
    """A minimum."""
    x = np.zeros(3)

    def f(x):
        return ops.linalg.vector_norm(x, ord=ord)

    assert opgrad.grad(f)(x).tolist() == [0.0, 0.0, 0.0]
    assert float(opgrad.jvp(f, (x,), (x + 1.0,))[1]) == 0.0


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, 2, math.inf, -1, -2, -math.inf])
def test_matrix_norm_at_zero_has_gradient_zero(ord):  # noqa: A002 -- the name of the attribute
    """A minimum."""
    d = opgrad.grad(lambda x: ops.linalg.matrix_norm(x, ord=ord))(np.zeros((2, 3)))

    assert not d.any()


@pytest.mark.parametrize("ord", [1, 3, 1.5, 0.5, 2])
def test_entry_zero_has_slope_zero_in_a_norm(ord):  # noqa: A002 -- the name of the attribute
    """A kink, a cusp or flat: by symmetry 0, and no NaN for the others."""
    x = np.array([2.0, 0.0, -1.0])
    d = opgrad.grad(lambda x: ops.linalg.vector_norm(x, ord=ord))(x)
    y = np.linalg.vector_norm(x, ord=ord)
    expected = np.sign(x) * (np.abs(x) / y) ** (ord - 1.0) if ord >= 1 else d

    assert d[1] == 0.0
    np.testing.assert_allclose(d, expected)
    assert np.isfinite(d).all()


@pytest.mark.parametrize(("ord", "expected"), [(math.inf, [0.5, -0.5, 0]), (-math.inf, [0, 0, 1])])
def test_entries_that_tie_share_the_slope_of_a_norm(ord, expected):  # noqa: A002
    """Equally, each along its own sign."""
    d = opgrad.grad(lambda x: ops.linalg.vector_norm(x, ord=ord))(np.array([3.0, -3.0, 1.0]))

    assert d.tolist() == expected


def test_spectral_norm_of_equal_singular_values_shares_its_slope():
    """Of the identity: a multiple of it, with trace 1."""
    d = opgrad.grad(lambda x: ops.linalg.matrix_norm(x, ord=2))(np.eye(4))

    np.testing.assert_allclose(d, np.eye(4) / 4.0, atol=1e-15)


def test_counting_norm_is_a_step_function():
    """Derivative 0, declared: no entry moves it."""
    x = np.array([3.0, 0.0, -1.0])
    y, d = opgrad.value_and_grad(lambda x: ops.linalg.vector_norm(x, ord=0))(x)

    assert (float(y), d.tolist()) == (2.0, [0.0, 0.0, 0.0])


def test_vector_norm_of_a_number_is_its_size():
    """No array library is needed."""
    assert opgrad.value_and_grad(ops.linalg.vector_norm)(-3.0) == (3.0, -1.0)
    assert opgrad.value_and_grad(lambda x: ops.linalg.vector_norm(x, ord=0))(-3.0) == (1.0, 0.0)


def test_matrix_norm_refuses_what_it_does_not_know():
    """The message lists what there is."""
    with pytest.raises(opgrad.errors.CallError, match=r"'nuc'.*3"):
        ops.linalg.matrix_norm(normal(2, 2), ord=3)


@pytest.mark.parametrize("axis", [(0, 1, 2), ()])
def test_norm_over_other_numbers_of_axes_is_refused(axis):
    """As NumPy refuses it."""
    with pytest.raises(opgrad.errors.CallError, match="one axis or two"):
        ops.linalg.norm(normal(2, 3, 4), axis=axis)


# ------------------------------------------------------------------------ trace, diagonal, cross


def test_trace_and_diagonal_beyond_the_matrix_are_empty():
    """Nothing is on the fifth diagonal of a 2 by 2 matrix."""
    x = normal(2, 2)

    assert ops.linalg.diagonal(x, offset=5).shape == (0,)
    assert not opgrad.grad(lambda x: ops.linalg.trace(x, offset=5))(x).any()
    assert not opgrad.grad(lambda x: ops.sum(ops.linalg.diagonal(x, offset=5)))(x).any()


def test_trace_in_another_type_has_the_gradient_in_that_of_its_operand():
    """float32 summed in float64."""
    x = Value(np.eye(3, dtype=np.float32))
    y = ops.linalg.trace(x, dtype=np.float64)
    y.backward()

    assert (y.dtype, x.grad.dtype) == (np.float64, np.float32)
    assert np.array_equal(x.grad, np.eye(3))


def test_infinite_gradient_of_a_trace_stays_on_the_diagonal():
    """0 · inf does not arise."""
    d = opgrad.grad(lambda x: math.inf * ops.linalg.trace(x))(np.ones((2, 2)))

    assert d.tolist() == [[math.inf, 0.0], [0.0, math.inf]]


def test_cross_product_of_operands_of_different_rank_counts_the_axis_from_the_end():
    """From the front it would mean another axis in each."""
    with pytest.raises(opgrad.errors.CallError, match="negative"):
        ops.linalg.cross(normal(3), normal(3, 3), axis=0)


# ------------------------------------------------------------------------------- misuse is named

MISUSE = {
    "solve-shapes": (lambda v: ops.linalg.solve(v, np.ones(2)), "linalg.solve"),
    "solve-singular": (
        lambda v: ops.linalg.solve(v @ np.zeros((3, 2)), np.ones(2)),
        "linalg.solve",
    ),
    "inv-not-square": (ops.linalg.inv, "linalg.inv"),
    "inv-singular": (lambda v: ops.linalg.inv(v @ np.zeros((3, 3))[:, :2]), "linalg.inv"),
    "det-not-square": (ops.linalg.det, "linalg.det"),
    "slogdet-not-square": (ops.linalg.slogdet, "linalg.slogdet"),
    "cholesky-not-square": (ops.linalg.cholesky, "linalg.cholesky"),
    "cholesky-not-positive": (lambda v: ops.linalg.cholesky(-(v @ v.mT)), "linalg.cholesky"),
    "eigh-not-square": (ops.linalg.eigh, "linalg.eigh"),
    "eigvalsh-of-vector": (lambda v: ops.linalg.eigvalsh(v[0]), "linalg.eigvalsh"),
    "svd-of-vector": (lambda v: ops.linalg.svd(v[0]), "linalg.svd"),
    "power-not-square": (lambda v: ops.linalg.matrix_power(v, 2), "linalg.matrix_power"),
    "power-of-half": (lambda v: ops.linalg.matrix_power(v @ v.mT, 0.5), "linalg.matrix_power"),
    "cross-length": (lambda v: ops.linalg.cross(v.mT, v.mT), "linalg.cross"),
    "trace-of-vector": (lambda v: ops.linalg.trace(v[0]), "linalg.trace"),
    "norm-axis": (lambda v: ops.linalg.vector_norm(v, axis=2), "linalg.vector_norm"),
    "full-matrices-word": (lambda v: ops.linalg.svd(v, full_matrices="no"), "linalg.svd"),
    "unknown-attribute": (lambda v: ops.linalg.svd(v, compute_uv=False), "linalg.svd"),
}


@pytest.mark.parametrize(("misuse", "told"), MISUSE.values(), ids=MISUSE.keys())
def test_misuse_names_the_op(misuse, told):
    """The error, with its notes, says which op refused; NumPy's own errors stay what they are."""
    v = Value(np.arange(1.0, 7.0).reshape(2, 3))

    with pytest.raises((TypeError, ValueError)) as caught:
        misuse(v)
    assert told in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


def test_singular_system_raises_the_error_of_numpy():
    """Code that catches it goes on working."""
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        ops.linalg.inv(Value(np.zeros((2, 2))))
