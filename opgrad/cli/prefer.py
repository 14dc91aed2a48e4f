"""`opgrad prefer`: which kernels there are, which run, and the file that says so."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Group
from rich.table import Table
from rich.text import Text

from opgrad.candidates import Candidate, candidates
from opgrad.cli import FINDINGS
from opgrad.cli.output import as_json, complain_of, leave, print_facts
from opgrad.discovery import preference_file
from opgrad.errors import OpgradWarning, UnknownOpError
from opgrad.plugins import PLUGINS
from opgrad.preferences import (
    VARIABLE,
    Preference,
    in_file,
    in_variable,
    qualified,
    write_file,
)
from opgrad.preferring import PREFERENCES


@click.command("prefer")
@click.argument("plugin", required=False)
@click.argument("op", required=False)
@click.option(
    "--clear", is_flag=True, help="Prefer this no longer; without PLUGIN, nothing at all."
)
@as_json
def prefer_command(*, plugin: str | None, op: str | None, clear: bool, as_json: bool) -> None:
    """Run the kernels of PLUGIN, for every op it has one for or for OP alone.

    Without PLUGIN, list the kernels that plugins here offer, and say which run. What is preferred
    is kept in a file of this environment; OPGRAD_PREFER=plugin,op=plugin goes before it.
    """
    if clear:
        _clear(plugin, op)
    elif plugin is not None:
        _add(plugin, op)
    else:
        leave(_list(as_json=as_json))
        return
    stated = [*in_variable(), *in_file()]
    print_facts(_preferred(stated), as_json=as_json, table=_sheet(stated))


def _add(plugin: str, op: str | None) -> None:
    try:
        wanted = PREFERENCES.activate(Preference(plugin, op and qualified(op)))
    except UnknownOpError as error:
        raise click.UsageError(str(error)) from None
    kept = [one for one in in_file() if one != wanted and (op is None or one.op != wanted.op)]
    write_file([*kept, wanted])


def _clear(plugin: str | None, op: str | None) -> None:
    if plugin is None:
        write_file(())
        return
    name = op and qualified(op)
    held = in_file()
    kept = [one for one in held if one.supplier != plugin or name not in {None, one.op}]
    if len(kept) == len(held):
        asked = Preference(plugin, name)
        message = (
            f"{asked} is not preferred; the file holds: {', '.join(map(str, held)) or 'nothing'}"
        )
        raise click.UsageError(message)
    write_file(kept)


def _list(*, as_json: bool) -> int:
    """Print the kernels that there are; the exit code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OpgradWarning)
        PREFERENCES.settle()
    statuses = PLUGINS.load_all()
    offered = candidates()
    stated = [*in_variable(), *in_file()]
    problems = [str(one.message) for one in caught]
    problems += [f"{one.kernel!r}: {one.problem}" for one in offered if one.problem]
    facts: dict[str, Any] = {
        "preferred": _preferred(stated),
        "kernels": [kernel_facts(one) for one in offered],
        "problems": problems,
    }
    table = Group(_sheet(stated), Text(), kernel_table(facts["kernels"]))
    print_facts(facts, as_json=as_json, table=table)
    for problem in problems if not as_json else ():
        click.echo(f"opgrad: {problem}", err=True)
    code = complain_of(statuses)

    return FINDINGS if problems else code


def _preferred(stated: Iterable[Preference]) -> list[dict[str, Any]]:
    return [{"plugin": one.supplier, "op": one.op, "by": one.where} for one in stated]


def _sheet(stated: list[Preference]) -> Text:
    if not stated:
        return Text("nothing is preferred: each op runs as its owner wrote it")
    lines = [
        f"{one.where} prefers {one.supplier} for {one.op or 'all it offers'}" for one in stated
    ]
    if {VARIABLE, preference_file()} <= {one.where for one in stated}:
        lines.append(f"{VARIABLE} goes before the file")

    return Text("\n".join(lines))


def kernel_facts(candidate: Candidate) -> dict[str, Any]:
    """One kernel as JSON can hold it."""
    kernel, provider = candidate.kernel, candidate.kernel.provider
    rules = candidate.op.rules if candidate.op is not None else {}
    own = {rule for _, _, rule in kernel.rules}

    return {
        "op": kernel.op,
        "data": kernel.data,
        "plugin": provider and provider.namespace,
        "distribution": provider and provider.distribution,
        "version": provider and provider.version,
        "place": kernel.place,
        "rules": [
            {"kind": kind, "operand": operand, "from": "kernel" if rule in own else "op"}
            for (kind, operand), rule in rules.items()
        ],
        "op_installed": bool(candidate.op or candidate.problem),
        "runs": candidate.chosen_by is not None,
        "preferred_by": candidate.chosen_by,
        "problem": candidate.problem,
    }


def kernel_table(kernels: Iterable[dict[str, Any]]) -> Table | Text:
    """One line a kernel."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("op", "data", "plugin", "from", "runs", "defined at"):
        table.add_column(heading)
    for one in kernels:
        runs = "yes" if one["runs"] else "no"
        if not one["op_installed"]:
            runs = "no: its op is not installed"
        elif one["problem"]:
            runs = "no: it does not fit"
        version = f"{one['distribution']} {one['version']}"
        table.add_row(one["op"], one["data"], one["plugin"], version, runs, one["place"])

    return table if table.row_count else Text("no plugin here offers a kernel")
