"""`explain`: a gradient as a text tree of what contributed to it."""

from __future__ import annotations

from typing import Any

from opgrad import namespaces
from opgrad.backprop import check_cotangent, gradients, idle_entries, plan_sweep
from opgrad.errors import NotDifferentiableError
from opgrad.projection import data_of, everywhere, zeros_like
from opgrad.steps import compile_step
from opgrad.value import Value, recorded


def explain(output: Value, wrt: Value) -> str:
    """The gradient of `output` with respect to `wrt`, as a tree of contributions.

    Each branch is one use: the op, who brought it, what it contributed, and the gradient that
    came in. A node that was explained above is named only.

    Args:
        output: A scalar Value.
        wrt: A Value that `output` was made of.

    Raises:
        NotDifferentiableError: `output` is a constant or no scalar, or was not made of `wrt`.

    Examples:
        >>> x = Value(3.0)
        >>> print(explain(x * x + 2.0 * x, wrt=x))
        d output / d Value(float 3.0) = 8
        ├─ 2 through multiply (opgrad 0.1.0), whose gradient is 1
        │  └─ 1 through add (opgrad 0.1.0), whose gradient is 1: the output
        └─ 6 through multiply (opgrad 0.1.0), whose gradient is 1
           └─ 1 through add (opgrad 0.1.0), above
    """
    cotangent = data_of(check_cotangent(output, None))
    nodes, _ = plan_sweep([output], [wrt], 0)
    if not nodes:
        message = f"{output.described} was not made of {wrt.described}: its gradient is zero"
        raise NotDifferentiableError(message)
    cotangents, uses = _contributions(nodes, output, cotangent)
    cotangents.setdefault(wrt.serial, zeros_like(wrt.data))  # where nothing flows
    lines = [f"d output / d {wrt.described} = {_short(cotangents[wrt.serial])}"]
    explained: set[int] = set()

    # A stack of (serial, indentation), so that a deep graph is no deep recursion.
    stack = [
        (use, contribution, "", last)
        for use, contribution, last in _marked(uses.get(wrt.serial, []))
    ]
    while stack:
        node, contribution, indent, last = stack.pop()
        op = node.op
        name = f"{op.name} ({op.provider or 'local'})" if op else "?"
        line = f"{indent}{'└─' if last else '├─'} {_short(contribution)} through {name}"
        if node.serial in explained:
            lines.append(f"{line}, above")
            continue
        explained.add(node.serial)
        end = ": the output" if node is output else ""
        lines.append(f"{line}, whose gradient is {_short(cotangents[node.serial])}{end}")
        deeper = indent + ("   " if last else "│  ")
        stack += [(use, part, deeper, end) for use, part, end in _marked(uses.get(node.serial, []))]

    return "\n".join(lines)


def _marked(uses: list[tuple[Value, Any]]) -> list[tuple[Value, Any, bool]]:
    """The uses in the order a stack wants them, with a mark on the one that is printed last."""
    marked = [(node, part, index == len(uses) - 1) for index, (node, part) in enumerate(uses)]

    return marked[::-1]


def _contributions(
    nodes: list[Value], output: Value, cotangent: Any
) -> tuple[dict[int, Any], dict[int, list[tuple[Value, Any]]]]:
    """Each Value's gradient by serial, and for each the nodes that contributed, with how much."""
    cotangents = {output.serial: cotangent}
    uses: dict[int, list[tuple[Value, Any]]] = {}
    with recorded(on=False), namespaces.quiet():
        idle = idle_entries(nodes, cotangents, 0)
        for node in nodes:
            g = cotangents.get(node.serial)
            op = node.op
            if g is None or op is None or everywhere(idle[node.serial]):
                continue
            parts: dict[int, Any] = {}
            step = op.plain_step or compile_step(op, gradients, record=False)
            step(g, node, 0, parts, idle[node.serial])
            for serial, part in parts.items():
                cotangents[serial] = _plus(cotangents.get(serial), part)
                uses.setdefault(serial, []).append((node, part))

    return cotangents, uses


def _plus(held: Any, part: Any) -> Any:
    if held is None:
        return part
    if isinstance(part, dict):  # the outputs of one op, by index
        return {**held, **{i: _plus(held.get(i), p) for i, p in part.items()}}

    return held + part


def _short(data: Any) -> str:
    """A number to six digits; of an array shape, least, mean and greatest entry."""
    if isinstance(data, dict):
        return f"{len(data)} outputs"
    shape = getattr(data, "shape", ())
    if shape == () or getattr(data, "size", 1) == 0:
        return f"{data:.6g}" if shape == () else f"{shape}"
    if namespaces.of_type(type(data)).isdtype(data.dtype, "complex floating"):
        return f"{shape} complex"

    return f"{shape} [{data.min():.4g}, {data.mean():.4g}, {data.max():.4g}]"
