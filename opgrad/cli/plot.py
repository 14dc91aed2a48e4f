"""`opgrad plot OP`: an elementwise op with its derivatives and kinks, as a picture."""

from __future__ import annotations

import ast
import functools
import json
import math
from pathlib import Path
from typing import Any

import click

from opgrad.cli.names import find_op
from opgrad.cli.output import as_json, found
from opgrad.demo.record import write_whole
from opgrad.errors import CallError
from opgrad.op import Op
from opgrad.plotting.functions import draw, figures
from opgrad.plotting.portraits import ORDERS, Portrait, portrait

KINDS = ("png", "svg", "pdf")
SPAN = 5.0
"""How far the picture reaches where neither the domain nor a kink says otherwise."""


@click.command("plot")
@click.argument("op", metavar="OP")
@click.option("--lo", type=float, help="The left end; by default -5, or the end of the domain.")
@click.option("--hi", type=float, help="The right end; by default 5, or the end of the domain.")
@click.option(
    "--order",
    default=1,
    show_default=True,
    type=click.IntRange(0, ORDERS),
    help="The highest derivative to draw.",
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="An attribute of the op; may be given several times.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The picture: .png, .svg or .pdf. By default OP.png.",
)
@as_json
def plot_command(  # noqa: PLR0913 -- one parameter an option
    *,
    op: str,
    lo: float | None,
    hi: float | None,
    order: int,
    attributes: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Draw an elementwise op of one operand, with its derivatives and kinks, into a file.

    OP is a qualified name (activations.gelu) or a bare one (tanh).
    """
    chosen = drawable(found(find_op, op, "OP"))
    given = given_attributes(chosen, attributes)
    function = functools.partial(chosen, **given) if given else chosen
    low, high = ends(chosen, lo, hi)
    path = out or Path(f"{chosen.name}.png")
    kind = path.suffix.removeprefix(".").lower()
    if kind not in KINDS:
        message = f"{path} is none of the pictures it can write: {', '.join(KINDS)}"
        raise click.BadParameter(message, param_hint="--out")
    try:
        look = figures()
        known = portrait(function, low, high, order=order)
    except (CallError, ImportError) as error:
        raise click.UsageError(str(error)) from None
    try:
        write_whole(path, look.as_bytes(draw(known), kind))
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise click.BadParameter(message, param_hint="--out") from None
    tell(chosen, known, given, path, as_json=as_json)


def drawable(op: Op) -> Op:
    """The same op, if a picture of it can be drawn."""
    if op.elementwise and op.differentiable and len(op.operands) == 1 and not op.outputs:
        return op
    message = f"{op.described} is not a differentiable elementwise op of one operand"
    if op.elementwise and op.differentiable and not op.outputs:
        call = f"opgrad.ops.{op.qualname.removeprefix('core.')}"
        rest = ", ".join(["1.0"] * (len(op.operands) - 1))
        message += (
            f"; from Python, hold the others: opgrad.plot(lambda x: {call}(x, {rest}), -5, 5)"
        )
    else:
        message += ", so it has no curve to draw"
    raise click.BadParameter(message, param_hint="OP")


def given_attributes(op: Op, texts: tuple[str, ...]) -> dict[str, Any]:
    """Attributes as they were typed, `beta=2`, as Python values."""
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in op.attributes:
            message = f"{text!r} is no NAME=VALUE of an attribute of {op.described}: {op.signature}"
            raise click.BadParameter(message, param_hint="--attribute")
        try:
            given[name] = ast.literal_eval(value)
        except (SyntaxError, ValueError):  # a word: approximate=tanh
            given[name] = value
    missing = [name for name in op.demands if name not in given]
    if missing:
        examples = {name: s.attributes[name] for s in op.samples[::-1] for name in s.attributes}
        wanted = [f"--attribute {name}={examples.get(name, 'VALUE')}" for name in missing]
        message = f"{op.described} has no default for it: give {' '.join(wanted)}, or another value"
        raise click.BadParameter(message, param_hint="--attribute")

    return given


def ends(op: Op, lo: float | None, hi: float | None) -> tuple[float, float]:
    """From where to where: as asked, else as far as the domain and around every kink."""
    below, above = op.domain.get(op.operands[0], (-math.inf, math.inf))
    around = [1.5 * kink for kink in op.kinks]
    low = below if math.isfinite(below) else min(-SPAN, *around, above - SPAN)
    high = above if math.isfinite(above) else max(SPAN, *around, below + SPAN)

    return (low if lo is None else lo), (high if hi is None else hi)


def tell(op: Op, known: Portrait, given: dict[str, Any], path: Path, *, as_json: bool) -> None:
    """Say what was written, and what is marked in it."""
    minima = [{"x": x, "y": y} for x, y in known.minima]
    kinks = [
        {
            "kind": kink.kind,
            "x": kink.x,
            "derivative": kink.slope if math.isfinite(kink.slope) else None,
        }
        for kink in known.kinks
    ]
    if as_json:
        facts = {
            "op": op.qualname,
            "attributes": given,
            "lo": known.low,
            "hi": known.high,
            "order": len(known.curves) - 1,
            "file": str(path),
            "minima": minima,
            "kinks": kinks,
        }
        click.echo(json.dumps(facts, indent=2))
        return
    for place in minima:
        click.echo(f"minimum {place['y']:.6g} at x = {place['x']:.6g}")
    for kink in known.kinks:
        click.echo(f"{kink.kind} at x = {kink.x:g}, derivative there {kink.slope:g}")
    click.echo(f"wrote {path}")
