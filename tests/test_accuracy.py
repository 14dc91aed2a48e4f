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
        "line",
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
    "square": ("line", lambda x: x * x, lambda x: 2 * x, lambda x: mp.mpf(2)),  # noqa: ARG005
    "reciprocal": ("not 0", lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3),
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
            lambda a, b: mp.log(b),  # noqa: ARG005
            lambda a, b: a / b,
            lambda a, b: mp.mpf(0),  # noqa: ARG005
            lambda a, b: 1 / b,  # noqa: ARG005
            lambda a, b: -a / b**2,
        ),
        (False, True),
    ),
    "divide": (
        lambda a, b: a / b,
        (
            lambda a, b: 1 / b,  # noqa: ARG005
            lambda a, b: -a / b**2,
            lambda a, b: mp.mpf(0),  # noqa: ARG005
            lambda a, b: -1 / b**2,  # noqa: ARG005
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
    eps, tiny, largest = float(info.eps), float(info.smallest_normal), float(info.max)
    wrong = []
    for index, (got, value, change) in enumerate(zip(actual, values, felt, strict=True)):
        bound = units * eps * (abs(value) + change) + 4 * tiny
        if abs(value) > largest * 1.001:
            right = bool(np.isinf(got)) and (got > 0) == (value > 0)
        else:
            right = bool(abs(mp.mpf(float(got)) - value) <= bound) or (
                bool(np.isinf(got)) and abs(value) + bound > largest
            )
        if not right:
            at = [float(x[index]) for x in operands]
            wrong.append((at, float(got), float(value), float(abs(mp.mpf(float(got)) - value) / (abs(value) + change + tiny) / eps)))

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
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # e ** 1000 is inf, and NumPy says so
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
        for op in map(lambda n: getattr(ops, n), dir(ops))
        if isinstance(op, opgrad.Op) and op.elementwise and op.differentiable
        and op.operands == ("x",) and op.provider.namespace == "core"
    }  # fmt: skip

    assert unary - set(UNARY) - ROUNDED == set()
