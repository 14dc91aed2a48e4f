"""The backward sweep: from an output to the gradients of everything it was made of.

`collect` gathers the nodes between the output and the wanted inputs; `sweep` walks them in
falling serial order, asks each op's rules, projects what they return into the space of the
operand, and adds it up. The sweep runs on raw data, or on Values: then it is itself recorded.

A zero cotangent contributes exactly zero through every elementwise op, also where the local
derivative is infinite. That costs nothing until a gradient comes out NaN: then the sweep is run
once more, with products masked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any

from opgrad import namespaces
from opgrad.dispatch import PICK, alias, pick_all
from opgrad.errors import InPlaceError, MissingRuleError, NotDifferentiableError, OpgradError, RuleError
from opgrad.namespaces import BY_TYPE
from opgrad.op import Op, op as define, shape as shape_of
from opgrad.plugins import core
from opgrad.projection import data_of, has_nan, project, zeros_like
from opgrad.rules import place, positional_call
from opgrad.value import Value, hand_over_backward, make_node, next_serial, recorded

_by_serial = attrgetter("serial")


def gradients(
    outputs: Sequence[Value], cotangents: Sequence[Any], wanted: Sequence[Value], *,
    floor: int, record: bool | None,
) -> tuple[list[Any], bool]:  # fmt: skip
    """The gradients of `outputs` with respect to `wanted`, None where none depends on one.

    Args:
        outputs: Where the sweep starts.
        cotangents: Their gradients, each of its output's shape.
        wanted: Where the sweep stops.
        floor: A serial below those of `wanted`; nothing older can depend on them.
        record: Record the sweep. With False it is recorded all the same where another Value that
            wants a gradient is reachable, or a cotangent is such a Value; with None, never.

    Returns:
        The gradients and whether the sweep was recorded.
    """
    targets = {value.serial for value in wanted}
    nodes, _, others = collect(outputs, targets, floor)
    nodes, active = between(nodes, targets)
    if record is not None:
        record = record or others or any([type(c) is Value and c.serial for c in cotangents])
    found = _sweep_without_nan(nodes, outputs, cotangents, active, record=bool(record))

    return [found.get(value.serial) for value in wanted], bool(record)


def backward(output: Value, cotangent: Any, record: bool) -> None:  # noqa: FBT001 -- `Value.backward` names it
    """Set `grad` on every Value that `output` was made of; leaves accumulate."""
    cotangent = check_cotangent(output, cotangent)
    leaves: dict[int, Value] = {}
    nodes, active, _ = collect([output], (), 0, leaves)
    record = record or (type(cotangent) is Value and cotangent.requires_grad)
    found = _sweep_without_nan(nodes, [output], [cotangent], active, record=record, keep=True)
    if output.op is None:
        leaves[output.serial] = output
    for serial, leaf in leaves.items():
        if serial in found:
            held = leaf._grad
            leaf._grad = found[serial] if held is None else held + found[serial]


hand_over_backward(backward)


def check_cotangent(output: Value, cotangent: Any) -> Any:
    """The cotangent a sweep from `output` starts with: the one given, or 1 for a scalar.

    Raises:
        NotDifferentiableError: `output` is a constant, or needs a cotangent and has none.
        RuleError: The cotangent's shape is not that of `output`.
    """
    if not output.serial:
        message = (
            f"{output!r} is a constant: it was made of constants, under no_grad, or by an op "
            "without derivative, so there is nothing to differentiate"
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

    return cotangent


def collect(
    outputs: Sequence[Value],
    targets: Collection[int],
    floor: int,
    leaves: dict[int, Value] | None = None,
) -> tuple[list[Value], set[int], bool]:
    """The computed Values between `outputs` and the targets, newest first.

    Also the serials of all Values met, and whether any of them is neither target nor computed
    from one above `floor`, so that something else could be differentiated. `leaves`, where given,
    is filled with the leaves instead.

    Raises:
        InPlaceError: The data of an operand changed after it was used.
    """
    nodes: list[Value] = []
    others = False
    seen = {*targets, *[output.serial for output in outputs]}
    stack = [o for o in outputs if o.serial not in targets and o.op is not None]
    push, add = stack.append, seen.add
    while stack:
        node = stack.pop()
        nodes.append(node)
        limit = node.serial
        for operand in node.operands:
            if type(operand) is not Value:
                continue
            serial = operand.serial
            if serial in seen:
                continue
            if serial > limit or serial < 0:
                raise InPlaceError(_changed(node, operand))
            if serial <= floor:
                others = others or serial != 0
                continue
            add(serial)
            if operand.op is not None:
                push(operand)
            elif leaves is None:
                others = True
            else:
                leaves[serial] = operand
    nodes.sort(key=_by_serial, reverse=True)

    return nodes, seen, others


def between(nodes: list[Value], targets: set[int]) -> tuple[list[Value], set[int]]:
    """Those of the nodes that depend on a target, and the serials a gradient may flow to."""
    active = set(targets)
    kept: list[Value] = []
    for node in reversed(nodes):
        for operand in node.operands:
            if type(operand) is Value and operand.serial in active:
                active.add(node.serial)
                kept.append(node)
                break
    kept.reverse()

    return kept, active


def _changed(node: Value, operand: Value) -> str:
    if operand.serial < 0 and operand.op is not None:
        return (
            f"the data of {operand!r}, a result of {operand.op.described}, was assigned, so its "
            "history no longer tells how it was made; make a new Value of the data instead"
        )
    used_by = node.op.described if node.op else "an op"

    return (
        f"the data of {operand!r} was assigned after {used_by} had used it; "
        "run the forward again after changing data"
    )


def _sweep_without_nan(
    nodes: list[Value], outputs: Sequence[Value], cotangents: Sequence[Any], active: set[int], *,
    record: bool, keep: bool = False,
) -> dict[int, Any]:  # fmt: skip
    start: dict[int, Any] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        _add(start, output, cotangent if record else data_of(cotangent))
    with recorded(on=record):
        found = sweep(nodes, dict(start), active, record=record, keep=keep)
        if any([has_nan(g) for g in found.values()]):
            found = sweep(nodes, dict(start), active, record=record, keep=keep, masked=True)

    return found


def sweep(
    nodes: list[Value], found: dict[int, Any], active: set[int], *,
    record: bool = False, keep: bool = False, masked: bool = False,
) -> dict[int, Any]:  # fmt: skip
    """Walk the nodes, newest first; return the gradients of what is not a node, by serial.

    One step a node, written out: this is the hot loop.

    Args:
        nodes: What to walk, in falling serial order.
        found: The cotangents to start from, by serial; filled, and returned.
        active: Serials of the operands that get a gradient.
        record: Call the rules on Values and opgrad's own ops, so that the sweep is recorded.
        keep: Leave each computed node's gradient in its `grad`.
        masked: Where a cotangent is zero, give exactly zero through elementwise ops.
    """
    take = found.pop
    xp = core() if record else None
    node = None
    try:
        for node in nodes:
            g = take(node.serial, None)
            if g is None:
                continue
            if keep:
                node._grad = g
            op = node.op
            if record:
                pulls = op.recorded_pulls or compile_pulls(op, record=True)
            else:
                pulls = op.plain_pulls or compile_pulls(op, record=False)
                xp = BY_TYPE.get(type(node._data)) or _namespace_of(node)
            operands = node.operands
            if type(pulls) is not tuple:  # one function for all operands
                pulls(xp, g, node, active, found, record, masked)
                continue
            index = 0
            for operand in operands:
                if type(operand) is Value and operand.serial in active:
                    d = pulls[index](xp, g, node, operands)
                    if masked and op.elementwise:
                        d = _mask(d, g, xp)
                    if type(d) is not float or type(operand._data) is not float:
                        d = project(d, operand._data, op, index, xp)
                    serial = operand.serial
                    if serial in found:
                        found[serial] = found[serial] + d
                    else:
                        found[serial] = d
                index += 1
    except Exception as error:
        if node is not None:
            _note(error, node)
        raise

    return found


def _namespace_of(node: Value) -> Any:
    """The namespace of a node's data; several outputs share that of the first."""
    data = node._data[0] if type(node._data) is tuple else node._data

    return namespaces.of_type(type(data))


def _mask(d: Any, g: Any, xp: Any) -> Any:
    """Exactly zero where the cotangent is zero, whatever the local derivative was."""
    plain = data_of(g)
    if shape_of(plain) != shape_of(d):
        return d
    if not hasattr(plain, "dtype"):
        return 0.0 * plain if plain == 0 else d

    return xp.where(plain == 0, zeros_like(data_of(d)), d)


def _note(error: BaseException, node: Value) -> None:
    op = node.op
    if op is None or isinstance(error, OpgradError):
        return
    described = ", ".join(namespaces.describe(data_of(o)) for o in node.operands)
    error.add_note(f"in the backward of {op.described}, {op.place}, on {described}")


# -- an op's rules as calls -----------------------------------------------------------------------


def compile_pulls(op: Op, *, record: bool) -> Any:
    """Write an op's rules as calls `(xp, g, node, operands)`, a tuple with one an operand.

    Where one rule serves all operands, it is a function that adds to the gradients itself.
    """
    joint = op.rule("backward", None)
    if op is PICK:
        pulls: Any = _pull_pick
    elif joint is not None and (len(op.operands) != 1 or op.outputs):
        pulls = _joint(op, _as_call(op, joint, record=record))
    elif op.outputs or op.variadic:
        pulls = _joint(op, missing_rule(op, op.variadic or op.operands[0], "backward"))
    elif op.composite and not all(_has_own_rule(op, name) for name in op.operands):
        pulls = _composite(op)
    else:
        pulls = tuple([_pull_of(op, name, record=record) for name in op.operands])
    object.__setattr__(op, "recorded_pulls" if record else "plain_pulls", pulls)

    return pulls


def _has_own_rule(op: Op, name: str) -> bool:
    return name in op.nondiff or ("backward", name) in op.rules or ("derivative", name) in op.rules


def _pull_of(op: Op, name: str, *, record: bool) -> Callable[..., Any] | None:
    if name in op.nondiff:
        return None  # dispatch made the operand a constant
    rule = op.rule("backward", name)
    if rule is not None:
        return _as_call(op, rule, record=record)
    rule = op.rule("derivative", name)
    if rule is not None:
        return _as_call(op, rule, record=record, template="g * {}")

    return missing_rule(op, name, "backward")


def _as_call(
    op: Op, rule: Callable[..., Any], *, record: bool, template: str = "{}"
) -> Callable[..., Any]:
    """The rule as `(xp, g, node, operands)`; on plain data, or on Values to be recorded."""
    once = record and op.saves and "saved" in rule.__code__.co_varnames
    plain = once or not record
    names = expressions(op, plain=plain)
    names["g"] = "data_of(g)" if once else "g"
    if once:
        names["xp"] = "namespace_of(node)"
        template = "once(" + template.replace("g *", "data_of(g) *") + ", g, node)"
    scope = {
        "Value": Value, "data_of": data_of, "pick_all": pick_all, "once": _once,
        "namespace_of": _namespace_of,
    }  # fmt: skip

    return positional_call(rule, "xp, g, node, operands", names, template=template, names=scope)


def expressions(op: Op, *, plain: bool) -> dict[str, str]:
    """Source for everything a rule may ask for, given `xp`, `node` and its `operands`."""
    names = {"xp": "xp", "saved": "node._saved"}
    for index, name in enumerate(op.operands):
        item = f"operands[{index}]"
        names[name] = f"({item}._data if type({item}) is Value else {item})" if plain else item
    if op.variadic:
        names[op.variadic] = "tuple([data_of(o) for o in operands])" if plain else "operands"
    for name in op.attributes:
        names[name] = f"node._attributes[{name!r}]"
    if plain:
        names["y"] = "node._data"
    else:
        names["y"] = "pick_all(node)" if op.outputs else "node"

    return names


def missing_rule(op: Op, name: str, kind: str) -> Callable[..., Any]:
    """A rule that is not there: it raises when it is needed, not before."""

    def missing(*_: Any) -> Any:
        message = (
            f"{op.described} has no {kind} rule for {name!r}; add one with "
            f'@{op.name}.{kind}("{name}"), or make the op an @opgrad.composite'
        )
        raise MissingRuleError(message)

    return missing


# -- one rule for all operands --------------------------------------------------------------------


def _joint(op: Op, rule: Callable[..., Any]) -> Callable[..., None]:
    """A pull through a rule that returns the gradients of all operands at once."""

    def pull_jointly(  # noqa: PLR0913, PLR0917 -- called by the hot loop, by place
        xp: Any, g: Any, node: Value, active: set[int], found: dict[int, Any],
        record: bool, masked: bool,  # noqa: FBT001
    ) -> None:  # fmt: skip
        del record
        operands = node.operands
        if op.outputs:
            g = tuple([g[i] if i in g else zeros_like(part) for i, part in enumerate(node._data)])
        returned = rule(xp, g, node, operands)
        if len(operands) == 1 and not isinstance(returned, tuple):
            returned = (returned,)
        if not isinstance(returned, tuple) or len(returned) != len(operands):
            count = len(returned) if isinstance(returned, tuple) else type(returned).__name__
            message = (
                f"the backward rule of {op.described} returned {count} for {len(operands)} "
                "operands; it returns a tuple with one gradient an operand, None for nondiff ones"
            )
            raise RuleError(message)
        for index, operand in enumerate(operands):
            if type(operand) is Value and operand.serial in active:
                d = returned[index]
                if masked and op.elementwise and d is not None:
                    d = _mask(d, g, xp)
                _add(found, operand, project(d, operand._data, op, index, xp))

    return pull_jointly


def _add(found: dict[int, Any], operand: Value, d: Any) -> None:
    serial = operand.serial
    found[serial] = found[serial] + d if serial in found else d


def _pull_pick(  # noqa: PLR0913, PLR0917 -- called by the hot loop, by place
    xp: Any, g: Any, node: Value, active: set[int], found: dict[int, Any],
    record: bool, masked: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    """Collect the gradients of an op's several outputs, by index, for its joint rule."""
    del record, masked
    (whole,) = node.operands
    if whole.serial in active:
        index = node._attributes["index"]
        g = project(g, node._data, PICK, 0, xp)
        held = found.setdefault(whole.serial, {})
        held[index] = held[index] + g if index in held else g


def _composite(op: Op) -> Callable[..., None]:
    """A pull that runs the forward on opgrad's own ops and sweeps what that recorded."""

    def pull_composite(  # noqa: PLR0913, PLR0917 -- called by the hot loop, by place
        xp: Any, g: Any, node: Value, active: set[int], found: dict[int, Any],
        record: bool, masked: bool,  # noqa: FBT001
    ) -> None:  # fmt: skip
        operands = node.operands
        wanted = {
            index: operand
            for index, operand in enumerate(operands)
            if type(operand) is Value and operand.serial in active
        }
        for index in [i for i in wanted if _has_own_rule(op, op.operands[i])]:
            pull = _pull_of(op, op.operands[index], record=record)
            operand = wanted.pop(index)
            d = pull(xp, g, node, operands) if pull else 0.0
            d = _mask(d, g, xp) if masked and op.elementwise else d
            _add(found, operand, project(d, operand._data, op, index, xp))
        if not wanted:
            return
        results = unrolled(op, node, wanted, g, record=record)
        for (index, operand), d in zip(wanted.items(), results, strict=True):
            _add(found, operand, project(d, operand._data, op, index, xp))

    return pull_composite


def unrolled(op: Op, node: Value, wanted: dict[int, Value], g: Any, *, record: bool) -> list[Any]:
    """The gradients of a composite's operands, found by running its forward on opgrad's ops."""
    floor = next_serial()
    inputs = list(node.operands) if record else [data_of(o) for o in node.operands]
    for index, operand in wanted.items():
        inputs[index] = alias(operand) if record else Value(operand._data)
    with recorded(on=True):
        output = op.forward(*([core()] if op.wants_xp else []), *inputs, **node.attributes)
    zeros = [zeros_like(operand._data) for operand in wanted.values()]
    if type(output) is not Value or not output.serial:
        return zeros
    found, _ = gradients(
        [output], [g], [inputs[i] for i in wanted], floor=floor, record=record
    )

    return [zero if d is None else d for d, zero in zip(found, zeros, strict=True)]


# -- rules that use what the forward saved --------------------------------------------------------


@define(name="once")
def ONCE(*ties: Any, of: str, result: Any) -> Any:  # noqa: N802 -- a constant, as ALIAS is
    """A gradient that can be used, but not differentiated: its rule used saved data."""
    del ties, of

    return result


@ONCE.backward
def once_backward(ties: Any, of: str) -> Any:
    """Refuse: the saved data have no history."""
    del ties
    message = (
        f"{of} can be differentiated once: its rule uses data its forward saved, which have no "
        "history. For second derivatives write the rule on operands and output, without `saved`"
    )
    raise NotDifferentiableError(message)


def _once(d: Any, g: Any, node: Value) -> Any:
    """Tie a plain gradient to what it depends on, so that differentiating it raises."""
    ties = (g, *node.operands)
    attributes = {"of": node.op.described if node.op else "", "result": None}
    if isinstance(d, tuple):
        return tuple([None if part is None else make_node(ONCE, ties, attributes, part, None) for part in d])

    return make_node(ONCE, ties, attributes, d, None)
