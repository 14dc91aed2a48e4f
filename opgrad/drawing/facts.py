"""Data told as texts, for the page: at a glance, with all digits, and the range of an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opgrad import namespaces
from opgrad.drawing.labels import number, spread
from opgrad.types import shape

Plain = dict[str, Any]
"""What JSON can hold."""

_FEW = 24  # entries of an array that are all told


def facts(data: Any) -> Plain | None:
    """Data as texts: `short` for a glance, `full` with all digits; of an array its range.

    Several outputs of one op are told one by one, under their indices.

    Examples:
        >>> facts(1 / 3)
        {'short': '0.3333', 'full': '0.3333333333333333'}
    """
    if data is None:
        return None
    if isinstance(data, dict | tuple):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        return {"outputs": {str(index): facts(part) for index, part in sorted(items)}}
    if shape(data) == ():
        return _number(data)
    told: Plain = {"short": spread(data), "shape": "×".join(map(str, data.shape))}
    told["dtype"] = str(data.dtype)
    told["full"] = f"{told['dtype']} {told['shape']}"
    told["full"] += f" {data.tolist()}" if 0 < data.size <= _FEW else f", {told['short']}"
    xp = namespaces.of_type(type(data))
    if data.size and xp.isdtype(data.dtype, ("real floating", "integral")):
        with namespaces.quiet():
            told |= _range(xp.min(data), xp.mean(data), xp.max(data))

    return told


def range_of(numbers: Sequence[Any]) -> Plain | None:
    """Several numbers as one array would be told; None where they are not all real numbers."""
    if not numbers or any(shape(x) != () or isinstance(x, complex) for x in numbers):
        return None
    least, mean, greatest = min(numbers), sum(numbers) / len(numbers), max(numbers)
    words = [number(least), number(greatest)] if least != greatest else [number(least)]
    told = {"short": " … ".join(words), "full": f"{_digits(least)} … {_digits(greatest)}"}

    return {**told, **_range(least, mean, greatest)}


def _range(least: Any, mean: Any, greatest: Any) -> Plain:
    told = {"min": least, "mean": mean, "max": greatest}

    return {word: _number(x) for word, x in told.items()}


def _number(x: Any) -> Plain:
    return {"short": number(x), "full": _digits(x)}


def head(data: Any) -> str:
    """A plain operand in a call: a number, or what kind of array."""
    told = facts(data) if namespaces.kind_of(data) is not None else None
    if told is None:
        return repr(data)

    return f"{told['dtype']} {told['shape']}" if "shape" in told else str(told["short"])


def _digits(x: Any) -> str:
    return repr(x.item() if hasattr(x, "item") else x)
