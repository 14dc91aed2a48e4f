"""What the verbs share: how facts are printed, names found, and exit codes given."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console

from opgrad.cli import FINDINGS, FINE
from opgrad.errors import UnknownOpError
from opgrad.op import Op
from opgrad.plugins import Status

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def found(find: Callable[[str], Op], name: str, parameter: str) -> Op:
    """An op by the name that was typed; a name nobody provides is a mistake in the usage."""
    try:
        return find(name)
    except UnknownOpError as error:
        raise click.BadParameter(str(error), param_hint=parameter) from None


def print_facts(facts: Any, *, as_json: bool, table: Any) -> None:
    """Print plain facts as JSON, or a rich table of them."""
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        printer = console()
        with printer.capture() as captured:
            printer.print(table)
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def console(*, stderr: bool = False) -> Console:
    """Return a console for stdout; without a terminal, lines are not cut to 80 columns."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 240

    return Console(markup=False, highlight=False, emoji=False, width=width, stderr=stderr)


def complain_of(statuses: list[Status]) -> int:
    """Name each plugin that failed on stderr; the exit code that says so."""
    failed = [status for status in statuses if status.error]
    for status in failed:
        click.echo(f"opgrad: {status.source}: {status.error}", err=True)

    return FINDINGS if failed else FINE


def leave(code: int) -> None:
    """End the verb with this exit code."""
    if code:
        click.get_current_context().exit(code)
