"""`opgrad check`: the conformance suite, with a bar while it runs and a table when it is done."""

from __future__ import annotations

import time
from itertools import groupby
from typing import Any

import attrs
import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from opgrad.cli import FINDINGS, FINE, INTERRUPTED
from opgrad.cli.comparing import print_comparisons
from opgrad.cli.listing import plugin_facts
from opgrad.cli.output import as_json, complain_of, console, leave, print_facts
from opgrad.cli.targets import installed, named
from opgrad.op import Op
from opgrad.plugins import Status
from opgrad.testing import CHECKS, TIERS, check_op
from opgrad.testing.outcomes import OpReport, Outcome
from opgrad.testing.suite import COLUMNS, counted, expected, failure, totals, untried
from opgrad.version import __version__


@click.command("check")
@click.argument("targets", metavar="[NS|OP]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check every op installed here.")
@click.option(
    "--tier",
    type=click.Choice(TIERS),
    default="standard",
    show_default=True,
    help="How much is checked; each tier has the checks of those before it.",
)
@click.option(
    "--check",
    "checks",
    multiple=True,
    type=click.Choice(list(CHECKS)),
    metavar="NAME",
    help="Run this check alone, whatever its tier; repeatable.",
)
@click.option(
    "--compare",
    "comparing",
    is_flag=True,
    help="Instead, hold the kernels that plugins offer for ops against the ops.",
)
@as_json
def check_command(  # noqa: PLR0913 -- one parameter an option
    *,
    targets: tuple[str, ...],
    everything: bool,
    tier: str,
    checks: tuple[str, ...],
    comparing: bool,
    as_json: bool,
) -> None:
    """Check ops: their values, gradients, shapes, dtypes and promises.

    Name namespaces (activations) and ops (activations.gelu, tanh), or give --all. An op fails
    where a check does, and where no gradient was checked though it is differentiable. The exit
    code is 1 where an op failed or a plugin could not be loaded.

    With --compare, a namespace also stands for the kernels that its plugin offers; the exit code
    is 1 where one is not what its op is, or there is none. Time is told, not judged.
    """
    if bool(targets) == everything:
        raise click.UsageError("name a namespace or an op, or give --all for everything installed")
    if comparing:
        leave(print_comparisons(targets, as_json=as_json))
        return
    ops, broken = installed() if everything else named(targets)
    run = Run(ops, broken, tier=tier, checks=checks)
    run.watch(quiet=as_json)
    if as_json or run.reports:
        print_facts(run.facts(), as_json=as_json, table=run.table())
    if not as_json:
        run.print_findings()
    complain_of(broken)
    leave(run.code)


@attrs.define
class Run:
    """One run of the suite: what is to be checked, and what was found so far."""

    ops: list[Op]
    broken: list[Status]
    """The plugins that could not be loaded."""
    tier: str = attrs.field(kw_only=True)
    checks: tuple[str, ...] = attrs.field(kw_only=True)
    """Those that were chosen; none: all of the tier."""
    reports: list[OpReport] = attrs.field(factory=list, init=False)
    interrupted: bool = attrs.field(default=False, init=False)
    started: float = attrs.field(factory=time.monotonic, init=False)

    def watch(self, *, quiet: bool) -> None:
        """Check the ops, with a bar on a terminal; a Ctrl-C keeps what was found."""
        printer = console()
        bar = Progress(
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=printer,
            transient=True,
            disable=quiet or not printer.file.isatty(),
        )
        try:
            with bar:
                task = bar.add_task("", total=len(self.ops))
                for op in self.ops:
                    self.reports.append(self.check(op, bar, task))
                    bar.advance(task)
        except KeyboardInterrupt:
            self.interrupted = True

    def check(self, op: Op, bar: Progress, task: TaskID) -> OpReport:
        """Check one op, and say at the bar what was done last."""

        def show(outcome: Outcome) -> None:
            bar.update(task, description=f"{outcome.op} {outcome.check}")

        return check_op(op, tier=self.tier, checks=self.checks or None, report=show)

    @property
    def wrong(self) -> list[OpReport]:
        """The reports that hold a finding."""
        return [report for report in self.reports if not report.ok]

    @property
    def code(self) -> int:
        """The exit code."""
        if self.interrupted:
            return INTERRUPTED

        return FINDINGS if self.wrong or self.broken or not self.reports else FINE

    def facts(self) -> dict[str, Any]:
        """Everything that was found, as JSON can hold it."""
        return {
            "opgrad": __version__,
            "tier": self.tier,
            "checks": list(self.checks),
            "complete": not self.interrupted,
            "ok": self.code == FINE,
            "ops": [_facts(report) for report in self.reports],
            "plugins_failed": [plugin_facts(status) for status in self.broken],
        }

    def table(self) -> Table:
        """One line an op, below the provider of all that follow; fits 80 columns."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        table.add_column("op", overflow="ellipsis")
        for heading in (*COLUMNS.values(), "seconds"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for provider, reports in groupby(self.reports, key=lambda report: report.op.provider):
            table.add_row(Text(str(provider or "defined here"), style="bold"))
            for report in reports:
                counts = counted(report)
                numbers = [str(counts[name]) for name in COLUMNS]
                name, seconds = f"  {report.op.qualname}", f"{report.seconds:.2f}"
                table.add_row(name, *numbers, seconds, _verdict(report))

        return table

    def print_findings(self) -> None:
        """Print what fails as declared, what no sample tries, what is wrong, and the sums."""
        declared = [
            line for report in self.reports for line in [*expected(report), *untried(report)]
        ]
        if declared:
            click.echo("\n" + "\n".join(declared))
        for report in self.wrong:
            click.echo(f"\n{failure(report)}")
        click.echo(f"\n{self.closing()}")

    def closing(self) -> str:
        """The sums over all ops, in one line."""
        done, asked = len(self.reports), len(self.ops)
        were = "was" if done == 1 else "were"
        of = f"; of {asked} ops, {done} {were} checked" if self.interrupted else ""
        seconds = time.monotonic() - self.started

        return f"{totals([counted(report) for report in self.reports])}; {seconds:.1f} s{of}"


def _facts(report: OpReport) -> dict[str, Any]:
    provider = report.op.provider

    return {
        **counted(report),
        "seconds": round(report.seconds, 3),
        "ok": report.ok,
        "vacuous": report.vacuous,
        "distribution": provider.distribution if provider else None,
        "version": provider.version if provider else None,
        "place": report.op.place,
        "outcomes": [attrs.asdict(outcome) for outcome in report.outcomes],
    }


def _verdict(report: OpReport) -> Text:
    if report.ok:
        return Text("ok")

    return Text("FAILED" if report.failed else "VACUOUS", style="bold red")
