"""From the name a user types to an op."""

from __future__ import annotations

import difflib

from opgrad.errors import UnknownOpError
from opgrad.names import find
from opgrad.op import Op
from opgrad.plugins import PLUGINS, REGISTRY
from opgrad.rules import REQUIRED


def find_op(name: str) -> Op:
    """The op of this name: qualified (`acme.swish`), built-in (`tanh`), or a plugin's bare one.

    Only a bare name that is not built in makes every plugin load.

    Raises:
        UnknownOpError: There is no such op, or several plugins have one of this bare name.
        PluginError: The plugin that owns a qualified name cannot be used.
    """
    namespace, _, bare = name.rpartition(".")
    if namespace:
        found = find(PLUGINS, namespace, bare)
        if isinstance(found, Op):
            return found
        raise UnknownOpError(REGISTRY.unknown(name))
    built_in = REGISTRY.get(name)
    if built_in is not None:
        return built_in
    statuses = PLUGINS.load_all()
    same = sorted(op.qualname for op in REGISTRY if op.name == name)
    if len(same) > 1:
        message = f"several plugins provide an op {name!r}: write {' or '.join(same)}"
        raise UnknownOpError(message)

    if same:
        return REGISTRY.find(same[0])
    failed = sorted({status.source.namespace for status in statuses if status.error})
    note = f"; plugins that failed, so were not searched: {', '.join(failed)}" if failed else ""
    raise UnknownOpError(f"{REGISTRY.unknown(name)}{note}")


def find_activation(name: str) -> Op:
    """The op of this name, if a network can use it between its layers.

    Raises:
        UnknownOpError: There is none, or it is not a differentiable elementwise op of one operand;
            the message names the nearest that are.
        PluginError: The plugin that owns the name cannot be used.
    """
    try:
        op = find_op(name)
    except UnknownOpError as error:
        hint = _near(name)
        if not hint:
            raise
        message = f"no installed plugin provides activation {name!r}; did you mean {hint}?"
        raise UnknownOpError(message) from error
    if not suits(op):
        hint = _near(name) or "core.tanh or core.relu"
        message = (
            f"{op.described} is not a differentiable, unary, elementwise op, so it cannot be the "
            f"activation; {hint} can"
        )
        raise UnknownOpError(message)

    return op


def suits(op: Op) -> bool:
    """Whether an op can stand between two layers: one number in, one out, with a slope."""
    return (
        op.elementwise
        and op.differentiable
        and len(op.operands) == 1
        and not op.variadic
        and not op.outputs
        and all(default is not REQUIRED for default in op.attributes.values())
    )


def _near(name: str) -> str:
    """Suitable ops of every plugin with a name near this one, or nothing."""
    PLUGINS.load_all()
    suitable: dict[str, str] = {}
    for op in REGISTRY:
        if suits(op):
            suitable.setdefault(op.name, op.qualname)
    near = difflib.get_close_matches(name.rpartition(".")[2], suitable, 3)

    return " or ".join(suitable[bare] for bare in near)
