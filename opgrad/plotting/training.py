"""Loss curves, and the decision boundary of a classifier in the plane."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opgrad.errors import CallError, OpgradWarning
from opgrad.plotting.functions import figures
from opgrad.value import Value, no_grad

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from opgrad.plotting.figure import Figure

_ALL_AT_ONCE, _ONE_BY_ONE = 200, 60
"""Points along each side of the picture at which a classifier is asked."""
_PROBES = 11
_MARKERS = ("o", "^", "s", "D", "v", "P")
_DASHES = ("-", "--", "-.", ":")
_TINT = 0.22
_PLANE = 2


def losses(history: Sequence[Any] | Mapping[str, Sequence[Any]], *, unit: str = "step") -> Figure:
    """Draw how a loss fell, or several, on a logarithmic scale.

    Args:
        history: One loss a step; or several such lists, by what to call them.
        unit: What a step is called, below the axis.

    Returns:
        A matplotlib figure, which a notebook shows and `savefig` writes.

    Raises:
        CallError: There is no loss.
        ImportError: matplotlib is not installed.

    Examples:
        >>> figure = losses({"training": [1.0, 0.5, 0.25], "test": [1.1, 0.7, 0.6]})
        >>> figure.axes[0].get_yscale()
        'log'
    """
    curves = history if isinstance(history, Mapping) else {"loss": history}
    if not curves or not all(hasattr(c, "__len__") and len(c) for c in curves.values()):
        message = f"a loss curve is drawn of one loss a step, and {history!r} was given"
        raise CallError(message)
    drawn: Figure
    drawn, ((axes,),) = figures().panels(width=6.4, heights=[3.0])
    draw_losses(axes, curves, unit=unit)

    return drawn


def draw_losses(axes: Axes, curves: Mapping[str, Sequence[Any]], *, unit: str) -> None:
    """Draw loss curves into these axes."""
    look = figures()
    for index, (name, curve) in enumerate(curves.items()):
        heights = [float(loss.data if type(loss) is Value else loss) for loss in curve]
        axes.plot(
            range(1, len(heights) + 1),
            heights,
            color=look.COLOURS[index % len(look.COLOURS)],
            linestyle=_DASHES[index % len(_DASHES)],
            label=name,
        )
    axes.set_xlabel(unit)
    axes.locator_params(axis="x", integer=True)
    axes.set_yscale("log", nonpositive="clip")
    axes.legend(frameon=False, labelcolor=look.INK)


def decision_boundary(predict: Callable[[Any], Any], points: Any, labels: Any) -> Figure:
    """Draw which class a classifier gives to each place of the plane, and the points it learnt.

    Args:
        predict: Returns for a point a score, whose sign tells two classes apart (positive: the
            greater label); or one score a class, the highest of which wins; or a label, an int.
            It is called once with an array of points, one a row; where it does not return one
            result a row, with one point after the other, a list of two floats. No graph is
            recorded.
        points: Pairs of coordinates, one pair a point.
        labels: The class of each point.

    Returns:
        A matplotlib figure, which a notebook shows and `savefig` writes.

    Raises:
        CallError: Points, labels and predictions do not fit each other.
        ImportError: matplotlib is not installed.

    Examples:
        >>> corners, labels = [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, -1, -1, 1]
        >>> figure = decision_boundary(lambda point: point[0] + point[1] - 1.5, corners, labels)
        >>> len(figure.axes[0].get_lines())
        2
    """
    look = figures()
    import numpy as np  # noqa: PLC0415 -- with matplotlib, which needs it

    places, marks = np.asarray(points, dtype=float), np.asarray(labels)
    classes = np.unique(marks)
    if places.ndim != _PLANE or places.shape[1:] != (_PLANE,) or marks.shape != places.shape[:1]:
        message = (
            "a decision boundary is drawn of pairs of coordinates and one label a pair; points of "
            f"shape {places.shape} and labels of shape {marks.shape} were given"
        )
        raise CallError(message)
    drawn: Figure
    drawn, ((axes,),) = look.panels(width=5.2, heights=[4.2])
    xs, ys, results = _ask(predict, places)
    margins = _margins(results, classes)
    for index, margin in enumerate(margins.reshape(len(classes), len(ys), len(xs))):
        colour = look.COLOURS[index % len(look.COLOURS)]
        top = margin.max()
        if top > 0.0:
            axes.contourf(xs, ys, margin, levels=[0.0, top], colors=[colour], alpha=_TINT)
            if margin.min() < 0.0:
                axes.contour(xs, ys, margin, levels=[0.0], colors=look.INK, linewidths=1.2)
    for index, label in enumerate(classes):
        chosen = places[marks == label]
        axes.plot(
            *chosen.T,
            _MARKERS[index % len(_MARKERS)],
            color=look.COLOURS[index % len(look.COLOURS)],
            markeredgecolor=look.PAPER,
            markersize=7,
            label=f"{label}",
        )
    axes.grid(visible=False)
    axes.set_xlabel("x₁")
    axes.set_ylabel("x₂")
    axes.legend(
        title="label",
        frameon=False,
        labelcolor=look.INK,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
    ).get_title().set_color(look.INK)

    return drawn


def _ask(predict: Callable[[Any], Any], places: Any) -> tuple[Any, Any, Any]:
    """The places along each side, and what the classifier says of each pair of them."""
    import numpy as np  # noqa: PLC0415 -- with matplotlib

    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.1 * np.where(high > low, high - low, 1.0)
    with no_grad():
        at_once, refused = _takes_rows(predict)
        across = _ALL_AT_ONCE if at_once else _ONE_BY_ONE
        xs, ys = np.linspace(low - margin, high + margin, across).T
        rows = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, _PLANE)
        if at_once:
            return xs, ys, np.asarray(_plain(predict(rows)))
        try:
            return xs, ys, np.asarray([_plain(predict(row)) for row in rows.tolist()])
        except Exception as error:
            error.add_note(
                "raised by the classifier that opgrad.plotting.decision_boundary called with one "
                f"point, a list of two floats; given rows of points, {refused}"
            )
            raise


def _takes_rows(predict: Callable[[Any], Any]) -> tuple[bool, str]:
    """Whether a classifier returns one result a row for an array of points; else what it did."""
    import numpy as np  # noqa: PLC0415 -- with matplotlib

    rows = np.linspace((-1.0, 1.0), (1.0, 2.0), _PROBES)
    try:
        results = np.asarray(_plain(predict(rows)))
    except Exception as error:  # noqa: BLE001 -- whatever says that it takes one point
        return False, f"it raised {type(error).__name__}: {error}"

    return results.shape[:1] == (_PROBES,), f"it returned shape {results.shape}"


def _plain(results: Any) -> Any:
    if isinstance(results, (list, tuple)):
        return [_plain(result) for result in results]

    return results.data if type(results) is Value else results


def _margins(results: Any, classes: Any) -> Any:
    """For each class, by how much it wins (above zero) or loses, at each place."""
    import numpy as np  # noqa: PLC0415 -- with matplotlib

    if results.ndim == _PLANE and results.shape[1] == 1:
        results = results[:, 0]
    if results.ndim == 1 and results.dtype.kind in "biu":
        return (results == classes[:, None]) - 0.5
    if results.ndim == 1 and len(classes) == _PLANE:
        if results.min() >= 0.0 and results.max() <= 1.0:
            warnings.warn(
                "all scores lie between 0 and 1, and the sign of a score tells the classes apart; "
                "if they are probabilities p, return p - 0.5",
                OpgradWarning,
                stacklevel=3,
            )
        return np.stack([-results, results])
    if results.shape[1:] == classes.shape:
        others = [np.delete(results, i, axis=1).max(axis=1) for i in range(len(classes))]
        return results.T - np.stack(others)
    message = (
        f"the labels are of {len(classes)} classes, and the classifier returned shape "
        f"{results.shape} for {len(results)} points: one score a point tells two classes apart, "
        "else one score a class is needed"
    )
    raise CallError(message)
