"""What `opgrad demo` shows while it trains, and what it leaves behind."""

from __future__ import annotations

import importlib
import importlib.util
import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from opgrad.demo import moons, record
from opgrad.demo.census import Census
from opgrad.demo.progress import Progress
from opgrad.errors import OpgradError
from opgrad.op import Op
from opgrad.version import __version__

SAVE_SECONDS = 2.0
LINES = 5  # a network, where the output is no terminal
NEEDED = {"numpy": "NumPy", "sklearn": "scikit-learn"}  # modules by what people call them


@attrs.define
class Demonstration:
    """One run: two networks, a table of who did what, three files."""

    console: Console
    folder: Path
    activation: Op
    seed: int
    quick: bool
    census: Census = attrs.field(factory=Census, init=False)
    history: list[Progress] = attrs.field(factory=list, init=False)
    plotted: bool = attrs.field(default=False, init=False)
    saved_at: float = attrs.field(factory=time.monotonic, init=False)

    def run(self) -> None:
        """Train both networks, show who did what, write the files.

        Raises:
            OpgradError: The digits need a library that is not installed, or the loss is no number.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.console.print(
            f"moons: a network of scalar Values, {_sizes(moons.SIZES)}, ReLU, no array library",
            style="bold",
        )
        settings = moons.QUICK if self.quick else moons.FULL
        self.watch(moons.train(settings, seed=self.seed, census=self.census))
        self.save(complete=False)
        digits = self.import_digits()
        self.console.print(
            f"digits: real handwriting, {_sizes(digits.SIZES)}, "
            f"activation {self.activation.described}",
            style="bold",
        )
        self.watch(
            digits.train(
                digits.QUICK if self.quick else digits.FULL,
                activation=self.activation,
                seed=self.seed,
                census=self.census,
            )
        )
        self.save(complete=True)
        self.report()

    def import_digits(self) -> Any:
        """Import the half of the demonstration that needs more than opgrad."""
        missing = [name for module, name in NEEDED.items() if not importlib.util.find_spec(module)]
        if missing:
            message = (
                f"the digits need {' and '.join(missing)}: "
                f'pip install "opgrad[demo]"; what the moons gave is in {self.folder}'
            )
            raise OpgradError(message)

        return importlib.import_module("opgrad.demo.digits")

    def watch(self, training: Iterator[Progress]) -> None:
        """Run one network's training, with a bar on a terminal and a few lines elsewhere."""
        bars = _bars(self.console) if self.console.is_terminal else None
        with bars or nullcontext():
            task = bars.add_task("", total=None) if bars else None
            for progress in training:
                self.take(progress)
                if bars and task is not None:
                    bars.update(
                        task,
                        completed=progress.step,
                        total=progress.steps,
                        description=_described(progress),
                    )
                elif progress.last or progress.step % -(-progress.steps // LINES) == 0:
                    self.console.print(f"  {_described(progress)}")

    def take(self, progress: Progress) -> None:
        """Keep a step; save now and then, so that little is lost to a Ctrl-C."""
        if not math.isfinite(progress.loss):
            message = (
                f"the loss of {progress.network} is {progress.loss} at {progress.unit} "
                f"{progress.step}: {self.activation.described} does not suit this network"
            )
            raise OpgradError(message)
        self.history.append(progress)
        if time.monotonic() - self.saved_at > SAVE_SECONDS:
            record.write_losses(self.folder, self.history)
            self.saved_at = time.monotonic()

    def save(self, *, complete: bool) -> None:
        """Write the three files, or two where matplotlib is not installed."""
        record.write_losses(self.folder, self.history)
        self.plotted = record.write_plot(self.folder, self.history)
        record.write_summary(self.folder, self.summary(complete=complete))

    def summary(self, *, complete: bool) -> dict[str, Any]:
        """What `summary.json` holds; equal for equal seeds on one machine."""
        return {
            "complete": complete,
            "opgrad": __version__,
            "seed": self.seed,
            "quick": self.quick,
            "activation": self.activation.qualname,
            "networks": {
                last.network: {
                    f"{last.unit}s": last.step,
                    "loss": last.loss,
                    "train_accuracy": last.train_accuracy,
                    "test_accuracy": last.test_accuracy,
                }
                for last in self.history
                if last.last
            },
            "ops": [
                {
                    "op": tally.op.qualname,
                    "distribution": _provided(tally.op)[0],
                    "version": _provided(tally.op)[1],
                    "calls": tally.calls,
                    "networks": list(tally.networks),
                }
                for tally in self.census.tallies()
            ],
        }

    def report(self) -> None:
        """Print whose op did what, how well the networks do, and what was written."""
        table = Table(title="recorded calls, by op", title_justify="left")
        table.add_column("op")
        table.add_column("from")
        table.add_column("calls", justify="right")
        table.add_column("in")
        for tally in self.census.tallies():
            table.add_row(
                tally.op.qualname,
                " ".join(_provided(tally.op)),
                f"{tally.calls:,}",
                ", ".join(tally.networks),
            )
        self.console.print(table)
        for last in self.history:
            if last.last:
                self.console.print(
                    f"{last.network}: {last.train_accuracy:.1%} right in training, "
                    f"{last.test_accuracy:.1%} on points never trained on"
                )
        names = [record.CSV_NAME, record.PLOT_NAME, record.SUMMARY_NAME]
        if not self.plotted:
            names.remove(record.PLOT_NAME)
            self.console.print(
                'matplotlib is not installed: no loss.png; pip install "opgrad[demo]" draws it'
            )
        self.console.print(f"wrote {', '.join(names)} to {self.folder}")


def _bars(console: Console) -> Bars:
    return Bars(
        BarColumn(bar_width=30),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
    )


def _described(progress: Progress) -> str:
    return (
        f"{progress.unit} {progress.step:3}/{progress.steps}  loss {progress.loss:.4f}  "
        f"train {progress.train_accuracy:6.1%}  test {progress.test_accuracy:6.1%}"
    )


def _sizes(sizes: tuple[int, ...]) -> str:
    return "-".join(map(str, sizes))


def _provided(op: Op) -> tuple[str, str]:
    return (op.provider.distribution, op.provider.version) if op.provider else ("(local)", "")
