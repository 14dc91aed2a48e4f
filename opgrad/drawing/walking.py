"""The Values a picture is of, operands before results."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from opgrad.structure import INPUT, OPEN, PICK
from opgrad.value import Value

N = TypeVar("N", bound=Hashable)


def made_of(outputs: Iterable[Value]) -> list[Value]:
    """Every Value the outputs were made of, each once, after its operands.

    Serials would give an order at once, but a leaf whose data was assigned has a young one.
    """
    return postorder(outputs, _operands)


def _operands(value: Value) -> list[Value]:
    return [] if value.op is None else [o for o in value.operands if type(o) is Value]


def postorder(starts: Iterable[N], before: Callable[[N], Sequence[N]]) -> list[N]:
    """All that can be reached, each once, after what comes `before` it (but for circles).

    Examples:
        >>> postorder([3], range)
        [0, 1, 2, 3]
    """
    order: list[N] = []
    finished: dict[N, bool] = {}
    waiting = list(starts)[::-1]
    while waiting:
        node = waiting[-1]
        state = finished.get(node)
        if state is None:
            finished[node] = False
            waiting += [near for near in reversed(before(node)) if near not in finished]
        else:
            waiting.pop()
            if not state:
                finished[node] = True
                order.append(node)

    return order


def is_input(value: Value) -> bool:
    """Whether it is a leaf to its reader: one, or an input of a transform, given as plain data."""
    return value.op is None or (value.op in {INPUT, OPEN} and type(value.first) is not Value)


def is_whole(value: Value) -> bool:
    """Whether it holds all outputs of an op that has several."""
    return type(value.data) is tuple


def boxes_of(value: Value) -> int:
    """How many boxes a Value has: itself and its op, or one of them."""
    return 1 if is_input(value) or value.op is PICK or is_whole(value) else 2
