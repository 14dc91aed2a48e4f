"""The look of every picture, and a figure that shows itself in notebooks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from matplotlib import figure, rc_context
from matplotlib.axes import Axes

from opgrad.errors import CallError

INK, QUIET, GRID, PAPER = "#24292f", "#6a737d", "#e4e7eb", "#ffffff"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""Told apart by people with any kind of colour vision (Okabe and Ito 2008)."""
DPI = 150
LOOK: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": PAPER,
    "font.size": 9.0,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "savefig.facecolor": "auto",
    "text.color": INK,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
}


class Figure(figure.Figure):
    """A figure of matplotlib's that belongs to no window: save it, or let a notebook show it."""

    def _repr_png_(self) -> bytes:
        return as_bytes(self, "png")

    def show(self, warn: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 -- matplotlib's
        """Say how the figure can be seen: matplotlib's own error names pyplot, which has no part.

        Raises:
            CallError: Always.
        """
        message = (
            "this figure belongs to no window; write it with .savefig('picture.png') and open the "
            "file, or let a notebook show it"
        )
        raise CallError(message)


def as_bytes(drawn: figure.Figure, kind: str) -> bytes:
    """A figure as the content of a file: `png`, `svg`, `pdf`."""
    content = io.BytesIO()
    drawn.savefig(content, format=kind, dpi=DPI)

    return content.getvalue()


def panels(
    *, width: float, heights: Sequence[float], columns: int = 1
) -> tuple[Figure, list[list[Axes]]]:
    """A figure with a grid of axes, rows of these heights in inches, that share x in a column."""
    with rc_context(LOOK):
        drawn = Figure(figsize=(width, sum(heights)), layout="constrained")
        grid = drawn.subplots(
            len(heights), columns, squeeze=False, sharex="col", height_ratios=heights
        )

    return drawn, [list(row) for row in grid]


def entitle(axes: Axes, text: str) -> None:
    """Name what a panel shows, above its left end."""
    axes.set_title(text, loc="left", fontsize=10.0, fontweight="bold", color=INK)


def short(x: float) -> str:
    """A number as a label shows it: four digits, a true minus sign."""
    return f"{x + 0.0:.4g}".replace("-", "−")
