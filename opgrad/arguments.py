"""A call's arguments, sorted into operands and attributes, and checked."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

from opgrad.errors import CallError, did_you_mean
from opgrad.op import Op
from opgrad.rules import REQUIRED


def bind(
    it: Op, given: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Sort a call's arguments into operands and a complete, checked set of attributes.

    Raises:
        CallError: Too few or too many operands, an unknown name, a missing attribute, or an
            attribute of the wrong type.
    """
    named = dict(keywords)
    if it.adapter is not None:
        try:
            given, named = it.adapter(*given, **named)
        except TypeError as error:
            message = f"{it.described} was called wrongly: {error}; it is {it.signature}"
            raise CallError(message) from error
    operands = given
    count = len(it.operands)
    if not it.variadic and len(given) != count:
        operands = _fill_operands(it, given[:count], named)
        _fill_attributes(it, given[count:], named)
    attributes = dict(it.attributes)
    for name, value in named.items():
        if (name, type(value)) not in it.checked:
            if name not in attributes:
                raise CallError(_unknown_name(it, name))
            value = _check_attribute(it, name, value)  # noqa: PLW2901 -- a list becomes a tuple
        attributes[name] = value
    if it.demands:
        missing = [name for name in it.demands if attributes[name] is REQUIRED]
        if missing:
            message = f"{it.described} needs the attribute {missing[0]!r}: {it.signature}"
            raise CallError(message)

    return operands, attributes


def _fill_operands(it: Op, operands: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    for name in it.operands[: len(operands)]:
        if name in named:
            raise CallError(_unknown_name(it, name))
    filled = list(operands)
    required = len(it.operands) - it.optional
    for index in range(len(operands), len(it.operands)):
        name = it.operands[index]
        if name not in named and index < required:
            message = (
                f"{it.described} takes {required} operand(s) and got {len(operands)}: "
                f"{it.signature}"
            )
            raise CallError(message)
        filled.append(named.pop(name, None))

    return tuple(filled)


def _fill_attributes(it: Op, rest: tuple[Any, ...], named: dict[str, Any]) -> None:
    if len(rest) > len(it.attributes):
        message = (
            f"{it.described} takes {len(it.operands)} operand(s) and {len(it.attributes)} "
            f"attribute(s), got {len(it.operands) + len(rest)} arguments: {it.signature}"
        )
        raise CallError(message)
    for name, value in zip(it.attributes, rest, strict=False):
        if name in named:
            message = f"{it.described} got the attribute {name!r} twice: {it.signature}"
            raise CallError(message)
        named[name] = value


def _unknown_name(it: Op, name: str) -> str:
    if name in it.operands:
        return f"{it.described} got the operand {name!r} twice: {it.signature}"
    hint = did_you_mean(name, [*it.attributes, *it.operands])

    return f"{it.described} has no attribute {name!r}{hint} It is {it.signature}"


def _check_attribute(it: Op, name: str, value: Any) -> Any:
    if type(value) is list:
        value = tuple(value)
    default = it.attributes[name]
    expected: type | tuple[type, ...] | None = None
    if isinstance(default, bool | str):
        expected = type(default)
    elif isinstance(default, int | float):
        expected = numbers.Real
    fits = expected is None or (
        isinstance(value, expected) and (isinstance(default, bool) or not isinstance(value, bool))
    )
    if fits:
        try:
            hash(value)
        except TypeError:
            fits = False
    if not fits or hasattr(value, "requires_grad"):
        kind = type(default).__name__ if expected else "plain hashable value"
        message = (
            f"attribute {name!r} of {it.described} is a {kind}, got {value!r} of type "
            f"{type(value).__name__}; attributes are plain settings and are never differentiated"
        )
        raise CallError(message)
    if type(value) in _PLAIN:  # any other value of the type would pass too
        it.checked.add((name, type(value)))

    return value


_PLAIN = frozenset({bool, int, float, str, type(None)})
