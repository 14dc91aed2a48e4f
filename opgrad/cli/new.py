"""`opgrad new`: the files of a plugin, or of an op inside one, to start from."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import click

from opgrad.cli.output import as_json
from opgrad.errors import ScaffoldError
from opgrad.scaffold.filling import Written
from opgrad.scaffold.op import new_op
from opgrad.scaffold.plugin import new_plugin


@click.group("new")
def new_command() -> None:
    """Write the files of a new plugin, or of a new op inside one."""


@new_command.command("plugin")
@click.argument("name", metavar="NAME")
@click.option(
    "--into",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that gets the new one; the current one by default.",
)
@as_json
def plugin_command(*, name: str, into: Path, as_json: bool) -> None:
    """Make the folder opgrad-NAME: a package with one op that installs and passes its tests.

    NAME is the namespace of its ops, as in opgrad.ops.NAME.
    """
    _tell(_made(new_plugin, name, into), as_json=as_json)


@new_command.command("op")
@click.argument("name", metavar="NAME")
@as_json
def op_command(*, name: str, as_json: bool) -> None:
    """Add an op to the plugin whose folder this is, or lies in: a file, its test, its place.

    What is written is a whole op, x^3, to be replaced by yours.
    """
    _tell(_made(new_op, name, Path.cwd()), as_json=as_json)


def _made(make: Callable[[str, Path], Written], name: str, folder: Path) -> Written:
    try:
        return make(name, folder)
    except ScaffoldError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        message = f"nothing was written, since {folder.resolve()} refused: {error.strerror}"
        raise click.UsageError(message) from None


def _tell(written: Written, *, as_json: bool) -> None:
    here = Path(os.path.relpath(written.folder))
    steps = [*([f"cd {shlex.quote(str(here))}"] if here.parts else []), *written.next_steps]
    if as_json:
        facts = {
            "folder": str(written.folder.resolve()),
            "created": list(written.created),
            "changed": list(written.changed),
            "next": steps,
        }
        click.echo(json.dumps(facts, indent=2))
        return
    for word, paths in (("created", written.created), ("changed", written.changed)):
        for path in paths:
            click.echo(f"{word} {here / path}")
    click.echo("\n".join(["next:", *[f"  {step}" for step in steps]]))
