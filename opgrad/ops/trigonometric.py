"""Trigonometric and hyperbolic functions with their inverses; angles in radians."""

from __future__ import annotations

import math

from opgrad.define import elementwise
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops.arithmetic import is_complex
from opgrad.samples import sample
from opgrad.types import shape

# ------------------------------------------------------------------------------------- angles


@elementwise(methods=("sin",), samples=(sample(0.0), sample(-2.0), sample([0.5, 3.0])))
def sin(xp, x):
    """sin x, the sine."""
    return xp.sin(x)


@sin.derivative
def sin_derivative(xp, x):
    """d(sin x)/dx = cos x."""
    return xp.cos(x)


@elementwise(methods=("cos",), samples=(sample(0.0), sample(-2.0), sample([0.5, 3.0])))
def cos(xp, x):
    """cos x, the cosine."""
    return xp.cos(x)


@cos.derivative
def cos_derivative(xp, x):
    """d(cos x)/dx = -sin x."""
    return -xp.sin(x)


@elementwise(
    methods=("tan",),
    domain=(-math.pi / 2, math.pi / 2),
    samples=(sample(0.0), sample(-1.0), sample([0.5, 3.0])),
)
def tan(xp, x):
    """tan x = sin x / cos x, the tangent."""
    return xp.tan(x)


@tan.derivative
def tan_derivative(y):
    """d(tan x)/dx = 1 + tan² x."""
    return 1.0 + y * y


@elementwise(
    numpy=("arcsin",),
    methods=("asin",),
    domain=(-1.0, 1.0),
    samples=(sample(0.0), sample(-0.9), sample([0.5, 0.1])),
)
def asin(xp, x):
    """The angle in [-pi/2, pi/2] whose sine is x; nan outside [-1, 1]."""
    return xp.asin(x)


@asin.derivative
def asin_derivative(xp, x):
    """d(asin x)/dx = 1 / sqrt((1 - x) (1 + x)), exact also near ±1; inf there."""
    return xp.divide(1.0, xp.sqrt(one_minus_square(x)))


@elementwise(
    numpy=("arccos",),
    methods=("acos",),
    domain=(-1.0, 1.0),
    samples=(sample(0.0), sample(-0.9), sample([0.5, 0.1])),
)
def acos(xp, x):
    """The angle in [0, pi] whose cosine is x; nan outside [-1, 1]."""
    return xp.acos(x)


@acos.derivative
def acos_derivative(xp, x):
    """d(acos x)/dx = -1 / sqrt((1 - x) (1 + x)), exact also near ±1; -inf there."""
    return xp.divide(-1.0, xp.sqrt(one_minus_square(x)))


@elementwise(samples=(sample(0.0), sample(-0.9), sample([0.5, 3.0])))
def one_minus_square(x):
    """1 - x² = (1 - x) (1 + x), exact also near ±1.

    An op of its own, for the derivative of the product is -(1 + x) + (1 - x), which has no digit
    right near 0.
    """
    return (1.0 - x) * (1.0 + x)


@one_minus_square.derivative
def one_minus_square_derivative(x):
    """d(1 - x²)/dx = -2 x."""
    return -2.0 * x


@elementwise(
    numpy=("arctan",),
    methods=("atan",),
    samples=(sample(0.0), sample(-2.0), sample([0.5, 30.0])),
)
def atan(xp, x):
    """The angle in [-pi/2, pi/2] whose tangent is x."""
    return xp.atan(x)


@atan.derivative
def atan_derivative(xp, x):
    """d(atan x)/dx = 1 / (1 + x²), divided twice: x² would overflow, and its inverse underflow."""
    if is_complex(x):
        return xp.divide(1.0, 1.0 + x * x)
    radius = xp.hypot(1.0, x)

    return xp.divide(xp.divide(1.0, radius), radius)


@elementwise(
    numpy=("arctan2",),
    expected_failures={"edges": "at the origin no angle is the limit, so the derivative is nan"},
    samples=(
        sample(1.0, 2.0),
        sample(0.0, 2.0),
        sample([1.0, -1.0], [-0.5, 3.0]),
        sample([[1.0], [-2.0]], [0.5, -3.0, 1.0]),
    ),
)
def atan2(xp, a, b):
    """The angle of the point (b, a), in [-pi, pi]; no derivative (nan) at the origin."""
    return xp.atan2(a, b)


@atan2.derivative("a")
def atan2_derivative_a(xp, a, b):
    """d(atan2)/da = b / (a² + b²)."""
    radius = xp.hypot(a, b)

    return xp.divide(xp.divide(b, radius), radius)


@atan2.derivative("b")
def atan2_derivative_b(xp, a, b):
    """d(atan2)/db = -a / (a² + b²)."""
    radius = xp.hypot(a, b)

    return -xp.divide(xp.divide(a, radius), radius)


# --------------------------------------------------------------------------------- hyperbolic


@elementwise(methods=("sinh",), samples=(sample(0.0), sample(-2.0), sample([0.5, 3.0])))
def sinh(xp, x):
    """sinh x = (e ** x - e ** -x) / 2, the hyperbolic sine."""
    return xp.sinh(x)


@sinh.derivative
def sinh_derivative(xp, x):
    """d(sinh x)/dx = cosh x."""
    return xp.cosh(x)


@elementwise(methods=("cosh",), samples=(sample(0.0), sample(-2.0), sample([0.5, 3.0])))
def cosh(xp, x):
    """cosh x = (e ** x + e ** -x) / 2, the hyperbolic cosine."""
    return xp.cosh(x)


@cosh.derivative
def cosh_derivative(xp, x):
    """d(cosh x)/dx = sinh x."""
    return xp.sinh(x)


@elementwise(
    methods=("tanh",),
    samples=(sample(0.0), sample(-3.0), sample(15.0), sample([0.5, 2.0])),
)
def tanh(xp, x):
    """tanh x = (e ** x - e ** -x) / (e ** x + e ** -x), the hyperbolic tangent."""
    return xp.tanh(x)


@tanh.derivative
def tanh_derivative(xp, x, y):
    """d(tanh x)/dx = tanh_slope(x); 1 - y² would be 0 for |x| above 19."""
    return xp.tanh_slope(x, y)


@elementwise(nondiff=("u",), samples=(sample(0.0), sample(-3.0), sample(15.0), sample([0.5, 2.0])))
def tanh_slope(xp, x, u=None):
    """1 / cosh² x = 1 - tanh² x, the derivative of `tanh`; u is tanh(x) where that is known.

    An op of its own, so that no higher derivative subtracts nearly equal numbers.
    """
    if u is not None and shape(u) != shape(x):
        x, u = xp.where(xp.isnan(u), x, x), None  # of their common shape

    return xp.tanh_slope(x, u)


@tanh_slope.derivative("x")
def tanh_slope_derivative(xp, x, y):
    """d(tanh_slope)/dx = -2 tanh(x) y."""
    return -2.0 * xp.tanh(x) * y


@elementwise(
    numpy=("arcsinh",),
    methods=("asinh",),
    samples=(sample(0.0), sample(-2.0), sample([0.5, 30.0])),
)
def asinh(xp, x):
    """The number whose hyperbolic sine is x."""
    return xp.asinh(x)


@asinh.derivative
def asinh_derivative(xp, x):
    """d(asinh x)/dx = 1 / sqrt(1 + x²), without overflow in x²."""
    return xp.divide(1.0, xp.sqrt(1.0 + x * x) if is_complex(x) else xp.hypot(1.0, x))


@elementwise(
    numpy=("arccosh",),
    methods=("acosh",),
    domain=(1.0, math.inf),
    samples=(sample(1.5), sample(30.0), sample([1.01, 3.0])),
)
def acosh(xp, x):
    """The number >= 0 whose hyperbolic cosine is x; nan below 1."""
    return xp.acosh(x)


@acosh.derivative
def acosh_derivative(xp, x):
    """d(acosh x)/dx = 1 / sqrt((x - 1) (x + 1)), exact also near 1; inf there."""
    return xp.divide(1.0, xp.sqrt(x - 1.0) * xp.sqrt(x + 1.0))


@elementwise(
    numpy=("arctanh",),
    methods=("atanh",),
    domain=(-1.0, 1.0),
    samples=(sample(0.0), sample(-0.9), sample([0.5, 0.1])),
)
def atanh(xp, x):
    """The number whose hyperbolic tangent is x; ±inf at ±1, nan outside."""
    return xp.atanh(x)


@atanh.derivative
def atanh_derivative(xp, x):
    """d(atanh x)/dx = 1 / ((1 - x) (1 + x)), exact also near ±1; inf there."""
    return xp.divide(1.0, one_minus_square(x))


# --------------------------------------------------------------------------------------- sinc


@elementwise(
    methods=("sinc",),
    samples=(sample(0.0), sample(1e-5), sample(0.3), sample([1.0, -2.5])),
)
def sinc(xp, x):
    """sin(pi x) / (pi x), and 1 at 0: the normalised sinc, as NumPy has it.

    pi x is rounded: near the roots ±1, ±2, ... the error is a few units in the last place of
    1 / (pi x), as rounding x would make it, and no digit is right from |x| = 1e15 on.
    """
    u = math.pi * x
    origin = xp.equal(u, 0.0)

    return xp.where(origin, 1.0, xp.divide(xp.sin(u), xp.where(origin, 1.0, u)))


@sinc.derivative
def sinc_derivative(xp, x):
    """d(sinc x)/dx = (cos u - sin(u) / u) / x with u = pi x; for |u| < 1 its power series."""
    u = math.pi * x
    near = xp.less(xp.abs(u), 1.0)
    far_u = xp.where(near, 1.0, u)
    near_u = xp.where(near, u, 0.0)
    far = xp.divide(xp.cos(far_u) - xp.divide(xp.sin(far_u), far_u), far_u)

    return math.pi * xp.where(near, _sinc_slope_near_0(near_u), far)


# d/du of sum (-1)^n u^(2n) / (2n + 1)!, without its factor u; ten terms are exact for |u| < 1.
_SINC_SLOPE = tuple((-1) ** n * 2 * n / math.factorial(2 * n + 1) for n in range(10, 0, -1))


def _sinc_slope_near_0(u):
    square = u * u
    total = 0.0
    for coefficient in _SINC_SLOPE:
        total = total * square + coefficient

    return total * u


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """The trigonometric and hyperbolic functions."""
    return (
        sin,
        cos,
        tan,
        asin,
        acos,
        one_minus_square,
        atan,
        atan2,
        sinh,
        cosh,
        tanh,
        tanh_slope,
        asinh,
        acosh,
        atanh,
        sinc,
    )
