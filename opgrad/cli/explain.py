"""`opgrad explain EXPRESSION`: a formula, its value and its gradients, as a tree."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from opgrad import ops
from opgrad.cli.output import as_json, print_facts
from opgrad.drawing import Picture, draw
from opgrad.errors import OpgradError, UnknownOpError
from opgrad.explaining import explain
from opgrad.value import Value

# What a formula is written with: no assignment, no function of its own, nothing to loop over.
_ALLOWED = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Call, ast.keyword,
    ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop, ast.Compare, ast.cmpop,
    ast.Tuple, ast.List, ast.Subscript, ast.Slice,
)  # fmt: skip


@click.command("explain")
@click.argument("expression")
@click.argument("inputs", nargs=-1, metavar="[NAME=NUMBER]...")
@click.option("--wrt", metavar="NAME", help="Show where the gradient of this input comes from.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the picture: .svg, .png, .dot, .txt, or .html to step through.",
)
@as_json
def explain_command(
    *, expression: str, inputs: tuple[str, ...], wrt: str | None, out: Path | None, as_json: bool
) -> None:
    """Compute a formula and its gradients, and show both as a tree.

    Operators and ops of every installed plugin may be used:

    \b
        opgrad explain "(a*b + c) * activations.gelu(f)" a=2 b=-3 c=10 f=-2

    An input may be a list, if NumPy is installed: "sum(x*x)" x=[1,2,3].
    """  # noqa: D301 -- click takes that character as its mark for lines to keep
    values = dict(map(_input, inputs))
    if wrt is not None and wrt not in values:
        message = f"there is no input {wrt!r}; write {wrt}=NUMBER behind the expression"
        raise click.BadParameter(message, param_hint="--wrt")
    output = evaluate(expression, values)
    output.backward()
    picture = draw(output, names=values)
    if out is not None:
        _save(picture, out)
    facts = _facts(expression, picture)
    table: Any = picture
    if wrt is not None:
        facts["explanation"] = explain(output, wrt=values[wrt])
        table = Text(facts["explanation"])
    print_facts(facts, as_json=as_json, table=table)


def evaluate(expression: str, values: dict[str, Value]) -> Value:
    """What a formula gives; names that are no inputs are ops or plugins.

    Raises:
        BadParameter: It is no formula, a name in it is unknown, or no input is used.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError as error:
        raise _refusal(f"{error.msg}: {expression!r}") from None
    for node in ast.walk(tree):
        private = isinstance(node, ast.Attribute) and node.attr.startswith("_")
        if private or not isinstance(node, _ALLOWED):
            raise _refusal(f"{ast.unparse(node)!r} cannot stand in a formula")
    code = compile(tree, "<expression>", "eval")
    try:
        result = eval(code, {"__builtins__": {}}, _Names(values))  # noqa: S307 -- the user's own, of the nodes above
    except OpgradError as error:
        raise _refusal(str(error)) from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise _refusal(f"{type(error).__name__}: {error}") from error
    if type(result) is not Value:
        raise _refusal("the result depends on no input; write NAME=NUMBER behind the expression")

    return result


class _Names(dict[str, Any]):
    """Inputs by name, and ops and plugins where there is no input."""

    def __missing__(self, name: str) -> Any:
        if name.startswith("_"):
            raise _refusal(f"{name!r} cannot stand in a formula")
        try:
            return getattr(ops, name)
        except UnknownOpError as error:
            message = f"{name!r} is neither an input ({name}=NUMBER) nor an op: {error}"
            raise _refusal(message) from None


def _input(text: str) -> tuple[str, Value]:
    """`a=2` as a name and a Value."""
    name, _, written = text.partition("=")
    try:
        data = ast.literal_eval(written.strip())
        if isinstance(data, list):
            data = ops.asarray(data, dtype=ops.float64).data
        value = Value(data, requires_grad=True)
    except (ValueError, SyntaxError, TypeError):
        value = None
    except ImportError as error:
        raise click.BadParameter(str(error), param_hint=text) from None
    if value is None or not name.isidentifier():
        message = f"{text!r} is not NAME=NUMBER"
        raise click.BadParameter(message, param_hint="NAME=NUMBER")

    return name, value


def _save(picture: Picture, path: Path) -> None:
    try:
        picture.save(path)
    except (ValueError, ImportError, FileNotFoundError) as error:
        raise click.BadParameter(str(error), param_hint="--out") from None


def _refusal(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="EXPRESSION")


def _facts(expression: str, picture: Picture) -> dict[str, Any]:
    """The graph as JSON holds it."""
    graph = picture.graph

    return {
        "expression": expression,
        "outputs": list(graph.outputs),
        "nodes": [
            {
                "key": node.key,
                "kind": node.kind,
                "title": node.title,
                "lines": list(node.lines),
                "provider": node.provider or None,
            }
            for node in graph.nodes
        ],
        "edges": [[edge.tail, edge.head, edge.label] for edge in graph.edges],
        "notes": list(graph.notes),
    }
