"""Which `xp` fits which data, found by the type of the data.

Nothing here imports an array library: data of a library can only exist where the library is
imported already, and its module here is loaded when the first such data is seen.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

from opgrad.namespaces import scalar

LIBRARIES = {"numpy": "opgrad.namespaces.numpy"}
"""Top-level module of a data type: the module here that holds its functions."""

BY_TYPE: dict[type, Any] = {int: scalar, float: scalar, complex: scalar, bool: scalar}
"""Data type: its namespace. Filled as types are seen."""

BY_PAIR: dict[tuple[type, type], Any] = {}
"""The same for two operands; filled by dispatch as pairs are seen."""

REAL, DISCRETE = "real or complex", "integer or boolean"

_KINDS: dict[Any, str | None] = {}
"""The kind of each dtype, as they are seen."""


def of_type(kind: type) -> Any:
    """The namespace for data of this type; None where there is none."""
    found = BY_TYPE.get(kind)
    if found is None:
        for base in kind.__mro__:
            library = LIBRARIES.get(base.__module__.partition(".")[0])
            if library is not None:
                module: ModuleType = importlib.import_module(library)
                found = BY_TYPE[kind] = module if module.accepts(kind) else None
                break

    return found


def join(one: Any, other: Any) -> Any:
    """The namespace that serves both: numbers go with any array; two libraries do not mix."""
    if one is other or other is scalar:
        return one
    if one is scalar:
        return other

    return None


def kind_of(data: Any) -> str | None:
    """`REAL` for data that can carry a gradient, `DISCRETE` for data that cannot, None: no data."""
    kind = type(data)
    if kind is float or kind is int or kind is complex:
        return REAL
    if kind is bool:
        return DISCRETE
    namespace = of_type(kind)
    if namespace is None:
        return None
    dtype = data.dtype
    if dtype not in _KINDS:
        if namespace.isdtype(dtype, ("real floating", "complex floating")):
            _KINDS[dtype] = REAL
        else:
            _KINDS[dtype] = DISCRETE if namespace.isdtype(dtype, ("bool", "integral")) else None

    return _KINDS[dtype]


def describe(data: Any) -> str:
    """Data in a few words, for messages: `float 2.0`, `ndarray float64 (3, 4)`."""
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        return f"{type(data).__name__} {data.dtype} {tuple(data.shape)}"
    text = repr(data)

    return f"{type(data).__name__} {text if len(text) <= 40 else text[:37] + '...'}"  # noqa: PLR2004


def quiet() -> AbstractContextManager[Any]:
    """A context in which array libraries do not warn of inf and NaN: sweeps deal with those."""
    library = sys.modules.get(LIBRARIES["numpy"])

    return library.quiet() if library is not None else nullcontext()
