"""Functions of the Array API that return several arrays by name: unique values and their places.

The values are those of the op `unique_values`, differentiable; the places are constants.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from opgrad.ops.sorting import unique_places, unique_values

__all__ = ["unique_all", "unique_counts", "unique_inverse"]


class UniqueAll(NamedTuple):
    """The values that occur, and where: what `unique_all` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """The values that occur, and how often: what `unique_counts` returns."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """The values that occur, and which each entry is: what `unique_inverse` returns."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAll:
    """The values of x in rising order, their first places, which each entry is, how often each is.

    Example:
        >>> import numpy as np
        >>> from opgrad import ops
        >>> ops.unique_all(np.array([3.0, 1.0, 3.0])).counts
        array([1, 2])
    """
    return UniqueAll(unique_values(x), *unique_places(x))


def unique_counts(x: Any, /) -> UniqueCounts:
    """The values of x in rising order, and how often each occurs."""
    return UniqueCounts(unique_values(x), unique_places(x)[2])


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The values of x in rising order, and of each entry of x the index of its value."""
    return UniqueInverse(unique_values(x), unique_places(x)[1])
