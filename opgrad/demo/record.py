"""Writes what a demonstration found, each file whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from opgrad.demo.progress import Progress

CSV_NAME = "loss.csv"
PLOT_NAME = "loss.png"
SUMMARY_NAME = "summary.json"
COLUMNS = ("network", "step", "loss", "train_accuracy", "test_accuracy")


def write_losses(folder: Path, history: Sequence[Progress]) -> None:
    """Write `loss.csv`: one line a step (moons) or epoch (digits)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(attrs.asdict(progress) for progress in history)
    write_whole(folder / CSV_NAME, text.getvalue().encode())


def write_plot(folder: Path, history: Sequence[Progress]) -> bool:
    """Write `loss.png`, the loss and the test error of each network; False without matplotlib."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 -- optional, and slow to import
    except ImportError:
        return False
    networks = list(dict.fromkeys(progress.network for progress in history))
    figure = Figure(figsize=(4.5 * len(networks), 3.4), layout="constrained")
    panels = figure.subplots(1, len(networks), squeeze=False)[0]
    for axes, network in zip(panels, networks, strict=True):
        steps = [progress for progress in history if progress.network == network]
        positions = [progress.step for progress in steps]
        axes.plot(positions, [progress.loss for progress in steps], label="loss (training)")
        axes.plot(
            positions,
            [1.0 - progress.test_accuracy for progress in steps],
            label="share of errors (test)",
        )
        axes.set(title=network, xlabel=steps[0].unit)
        axes.set_yscale("log", nonpositive="clip")
        axes.legend()
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=120)
    write_whole(folder / PLOT_NAME, image.getvalue())

    return True


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write `summary.json`."""
    write_whole(folder / SUMMARY_NAME, (json.dumps(summary, indent=2) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` in one step, so that a reader or a Ctrl-C never meets half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:  # after a Ctrl-C too, nothing half-written stays behind
        temporary.unlink(missing_ok=True)
