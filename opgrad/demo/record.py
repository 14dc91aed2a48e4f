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
from opgrad.plotting.functions import figures
from opgrad.plotting.training import draw_losses

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
        look = figures()
    except ImportError:
        return False
    networks = list(dict.fromkeys(progress.network for progress in history))
    width = 4.5 * len(networks)
    figure, (row,) = look.panels(width=width, heights=[3.4], columns=len(networks))
    for axes, network in zip(row, networks, strict=True):
        steps = [progress for progress in history if progress.network == network]
        curves = {
            "loss (training)": [progress.loss for progress in steps],
            "share of errors (test)": [1.0 - progress.test_accuracy for progress in steps],
        }
        draw_losses(axes, curves, unit=steps[0].unit)
        look.entitle(axes, network)
    write_whole(folder / PLOT_NAME, look.as_bytes(figure, "png"))

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
