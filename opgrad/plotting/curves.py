"""A function of one number, sampled: its values and slopes, and where a line through them ends.

Every point is computed alone, on a Python float: what a function does with one number, an `if`
included, is what is drawn. A change between two samples that halving their distance does not
shrink is a jump, and the line is not drawn across it.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from numbers import Real
from typing import Any

import attrs

from opgrad import namespaces
from opgrad.errors import CallError, OpgradWarning
from opgrad.op import Op
from opgrad.transforms import grad
from opgrad.value import Value

SAMPLES = 401
_STEEP = 0.02
"""A change between neighbours below this part of the usual range is drawn as it is."""
_CLOSE = 1e-13
"""Where halving ends, in parts of the interval: what still changes there, jumps."""
_NOISE = 1e-9
"""A change below this part of the size of the values is rounding, not a jump."""
_POLE = 10.0
"""Halving makes a change this many times larger at a pole, and no larger at a jump."""
_RUNAWAY = 1e3
"""Next to a pole, the last sample is this many times larger than the one before."""

Slope = Callable[[float], float]
Point = tuple[float, float]


@attrs.frozen
class Break:
    """Two neighbouring points that no line joins."""

    left: Point
    right: Point
    pole: bool
    """Whether the curve leaves for infinity here, or ends, rather than steps."""

    @property
    def at(self) -> float:
        """The roundest number between the two: where the jump was meant to be."""
        low, high = self.left[0], self.right[0]
        rounded = (round((low + high) / 2.0, digits) for digits in range(17))

        return next((x for x in rounded if low <= x <= high), low) + 0.0

    def of(self, f: Slope) -> Break:
        """The same break, in the curve of another function."""
        (left, _), (right, _) = self.left, self.right

        return Break((left, f(left)), (right, f(right)), self.pole)


@attrs.frozen
class Curve:
    """Samples of one function, and the points where it breaks off."""

    points: tuple[Point, ...]
    breaks: tuple[Break, ...]

    @property
    def jumps(self) -> list[float]:
        """Where the function steps from one finite value to another."""
        return [found.at for found in self.breaks if not found.pole]

    @property
    def poles(self) -> bool:
        """Whether the curve leaves for infinity anywhere, or is about to at an end."""
        ends = (self.points[:2], self.points[:-3:-1])
        runaway = any(abs(end) > _RUNAWAY * abs(next_to_it) for (_, end), (_, next_to_it) in ends)

        return runaway or any(found.pole for found in self.breaks)

    @property
    def usual_range(self) -> float:
        """The range of the middle nine tenths of the values; of all, where these are one value."""
        ordered = sorted([y for _, y in self.points if math.isfinite(y)])
        few = len(ordered) // 20
        middle = ordered[few : len(ordered) - few]
        if not middle:
            return 0.0

        return (middle[-1] - middle[0]) or (ordered[-1] - ordered[0])

    def lines(self) -> list[list[Point]]:
        """The points of each unbroken piece, from left to right."""
        ends = iter([*self.breaks, Break((math.inf, 0.0), (math.inf, 0.0), pole=False)])
        end = next(ends)
        pieces: list[list[Point]] = [[]]
        for x, y in self.points:
            while x >= end.right[0]:
                pieces[-1].append(end.left)
                pieces.append([end.right])
                end = next(ends)
            pieces[-1].append((x, y))

        return [
            [point for point in piece if math.isfinite(point[1])]
            for piece in pieces
            if any(math.isfinite(y) for _, y in piece)
        ]


def derivatives(f: Callable[[Any], Any], order: int) -> list[Slope]:
    """`f` and its first `order` derivatives, as functions from a float to a float.

    Where `f` or a lower derivative is no finite number, there is no derivative: it is nan.

    Raises:
        CallError: (when called) `f` does not return one real number.
    """
    found: list[Slope] = [_Number(f, f)]
    slope: Callable[[Any], Any] = f
    for _ in range(order):
        slope = grad(slope)
        found.append(_Number(slope, f, below=found[-1]))

    return found


@attrs.frozen
class _Number:
    """A function of one Value as one of floats."""

    function: Callable[[Any], Any]
    of: Callable[[Any], Any]
    below: Slope | None = None

    def __call__(self, x: float) -> float:
        if self.below is None:
            return _as_number(self.run(Value(x)), self.of)
        return _as_number(self.run(x), self.of) if math.isfinite(self.below(x)) else math.nan

    def run(self, x: Any) -> Any:
        with warnings.catch_warnings():
            # Edges of a domain are drawn as gaps, and a piece that is constant has slope zero.
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.simplefilter("ignore", OpgradWarning)
            try:
                return self.function(x)
            except Exception as error:
                shown = x.data if type(x) is Value else x
                error.add_note(f"opgrad evaluated {name_of(self.of)} at x = {shown!r} to draw it")
                raise


def _as_number(y: Any, f: Callable[[Any], Any]) -> float:
    y = y.data if type(y) is Value else y
    if getattr(y, "shape", ()) == ():
        y = y.item() if hasattr(y, "item") else y
        if isinstance(y, Real):
            return float(y)
    message = (
        f"{name_of(f)} returned {namespaces.describe(y)}; what is drawn is a function of one "
        "number that returns one real number"
    )
    raise CallError(message)


def name_of(f: Callable[[Any], Any]) -> str:
    """What to call a function in a picture: its own name, `f` where it has none."""
    if isinstance(f, functools.partial):
        return name_of(f.func)
    if isinstance(f, Op):
        return f.name
    name = str(getattr(f, "__name__", "f"))

    return name if name.isidentifier() else "f"


def warn_if_unreached(f: Callable[[Any], Any], curves: list[Curve]) -> None:
    """Warn where `f` returns plain data at every sample: its slope is zero, likely by mistake."""
    value, slope = curves[0], curves[1]
    if any(y for _, y in slope.points) or not any(math.isfinite(y) for _, y in value.points):
        return
    run = _Number(f, f).run
    if not any(type(run(Value(x))) is Value for x, _ in value.points):
        message = (
            f"{name_of(f)} returned plain data everywhere, which its argument does not reach: the "
            "slope is zero. If data was taken out of a Value (v.data), leave it in"
        )
        warnings.warn(message, OpgradWarning, stacklevel=4)  # past `portrait` and `plot`


def sampled_orders(f: Callable[[Any], Any], low: float, high: float, order: int) -> list[Curve]:
    """The curves of `f` and of its first `order` derivatives on [low, high].

    Where one breaks off, so do those of higher order.
    """
    found: list[Curve] = []
    noise = 0.0
    for number in derivatives(f, order):
        found.append(sampled(number, low, high, below=found[-1] if found else None, noise=noise))
        noise = max(noise, _NOISE * _size(found[-1])) / (high - low)

    return found


def sampled(
    f: Slope, low: float, high: float, *, below: Curve | None = None, noise: float = 0.0
) -> Curve:
    """Sample `f` on [low, high], and find where its curve breaks off.

    Args:
        f: What to sample.
        low: The left end.
        high: The right end.
        below: The curve of which `f` is the derivative: it has none where that one breaks off.
        noise: A change below this is rounding, as is one of a tiny part of the values.
    """
    step = (high - low) / (SAMPLES - 1)
    places = [*[low + i * step for i in range(SAMPLES - 1)], high]
    # Away from zero by a rounding error, a sample would miss what happens at zero itself.
    places = [0.0 if abs(x) < 1e-9 * step else x for x in places]
    points = tuple([(x, f(x)) for x in places])
    close = _CLOSE * (high - low)
    curve = Curve(points, ())
    steep = max(_STEEP * curve.usual_range, _NOISE * _size(curve), noise)
    known = {found.left[0]: found for found in below.breaks} if below else {}
    breaks = []
    for a, b in pairwise(points):
        inherited = [found for x, found in known.items() if a[0] <= x < b[0]]
        if inherited:
            breaks += [found.of(f) for found in inherited]
        elif found := _break(f, a, b, steep, close):
            breaks.append(found)

    return attrs.evolve(curve, breaks=tuple(breaks))


def _size(curve: Curve) -> float:
    return max([abs(y) for _, y in curve.points if math.isfinite(y)], default=0.0)


def _break(f: Slope, a: Point, b: Point, steep: float, close: float) -> Break | None:
    """What lies between two neighbouring samples: nothing, a jump, a pole, the edge of a domain."""
    if math.isfinite(a[1]) != math.isfinite(b[1]):
        for left, right in _halvings(f, a, b, close, _keep_the_edge):
            a, b = left, right
        return Break(a, b, pole=True)
    change = abs(b[1] - a[1])
    if not change > steep:
        return None
    last = change
    for left, right in _halvings(f, a, b, close, _keep_the_change):
        a, b = left, right
        last = abs(b[1] - a[1])
        if not math.isfinite(last):
            return Break(a, b, pole=True)
        if last < change / 2.0:
            return None

    return Break(a, b, pole=last > _POLE * change)


def _halvings(
    f: Slope, a: Point, b: Point, close: float, keep: Callable[[Point, Point, Point], bool]
) -> Iterator[tuple[Point, Point]]:
    """Halve the distance of two points until they are close, each time keeping one half."""
    while b[0] - a[0] > close:
        x = (a[0] + b[0]) / 2.0
        if not a[0] < x < b[0]:
            return
        middle = (x, f(x))
        a, b = (a, middle) if keep(a, middle, b) else (middle, b)
        yield a, b


def _keep_the_edge(a: Point, middle: Point, _: Point) -> bool:
    return math.isfinite(a[1]) != math.isfinite(middle[1])


def _keep_the_change(a: Point, middle: Point, b: Point) -> bool:
    left, right = abs(middle[1] - a[1]), abs(b[1] - middle[1])

    return not left < right
