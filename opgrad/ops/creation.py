"""Functions of the Array API that make arrays: Values over NumPy arrays, constants all.

They are no ops: there is nothing to differentiate where nothing goes in. Where a Value can go in
(`asarray`, `full`, `linspace`), what it contributes is differentiated.
"""

from __future__ import annotations

from typing import Any

from opgrad.errors import ConversionError
from opgrad.names import core
from opgrad.ops.inspection import check_device, library, plain
from opgrad.value import Value, constant

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "linspace", "ones",
    "zeros",
]  # fmt: skip


# -- of data ---------------------------------------------------------------------------------------


def asarray(
    obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
) -> Value:
    """Numbers, nested lists, arrays as a constant; a Value as it is, or in another dtype.

    Lists may hold Values: what comes out then depends on them.

    Args:
        obj: The data. An array is shared, not copied, where that can be.
        dtype: The dtype of the result; by default that of the data.
        device: "cpu", which is also the default.
        copy: Whether data are copied: None where needed, True always, False never.

    Raises:
        ValueError: `copy` is False and the data cannot be shared; or another device.

    Example:
        >>> from opgrad import ops
        >>> ops.asarray([1.0, 2.0])
        Value(data=array([1., 2.]))
    """
    check_device(device)
    if isinstance(obj, list | tuple):
        obj = _stacked(obj) if _differentiable(obj) else _plain_lists(obj)
    if type(obj) is not Value:
        return constant(library().asarray(obj, dtype=dtype, copy=copy))
    if not hasattr(obj.data, "dtype"):  # a Python number
        return obj if dtype is None else _array_of(obj, dtype)
    if (dtype is None or obj.dtype == dtype) and not copy:
        return obj
    if copy is False:
        message = f"{obj.dtype} cannot become {dtype} without a copy"
        raise ValueError(message)

    return core().astype(obj, obj.dtype if dtype is None else dtype)  # type: ignore[no-any-return]


def _differentiable(obj: Any) -> bool:
    """Whether it is, or its nested lists hold, a Value that wants a gradient."""
    if isinstance(obj, list | tuple):
        return any(_differentiable(item) for item in obj)

    return type(obj) is Value and obj.requires_grad


def _stacked(obj: Any) -> Any:
    """Nested lists as one Value that depends on those in them."""
    if isinstance(obj, list | tuple):
        return core().stack([_stacked(item) for item in obj])

    return _array_of(obj) if type(obj) is Value else library().asarray(obj)


def _array_of(value: Value, dtype: Any = None) -> Any:
    """The Value itself, or for a Python number one that holds a 0-d array, of floats by default."""
    if hasattr(value.data, "dtype"):
        return value
    kind = library().result_type(value.data, 1.0) if dtype is None else dtype

    return core().full_like(library().zeros((), dtype=kind), value)


def _plain_lists(obj: Any) -> Any:
    return [_plain_lists(x) for x in obj] if isinstance(obj, list | tuple) else plain(obj)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Value:
    """An array of another library as a constant, sharing its memory where that can be."""
    check_device(device)

    return constant(library().from_dlpack(x, device=device, copy=copy))


# -- of a shape ------------------------------------------------------------------------------------


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Value:
    """Zeros, of dtype float64 unless given."""
    check_device(device)

    return constant(library().zeros(_lengths(shape), dtype=dtype))


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Value:
    """Ones, of dtype float64 unless given."""
    check_device(device)

    return constant(library().ones(_lengths(shape), dtype=dtype))


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Value:
    """An array with whatever is in its memory, of dtype float64 unless given."""
    check_device(device)

    return constant(library().empty(_lengths(shape), dtype=dtype))


def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Value:
    """An array with whatever is in its memory, of the shape and (unless given) dtype of x."""
    check_device(device)

    return constant(library().empty_like(plain(x), dtype=dtype))


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Value:
    """`fill_value` in every entry, differentiable in it; its dtype is that of the value."""
    check_device(device)
    lengths = _lengths(shape)
    if type(fill_value) is not Value or not fill_value.requires_grad:
        return constant(library().full(lengths, plain(fill_value), dtype=dtype))

    return core().broadcast_to(_array_of(asarray(fill_value, dtype=dtype)), lengths)  # type: ignore[no-any-return]


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Any = None,
) -> Value:
    """A matrix with ones on its k-th diagonal and zeros elsewhere."""
    check_device(device)

    return constant(library().eye(n_rows, n_cols, k=k, dtype=float if dtype is None else dtype))


# -- of a range ------------------------------------------------------------------------------------


def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Value:
    """Numbers from `start` (0 where one number is given) up to `stop`, `step` apart.

    Raises:
        ConversionError: One is a Value that wants a gradient, which a length cannot carry.
    """
    check_device(device)
    if stop is None:
        start, stop = 0, start
    numbers = [_number(x, "arange") for x in (start, stop, step)]

    return constant(library().arange(*numbers, dtype=dtype))


def linspace(
    start: Any,
    stop: Any,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Value:
    """`num` numbers at equal distances from `start` to `stop`, differentiable in both.

    Example:
        >>> import opgrad
        >>> opgrad.grad(lambda stop: opgrad.ops.linspace(0.0, stop, 5).sum())(1.0)
        2.5
    """
    check_device(device)
    if not (_differentiable(start) or _differentiable(stop)):
        ends = (plain(start), plain(stop))
        return constant(library().linspace(*ends, num, dtype=dtype, endpoint=endpoint))
    rank = max(len(getattr(end, "shape", ())) for end in (start, stop))
    fractions = library().linspace(0.0, 1.0, num, endpoint=endpoint)
    fractions = fractions.reshape((num,) + (1,) * rank)
    line = start * (1.0 - fractions) + stop * fractions

    return line if dtype is None else core().astype(line, dtype)  # type: ignore[no-any-return]


# -- arguments -------------------------------------------------------------------------------------


def _lengths(shape: Any) -> Any:
    """A shape whose lengths may be constant Values."""
    return tuple(map(plain, shape)) if isinstance(shape, list | tuple) else plain(shape)


def _number(x: Any, name: str) -> Any:
    if _differentiable(x):
        message = (
            f"{name} makes constants, so {x!r} would lose its gradient; write x.data for the plain "
            "number, or opgrad.stop_gradient(x)"
        )
        raise ConversionError(message)

    return plain(x)
