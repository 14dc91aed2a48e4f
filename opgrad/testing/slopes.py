"""How f changes around a point, and whether a derivative fits that.

A central difference settles the ordinary point. Where it does not agree, or the two sides differ,
the slopes at steps h, h/4 and h/16 tell a kink (they differ, and stay so) from curvature (their
difference shrinks with h), a jump (one of them grows without bound) and the edge of a domain (one
is nan). Smaller steps are tried before a derivative is called wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import attrs

Change = tuple[float, float, float]
"""How far the entry was moved in fact, by how much f changed, and the size of what changed."""

_ROUNDINGS = 4.0
"""Rounding errors that a value of f may carry, in units of eps times its size."""
_CURVED = 0.25
"""Of h/16 against h: below it a gap between the slopes is curvature (1/16), not a kink (1)."""
_RUNAWAY = 0.9
"""What a step of a slope is to the step before: 1/16 or 1/4 where f is smooth, 1/2 for x to the
1.5; 1 for x ln x, more for roots and jumps, whose slopes have no bound."""
_BARELY = 0.01
"""A gap between the slopes that calls for no second look, relative to them."""
_ERRATIC = 1e-4
"""A change of the slope from step to step, relative to it, that no smooth f has at such steps."""
_HALF = 0.5
"""A rounding error above this part of a slope hides it."""
_NOISY = 100.0
"""How far above the tolerance the noise of a smaller step may lie."""


@attrs.frozen
class Finding:
    """A derivative beside what the differences say."""

    got: float
    wanted: float
    allowed: float
    size: float
    """Of the slopes here and around: what the error is measured by."""
    fits: bool
    left: float | None = None
    right: float | None = None
    seen: bool = True
    """False where the slope drowns in the rounding errors of f: then anything small fits."""

    @property
    def error(self) -> float:
        """Relative to the size of the slopes; 0 where a kink leaves room."""
        if self.got == self.wanted or (self.fits and self.left is not None):
            return 0.0
        error = abs(self.got - self.wanted) / self.size if self.size else math.inf

        return error if error == error else math.inf  # noqa: PLR0124 -- nan: not comparable at all


def judge(
    got: float, line: Callable[[float], Change], *, at: float, eps: float, tolerance: float
) -> Finding:
    """Whether `got` is the slope along `line`, which moves an entry and tells the change of f.

    Args:
        got: The derivative in question.
        line: From the distance asked for to the change there.
        at: The size of the entry, which sets the step.
        eps: The spacing of the numbers that f is computed in.
        tolerance: Relative error allowed, beside rounding.
    """
    if not math.isfinite(at):  # it cannot be moved
        return Finding(got, got, 0.0, abs(got), fits=not math.isnan(got), seen=False)
    step = eps ** (1.0 / 3.0) * max(1.0, abs(at))
    around = _Around.of(line, (step,), eps, tolerance)
    if around.is_plain:
        finding = around.compare(got, around.central[0], around.noise[0])
        if finding.fits:
            return finding
    found, seen = [], []
    for number, shorter in enumerate(_steps(step, at, eps)):
        around = _Around.of(line, (shorter, shorter / 4, shorter / 16), eps, tolerance)
        seen += [(shorter / 4**i, slope) for i, slope in enumerate(around.central)]
        finding = _examine(got, around)
        blind = number > 0 and finding.allowed > _NOISY * tolerance * finding.size
        if finding.fits and not blind:
            return finding
        if not finding.fits:
            found.append((finding.left is not None, not around.is_settled, finding))

    if _drowns(got, seen, eps):
        return Finding(got, got, 0.0, abs(got), fits=True, seen=False)

    # Where some step saw no kink, no edge and a limit, what that one says is the plainest.
    return min(found, key=lambda each: (*each[:2], each[2].error))[2]


def _drowns(got: float, seen: Sequence[tuple[float, float]], eps: float) -> bool:
    """Whether f moves in steps of the rounding errors of numbers near 1, of which it was computed.

    So do 1 - cos x near 0, and log(1 + e^x) far below it: their size does not tell how exact they
    are. No slope is then farther from the derivative than such errors explain, and the slopes
    themselves come to nothing: they change from step to step, or f stands still.
    """
    noise = 4.0 * _ROUNDINGS * eps
    if not all([abs(got - slope) * step <= noise for step, slope in seen]):
        return False
    slopes = [slope for _, slope in seen]
    largest = max(map(abs, slopes))

    return max(slopes) - min(slopes) >= _ERRATIC * largest


def _steps(step: float, at: float, eps: float) -> Iterator[float]:
    """Ever smaller steps, down to one that fits the size of a small entry."""
    for power in range(4):
        yield step / 16**power
    if 0.0 < abs(at) < 1.0:
        yield eps ** (1.0 / 3.0) * abs(at)


def _examine(got: float, around: _Around) -> Finding:
    """Tell what kind of point it is, and judge by that."""
    left, left_noise = _limit(around.left, around.noise)
    right, right_noise = _limit(around.right, around.noise)
    noise = max(left_noise, right_noise)
    if math.isnan(left) or math.isnan(right):
        finding = around.compare(got, right if math.isnan(left) else left, noise)
    elif around.is_curved:
        slope, noise = _limit(around.central, around.noise)
        finding = around.compare(got, slope, noise)
        if math.isfinite(slope):
            return finding
    elif math.isinf(left) or math.isinf(right):
        side = min(left, right, key=lambda slope: abs(got - slope) if got != slope else 0.0)
        finding = around.compare(got, side, noise)
    else:
        inside = max(min(got, max(left, right)), min(left, right))
        finding = around.compare(got, inside, noise)
        middle = (left + right) / 2.0
        finding = attrs.evolve(finding, wanted=inside if finding.fits else middle)

    return attrs.evolve(finding, left=left, right=right)


def _limit(slopes: Sequence[float], noise: Sequence[float]) -> tuple[float, float]:
    """Where slopes at h, h/4, h/16 go, by Aitken's extrapolation, and the rounding error in it.

    Infinite where they run away; nan where f is.
    """
    first, second, third = slopes
    if first == second == third:
        return first, noise[0]
    if math.isnan(first + second + third):
        return math.nan, 0.0
    before, after = second - first, third - second
    if abs(after) <= noise[2]:
        return (second, noise[1]) if abs(before) > noise[1] else (first, noise[0])
    ratio = after / before if before else math.inf
    if 0.0 < ratio < _RUNAWAY:
        return third + after * ratio / (1.0 - ratio), noise[2]
    if ratio > 0.0 and abs(third) > abs(second) > abs(first) and third * first >= 0.0:
        return math.copysign(math.inf, third), 0.0

    return first, noise[0]


@attrs.frozen
class _Around:
    """The slopes around a point for several steps, each with the rounding error it may carry."""

    left: tuple[float, ...]
    right: tuple[float, ...]
    central: tuple[float, ...]
    noise: tuple[float, ...]
    tolerance: float

    @staticmethod
    def of(
        line: Callable[[float], Change], steps: Sequence[float], eps: float, tolerance: float
    ) -> _Around:
        """Evaluate f on both sides."""
        left, right, central, noise = [], [], [], []
        for step in steps:
            ahead, more, size_ahead = line(step)
            behind, less, size_behind = line(-step)
            right.append(more / ahead if ahead else math.nan)
            left.append(less / behind if behind else math.nan)
            apart = ahead - behind
            central.append((more - less) / apart if apart else math.nan)
            rounding = _ROUNDINGS * eps * max(size_ahead, size_behind) / step
            noise.append(rounding if math.isfinite(rounding) else 0.0)

        return _Around(tuple(left), tuple(right), tuple(central), tuple(noise), tolerance)

    @property
    def scale(self) -> float:
        """The size of the slopes: what an error is measured by where the derivative is 0."""
        return max((abs(s) for s in (self.left[0], self.right[0]) if math.isfinite(s)), default=0.0)

    def compare(self, got: float, wanted: float, noise: float) -> Finding:
        """Whether the two agree; infinities and nan exactly."""
        size = max(abs(got), abs(wanted), self.scale)
        if not (math.isfinite(got) and math.isfinite(wanted)):
            return Finding(got, wanted, 0.0, size, fits=got == wanted)
        allowed = self.tolerance * size + noise
        fits = abs(got - wanted) <= allowed
        seen = got == wanted or noise <= _HALF * size or not fits

        return Finding(got, wanted, allowed, size, fits, seen=seen)

    @property
    def is_plain(self) -> bool:
        """Whether the two sides agree at the first step already."""
        gap = abs(self.right[0] - self.left[0])

        return gap <= _BARELY * self.scale + self.noise[0]

    @property
    def is_settled(self) -> bool:
        """Whether the central differences come to a limit as those of a smooth function do."""
        first, second, third = self.central

        return abs(third - second) <= _CURVED * abs(second - first) + self.noise[-1]

    @property
    def is_curved(self) -> bool:
        """Whether the gap between the sides closes as h shrinks, or was never there."""
        first, last = (abs(self.right[i] - self.left[i]) for i in (0, -1))
        size = max(abs(self.right[-1]), abs(self.left[-1]))

        return last <= _CURVED * first or last <= self.tolerance * size + self.noise[-1]
