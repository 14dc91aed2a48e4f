"""Backprop as a list of steps: the forward pass, then the backward pass, one node at a time.

A backward step is the engine's own sweep over one node, on a copy whose operands are Values of
their own. So what an op hands to each operand is seen apart, sums are made in the engine's order,
and the graph keeps no marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from opgrad import namespaces
from opgrad.backprop import check_cotangent, collect, idle_entries, sweep
from opgrad.projection import data_of, everywhere, has_nan, is_complex
from opgrad.steps import add
from opgrad.structure import OPEN, PICK
from opgrad.value import Value, constant, make_node, next_serial, paused, recorded

INPUTS, FORWARD, START, BACKWARD, END = "inputs", "forward", "start", "backward", "end"


@attrs.frozen(eq=False)
class Contribution:
    """What a node hands to one of its operands."""

    operand: Value
    name: str
    """The operand's name in the op: `a`, `xs[2]`."""
    local: Any
    """The derivative of the output by this operand, entry by entry; None where the op mixes
    entries, so that only the product with a gradient can be told."""
    amount: Any
    before: Any
    """What had flowed to the operand until then; None: nothing."""
    after: Any


@attrs.frozen(eq=False)
class Step:
    """One step of the two passes."""

    kind: str
    """INPUTS, then a FORWARD each node, START, a BACKWARD each node, END."""
    node: Value | None = None
    incoming: Any = None
    """The node's gradient, a dict by index of an op with several outputs; None: none came."""
    contributions: tuple[Contribution, ...] = ()
    idle: bool = False
    """Nothing flows through here, by a choice that an op made: its rule was not asked."""


@attrs.frozen(eq=False)
class Stepping:
    """The two passes, and the gradients they end with."""

    outputs: tuple[Value, ...]
    leaves: tuple[Value, ...]
    """What the outputs were made of and that wants a gradient, oldest first."""
    steps: tuple[Step, ...]
    start: Mapping[int, Any]
    """The gradients of the outputs that the sweep starts with, by serial."""
    gradients: Mapping[int, Any]
    """By serial, of every Value that a gradient reached."""


def stepping(*outputs: Value, order: Iterable[Value] | None = None) -> Stepping:
    """What `backward()` on each of the outputs does, as steps; no gradient is set.

    Args:
        outputs: Scalar Values; with several, the sweep starts at all of them.
        order: All Values, operands before results. Default: in the order they were made, as
            `backward` goes. Another order may move the last digit of a sum.

    Raises:
        NotDifferentiableError: An output is a constant or no scalar.
        InPlaceError: Data changed since the forward.

    Examples:
        >>> x = Value(3.0)
        >>> for step in stepping(x * x).steps:
        ...     print(step.kind, step.incoming, [c.after for c in step.contributions])
        inputs None []
        forward None []
        start None []
        backward 1.0 [3.0, 6.0]
        end None []
    """
    start = {output.serial: check_cotangent(output, None) for output in outputs}
    distinct = {output.serial: output for output in outputs}
    collected, leaves, _ = collect(list(distinct.values()), (), 0)
    nodes = [node for node in collected if not _is_input(node)]
    if order is not None:
        rank = {id(value): place for place, value in enumerate(order)}
        nodes.sort(key=lambda node: rank[id(node)], reverse=True)
    inputs = [*leaves.values(), *filter(_is_input, collected)]
    with recorded(on=False), namespaces.quiet():
        idle = idle_entries(nodes, start, 0) if paused.get() % 1 else None
        backward, found = _walk(nodes, start, idle)
        if idle is None and any([i.serial in found and has_nan(found[i.serial]) for i in inputs]):
            backward, found = _walk(nodes, start, idle_entries(nodes, start, 0))
    nodes.reverse()
    forward = [Step(FORWARD, node) for node in nodes]

    return Stepping(
        outputs=tuple(distinct.values()),
        leaves=tuple(sorted(inputs, key=lambda value: value.serial)),
        steps=(Step(INPUTS), *forward, Step(START), *backward, Step(END)),
        start=start,
        gradients=found,
    )


def _is_input(node: Value) -> bool:
    """Whether a node is where a transform's function begins."""
    return node.op is OPEN or not node.operands


def _walk(
    nodes: Sequence[Value], start: Mapping[int, Any], idle: Mapping[int, Any] | None
) -> tuple[list[Step], dict[int, Any]]:
    """The backward steps, and the gradients by serial."""
    found = dict(start)
    steps = [
        _backward_step(node, found, None if idle is None else idle.get(node.serial))
        for node in nodes
    ]

    return steps, found


def _backward_step(node: Value, found: dict[int, Any], mask: Any) -> Step:
    """Sweep one node, and add what comes of it to the gradients found."""
    g = found.get(node.serial)
    if g is None:
        return Step(BACKWARD, node)
    copy, places = _apart(node)
    parts = sweep([copy], {copy.serial: g}, 0, idle=None if mask is None else {copy.serial: mask})
    if not parts:
        return Step(BACKWARD, node, g, idle=mask is not None and everywhere(mask))
    local = _local_derivatives(node)
    contributions = []
    for serial, part in parts.items():
        place = places[serial]
        operand = node.operands[place]
        amount, before = part, found.get(operand.serial)
        if isinstance(part, dict):  # one of several outputs, to be joined with the others
            amount = part[node.attributes["index"]]
            found[operand.serial] = _joined(before, part)
        else:
            add(found, operand, part)
        name, after = operand_name(node, place), found[operand.serial]
        contributions.append(Contribution(operand, name, local.get(place), amount, before, after))

    return Step(BACKWARD, node, g, tuple(contributions))


def _joined(held: Any, new: dict[int, Any]) -> dict[int, Any]:
    """Gradients of several outputs by index, with one more."""
    held = held or {}

    return {**held, **{i: held[i] + g if i in held else g for i, g in new.items()}}


def _apart(node: Value, *, spread: bool = False) -> tuple[Value, dict[int, int]]:
    """A copy of a node, each operand a Value of its own; and the place of each by its serial.

    With `spread` the operands have the shape of the output, so that no sum hides an entry.
    """
    operands, places = list(node.operands), {}
    for place, operand in enumerate(operands):
        if type(operand) is Value and operand.serial:
            own = constant(_spread(operand.data, node.data) if spread else operand.data)
            own.serial = next_serial()
            operands[place], places[own.serial] = own, place
    saved = getattr(node, "_saved", None)
    assert node.op is not None, "a leaf is no node"  # noqa: S101 -- for the type checker

    return make_node(node.op, tuple(operands), node.attributes, node.data, saved), places


def _spread(data: Any, output: Any) -> Any:
    """Data broadcast to the shape of an output."""
    shape = getattr(output, "shape", ())
    if getattr(data, "shape", ()) == shape:
        return data

    return namespaces.of_type(type(output)).broadcast_to(data, shape)


def _local_derivatives(node: Value) -> dict[int, Any]:
    """The derivative of the output by each operand, by place: what the rules make of ones.

    Of elementwise ops it has the shape of the output, of others that give a scalar the shape of
    the operand. What mixes entries, or the real and imaginary parts, has none to show.
    """
    op, data = node.op, node.data
    if op is None or op is PICK or op.outputs or not (op.elementwise or node.size == 1):
        return {}
    copy, places = _apart(node, spread=op.elementwise)
    xp = namespaces.of_type(type(data))
    ones = xp.ones_like(data) if hasattr(data, "dtype") else 1.0
    parts = sweep([copy], {copy.serial: ones}, 0)

    return {
        places[serial]: part
        for serial, part in parts.items()
        if is_complex(data_of(node.operands[places[serial]])) or not is_complex(data)
    }


def operand_name(node: Value, place: int) -> str:
    """What an op calls the operand at this place: `a`; of many `xs[2]`."""
    op = node.op
    if op is None:
        return ""

    return op.operands[place] if op.operands else f"{op.variadic}[{place}]"
