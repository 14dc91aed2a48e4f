"""`debug`: the first NaN or inf of a computation, traced to its op and to the user's line.

Within the block every op call on Values, and every step of a sweep, is looked at: slower, and
nobody pays for it outside.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import finalize

from opgrad import namespaces
from opgrad.dispatch import watcher
from opgrad.errors import NonFiniteError
from opgrad.op import Op
from opgrad.projection import data_of
from opgrad.value import WATCHING, Value, paused

_HERE = os.path.dirname(__file__)  # noqa: PTH120 -- no pathlib at import
_lines: dict[int, str] = {}  # by serial: Values compare by their data


@contextmanager
def debug() -> Iterator[None]:
    """Raise at the first NaN or inf that an op on Values, or a rule of a sweep, makes.

    Raises:
        NonFiniteError: With the op, its provider, its operands and the line that called it.

    Examples:
        >>> import opgrad
        >>> x = opgrad.Value(0.0)
        >>> with opgrad.debug():  # doctest: +ELLIPSIS
        ...     opgrad.ops.log(x)
        Traceback (most recent call last):
        ...
        opgrad.errors.NonFiniteError: the first inf comes from core.log (opgrad ...
    """
    token = paused.set(paused.get() // 1 + WATCHING)
    try:
        yield
    finally:
        paused.reset(token)


def _look(op: Op, operands: tuple[Any, ...], result: Any) -> None:
    """Refuse a result that is not finite where all operands are."""
    parts = result if isinstance(result, tuple) else (result,)
    kind = next((k for k in map(_not_finite, parts) if k), None)
    if kind is None or any(_not_finite(data_of(o)) for o in operands):
        return
    message = f"the first {kind} comes from {_where(op, operands)}, called at {_user_line()}"
    raise NonFiniteError(message)


def _mark(node: Value) -> None:
    """Remember the user's line that made a node, for errors of the backward sweep."""
    if node.op is not None:
        _lines[node.serial] = _user_line()
        finalize(node, _lines.pop, node.serial, None).atexit = False


def _look_at_step(node: Value, g: Any, found: dict[int, Any]) -> None:
    """Refuse a gradient that is not finite where the gradient that came in is."""
    op = node.op
    if op is None or isinstance(g, dict) or _not_finite(data_of(g)):
        return
    for operand in node.operands:
        d = found.get(operand.serial) if type(operand) is Value else None
        kind = None if d is None or isinstance(d, dict) else _not_finite(data_of(d))
        if kind:
            line = _lines.get(node.serial, "a line outside debug()")
            message = (
                f"the first {kind} of the backward sweep comes from a rule of "
                f"{_where(op, node.operands)}, called at {line}; "
                f"the gradient that came in is {namespaces.describe(data_of(g))}"
            )
            raise NonFiniteError(message)


def _not_finite(data: Any) -> str | None:
    """`NaN` or `inf` where data has one; NaN first."""
    if namespaces.kind_of(data) is not namespaces.REAL:
        return None
    xp = namespaces.of_type(type(data))
    if bool(xp.all(xp.isfinite(data))):
        return None

    return "NaN" if bool(xp.any(xp.isnan(data))) else "inf"


def _where(op: Op, operands: tuple[Any, ...]) -> str:
    described = ", ".join(namespaces.describe(data_of(o)) for o in operands if o is not None)

    return f"{op.described}, {op.place}, on {described}"


def _user_line() -> str:
    """`file:line` of the nearest caller outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((_HERE, "<opgrad")):
        frame = frame.f_back

    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


watcher[:] = [_look, _mark, _look_at_step]
