"""`plot`: a function, its derivatives, its minima, its kinks and a tangent."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from opgrad.plotting.curves import Curve, Point
from opgrad.plotting.portraits import Kink, Portrait, portrait

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from opgrad.plotting.figure import Figure

_NAMED = 6
"""With more minima or kinks than these, they are marked and their numbers left out."""
_CONSTANT = 1e-9
"""A range below this part of the values is rounding."""
_SPELLED = 2
"""With more minima than these, a label is its numbers alone."""
_EDGE = 0.2
"""Nearer to an end than this part of the interval, a label points away from it."""
_TANGENT = 0.2
"""How far a tangent reaches to each side, in parts of the interval."""
_STRAY = 4.0
"""Beside a pole, the picture shows the usual range of values, if all take this many of it."""


def plot(
    f: Callable[[Any], Any],
    lo: float,
    hi: float,
    *,
    order: int = 1,
    tangent: float | None = None,
) -> Figure:
    """Draw a function of one number and its derivatives, as opgrad computes them.

    Minima, found by gradient descent, carry a dot. At kinks, which an op declares and a jump of
    the slope gives away, a dot in the slope's panel shows the derivative that opgrad takes there.

    Args:
        f: A function of one number that returns one, or an op; it is evaluated number by number.
        lo: The left end.
        hi: The right end.
        order: The highest derivative to draw, at most 8: 0 for the function alone.
        tangent: Draw the tangent at this point.

    Returns:
        A matplotlib figure, which a notebook shows and `savefig("f.png")` or `.svg` writes.

    Raises:
        CallError: `f` is no such function, or the numbers are no interval in which to draw.
        ImportError: matplotlib is not installed.

    Examples:
        >>> figure = plot(lambda x: 3 * x**2 - 4 * x + 5, -3, 3, tangent=2.0)
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['minimum 3.667 at 0.6667', 'slope 8']
    """
    return draw(portrait(f, lo, hi, order=order, tangent=tangent))


def draw(known: Portrait, *, width: float = 6.4, height: float = 2.6) -> Figure:
    """Draw a portrait: a panel for the function, a lower one for each derivative."""
    look = figures()
    heights = [height, *[0.65 * height] * (len(known.curves) - 1)]
    drawn: Figure
    drawn, grid = look.panels(width=width, heights=heights)
    rows = [row[0] for row in grid]
    for order, (axes, curve) in enumerate(zip(rows, known.curves, strict=True)):
        look.entitle(axes, _title(known.name, order))
        _draw_curve(axes, curve, look.COLOURS[order % len(look.COLOURS)])
    rows[-1].set_xlabel("x")
    rows[0].set_xlim(known.low, known.high)
    for kink in known.kinks:
        _draw_kink(rows, kink, named=len(known.kinks) <= _NAMED)
    bottom, top = rows[0].get_ylim()
    room = 0.12 * (top - bottom)  # for labels: below the minima, above the kinks
    rows[0].set_ylim(bottom - room * bool(known.minima), top + room * bool(known.kinks))
    for x, y in known.minima:
        _draw_minimum(rows, x, y, among=len(known.minima))
    if known.tangent:
        _draw_tangent(rows, known)

    return drawn


def figures() -> Any:
    """The module that imports matplotlib.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        return importlib.import_module("opgrad.plotting.figure")
    except ImportError as error:
        message = f"pictures are drawn by matplotlib, and {error}; pip install 'opgrad[plot]'"
        raise ImportError(message) from error


def _title(name: str, order: int) -> str:
    primes = ("", "′", "″", "‴")
    if order < len(primes):
        return f"{name}{primes[order]}(x)"
    raised = str(order).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))

    return f"{name}⁽{raised}⁾(x)"


def _draw_curve(axes: Axes, curve: Curve, colour: str) -> None:
    bottom, top = _limits(curve)
    beyond = 10.0 * (top - bottom)
    for line in curve.lines():
        xs = [x for x, _ in line]
        ys = [min(max(y, bottom - beyond), top + beyond) for _, y in line]
        axes.plot(xs, ys, color=colour, zorder=2.5)
    axes.set_ylim(bottom, top)
    if bottom < 0.0 < top:
        axes.axhline(0.0, color=figures().QUIET, linewidth=0.8, zorder=1)


def _limits(curve: Curve) -> Point:
    """From where to where the picture of a curve reaches: around a pole not to its top."""
    ordered = sorted([y for _, y in curve.points if math.isfinite(y)]) or [0.0]
    low, high = ordered[0], ordered[-1]
    if curve.poles and high - low > _STRAY * curve.usual_range > 0.0:
        few = len(ordered) // 20
        low, high = ordered[few], ordered[-1 - few]
    size = max(abs(low), abs(high))
    margin = 0.08 * (high - low)
    if high - low <= _CONSTANT * size or not size:  # constant, but for rounding
        margin = 0.5 * size or 1.0

    return low - margin, high + margin


def _draw_kink(rows: list[Axes], kink: Kink, *, named: bool) -> None:
    look = figures()
    for axes in rows:
        axes.axvline(kink.x, color=look.QUIET, linewidth=1.0, linestyle=":", zorder=1)
    if named:
        rows[0].annotate(
            f"{kink.kind} at {look.short(kink.x)}",
            (kink.x, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -3),
            textcoords="offset points",
            verticalalignment="top",
            color=look.QUIET,
            fontsize=8,
        )
    if len(rows) > 1 and math.isfinite(kink.slope):
        _draw_dot(rows[1], kink.x, kink.slope, look.COLOURS[1])


def _draw_minimum(rows: list[Axes], x: float, y: float, *, among: int) -> None:
    look = figures()
    _draw_dot(rows[0], x, y, look.COLOURS[0])
    for axes in rows[1:2]:
        _draw_dot(axes, x, 0.0, look.PAPER, edge=look.COLOURS[1])
    if among <= _NAMED:
        low, high = rows[0].get_xlim()
        across = (x - low) / (high - low)
        side = "left" if across < _EDGE else "right" if across > 1.0 - _EDGE else "center"
        number, place = look.short(y), look.short(x)
        rows[0].annotate(
            f"minimum {number} at {place}" if among <= _SPELLED else f"{number} at {place}",
            (x, y),
            xytext=(0, -7),
            textcoords="offset points",
            verticalalignment="top",
            horizontalalignment=side,
            color=look.INK,
            bbox=_halo(),
        )


def _draw_tangent(rows: list[Axes], known: Portrait) -> None:
    look = figures()
    x, y, slope = known.tangent or (0.0, 0.0, 0.0)
    reach = _TANGENT * (known.high - known.low)
    ends = (max(x - reach, known.low), min(x + reach, known.high))
    rows[0].plot(ends, [y + slope * (end - x) for end in ends], color=look.INK, linewidth=1.2)
    _draw_dot(rows[0], x, y, look.INK)
    rows[0].annotate(
        f"slope {look.short(slope)}",
        (x, y),
        xytext=(8, -4) if slope > 0 else (8, 4),
        textcoords="offset points",
        verticalalignment="top" if slope > 0 else "bottom",
        color=look.INK,
        bbox=_halo(),
    )
    if len(rows) > 1:
        _draw_dot(rows[1], x, slope, look.INK)


def _draw_dot(axes: Axes, x: float, y: float, colour: str, *, edge: str | None = None) -> None:
    axes.plot([x], [y], "o", color=colour, markeredgecolor=edge or colour, markersize=6, zorder=3)


def _halo() -> dict[str, Any]:
    """Paper behind a label, so that no line runs through it."""
    return {"facecolor": figures().PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1.0}
