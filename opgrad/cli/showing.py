"""What `opgrad show OP` knows of an op, as plain data and as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from opgrad.op import Op
from opgrad.rules import REQUIRED

NONE = "none: this operand carries no derivative"


def facts(op: Op) -> dict[str, Any]:
    """Everything about an op that JSON can hold."""
    provider = op.provider

    return {
        "op": op.qualname,
        "signature": op.signature,
        "documentation": op.documentation,
        "operands": {name: _operand(op, name) for name in _operand_names(op)},
        "attributes": {
            name: {"required": True} if default is REQUIRED else {"default": _plain(default)}
            for name, default in op.attributes.items()
        },
        "elementwise": op.elementwise,
        "composite": op.composite,
        "outputs": op.outputs or 1,
        "provider": provider
        and {
            "namespace": provider.namespace,
            "distribution": provider.distribution,
            "version": provider.version,
            "module": op.forward.__module__,
            "editable": provider.editable,
        },
        "place": op.place,
        "rules": [
            {"kind": kind, "operand": operand, "name": rule.__name__, "place": _place(rule)}
            for (kind, operand), rule in op.rules.items()
        ],
        "modes": modes(op),
        "symbol": op.symbol,
        "operator": op.operator,
        "methods": [*op.methods, *op.properties],
        "domain": {name: [_bound(end) for end in ends] for name, ends in op.domain.items()},
        "kinks": list(op.kinks),
        "samples": len(op.samples),
        "kernels": _kernels(op),
    }


def _kernels(op: Op) -> list[dict[str, Any]]:
    """What loaded plugins offer to run instead of the op's own forward."""
    from opgrad.candidates import candidates  # noqa: PLC0415 -- `opgrad list` does without
    from opgrad.cli.prefer import kernel_facts  # noqa: PLC0415 -- as above

    return [kernel_facts(one) for one in candidates(op.qualname)]


def modes(op: Op) -> dict[str, str]:
    """How each mode gets its derivative, or why it does not."""
    if not op.differentiable:
        return dict.fromkeys(("reverse", "forward", "second order"), "none: the result is constant")
    names = [name for name in _operand_names(op) if name not in op.nondiff]
    missing = op.undefined()

    return {
        "reverse": _joined(op, names, _reverse),
        "forward": _joined(op, names, _forward),
        "second order": (
            f"no: no rule for {', '.join(missing)}"
            if missing
            else "no: the forward saves what is neither operand nor output"
            if op.saves
            else "by running the rules on opgrad's own ops"
        ),
    }


def _joined(op: Op, names: list[str], how: Callable[[Op, str], str]) -> str:
    ways = {name: how(op, name) for name in names}
    if len(set(ways.values())) == 1:
        return next(iter(ways.values()))

    return "; ".join(f"{name}: {way}" for name, way in ways.items())


def _reverse(op: Op, operand: str) -> str:
    for kind in ("backward", "derivative"):
        if _has(op, kind, operand):
            return f"{kind} rule"
    if op.composite:
        return "composite: through the ops of its forward"

    return "no rule"


def _forward(op: Op, operand: str) -> str:
    for kind in ("jvp", "derivative"):
        if _has(op, kind, operand):
            return f"{kind} rule"
    if op.linear:
        return "linear: the forward itself"
    if op.composite:
        return "composite: through the ops of its forward"
    if _has(op, "backward", operand):
        return "transpose of the backward rule"

    return "no rule"


def _has(op: Op, kind: str, operand: str) -> bool:
    return op.rule(kind, operand) is not None or op.rule(kind, None) is not None


def _operand_names(op: Op) -> tuple[str, ...]:
    return (*op.operands, op.variadic) if op.variadic else op.operands


def _operand(op: Op, name: str) -> str:
    if name == op.variadic:
        kind = "any number"
    elif name in op.operands[len(op.operands) - op.optional :] and op.optional:
        kind = "optional"
    else:
        kind = "one"

    return f"{kind}, no derivative" if name in op.nondiff else kind


def _plain(default: Any) -> Any:
    """Return a default as JSON can hold it; what it cannot hold, as Python writes it."""
    if default is None or isinstance(default, (bool, int, str)):
        return default
    if isinstance(default, float) and math.isfinite(default):
        return default

    return repr(default)


def _bound(end: float) -> float | None:
    """One end of a domain; None where it is open to infinity, which JSON does not know."""
    return end if math.isfinite(end) else None


def _place(rule: Any) -> str:
    return f"{rule.__code__.co_filename}:{rule.__code__.co_firstlineno}"


def sheet(known: dict[str, Any]) -> RenderableType:
    """Return the facts as a page for a terminal."""
    grid = Table.grid(padding=(0, 2))
    for heading, text in _lines(known):
        grid.add_row(Text(heading, style="bold"), Text(text))

    return Group(
        Text(known["signature"], style="bold"), Text(known["documentation"] or "-"), Text(), grid
    )


def _lines(known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "op", known["op"]
    provider = known["provider"]
    if provider:
        editable = " (editable)" if provider["editable"] else ""
        version = f"{provider['version']}{editable}"
        yield "provider", f"{provider['distribution']} {version}, module {provider['module']}"
    yield "defined at", known["place"]
    for name, kind in known["operands"].items():
        yield "operand", f"{name}: {kind}"
    for name, attribute in known["attributes"].items():
        given = "required" if "required" in attribute else f"default {attribute['default']!r}"
        yield "attribute", f"{name}: {given}"
    yield from known["modes"].items()
    for rule in known["rules"]:
        of = f" of {rule['operand']}" if rule["operand"] else ""
        yield "rule", f"{rule['kind']}{of}: {rule['name']}, {rule['place']}"
    if known["operator"]:
        yield "operator", known["operator"]
    if known["methods"]:
        yield "methods", ", ".join(known["methods"])
    yield "symbol", known["symbol"]
    for name, (low, high) in known["domain"].items():
        below = "" if low is None else f"{low:g} < "
        above = "" if high is None else f" < {high:g}"
        yield "domain", f"{below}{name}{above}"
    if known["kinks"]:
        yield "kinks at", ", ".join(f"{kink:g}" for kink in known["kinks"])
    yield "samples", str(known["samples"])
    for kernel in known["kernels"]:
        state = kernel["problem"] or ("runs" if kernel["runs"] else "does not run")
        source = f"{kernel['distribution']} {kernel['version']}, {kernel['place']}"
        yield "kernel", f"for {kernel['data']} data from {source}: {state}"
