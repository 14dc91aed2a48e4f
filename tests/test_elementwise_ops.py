"""The elementwise built-in ops: values as NumPy has them, derivatives as finite differences say."""

import math

import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.ops import arithmetic, comparison, exponential, selection, trigonometric

INF, NAN = math.inf, math.nan
FAMILIES = (arithmetic, exponential, trigonometric, comparison, selection)
OPS = [op for family in FAMILIES for op in family.opgrad_ops()]
SMOOTH = [op for op in OPS if op.differentiable]
CONSTANT = [op for op in OPS if not op.differentiable]

# The name NumPy or SciPy gives to what an op computes, where it is not the op's own.
REFERENCES = {
    "relu": lambda x: np.maximum(x, 0.0),
    "clip": lambda x, low=None, high=None: np.minimum(
        np.maximum(x, -INF if low is None else low), INF if high is None else high
    ),
    "hypot_slope": lambda a, b: a / np.hypot(a, b),
    "one_minus_square": lambda x: 1.0 - np.square(x),
    "sigmoid_slope": lambda x: 0.25 / np.square(np.cosh(np.multiply(0.5, x))),
    "tanh_slope": lambda x: 1.0 / np.square(np.cosh(x)),
}


def data(operands):
    """Lists become arrays; numbers and None stay."""
    return tuple(np.array(o) if isinstance(o, list) else o for o in operands)


def cases(chosen):
    """Every real sample of every op; the complex ones are for the conformance suite."""
    return [
        pytest.param(op, data(sample.operands), id=f"{op.name}-{i}")
        for op in chosen
        for i, sample in enumerate(op.samples)
        if not any(np.iscomplexobj(o) for o in data(sample.operands))
    ]


def positions(op, operands):
    """The operands that carry a derivative and are given."""
    return [
        i
        for i, name in enumerate(op.operands[: len(operands)])
        if name not in op.nondiff and operands[i] is not None
    ]


def weights_like(y, seed):
    """Uneven numbers of the shape of y, so that no two entries can be mistaken for one another."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(y)) if np.shape(y) else 0.75


def weighted(op, operands):
    """The op followed by a weighted sum: a scalar function of its operands."""
    w = weights_like(op(*operands), 1)

    return lambda *xs: ops.sum(op(*xs) * w)


def central_difference(f, xs, i, step=1e-6):
    """The slope of f along each entry of operand i."""
    x = np.asarray(xs[i], dtype=float)
    slope = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[index] += sign * step
            moved = moved if x.shape else float(moved)
            ends.append(float(f(*xs[:i], moved, *xs[i + 1 :])))
        slope[index] = (ends[0] - ends[1]) / (2.0 * step)

    return slope


# -- values ---------------------------------------------------------------------------------------


def reference(op):
    """What computes the same in NumPy or SciPy."""
    special = pytest.importorskip("scipy.special")
    names = {"sigmoid": "expit"}
    found = REFERENCES.get(op.name) or getattr(np, op.name, None)

    return found or getattr(special, names.get(op.name, op.name))


@pytest.mark.parametrize(("op", "operands"), cases(OPS))
def test_the_value_is_what_numpy_gives(op, operands):
    """On every sample, as float and as array."""
    expected = reference(op)(*operands)

    y = op(*operands)

    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize(("op", "operands"), cases(OPS))
def test_numbers_give_numbers_and_arrays_give_arrays(op, operands):
    """Never a 0-d array for floats; float or int or bool for comparisons and bits."""
    y = op(*operands)

    assert isinstance(y, np.ndarray) == any(isinstance(o, np.ndarray) for o in operands)


@pytest.mark.parametrize(("op", "operands"), cases(CONSTANT))
def test_an_op_without_derivative_gives_constants(op, operands):
    """A Value comes out, for it may be an operand, but nothing is recorded."""
    y = op(opgrad.Value(operands[0]), *operands[1:])

    assert (type(y), y.requires_grad) == (opgrad.Value, False)


# -- derivatives against finite differences -------------------------------------------------------


@pytest.mark.parametrize(("op", "operands"), cases(SMOOTH))
def test_the_gradient_is_the_slope(op, operands):
    """Of a weighted sum, for every operand of every sample."""
    f = weighted(op, operands)

    for i in positions(op, operands):
        gradient = opgrad.grad(f, argnums=i)(*operands)
        slope = central_difference(f, operands, i)

        np.testing.assert_allclose(gradient, slope, rtol=2e-5, atol=2e-8)


@pytest.mark.parametrize(("op", "operands"), cases(SMOOTH))
def test_the_gradient_has_the_shape_of_the_operand(op, operands):
    """Broadcasting is summed out; a float's gradient is a float."""
    f = weighted(op, operands)

    for i in positions(op, operands):
        gradient = opgrad.grad(f, argnums=i)(*operands)

        assert np.shape(gradient) == np.shape(operands[i])
        assert isinstance(gradient, float) == isinstance(operands[i], float)


@pytest.mark.parametrize(("op", "operands"), cases(SMOOTH))
def test_forward_mode_agrees_with_backward_mode(op, operands):
    """The tangent of the weighted sum is the sum of gradient times tangent, over all operands."""
    f = weighted(op, operands)
    where = positions(op, operands)
    tangents = tuple(weights_like(operands[i], 10 + i) for i in where)

    def along(*moving):
        xs = list(operands)
        for i, x in zip(where, moving, strict=True):
            xs[i] = x
        return f(*xs)

    moving = tuple(operands[i] for i in where)
    gradients = opgrad.grad(along, argnums=tuple(range(len(where))))(*moving)
    _, tangent = opgrad.jvp(along, moving, tangents)

    expected = sum(np.sum(np.multiply(g, t)) for g, t in zip(gradients, tangents, strict=True))
    np.testing.assert_allclose(tangent, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("op", "operands"), cases(SMOOTH))
def test_the_second_derivative_is_the_slope_of_the_gradient(op, operands):
    """Pure and mixed, so rules are right on Values and not only on plain data."""
    f = weighted(op, operands)

    for i in positions(op, operands):
        first = opgrad.grad(f, argnums=i)
        w = weights_like(operands[i], 20 + i)

        def g(*xs, first=first, w=w):
            return ops.sum(first(*xs) * w)

        for j in positions(op, operands):
            second = opgrad.grad(g, argnums=j)(*operands)
            slope = central_difference(g, operands, j, step=1e-5)

            np.testing.assert_allclose(second, slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("name", "taylor"),
    [
        ("exp", [1.0, 1.0, 1.0, 1.0]),
        ("sin", [1.0, 0.0, -1.0, 0.0]),
        ("tanh", [1.0, 0.0, -2.0, 0.0]),
        ("sigmoid", [0.25, 0.0, -0.125, 0.0]),
        ("log1p", [1.0, -1.0, 2.0, -6.0]),
        ("atan", [1.0, 0.0, -2.0, 0.0]),
        ("sinc", [0.0, -(math.pi**2) / 3, 0.0, math.pi**4 / 5]),
        ("erf", [2 / math.sqrt(math.pi), 0.0, -4 / math.sqrt(math.pi), 0.0]),
        ("sinh", [1.0, 0.0, 1.0, 0.0]),
        ("asinh", [1.0, 0.0, -1.0, 0.0]),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_higher_derivatives_at_0_are_those_of_the_power_series(name, taylor, order):
    """grad of grad of grad, with no shortcut that is right for the first alone."""
    f = getattr(ops, name)
    for _ in range(order):
        f = opgrad.grad(f)

    assert f(0.0) == pytest.approx(taylor[order - 1], rel=1e-12, abs=1e-13)


# -- types and shapes -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("op", "operands"),
    [c for c in cases(SMOOTH) if any(isinstance(o, np.ndarray) for o in c.values[1])],
)
def test_the_dtype_is_kept_forward_and_backward(op, operands, dtype):
    """Python numbers among the operands never promote an array."""
    operands = tuple(
        o.astype(dtype) if isinstance(o, np.ndarray) and o.dtype != bool else o for o in operands
    )
    found = [op(*operands).dtype]
    for i in positions(op, operands):
        if isinstance(operands[i], np.ndarray):
            gradient = opgrad.grad(lambda *xs: ops.sum(op(*xs)), argnums=i)(*operands)
            found.append(gradient.dtype)

    assert set(found) == {np.dtype(dtype)}


def inside(op, name):
    """A number in the domain of this operand."""
    low, high = op.domain.get(name, (0.0, 2.0))

    return {(0.0, INF): 1.25, (1.0, INF): 2.5}.get((low, high), min(low + 0.75, 0.6))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3), (1, 1)], ids=str)
@pytest.mark.parametrize("op", SMOOTH, ids=lambda op: op.name)
def test_arrays_without_axes_empty_and_of_size_one_work(op, shape):
    """Value and gradient have the shape of the data."""
    operands = [np.full(shape, inside(op, name)) for name in op.operands]
    if op.name == "where":
        operands[0] = np.full(shape, fill_value=True)
    values = [opgrad.Value(o) for o in operands]
    y = op(*values)

    y.backward(np.ones(shape))

    assert [np.shape(y.data)] * len(values) == [np.shape(o) for o in operands]
    assert all(
        np.shape(v.grad) == shape for i, v in enumerate(values) if i in positions(op, operands)
    )


@pytest.mark.parametrize("op", [o for o in SMOOTH if len(o.operands) == 2], ids=lambda op: op.name)
@pytest.mark.parametrize(
    ("one", "other"),
    [((), (3,)), ((2, 1), (3,)), ((1,), (2, 3)), ((0, 1), (4,)), ((2, 3), ())],
    ids=str,
)
def test_gradients_of_broadcast_operands_are_summed_out(op, one, other):
    """The gradient is the sum over the entries an operand was stretched to."""
    a = np.full(one, inside(op, op.operands[0]))
    b = np.full(other, inside(op, op.operands[1]) + 0.125)
    full_a, full_b = np.broadcast_arrays(a, b)

    def f(*xs):
        return ops.sum(op(*xs))

    got = opgrad.grad(f, argnums=(0, 1))(a, b)
    full = opgrad.grad(f, argnums=(0, 1))(full_a.copy(), full_b.copy())

    assert [g.shape for g in got] == [one, other]
    np.testing.assert_allclose([np.sum(g) for g in got], [np.sum(g) for g in full], rtol=1e-12)


# -- kinks and edges, the table of numerics.md ----------------------------------------------------

EDGES = [
    # op, operands, position, derivative
    ("relu", (0.0,), 0, 0.0),
    ("relu", (-0.0,), 0, 0.0),
    ("relu", (1e-300,), 0, 1.0),
    ("abs", (0.0,), 0, 0.0),
    ("sign", (0.0,), 0, 0.0),
    ("sign", (3.0,), 0, 0.0),
    ("hypot", (0.0, 0.0), 0, 0.0),
    ("hypot", (0.0, 0.0), 1, 0.0),
    ("hypot", (3e200, 4e200), 0, 0.6),
    ("maximum", (2.0, 2.0), 0, 0.5),
    ("maximum", (2.0, 2.0), 1, 0.5),
    ("maximum", (INF, INF), 0, 0.5),
    ("maximum", (2.0, 3.0), 0, 0.0),
    ("minimum", (2.0, 2.0), 0, 0.5),
    ("minimum", (2.0, 2.0), 1, 0.5),
    ("minimum", (2.0, 3.0), 0, 1.0),
    ("clip", (1.0, 0.0, 1.0), 0, 1.0),
    ("clip", (0.0, 0.0, 1.0), 0, 1.0),
    ("clip", (0.0, 0.0, 1.0), 1, 0.0),
    ("clip", (1.5, 0.0, 1.0), 0, 0.0),
    ("clip", (1.5, 0.0, 1.0), 2, 1.0),
    ("clip", (-1.5, 0.0, 1.0), 1, 1.0),
    ("clip", (0.5, 2.0, 1.0), 0, 0.0),
    ("clip", (0.5, 2.0, 1.0), 1, 0.0),
    ("clip", (0.5, 2.0, 1.0), 2, 1.0),
    ("sqrt", (0.0,), 0, INF),
    ("cbrt", (0.0,), 0, INF),
    ("log", (0.0,), 0, INF),
    ("log1p", (-1.0,), 0, INF),
    ("asin", (1.0,), 0, INF),
    ("acos", (-1.0,), 0, -INF),
    ("acosh", (1.0,), 0, INF),
    ("atanh", (1.0,), 0, INF),
    ("reciprocal", (0.0,), 0, -INF),
    ("divide", (1.0, 0.0), 0, INF),
    ("divide", (1.0, 0.0), 1, -INF),
    ("divide", (1e200, 1e200), 1, -1e-200),
    ("pow", (0.0, 0.0), 0, 0.0),
    ("pow", (0.0, 0.0), 1, 0.0),
    ("pow", (0.0, 1.0), 0, 1.0),
    ("pow", (0.0, 2.0), 0, 0.0),
    ("pow", (0.0, 2.0), 1, 0.0),
    ("pow", (0.0, 0.5), 0, INF),
    ("pow", (0.0, -0.5), 0, -INF),
    ("pow", (-2.0, 3.0), 0, 12.0),
    ("pow", (-2.0, 3), 0, 12.0),
    ("pow", (INF, -1.0), 1, 0.0),
    ("xlogy", (0.0, 3.0), 0, math.log(3.0)),
    ("xlogy", (0.0, 3.0), 1, 0.0),
    ("xlogy", (0.0, 0.0), 0, 0.0),
    ("xlogy", (0.0, 0.0), 1, 0.0),
    ("logaddexp", (INF, INF), 0, 0.5),
    ("logaddexp", (-INF, -INF), 1, 0.5),
    ("logaddexp", (INF, 0.0), 0, 1.0),
    ("logaddexp", (0.0, -INF), 1, 0.0),
    ("logaddexp", (1e3, -1e3), 0, 1.0),
    ("sinc", (0.0,), 0, 0.0),
    ("exp", (1e3,), 0, INF),
    ("exp", (-1e3,), 0, 0.0),
    ("expm1", (-50.0,), 0, math.exp(-50.0)),
    ("sigmoid", (1e3,), 0, 0.0),
    ("sigmoid", (-1e3,), 0, 0.0),
    ("sigmoid", (50.0,), 0, math.exp(-50.0)),
    ("tanh", (1e3,), 0, 0.0),
    ("tanh", (-1e3,), 0, 0.0),
    ("erf", (1e3,), 0, 0.0),
    ("erfc", (-1e3,), 0, 0.0),
    ("floor", (2.0,), 0, 0.0),
    ("ceil", (2.0,), 0, 0.0),
    ("round", (2.5,), 0, 0.0),
    ("trunc", (-2.0,), 0, 0.0),
    ("floor_divide", (4.0, 2.0), 0, 0.0),
    ("remainder", (4.5, 2.0), 0, 1.0),
    ("remainder", (4.5, 2.0), 1, -2.0),
]


def edge_ids(edges):
    """The call and the operand, as the name of the case."""
    return [f"{name}{operands}-{i}" for name, operands, i, _ in edges]


@pytest.mark.parametrize(("name", "operands", "i", "expected"), EDGES, ids=edge_ids(EDGES))
def test_a_kink_or_edge_has_its_derivative_on_floats(name, operands, i, expected):
    """No exception, no nan, and what the published table says."""
    gradient = opgrad.grad(getattr(ops, name), argnums=i)(*operands)

    assert gradient == pytest.approx(expected, rel=1e-14, abs=0.0)


@pytest.mark.parametrize(("name", "operands", "i", "expected"), EDGES, ids=edge_ids(EDGES))
@np.errstate(divide="ignore", over="ignore")
def test_a_kink_or_edge_has_its_derivative_on_arrays(name, operands, i, expected):
    """The same number; NumPy may warn of poles and overflow, but not of nan."""
    arrays = [np.array([float(x)]) for x in operands]

    gradient = opgrad.grad(lambda *xs: ops.sum(getattr(ops, name)(*xs)), argnums=i)(*arrays)

    assert gradient[0] == pytest.approx(expected, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("name", ["floor", "ceil", "round", "trunc", "sign", "relu"])
def test_a_flat_side_stops_even_an_infinite_gradient(name):
    """0 * inf would be nan: sqrt after a flat step at 0 has slope inf times 0, which is 0."""
    x = {"ceil": -0.5, "sign": 0.0, "relu": -1.0}.get(name, 0.25)

    assert opgrad.grad(lambda v: ops.sqrt(getattr(ops, name)(v)))(x) == 0.0


@np.errstate(divide="ignore", invalid="ignore")
def test_where_gives_the_branch_not_taken_a_gradient_of_0():
    """The classic trap: the branch not taken has an infinite slope."""
    x = np.array([0.0, 4.0])

    gradient = opgrad.grad(lambda v: ops.sum(ops.where(v.data > 0.0, ops.sqrt(v), 0.0)))(x)

    np.testing.assert_array_equal(gradient, [0.0, 0.25])


def test_where_on_floats_gives_the_branch_not_taken_a_gradient_of_0():
    """The same on Python numbers."""
    assert opgrad.grad(lambda v: ops.where(v > 0.0, ops.log(v), 0.0))(0.0) == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_on_large_arrays_chooses_as_numpy_does(dtype):
    """Bit selection gives each entry as it is: inf, nan and -0.0 where chosen, 0.0 elsewhere."""
    from opgrad.namespaces import numpy as xp

    x = np.tile(np.array([1.5, INF, NAN, -0.0, -3.0], dtype), 4000).reshape(100, 200)
    condition = np.random.default_rng(0).uniform(size=x.shape) > 0.5
    for one, chosen in ((x, condition), (x.T, condition.T)):
        for got, expected in (
            (xp.where(chosen, one, 0.0), np.where(chosen, one, dtype(0.0))),
            (xp.where(chosen, 0.0, one), np.where(chosen, dtype(0.0), one)),
        ):
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, expected)
            np.testing.assert_array_equal(np.signbit(got), np.signbit(expected))


@pytest.mark.parametrize("x", [-700.0, -40.0, -1.0, 0.0, 1e-9, 1.0, 40.0, 700.0])
def test_sigmoid_and_its_derivative_are_exact_where_they_saturate(x):
    """To a few units in the last place, where y * (1 - y) has no digit left."""
    power = math.exp(-abs(x))
    value = (1.0 if x >= 0 else power) / (1.0 + power)
    slope = power / (1.0 + power) ** 2

    assert ops.sigmoid(x) == pytest.approx(value, rel=1e-15)
    assert opgrad.grad(ops.sigmoid)(x) == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize("x", [1e-8, 1e-3, 0.1, 0.31, 0.32, 1.0, 7.3])
def test_the_derivative_of_sinc_has_no_cancellation(x):
    """Near 0 the formula loses digits; the series does not."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        expected = mpmath.diff(mpmath.sincpi, x)

    assert opgrad.grad(ops.sinc)(x) == pytest.approx(float(expected), rel=5e-15)


def test_a_whole_number_beyond_the_floats_does_not_raise():
    """Sums and products with floats are infinite, as its float would be."""
    huge = 10**400

    assert (ops.add(huge, 0.5), ops.subtract(0.5, huge), ops.multiply(huge, -0.5)) == (
        INF,
        -INF,
        -INF,
    )


# -- how a Value reaches the ops ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "value"),
    [
        (lambda v: v + 1, 3.0),
        (lambda v: 1 + v, 3.0),
        (lambda v: v - 1, 1.0),
        (lambda v: 1 - v, -1.0),
        (lambda v: v * 3, 6.0),
        (lambda v: 3 * v, 6.0),
        (lambda v: v / 4, 0.5),
        (lambda v: 4 / v, 2.0),
        (lambda v: v**3, 8.0),
        (lambda v: 3**v, 9.0),
        (lambda v: v // 0.75, 2.0),
        (lambda v: 5 // v, 2.0),
        (lambda v: v % 0.75, 0.5),
        (lambda v: 5 % v, 1.0),
        (lambda v: -v, -2.0),
        (lambda v: +v, 2.0),
        (lambda v: abs(-v), 2.0),
    ],
    ids=range(17),
)
def test_an_operator_on_a_value_is_the_op(call, value):
    """On either side of a number."""
    assert call(opgrad.Value(2.0)).data == value


@pytest.mark.parametrize(
    "name",
    [
        "relu", "tanh", "exp", "log", "sqrt", "abs", "sigmoid", "sin", "cos", "tan", "square",
        "log1p", "expm1", "floor", "ceil", "round", "sign", "reciprocal", "sinh", "cosh", "erf",
    ],
)  # fmt: skip
def test_a_value_has_the_method_people_expect(name):
    """As in NumPy, PyTorch and micrograd."""
    assert getattr(opgrad.Value(0.5), name)().data == getattr(ops, name)(0.5)


def test_clip_is_a_method_with_both_bounds_or_one():
    """By position or by name."""
    v = opgrad.Value(2.5)

    assert [v.clip(0, 1).data, v.clip(min=3.0).data, v.clip(max=2.0).data] == [1, 3.0, 2.0]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("add", "+"), ("multiply", "*"), ("pow", "**"), ("relu", "ReLU"), ("tanh", "tanh")],
)
def test_symbols_are_those_of_the_tutorials(name, symbol):
    """Their drawings come out as in the books."""
    assert getattr(ops, name).symbol == symbol


@pytest.mark.parametrize(
    ("call", "truth"),
    [
        (lambda v: v > 1, True),
        (lambda v: v <= 1, False),
        (lambda v: v == 2.0, True),
        (lambda v: v != 2.0, False),
        (lambda v: 1 < v, True),  # noqa: SIM300 -- the reflected comparison
        (lambda v: (v > 1) & (v < 3), True),
        (lambda v: (v > 3) | (v < 1), False),
        (lambda v: (v > 1) ^ (v < 3), False),
        (lambda v: ~(v > 1), False),
    ],
    ids=range(9),
)
def test_a_comparison_of_values_works_in_an_if(call, truth):
    """It needs no gradient, so it converts to a truth."""
    assert bool(call(opgrad.Value(2.0))) is truth


# -- complex numbers ------------------------------------------------------------------------------


def test_the_gradient_of_the_real_part_of_a_square_is_that_of_jax():
    """2 + 4j for Re z² at 1 + 2j: for a holomorphic function g * f'(z), without conjugate."""
    assert opgrad.grad(lambda z: ops.real(z * z))(1 + 2j) == 2 + 4j


@pytest.mark.parametrize("name", ["real", "imag", "abs"])
@pytest.mark.parametrize("inner", ["exp", "sin", "square", "sign", "conj", "sqrt", "log"])
def test_real_functions_of_complex_numbers_have_the_gradient_of_their_slopes(name, inner):
    """df/dx - i df/dy, by central differences along both axes."""

    def f(z):
        return getattr(ops, name)(getattr(ops, inner)(z))

    z, h = 0.75 - 0.5j, 1e-6
    slope = (f(z + h) - f(z - h)) / (2 * h) - 1j * (f(z + 1j * h) - f(z - 1j * h)) / (2 * h)

    assert opgrad.grad(f)(z) == pytest.approx(slope, rel=1e-7, abs=1e-9)


# -- the NumPy namespace's extras -----------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["relu", "sigmoid", "erf", "erfc", "cbrt", "logsumexp"])
def test_an_extra_of_the_numpy_namespace_keeps_the_dtype_and_does_not_warn(name, dtype):
    """From -1e3 to 1e3, and at infinities; pytest turns a warning into a failure."""
    from opgrad.namespaces import numpy as xp

    x = np.array([-1e3, -20.0, -0.5, 0.0, 3.0, 1e3, INF, -INF], dtype)

    y = getattr(xp, name)(x)

    assert y.dtype == dtype
    assert not np.any(np.isnan(y))


def test_xlogy_of_the_numpy_namespace_takes_python_numbers_as_weak():
    """float32 stays float32, and 0 * ln 0 is 0 without a warning."""
    from opgrad.namespaces import numpy as xp

    y = xp.xlogy(np.array([0.0, 2.0], np.float32), 3.0)
    z = xp.xlogy(np.array([0.0, 0.0, 0.0]), np.array([0.0, INF, NAN]))

    assert y.dtype == np.float32
    np.testing.assert_array_equal(z, [0.0, 0.0, NAN])


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), ()], ids=str)
@pytest.mark.parametrize("keepdims", [False, True], ids=["dropped", "kept"])
def test_logsumexp_of_the_numpy_namespace_agrees_with_scipy(axis, keepdims):
    """With infinities and numbers whose powers overflow."""
    special = pytest.importorskip("scipy.special")
    from opgrad.namespaces import numpy as xp

    x = np.array([[1e3, 999.0, -INF], [-INF, -INF, -INF], [INF, 1e3, 0.0], [0.5, -0.5, 2.0]])
    with np.errstate(all="ignore"):
        expected = special.logsumexp(x, axis=axis, keepdims=keepdims) if axis != () else x

    np.testing.assert_allclose(xp.logsumexp(x, axis=axis, keepdims=keepdims), expected, rtol=1e-14)


def test_without_scipy_erf_of_arrays_says_what_to_install(monkeypatch):
    """The error is an ImportError that names the extra."""
    import sys

    from opgrad.namespaces import numpy as xp

    monkeypatch.setattr(xp, "_SPECIAL", {})
    monkeypatch.setitem(sys.modules, "scipy", None)

    with pytest.raises(ImportError, match=r"pip install 'opgrad\[scipy\]'"):
        xp.erf(np.array([0.5]))


def test_a_name_numpy_lacks_is_an_attribute_error():
    """Said by the namespace, which knows its extras."""
    from opgrad.namespaces import numpy as xp

    with pytest.raises(AttributeError, match="NumPy has no function 'sinn'"):
        xp.sinn  # noqa: B018 -- the access is the test
