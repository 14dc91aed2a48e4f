"""What the Values of a picture are called."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import FunctionType, MethodType, ModuleType
from typing import Any

import attrs

from opgrad.value import Value

_DEEPEST = 6
_MOST = 100_000  # entries looked at: `locals()` of a notebook may hold anything
_OPAQUE = (ModuleType, FunctionType, MethodType, type)
_PLAIN = (str, bytes, int, float, complex, type(None))


def names_of(values: Iterable[Value], names: Mapping[str, Any]) -> dict[int, str]:
    """The name of each Value that has one, by id.

    A name that a Value was given (`named`) comes first, then the first entry of `names` that is
    this Value, then its place in a container or an object: `w[0]`, `layer.bias`. Entries of other
    kinds and private names are passed over.
    """
    wanted = {id(value): value for value in values}
    called = {key: value.label for key, value in wanted.items() if value.label}
    seen: set[int] = set()
    entries = deque((name, held, 0) for name, held in names.items() if _public(name))
    looked_at = 0
    while entries and looked_at < _MOST:
        name, held, depth = entries.popleft()  # the shallow ones first
        looked_at += 1
        if type(held) is Value:
            if id(held) in wanted:
                called.setdefault(id(held), name)
        elif depth < _DEEPEST and not isinstance(held, _PLAIN) and id(held) not in seen:
            seen.add(id(held))
            inside = islice(_children(name, held), _MOST)
            entries.extend((inner, child, depth + 1) for inner, child in inside)

    return called


def _children(name: str, held: Any) -> Iterator[tuple[str, Any]]:
    """What a container or an object of somebody's class holds, with names."""
    if isinstance(held, dict):
        return ((f"{name}[{key!r}]", child) for key, child in held.items())
    if isinstance(held, list | tuple) and not hasattr(held, "_fields"):
        return ((f"{name}[{index}]", child) for index, child in enumerate(held))

    return ((f"{name}.{field}", child) for field, child in _fields(held) if _public(field))


def _fields(held: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a named tuple, of an attrs class, of an object."""
    if isinstance(held, tuple):
        return zip(held._fields, held, strict=True)  # type: ignore[attr-defined]  # a named one
    if hasattr(type(held), "__attrs_attrs__"):
        fields = [field.name for field in attrs.fields(type(held))]
        return ((field, getattr(held, field, None)) for field in fields)
    entries = {} if isinstance(held, _OPAQUE) else getattr(held, "__dict__", {})

    return iter(entries.items())


def _public(name: Any) -> bool:
    return isinstance(name, str) and not name.startswith("_")
