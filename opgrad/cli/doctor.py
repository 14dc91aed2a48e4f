"""`opgrad doctor`: what is installed here, tried, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from opgrad.cli import FINDINGS, FINE
from opgrad.cli.output import as_json, console, leave, print_facts

if TYPE_CHECKING:
    from opgrad.diagnosis.checkup import Diagnosis, Patient
    from opgrad.diagnosis.finding import Finding

WIDEST = 90  # characters of what a plugin printed


@click.command("doctor")
@click.argument("namespaces", metavar="[NAMESPACE]...", nargs=-1)
@click.option(
    "--timeout",
    default=20.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="How long each plugin may take to load.",
)
@as_json
def doctor_command(*, namespaces: tuple[str, ...], timeout: float, as_json: bool) -> None:
    """Look for what is wrong with the plugins installed here.

    Each enabled plugin, or each NAMESPACE, is loaded in a process of its own. A healthy
    machine gives a short page and the exit code 0; findings, each with the way out, give 1.
    """
    try:
        from opgrad.diagnosis.checkup import check_up  # noqa: PLC0415 -- packaging is optional
    except ModuleNotFoundError as error:
        message = f'the doctor needs {error.name}: pip install "opgrad[cli]"'
        raise click.UsageError(message) from error
    with _progress() as report:
        diagnosis = check_up(namespaces, limit=timeout, report=report)
    if as_json:
        click.echo(json.dumps(facts(diagnosis), indent=2))
    else:
        print_facts(None, as_json=False, table=page(diagnosis))
    leave(FINDINGS if diagnosis.findings else FINE)


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    terminal = console(stderr=True)
    columns = (
        TextColumn("loading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(
        *columns, console=terminal, transient=True, disable=not terminal.is_terminal
    ) as bars:
        task = bars.add_task("")

        def report(namespace: str, total: int) -> None:
            bars.update(task, advance=1, total=total, description=namespace)

        yield report


def facts(diagnosis: Diagnosis) -> dict[str, Any]:
    """A diagnosis as JSON can hold it."""
    return {
        "facts": dict(diagnosis.facts),
        "plugins": [_patient_facts(patient) for patient in diagnosis.patients],
        "findings": [attrs.asdict(finding) for finding in diagnosis.findings],
    }


def _patient_facts(patient: Patient) -> dict[str, Any]:
    source, trial, load = patient.status.source, patient.trial, patient.load

    return {
        "namespace": source.namespace,
        "distribution": source.distribution,
        "version": source.version,
        "editable": source.editable,
        "state": patient.state,
        "ops": load.ops if load else None,
        "seconds": load.seconds if load else None,
        "opgrad_seconds": trial.own_seconds if trial else None,
        "heaviest": {one.module: one.seconds for one in trial.heaviest} if trial else {},
    }


def page(diagnosis: Diagnosis) -> RenderableType:
    """A diagnosis as a page for a terminal: facts, plugins, findings."""
    grid = Table.grid(padding=(0, 2))
    for name, value in diagnosis.facts.items():
        grid.add_row(Text(name, style="bold"), Text(value))
    parts: list[RenderableType] = [grid, Text()]
    if diagnosis.patients:
        parts += [_table(diagnosis), Text()]
    if not diagnosis.findings:
        parts.append(Text(_calm(diagnosis)))
    for number, finding in enumerate(diagnosis.findings, 1):
        parts += [_paragraph(number, finding), Text()]
    if diagnosis.findings:
        count = len(diagnosis.findings)
        parts.append(Text(f"{count} finding{'s' if count > 1 else ''}"))

    return Group(*parts)


def _paragraph(number: int, finding: Finding) -> RenderableType:
    lines = [finding.problem]
    if finding.place:
        lines.append(f"at {finding.place}")
    lines += [f"| {line[:WIDEST]}" for line in finding.printed.splitlines()]
    lines.append(f"→ {finding.remedy}")

    return Group(
        Text(f"{number}. {finding.kind}: {finding.subject}", style="bold"),
        *[Padding(Text(line), (0, 0, 0, 3)) for line in lines],
    )


def _calm(diagnosis: Diagnosis) -> str:
    off = sum(patient.trial is None for patient in diagnosis.patients)
    loaded = len(diagnosis.patients) - off
    if not diagnosis.patients:
        return "no findings; no plugin is installed"
    word = "plugin loads" if loaded == 1 else "plugins load"
    note = f", {off} switched off" if off else ""

    return f"no findings: {loaded} {word}{note}"


def _table(diagnosis: Diagnosis) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("plugin", "distribution", "version", "state"):
        table.add_column(heading)
    for heading in ("ops", "import"):
        table.add_column(heading, justify="right")
    for patient in diagnosis.patients:
        source, load = patient.status.source, patient.load
        version = f"{source.version}{' (editable)' if source.editable else ''}"
        ops = "-" if load is None or load.ops is None else str(load.ops)
        took = f"{1000 * load.seconds:.0f} ms" if load and not load.error else "-"
        table.add_row(source.namespace, source.distribution, version, patient.state, ops, took)

    return table
