"""Python numbers get the answers IEEE 754 and NumPy give, and never an exception by surprise."""

import cmath
import itertools
import math

import numpy as np
import pytest

from opgrad.namespaces import scalar

INF, NAN = math.inf, math.nan
HUGE = 10**400  # an int beyond the floats

NUMBERS = [
    0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 3.0, -8.0, 1e-320, 1e-9, 19.0, 45.0, -45.0,
    710.0, -745.0, 1e3, -1e3, 1e200, -1e200, 1.7e308, INF, -INF, NAN,
]  # fmt: skip
UNARY = [
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "ceil", "cos", "cosh",
    "exp", "exp2", "expm1", "floor", "imag", "isfinite", "isinf", "isnan", "log", "log10", "log1p",
    "log2", "logical_not", "negative", "ones_like", "positive", "real", "reciprocal", "round",
    "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "zeros_like", "conj",
]  # fmt: skip
BINARY = [
    "add", "subtract", "multiply", "divide", "pow", "floor_divide", "remainder", "hypot", "atan2",
    "copysign", "logaddexp", "maximum", "minimum", "equal", "not_equal", "less", "less_equal",
    "greater", "greater_equal", "logical_and", "logical_or", "logical_xor",
]  # fmt: skip
REDUCTIONS = ["sum", "prod", "mean", "max", "min", "logsumexp", "var", "std", "all", "any"]


def same(actual, expected):
    """Equal to a few units in the last place, inf to inf and nan to nan."""
    return actual == pytest.approx(expected, rel=1e-14, abs=0.0, nan_ok=True)


@pytest.mark.parametrize("name", UNARY)
@np.errstate(all="ignore")
def test_a_function_of_one_number_answers_as_numpy_does(name):
    """On ordinary numbers, at poles, out of the domain and where it overflows."""
    function, expected = getattr(scalar, name), getattr(np, name)

    wrong = [
        (x, function(x), expected(np.float64(x)))
        for x in NUMBERS
        if not same(function(x), expected(np.float64(x)))
    ]

    assert wrong == []


@pytest.mark.parametrize("name", BINARY)
@np.errstate(all="ignore")
def test_a_function_of_two_numbers_answers_as_numpy_does(name):
    """On every pair of ordinary and of extreme numbers.

    Save one: NumPy takes x ** 0.5 for sqrt(x), which is nan at -inf; IEEE 754 says inf.
    """
    function, expected = getattr(scalar, name), getattr(np, name)

    wrong = [
        (a, b, function(a, b), expected(np.float64(a), np.float64(b)))
        for a, b in itertools.product(NUMBERS, repeat=2)
        if (name, a, b) != ("pow", -INF, 0.5)
        and not same(function(a, b), expected(np.float64(a), np.float64(b)))
    ]

    assert wrong == []


@pytest.mark.parametrize("name", ["erf", "erfc", "expit", "xlogy"])
def test_the_extras_answer_as_scipy_does(name):
    """The functions opgrad adds to the Array API."""
    special = pytest.importorskip("scipy.special")
    function = scalar.sigmoid if name == "expit" else getattr(scalar, name)
    pairs = itertools.product(NUMBERS, repeat=2) if name == "xlogy" else zip(NUMBERS, strict=True)

    with np.errstate(all="ignore"):
        wrong = [
            (xs, function(*xs), getattr(special, name)(*xs))
            for xs in pairs
            if function(*xs)
            != pytest.approx(getattr(special, name)(*xs), rel=1e-13, abs=1e-320, nan_ok=True)
        ]

    assert wrong == []


EDGES = [
    ("exp", (1000.0,), INF),
    ("log", (0.0,), -INF),
    ("log", (-1.0,), NAN),
    ("sqrt", (-1.0,), NAN),
    ("divide", (1.0, 0.0), INF),
    ("divide", (1.0, -0.0), -INF),
    ("divide", (0.0, 0.0), NAN),
    ("divide", (1, 0), INF),
    ("pow", (0.0, -0.5), INF),
    ("pow", (-0.0, -3.0), -INF),
    ("pow", (-8.0, 1 / 3), NAN),
    ("pow", (-1e200, 3), -INF),
    ("pow", (2, -1), 0.5),
    ("sin", (INF,), NAN),
    ("sinh", (-1e4,), -INF),
    ("atanh", (1.0,), INF),
    ("atanh", (-1.0,), -INF),
    ("sign", (NAN,), NAN),
    ("maximum", (1.0, NAN), NAN),
    ("minimum", (NAN, 1.0), NAN),
    ("relu", (NAN,), NAN),
    ("relu", (-2.0,), 0.0),
    ("logaddexp", (1e3, -1e3), 1e3),
    ("logaddexp", (-INF, -INF), -INF),
    ("sigmoid", (-1e3,), 0.0),
    ("clip", (3.0, 0.0, 1.0), 1.0),
    ("clip", (3.0, 4.0), 4.0),
    ("where", (True, 1.0, NAN), 1.0),
]


@pytest.mark.parametrize(
    ("name", "operands", "expected"), EDGES, ids=[f"{name}{args}" for name, args, _ in EDGES]
)
def test_the_places_where_python_raises_have_an_answer(name, operands, expected):
    """Poles, overflow and domains, each as the table in numerics.md has it."""
    assert same(getattr(scalar, name)(*operands), expected)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", [*UNARY, "sigmoid", "relu", "erf", "erfc"])
def test_a_whole_number_beyond_the_floats_counts_as_infinite(name, sign):
    """No OverflowError, whatever the function."""
    function = getattr(scalar, name)

    y = function(sign * HUGE)

    if name in {"log", "log2", "log10", "log1p"} and sign > 0:
        assert y == pytest.approx(function(1e200) * 2, rel=1e-12)
    elif name not in {"isfinite", "isinf"}:
        assert same(y if abs(y) < HUGE else function(sign * INF), function(sign * INF))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("other", [HUGE, -HUGE, 0.5, -2, 0])
def test_a_whole_number_beyond_the_floats_goes_with_any_other(name, other):
    """No OverflowError on either side."""
    function = getattr(scalar, name)

    results = [] if name == "pow" and abs(other) > 2 else [function(HUGE, other)]
    results.append(function(other, HUGE) if name != "pow" or isinstance(other, float) else 0.0)

    assert all(isinstance(result, (int, float)) for result in results)


@pytest.mark.parametrize("name", ["floor", "ceil", "round", "trunc"])
def test_rounding_gives_floats(name):
    """Also of ints and of what has no whole number near it."""
    function = getattr(scalar, name)

    assert [type(function(x)) for x in (2.7, 3, INF, NAN, HUGE)] == [float] * 5


def test_round_takes_halves_to_the_even_number():
    """As IEEE 754, Python and NumPy do."""
    assert [scalar.round(x) for x in (0.5, 1.5, 2.5, -0.5, -1.5)] == [0.0, 2.0, 2.0, 0.0, -2.0]


@pytest.mark.parametrize(
    "name",
    [
        "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "exp2", "log",
        "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh", "abs", "sign", "square",
        "reciprocal", "conj", "real", "imag", "isnan", "isinf", "isfinite", "expm1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("z", [0.5 + 2j, -1.5 - 0.25j])
def test_complex_numbers_answer_as_numpy_does(name, z):
    """The same branch, in the same place."""
    assert cmath.isclose(
        getattr(scalar, name)(z), complex(getattr(np, name)(np.complex128(z))), rel_tol=1e-13
    )


@pytest.mark.parametrize(
    ("function", "z"),
    [
        (scalar.exp, 1e4 + 1j),
        (scalar.log, 0j),
        (scalar.divide, 0j),
        (scalar.pow, 0j),
        (scalar.cosh, 1e4 + 1j),
        (scalar.sin, complex(INF, 0.0)),
    ],
)
def test_complex_poles_and_overflow_give_a_complex_number(function, z):
    """Never ZeroDivisionError, OverflowError or ValueError."""
    y = {scalar.divide: lambda: function(1.0, z), scalar.pow: lambda: function(z, -1.0)}.get(
        function, lambda: function(z)
    )()

    assert not scalar.isfinite(y)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, ()])
def test_a_number_reduces_as_an_array_without_axes(name, axis):
    """To what NumPy gives for the 0-d array."""
    expected = 2.5 if name == "logsumexp" else getattr(np, name)(np.float64(2.5))

    assert getattr(scalar, name)(2.5, axis=axis, keepdims=True) == expected


def test_the_place_of_the_largest_of_one_number_is_the_first():
    """Argmax and argmin index the flattened array."""
    assert (scalar.argmax(2.5), scalar.argmin(2.5)) == (0, 0)


def test_the_variance_of_one_number_with_a_correction_is_nan():
    """Nothing is left to divide by; NumPy says the same, and warns."""
    assert math.isnan(scalar.var(2.5, correction=1.0))


@pytest.mark.parametrize("name", [*REDUCTIONS, "argmax", "argmin"])
def test_an_axis_a_number_lacks_is_refused(name):
    """The error names the function and the way out."""
    with pytest.raises(TypeError, match=rf"{name} over axis 0 needs array data: .*numpy\.asarray"):
        getattr(scalar, name)(2.5, axis=0)


def test_the_shape_without_axes_is_the_only_one_a_number_has():
    """reshape, broadcast_to, squeeze and permute_dims take it and give the number."""
    results = [
        scalar.reshape(2.5, ()),
        scalar.broadcast_to(2.5, ()),
        scalar.squeeze(2.5),
        scalar.permute_dims(2.5, ()),
    ]

    assert results == [2.5] * 4


@pytest.mark.parametrize("name", ["reshape", "broadcast_to", "permute_dims"])
def test_any_other_shape_is_refused(name):
    """The error names the shape and the way out."""
    with pytest.raises(TypeError, match=rf"{name} to \(1,\) needs array data: .*numpy\.asarray"):
        getattr(scalar, name)(2.5, (1,))


@pytest.mark.parametrize("name", sorted(scalar.ARRAY_FUNCTIONS))
def test_a_function_of_arrays_says_that_it_needs_them(name):
    """It exists as a name, so that the error can tell what to do."""
    with pytest.raises(TypeError, match=rf"{name} needs array data: .*numpy\.asarray"):
        getattr(scalar, name)(2.5)


def test_a_name_nobody_has_is_an_attribute_error():
    """So that hasattr and getattr with a default work."""
    with pytest.raises(AttributeError, match="has no function 'sinn'"):
        scalar.sinn  # noqa: B018 -- the access is the test


def test_astype_takes_the_python_types():
    """float, int, bool and complex; anything else is an array's dtype."""
    assert [scalar.astype(2.5, t) for t in (float, int, bool, complex)] == [2.5, 2, True, 2.5 + 0j]


def test_astype_refuses_a_dtype_of_arrays():
    """The error says how to make an array."""
    with pytest.raises(TypeError, match=r"convert it with numpy\.asarray first"):
        scalar.astype(2.5, np.float32)


def test_bitwise_invert_of_a_boolean_is_a_boolean():
    """As for boolean arrays, and not -2, which is true."""
    assert (scalar.bitwise_invert(True), scalar.bitwise_invert(6)) == (False, -7)  # noqa: FBT003 -- an operand
