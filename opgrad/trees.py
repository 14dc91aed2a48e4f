"""Nested containers of numbers, arrays and Values: dicts, lists, tuples, named tuples, attrs.

A transform takes the leaves out, and puts its results back in the same places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs


def leaves(tree: Any) -> Iterator[Any]:
    """The leaves in order: dict values by insertion, sequence items, attrs fields."""
    children = _children(tree)
    if children is None:
        yield tree
    else:
        for child in children:
            yield from leaves(child)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `function` applied to each leaf; None is an empty tree."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return type(tree)({key: map_leaves(function, child) for key, child in tree.items()})
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[map_leaves(function, child) for child in tree])
    if isinstance(tree, list | tuple):
        return type(tree)([map_leaves(function, child) for child in tree])
    if attrs.has(type(tree)):
        names = [field.name for field in attrs.fields(type(tree))]
        return attrs.evolve(
            tree, **{name.lstrip("_"): map_leaves(function, getattr(tree, name)) for name in names}
        )

    return function(tree)


def refill(tree: Any, new: Iterator[Any]) -> Any:
    """The tree with its leaves replaced, in order, by those of `new`."""
    return map_leaves(lambda _: next(new), tree)


def _children(tree: Any) -> list[Any] | None:
    if tree is None:
        return []
    if isinstance(tree, dict):
        return list(tree.values())
    if isinstance(tree, list | tuple):
        return list(tree)
    if attrs.has(type(tree)):
        return [getattr(tree, field.name) for field in attrs.fields(type(tree))]

    return None
