"""A gradient has the shape and dtype of what it is the gradient of."""

import math

import numpy as np
import pytest

import opgrad
from opgrad import Value, ops
from opgrad.errors import RuleError

GENERATOR = np.random.default_rng(5)

SHAPES = [
    ((), ()),
    ((), (3,)),
    ((1,), (3,)),
    ((3,), (2, 3)),
    ((1, 3), (2, 1)),
    ((2, 1, 3), (4, 1)),
    ((1, 1), (1, 1, 1)),
    ((1,), ()),
    ((0,), (1,)),
    ((0,), ()),
    ((2, 0), (1, 1)),
    ((2, 1), (0,)),
    ((0, 3), (3,)),
    ((1, 0), (4, 1)),
    ((3, 1, 1), (1, 2, 0)),
]
DTYPES = [np.float16, np.float32, np.float64]


def reduced(full, shape):
    """`full` summed to `shape`, as broadcasting stretched it, done one axis at a time."""
    full = np.asarray(full)
    while full.ndim > len(shape):
        full = full.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1 and full.shape[axis] != 1:
            full = full.sum(axis=axis, keepdims=True)

    return full


# -- shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("one", "other"), SHAPES)
def test_broadcasting_is_summed_out(one, other, swapped):
    """0-d, size 1 and empty axes included: Σ over what was stretched."""
    one, other = (other, one) if swapped else (one, other)
    a, b = GENERATOR.normal(size=one), GENERATOR.normal(size=other)
    w = GENERATOR.normal(size=np.broadcast_shapes(one, other))
    u, v = Value(a), Value(b)

    (u * v * w).sum().backward()

    assert (np.shape(u.grad), np.shape(v.grad)) == (one, other)
    np.testing.assert_allclose(u.grad, reduced(w * b, one), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(v.grad, reduced(w * a, other), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("one", "other"), SHAPES)
def test_broadcasting_is_summed_out_of_a_recorded_sweep(one, other):
    """The same numbers as the plain sweep, and the right second derivative."""
    a, b = GENERATOR.normal(size=one), GENERATOR.normal(size=other)
    w = GENERATOR.normal(size=np.broadcast_shapes(one, other))

    def loss(u, v):
        return (u * u * v * w).sum()

    u = Value(a)
    loss(u, Value(b)).backward(record=True)
    second = opgrad.grad(lambda u: opgrad.grad(loss)(u, b).sum())(a)

    np.testing.assert_allclose(u.grad.data, reduced(2.0 * a * b * w, one), rtol=1e-12, atol=1e-14)
    assert np.shape(second) == one
    np.testing.assert_allclose(second, reduced(2.0 * b * w, one), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1,), (), (0,), (2, 0)])
def test_a_number_beside_an_array_gets_a_number(shape):
    """The sum over the array, as a Python float: 0.0 where it is empty."""
    array = GENERATOR.normal(size=shape)

    number, stretched = opgrad.grad(lambda x, y: (x * y).sum(), (0, 1))(2.0, array)

    assert type(number) is float
    assert number == pytest.approx(array.sum(), abs=1e-15)
    assert np.shape(stretched) == shape


def test_a_number_beside_an_array_gets_a_number_in_every_order():
    """Third derivative of Σ x³ a."""
    f = opgrad.grad(opgrad.grad(opgrad.grad(lambda x: (x * x * x * np.array([1.0, 2.0])).sum())))

    assert (f(2.0), type(f(2.0))) == (18.0, float)


def test_batched_products_sum_out_their_batch():
    """matmul broadcasts the axes before the last two."""
    a, b = GENERATOR.normal(size=(2, 1, 2, 3)), GENERATOR.normal(size=(3, 3, 1))
    w = GENERATOR.normal(size=(2, 3, 2, 1))
    u, v = Value(a), Value(b)

    ((u @ v) * w).sum().backward()

    np.testing.assert_allclose(
        u.grad, np.einsum("xyij,yjk->xik", w * 1.0, b.transpose(0, 2, 1))[:, None], rtol=1e-12
    )
    np.testing.assert_allclose(v.grad, np.einsum("xij,xyik->yjk", a[:, 0], w), rtol=1e-12)


def test_a_value_stretched_against_itself():
    """A row times its own column: both roles add up."""
    x = np.array([[1.0, 2.0, 3.0]])

    gradient = opgrad.grad(lambda v: (v * ops.matrix_transpose(v)).sum())(x)

    np.testing.assert_array_equal(gradient, np.full((1, 3), 12.0))


def test_where_sums_out_each_of_its_three():
    """A condition may stretch the branches, also to a number."""
    condition = np.array([[True], [False]])
    a, b = np.array([1.0, 2.0, 3.0]), 5.0

    first, second = opgrad.grad(lambda a, b: ops.where(condition, a, b).sum(), (0, 1))(a, b)

    np.testing.assert_array_equal(first, np.ones(3))
    assert (second, type(second)) == (3.0, float)


# -- dtypes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", DTYPES)
@pytest.mark.parametrize("other", DTYPES)
def test_each_operand_keeps_its_dtype(one, other):
    """float16, float32 and float64 mixed in one product, with a Python number."""
    u, v = Value(np.ones((2, 1), one)), Value(np.ones(3, other))

    (u * v * 2.0 + u).sum().backward()

    assert (u.grad.dtype, v.grad.dtype) == (one, other)
    np.testing.assert_array_equal(u.grad, np.full((2, 1), 9.0))
    np.testing.assert_array_equal(v.grad, np.full(3, 4.0))


@pytest.mark.parametrize("one", DTYPES)
@pytest.mark.parametrize("other", DTYPES)
def test_each_operand_keeps_its_dtype_in_every_mode(one, other):
    """Second derivatives by reverse over reverse and by forward over reverse."""
    a, b = np.full(2, 2.0, one), np.full(2, 3.0, other)

    def slope(a):
        return opgrad.grad(lambda a: (a * a * b).sum())(a)

    reverse = opgrad.grad(lambda a: slope(a).sum())(a)
    out, forward = opgrad.jvp(slope, (a,), (np.ones(2, one),))

    assert (reverse.dtype, out.dtype, forward.dtype) == (one, one, one)
    np.testing.assert_array_equal(reverse, [6.0, 6.0])
    np.testing.assert_array_equal(forward, [6.0, 6.0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_python_numbers_do_not_promote(dtype):
    """Values and gradients of x*2 + 1, x**2, 1/x, exp, sum, mean and matmul stay."""
    x = np.array([0.5, 1.0], dtype)
    functions = [
        lambda x: (x * 2.0 + 1 - 3.0 / x).sum(),
        lambda x: (x**2 + 2**x).mean(),
        lambda x: ops.exp(x).sum() + ops.tanh(x).max() + ops.sqrt(x) @ x,
        lambda x: ops.where(x > 0.7, x, 0.0).sum() + ops.clip(x, 0.0, 0.9).sum(),
        lambda x: ops.concat([x, x]).sum() + x[0] * x[-1] + ops.logsumexp(x),
    ]

    found = [opgrad.value_and_grad(f)(x) for f in functions]

    assert [(np.asarray(y).dtype, g.dtype) for y, g in found] == [(dtype, dtype)] * len(functions)


def test_a_number_beside_float32_gets_a_float():
    """A Python float is the gradient of a Python float, whatever it met."""
    gradient = opgrad.grad(lambda x: (x * np.ones(3, np.float32)).sum())(2.0)

    assert (gradient, type(gradient)) == (3.0, float)


def test_casts_pass_the_gradient_back_in_the_old_dtype():
    """astype to a wider and to a narrower float."""
    x = np.ones(2, np.float32)
    for dtype in DTYPES:
        gradient = opgrad.grad(lambda x, dtype=dtype: ops.astype(x, dtype).sum() * 3.0)(x)

        assert gradient.dtype == np.float32
        np.testing.assert_array_equal(gradient, [3.0, 3.0])


def test_arrays_without_axes_keep_dtype_and_shape():
    """float32 () stays so in first and second derivatives, also of the identity."""
    x = np.array(2.0, np.float32)
    cube = opgrad.grad(lambda x: x * x * x)

    found = [cube(x), opgrad.grad(cube)(x), opgrad.grad(lambda x: x)(x)]

    assert [(float(g), np.shape(g), np.asarray(g).dtype) for g in found] == [
        (12.0, (), np.float32),
        (12.0, (), np.float32),
        (1.0, (), np.float32),
    ]


def test_numpy_scalars_are_arrays_without_axes():
    """np.float64 and np.float32 in, the same dtype out; a NumPy scalar is not weak."""
    found = [opgrad.grad(lambda x: x * x * 2.0)(kind(3.0)) for kind in (np.float64, np.float32)]

    assert [(float(g), np.asarray(g).dtype) for g in found] == [
        (12.0, np.float64),
        (12.0, np.float32),
    ]


@pytest.mark.parametrize("number", [3, 3.0])
def test_the_gradient_of_a_python_number_is_a_float(number):
    """Also of an int, and where the data became NumPy on the way."""
    functions = [
        lambda x: x * x,
        lambda x: x * np.float64(2.0),
        lambda x: (x * np.ones(2)).sum(),
        lambda x: ops.sum(ops.stack([x * np.ones(2), np.ones(2)])),
        lambda x: x * x * x - x // 2 + x % 2,
    ]

    assert [type(opgrad.grad(f)(number)) for f in functions] == [float] * len(functions)
    assert [type(opgrad.grad(opgrad.grad(f))(number)) for f in functions] == [float] * len(
        functions
    )


def test_powers_of_python_ints_are_right():
    """Negative and large exponents of an int."""
    assert opgrad.grad(lambda n: n**-2)(2) == -0.25
    assert opgrad.grad(lambda n: n**3 / n)(10) == 20.0


# -- complex --------------------------------------------------------------------------------------


def test_the_gradient_of_a_real_operand_is_real():
    """Re((2+3i)·x·x): the imaginary part has no place in a real x."""
    for x in (2.0, np.array([2.0, -1.0])):
        gradient = opgrad.grad(lambda x: ops.real((2.0 + 3.0j) * x * x).sum())(x)

        assert not np.iscomplexobj(gradient)
        np.testing.assert_array_equal(gradient, 4.0 * x)


def test_a_real_operand_gets_the_real_part_through_an_imaginary_one():
    """|a + i·b|²: both parts come back to real operands."""
    a, b = opgrad.grad(lambda a, b: ops.abs(a + 1j * b) ** 2, (0, 1))(3.0, 4.0)

    assert (a, b) == (pytest.approx(6.0), pytest.approx(8.0))
    assert (type(a), type(b)) == (float, float)


def test_the_convention_of_the_gradient_of_a_complex_operand():
    """Holomorphic f: g·f'(z), no conjugate. The gradient of Re z² at 1+2j is 2+4j."""
    for z in (1.0 + 2.0j, np.array(1.0 + 2.0j), np.array([1.0 + 2.0j])):
        gradient = opgrad.grad(lambda z: ops.real(z * z).sum())(z)

        np.testing.assert_array_equal(np.asarray(gradient).ravel(), [2.0 + 4.0j])


def test_the_gradient_of_a_complex_number_is_complex_in_a_recorded_sweep_too():
    """Where the rule gave a real one: what is differentiated once more is of the same type."""
    kinds = []

    def f(z):
        (g,) = opgrad.vjp(ops.real, z * z)[1](ops.real(z))
        kinds.append(type(g.data))
        return ops.real(g * g)

    opgrad.grad(f)(1.0 - 2.0j)

    assert kinds == [complex]


def test_complex64_stays_complex64():
    """Beside complex128 and beside real numbers."""
    z, r = Value(np.ones(2, np.complex64)), Value(np.ones(2, np.float32))

    ops.real(z * r * np.full(2, 1.0 + 1.0j)).sum().backward()

    assert (z.grad.dtype, r.grad.dtype) == (np.complex64, np.float32)


# -- what cannot be projected ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "returned"),
    [
        (np.ones(3), np.ones(2)),
        (np.ones(3), np.ones((3, 1))),
        (np.ones((2, 3)), np.ones((3, 2))),
        (np.ones((1, 3)), np.ones(3)),
        (np.ones((2, 3)), np.ones(6)),
        (np.ones(3), np.float64(1.0)),
        (1.0, np.ones(1)),
        (1.0, np.ones(3)),
        (np.ones(()), np.ones(2)),
        (np.ones(0), np.ones(1)),
    ],
    ids=lambda x: str(np.shape(x)),
)
def test_no_shape_is_guessed(data, returned):
    """An op that does not broadcast returns exactly the operand's shape."""

    @opgrad.op
    def twice(xp, x):
        return xp.sum(x) * 2.0

    @twice.backward
    def twice_backward(g):
        return returned

    with pytest.raises(RuleError, match=r"twice.*'x'.*wanted the shape"):
        twice(Value(data)).backward()


def test_the_message_shows_what_was_returned_and_what_was_wanted():
    """Op, where it comes from, operand, both types."""

    @opgrad.op
    def twice(x):
        return x * 2.0

    @twice.backward
    def twice_backward(g):
        return g[:1]

    with pytest.raises(RuleError) as caught:
        twice(Value(np.ones((2, 3), np.float32))).sum().backward()

    text = str(caught.value)
    for part in ("local.twice", "defined here", "'x'", "float32 (1, 3)", "float32 (2, 3)"):
        assert part in text


@pytest.mark.parametrize("operand", [0, 1, 2])
def test_the_message_names_the_operand_of_many(operand):
    """`xs[1]`, for an op with many."""

    @opgrad.op
    def total(*xs):
        return sum(xs)

    @total.backward
    def total_backward(g, xs):
        return tuple(np.ones(2) if i == operand else g for i in range(len(xs)))

    with pytest.raises(RuleError, match=rf"total.*'xs\[{operand}\]'"):
        total(*(Value(1.0) for _ in range(3))).backward()


def test_a_float64_gradient_for_float32_is_cast_and_a_float32_one_for_float64_too():
    """A rule may compute in the precision it likes."""

    @opgrad.op
    def twice(x):
        return x * 2.0

    @twice.backward
    def twice_backward(g):
        return (g * 2.0).astype(np.float64 if g.dtype == np.float32 else np.float32)

    for dtype in (np.float32, np.float64):
        x = Value(np.ones(2, dtype))
        twice(x).sum().backward()

        assert x.grad.dtype == dtype
        np.testing.assert_array_equal(x.grad, [2.0, 2.0])


def test_nan_and_infinity_pass_through():
    """Projection sums and casts; it never hides a number."""
    x = Value(np.ones((1, 2)))
    with np.errstate(all="ignore"):
        (x * np.array([[1.0, math.inf], [2.0, -1.0]])).sum().backward()

    np.testing.assert_array_equal(x.grad, [[3.0, math.inf]])
