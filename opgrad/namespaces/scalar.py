"""IEEE-correct maths for Python numbers, under the names of the Array API standard.

Python's own maths raises where IEEE 754 has an answer: `math.exp(1000.0)`, `math.log(0.0)` and
`1.0 / 0.0` are errors, and `(-8.0) ** 0.5` is a complex number. Here they are inf, -inf, inf and
nan, as they are for arrays. Whole numbers beyond the range of floats count as infinite where a
float is needed. Complex numbers take the functions of `cmath`.

Each function tries the fast one first; a `try` costs nothing where nothing is raised.

Examples:
    >>> from opgrad.namespaces import scalar
    >>> scalar.exp(1000.0), scalar.log(0.0), scalar.divide(-1.0, 0.0), scalar.sqrt(-1.0)
    (inf, -inf, -inf, nan)
"""

from __future__ import annotations

import builtins
import cmath
import math
from collections.abc import Callable
from typing import Any

e = math.e
inf = math.inf
nan = math.nan
pi = math.pi

_LN_2 = math.log(2.0)


# -- arithmetic -----------------------------------------------------------------------------------


def add(a: Any, b: Any) -> Any:
    """a + b."""
    try:
        return a + b
    except OverflowError:
        return _as_float(a) + _as_float(b)


def subtract(a: Any, b: Any) -> Any:
    """a - b."""
    try:
        return a - b
    except OverflowError:
        return _as_float(a) - _as_float(b)


def multiply(a: Any, b: Any) -> Any:
    """a * b."""
    try:
        return a * b
    except OverflowError:
        return _as_float(a) * _as_float(b)


def divide(a: Any, b: Any) -> Any:
    """a / b: ±inf or nan for a divisor of 0."""
    try:
        return a / b
    except ZeroDivisionError:
        return _divide_by_zero(a, b)
    except OverflowError:
        return divide(_as_float(a), _as_float(b))


def _divide_by_zero(a: Any, b: Any) -> Any:
    if isinstance(a, complex) or isinstance(b, complex):
        return complex(nan, nan) if a == 0 or isnan(a) else complex(inf, nan)
    if a == 0 or isnan(a):
        return nan

    return math.copysign(inf, _as_float(a)) * math.copysign(1.0, b)


def floor_divide(a: Any, b: Any) -> Any:
    """floor(a / b): ±inf or nan for a divisor of 0."""
    try:
        return a // b
    except ZeroDivisionError:
        return _divide_by_zero(a, b)
    except OverflowError:
        return floor_divide(_as_float(a), _as_float(b))


def remainder(a: Any, b: Any) -> Any:
    """a - b * floor(a / b), with the sign of b; nan for a divisor of 0."""
    try:
        return a % b
    except ZeroDivisionError:
        return nan
    except OverflowError:
        return remainder(_as_float(a), _as_float(b))


def negative(x: Any) -> Any:
    """-x."""
    return -x


def positive(x: Any) -> Any:
    """+x."""
    return +x


def square(x: Any) -> Any:
    """x * x."""
    return x * x


def reciprocal(x: Any) -> Any:
    """1 / x: ±inf for 0."""
    return divide(1.0, x)


def pow(a: Any, b: Any) -> Any:  # noqa: A001 -- the Array API name
    """a ** b: nan for a negative base with a fractional exponent, inf for 0 ** -1."""
    try:
        y = a**b
    except (ZeroDivisionError, OverflowError):
        return _extreme_power(a, b)
    if type(y) is complex and type(a) is not complex and type(b) is not complex:
        return nan

    return y


def _extreme_power(a: Any, b: Any) -> Any:
    """a ** b where Python refuses: a pole at 0, a result or an operand out of range."""
    if isinstance(a, complex) or isinstance(b, complex):
        return complex(nan, nan)
    odd = b % 2 == 1
    if a != 0:
        try:
            return math.pow(a, b)
        except (OverflowError, ValueError):
            a, b = _as_float(a), _as_float(b)
            if math.isinf(a) or math.isinf(b):
                size = math.pow(builtins.abs(a), b)
            else:
                size = inf if a > 0 or b % 1 == 0 else nan
            return -size if a < 0 and odd else size
    if b > 0:
        return 0.0

    return math.copysign(inf, a) if odd else inf


def sqrt(x: Any) -> Any:
    """The square root: nan below 0."""
    try:
        return math.sqrt(x)
    except ValueError:
        return nan
    except (TypeError, OverflowError):
        return _elsewhere(sqrt, cmath.sqrt, x)


def cbrt(x: Any) -> Any:
    """The real cube root, also below 0."""
    try:
        return math.cbrt(x)
    except OverflowError:
        return _as_float(x)


def hypot(a: Any, b: Any) -> Any:
    """sqrt(a² + b²) without overflow on the way."""
    try:
        return math.hypot(a, b)
    except OverflowError:
        return inf


def abs(x: Any) -> Any:  # noqa: A001 -- the Array API name
    """|x|."""
    try:
        return builtins.abs(x)
    except OverflowError:
        return inf


def sign(x: Any) -> Any:
    """-1.0, 0.0 or 1.0; nan for nan; x / |x| for a complex number."""
    if x == 0:
        return 0.0 * x
    if type(x) is complex:
        return x / abs(x)
    if x > 0:
        return 1.0

    return -1.0 if x < 0 else x


def copysign(a: Any, b: Any) -> Any:
    """|a| with the sign of b."""
    return math.copysign(_as_float(a), _as_float(b))


# -- exponentials and logarithms ------------------------------------------------------------------


def exp(x: Any) -> Any:
    """e ** x: inf where it overflows."""
    try:
        return math.exp(x)
    except OverflowError:
        return inf if x > 0 else 0.0
    except TypeError:
        return _complex(cmath.exp, x)


def exp2(x: Any) -> Any:
    """2 ** x: inf where it overflows."""
    try:
        return math.exp2(x)
    except OverflowError:
        return inf if x > 0 else 0.0
    except TypeError:
        return _complex(cmath.exp, x * _LN_2)


def expm1(x: Any) -> Any:
    """e ** x - 1, exact for small x: inf where it overflows."""
    try:
        return math.expm1(x)
    except OverflowError:
        return inf if x > 0 else -1.0
    except TypeError:
        return _complex(cmath.exp, x) - 1.0


def log(x: Any) -> Any:
    """The natural logarithm: -inf at 0, nan below."""
    try:
        return math.log(x)
    except ValueError:
        return -inf if x == 0 else nan
    except TypeError:
        return _complex(cmath.log, x, at_zero=-inf)


def log2(x: Any) -> Any:
    """The logarithm to base 2: -inf at 0, nan below."""
    try:
        return math.log2(x)
    except ValueError:
        return -inf if x == 0 else nan
    except TypeError:
        return _complex(cmath.log, x, at_zero=-inf) / _LN_2


def log10(x: Any) -> Any:
    """The logarithm to base 10: -inf at 0, nan below."""
    try:
        return math.log10(x)
    except ValueError:
        return -inf if x == 0 else nan
    except TypeError:
        return _complex(cmath.log10, x, at_zero=-inf)


def log1p(x: Any) -> Any:
    """ln(1 + x), exact for small x: -inf at -1, nan below."""
    try:
        return math.log1p(x)
    except ValueError:
        return -inf if x == -1 else nan
    except OverflowError:
        return log(x + 1)
    except TypeError:
        return _complex(cmath.log, 1.0 + x, at_zero=-inf)


def logaddexp(a: Any, b: Any) -> Any:
    """ln(e ** a + e ** b) without overflow on the way."""
    if a == b:
        return add(a, _LN_2)
    distance = subtract(a, b)
    if distance > 0:
        return add(a, math.log1p(exp(-distance)))
    if distance < 0:
        return add(b, math.log1p(exp(distance)))

    return nan


def xlogy(a: Any, b: Any) -> Any:
    """a * ln(b), and 0 where a is 0 and b is a number."""
    return 0.0 if a == 0 and b == b else multiply(a, log(b))  # noqa: PLR0124 -- false for nan alone


def sigmoid(x: Any) -> Any:
    """1 / (1 + e ** -x) without overflow on the way."""
    try:
        if x >= 0:
            return 1.0 / (1.0 + math.exp(-x))
        power = math.exp(x)
    except OverflowError:
        return 1.0 if x > 0 else 0.0
    except TypeError:
        return divide(1.0, 1.0 + _complex(cmath.exp, -x))

    return power / (1.0 + power)


def sigmoid_slope(x: Any) -> Any:
    """The derivative of the sigmoid: e ** -|x| / (1 + e ** -|x|)²."""
    if type(x) is complex:
        return sigmoid(x) * sigmoid(-x)
    power = exp(-builtins.abs(x))
    base = 1.0 + power

    return power / (base * base)


def erf(x: Any) -> Any:
    """The error function."""
    return math.erf(_as_float(x))


def erfc(x: Any) -> Any:
    """1 - erf(x), exact for large x."""
    return math.erfc(_as_float(x))


# -- trigonometric and hyperbolic -----------------------------------------------------------------


def sin(x: Any) -> Any:
    """The sine: nan for ±inf."""
    try:
        return math.sin(x)
    except ValueError:
        return nan
    except (TypeError, OverflowError):
        return _elsewhere(sin, cmath.sin, x)


def cos(x: Any) -> Any:
    """The cosine: nan for ±inf."""
    try:
        return math.cos(x)
    except ValueError:
        return nan
    except (TypeError, OverflowError):
        return _elsewhere(cos, cmath.cos, x)


def tan(x: Any) -> Any:
    """The tangent: nan for ±inf."""
    try:
        return math.tan(x)
    except ValueError:
        return nan
    except (TypeError, OverflowError):
        return _elsewhere(tan, cmath.tan, x)


def asin(x: Any) -> Any:
    """The inverse of the sine: nan outside [-1, 1]."""
    try:
        return math.asin(x)
    except ValueError:
        return nan
    except (TypeError, OverflowError):
        return _elsewhere(asin, cmath.asin, x)


def acos(x: Any) -> Any:
    """The inverse of the cosine: nan outside [-1, 1]."""
    try:
        return math.acos(x)
    except ValueError:
        return nan
    except (TypeError, OverflowError):
        return _elsewhere(acos, cmath.acos, x)


def atan(x: Any) -> Any:
    """The inverse of the tangent."""
    try:
        return math.atan(x)
    except (TypeError, OverflowError):
        return _elsewhere(atan, cmath.atan, x)


def atan2(a: Any, b: Any) -> Any:
    """The angle of the point (b, a)."""
    try:
        return math.atan2(a, b)
    except OverflowError:
        return math.atan2(_as_float(a), _as_float(b))


def sinh(x: Any) -> Any:
    """The hyperbolic sine: ±inf where it overflows."""
    try:
        return math.sinh(x)
    except OverflowError:
        return inf if x > 0 else -inf
    except TypeError:
        return _complex(cmath.sinh, x)


def cosh(x: Any) -> Any:
    """The hyperbolic cosine: inf where it overflows."""
    try:
        return math.cosh(x)
    except OverflowError:
        return inf
    except TypeError:
        return _complex(cmath.cosh, x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    try:
        return math.tanh(x)
    except (TypeError, OverflowError):
        return _elsewhere(tanh, cmath.tanh, x)


def tanh_slope(x: Any, y: Any = None) -> Any:
    """1 / cosh² x, the derivative of tanh; with y = tanh(x), 1 - y² where that keeps its digits."""
    if type(x) is complex:
        return 1.0 - square(tanh(x))
    if y is not None:
        slope = 1.0 - y * y
        if slope >= 0.0625:  # noqa: PLR2004 -- what is lost there rounding x would lose, too
            return slope
    height = cosh(x)

    return 1.0 / (height * height)


def asinh(x: Any) -> Any:
    """The inverse of the hyperbolic sine."""
    try:
        return math.asinh(x)
    except (TypeError, OverflowError):
        return _elsewhere(asinh, cmath.asinh, x)


def acosh(x: Any) -> Any:
    """The inverse of the hyperbolic cosine: nan below 1."""
    try:
        return math.acosh(x)
    except ValueError:
        return nan
    except (TypeError, OverflowError):
        return _elsewhere(acosh, cmath.acosh, x)


def atanh(x: Any) -> Any:
    """The inverse of the hyperbolic tangent: ±inf at ±1, nan outside."""
    try:
        return math.atanh(x)
    except ValueError:
        return math.copysign(inf, x) if x in (1, -1) else nan
    except (TypeError, OverflowError):
        return _elsewhere(atanh, cmath.atanh, x)


# -- comparisons and logic ------------------------------------------------------------------------


def equal(a: Any, b: Any) -> Any:
    """a == b."""
    return a == b


def not_equal(a: Any, b: Any) -> Any:
    """a != b."""
    return a != b


def less(a: Any, b: Any) -> Any:
    """a < b."""
    return a < b


def less_equal(a: Any, b: Any) -> Any:
    """a <= b."""
    return a <= b


def greater(a: Any, b: Any) -> Any:
    """a > b."""
    return a > b


def greater_equal(a: Any, b: Any) -> Any:
    """a >= b."""
    return a >= b


def logical_and(a: Any, b: Any) -> bool:
    """Whether both are true."""
    return bool(a and b)


def logical_or(a: Any, b: Any) -> bool:
    """Whether one or both are true."""
    return bool(a or b)


def logical_xor(a: Any, b: Any) -> bool:
    """Whether exactly one is true."""
    return bool(a) is not bool(b)


def logical_not(x: Any) -> bool:
    """Whether x is false."""
    return not x


def bitwise_and(a: Any, b: Any) -> Any:
    """a & b."""
    return a & b


def bitwise_or(a: Any, b: Any) -> Any:
    """a | b."""
    return a | b


def bitwise_xor(a: Any, b: Any) -> Any:
    """a ^ b."""
    return a ^ b


def bitwise_invert(x: Any) -> Any:
    """~x; the logical not for a boolean, as for boolean arrays."""
    return not x if type(x) is bool else ~x


def isnan(x: Any) -> bool:
    """Whether x is not a number."""
    return bool(x != x)  # noqa: PLR0124 -- true for nan alone


def isinf(x: Any) -> bool:
    """Whether x is infinite."""
    return cmath.isinf(x) if type(x) is complex else x in (inf, -inf)


def isfinite(x: Any) -> bool:
    """Whether x is neither infinite nor nan."""
    return bool(x - x == 0)


# -- choosing and rounding ------------------------------------------------------------------------


def where(condition: Any, a: Any, b: Any) -> Any:
    """A where the condition holds, else b."""
    return a if condition else b


def maximum(a: Any, b: Any) -> Any:
    """The larger: nan where either is."""
    if a > b:
        return a
    if b >= a:
        return b

    return nan


def minimum(a: Any, b: Any) -> Any:
    """The smaller: nan where either is."""
    if a < b:
        return a
    if b <= a:
        return b

    return nan


def clip(x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002 -- the Array API names
    """X, but not below `min` nor above `max`."""
    if min is not None:
        x = maximum(x, min)

    return x if max is None else minimum(x, max)


def relu(x: Any) -> Any:
    """max(x, 0): nan for nan."""
    if x > 0:
        return x

    return 0.0 if x <= 0 else x


def floor(x: Any) -> float:
    """The largest whole number not above x, as a float."""
    return _whole(math.floor, x)


def ceil(x: Any) -> float:
    """The smallest whole number not below x, as a float."""
    return _whole(math.ceil, x)


def round(x: Any) -> float:  # noqa: A001 -- the Array API name
    """The nearest whole number, halves to the even one, as a float."""
    return _whole(builtins.round, x)


def trunc(x: Any) -> float:
    """X without its fraction, as a float."""
    return _whole(math.trunc, x)


def _whole(function: Callable[[Any], int], x: Any) -> float:
    try:
        return math.copysign(float(function(x)), x)
    except (OverflowError, ValueError):  # ±inf, nan, or an int beyond the floats
        return float(_as_float(x))


# -- a number as the array without axes that it is ------------------------------------------------
# ruff: noqa: ARG001 -- reductions take `keepdims` as they do for arrays; here no axis can be kept


def zeros_like(x: Any) -> Any:
    """0 of the kind of x."""
    return 0j if type(x) is complex else 0.0


def ones_like(x: Any) -> Any:
    """1 of the kind of x."""
    return 1 + 0j if type(x) is complex else 1.0


def full_like(x: Any, fill_value: Any) -> Any:
    """`fill_value`, as complex as x is."""
    return complex(fill_value) if type(x) is complex else fill_value


def astype(x: Any, dtype: Any) -> Any:
    """X as float, int, bool or complex."""
    if dtype not in (float, int, bool, complex):
        message = (
            f"a Python number becomes float, int, bool or complex, not {dtype!r}; "
            "convert it with numpy.asarray first"
        )
        raise TypeError(message)

    return dtype(x)


def real(x: Any) -> Any:
    """The real part."""
    return x.real


def imag(x: Any) -> Any:
    """The imaginary part."""
    return x.imag


def conj(x: Any) -> Any:
    """The complex conjugate."""
    return x.conjugate()


def sum(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001 -- the Array API name
    """X: there is one entry to add."""
    return _reduced("sum", x, axis)


def prod(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """X: there is one entry to multiply."""
    return _reduced("prod", x, axis)


def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """X: the mean of one entry."""
    return _reduced("mean", x, axis)


def max(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001 -- the Array API name
    """X: the largest of one entry."""
    return _reduced("max", x, axis)


def min(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001 -- the Array API name
    """X: the smallest of one entry."""
    return _reduced("min", x, axis)


def logsumexp(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """X: ln(e ** x)."""
    return _reduced("logsumexp", x, axis)


def logsumexp_weights(x: Any, *, axis: Any = None) -> Any:
    """1: one entry is all that counts; nan of nan."""
    _reduced("logsumexp_weights", x, axis)

    return 1.0 if x == x else x  # noqa: PLR0124 -- only nan differs from itself


def var(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """0: one entry does not vary; nan where `correction` leaves nothing to divide by."""
    distance = abs(_reduced("var", x, axis) - x)
    left = 1.0 - correction

    return divide(distance * distance, left if left > 0 else 0.0)


def std(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """0: one entry does not vary; nan where `correction` leaves nothing to divide by."""
    return sqrt(var(_reduced("std", x, axis), correction=correction))


def all(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> bool:  # noqa: A001 -- the Array API name
    """Whether x is true."""
    return bool(_reduced("all", x, axis))


def any(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> bool:  # noqa: A001 -- the Array API name
    """Whether x is true."""
    return bool(_reduced("any", x, axis))


def argmax(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> int:
    """0: the place of the only entry."""
    _reduced("argmax", x, axis)

    return 0


def argmin(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> int:
    """0: the place of the only entry."""
    _reduced("argmin", x, axis)

    return 0


def _reduced(name: str, x: Any, axis: Any) -> Any:
    if axis is None or axis == ():
        return x
    message = f"{name} over axis {axis!r} {_NEEDS_ARRAYS}"
    raise TypeError(message)


def reshape(x: Any, shape: Any) -> Any:
    """X, for the shape ()."""
    return _shaped("reshape", x, shape)


def broadcast_to(x: Any, shape: Any) -> Any:
    """X, for the shape ()."""
    return _shaped("broadcast_to", x, shape)


def squeeze(x: Any, axis: Any = ()) -> Any:
    """X, where no axis is named."""
    return _reduced("squeeze", x, axis)


def permute_dims(x: Any, axes: Any = ()) -> Any:
    """X, where no axis is named."""
    return _shaped("permute_dims", x, axes)


def _shaped(name: str, x: Any, shape: Any) -> Any:
    if shape in ((), []):
        return x
    message = f"{name} to {shape!r} {_NEEDS_ARRAYS}"
    raise TypeError(message)


# -- what a number cannot do ----------------------------------------------------------------------

_NEEDS_ARRAYS = "needs array data: a Python number has no axes; convert it with numpy.asarray"

ARRAY_FUNCTIONS = frozenset(
    """
    arange argsort concat count_nonzero cross cumulative_prod cumulative_sum diagonal diff einsum
    empty expand_dims eye flip full inner linspace matmul matrix_transpose meshgrid moveaxis
    nonzero ones outer repeat roll searchsorted sort split stack swapaxes take take_along_axis
    tensordot tile trace transpose tril triu unique_values unstack vecdot zeros
    """.split(),  # noqa: SIM905 -- forty quoted names would hide the list
)
"""Names of the Array API and its kin that mean nothing without axes."""


def __getattr__(name: str) -> Any:
    if name not in ARRAY_FUNCTIONS:
        message = f"the namespace of Python numbers has no function {name!r}"
        raise AttributeError(message)

    def refuse(*_operands: Any, **_attributes: Any) -> Any:
        message = f"{name} {_NEEDS_ARRAYS}"
        raise TypeError(message)

    return refuse


# -- out of the range of floats, out of the real line ---------------------------------------------


def _as_float(x: Any) -> Any:
    """X as a float, ±inf for an int beyond them; a complex number as it is."""
    if type(x) is complex:
        return x
    try:
        return float(x)
    except OverflowError:
        return inf if x > 0 else -inf


def _elsewhere(function: Callable[[Any], Any], complex_function: Any, x: Any) -> Any:
    """A function again: on an infinity for an int beyond the floats, else by `cmath`."""
    return function(_as_float(x)) if type(x) is int else _complex(complex_function, x)


def _complex(function: Callable[[Any], complex], x: Any, *, at_zero: float | None = None) -> Any:
    """A function of `cmath`: complex nan where that raises, `at_zero` at its pole."""
    if type(x) is not complex:
        message = f"a Python number is int, float, bool or complex, not {type(x).__name__}"
        raise TypeError(message)
    if x == 0 and at_zero is not None:
        return complex(at_zero, 0.0)
    try:
        return function(x)
    except (OverflowError, ValueError, ZeroDivisionError):
        return complex(nan, nan)
