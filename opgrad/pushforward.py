"""The forward sweep: tangents pushed through a recorded graph, oldest node first.

Each op gives its tangent by its `derivative`, its `jvp`, its linearity, its composite, or, where
it has only a backward rule, by transposing that: the vjp of the vjp. Nothing is taken as zero for
want of a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opgrad import namespaces
from opgrad.backprop import ASKED, gradients, note, plan_sweep
from opgrad.errors import RuleError
from opgrad.names import core
from opgrad.namespaces import REAL, describe, kind_of, of_type
from opgrad.op import Op
from opgrad.projection import (
    data_of,
    everywhere,
    has_nan,
    is_complex,
    nan_unless,
    reaches,
    zeros_like,
)
from opgrad.steps import compile_step, missing_rule, run_forward, unroll, written_rule
from opgrad.structure import PICK, alias
from opgrad.types import shape as shape_of
from opgrad.value import Value, make_node, next_serial, recorded

Tangents = tuple[Any, ...]  # one an operand, None where it has no tangent


def tangents(  # noqa: PLR0913 -- some are settings of one sweep
    outputs: Sequence[Value], wanted: Sequence[Value], given: Sequence[Any], *,
    floor: int, record: bool | None, still: Any = ASKED,
) -> tuple[list[Any], bool]:  # fmt: skip
    """The tangents of `outputs` when `wanted` move along `given`, None where nothing moves.

    Args:
        outputs: Where the sweep ends.
        wanted: Where it starts.
        given: The tangents of `wanted`, each of its shape.
        floor: A serial below those of `wanted`.
        record: Record the sweep; with False it is recorded all the same where something else
            wants a gradient; with None, never.
        still: Where each of `wanted` does not move by structure. Default: where its tangent is
            zero, as those a caller gives; a sweep within a sweep knows better: masks, or None.

    Returns:
        The tangents and whether the sweep was recorded.
    """
    nodes, others = plan_sweep(outputs, wanted, floor)
    if record is not None:
        record = record or others or any([type(t) is Value and t.serial for t in given])
    record = bool(record)
    start = {
        value.serial: t if record else data_of(t)
        for value, t in zip(wanted, given, strict=True)
        if still is not ASKED or not _stands_still(t)
    }
    with recorded(on=record), namespaces.quiet():
        found = _push(nodes, dict(start), record=record)
        results = [found.get(output.serial) for output in outputs]
        if any([t is not None and has_nan(t) for t in results]):
            masks = _still(nodes, wanted, given, still)
            found = _push(nodes, start, record=record, still=masks)
            results = [found.get(output.serial) for output in outputs]

    return results, record


def _still(
    nodes: list[Value], wanted: Sequence[Value], given: Sequence[Any], still: Any
) -> dict[int, Any]:
    """Where nothing moves, whatever the tangents are: found by pushing NaN, as backward does."""
    plain = [data_of(t) for t in given]
    masks = [t == 0 for t in plain] if still is ASKED else still or [None] * len(plain)
    nan = {
        value.serial: nan_unless(mask, t)
        for value, t, mask in zip(wanted, plain, masks, strict=True)
    }
    probe: dict[int, Any] = {}
    with recorded(on=False):
        _push(nodes, nan, record=False, probe=probe)

    return probe


def _stands_still(t: Any) -> bool:
    """Whether a tangent is plain zeros: then its input does not move, and 0 * inf cannot arise."""
    return type(t) is not Value and everywhere(t == 0)


def _push(
    nodes: list[Value], found: dict[int, Any], *,
    record: bool, still: dict[int, Any] | None = None, probe: dict[int, Any] | None = None,
) -> dict[int, Any]:  # fmt: skip
    node: Any = None
    try:
        for node in reversed(nodes):
            ts = tuple([found.get(o.serial) if type(o) is Value else None for o in node.operands])
            masks = still.get(node.serial) if still is not None else None
            if probe is not None:
                masks = probe[node.serial] = tuple([_is_zero(t) for t in ts])
            if masks:  # an operand that stands still everywhere has no tangent
                ts = tuple(
                    [
                        None if m is not None and everywhere(m) else t
                        for t, m in zip(ts, masks, strict=True)
                    ]
                )
            if any([t is not None for t in ts]):
                found[node.serial] = push_one(node.op, node, ts, record=record, still=masks)
    except Exception as error:
        if node is not None:
            note(error, node, "forward mode")
        raise

    return found


def _is_zero(t: Any) -> Any:
    """Where a tangent is exactly zero; of several outputs, nowhere."""
    return None if t is None or type(t) is tuple else t == 0


def push_one(
    op: Op, node: Value, ts: Tangents, *, record: bool, still: Tangents | None = None
) -> Any:
    """The tangent of one node, given the tangents of its operands."""
    if op is PICK:
        return ts[0][node._attributes["index"]]
    xp = core() if record else of_type(type(_first(node._data)))
    pushes = op.pushes or _compile(op)
    if still and op.elementwise and not op.outputs:
        return _masked_sum(op, node, ts, still, lambda ts: pushes[record](xp, ts, node), xp)
    t = pushes[record](xp, ts, node)
    if not op.outputs:
        return _project(t, node._data, op, xp)
    if not isinstance(t, tuple) or len(t) != len(node._data):
        got = f"{len(t)} tangents" if isinstance(t, tuple) else type(t).__name__
        message = (
            f"the forward-mode rule of {op.described} returned {got} for {len(node._data)} "
            "outputs; it returns a tuple with one tangent an output"
        )
        raise RuleError(message)

    return tuple([_project(part, y, op, xp) for part, y in zip(t, node._data, strict=True)])


def _masked_sum(  # noqa: PLR0913, PLR0917 -- all that a push knows
    op: Op, node: Value, ts: Tangents, still: Tangents, push: Callable[[Tangents], Any], xp: Any
) -> Any:  # fmt: skip
    """The contribution of each operand, exactly zero where the operand stands still."""
    total: Any = None
    for i, t in enumerate(ts):
        if t is not None:
            alone = tuple([t if j == i else None for j in range(len(ts))])
            part = _project(push(alone), node._data, op, xp)
            if hasattr(still[i], "dtype"):
                part = xp.where(still[i], zeros_like(data_of(part)), part)
            total = part if total is None else total + part

    return total


def _first(data: Any) -> Any:
    return data[0] if type(data) is tuple else data


def _project(t: Any, y: Any, op: Op, xp: Any) -> Any:
    """The tangent in the space of an output: broadcast where the op is elementwise, cast."""
    data = data_of(t)
    like = type(data) is type(y) and shape_of(data) == shape_of(y)
    if like and getattr(data, "dtype", None) == getattr(y, "dtype", None):
        return t
    _check(data, y, op)
    if shape_of(data) != shape_of(y):
        t = xp.broadcast_to(t, shape_of(y))
        data = data_of(t)
    if is_complex(data) and not is_complex(y):
        t = xp.real(t) if hasattr(data, "dtype") or type(t) is Value else t.real
        data = data_of(t)
    if hasattr(y, "dtype"):
        if not hasattr(data, "dtype"):
            return of_type(type(y)).full_like(y, t) if type(t) is not Value else t
        if data.dtype != y.dtype:
            return xp.astype(t, y.dtype)

    return t


def _check(data: Any, y: Any, op: Op) -> None:
    """Refuse a tangent that is no number, or of another shape than its output."""
    wrong = data is None or kind_of(data) is not REAL
    if not wrong and shape_of(data) != shape_of(y):
        wrong = not (op.elementwise and reaches(shape_of(data), shape_of(y)))
    if wrong:
        got = "None" if data is None else describe(data)
        message = (
            f"the forward-mode rule of {op.described} returned {got} for an output "
            f"that is {describe(y)}"
        )
        raise RuleError(message)


# -- an op's rules as calls -----------------------------------------------------------------------


def _compile(op: Op) -> dict[bool, Callable[[Any, Tangents, Value], Any]]:
    """Write how an op pushes tangents `(xp, ts, node)`, on plain data and to be recorded."""
    pushes = {False: _push_of(op, record=False), True: _push_of(op.kernel_of or op, record=True)}
    object.__setattr__(op, "pushes", pushes)

    return pushes


def _push_of(op: Op, *, record: bool) -> Callable[[Any, Tangents, Value], Any]:
    joint = op.rule("jvp", None)
    if joint is not None:
        return _joint(op, joint, record=record)
    if op.linear == "jointly" or (op.linear and len(op.operands) == 1):
        return _linear_jointly(op)
    if op.linear or (op.operands and all(_has_rule(op, name) for name in op.operands)):
        return _sum_of_operands(op, record=record)
    if op.composite:
        return _composite(op, record=record)
    if any(_has_rule(op, name) for name in op.operands if name not in op.nondiff):
        return _sum_of_operands(op, record=record)

    return _transposed(op, record=record)


def _has_rule(op: Op, name: str) -> bool:
    """Whether an operand needs no more for forward mode."""
    return name in op.nondiff or ("jvp", name) in op.rules or ("derivative", name) in op.rules


def _joint(op: Op, rule: Callable[..., Any], *, record: bool) -> Callable[..., Any]:
    call = written_rule(op, rule, "t, node", record=record)
    if len(op.operands) == 1:
        return lambda _, ts, node: call(ts[0], node)

    return lambda _, ts, node: call(ts, node)


def _linear_jointly(op: Op) -> Callable[..., Any]:
    """The forward itself on the tangents, zeros where an operand has none."""

    def push(xp: Any, ts: Tangents, node: Value) -> Any:
        moved = [
            t if t is not None else (data_of(o) if name in op.nondiff else _zeros(data_of(o)))
            for t, o, name in zip(ts, node.operands, op.names_of(node.operands), strict=True)
        ]
        return run_forward(op, xp, moved, node)

    return push


def _zeros(data: Any) -> Any:
    return None if data is None else zeros_like(data)


def _sum_of_operands(op: Op, *, record: bool) -> Callable[..., Any]:
    """One contribution an operand, by its jvp, its derivative, or linearity in it."""
    contributions = {}
    for index, name in enumerate(op.operands):
        rule, derivative = op.rule("jvp", name), op.rule("derivative", name)
        if rule is not None:
            contributions[index] = _ruled(op, rule, index, record=record)
        elif derivative is not None:
            contributions[index] = _ruled(op, derivative, index, record=record, factor="t")
        elif not op.linear:
            contributions[index] = _one_transposed(op, index, record=record)

    def push(xp: Any, ts: Tangents, node: Value) -> Any:
        total: Any = None
        for index, t in enumerate(ts):
            if t is not None:
                contribution = contributions.get(index) or _linear_in(op, index, record=record)
                total = _plus(total, contribution(xp, ts, node))
        return total

    return push


def _plus(total: Any, part: Any) -> Any:
    """A sum of tangents; of several outputs, one by one."""
    if total is None:
        return part
    if isinstance(part, tuple):
        return tuple([one + other for one, other in zip(total, part, strict=True)])

    return total + part


def _ruled(
    op: Op, rule: Callable[..., Any], index: int, *, record: bool, factor: str = ""
) -> Callable[..., Any]:
    call = written_rule(op, rule, "t, node", record=record, factor=factor)

    return lambda _, ts, node: call(ts[index], node)


def _linear_in(op: Op, index: int, *, record: bool) -> Callable[..., Any]:
    """The forward with one operand replaced by its tangent, the others held."""

    def push(xp: Any, ts: Tangents, node: Value) -> Any:
        moved = [o if record else data_of(o) for o in node.operands]
        moved[index] = ts[index]
        return run_forward(op, xp, moved, node)

    return push


def _composite(op: Op, *, record: bool) -> Callable[..., Any]:
    """Run the forward on opgrad's own ops, and push through what that recorded."""

    def push(xp: Any, ts: Tangents, node: Value) -> Any:
        del xp
        floor = next_serial()
        moving = [i for i, t in enumerate(ts) if t is not None]
        output, wanted = unroll(op, node, moving, record=record)
        if type(output) is not Value or not output.serial:
            return zeros_like(node._data)
        given = [ts[i] for i in moving]
        (t,), _ = tangents([output], wanted, given, floor=floor, record=record or None, still=None)

        return zeros_like(node._data) if t is None else t

    return push


def _one_transposed(op: Op, index: int, *, record: bool) -> Callable[..., Any]:
    everything = _transposed(op, record=record)

    def push(xp: Any, ts: Tangents, node: Value) -> Any:
        alone = tuple([t if i == index else None for i, t in enumerate(ts)])
        return everything(xp, alone, node)

    return push


def _transposed(op: Op, *, record: bool) -> Callable[..., Any]:
    """The backward rule, transposed: it is linear in g, so its own vjp gives the tangent."""
    if not any(kind == "backward" for kind, _ in op.rules):
        return missing_rule(op, op.variadic or op.operands[0], "jvp")

    def push(xp: Any, ts: Tangents, node: Value) -> Any:
        del xp
        before = next_serial()
        here = _copy(op, node, ts, record=record)
        parts = here._data if op.outputs else (here._data,)
        floor = next_serial()
        dummies = [Value(zeros_like(part)) for part in parts]
        with recorded(on=True):
            pulled = _pull_all(op, here, dummies, before)
        outputs, given = [], []
        for operand, t in zip(here.operands, ts, strict=True):
            d = pulled.get(operand.serial) if type(operand) is Value and t is not None else None
            if type(d) is Value and d.serial:
                outputs.append(d)
                given.append(t)
        found, _ = gradients(outputs, given, dummies, floor=floor, record=record or None, idle=None)
        results = [
            zeros_like(part) if t is None else t for part, t in zip(parts, found, strict=True)
        ]
        for dummy in dummies:
            dummy.serial = 0  # nobody differentiates with respect to it afterwards

        return tuple(results) if op.outputs else results[0]

    return push


def _copy(op: Op, node: Value, ts: Tangents, *, record: bool) -> Value:
    """The node, what moves replaced by a Value of its own: a leaf, or an alias to be recorded."""
    operands = tuple(
        [
            o if t is None else alias(o) if record else Value(o._data)
            for o, t in zip(node.operands, ts, strict=True)
        ]
    )

    return make_node(op, operands, node.attributes, node._data, getattr(node, "_saved", None))


def _pull_all(op: Op, node: Value, dummies: list[Value], floor: int) -> dict[int, Any]:
    """The recorded gradients of operands newer than `floor`, by serial, for dummy cotangents."""
    step = op.recorded_step or compile_step(op, gradients, record=True)
    found: dict[int, Any] = {}
    g = dict(enumerate(dummies)) if op.outputs else dummies[0]
    step(g, node, floor, found, None)

    return found
