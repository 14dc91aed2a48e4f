"""Far from zero: no overflow, no NaN, no warning; and how many digits are right, by mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import opgrad

OPS = [getattr(opgrad.ops.activations, name) for name in dir(opgrad.ops.activations)]
UNARY = [op for op in OPS if op.elementwise and len(op.operands) == 1]
BINARY = [op for op in OPS if op.elementwise and len(op.operands) == 2]
AXIS = [op for op in OPS if not op.elementwise]
FAR = (-1e3, -746.0, -700.0, -104.0, -89.0, -40.0, -10.0, 0.0, 10.0, 40.0, 89.0, 700.0, 1e3)


def derivatives(f, x):
    """f, f' and f'' at each entry of an array, f being elementwise."""
    ones = np.ones_like(x)
    first = opgrad.grad(lambda x: opgrad.ops.sum(f(x)))
    second = opgrad.grad(lambda x: opgrad.ops.sum(first(x) * ones))

    return f(x), first(x), second(x)


# pytest turns every warning into an error, so RuntimeWarning (overflow, invalid) fails these.


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda t: t.__name__)
def test_unary_op_is_finite_up_to_a_thousand(op, dtype):
    """Value, first and second derivative, on arrays."""
    for part in derivatives(op, np.asarray(FAR, dtype)):
        assert part.dtype == dtype
        assert np.isfinite(part).all()


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_unary_op_on_a_python_float_is_finite_up_to_a_thousand(op):
    """Value, first and second derivative, on floats."""
    for x in FAR:
        parts = op(x), opgrad.grad(op)(x), opgrad.grad(opgrad.grad(op))(x)

        assert np.isfinite(parts).all()


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda t: t.__name__)
def test_binary_op_is_finite_up_to_a_thousand(op, dtype):
    """Value and both first derivatives, and the second in the first operand."""
    a = np.asarray(FAR, dtype)
    for b in np.asarray((-1e3, 0.5, 1e3), dtype):
        for part in derivatives(lambda a, b=b: op(a, b), a):
            assert np.isfinite(part).all()
        for part in derivatives(lambda b, a=a: op(a, b), np.full_like(a, b)):
            assert np.isfinite(part).all()


@pytest.mark.parametrize("op", AXIS, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda t: t.__name__)
def test_op_along_an_axis_is_finite_up_to_a_thousand(op, dtype):
    """Value, gradient and gradient of the gradient's square."""
    x = np.asarray([*FAR, -1e3, 1e3, 1e3], dtype)
    w = np.linspace(0.5, 1.5, op(x).size, dtype=dtype)
    first = opgrad.grad(lambda x: opgrad.ops.sum(op(x) * w))
    second = opgrad.grad(lambda x: opgrad.ops.sum(first(x) ** 2))

    assert np.isfinite(op(x)).all()
    assert np.isfinite(first(x)).all()
    assert np.isfinite(second(x)).all()


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_nan_is_not_hidden(op):
    """A NaN that comes in goes out, on floats and arrays."""
    assert np.isnan(op(float("nan")))
    assert np.isnan(op(np.asarray([float("nan")])))[0]


# ---------------------------------------------------------------------------- digits, by mpmath

mp = mpmath.mp


def sigmoid(x):
    """The logistic function with as many digits as mpmath is set to."""
    return 1 / (1 + mp.exp(-x))


def clip(x, low, high):
    """x held between two bounds."""
    return min(max(x, mp.mpf(low)), mp.mpf(high))


def gelu_tanh(x):
    """gelu's tanh form, with the number opgrad uses."""
    return x * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf(0.044715) * x**3))) / 2


SELU_SCALE = mp.mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mp.mpf("1.6732632423543772848170429916717")
# name: the function as its definition has it, the attributes it stands for.
DEFINITIONS = {
    "celu": (lambda x: max(x, 0) + min(0, mp.mpf(0.5) * mp.expm1(x / mp.mpf(0.5))), {"alpha": 0.5}),
    "elu": (lambda x: x if x > 0 else mp.expm1(x), {}),
    "gaussian": (lambda x: mp.exp(-(x**2)), {}),
    "gelu": (lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2, {}),
    "gelu, tanh": (gelu_tanh, {"approximate": "tanh"}),
    "hardshrink": (lambda x: x if abs(x) > 0.5 else mp.mpf(0), {}),
    "hardsigmoid": (lambda x: clip(x / 6 + mp.mpf(0.5), 0, 1), {}),
    "hardswish": (lambda x: x * clip(x / 6 + mp.mpf(0.5), 0, 1), {}),
    "hardtanh": (lambda x: clip(x, -1, 1), {}),
    "leaky_relu": (lambda x: x if x > 0 else mp.mpf(0.01) * x, {}),
    "logsigmoid": (lambda x: -mp.log1p(mp.exp(-x)), {}),
    "mish": (lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), {}),
    "quick_gelu": (lambda x: x * sigmoid(mp.mpf(1.702) * x), {}),
    "relu6": (lambda x: clip(x, 0, 6), {}),
    "relu_squared": (lambda x: max(x, 0) ** 2, {}),
    "selu": (lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mp.expm1(x)), {}),
    "silu": (lambda x: x * sigmoid(x), {}),
    "snake": (lambda x: x + mp.sin(x) ** 2, {}),
    "softplus": (lambda x: mp.log1p(mp.exp(2 * x)) / 2, {"beta": 2.0}),
    "softshrink": (lambda x: x - clip(x, -0.5, 0.5), {}),
    "softsign": (lambda x: x / (1 + abs(x)), {}),
    "squareplus": (lambda x: (x + mp.sqrt(x**2 + 4)) / 2, {}),
    "swish": (lambda x: x * sigmoid(2 * x), {"beta": 2.0}),
    "tanhshrink": (lambda x: x - mp.tanh(x), {}),
    "threshold": (lambda x: max(x, 0), {}),
}
# Their value is right to a few ulp everywhere. The others form x^2, x^3 or 1.702 x inside an
# exponential, or have a root away from 0: there the bound is what the last digit of x decides.
RIGHT_TO_THE_LAST_DIGITS = {
    "celu", "elu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu",
    "logsigmoid", "mish", "relu6", "relu_squared", "selu", "silu", "snake", "softplus",
    "softshrink", "softsign", "squareplus", "swish", "tanhshrink", "threshold",
}  # fmt: skip

# expm1(-700) and tanh(-350) differ from -1 in the 304th digit, which the definitions must see.
NEAR_MINUS_ONE = {"celu", "elu", "gelu, tanh", "selu"}


def points():
    """From -1000 to 1000, dense near zero; float32 numbers, away from every kink."""
    rng = np.random.default_rng(0)
    small = 10.0 ** rng.uniform(-6, 0, 20)
    tails = 10.0 ** rng.uniform(0, 3, 25)

    return np.concatenate([-small, small, -tails, tails, [-1e3, 1e3]]).astype(np.float32)


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_value_and_derivative_have_the_digits_the_input_allows(name):
    """The error is a few ulp of the result, plus what a change in the last digit of x makes."""
    definition, attributes = DEFINITIONS[name]
    op = getattr(opgrad.ops.activations, name.partition(",")[0])
    xs = points()
    with mp.workdps(350 if name in NEAR_MINUS_ONE else 40):
        table = [
            [mp.diff(definition, mp.mpf(float(x)), n) if n else definition(mp.mpf(float(x)))
             for n in range(3)]
            for x in xs
        ]  # fmt: skip
    for dtype in (np.float64, np.float32):
        value, first, _ = derivatives(lambda x: op(x, **attributes), xs.astype(dtype))
        tiny, eps = np.finfo(dtype).smallest_normal, np.finfo(dtype).eps
        for x, v, d, (f, f1, f2) in zip(xs, value, first, table, strict=True):
            slack = 0 if name in RIGHT_TO_THE_LAST_DIGITS else abs(x * f1)

            assert abs(v - f) <= 4 * eps * (abs(f) + slack) + 2 * tiny, (dtype, x)
            assert abs(d - f1) <= 4 * eps * (abs(f1) + abs(x * f2)) + 2 * tiny, (dtype, x)


def test_every_unary_op_has_a_definition_to_be_compared_with():
    """A new op cannot be left out of the comparison."""
    assert {name.partition(",")[0] for name in DEFINITIONS} == {op.name for op in UNARY}


def test_log_softmax_keeps_the_digits_of_a_near_certain_entry():
    """log(1 / (1 + e^-50)) is -e^-50, not 0."""
    y = opgrad.ops.activations.log_softmax(np.asarray([50.0, 0.0]))

    assert y[0] == pytest.approx(-np.exp(-50.0), rel=1e-14)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_and_its_kin_agree_with_their_definition(name):
    """Rows with near and far entries, ties and one entry alone."""
    rows = ([0.3, -1.2, 2.0, 0.1], [1e3, 1e3, 999.0, -1e3], [30.0, 0.0, -30.0, 1.0], [7.0])
    sign = -1 if name == "softmin" else 1
    for row in rows:
        with mp.workdps(1000):
            total = mp.fsum(mp.exp(sign * x) for x in row)
            exact = [mp.exp(sign * x) / total for x in row]
            exact = [float(mp.log(p)) if name == "log_softmax" else float(p) for p in exact]

        actual = getattr(opgrad.ops.activations, name)(np.asarray(row))

        np.testing.assert_allclose(actual, exact, rtol=2e-14, atol=1e-300)
