"""The backward sweep: from an output to the gradients of everything it was made of.

`collect` gathers the nodes between the output and the wanted inputs; `sweep` walks them in
falling serial order, asks each op's rules, projects what they return into the space of the
operand, and adds it up. The sweep runs on raw data, or on Values: then it is itself recorded.

A branch that `where` did not take contributes exactly zero, also where a local derivative on it is
infinite. That costs nothing until a gradient comes out NaN: then the sweep is run once more, with
zeros where nothing can flow.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any

from opgrad import dispatch, namespaces
from opgrad.errors import InPlaceError, NotDifferentiableError, OpgradError, RuleError
from opgrad.names import core
from opgrad.projection import data_of, everywhere, has_nan, is_zero, nan_unless, pop_owned
from opgrad.steps import add, compile_step
from opgrad.structure import OPEN
from opgrad.types import shape as shape_of
from opgrad.value import MANY, Value, hand_over_backward, paused, recorded

_by_serial = attrgetter("serial")
ASKED: Any = "where the cotangents given are zero"


def gradients(  # noqa: PLR0913 -- some are settings of one sweep
    outputs: Sequence[Value], cotangents: Sequence[Any], wanted: Sequence[Value], *,
    floor: int, record: bool | None, idle: Any = ASKED,
) -> tuple[list[Any], bool]:  # fmt: skip
    """The gradients of `outputs` with respect to `wanted`, None where none depends on one.

    Args:
        outputs: Where the sweep starts.
        cotangents: Their gradients, each of its output's shape.
        wanted: Where the sweep stops.
        floor: A serial below those of `wanted`; nothing older can depend on them.
        record: Record the sweep. With False it is recorded all the same where another Value that
            wants a gradient is reachable, or a cotangent is such a Value; with None, never.
        idle: Where the cotangents are zero by structure. Default: where they are zero, as those a
            caller gives; a sweep within a sweep knows better: a mask, or None for nowhere.

    Returns:
        The gradients and whether the sweep was recorded.
    """
    plan = plan_sweep(outputs, wanted, floor)

    return follow(plan, outputs, cotangents, wanted, floor=floor, record=record, idle=idle)


def plan_sweep(
    outputs: Sequence[Value], wanted: Sequence[Value], floor: int
) -> tuple[list[Value], bool]:
    """The nodes between `outputs` and `wanted`, and whether anything else wants a gradient.

    Raises:
        InPlaceError: Data changed since the forward.
    """
    targets = {value.serial for value in wanted}
    nodes, _, others = collect(outputs, targets, floor)

    return between(nodes, targets), others


def follow(  # noqa: PLR0913 -- as `gradients`
    plan: tuple[list[Value], bool], outputs: Sequence[Value], cotangents: Sequence[Any],
    wanted: Sequence[Value], *, floor: int, record: bool | None, idle: Any = ASKED,
) -> tuple[list[Any], bool]:  # fmt: skip
    """As `gradients`, by a plan made before: many sweeps of one graph share it."""
    nodes, others = plan
    if record is not None:
        record = record or others or any([type(c) is Value and c.serial for c in cotangents])
    start = _start(outputs, cotangents)
    targets = [value.serial for value in wanted]
    found = _sweep_without_nan(nodes, start, floor, targets, record=bool(record), asked=idle)

    return [found.get(serial) for serial in targets], bool(record)


def backward(output: Value, cotangent: Any, record: bool) -> None:  # noqa: FBT001 -- `Value.backward` names it
    """Set `grad` on every Value that `output` was made of; leaves accumulate."""
    cotangent = check_cotangent(output, cotangent)
    nodes, leaves, _ = collect([output], (), 0)
    record = record or (type(cotangent) is Value and cotangent.requires_grad)
    start = {output.serial: cotangent}
    del cotangent  # `pop_owned` counts who holds a gradient
    found = _sweep_without_nan(nodes, start, 0, leaves, record=record, keep=True)
    start.clear()
    with _accumulating:  # threads may sweep to the same leaves
        for serial, leaf in leaves.items():
            if serial in found:
                held, new = leaf._grad, pop_owned(found, serial)
                leaf._grad = new if held is None else held + new


_accumulating = threading.Lock()
hand_over_backward(backward)


def check_cotangent(output: Value, cotangent: Any) -> Any:
    """The cotangent a sweep from `output` starts with: the one given, or 1 for a scalar.

    Raises:
        NotDifferentiableError: `output` is a constant, or needs a cotangent and has none.
        RuleError: The cotangent's shape is not that of `output`.
    """
    if not output.serial:
        message = (
            f"{output.described} is a constant: it was made of constants, under no_grad, or by an "
            "op without derivative, so there is nothing to differentiate"
        )
        raise NotDifferentiableError(message)
    if output.serial < 0:
        raise InPlaceError(_changed(output, output))
    data = output._data
    if cotangent is None:
        if output.size != 1:
            message = (
                f"a gradient starts from a scalar, and this Value has shape {output.shape}; "
                "reduce it first (.sum(), .mean()), or give a cotangent of its shape"
            )
            raise NotDifferentiableError(message)
        if type(data) in (float, int, complex):
            return 1.0
        return namespaces.of_type(type(data)).ones_like(data)
    given = data_of(cotangent)
    if namespaces.kind_of(given) is not namespaces.REAL or shape_of(given) != output.shape:
        message = (
            f"the cotangent is {namespaces.describe(given)}; "
            f"it needs the shape of the output, {output.shape}, and floating data"
        )
        raise RuleError(message)

    return in_dtype_of(output, cotangent)


def in_dtype_of(value: Value, given: Any) -> Any:
    """A cotangent or tangent in the dtype of what it belongs to."""
    data, plain = value._data, data_of(given)
    if not hasattr(data, "dtype") or getattr(plain, "dtype", None) == data.dtype:
        return given
    xp = core() if type(given) is Value else namespaces.of_type(type(data))
    if not hasattr(plain, "dtype"):
        return given if type(given) is Value else xp.full_like(data, given)

    return xp.astype(given, data.dtype)


def collect(  # noqa: C901, PLR0912, PLR0915 -- the same ten lines for each place an operand has: a third faster
    outputs: Sequence[Value], targets: Collection[int], floor: int
) -> tuple[list[Value], dict[int, Value], bool]:
    """The computed Values between `outputs` and the targets, newest first.

    Also the leaves by serial, and whether there is anything else that wants a gradient: a leaf,
    or something not newer than `floor`. Targets are boundaries; they are not entered.

    Raises:
        InPlaceError: The data of an operand changed after it was used.
    """
    constants: list[tuple[Value, Value]] = []
    nodes: list[Value] = []
    seen = {*targets, *[output.serial for output in outputs]}
    others = [o for o in outputs if o.serial not in targets]
    older = [o for o in others if o.serial <= floor]
    stack = [o for o in others if o.serial > floor and o.op is not None]
    leaves = {o.serial: o for o in others if o.serial > floor and o.op is None}
    add_node, add_seen, push, pop = nodes.append, seen.add, stack.append, stack.pop
    while stack:
        node = pop()
        add_node(node)
        limit = node.serial
        operand = node.first
        if type(operand) is Value:
            serial = operand.serial
            if serial > limit:
                raise InPlaceError(_changed(node, operand))
            if serial not in seen:
                if serial > floor:
                    add_seen(serial)
                    if operand.op is not None:
                        push(operand)
                    else:
                        leaves[serial] = operand
                elif serial:
                    older.append(operand)
                elif operand._saved is not None:
                    constants.append((node, operand))
        operand = node.second
        if type(operand) is Value:
            serial = operand.serial
            if serial > limit:
                raise InPlaceError(_changed(node, operand))
            if serial not in seen:
                if serial > floor:
                    add_seen(serial)
                    if operand.op is not None:
                        push(operand)
                    else:
                        leaves[serial] = operand
                elif serial:
                    older.append(operand)
                elif operand._saved is not None:
                    constants.append((node, operand))
        elif operand is MANY:
            for operand in node.first:
                if type(operand) is Value:
                    serial = operand.serial
                    if serial > limit:
                        raise InPlaceError(_changed(node, operand))
                    if serial not in seen:
                        if serial > floor:
                            add_seen(serial)
                            if operand.op is not None:
                                push(operand)
                            else:
                                leaves[serial] = operand
                        elif serial:
                            older.append(operand)
                        elif operand._saved is not None:
                            constants.append((node, operand))
    for operand in older:
        if operand.serial < 0:
            raise InPlaceError(_changed(operand, operand))
    for node, operand in constants:
        if operand._saved > node.serial:
            raise InPlaceError(_changed(node, operand))
    nodes.sort(key=_by_serial, reverse=True)

    return nodes, leaves, bool(leaves) or _alive(older)


def _alive(older: list[Value]) -> bool:
    """Whether somebody can differentiate by what these were made of.

    Not where that is only inputs of transforms whose function has returned: `vjp` keeps such
    graphs for its `pull`.
    """
    stack, seen = list(older), {value.serial for value in older}
    while stack:
        value = stack.pop()
        if value.op is None or value.op is OPEN:
            return True
        for operand in value.operands:
            if type(operand) is Value and operand.serial and operand.serial not in seen:
                seen.add(operand.serial)
                stack.append(operand)

    return False


def between(nodes: list[Value], targets: set[int]) -> list[Value]:
    """Those of the nodes that depend on a target."""
    active = set(targets)
    kept: list[Value] = []
    for node in reversed(nodes):
        for operand in node.operands:
            if type(operand) is Value and operand.serial in active:
                active.add(node.serial)
                kept.append(node)
                break
    kept.reverse()

    return kept


def _changed(node: Value, operand: Value) -> str:
    if operand.serial < 0 and operand.op is not None:
        return (
            f"the data of {operand.described}, a result of {operand.op.described}, was assigned, "
            "so its history no longer tells how it was made; make a new Value of the data instead"
        )
    used_by = node.op.described if node.op else "an op"

    return (
        f"the data of {operand.described} was assigned after {used_by} had used it; "
        "run the forward again after changing data"
    )


def _start(outputs: Sequence[Value], cotangents: Sequence[Any]) -> dict[int, Any]:
    """The cotangents by the serial of their output; of an output given twice, their sum."""
    start: dict[int, Any] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        add(start, output, cotangent)

    return start


def _sweep_without_nan(  # noqa: PLR0913 -- as `sweep`
    nodes: list[Value], start: dict[int, Any], floor: int, wanted: Collection[int], *,
    record: bool, keep: bool = False, asked: Any = ASKED,
) -> dict[int, Any]:  # fmt: skip
    plain = {serial: data_of(cotangent) for serial, cotangent in start.items()}
    start = dict(start) if record else dict(plain)
    with recorded(on=record), namespaces.quiet():
        watched = bool(paused.get() % 1)
        found = {} if watched else sweep(nodes, dict(start), floor, record=record, keep=keep)
        if watched or any([serial in found and has_nan(found[serial]) for serial in wanted]):
            idle = idle_entries(nodes, plain, floor, asked)
            found = sweep(nodes, start, floor, record=record, keep=keep, idle=idle)

    return found


def idle_entries(
    nodes: list[Value], start: dict[int, Any], floor: int, asked: Any = ASKED
) -> dict[int, Any]:
    """Where nothing flows, whatever the cotangents are: entries a `where` did not take.

    A zero there is a zero of the structure, not of the numbers. It is found by sweeping NaN: only
    a rule that selects gives an exact zero then. By serial, as masks.
    """
    idle: dict[int, Any] = {}
    with recorded(on=False):
        nan = {
            serial: nan_unless(cotangent == 0 if asked is ASKED else asked, cotangent)
            for serial, cotangent in start.items()
        }
        sweep(nodes, nan, floor, probe=idle)

    return idle


def sweep(  # noqa: PLR0913 -- some are settings of one walk
    nodes: list[Value], found: dict[int, Any], floor: int, *,
    record: bool = False, keep: bool = False, idle: Mapping[int, Any] | None = None,
    probe: dict[int, Any] | None = None,
) -> dict[int, Any]:  # fmt: skip
    """Walk the nodes, newest first; return the gradients of what is not a node, by serial.

    Args:
        nodes: What to walk, in falling serial order.
        found: The cotangents to start from, by serial; filled, and returned.
        floor: Only operands newer than this get a gradient.
        record: Call the rules on Values and opgrad's own ops, so that the sweep is recorded.
        keep: Leave each computed node's gradient in its `grad`.
        idle: Where each node's cotangent is zero by structure: exactly zero is passed on there.
        probe: Filled with where each node's cotangent is exactly zero.
    """
    take = found.pop
    watch = dispatch.watcher[2] if paused.get() % 1 else None
    node: Any = None
    try:
        for node in nodes:
            g = take(node.serial, None)
            if g is not None:
                op = node.op
                if record:
                    step = op.recorded_step or compile_step(op, gradients, record=True)
                else:
                    step = op.plain_step or compile_step(op, gradients, record=False)
                if keep:
                    node._grad = g
                if probe is not None:
                    mask = probe[node.serial] = is_zero(g)
                else:
                    mask = idle[node.serial] if idle is not None else None
                if mask is None or not everywhere(mask):
                    step(g, node, floor, found, mask)
                    if watch is not None and probe is None:
                        watch(node, g, found)
    except Exception as error:
        if node is not None:
            note(error, node, "the backward")
        raise

    return found


def note(error: BaseException, node: Value, mode: str) -> None:
    """Say on an error that left a rule which op it was, from where, and on what.

    Raises:
        RuleError: The error came of a rule that returned None.
    """
    op = node.op
    if op is None or isinstance(error, OpgradError):
        return
    if isinstance(error, TypeError) and "NoneType" in str(error):
        message = f"a rule of {op.described}, {op.place}, returned None where it owes a derivative"
        raise RuleError(message) from error
    dispatch.note(op, error, node.operands, mode)
