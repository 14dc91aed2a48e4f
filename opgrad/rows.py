"""Many cotangents in one sweep: the rows of a Jacobian, a leading axis of every gradient.

A step whose rules the engine itself multiplies with the gradient (`derivative`, of an elementwise
op) takes all rows at once: broadcasting does it. Other rules see one row after the other, as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from opgrad import namespaces
from opgrad.backprop import gradients, note
from opgrad.namespaces import REAL
from opgrad.op import Op
from opgrad.projection import has_nan, is_complex, pop_owned, sum_out
from opgrad.steps import add, compile_step, product_rule
from opgrad.structure import PICK
from opgrad.types import shape as shape_of
from opgrad.value import Value, paused, recorded

Rule = Callable[[Any, Value], Any]

_ENTRIES = 1 << 17
"""Entries of the largest gradient up to which rows are swept together: 1 MiB stays in the cache."""


def sweep_rows(
    nodes: Sequence[Value], output: Value, wanted: Sequence[Value], floor: int
) -> list[Any] | None:
    """The gradients of each entry of `output`, an array, by plain data.

    Args:
        nodes: What lies between, newest first, as `plan_sweep` gives it.
        output: An array that was made of `wanted`.
        wanted: Where the sweep stops.
        floor: Only operands newer than this get a gradient.

    Returns:
        For each of `wanted` an array of shape `(output.size, *shape)`, or None where nothing
        depends on it. None in all where this is no way to do it: a node has several outputs,
        somebody watches, or a gradient came out NaN (then each row's structural zeros matter).
    """
    data = output._data
    if paused.get() % 1 or not all(map(_is_simple, nodes)):
        return None
    xp = namespaces.of_type(type(data))
    count = prod(data.shape)
    largest = max([prod(shape_of(node._data)) for node in nodes], default=1)
    together = max(1, _ENTRIES // max(largest, 1))
    parts: list[list[Any]] = []
    with recorded(on=False), namespaces.quiet():
        for first in range(0, count, together):
            number = min(together, count - first)
            units = xp.eye(number, count, k=first, dtype=data.dtype)
            found = _sweep(nodes, {output.serial: xp.reshape(units, (number, *data.shape))}, floor)
            del units
            own = [pop_owned(found, v.serial) if v.serial in found else None for v in wanted]
            if any([g is not None and has_nan(g) for g in own]):
                return None
            parts.append(own)
    if len(parts) == 1:
        return parts[0]

    return [None if column[0] is None else xp.concat(column) for column in zip(*parts, strict=True)]


def _is_simple(node: Value) -> bool:
    op = node.op

    return bool(op and op is not PICK and not op.outputs and namespaces.kind_of(node._data) is REAL)


def _sweep(nodes: Sequence[Value], found: dict[int, Any], floor: int) -> dict[int, Any]:
    """Walk the nodes with many rows, as `backprop.sweep` does with one."""
    for node in nodes:
        rows = found.pop(node.serial, None)
        if rows is None:
            continue
        try:
            rules = _products(node.op) if node.op else None
            if rules is None:
                _one_by_one(rows, node, found, floor)
            else:
                _all_at_once(rows, node, rules, found, floor)
        except Exception as error:
            note(error, node, "the backward")
            raise

    return found


def _products(op: Op) -> Sequence[Rule | None] | None:
    """For each operand its gradient as rows times a derivative; None for one without.

    None in all where a rule gets to see the gradient.
    """
    if op.row_rules is None:
        names = [name for name in op.operands if name not in op.nondiff]
        rules = {name: product_rule(op, name) for name in names}
        fit = op.elementwise and names and all(rules.values())
        object.__setattr__(op, "row_rules", fit and tuple(map(rules.get, op.operands)))

    return op.row_rules or None


def _all_at_once(
    rows: Any, node: Value, rules: Sequence[Any], found: dict[int, Any], floor: int
) -> None:
    for operand, rule in zip(node.operands, rules, strict=True):
        if type(operand) is Value and operand.serial > floor and rule is not None:
            add(found, operand, _project(rule(rows, node), operand._data))


def _project(d: Any, x: Any) -> Any:
    """Rows of gradients in the space of `x`: broadcasting summed out, its dtype, real for real."""
    xp = namespaces.of_type(type(d))
    shape, large = shape_of(x), d.shape[1:]
    if is_complex(d) and not is_complex(x):
        d = xp.real(d)
    if shape != large:
        stretched = (1,) * (len(large) - len(shape)) + shape  # the rows stay
        d = xp.reshape(sum_out(d, d.shape, (len(d), *stretched), xp), (len(d), *shape))
    if hasattr(x, "dtype") and d.dtype != x.dtype:
        d = xp.astype(d, x.dtype)

    return d


def _one_by_one(rows: Any, node: Value, found: dict[int, Any], floor: int) -> None:
    """Call the op's step with each row, and stack what it gave each operand."""
    op: Any = node.op
    step = op.plain_step or compile_step(op, gradients, record=False)
    plain = not hasattr(node._data, "dtype")
    stacks: dict[int, list[Any]] = {}
    for row in rows.tolist() if plain else rows:
        parts: dict[int, Any] = {}
        step(row, node, floor, parts, None)
        for serial, part in parts.items():
            stacks.setdefault(serial, []).append(part)
    xp = namespaces.of_type(type(rows))
    for serial, stack in stacks.items():
        new = xp.stack(stack) if hasattr(stack[0], "dtype") else xp.asarray(stack)
        found[serial] = found[serial] + new if serial in found else new
