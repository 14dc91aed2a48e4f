"""What the functions here are made with: ops by name, and operands of what a caller gave."""

from __future__ import annotations

from typing import Any

from opgrad.names import core
from opgrad.namespaces import numpy as xp
from opgrad.types import shape as shape_of
from opgrad.value import Value

ops: Any = core()


def operand(x: Any) -> Any:
    """What NumPy would make an array of, as one; Values in it keep their gradients."""
    if not isinstance(x, list | tuple):
        return x
    if not _holds_value(x):
        return xp.asarray(x)

    return ops.stack([array(operand(part)) for part in x], axis=0)


def _holds_value(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any([_holds_value(part) for part in x])

    return type(x) is Value


def array(x: Any) -> Any:
    """A Value or an array as it is; a number, or a Value that holds one, as an array of no axes."""
    if type(x) is not Value:
        return x if hasattr(x, "dtype") else xp.asarray(x)
    if hasattr(x.data, "dtype"):
        return x

    return ops.full_like(xp.zeros((), dtype=xp.result_type(x.data, 1.0)), x)


def rank_of(x: Any) -> int:
    """The number of axes."""
    return len(shape_of(x))


def flat(x: Any) -> Any:
    """The entries in one dimension."""
    return ops.ravel(array(operand(x)))
