"""Nested containers of numbers, arrays and Values: dicts, lists, tuples, named tuples, attrs.

A transform takes the leaves out, and puts its results back in the same places.
"""

from __future__ import annotations

import copy
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
        new = copy.copy(tree)  # keeps what a defaultdict or another kind of dict knows
        for key, child in tree.items():
            new[key] = map_leaves(function, child)
        return new
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[map_leaves(function, child) for child in tree])
    if isinstance(tree, list | tuple):
        return type(tree)([map_leaves(function, child) for child in tree])
    if hasattr(type(tree), "__attrs_attrs__"):
        new = copy.copy(tree)
        for field in attrs.fields(type(tree)):  # set past frozen classes and init=False fields
            object.__setattr__(new, field.name, map_leaves(function, getattr(tree, field.name)))
        return new

    return function(tree)


def matching_leaves(tree: Any, other: Any) -> Iterator[Any]:
    """The leaves of `other` in the order of `tree`, which has the same structure.

    Raises:
        ValueError: The structures differ.
    """
    children = _children(tree)
    if children is None:
        if _children(other) is not None:
            message = f"a container stands where a single number or array belongs: {other!r}"
            raise ValueError(message)
        yield other
        return
    others = _children(other)
    same = others is not None and len(others) == len(children)
    if isinstance(tree, dict):
        same = isinstance(other, dict) and other.keys() == tree.keys()
        others = [other[key] for key in tree] if same else None
    if not same or others is None:
        message = f"the containers differ: {tree!r} and {other!r}"
        raise ValueError(message)
    for child, twin in zip(children, others, strict=True):
        yield from matching_leaves(child, twin)


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
    if hasattr(type(tree), "__attrs_attrs__"):
        return [getattr(tree, field.name) for field in attrs.fields(type(tree))]

    return None
