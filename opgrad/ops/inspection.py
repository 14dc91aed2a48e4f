"""What the Array API says of itself: its dtypes and constants, and what can become what.

Arrays of `opgrad.ops` are Values over NumPy arrays; NumPy is imported when it is first needed.
Where a function takes an array or a dtype, a Value stands for its data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

from opgrad.value import Value

__array_api_version__ = "2024.12"

e = math.e
inf = math.inf
nan = math.nan
newaxis = None
pi = math.pi

_KINDS: Mapping[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_UNIONS: Mapping[str, tuple[str, ...]] = {
    "integral": ("signed integer", "unsigned integer"),
    "numeric": ("signed integer", "unsigned integer", "real floating", "complex floating"),
}
DTYPES = tuple([name for names in _KINDS.values() for name in names])

__all__ = [  # noqa: PLE0604 -- DTYPES are names too
    *DTYPES, "broadcast_shapes", "can_cast", "e", "finfo", "iinfo", "inf", "isdtype", "nan",
    "newaxis", "pi", "result_type",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A dtype: NumPy's own name for it. None is kept here, where `bool` is Python's."""
    if name not in DTYPES:
        message = f"there is no dtype {name!r}"
        raise AttributeError(message)

    return getattr(library(), name)


def library() -> ModuleType:
    """The functions of NumPy, imported with the first array that is made.

    Raises:
        ImportError: NumPy is not installed.
    """
    try:
        from opgrad.namespaces import numpy  # noqa: PLC0415 -- optional, and slow to import
    except ImportError as error:
        message = "arrays of opgrad.ops are NumPy's, which is missing; pip install 'opgrad[numpy]'"
        raise ImportError(message) from error

    return numpy


def plain(x: Any) -> Any:
    """The data of a Value; anything else as it is."""
    return x.data if type(x) is Value else x


# -- dtypes ---------------------------------------------------------------------------------------


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that an op on these arrays, dtypes and Python numbers has; numbers are weak.

    Example:
        >>> from opgrad import ops
        >>> ops.result_type(ops.float32, ops.int8, 2.0)
        dtype('float32')
    """
    return library().result_type(*map(plain, arrays_and_dtypes))


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether a dtype, or that of an array, can become another without loss."""
    return bool(library().can_cast(_dtype_of(from_), to))


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind ("real floating", "integral", …), a dtype, or one of several."""
    return bool(library().isdtype(dtype, kind))


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes have together."""
    return tuple(library().broadcast_shapes(*shapes))


def _dtype_of(x: Any) -> Any:
    """The dtype of an array; a dtype, which may be a type of NumPy's, as it is."""
    return x.dtype if hasattr(x, "shape") and not isinstance(x, type | library().dtype) else x


class FloatInfo(NamedTuple):
    """The limits of a floating dtype, those of a complex one being those of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


def finfo(type: Any, /) -> FloatInfo:  # noqa: A002 -- the name in the standard
    """The limits of a floating dtype, or of that of an array, as Python floats."""
    found = library().finfo(_dtype_of(type))

    return FloatInfo(
        bits=int(found.bits), eps=float(found.eps), max=float(found.max), min=float(found.min),
        smallest_normal=float(found.smallest_normal), dtype=library().dtype(found.dtype),
    )  # fmt: skip


class IntegerInfo(NamedTuple):
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: Any


def iinfo(type: Any, /) -> IntegerInfo:  # noqa: A002 -- the name in the standard
    """The limits of an integer dtype, or of that of an array, as Python ints."""
    found = library().iinfo(_dtype_of(type))

    return IntegerInfo(
        bits=int(found.bits), max=int(found.max), min=int(found.min),
        dtype=library().dtype(found.dtype),
    )  # fmt: skip


# -- the library ----------------------------------------------------------------------------------


def check_device(device: Any) -> None:
    """Refuse any device but the CPU, which is also meant by None.

    Raises:
        ValueError: It is another.
    """
    if device not in (None, "cpu"):
        message = f"arrays of opgrad.ops live on the device 'cpu', not on {device!r}"
        raise ValueError(message)


class NamespaceInfo:
    """What `opgrad.ops` can do, in the words of the Array API."""

    def capabilities(self) -> dict[str, Any]:
        """What is optional in the standard, and how many axes an array may have."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where arrays are made."""
        return "cpu"

    def devices(self) -> list[str]:
        """Where arrays can be."""
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of arrays made of Python numbers, by kind, and of indices."""
        check_device(device)
        names = ("real floating", "complex floating", "integral", "indexing")
        examples = (1.0, 1j, 1, 1)

        return {n: library().asarray(x).dtype for n, x in zip(names, examples, strict=True)}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes there are by name, all or those of a kind or of several."""
        check_device(device)
        kinds = tuple(_KINDS) if kind is None else kind if isinstance(kind, tuple) else (kind,)
        names = [name for k in kinds for part in _UNIONS.get(k, (k,)) for name in _KINDS[part]]

        return {name: library().dtype(name) for name in names}


def __array_namespace_info__() -> NamespaceInfo:  # noqa: N807 -- the standard's name
    """What the Array API tells of this namespace: capabilities, devices, dtypes.

    Example:
        >>> from opgrad import ops
        >>> ops.__array_namespace_info__().default_device()
        'cpu'
    """
    return NamespaceInfo()
