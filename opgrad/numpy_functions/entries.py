"""Functions that work entry by entry: where, select, round, angle, fmax, heaviside."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log, pi
from typing import Any

from opgrad.errors import CallError
from opgrad.namespaces import numpy as xp
from opgrad.numpy_functions.operands import operand, ops


def where(condition: Any, *branches: Any) -> Any:
    if len(branches) == 1:
        message = "numpy.where takes one argument or three, got 2"
        raise CallError(message)
    if not branches:
        return ops.nonzero(operand(condition))
    a, b = map(operand, branches)

    return ops.where(operand(condition), a, b)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        y = ops.where(operand(condition), operand(choice), operand(y))

    return y


def nan_to_num(
    x: Any,
    copy: bool = True,
    nan: Any = 0.0,
    posinf: Any = None,
    neginf: Any = None,
) -> Any:
    del copy
    x = operand(x)
    limits = xp.finfo(x.dtype)
    y = ops.where(ops.isnan(x), nan, x)
    y = ops.where(ops.equal(x, inf), float(limits.max) if posinf is None else posinf, y)

    return ops.where(ops.equal(x, -inf), float(limits.min) if neginf is None else neginf, y)


def isposinf(x: Any) -> Any:
    return ops.equal(operand(x), inf)


def isneginf(x: Any) -> Any:
    return ops.equal(operand(x), -inf)


def around(a: Any, decimals: int = 0) -> Any:
    a = operand(a)
    if decimals == 0:
        return ops.round(a)

    return ops.round(a * 10.0**decimals) / 10.0**decimals


round = around


def angle(z: Any, deg: bool = False) -> Any:
    z = operand(z)
    radians = ops.atan2(ops.imag(z), ops.real(z))

    return radians * (180.0 / pi) if deg else radians


def deg2rad(x: Any) -> Any:
    return ops.multiply(x, pi / 180.0)


def rad2deg(x: Any) -> Any:
    return ops.multiply(x, 180.0 / pi)


radians, degrees = deg2rad, rad2deg


def logaddexp2(x1: Any, x2: Any) -> Any:
    return ops.logaddexp(ops.multiply(x1, log(2.0)), ops.multiply(x2, log(2.0))) / log(2.0)


def fmax(x1: Any, x2: Any) -> Any:
    return ops.where(ops.isnan(x1), x2, ops.where(ops.isnan(x2), x1, ops.maximum(x1, x2)))


def fmin(x1: Any, x2: Any) -> Any:
    return ops.where(ops.isnan(x1), x2, ops.where(ops.isnan(x2), x1, ops.minimum(x1, x2)))


def heaviside(x1: Any, x2: Any) -> Any:
    step = ops.where(ops.greater(x1, 0.0), 1.0, ops.where(ops.less(x1, 0.0), 0.0, x2))

    return ops.where(ops.isnan(x1), x1, step)


def divmod(x1: Any, x2: Any) -> Any:
    return ops.floor_divide(x1, x2), ops.remainder(x1, x2)
