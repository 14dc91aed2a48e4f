"""How many digits are right: elementwise ops against mpmath over the whole range of floats.

Value, first and second derivative may be off by a few units in the last place of the result,
plus what a change of a few units in the last place of each input does to it: no more can be
asked of a function that is ill-conditioned there.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import opgrad
from opgrad import ops

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

DIGITS = 40
UNITS = (4, 6, 12)
"""Units in the last place allowed: of the value, the first and the second derivative."""

DTYPES = (np.float64, np.float32)
LIMITS = {np.float64: (1e-290, 1e290), np.float32: (1e-30, 1e30)}
"""Sizes of the inputs, 0 aside, for which nothing subnormal is read."""


# -- functions and their derivatives, each in a form that cancels nothing -------------------------


def sech(x):
    """1 / cosh x."""
    return 1 / mp.cosh(x)


def sigmoid(x):
    """1 / (1 + e ** -x)."""
    return 1 / (1 + mp.exp(-x))


def gauss(x):
    """2 / sqrt(pi) * e ** -x², the derivative of erf."""
    return 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)


def erfc(x):
    """1 - erf(x); 0 where that is below every float."""
    return mp.erfc(x) if x < 1e3 else mp.mpf(0)


def series_or(start, formula):
    """A formula with many digits more near 0, where it cancels; its value at 0 is given."""

    def evaluate(x):
        if x == 0:
            return mp.mpf(start)
        with mp.workdps(DIGITS + 3 * max(0, -int(mp.log10(abs(x))))):
            return formula(x)

    return evaluate


def root(x, n):
    """The real n-th root, for odd n also below 0."""
    return mp.sign(x) * mp.root(abs(x), n)


def tail(x):
    """Log(1 + e ** x), also where it is nearly 0 or nearly x."""
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


# name: where (see `points`), f, f', f''.
UNARY = {
    "exp": ("line", mp.exp, mp.exp, mp.exp),
    "exp2": (
        "line",
        lambda x: mp.mpf(2) ** x,
        lambda x: mp.log(2) * mp.mpf(2) ** x,
        lambda x: mp.log(2) ** 2 * mp.mpf(2) ** x,
    ),
    "expm1": ("line", mp.expm1, mp.exp, mp.exp),
    "log": ("positive", mp.log, lambda x: 1 / x, lambda x: -1 / x**2),
    "log2": (
        "positive",
        lambda x: mp.log(x) / mp.log(2),
        lambda x: 1 / x / mp.log(2),
        lambda x: -1 / x**2 / mp.log(2),
    ),
    "log10": (
        "positive",
        lambda x: mp.log(x) / mp.log(10),
        lambda x: 1 / x / mp.log(10),
        lambda x: -1 / x**2 / mp.log(10),
    ),
    "log1p": ("above -1", mp.log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    "sigmoid": (
        "line",
        sigmoid,
        lambda x: sech(x / 2) ** 2 / 4,
        lambda x: -mp.tanh(x / 2) * sech(x / 2) ** 2 / 4,
    ),
    "erf": ("line", mp.erf, gauss, lambda x: -2 * x * gauss(x)),
    "erfc": ("line", erfc, lambda x: -gauss(x), lambda x: 2 * x * gauss(x)),
    "sin": ("line", mp.sin, mp.cos, lambda x: -mp.sin(x)),
    "cos": ("line", mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x)),
    "tan": (
        "line",
        mp.tan,
        lambda x: 1 / mp.cos(x) ** 2,
        lambda x: 2 * mp.tan(x) / mp.cos(x) ** 2,
    ),
    "asin": (
        "below 1",
        mp.asin,
        lambda x: 1 / mp.sqrt((1 - x) * (1 + x)),
        lambda x: x / mp.sqrt((1 - x) * (1 + x)) ** 3,
    ),
    "acos": (
        "below 1",
        mp.acos,
        lambda x: -1 / mp.sqrt((1 - x) * (1 + x)),
        lambda x: -x / mp.sqrt((1 - x) * (1 + x)) ** 3,
    ),
    "atan": (
        "line",
        mp.atan,
        lambda x: 1 / (1 + x * x),
        lambda x: -2 * x / (1 + x * x) ** 2,
    ),
    "sinh": ("line", mp.sinh, mp.cosh, mp.sinh),
    "cosh": ("line", mp.cosh, mp.sinh, mp.cosh),
    "tanh": (
        "line",
        mp.tanh,
        lambda x: sech(x) ** 2,
        lambda x: -2 * mp.tanh(x) * sech(x) ** 2,
    ),
    "asinh": (
        "line",
        lambda x: mp.sign(x) * mp.asinh(abs(x)),
        lambda x: 1 / mp.sqrt(1 + x * x),
        lambda x: -x / mp.sqrt(1 + x * x) ** 3,
    ),
    "acosh": (
        "above 1",
        mp.acosh,
        lambda x: 1 / mp.sqrt((x - 1) * (x + 1)),
        lambda x: -x / mp.sqrt((x - 1) * (x + 1)) ** 3,
    ),
    "atanh": (
        "below 1",
        series_or(0, lambda x: mp.log((1 + x) / (1 - x)) / 2),
        lambda x: 1 / ((1 - x) * (1 + x)),
        lambda x: 2 * x / ((1 - x) * (1 + x)) ** 2,
    ),
    "sinc": (
        "below 1e6",
        mp.sincpi,
        series_or(0, lambda x: (mp.cospi(x) - mp.sincpi(x)) / x),
        series_or(
            "-3.2898681336964528729448303332920503784",
            lambda x: (2 * mp.sincpi(x) - 2 * mp.cospi(x)) / x**2 - mp.pi**2 * mp.sincpi(x),
        ),
    ),
    "sqrt": ("positive", mp.sqrt, lambda x: mp.sqrt(1 / x) / 2, lambda x: -mp.sqrt(1 / x) / x / 4),
    "cbrt": (
        "not 0",
        lambda x: root(x, 3),
        lambda x: 1 / root(x, 3) ** 2 / 3,
        lambda x: -2 / root(x, 3) ** 5 / 9,
    ),
    "square": ("line", lambda x: x * x, lambda x: 2 * x, lambda x: mp.mpf(2)),
    "reciprocal": ("not 0", lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3),
}
UNARY |= {
    "sigmoid_slope": (
        "line",
        lambda x: sech(x / 2) ** 2 / 4,
        lambda x: -mp.tanh(x / 2) * sech(x / 2) ** 2 / 4,
        lambda x: sech(x / 2) ** 2 / 4 * (mp.tanh(x / 2) ** 2 - sech(x / 2) ** 2 / 2),
    ),
    "one_minus_square": (
        "line",
        lambda x: (1 - x) * (1 + x),
        lambda x: -2 * x,
        lambda x: mp.mpf(-2),
    ),
}
ROUNDED = {"abs", "ceil", "conj", "floor", "imag", "negative", "positive", "real", "relu",
           "round", "sign", "trunc"}  # fmt: skip
"""Unary ops that are exact, or whose derivative is a plain number."""


def logaddexp(a, b):
    """Log(e ** a + e ** b)."""
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


def slope(x):
    """The derivative of the sigmoid."""
    return sech(x / 2) ** 2 / 4


# name: f, then its partial derivatives in a, b, aa, ab, bb, and whether a and b must be positive.
BINARY = {
    "logaddexp": (
        logaddexp,
        (
            lambda a, b: sigmoid(a - b),
            lambda a, b: sigmoid(b - a),
            lambda a, b: slope(a - b),
            lambda a, b: -slope(a - b),
            lambda a, b: slope(a - b),
        ),
        (False, False),
    ),
    "hypot": (
        mp.hypot,
        (
            lambda a, b: a / mp.hypot(a, b),
            lambda a, b: b / mp.hypot(a, b),
            lambda a, b: b * b / mp.hypot(a, b) ** 3,
            lambda a, b: -a * b / mp.hypot(a, b) ** 3,
            lambda a, b: a * a / mp.hypot(a, b) ** 3,
        ),
        (False, False),
    ),
    "atan2": (
        mp.atan2,
        (
            lambda a, b: b / (a * a + b * b),
            lambda a, b: -a / (a * a + b * b),
            lambda a, b: -2 * a * b / (a * a + b * b) ** 2,
            lambda a, b: (a - b) * (a + b) / (a * a + b * b) ** 2,
            lambda a, b: 2 * a * b / (a * a + b * b) ** 2,
        ),
        (False, False),
    ),
    "pow": (
        lambda a, b: a**b,
        (
            lambda a, b: b * a ** (b - 1),
            lambda a, b: a**b * mp.log(a),
            lambda a, b: b * (b - 1) * a ** (b - 2),
            lambda a, b: a ** (b - 1) * (1 + b * mp.log(a)),
            lambda a, b: a**b * mp.log(a) ** 2,
        ),
        (True, False),
    ),
    "xlogy": (
        lambda a, b: a * mp.log(b),
        (
            lambda a, b: mp.log(b),
            lambda a, b: a / b,
            lambda a, b: mp.mpf(0),
            lambda a, b: 1 / b,
            lambda a, b: -a / b**2,
        ),
        (False, True),
    ),
    "divide": (
        lambda a, b: a / b,
        (
            lambda a, b: 1 / b,
            lambda a, b: -a / b**2,
            lambda a, b: mp.mpf(0),
            lambda a, b: -1 / b**2,
            lambda a, b: 2 * a / b**3,
        ),
        (False, False),
    ),
}


# -- where they are looked at ---------------------------------------------------------------------


def points(where):
    """Numbers of float32 and, beyond its range, of float64, from tiny to huge, and the edges."""
    rng = np.random.default_rng(0)
    middle = 10.0 ** rng.uniform(-4, 3, 26)
    edges = [0.25, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0, 9.0, 20.0, 40.0, 88.0, 100.0, 700.0, 1e3]
    small = 10.0 ** np.arange(-29, -4, 4.0)
    large = 10.0 ** np.arange(4, 30, 5.0)
    beyond = 10.0 ** np.asarray([-280.0, -170, -100, -50, 50, 80, 100, 160, 200, 280])
    size = np.concatenate([small, middle, edges, large]).astype(np.float32)
    size = np.concatenate([size.astype(np.float64), beyond])
    gaps = (2.0 ** -np.arange(1, 23, 3)).astype(np.float32).astype(np.float64)
    if where == "below 1e6":
        where, size = "line", size[size < 1e6]
    match where:
        case "line":
            return np.concatenate([-size, [0.0], size])
        case "not 0":
            return np.concatenate([-size, size])
        case "positive":
            return np.concatenate([size, 1.0 - gaps, 1.0 + gaps])
        case "above -1":
            return np.concatenate([-size[size < 1.0], gaps - 1.0, [0.0], size])
        case "above 1":
            return np.concatenate([size[size > 1.0], 1.0 + gaps])
        case "below 1":
            inside = np.concatenate([size[size < 1.0], 1.0 - gaps])
            return np.concatenate([-inside, [0.0], inside])
    raise ValueError(where)


def within(dtype, *operands):
    """Which points the dtype holds."""
    low, high = LIMITS[dtype]

    return np.all([(x == 0) | ((abs(x) > low) & (abs(x) < high)) for x in operands], axis=0)


def exact(function, *operands):
    """The values at each point and, beside them, how much they feel the inputs' last digits."""
    nudge = mp.mpf(2) ** -60
    values, felt = [], []
    with mp.workdps(DIGITS):
        for entries in zip(*operands, strict=True):
            places = [mp.mpf(float(x)) for x in entries]
            value = function(*places)
            change = mp.mpf(0)
            for index, place in enumerate(places):
                moved = [*places]
                moved[index] = place * (1 + nudge)
                change += abs(function(*moved) - value) / nudge
            values.append(value)
            felt.append(change)

    return values, felt


def assert_close(actual, values, felt, dtype, units, *operands):
    """Each entry within `units` in the last place, of itself and of the operands."""
    info = np.finfo(dtype)
    eps, tiny, largest = float(info.eps), float(info.smallest_normal), mp.mpf(float(info.max))
    wrong = []
    for index, (got, value, change) in enumerate(zip(actual, values, felt, strict=True)):
        bound = units * eps * (abs(value) + change) + 4 * tiny
        if abs(value) > largest * (1 + units * eps):
            right = bool(np.isinf(got)) and (got > 0) == (value > 0)
        else:
            right = bound > largest or bool(abs(mp.mpf(float(got)) - value) <= bound)
        if not right:
            at = [float(x[index]) for x in operands]
            wrong.append((at, float(got), float(value)))

    assert not wrong, wrong


# -- the comparison -------------------------------------------------------------------------------


def derivatives(f, x):
    """f, f' and f'' at each entry of an array, f being elementwise."""
    ones = np.ones_like(x)
    first = opgrad.grad(lambda x: ops.sum(f(x)))
    second = opgrad.grad(lambda x: ops.sum(first(x) * ones))

    return f(x), first(x), second(x)


@pytest.fixture(scope="module")
def table():
    """What mpmath says, worked out once for each op."""
    kept = {}

    def look_up(name):
        if name not in kept:
            where, *functions = UNARY[name]
            x = points(where)
            kept[name] = x, [exact(function, x) for function in functions]
        return kept[name]

    return look_up


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: t.__name__)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # e ** 1000 is inf: NumPy says so
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning")
def test_unary_op_and_two_derivatives_have_the_digits_their_input_allows(name, dtype, table):
    """On arrays: a few units in the last place, from 1e-280 to 1e280."""
    x, rows = table(name)
    held = np.flatnonzero(within(dtype, x))
    parts = derivatives(getattr(ops, name), x[held].astype(dtype))

    for part, (values, felt), units in zip(parts, rows, UNITS, strict=True):
        assert part.dtype == dtype
        assert_close(
            part, [values[i] for i in held], [felt[i] for i in held], dtype, units, x[held]
        )


@pytest.mark.parametrize("name", UNARY)
def test_unary_op_on_floats_has_the_digits_its_input_allows(name, table):
    """On Python floats, likewise."""
    x, rows = table(name)
    op = getattr(ops, name)
    first = opgrad.grad(op)
    second = opgrad.grad(first)

    for f, (values, felt), units in zip((op, first, second), rows, UNITS, strict=True):
        assert_close([f(float(v)) for v in x], values, felt, np.float64, units, x)


def test_every_smooth_unary_op_is_compared():
    """A new op cannot be left out of the comparison."""
    unary = {
        op.name
        for op in (getattr(ops, name) for name in dir(ops))
        if isinstance(op, opgrad.Op) and op.elementwise and op.differentiable
        and op.operands == ("x",) and op.provider.namespace == "core"
    }  # fmt: skip

    assert unary - set(UNARY) - ROUNDED == set()


# -- two operands ---------------------------------------------------------------------------------


def pairs(positive):
    """Near and far sizes, equal and opposite, one operand tiny beside the other."""
    rng = np.random.default_rng(1)
    size = [1e-29, 1e-9, 1e-3, 0.3, 1.0, 3.0, 40.0, 900.0, 1e9, 1e29]
    a, b = np.asarray(list(itertools.product(size, size)), np.float32).T
    mixed = (10.0 ** rng.uniform(-2, 2, (2, 30))).astype(np.float32)
    beyond = np.asarray([[1e-180, 1e200, 1e160, 1e-170], [1e-180, 1e200, 1e-160, 1e170]])
    a, b = np.concatenate([[a, b], mixed, mixed[:, :1] * [[1], [0]], beyond], axis=1)
    signs = [1.0 if p else np.where(rng.random(a.size) < 0.4, -1.0, 1.0) for p in positive]

    return a * signs[0], b * signs[1]


def partial_derivatives(f, a, b):
    """f and its partial derivatives in a, b, aa, ab and bb."""
    ones = np.ones_like(a)
    first = [opgrad.grad(lambda a, b: ops.sum(f(a, b)), n) for n in (0, 1)]
    second = [
        opgrad.grad(lambda a, b, n=n: ops.sum(first[n](a, b) * ones), m)(a, b)
        for n, m in ((0, 0), (0, 1), (1, 1))
    ]

    return [f(a, b), first[0](a, b), first[1](a, b), *second]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_binary_op_and_its_partial_derivatives_have_the_digits_their_input_allows(name):
    """On arrays of both dtypes and on floats: the value, both first and three second ones."""
    function, partials, positive = BINARY[name]
    op = getattr(ops, name)
    a, b = pairs(positive)
    if name != "logaddexp":
        a, b = a[b != 0], b[b != 0]
    if name == "pow":  # inf where a ** (b - 2) is, also where b beside it is tiny
        a, b = a[a > 1e-12], b[a > 1e-12]
    units = (UNITS[0], UNITS[1], UNITS[1], *[UNITS[2]] * 3)
    rows = [exact(f, a, b) for f in (function, *partials)]
    if name == "pow":  # its exponents b - 1 and b - 2 are rounded: said in its docstring
        for values, felt in rows:
            felt[:] = [
                change + abs(value * mp.log(x))
                for change, value, x in zip(felt, values, a.tolist(), strict=True)
            ]

    for dtype in DTYPES:
        held = np.flatnonzero(within(dtype, a, b))
        parts = partial_derivatives(op, a[held].astype(dtype), b[held].astype(dtype))
        for part, (values, felt), n in zip(parts, rows, units, strict=True):
            assert part.dtype == dtype
            expected = [values[i] for i in held], [felt[i] for i in held]
            assert_close(part, *expected, dtype, n, a[held], b[held])
    on_floats = [partial_derivatives(op, x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    for part, (values, felt), n in zip(zip(*on_floats, strict=True), rows, units, strict=True):
        assert_close(part, values, felt, np.float64, n, a, b)


# -- saturation -----------------------------------------------------------------------------------

# pytest turns every warning into an error, so RuntimeWarning (overflow, invalid) fails these.
FAR = (-1e3, -746.0, -700.0, -104.0, -89.0, -40.0, -19.0, 0.0, 19.0, 40.0, 89.0, 104.0, 700.0, 1e3)
SATURATING = {
    "tanh": ops.tanh,
    "sigmoid": ops.sigmoid,
    "erf": ops.erf,
    "erfc": ops.erfc,
    "atan": ops.atan,
    "asinh": ops.asinh,
    "cbrt": ops.cbrt,
    "sinc": ops.sinc,
    "softplus": lambda x: ops.logaddexp(x, 0.0),
    "logsigmoid": lambda x: -ops.logaddexp(-x, 0.0),
    "hypot": lambda x: ops.hypot(x, 1.0),
    "atan2": lambda x: ops.atan2(x, 1.0),
    "xlogy": lambda x: ops.xlogy(x, 2.0),
    "expm1 of -|x|": lambda x: ops.expm1(-abs(x)),
    "log1p of e^-|x|": lambda x: ops.log1p(ops.exp(-abs(x))),
}


@pytest.mark.parametrize("name", SATURATING)
@pytest.mark.parametrize("dtype", [*DTYPES, float], ids=lambda t: t.__name__)
def test_three_derivatives_are_finite_up_to_a_thousand(name, dtype):
    """No overflow, no NaN, no warning, on arrays and floats."""
    f = SATURATING[name]
    x = np.asarray([v for v in FAR if v or name != "cbrt"])  # whose derivative at 0 is inf
    if dtype is float:
        for entry in x.tolist():
            order = f
            for _ in range(4):
                assert np.isfinite(order(entry))
                order = opgrad.grad(order)
        return
    order = f
    for _ in range(4):
        part = order(x.astype(dtype))
        assert part.dtype == dtype
        assert np.isfinite(part).all()
        order = opgrad.grad(lambda x, inner=order: ops.sum(inner(x)))


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: t.__name__)
def test_third_derivatives_of_tanh_and_sigmoid_have_their_digits(dtype):
    """Slopes are ops of their own, so that no order subtracts what is nearly equal."""
    x = points("line")
    x = x[within(dtype, x)]

    def third(f, x):
        second = opgrad.grad(lambda x: ops.sum(opgrad.grad(lambda x: ops.sum(f(x)))(x)))
        return opgrad.grad(lambda x: ops.sum(second(x)))(x)

    tanh = exact(lambda x: sech(x) ** 2 * (4 * mp.tanh(x) ** 2 - 2 * sech(x) ** 2), x)
    logistic = exact(UNARY["sigmoid_slope"][3], x)

    assert_close(third(ops.tanh, x.astype(dtype)), *tanh, dtype, 20, x)
    assert_close(third(ops.sigmoid, x.astype(dtype)), *logistic, dtype, 20, x)


@pytest.mark.parametrize("x", [0.0, np.zeros(3), np.zeros(3, np.float32)])
@pytest.mark.parametrize(
    ("f", "expected"),
    [(ops.tanh, (1, 0, -2, 0, 16)), (ops.sigmoid, (0.25, 0, -0.125, 0, 0.25))],
)
def test_derivatives_of_tanh_and_sigmoid_at_zero_are_exact(f, expected, x):
    """Stable forms have |x| in them, whose kink at 0 must not show: five derivatives."""
    order = f
    for value in expected:
        order = opgrad.grad(lambda x, inner=order: ops.sum(inner(x)))

        np.testing.assert_array_equal(order(x), np.full(np.shape(x), value))


@pytest.mark.parametrize("size", [1, 16, 5000])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 1.0])
def test_the_slope_of_tanh_is_the_same_however_many_entries_are_flat(size, share):
    """Small and large arrays, few and many far entries, take different ways to one answer."""
    rng = np.random.default_rng(2)
    x = np.where(rng.random(size) < share, 25.0, 0.5) * rng.uniform(-1, 1, size)

    actual = opgrad.grad(lambda x: ops.sum(ops.tanh(x)))(x)

    np.testing.assert_allclose(actual, 1 / np.cosh(x) ** 2, rtol=1e-14)


def test_a_nan_leaves_the_slope_of_tanh_right_elsewhere():
    """It goes where it came from."""
    x = np.asarray([np.nan, 30.0, -0.5, np.inf])
    expected = [np.nan, 1 / np.cosh(30.0) ** 2, 1 / np.cosh(0.5) ** 2, 0.0]

    actual = opgrad.grad(lambda x: ops.sum(ops.tanh(x)))(x)

    np.testing.assert_allclose(actual, expected, rtol=1e-14)


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros((2, 0)), np.asarray(20.0)])
def test_the_slope_of_tanh_of_empty_and_axisless_arrays(x):
    """Neither has a least entry along an axis."""
    actual = opgrad.grad(lambda x: ops.sum(ops.tanh(x)))(x)

    assert np.shape(actual) == x.shape
    assert np.all(actual > 0)


def test_the_slope_of_tanh_is_that_of_the_complex_function():
    """1 - y², as the holomorphic function has it."""
    x = np.asarray([0.3 + 0.2j, -2.0 + 1.0j, 0.5j])

    actual = opgrad.grad(lambda x: ops.real(ops.sum(ops.tanh(x))))(x)

    np.testing.assert_allclose(actual, 1 - np.tanh(x) ** 2, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: t.__name__)
def test_logsumexp_has_its_digits_also_far_out(dtype):
    """Rows with near and far entries, ties, and one entry alone: value and gradient."""
    rows = ([0.25, -1.5, 2.0], [1e3, 1e3, 999.0, -1e3], [30.0, 0.0, -30.0], [-1e3, -1001.0], [7.0])
    for row in rows:
        with mp.workdps(DIGITS):
            total = mp.fsum(mp.exp(x) for x in row)
            value, weights = mp.log(total), [float(mp.exp(x) / total) for x in row]
        x = np.asarray(row, dtype)
        info = np.finfo(dtype)

        y, gradient = opgrad.value_and_grad(ops.logsumexp)(x)

        assert abs(y - value) <= 4 * info.eps * (abs(value) + 1)
        np.testing.assert_allclose(gradient, weights, 8 * info.eps, atol=4 * info.smallest_normal)
        assert gradient.dtype == dtype
