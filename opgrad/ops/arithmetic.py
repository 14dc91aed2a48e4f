"""Arithmetic: sums, products, quotients, powers and roots, and the operators that stand for them.

Rules divide and raise to powers through `xp`, never with `/` and `**`: on Python floats those
raise where IEEE arithmetic has an answer.
"""

from __future__ import annotations

import math

from opgrad.define import elementwise
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample

# --------------------------------------------------------------------------------------------- sums


@elementwise(
    linear="jointly",
    operator="+",
    samples=(
        sample(2.0, -3.0),
        sample([1.0, 2.0, 3.0], [0.5, -1.0, 4.0]),
        sample([[1.0], [2.0]], [10.0, 20.0, 30.0]),
        sample([1.0, -2.0], 0.5),
    ),
)
def add(xp, a, b):
    """a + b, the sum."""
    try:
        return a + b
    except OverflowError:  # an int beyond the floats; a call of xp.add each time would cost a fifth
        return xp.add(a, b)


@add.backward("a")
def add_backward_a(g):
    """d(a + b)/da = 1."""
    return g


@add.backward("b")
def add_backward_b(g):
    """d(a + b)/db = 1."""
    return g


@elementwise(
    linear="jointly",
    operator="-",
    samples=(
        sample(2.0, -3.0),
        sample([1.0, 2.0, 3.0], [0.5, -1.0, 4.0]),
        sample([[1.0], [2.0]], [10.0, 20.0, 30.0]),
        sample(0.5, [1.0, -2.0]),
    ),
)
def subtract(xp, a, b):
    """a - b, the difference."""
    try:
        return a - b
    except OverflowError:  # as in add
        return xp.subtract(a, b)


@subtract.backward("a")
def subtract_backward_a(g):
    """d(a - b)/da = 1."""
    return g


@subtract.backward("b")
def subtract_backward_b(g):
    """d(a - b)/db = -1."""
    return -g


@elementwise(
    linear=True,
    operator="-",
    methods=("neg",),
    samples=(sample(2.0), sample(0.0), sample([1.0, -2.0])),
)
def negative(x):
    """-x, the number with its sign turned."""
    return -x


@negative.backward
def negative_backward(g):
    """d(-x)/dx = -1."""
    return -g


@elementwise(linear=True, operator="+", samples=(sample(2.0), sample(0.0), sample([1.0, -2.0])))
def positive(x):
    """+x, the number as it is."""
    return +x


@positive.backward
def positive_backward(g):
    """d(+x)/dx = 1."""
    return g


# --------------------------------------------------------------------------- products and quotients


@elementwise(
    operator="*",
    samples=(
        sample(2.0, -3.0),
        sample(0.0, 5.0),
        sample([1.0, 2.0, 3.0], [0.5, -1.0, 0.0]),
        sample([[1.0], [2.0]], [10.0, 20.0, 30.0]),
        sample([1.0, -2.0], 0.5),
    ),
)
def multiply(xp, a, b):
    """a * b, the product."""
    try:
        return a * b
    except OverflowError:  # as in add
        return xp.multiply(a, b)


@multiply.derivative("a")
def multiply_derivative_a(b):
    """d(a b)/da = b."""
    return b


@multiply.derivative("b")
def multiply_derivative_b(a):
    """d(a b)/db = a."""
    return a


@elementwise(
    operator="/",
    numpy=("true_divide",),
    domain={"b": (0.0, math.inf)},
    samples=(
        sample(2.0, -3.0),
        sample(0.0, 5.0),
        sample([1.0, 2.0, 3.0], [0.5, -1.0, 4.0]),
        sample([[1.0], [2.0]], [10.0, 20.0, 30.0]),
        sample(1.0, [1.0, -2.0]),
    ),
)
def divide(xp, a, b):
    """a / b, the quotient, by IEEE 754: 1/0 is inf and 0/0 is nan, on floats as on arrays."""
    return xp.divide(a, b)


@divide.derivative("a")
def divide_derivative_a(xp, b):
    """d(a / b)/da = 1 / b."""
    return xp.divide(1.0, b)


@divide.derivative("b")
def divide_derivative_b(xp, b, y):
    """d(a / b)/db = -a / b² = -y / b, which cannot overflow in b²."""
    return xp.divide(-y, b)


@elementwise(
    methods=("reciprocal",),
    domain=(0.0, math.inf),
    samples=(sample(2.0), sample(-0.25), sample([1.0, -3.0])),
)
def reciprocal(xp, x):
    """1 / x; at 0 inf."""
    return xp.divide(1.0, x)


@reciprocal.derivative
def reciprocal_derivative(y):
    """d(1 / x)/dx = -1 / x² = -y²."""
    return -y * y


@elementwise(
    operator="//",
    samples=(
        sample(7.5, 2.0),
        sample(-7.5, 2.0),
        sample([7.5, -7.5], [-2.0, 3.0]),
        sample([[1.5], [7.0]], [2.0, 3.0]),
    ),
)
def floor_divide(xp, a, b):
    """floor(a / b), rounded towards minus infinity; a step function, so its derivative is zero."""
    return xp.floor_divide(a, b)


@floor_divide.backward("a")
def floor_divide_backward_a(xp, g):
    """Zero: flat between the steps."""
    return xp.zeros_like(g)


@floor_divide.backward("b")
def floor_divide_backward_b(xp, g):
    """Zero: flat between the steps."""
    return xp.zeros_like(g)


@floor_divide.jvp("a")
def floor_divide_jvp_a(xp, t):
    """Zero: flat between the steps."""
    return xp.zeros_like(t)


@floor_divide.jvp("b")
def floor_divide_jvp_b(xp, t):
    """Zero: flat between the steps."""
    return xp.zeros_like(t)


@elementwise(
    operator="%",
    numpy=("mod",),
    domain={"b": (0.0, math.inf)},
    samples=(
        sample(7.5, 2.0),
        sample(-7.5, 2.0),
        sample([7.5, -7.5], [-2.0, 3.5]),
        sample([[1.5], [7.0]], [2.0, 4.0]),
    ),
)
def remainder(xp, a, b):
    """a - b * floor(a / b), with the sign of b, as Python's % has it."""
    return xp.remainder(a, b)


@remainder.derivative("a")
def remainder_derivative_a():
    """d(a mod b)/da = 1 between the jumps."""
    return 1.0


@remainder.derivative("b")
def remainder_derivative_b(xp, a, b):
    """d(a mod b)/db = -floor(a / b) between the jumps."""
    return -xp.floor_divide(a, b)


# --------------------------------------------------------------------------------- powers and roots


@elementwise(
    operator="**",
    methods=("pow",),
    numpy=("power", "float_power"),
    domain={"a": (0.0, math.inf)},
    samples=(
        sample(2.0, 3.0),
        sample(0.5, -1.5),
        sample(3.0, 0.0),
        sample([0.5, 1.0, 2.0], [2.0, -1.0, 0.5]),
        sample([[0.5], [2.0]], [-1.0, 0.0, 3.0]),
        sample([0.5, 2.0], 2.0),
        sample(2.0, [0.5, 2.0]),
    ),
)
def pow_(xp, a, b):
    """a ** b; a negative base with a fractional exponent is nan, never a complex number.

    Its derivatives in a have the exponents b - 1 and b - 2: where these are rounded, as for
    b = 1e-9, up to |log a| units in the last place are lost; where those powers overflow, they
    are inf also for tiny b.
    """
    return xp.pow(a, b)


@pow_.derivative("a")
def pow_derivative_a(xp, a, b):
    """d(a ** b)/da = b * a ** (b - 1), and 0 for b = 0 also where a ** -1 is inf."""
    if isinstance(b, (int, float)):  # a plain exponent, as in x**2, is known now: no mask
        return b * xp.pow(a, b - 1) if b else xp.zeros_like(a)
    base = xp.where(xp.logical_and(xp.equal(a, 0.0), xp.equal(b, 0.0)), 1.0, a)
    return b * xp.pow(base, b - 1.0)


@pow_.derivative("b")
def pow_derivative_b(xp, a, y):
    """d(a ** b)/db = y * log(a); 0 at a = 0 where y is finite: the limit, a choice at 0 ** 0."""
    base = xp.where(xp.logical_and(xp.equal(a, 0.0), xp.isfinite(y)), 1.0, a)
    return xp.xlogy(y, base)


@elementwise(methods=("square",), samples=(sample(3.0), sample(0.0), sample([-1.5, 2.0])))
def square(x):
    """x * x."""
    return x * x


@square.derivative
def square_derivative(x):
    """d(x²)/dx = 2 x."""
    return 2.0 * x


@elementwise(
    methods=("sqrt",),
    domain=(0.0, math.inf),
    samples=(sample(4.0), sample(1e-3), sample([0.25, 2.0])),
)
def sqrt(xp, x):
    """The square root; nan below 0."""
    return xp.sqrt(x)


@sqrt.derivative
def sqrt_derivative(xp, y):
    """d(sqrt x)/dx = 1 / (2 y); inf at 0."""
    return xp.divide(0.5, y)


@elementwise(
    methods=("cbrt",),
    domain=(0.0, math.inf),
    samples=(sample(8.0), sample(-0.3), sample([0.25, -2.0])),
)
def cbrt(xp, x):
    """The real cube root, also below 0: cbrt(-8) = -2."""
    return xp.cbrt(x)


@cbrt.derivative
def cbrt_derivative(xp, y):
    """d(cbrt x)/dx = 1 / (3 y²); inf at 0."""
    return xp.divide(1.0, 3.0 * y * y)


@elementwise(
    samples=(
        sample(3.0, 4.0),
        sample(0.0, -2.0),
        sample([3.0, -1.0], [4.0, 0.5]),
        sample([[1.0], [2.0]], [0.5, -0.5, 3.0]),
    ),
)
def hypot(xp, a, b):
    """sqrt(a² + b²) without overflow; a norm, so its derivative at (0, 0) is taken as 0."""
    return xp.hypot(a, b)


@hypot.derivative("a")
def hypot_derivative_a(a, b):
    """d(hypot)/da = a / y, and 0 at (0, 0)."""
    return hypot_slope(a, b)


@hypot.derivative("b")
def hypot_derivative_b(a, b):
    """d(hypot)/db = b / y, and 0 at (0, 0)."""
    return hypot_slope(b, a)


@elementwise(samples=(sample(3.0, 4.0), sample([3.0, -1.0], [4.0, 0.5])))
def hypot_slope(xp, a, b):
    """a / hypot(a, b), the derivative of `hypot` in a; 0 at (0, 0).

    An op of its own, for the quotient's derivative 1 / r - a² / r³ has no digit right where b is
    small beside a.
    """
    return xp.divide(a, _radius(xp, a, b))


@hypot_slope.derivative("a")
def hypot_slope_derivative_a(xp, a, b):
    """d(a / r)/da = b² / r³, and 0 at (0, 0)."""
    r = _radius(xp, a, b)
    other = xp.divide(b, r)

    return xp.divide(other * other, r)


@hypot_slope.derivative("b")
def hypot_slope_derivative_b(xp, a, b):
    """d(a / r)/db = -a b / r³, and 0 at (0, 0)."""
    r = _radius(xp, a, b)

    return -xp.divide(xp.divide(a, r) * xp.divide(b, r), r)


def _radius(xp, a, b):
    """hypot(a, b) to divide by, 1 for 0."""
    r = xp.hypot(a, b)

    return xp.where(xp.equal(r, 0.0), 1.0, r)


# ------------------------------------------------------------------------------------ size and sign


@elementwise(
    operator="abs",
    methods=("abs",),
    numpy=("absolute", "fabs"),
    symbol="abs",
    kinks={0.0: 0.0},
    samples=(sample(2.0), sample(-3.0), sample([-1.5, 0.25])),
)
def abs_(x):
    """|x|; its derivative at the kink 0 is taken as 0."""
    return abs(x)


@abs_.derivative
def abs_derivative(xp, x):
    """d|x|/dx = sign(x); for complex x its conjugate, as d|x| = Re(conj(sign x) dx)."""
    return xp.conj(xp.sign(x)) if is_complex(x) else xp.sign(x)


@elementwise(methods=("sign",), kinks={0.0: 0.0}, samples=(sample(2.0), sample([-1.5, 0.25])))
def sign(xp, x):
    """-1, 0 or 1 by the sign of x; a step function, so its derivative is zero.

    For complex x it is x / |x|, which does turn with x.
    """
    return xp.sign(x)


@sign.backward
def sign_backward(xp, g, x, y):
    """Zero: flat on both sides of the step. For complex x: the part of g that turns y, by |x|."""
    if is_complex(x):
        return xp.divide(g - xp.conj(y) * xp.real(g * y), xp.abs(x))

    return xp.zeros_like(g)


@sign.jvp
def sign_jvp(xp, t, x, y):
    """Zero: flat on both sides of the step. For complex x: the part of t that turns y, by |x|."""
    if is_complex(x):
        return xp.divide(t - y * xp.real(xp.conj(y) * t), xp.abs(x))

    return xp.zeros_like(t)


@elementwise(
    samples=(
        sample(2.0, -3.0),
        sample([1.5, -2.0], [-0.5, -4.0]),
        sample([[1.0], [-2.0]], [3.0, -0.5]),
    )
)
def copysign(xp, a, b):
    """|a| with the sign of b, also that of a zero; in b a step function."""
    return xp.copysign(a, b)


@copysign.derivative("a")
def copysign_derivative_a(xp, a, b):
    """d(copysign)/da = sign(a) times the sign of b; 0 at the kink 0."""
    return xp.sign(a) * xp.copysign(1.0, b)


@copysign.backward("b")
def copysign_backward_b(xp, g):
    """Zero: flat on both sides of the step."""
    return xp.zeros_like(g)


@copysign.jvp("b")
def copysign_jvp_b(xp, t):
    """Zero: flat on both sides of the step."""
    return xp.zeros_like(t)


@elementwise(samples=(sample(1.0, 2.0), sample([1.0, -2.0], [0.5, -4.0]), sample([[1.0]], [2.0])))
def nextafter(xp, a, b):
    """The next number after a towards b: a, but for rounding; a step function in b."""
    if type(a) in (float, int) and type(b) in (float, int):
        return math.nextafter(a, b)  # which the namespace of Python numbers has not

    return xp.nextafter(a, b)


@nextafter.derivative("a")
def nextafter_derivative_a():
    """d(nextafter)/da = 1: the distance to the next number is rounding."""
    return 1.0


@nextafter.backward("b")
def nextafter_backward_b(xp, g):
    """Zero: only the side counts on which b is."""
    return xp.zeros_like(g)


@nextafter.jvp("b")
def nextafter_jvp_b(xp, t):
    """Zero: only the side counts on which b is."""
    return xp.zeros_like(t)


def is_complex(x):
    """Whether the data are complex; for a Value as for what it holds."""
    dtype = getattr(x, "dtype", type(x))
    kind = getattr(dtype, "kind", None)  # NumPy's; other libraries have it in the name alone

    return dtype is complex or kind == "c" or (kind is None and "complex" in str(dtype))


# ------------------------------------------------------------------ the parts of complex numbers


@elementwise(
    linear=True,
    properties=("real",),
    samples=(sample(2.0), sample([1.0, -2.0]), sample(1.0 - 2.0j), sample([0.5 + 1.0j, -2.0j])),
)
def real(xp, x):
    """The real part; of a real number the number."""
    return xp.real(x) if is_complex(x) else x


@real.backward
def real_backward(g):
    """Re(g dRe(x)) = Re(g dx) for real g: g."""
    return g


@elementwise(
    linear=True,
    properties=("imag",),
    samples=(sample(2.0), sample([1.0, -2.0]), sample(1.0 - 2.0j), sample([0.5 + 1.0j, -2.0j])),
)
def imag(xp, x):
    """The imaginary part; of a real number 0."""
    return xp.imag(x) if is_complex(x) else xp.zeros_like(x)


@imag.backward
def imag_backward(xp, g, x):
    """Re(g dIm(x)) = Re(-i g dx): -i g; for real x nothing."""
    return -1j * g if is_complex(x) else xp.zeros_like(g)


@elementwise(
    linear=True,
    methods=("conj",),
    numpy=("conjugate",),
    samples=(sample(2.0), sample([1.0, -2.0]), sample(1.0 - 2.0j), sample([0.5 + 1.0j, -2.0j])),
)
def conj(xp, x):
    """The complex conjugate; of a real number the number."""
    return xp.conj(x)


@conj.backward
def conj_backward(xp, g):
    """Re(g dconj(x)) = Re(conj(g) dx): conj(g)."""
    return xp.conj(g)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Give the arithmetic ops."""
    return (
        add,
        subtract,
        negative,
        positive,
        multiply,
        divide,
        reciprocal,
        floor_divide,
        remainder,
        pow_,
        square,
        sqrt,
        cbrt,
        hypot,
        hypot_slope,
        abs_,
        sign,
        copysign,
        nextafter,
        real,
        imag,
        conj,
    )
