"""Slopes that leave no doubt: what a derivative has to differ from to be called wrong unasked.

A sample is a point that its author chose, and every doubt about it is worth a look. Where a check
chooses the point, it may be one at which differences tell nothing: too steep, too wild, at a jump,
or below the rounding errors. So a derivative is called wrong there only if no step fits it, from
coarse ones to where rounding begins, and the slopes of the last three agree with each other.
"""

from __future__ import annotations

import math
import sys
from typing import Any

from opgrad.testing.cases import numpy

WRONG_AT_SAMPLES = "at a sample the derivative is wrong already: see `backward` and `forward`"
STEPS = tuple([6e-6 / 4.0**power for power in range(13)])
"""How far to move, for entries of size 1."""
_APART = 1e-4
"""The least difference that counts, relative to the slopes."""
_CLOSE = 0.1
"""How close slopes have to be to each other, as a part of that difference."""
_FAR = 0.3
"""How far every other slope has to be from the derivative, as a part of it."""
_SAME = 1e-3
"""How close slopes are to each other where there is one, relative to them or to 1."""
_ROUNDINGS = 64.0
"""Rounding errors that a value may carry, in units of eps times its size."""


def noise(value: Any, moved: Any, step: Any) -> Any:
    """The error that rounding may leave in a slope.

    Args:
        value: The size of the value; what it was computed from may have been as large as 1.
        moved: The derivative times the size of the entry, which is rounded itself.
        step: How far the entry is moved.
    """
    np = numpy()
    size = np.maximum(value, 1.0) + np.where(np.isfinite(moved), moved, 0.0)

    return _ROUNDINGS * sys.float_info.epsilon * size / step


def contradicted(got: Any, left: Any, right: Any, noises: Any, *, kinks: bool = True) -> Any:
    """Where slopes leave no doubt that a derivative is wrong: an array of truth values.

    Args:
        got: The derivatives, one a point; one that is no finite number is wrong where the slopes of
            both sides agree.
        left: The slopes on the left; for each step, from the longest, one a point.
        right: Those on the right.
        noises: The rounding errors in them.
        kinks: True: at a kink anything between its slopes is right. False: of kinks nothing is
            said.
    """
    np = numpy()
    with np.errstate(all="ignore"):
        finite = _contradicted(
            np.where(np.isfinite(got), got, math.nan), left, right, noises, kinks
        )

        return finite | (~np.isfinite(got) & _smooth(left, right, noises))


def _contradicted(got: Any, left: Any, right: Any, noises: Any, kinks: bool) -> Any:  # noqa: FBT001 -- private
    np = numpy()
    off = np.maximum(np.minimum(left, right) - got, got - np.maximum(left, right))
    size = np.maximum(np.abs(got), np.maximum(np.abs(left), np.abs(right)))
    usable = (off > _APART * size) & (noises <= _CLOSE * off)
    found = np.zeros(np.shape(got), dtype=bool)
    settled = np.zeros_like(found)
    for k in range(len(left) - 3, -1, -1):
        lefts, rights, last = left[k : k + 3], right[k : k + 3], off[k + 2]
        doubts = [np.ptp(lefts, axis=0), np.ptp(rights, axis=0)]
        doubts += [] if kinks else [np.abs(lefts - rights).max(axis=0)]
        steady = np.stack(doubts).max(axis=0) <= _CLOSE * last
        fits = (noises <= _CLOSE * last) & (off < _FAR * last)  # false where a slope is nan
        here = usable[k : k + 3].all(axis=0) & ~settled
        found |= here & steady & ~fits.any(axis=0)
        settled |= here

    return found


def _smooth(left: Any, right: Any, noises: Any) -> Any:
    """Where the slopes of three steps in a row, on both sides, are the same finite number."""
    np = numpy()
    found = np.zeros(left.shape[1:], dtype=bool)
    for k in range(len(left) - 2):
        slopes = np.concatenate([left[k : k + 3], right[k : k + 3]])
        size = np.abs(slopes).max(axis=0)
        doubt = np.maximum(np.ptp(slopes, axis=0), noises[k + 2])
        found |= doubt <= _SAME * np.maximum(size, 1.0)

    return found
