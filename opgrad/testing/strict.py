"""The functions of the Array API standard and nothing else, for data of `array_api_strict`.

That library refuses what the standard does not promise. What opgrad itself adds to the standard is
computed by NumPy here. Loaded when data of it are first seen, as the other namespaces are.
"""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np

from opgrad import trees
from opgrad.namespaces import numpy as ours

EXTRAS = frozenset({"cbrt", "erf", "erfc", "logsumexp", "relu", "sigmoid", "xlogy"})
"""What opgrad promises of every namespace beside the standard."""


def accepts(kind: type) -> bool:
    """Whether data of this type is of the library."""
    return kind is type(array_api_strict.ones(1))


def __getattr__(name: str) -> Any:
    """A function of the standard, or one of those that opgrad adds."""
    if name.startswith("__"):
        raise AttributeError(name)
    found = getattr(array_api_strict, name, None)
    if found is None:
        found = _through_numpy(getattr(ours, name))
    globals()[name] = found

    return found


class Public:
    """The namespace as an author may use it: the standard, and the extras that are published."""

    def __getattr__(self, name: str) -> Any:
        standard = getattr(array_api_strict, name, None)
        if standard is not None:
            return standard
        if name in EXTRAS:
            return _through_numpy(getattr(ours, name))
        message = (
            f"xp.{name} is not in the Array API standard, and not one of the functions that opgrad "
            f"adds to it: {', '.join(sorted(EXTRAS))}"
        )
        raise AttributeError(message)


def to_strict(x: Any) -> Any:
    """An array of NumPy as one of the library; a number as it is."""
    return array_api_strict.asarray(x) if isinstance(x, np.ndarray | np.generic) else x


def to_numpy(x: Any) -> Any:
    """An array of the library as one of NumPy; anything else as it is."""
    return np.asarray(x) if accepts(type(x)) else x


def _through_numpy(function: Any) -> Any:
    if not callable(function):
        return function

    def called(*args: Any, **kwargs: Any) -> Any:
        found = function(*trees.map_leaves(to_numpy, args), **trees.map_leaves(to_numpy, kwargs))
        return trees.map_leaves(to_strict, found)

    return called
