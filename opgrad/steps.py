"""An op's rules written out as one step of the backward sweep.

A step takes the gradient of a node and adds those of its operands. It is compiled once an op: one
block of source an operand, in which the rule is called by place and nothing is looked up. There
are two of each: on plain data, and on Values with opgrad's own ops, to be recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from opgrad import namespaces
from opgrad.define import op as define
from opgrad.errors import MissingRuleError, NotDifferentiableError, RuleError
from opgrad.names import core
from opgrad.op import Op
from opgrad.projection import data_of, project, zeros_like
from opgrad.rules import call_source, parameters_of, write_function
from opgrad.structure import PICK, alias, pick_all
from opgrad.types import shape as shape_of
from opgrad.value import Value, make_node, next_serial, recorded

Step = Callable[[Any, Value, int, dict[int, Any], Any], None]
"""`step(g, node, floor, found, idle)` adds to `found`, for operands newer than `floor`.

`idle`: a mask of where exactly zero goes through an elementwise op, or None.
"""
Gradients = Callable[..., tuple[list[Any], bool]]


def compile_step(op: Op, gradients: Gradients, *, record: bool) -> Step:
    """Write the step of an op and keep it on the op.

    Args:
        op: Whose rules.
        gradients: `backprop.gradients`, for the graph inside a composite.
        record: On Values, to be recorded, or on plain data.
    """
    if record and op.kernel_of is not None:  # a kernel may leave what can be recorded
        step: Step = op.kernel_of.recorded_step or compile_step(
            op.kernel_of, gradients, record=True
        )
        object.__setattr__(op, "recorded_step", step)
        return step
    joint = op.rule("backward", None)
    if op.outputs and len(op.operands) == 1:
        joint = op.rule("backward", op.operands[0])
    if op is PICK:
        step = _pick_step
    elif joint is not None and (len(op.operands) != 1 or op.outputs):
        step = _joint_step(op, joint, record=record)
    elif op.composite and not (op.operands and all(_covered(op, n) for n in op.operands)):
        step = _composite_step(op, gradients, record=record)
    elif op.outputs or op.variadic:
        step = missing_rule(op, op.variadic or op.operands[0], "backward")
    else:
        step = _written_step(op, record=record)
    object.__setattr__(op, "recorded_step" if record else "plain_step", step)

    return step


def _covered(op: Op, name: str) -> bool:
    return name in op.nondiff or _gradient_rule(op, name) is not None


def _gradient_rule(op: Op, name: str) -> Callable[..., Any] | None:
    return op.rule("backward", name) or op.rule("derivative", name)


def missing_rule(op: Op, name: str, kind: str) -> Callable[..., Any]:
    """A rule that is not there: it raises when it is needed, not before."""

    def missing(*_: Any) -> Any:
        message = (
            f"{op.described} has no {kind} rule for {name!r}; add one with "
            f'@{op.name}.{kind}("{name}"), or make the op an @opgrad.composite'
        )
        raise MissingRuleError(message)

    return missing


# -- a rule an operand ----------------------------------------------------------------------------

_BLOCK = """\
if type(o{index}) is Value:
    serial = o{index}.serial
    if serial > floor:
        d = {call}
        if idle is not None:
            d = mask(d, idle, op)
        x = o{index}._data
        if type(d) is not float or type(x) is not float:
            d = project(d, x, {index}, node)
        found[serial] = found[serial] + d if serial in found else d"""


def _written_step(op: Op, *, record: bool) -> Step:
    scope = {**_scope(), "op": op, "mask": _mask, "project": project}
    body = _unpack(op, [*op.rules.values()], record=record)
    for index, name in enumerate(op.operands):
        if name in op.nondiff:
            continue  # dispatch made it a constant
        rule = _gradient_rule(op, name)
        if rule is None:
            scope[f"rule{index}"] = missing_rule(op, name, "backward")
            call = f"rule{index}()"
        else:
            scope[f"rule{index}"] = rule
            call = gradient_source(op, name, f"rule{index}", record=record)
        body += _BLOCK.format(index=index, call=call).splitlines()

    return write_function(f"step_of_{op.name}", "g, node, floor, found, idle", body, scope)  # type: ignore[no-any-return]


def _unpack(op: Op, rules: list[Callable[..., Any]], *, record: bool) -> list[str]:
    """The first lines of a step: operands by name, and `xp` where a rule asks for it."""
    count = len(op.operands)
    if op.variadic:
        lines = ["operands = node.operands"]
    elif count <= 2:  # noqa: PLR2004 -- first and second
        lines = ["o0 = node.first", "o1 = node.second"][:count]
    else:
        lines = ["".join(f"o{index}, " for index in range(count)) + "= node.first"]
    if any("xp" in parameters_of(rule).names for rule in rules):
        lines.append("xp = core" if record else "xp = namespace_of(node)")

    return lines


def gradient_source(op: Op, name: str, rule_name: str, *, record: bool) -> str:
    """Source of the gradient of operand `name`: its backward rule, or g times its derivative."""
    rule = op.rule("backward", name)
    if rule is not None:
        return _rule_source(op, rule, rule_name, record=record)

    return _rule_source(op, op.rules["derivative", name], rule_name, record=record, factor="g")


def _rule_source(
    op: Op, rule: Callable[..., Any], rule_name: str, *, record: bool, factor: str = ""
) -> str:
    """Source of a rule's call. With `saved` data, what it returns cannot be recorded."""
    saved = {"saved": _saved_source(op, rule)}
    names = expressions(op, plain=not record) | saved
    if not (record and "saved" in parameters_of(rule).names):
        handed_back = _handed_back(rule)
        source = names[handed_back] if handed_back else call_source(rule_name, rule, names)
        return f"{factor} * {source}" if factor else source
    cotangent = "t" if "t" in parameters_of(rule).names or factor == "t" else "g"
    names = {**expressions(op, plain=True), "xp": "namespace_of(node)", **saved}
    names[cotangent] = f"data_of({cotangent})"
    source = call_source(rule_name, rule, names)

    return f"once({f'data_of({factor}) * ' if factor else ''}{source}, {cotangent}, node)"


def _saved_source(op: Op, rule: Callable[..., Any]) -> str:
    """Source of what a rule gets as `saved`: what the forward saved that it was written for.

    The rules of an op are also called on nodes of its kernels, and these save what they like.
    """
    if op.kernel_of is None or rule in op.kernel_of.rules.values():
        return "saved_by_owner(node)"

    return "node._saved"


def _saved_by_owner(node: Value) -> Any:
    """What the op's own forward saved; where a kernel ran in its place, it runs now."""
    owner = node.op.kernel_of if node.op is not None else None
    if owner is None:
        return node._saved
    xp = (namespace_of(node),) if owner.wants_xp else ()

    return owner.forward(*xp, *map(data_of, node.operands), **node.attributes)[1]


_BARE_RETURN = 6  # bytes of code, resume, load and return: too few to compute or to branch


def _handed_back(rule: Callable[..., Any]) -> str | None:
    """The parameter that a rule returns as it is, where it does no more: then no call is needed.

    d(a + b)/da hands back g, d(a * b)/da hands back b. Saves a fifth of a scalar step.
    """
    parameters = parameters_of(rule)
    if len(rule.__code__.co_code) > _BARE_RETURN or parameters.variadic:
        return None
    bare = {name: object() for name in parameters.names}
    returned = rule(
        *[bare[name] for name in parameters.positional],
        **{name: bare[name] for name in parameters.keyword_only},
    )

    return next((name for name, it in bare.items() if it is returned), None)


def expressions(op: Op, *, plain: bool) -> dict[str, str]:
    """Source for what a rule asks for but `saved`, given `xp`, `g` or `t`, `node`, its operands."""
    names = {"xp": "xp", "g": "g", "t": "t"}
    for index, name in enumerate(op.operands):
        item = f"o{index}"
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


def _scope() -> dict[str, Any]:
    """What the source of `expressions` refers to."""
    return {
        "Value": Value, "core": core(), "data_of": data_of, "namespace_of": namespace_of,
        "once": _once, "pick_all": pick_all, "saved_by_owner": _saved_by_owner,
    }  # fmt: skip


def namespace_of(node: Value) -> Any:
    """The namespace of a node's data; several outputs share that of the first."""
    data = node._data[0] if type(node._data) is tuple else node._data

    return namespaces.of_type(type(data))


def _mask(d: Any, idle: Any, op: Op) -> Any:
    """Exactly zero where nothing flows, whatever the local derivative was."""
    if not op.elementwise or shape_of(idle) != shape_of(d):
        return d
    if not hasattr(idle, "dtype"):
        return 0.0 if idle else d
    data = data_of(d)
    xp = core() if type(d) is Value else namespaces.of_type(type(data))

    return xp.where(idle, zeros_like(data), d)


# -- one rule for all operands --------------------------------------------------------------------


def written_rule(
    op: Op, rule: Callable[..., Any], head: str, *, record: bool, factor: str = ""
) -> Any:
    """A rule as a function of `head`, which names `node` and what the sweep brings."""
    scope = {**_scope(), "rule": rule}
    source = _rule_source(op, rule, "rule", record=record, factor=factor)
    body = [*_unpack(op, [rule], record=record), f"return {source}"]

    return write_function(f"rule_of_{op.name}", head, body, scope)


def _joint_step(op: Op, rule: Callable[..., Any], *, record: bool) -> Step:
    call = written_rule(op, rule, "g, node", record=record)

    def joint_step(
        g: Any,
        node: Value,
        floor: int,
        found: dict[int, Any],
        idle: Any,
    ) -> None:
        if op.outputs:
            g = tuple([g[i] if i in g else zeros_like(part) for i, part in enumerate(node._data)])
        returned = call(g, node)
        operands = node.operands
        if len(operands) == 1 and not isinstance(returned, tuple):
            returned = (returned,)
        if not isinstance(returned, tuple) or len(returned) != len(operands):
            raise RuleError(_wrong_count(op, returned, len(operands)))
        for index, operand in enumerate(operands):
            if type(operand) is Value and operand.serial > floor:
                d = returned[index]
                if idle is not None and d is not None:
                    d = _mask(d, idle, op)  # of several outputs: where all are idle
                add(found, operand, project(d, operand._data, index, node))

    return joint_step


def _wrong_count(op: Op, returned: Any, count: int) -> str:
    got = f"{len(returned)} gradients" if isinstance(returned, tuple) else type(returned).__name__

    return (
        f"the backward rule of {op.described} returned {got} for {count} operands; "
        "it returns a tuple with one gradient an operand, None for nondiff ones"
    )


def add(found: dict[int, Any], operand: Value, d: Any) -> None:
    """Add a gradient to what has flowed to the operand already."""
    serial = operand.serial
    found[serial] = found[serial] + d if serial in found else d


def _pick_step(
    g: Any,
    node: Value,
    floor: int,
    found: dict[int, Any],
    idle: Any,
) -> None:
    """Collect the gradients of an op's several outputs, by index, for its joint rule."""
    del idle
    (whole,) = node.operands
    if whole.serial > floor:
        index = node._attributes["index"]
        g = project(g, node._data, 0, node)
        held = found.setdefault(whole.serial, {})
        held[index] = held[index] + g if index in held else g


# -- a composite ----------------------------------------------------------------------------------


def _composite_step(op: Op, gradients: Gradients, *, record: bool) -> Step:
    """Run the forward on opgrad's own ops, and sweep what that recorded."""
    own = {
        name: _gradient_call(op, name, record=record)
        for name in op.operands
        if name not in op.nondiff and _gradient_rule(op, name)
    }

    def composite_step(
        g: Any,
        node: Value,
        floor: int,
        found: dict[int, Any],
        idle: Any,
    ) -> None:
        wanted: dict[int, Value] = {}
        for index, operand in enumerate(node.operands):
            if type(operand) is not Value or operand.serial <= floor:
                continue
            rule = own.get(op.operands[index]) if op.operands else None
            if rule is not None:
                d = rule(g, node)
                d = d if idle is None else _mask(d, idle, op)
                add(found, operand, project(d, operand._data, index, node))
            else:
                wanted[index] = operand
        if wanted:
            results = _unrolled(op, node, wanted, g, idle, gradients, record=record)
            for (index, operand), d in zip(wanted.items(), results, strict=True):
                add(found, operand, project(d, operand._data, index, node))

    return composite_step


def _gradient_call(op: Op, name: str, *, record: bool) -> Callable[[Any, Value], Any]:
    """The gradient of one operand as a function of `g` and the node."""
    rule = op.rule("backward", name)
    if rule is not None:
        return written_rule(op, rule, "g, node", record=record)  # type: ignore[no-any-return]

    return written_rule(op, op.rules["derivative", name], "g, node", record=record, factor="g")  # type: ignore[no-any-return]


def _unrolled(  # noqa: PLR0913, PLR0917 -- all that a step knows
    op: Op, node: Value, wanted: Mapping[int, Value], g: Any, idle: Any, gradients: Gradients, *,
    record: bool,
) -> list[Any]:  # fmt: skip
    """The gradients of a composite's operands."""
    floor = next_serial()
    output, targets = unroll(op, node, wanted, record=record)
    if type(output) is not Value or not output.serial:
        return [zeros_like(operand._data) for operand in wanted.values()]
    found, _ = gradients([output], [g], targets, floor=floor, record=record or None, idle=idle)

    pairs = zip(found, wanted.values(), strict=True)

    return [zeros_like(operand._data) if d is None else d for d, operand in pairs]


def unroll(op: Op, node: Value, chosen: Iterable[int], *, record: bool) -> tuple[Any, list[Value]]:
    """Run a composite's forward on opgrad's ops; its output, and the chosen operands in it.

    Each of those is a Value of its own: a leaf, or an alias to be recorded.
    """
    inputs = list(node.operands) if record else [data_of(o) for o in node.operands]
    targets = []
    for index in chosen:
        operand = node.operands[index]
        inputs[index] = alias(operand) if record else Value(operand._data)
        targets.append(inputs[index])
    with recorded(on=True):
        return run_forward(op, core(), inputs, node), targets


def run_forward(op: Op, xp: Any, operands: Sequence[Any], node: Value) -> Any:
    """The forward of a node's op on other operands, without what it saves; never a kernel."""
    op = op.kernel_of or op
    result = op.forward(*([xp] if op.wants_xp else []), *operands, **node.attributes)

    return result[0] if op.saves else result


def product_rule(op: Op, name: str) -> Callable[[Any, Value], Any] | None:
    """The gradient of an operand, given `g` and the node, where it is g times what is not of g.

    That is a `derivative`, and a backward rule that hands on g itself.
    """
    rule = op.rule("backward", name)
    if rule is None:
        return _gradient_call(op, name, record=False) if op.rule("derivative", name) else None

    return (lambda g, _: g) if _handed_back(rule) == "g" else None


# -- rules that use what the forward saved --------------------------------------------------------


@define(name="once")
def ONCE(*ties: Any, of: str) -> Any:  # noqa: N802 -- a constant: the one op of its kind
    """A gradient that can be used but not differentiated: its rule used saved data."""
    return ties, of


@ONCE.backward
def once_backward(of: str) -> Any:
    """Refuse: the saved data have no history."""
    message = (
        f"{of} can be differentiated once: its rule uses data its forward saved, which have no "
        "history. For second derivatives write the rule on operands and output, without `saved`"
    )
    raise NotDifferentiableError(message)


def _once(d: Any, g: Any, node: Value) -> Any:
    """Tie a plain gradient to what it depends on, so that differentiating it raises."""
    if isinstance(d, tuple):
        return tuple([None if part is None else _once(part, g, node) for part in d])
    attributes = {"of": node.op.described if node.op else ""}

    return make_node(ONCE, (g, *node.operands), attributes, d, None)
