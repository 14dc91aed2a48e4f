"""The verbs of `opgrad`: where each lives, and the three oldest, each a few lines."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import click

from opgrad.cli import INTERRUPTED, listing, showing
from opgrad.cli.names import find_activation, find_op
from opgrad.cli.output import as_json, complain_of, console, found, leave, print_facts
from opgrad.plugins import PLUGINS, REGISTRY
from opgrad.version import __version__

ELSEWHERE: dict[str, str] = {
    "check": "opgrad.cli.checking:check_command",
    "doctor": "opgrad.cli.doctor:doctor_command",
    "explain": "opgrad.cli.explain:explain_command",
    "lock": "opgrad.cli.lock:lock_command",
    "new": "opgrad.cli.new:new_command",
    "plot": "opgrad.cli.plot:plot_command",
    "prefer": "opgrad.cli.prefer:prefer_command",
}
"""Verbs with a file of their own, `verb: module:command`, imported when they are asked for."""


class Verbs(click.Group):
    """A group that knows the names of all verbs, and imports those it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in alphabetical order."""
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of this name, or None."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = ELSEWHERE[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)

        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
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
        print_facts(plugins, as_json=as_json, table=listing.plugin_table(plugins))
    else:
        ops = [listing.op_facts(op) for op in sorted(REGISTRY, key=lambda op: op.qualname)]
        print_facts(ops, as_json=as_json, table=listing.op_table(ops))
    leave(complain_of(statuses))


@cli.command("show")
@click.argument("op", metavar="OP")
@as_json
def show_command(*, op: str, as_json: bool) -> None:
    """Show what an op is: formula, call, provider, rules, modes, samples.

    OP is a qualified name (activations.gelu) or a bare one (tanh). Every plugin is imported, for
    it may offer a kernel for OP.
    """
    PLUGINS.load_all()
    known = showing.facts(found(find_op, op, "OP"))
    print_facts(known, as_json=as_json, table=showing.sheet(known))


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
@as_json
def demo_command(*, quick: bool, seed: int, activation: str, out: Path, as_json: bool) -> None:
    """Train two networks, and show whose op did what.

    A network of scalar Values learns two moons with Python floats alone; a network of arrays
    learns real handwritten digits with the activation of a plugin. With --json the summary is
    printed, and what goes on along the way is on stderr.
    """
    from opgrad.cli.demonstration import Demonstration  # noqa: PLC0415 -- no other verb needs it

    demonstration = Demonstration(
        console=console(stderr=as_json),
        folder=out,
        activation=found(find_activation, activation, "--activation"),
        seed=seed,
        quick=quick,
    )
    try:
        demonstration.run()
    except KeyboardInterrupt:
        click.echo(f"opgrad: interrupted; what was written until then is in {out}", err=True)
        leave(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(demonstration.summary(complete=True), indent=2))
