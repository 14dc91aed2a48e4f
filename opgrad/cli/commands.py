"""The verbs of `opgrad`, each a few lines: parse, ask, print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from opgrad.cli import FINDINGS, FINE, INTERRUPTED, listing, showing
from opgrad.cli.names import find_activation, find_op
from opgrad.errors import UnknownOpError
from opgrad.op import Op
from opgrad.plugins import PLUGINS, REGISTRY, Status
from opgrad.version import __version__

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="opgrad")
def cli() -> None:
    """Differentiable operations as plugins.

    Exit codes: 0 fine, 1 findings, 2 usage.
    """


@cli.command("list")
@click.argument("what", type=click.Choice(["plugins", "ops"]), default="plugins")
@click.option("--load", is_flag=True, help="Import the plugins, and count their ops.")
@as_json
def list_command(*, what: str, load: bool, as_json: bool) -> None:
    """List the plugins installed here, from metadata alone, or their ops.

    `list ops` imports the plugins: names of ops are not in the metadata. The exit code is 1 when
    a plugin failed.
    """
    statuses = PLUGINS.load_all() if load or what == "ops" else PLUGINS.statuses()
    if what == "plugins":
        plugins = [listing.plugin_facts(status) for status in statuses]
        _print(plugins, as_json=as_json, table=listing.plugin_table(plugins))
    else:
        ops = [listing.op_facts(op) for op in sorted(REGISTRY, key=lambda op: op.qualname)]
        _print(ops, as_json=as_json, table=listing.op_table(ops))
    _exit(_complain_of(statuses))


@cli.command("show")
@click.argument("op", metavar="OP")
@as_json
def show_command(*, op: str, as_json: bool) -> None:
    """Show what an op is: formula, call, provider, rules, modes, samples.

    OP is a qualified name (activations.gelu) or a bare one (tanh).
    """
    known = showing.facts(_found(find_op, op, "OP"))
    _print(known, as_json=as_json, table=showing.sheet(known))


@cli.command("demo")
@click.option("--quick", is_flag=True, help="Train for a few seconds only.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
@click.option(
    "--activation",
    default="activations.gelu",
    show_default=True,
    metavar="NAME",
    help="Any installed unary elementwise op, for the digits.",
)
@click.option(
    "--out",
    default="opgrad-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for loss.csv, loss.png and summary.json.",
)
def demo_command(*, quick: bool, seed: int, activation: str, out: Path) -> None:
    """Train two networks, and show whose op did what.

    A network of scalar Values learns two moons with Python floats alone; a network of arrays
    learns real handwritten digits with the activation of a plugin.
    """
    from opgrad.cli.demonstration import Demonstration  # noqa: PLC0415 -- no other verb needs it

    demonstration = Demonstration(
        console=_console(),
        folder=out,
        activation=_found(find_activation, activation, "--activation"),
        seed=seed,
        quick=quick,
    )
    try:
        demonstration.run()
    except KeyboardInterrupt:
        click.echo(f"opgrad: interrupted; what was written until then is in {out}", err=True)
        _exit(INTERRUPTED)


def _found(find: Callable[[str], Op], name: str, parameter: str) -> Op:
    """An op by the name that was typed; a name nobody provides is a mistake in the usage."""
    try:
        return find(name)
    except UnknownOpError as error:
        raise click.BadParameter(str(error), param_hint=parameter) from None


def _print(facts: Any, *, as_json: bool, table: Any) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        console = _console()
        with console.capture() as captured:
            console.print(table)
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _console() -> Console:
    """Return a console for stdout; without a terminal, lines are not cut to 80 columns."""
    width = None if sys.stdout.isatty() else 240

    return Console(markup=False, highlight=False, emoji=False, width=width)


def _complain_of(statuses: list[Status]) -> int:
    failed = [status for status in statuses if status.error]
    for status in failed:
        click.echo(f"opgrad: {status.source}: {status.error}", err=True)

    return FINDINGS if failed else FINE


def _exit(code: int) -> None:
    if code:
        click.get_current_context().exit(code)
