"""The one road an op call takes: look up the namespace, unwrap, run the forward, record.

`compile_call` writes that road out for the two shapes nearly every call has, one operand and two,
without attributes; `call` is the road for all others. Methods and operators of `Value` are put
there by the ops that declare them, when a registry takes those in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opgrad import namespaces
from opgrad.arguments import bind
from opgrad.errors import CallError, OpgradError
from opgrad.namespaces import BY_PAIR, BY_TYPE, scalar
from opgrad.op import Op, hand_over_dispatch
from opgrad.rules import call_source, parameters_of, write_function
from opgrad.structure import pick_all
from opgrad.value import Value, constant, make_node, paused, serials

_new = object.__new__
_is_paused = paused.get


def call(op: Op, given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Run an op on any arguments it takes.

    Raises:
        CallError: The arguments do not fit the op.
    """
    return run(op, *bind(op, given, named))


def run(op: Op, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """Run an op on all of its operands and attributes, which are known to fit."""
    data = tuple([o._data if type(o) is Value else o for o in operands])
    kinds = tuple([type(d) for d in data])
    xp = op.spaces.get(kinds)
    if xp is None:
        op, xp = _seen_first(op, kinds, data)
    wrapped = False
    for operand in operands:
        if type(operand) is Value:
            wrapped = True
        elif operand is not None:
            check_dtype(op, operand)
    forward = op.forward
    try:
        result = forward(xp, *data, **attributes) if op.wants_xp else forward(*data, **attributes)
    except Exception as error:
        note(op, error, operands)
        raise
    saved = None
    if op.saves:
        result, saved = result
    if type(result) is Value:
        if result.serial:
            raise CallError(_returned_a_value(op))
        result = result._data  # a constant, as creation functions make
    if not wrapped:
        return result

    return _record(op, operands, attributes, result, saved)


def _seen_first(op: Op, kinds: tuple[type, ...], data: tuple[Any, ...]) -> tuple[Op, Any]:
    """What runs and with which namespace, for types not seen before; every time where it varies."""
    spaces, choose = op.spaces, op.chooser  # in this order: a chooser comes before new `spaces`
    if choose is not None:
        return choose(kinds, data)  # type: ignore[no-any-return]
    xp = spaces[kinds] = namespace_of(op, data)

    return op, xp


def _record(
    op: Op, operands: tuple[Any, ...], attributes: dict[str, Any], result: Any, saved: Any
) -> Any:
    """Make the node (or a constant) that a call on Values gives."""
    if op.nondiff:
        operands = _without_gradient(op, operands)
    state = _is_paused()
    if state % 1:
        watcher[0](op, operands, result)
    wanted = state < 1 and any([type(o) is Value and o.serial for o in operands])
    if "dtype" in attributes and namespaces.kind_of(result) is namespaces.DISCRETE:
        wanted = False  # a cast to integers
    if not op.outputs:
        value = make_node(op, operands, attributes, result, saved) if wanted else constant(result)
        if state % 1:
            watcher[1](value)
        return value
    if wanted:
        parts = pick_all(make_node(op, operands, attributes, tuple(result), saved))
    else:
        parts = tuple([constant(part) for part in result])

    return type(result)._make(parts) if hasattr(result, "_make") else parts


def _unrecorded(op: Op, operands: tuple[Any, ...], result: Any) -> Value:
    """What a call gives that found it should not simply record: a constant, or a watched node."""
    return _record(op, operands, {}, result, None)  # type: ignore[no-any-return]


watcher: list[Callable[..., None]] = []  # filled by `debugging`: look at a result, mark a node


def _without_gradient(op: Op, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands, those that carry no derivative as constants: no sweep enters them."""
    return tuple(
        [
            constant(o._data) if name in op.nondiff and type(o) is Value else o
            for o, name in zip(operands, op.names_of(operands), strict=True)
        ]
    )


# -- the short road -------------------------------------------------------------------------------


def compile_call(op: Op) -> Callable[..., Any]:
    """Write the call of an op with fixed operands and no attributes; keep it on the op."""
    choose = op.chooser
    compiled = _own_call(op) if choose is None else _choosing_call(op, choose)
    object.__setattr__(op, "call", compiled)

    return compiled if op.chooser is choose else compile_call(op)  # it came in between


def _own_call(op: Op) -> Callable[..., Any]:
    if op.arity == 1:
        return _unary(op)
    if op.arity == 2:  # noqa: PLR2004 -- two operands
        return _binary(op)

    return lambda *operands: call(op, operands, {})


def _choosing_call(op: Op, choose: Callable[..., Any]) -> Callable[..., Any]:
    """The call of an op for which some user prefers a kernel; also its operator on Values."""
    own = _own_call(op)
    call_chosen: Callable[..., Any]
    if op.arity == 1:

        def call_chosen(x: Any) -> Any:
            data = x._data if type(x) is Value else x
            chosen, _ = choose((type(data),), (data,))
            return own(x) if chosen is op else (chosen.call or compile_call(chosen))(x)

    elif op.arity == 2:  # noqa: PLR2004 -- two operands

        def call_chosen(a: Any, b: Any) -> Any:
            x = a._data if type(a) is Value else a
            y = b._data if type(b) is Value else b
            chosen, _ = choose((type(x), type(y)), (x, y))
            return own(a, b) if chosen is op else (chosen.call or compile_call(chosen))(a, b)

    else:  # the general road, which asks the chooser itself
        call_chosen = own

    call_chosen.__name__ = op.name
    call_chosen.__doc__ = op.documentation

    return call_chosen


def _forward(op: Op) -> Callable[..., Any]:
    """The forward as a function of `xp` and the operands, by place."""
    names = parameters_of(op.forward).positional
    if names == ("xp", *op.operands):
        return op.forward
    head = ("xp", *op.operands)
    source = call_source("forward", op.forward, {name: name for name in head})

    return write_function(op.name, ", ".join(head), [f"return {source}"], {"forward": op.forward})  # type: ignore[no-any-return]


def _unary(op: Op) -> Callable[[Any], Any]:
    forward = _forward(op)

    def call_unary(x: Any) -> Any:
        wrapped = type(x) is Value
        data = x._data if wrapped else x
        xp = BY_TYPE.get(type(data)) or namespace_of(op, (data,))
        if not wrapped:
            check_dtype(op, data)
        try:
            result = forward(xp, data)
        except Exception as error:
            note(op, error, (x,))
            raise
        if type(result) is Value:
            raise CallError(_returned_a_value(op))
        if not wrapped:
            return result
        if x.serial and not _is_paused():
            node = _new(Value)
            node._data = result
            node.op = op
            node.first = x
            node.second = None
            node.serial = next(serials)
            return node
        return _unrecorded(op, (x,), result)

    return call_unary


def _binary(op: Op) -> Callable[[Any, Any], Any]:
    of_value = operator_call(op)
    forward = _forward(op)

    def call_binary(a: Any, b: Any) -> Any:
        if type(a) is Value:
            node = of_value(a, b)
            if type(node._data) is Value:
                raise CallError(_returned_a_value(op))
            return node
        y = b._data if type(b) is Value else b
        xp = BY_PAIR.get((type(a), type(y))) or namespace_of(op, (a, y))
        check_dtype(op, a)
        check_dtype(op, y)
        try:
            result = forward(xp, a, y)
        except Exception as error:
            note(op, error, (a, b))
            raise
        if type(result) is Value:
            raise CallError(_returned_a_value(op))
        if type(b) is not Value:
            return result
        if b.serial and not _is_paused():
            return make_node(op, (a, b), {}, result, None)
        return _unrecorded(op, (a, b), result)

    return call_binary


def operator_call(op: Op) -> Callable[[Value, Any], Any]:
    """The call of an op with two operands, the first of which is a Value: the hottest road."""
    forward = _forward(op)

    def operator(a: Value, b: Any) -> Any:
        x = a._data
        y = b._data if type(b) is Value else b
        if type(x) is float and type(y) is float:
            xp = scalar
        else:
            xp = BY_PAIR.get((type(x), type(y))) or namespace_of(op, (x, y))
            if y is b:
                check_dtype(op, y)
        try:
            result = forward(xp, x, y)
        except Exception as error:
            note(op, error, (a, b))
            raise
        if (a.serial or (type(b) is Value and b.serial)) and not _is_paused():
            node = _new(Value)
            node._data = result
            node.op = op
            node.first = a
            node.second = b
            node.serial = next(serials)
            return node
        return _unrecorded(op, (a, b), result)

    operator.__name__ = op.name
    operator.__doc__ = op.documentation

    return operator


# -- what both roads share ------------------------------------------------------------------------


def _returned_a_value(op: Op) -> str:
    return (
        f"the forward of {op.described}, {op.place}, returned a Value, so it used one that is not "
        "among its operands; make that an operand"
    )


def namespace_of(op: Op, data: Iterable[Any]) -> Any:
    """The namespace that serves all of the operands' data.

    Raises:
        CallError: An operand is of an unknown type, or the operands' libraries do not mix.
    """
    found = scalar
    kinds = {type(d): d for d in data if d is not None or not op.optional}
    for kind, example in kinds.items():
        namespace = namespaces.of_type(kind)
        if namespace is None:
            raise CallError(unknown_type(op, example))
        joined = namespaces.join(found, namespace)
        if joined is None:
            listed = " and ".join(sorted(f"{k.__module__}.{k.__qualname__}" for k in kinds))
            message = f"{op.described} got data of two libraries, {listed}: convert one of them"
            raise CallError(message)
        found = joined
    if len(kinds) in {1, 2}:
        one, other = [*kinds, *kinds][:2]
        BY_PAIR[one, other] = BY_PAIR[other, one] = found

    return found


def check_dtype(op: Op, data: Any) -> None:
    """Refuse an array that is not of numbers; data in Values was checked when it came in.

    Raises:
        CallError: It is one of text, objects or dates.
    """
    if hasattr(data, "dtype") and namespaces.kind_of(data) is None:
        raise CallError(unknown_type(op, data))


def unknown_type(op: Op, data: Any) -> str:
    """What to say of an operand that is no number, array or Value."""
    described = namespaces.describe(data)
    if isinstance(data, list | tuple):
        way_out = "write numpy.asarray(...) for an array of it"
    elif hasattr(type(data), "__float__"):
        way_out = "convert it with float(...)"
    else:
        way_out = "operands are Python numbers, arrays and Values"

    return f"{op.described} got an operand it does not know, {described}: {way_out}"


def note(op: Op, error: BaseException, operands: Iterable[Any], mode: str = "the forward") -> None:
    """Say on an error that left a forward or a rule which op it was, from where, and on what."""
    if isinstance(error, OpgradError):
        return
    data = [o._data if type(o) is Value else o for o in operands if o is not None]
    described = ", ".join(map(namespaces.describe, data))
    error.add_note(f"in {mode} of {op.described}, {op.place}, on {described}")


hand_over_dispatch(call, compile_call, run)
