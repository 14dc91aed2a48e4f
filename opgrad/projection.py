"""What a rule returned, brought into the space of its operand: shape, dtype, reality.

Sums out broadcasting, takes the real part for real data, and casts between floating dtypes.
Anything else a rule got wrong raises and names the rule.
"""

from __future__ import annotations

from typing import Any

from opgrad import namespaces
from opgrad.errors import RuleError
from opgrad.op import Op
from opgrad.plugins import core
from opgrad.types import shape as shape_of
from opgrad.value import Value

_NUMBERS = (float, int, complex, bool)


def data_of(value: Any) -> Any:
    """The plain data of a Value; anything else as it is."""
    return value._data if type(value) is Value else value


def project(d: Any, x: Any, op: Op, index: int) -> Any:
    """The gradient `d`, plain or a Value, in the space of `x`, the data of operand `index`.

    Raises:
        RuleError: `d` is None, not a number or array, of integer dtype, or of a shape that is
            neither that of `x` nor, where the op broadcasts, one that `x` was broadcast to.
    """
    data = d._data if type(d) is Value else d
    kind = type(x)
    if kind in _NUMBERS:
        if type(data) is float and kind is not complex:
            return d
        return _to_number(d, data, x, op, index)
    try:
        if data.dtype == x.dtype and data.shape == x.shape:
            return d
    except AttributeError:
        pass

    return _to_array(d, data, x, op, index)


def _to_number(d: Any, data: Any, x: Any, op: Op, index: int) -> Any:
    _check_kind(data, x, op, index)
    xp = core() if type(d) is Value else namespaces.of_type(type(data))
    if shape_of(data) != ():
        if not op.broadcasts:
            raise RuleError(_wrong(op, index, data, x, "the shape ()"))
        d = xp.sum(d)
        data = data_of(d)
    if _is_complex(data) and type(x) is not complex:
        d = d.real if type(d) in _NUMBERS else xp.real(d)
    if type(d) is Value:
        return d

    return complex(d) if type(x) is complex else float(d)


def _to_array(d: Any, data: Any, x: Any, op: Op, index: int) -> Any:
    _check_kind(data, x, op, index)
    xp = core() if type(d) is Value else namespaces.of_type(type(data))
    if shape_of(data) != x.shape:
        if not (op.broadcasts and _reaches(x.shape, shape_of(data))):
            raise RuleError(_wrong(op, index, data, x, f"the shape {tuple(x.shape)}"))
        d = _sum_out(d, shape_of(data), x.shape, xp)
        data = data_of(d)
    if _is_complex(data) and not _is_complex(x):
        d = xp.real(d)
        data = data_of(d)
    if type(data) in _NUMBERS:
        return namespaces.of_type(type(x)).full_like(x, d) if type(d) is not Value else d

    return d if data.dtype == x.dtype else xp.astype(d, x.dtype)


def _reaches(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether `small` broadcasts to `large`."""
    if len(small) > len(large):
        return False

    return all(s in (1, n) for s, n in zip(reversed(small), reversed(large), strict=False))


def _sum_out(d: Any, large: tuple[int, ...], small: tuple[int, ...], xp: Any) -> Any:
    """Sum `d` over the axes that broadcasting `small` to `large` added or stretched."""
    added = len(large) - len(small)
    axes = tuple(range(added)) + tuple(
        added + i for i, n in enumerate(small) if n == 1 and large[added + i] != 1
    )
    summed = xp.sum(d, axis=axes) if axes else d

    return summed if shape_of(summed) == small else xp.reshape(summed, small)


def _check_kind(data: Any, x: Any, op: Op, index: int) -> None:
    if data is None:
        message = _wrong(
            op, index, data, x, "a gradient (declare the operand nondiff if it has none)"
        )
        raise RuleError(message)
    if namespaces.kind_of(data) is not namespaces.REAL:
        raise RuleError(_wrong(op, index, data, x, "real or complex floating data"))


def _is_complex(data: Any) -> bool:
    if type(data) in _NUMBERS:
        return type(data) is complex

    return bool(namespaces.of_type(type(data)).isdtype(data.dtype, "complex floating"))


def _wrong(op: Op, index: int, data: Any, x: Any, wanted: str) -> str:
    name = op.operands[index] if op.operands else f"{op.variadic}[{index}]"
    got = "None" if data is None else namespaces.describe(data)

    return (
        f"the rule of {op.described} for operand {name!r} returned {got}; wanted {wanted}, "
        f"since the operand is {namespaces.describe(x)}"
    )


def has_nan(gradient: Any) -> bool:
    """Whether any entry of a gradient, plain or a Value, is NaN."""
    data = data_of(gradient)
    if type(data) in _NUMBERS:
        return bool(data != data)  # noqa: PLR0124 -- NaN is the number that differs from itself

    return bool(namespaces.of_type(type(data)).has_nan(data))


def zeros_like(data: Any) -> Any:
    """Zeros of the shape and dtype of plain data."""
    if type(data) in _NUMBERS:
        return 0.0

    return namespaces.of_type(type(data)).zeros_like(data)


def owned(gradient: Any) -> Any:
    """The gradient as an array that may be written to: rules may return read-only views."""
    flags = getattr(gradient, "flags", None)
    if flags is None or flags.writeable:
        return gradient

    return gradient.copy()
