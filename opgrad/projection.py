"""What a rule returned, brought into the space of its operand: shape, dtype, reality.

Sums out broadcasting, takes the real part for real data, and casts between floating dtypes.
Anything else a rule got wrong raises and names the rule.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from typing import Any

from opgrad import namespaces
from opgrad.errors import NotDifferentiableError, RuleError
from opgrad.names import core
from opgrad.types import shape as shape_of
from opgrad.value import Value

_NUMBERS = (float, int, complex, bool)


def data_of(value: Any) -> Any:
    """The plain data of a Value; anything else as it is."""
    return value._data if type(value) is Value else value


def project(d: Any, x: Any, index: int, node: Value) -> Any:
    """The gradient `d`, plain or a Value, in the space of `x`, the data of the node's operand.

    Raises:
        RuleError: `d` is None, not a number or array, of integer dtype, or of a shape that is
            neither that of `x` nor, where the op broadcasts, one that `x` was broadcast to.
    """
    data = d._data if type(d) is Value else d
    kind = type(x)
    if kind in _NUMBERS:
        if type(data) is float and kind is not complex:
            return d
        return _to_number(d, data, x, index, node)
    try:
        if data.dtype == x.dtype and data.shape == x.shape:
            return d
    except AttributeError:
        pass

    return _to_array(d, data, x, index, node)


def _to_number(d: Any, data: Any, x: Any, index: int, node: Value) -> Any:
    _check_kind(data, x, index, node)
    xp = core() if type(d) is Value else namespaces.of_type(type(data))
    if shape_of(data) != ():
        if not _may_sum((), shape_of(data), node):
            raise RuleError(_wrong(node, index, data, x, "the shape ()"))
        d = xp.sum(d)
        data = data_of(d)
    if is_complex(data) and type(x) is not complex:
        d = d.real if type(d) in _NUMBERS else xp.real(d)
    if type(d) is Value:
        return d if type(x) is not complex or is_complex(data) else xp.add(d, 0j)

    return complex(d) if type(x) is complex else float(d)


def _to_array(d: Any, data: Any, x: Any, index: int, node: Value) -> Any:
    _check_kind(data, x, index, node)
    if namespaces.kind_of(x) is not namespaces.REAL:
        message = (
            f"a gradient flows to {namespaces.describe(x)}, operand {index} of "
            f"{node.op.described if node.op else node}: an op with integer results is nondiff=True"
        )
        raise NotDifferentiableError(message)
    xp = core() if type(d) is Value else namespaces.of_type(type(data))
    if shape_of(data) != x.shape:
        if not _may_sum(x.shape, shape_of(data), node):
            raise RuleError(_wrong(node, index, data, x, f"the shape {tuple(x.shape)}"))
        d = sum_out(d, shape_of(data), x.shape, xp)
        data = data_of(d)
    if is_complex(data) and not is_complex(x):
        d = xp.real(d)
        data = data_of(d)
    if type(data) in _NUMBERS:
        return namespaces.of_type(type(x)).full_like(x, d) if type(d) is not Value else d

    return d if data.dtype == x.dtype else xp.astype(d, x.dtype)


def _may_sum(small: tuple[int, ...], large: tuple[int, ...], node: Value) -> bool:
    """Whether a gradient of shape `large` is one to sum out to `small`.

    Of an elementwise op it has the shape of the output, of others one that `small` broadcasts to.
    """
    op = node.op
    if op is None:
        return False
    fits = large == shape_of(node._data) if op.elementwise else op.broadcasts

    return fits and reaches(small, large)


def reaches(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether `small` broadcasts to `large`."""
    if len(small) > len(large):
        return False

    return all(s in (1, n) for s, n in zip(reversed(small), reversed(large), strict=False))


def sum_out(d: Any, large: tuple[int, ...], small: tuple[int, ...], xp: Any) -> Any:
    """Sum `d` over the axes that broadcasting `small` to `large` added or stretched."""
    added = len(large) - len(small)
    axes = tuple(range(added)) + tuple(
        added + i for i, n in enumerate(small) if n == 1 and large[added + i] != 1
    )
    summed = xp.sum(d, axis=axes) if axes else d

    return summed if shape_of(summed) == small else xp.reshape(summed, small)


def _check_kind(data: Any, x: Any, index: int, node: Value) -> None:
    if data is None:
        message = _wrong(
            node, index, data, x, "a gradient (declare the operand nondiff if it has none)"
        )
        raise RuleError(message)
    if namespaces.kind_of(data) is not namespaces.REAL:
        raise RuleError(_wrong(node, index, data, x, "real or complex floating data"))


def is_complex(data: Any) -> bool:
    """Whether plain data is complex."""
    if type(data) in _NUMBERS:
        return type(data) is complex
    dtype = data.dtype
    if dtype not in _complex:
        _complex[dtype] = bool(namespaces.of_type(type(data)).isdtype(dtype, "complex floating"))

    return _complex[dtype]


_complex: dict[Any, bool] = {}  # by dtype, as they are seen


def _wrong(node: Value, index: int, data: Any, x: Any, wanted: str) -> str:
    op = node.op
    assert op is not None, "a leaf has no rule"  # noqa: S101 -- for the type checker
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


def nan_unless(idle: Any, data: Any) -> Any:
    """NaN in every entry of plain data, and zero where it is idle."""
    if type(data) in _NUMBERS:
        return 0.0 if idle else math.nan
    xp = namespaces.of_type(type(data))
    nan = xp.full_like(data, math.nan)

    return nan if idle is None else xp.where(idle, xp.zeros_like(data), nan)


def is_zero(g: Any) -> Any:
    """Where a plain gradient is exactly zero; of several outputs, where all are."""
    if type(g) is dict:
        masks = [part == 0 for part in g.values()]
        if len({shape_of(mask) for mask in masks}) == 1:
            return functools.reduce(operator.and_, masks)
        return all(everywhere(mask) for mask in masks)

    return g == 0


def everywhere(mask: Any) -> bool:
    """Whether a mask is true in every entry."""
    return bool(mask.all()) if hasattr(mask, "all") else bool(mask)


_UNSHARED = 2  # references to what nobody else holds: the local name, and the count's argument


def pop_owned(holder: Any, key: Any) -> Any:
    """Take a gradient out of a list or dict, as an array of its own.

    Rules may return views, and hand on what they got: such a gradient is copied.
    """
    gradient = holder.pop(key)
    if not hasattr(gradient, "dtype") or type(gradient) is Value:
        return gradient
    if getattr(gradient, "base", None) is None and sys.getrefcount(gradient) <= _UNSHARED:
        return gradient

    return gradient.copy()
