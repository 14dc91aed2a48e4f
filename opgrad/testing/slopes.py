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
_BARELY = 0.01
"""A gap between the slopes that calls for no second look, relative to them."""
_NOISY = 100.0
"""How far above the tolerance the noise of a smaller step may lie."""


@attrs.frozen
class Finding:
    """A derivative beside what the differences say."""

    got: float
    wanted: float
    allowed: float
    fits: bool
    left: float | None = None
    right: float | None = None
    seen: bool = True
    """False where the slope drowns in the rounding errors of f: then anything small fits."""

    @property
    def error(self) -> float:
        """Relative to the larger of the two; 0 where a kink leaves room."""
        if self.got == self.wanted or (self.fits and self.left is not None):
            return 0.0
        size = max(abs(self.got), abs(self.wanted))
        error = abs(self.got - self.wanted) / size if size else 0.0

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
    step = eps ** (1.0 / 3.0) * max(1.0, abs(at))
    around = _Around.of(line, (step,), eps)
    if around.is_plain:
        finding = _compare(got, around.central[0], around, tolerance, around.noise[0])
        if finding.fits:
            return finding
    found = []
    for number, shorter in enumerate(_steps(step, at, eps)):
        finding = _examine(
            got, _Around.of(line, (shorter, shorter / 4, shorter / 16), eps), tolerance
        )
        size = max(abs(finding.got), abs(finding.wanted))
        blind = number > 0 and finding.allowed > _NOISY * tolerance * size
        if finding.fits and not blind:
            return finding
        if not finding.fits:
            found.append(finding)

    return min(found, key=lambda finding: finding.error)


def _steps(step: float, at: float, eps: float) -> Iterator[float]:
    """Ever smaller steps, down to one that fits the size of a small entry."""
    for power in range(4):
        yield step / 16**power
    if 0.0 < abs(at) < 1.0:
        yield eps ** (1.0 / 3.0) * abs(at)


def _examine(got: float, around: _Around, tolerance: float) -> Finding:
    """Tell what kind of point it is, and judge by that."""
    left, right = _limit(around.left, around.noise), _limit(around.right, around.noise)
    noise = around.noise[-1]
    if math.isnan(left) and math.isnan(right):
        return Finding(got, math.nan, 0.0, fits=False, left=left, right=right)
    if math.isnan(left) or math.isnan(right):
        side = right if math.isnan(left) else left
        return _compare(got, side, around, tolerance, noise, (left, right))
    if around.is_curved(tolerance):
        return _compare(got, _limit(around.central, around.noise), around, tolerance, noise)
    if math.isinf(left) or math.isinf(right):
        side = min(left, right, key=lambda slope: abs(got - slope) if got != slope else 0.0)
        return _compare(got, side, around, tolerance, noise, (left, right))
    low, high = min(left, right), max(left, right)
    allowed = tolerance * max(abs(low), abs(high)) + noise
    inside = low - allowed <= got <= high + allowed

    return Finding(got, (left + right) / 2.0, allowed, fits=inside, left=left, right=right)


def _compare(
    got: float, wanted: float, around: _Around, tolerance: float, noise: float,
    sides: tuple[float, float] | tuple[None, None] = (None, None),
) -> Finding:  # fmt: skip
    size = max(abs(got), abs(wanted), around.scale)
    if math.isfinite(got) and math.isfinite(wanted):
        allowed = tolerance * size + noise
        fits = abs(got - wanted) <= allowed
    else:
        allowed, fits = 0.0, got == wanted
    seen = got == wanted or noise <= 0.5 * size or not fits

    return Finding(got, wanted, allowed, fits, *sides, seen=seen)


def _limit(slopes: Sequence[float], noise: Sequence[float]) -> float:
    """Where slopes at h, h/4, h/16 go: Aitken's extrapolation; infinite where they run away."""
    first, second, third = slopes
    if math.isnan(first + second + third) or first == second == third:
        return third if first == second == third else math.nan
    before, after = second - first, third - second
    if abs(after) <= noise[-1]:
        return second if abs(before) > noise[1] else first
    ratio = after / before if before else math.inf
    runs_away = abs(third) > abs(second) > abs(first) and third * first >= 0.0
    if ratio >= 0.9:  # noqa: PLR2004 -- 1/16 and 1/4 where smooth, 1 for x·ln x, more for roots and jumps
        return math.copysign(math.inf, third) if runs_away else first

    return third + after * ratio / (1.0 - ratio) if ratio > 0.0 else first


@attrs.frozen
class _Around:
    """The slopes around a point for several steps, each with the rounding error it may carry."""

    left: tuple[float, ...]
    right: tuple[float, ...]
    central: tuple[float, ...]
    noise: tuple[float, ...]

    @staticmethod
    def of(line: Callable[[float], Change], steps: Sequence[float], eps: float) -> _Around:
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

        return _Around(tuple(left), tuple(right), tuple(central), tuple(noise))

    @property
    def scale(self) -> float:
        """The size of the slopes: what an error is measured by where the derivative is 0."""
        return max((abs(s) for s in (self.left[0], self.right[0]) if math.isfinite(s)), default=0.0)

    @property
    def is_plain(self) -> bool:
        """Whether the two sides agree at the first step already."""
        gap = abs(self.right[0] - self.left[0])

        return gap <= _BARELY * self.scale + self.noise[0]

    def is_curved(self, tolerance: float) -> bool:
        """Whether the gap between the sides closes as h shrinks, or was never there."""
        first, last = (abs(self.right[i] - self.left[i]) for i in (0, -1))
        size = max(abs(self.right[-1]), abs(self.left[-1]))

        return last <= _CURVED * first or last <= tolerance * size + self.noise[-1]
