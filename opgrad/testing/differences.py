"""Slopes by their definition: move an entry of x a little, and see how f changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from opgrad import namespaces
from opgrad.errors import NotDifferentiableError
from opgrad.projection import data_of
from opgrad.types import shape

Index = tuple[int, ...]


def forward_difference(f: Callable[[Any], Any], x: Any, h: float = 1e-3) -> Any:
    """The slope of `f` at `x` as the tutorials have it: `(f(x + h) - f(x)) / h`.

    Args:
        f: A function of one number or array, which it gets as plain data.
        x: A number, or an array: then one entry after the other is moved.
        h: How far.

    Returns:
        A number; for an array the slope along each entry, of shape `f(x).shape + x.shape`.

    Raises:
        NotDifferentiableError: `x` is neither a number nor an array of floats.

    Examples:
        >>> round(forward_difference(lambda x: 3 * x**2 - 4 * x + 5, 3.0), 6)
        14.003
        >>> import numpy as np
        >>> forward_difference(lambda x: (x * x).sum(), np.array([1.0, -2.0])).round(6)
        array([ 2.001, -3.999])
    """
    x = _checked(x)
    base = data_of(f(x))

    return _along_entries(x, lambda index: (data_of(f(moved(x, index, h))) - base) / h)


def central_difference(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    """The slope of `f` at `x` from both sides, `(f(x + h) - f(x - h)) / 2h`: closer for small h.

    Takes and returns what `forward_difference` does.

    Raises:
        NotDifferentiableError: `x` is neither a number nor an array of floats.

    Examples:
        >>> round(central_difference(lambda x: 3 * x**2 - 4 * x + 5, 3.0), 6)
        14.0
    """
    x = _checked(x)

    def slope(index: Index) -> Any:
        return (data_of(f(moved(x, index, h))) - data_of(f(moved(x, index, -h)))) / (2.0 * h)

    return _along_entries(x, slope)


def _checked(x: Any) -> Any:
    x = data_of(x)
    if namespaces.kind_of(x) is not namespaces.REAL:
        message = f"a difference needs a number or an array of floats, not {namespaces.describe(x)}"
        raise NotDifferentiableError(message)

    return x


def _along_entries(x: Any, slope: Callable[[Index], Any]) -> Any:
    """The slope of a number; of an array all slopes, the axes of f first."""
    if not hasattr(x, "shape"):
        return slope(())
    slopes = [slope(index) for index in indices(x)]
    xp = namespaces.of_type(type(x))
    table = xp.asarray(slopes) if slopes else xp.zeros((0,))
    table = xp.moveaxis(table, 0, -1)

    return table.reshape(table.shape[:-1] + x.shape)[()]


def indices(x: Any) -> Iterator[Index]:
    """The index of each entry; `()` alone for a number."""
    return itertools.product(*map(range, shape(x)))


def moved(x: Any, index: Index, by: complex) -> Any:
    """A copy of x in which one entry is moved, of the same type."""
    if not hasattr(x, "shape"):
        return x + by
    if not hasattr(x, "__setitem__"):  # a NumPy scalar
        return type(x)(x + by)
    copy = x.copy()
    copy[index] += by

    return copy
