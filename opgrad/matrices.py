"""Whole derivatives of functions, and products with them: Jacobian, Hessian, hvp."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

from opgrad import namespaces, trees
from opgrad.define import composite
from opgrad.inputs import Position, arguments
from opgrad.names import core
from opgrad.projection import data_of, zeros_like
from opgrad.transforms import Run, grad, jvp, vjp, warn_of_plain
from opgrad.types import shape as shape_of
from opgrad.value import Value


def jacobian(
    f: Callable[..., Any], argnums: Position | Sequence[Position] = 0
) -> Callable[..., Any]:
    """The Jacobian of a function, as a function of the same arguments.

    Row by row (reverse mode) where the output has at most as many entries as the input, else
    column by column (forward mode); either way `f` runs once.

    Args:
        f: Returns a number, an array, or nested containers of them.
        argnums: Which argument to differentiate by, as a position or a name; or several.

    Returns:
        A function that returns, for an output of shape `s` and an argument of shape `t`, an array
        of shape `s + t`. In the place of each output leaf stand the derivatives by all leaves of
        the argument (a tuple of them for several arguments).

    Raises:
        NotDifferentiableError: An argument is not real or complex.

    Examples:
        >>> import numpy as np
        >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """

    @functools.wraps(f)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        chosen, several, run = arguments(f, argnums, args, kwargs)

        def of_chosen(*new: Any) -> Any:
            return run(new)

        once = Run(of_chosen, chosen)
        out = once.out
        if _entries(out) <= _entries(chosen):
            blocks = _rows(once, chosen)
        else:
            blocks = _columns(once, chosen)
        left = iter(blocks)

        def derivatives(_: Any) -> Any:
            new = iter(next(left))
            filled = tuple([trees.refill(tree, new) for tree in chosen])
            return filled if several else filled[0]

        return trees.map_leaves(derivatives, out)

    return jacobian_of


def hessian(
    f: Callable[..., Any], argnums: Position | Sequence[Position] = 0
) -> Callable[..., Any]:
    """The Hessian of a scalar function: the Jacobian of its gradient.

    Args:
        f: Returns a scalar.
        argnums: Which argument to differentiate by, as a position or a name; or several.

    Returns:
        A function that returns an array of shape `t + t` for an argument of shape `t`.

    Raises:
        NotDifferentiableError: `f` does not return a scalar, or an argument is not real.

    Examples:
        >>> hessian(lambda x: x * x * x)(2.0)
        12.0
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], xs: Sequence[Any], ts: Sequence[Any]) -> Any:
    """The Hessian of a scalar function times a vector: the gradient of its change along it.

    That is one backward pass over a forward one. The other way round computes the gradient of `f`
    itself, too, which nobody asked for.

    Args:
        f: A scalar function of `len(xs)` arguments.
        xs: Where.
        ts: The vector, of the structure and shapes of `xs`.

    Returns:
        The product, of the structure of `xs`; for one argument, the product itself.

    Raises:
        RuleError: `ts` does not fit `xs`.

    Examples:
        >>> hvp(lambda x: x * x * x, (2.0,), (1.0,))
        12.0
    """
    returned: list[Any] = []

    def kept(*at: Any) -> Any:
        returned.append(f(*at))
        return returned[0]

    product = grad(lambda *at: jvp(kept, at, ts)[1], tuple(range(len(xs))))(*xs)
    if type(returned[0]) is not Value:
        warn_of_plain(returned[0], 2)

    return product[0] if len(xs) == 1 else product


def elementwise_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """The derivative of a function that works entry by entry, at every entry of its argument.

    Args:
        f: A function whose output has the shape of its first argument, each entry depending on
            the entry in its place alone; otherwise the result is a sum of derivatives.

    Raises:
        NotDifferentiableError: The argument is not real or complex.

    Examples:
        >>> import numpy as np
        >>> elementwise_grad(lambda x: x * x)(np.array([1.0, 2.0]))
        array([2., 4.])
    """

    @functools.wraps(f)
    def derivative(x: Any, *args: Any, **kwargs: Any) -> Any:
        out, pull = vjp(lambda z: f(z, *args, **kwargs), x)
        return pull(trees.map_leaves(lambda leaf: _ones_like(data_of(leaf)), out))[0]

    return derivative


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with less memory: its inner results are dropped, and computed again when needed.

    Args:
        f: A function of arrays and numbers that returns one. It uses no Value but its arguments.

    Raises:
        CallError: (when called) `f` uses a Value that is not among its arguments.

    Examples:
        >>> import opgrad
        >>> grad(checkpoint(lambda x: opgrad.ops.sin(x * x)))(0.0)
        0.0
    """

    @functools.wraps(f)
    def checkpointed(*xs: Any) -> Any:
        return _CHECKPOINT(*xs, function=f)

    return checkpointed


@composite(name="checkpoint")
def _CHECKPOINT(*xs: Any, function: Any) -> Any:  # noqa: N802 -- a constant, as ALIAS is
    """A function run without keeping its inner results; a sweep runs it again, on Values."""
    return function(*xs)


# -- rows and columns -----------------------------------------------------------------------------


def _rows(once: Run, chosen: Any) -> list[list[Any]]:
    """For each output leaf, for each input leaf, a block of the Jacobian: one sweep an entry."""
    blocks = []
    inputs = list(trees.leaves(chosen))
    for place, (shape, rows) in enumerate(_bases(once.out)):
        together = once.pull_rows(place)
        if together is None:
            pulled = list(once.pull_leaves(rows))
            block = [
                _stacked([row[i] for row in pulled], shape, shape_of(x), axis=0)
                for i, x in enumerate(inputs)
            ]
        else:
            block = [
                part.reshape(shape + shape_of(x)) for part, x in zip(together, inputs, strict=True)
            ]
        blocks.append(block)

    return blocks


def _columns(once: Run, chosen: Any) -> list[list[Any]]:
    """As `_rows`, with one push an entry of the input."""
    outputs = list(trees.leaves(once.out))
    blocks: list[list[Any]] = [[] for _ in outputs]
    for shape, columns in _bases(chosen):
        pushed = [
            list(trees.leaves(once.push(*trees.refill(chosen, iter(tangents)))))
            for tangents in columns
        ]
        for j, y in enumerate(outputs):
            parts = [column[j] for column in pushed]
            blocks[j].append(_stacked(parts, shape_of(y), shape, axis=-1))

    return blocks


def _bases(tree: Any) -> Iterator[tuple[tuple[int, ...], Iterator[list[Any]]]]:
    """For each leaf, its shape, and all leaves with one in one entry of it and zero elsewhere."""
    plain = [data_of(leaf) for leaf in trees.leaves(tree)]
    zeros = [zeros_like(data) for data in plain]
    for i, data in enumerate(plain):

        def one_at_each_entry(i: int = i, data: Any = data) -> Iterator[list[Any]]:
            for unit in _units(data):
                yield [*zeros[:i], unit, *zeros[i + 1 :]]

        yield shape_of(data), one_at_each_entry()


def _units(data: Any) -> Iterator[Any]:
    """Arrays like `data` (or a number) that are one in one entry, for each entry."""
    if not hasattr(data, "dtype"):
        return iter((1.0,))
    xp = namespaces.of_type(type(data))
    count = prod(data.shape)

    return iter(xp.reshape(xp.eye(count, dtype=data.dtype), (count, *data.shape)))


def _stacked(
    parts: list[Any], rows: tuple[int, ...], columns: tuple[int, ...], *, axis: int
) -> Any:
    """Parts along a new axis, as an array of shape `rows + columns`; numbers for 0-d of numbers."""
    if rows == columns == () and len(parts) == 1:
        return parts[0]
    if not parts:
        return _no_entries(rows + columns)
    if any(type(part) is Value for part in parts):
        xp: Any = core()
    else:
        arrays = [part for part in parts if hasattr(part, "dtype")]
        xp = namespaces.of_type(type(arrays[0])) if arrays else _numpy()

    return xp.reshape(xp.stack(parts, axis=axis), rows + columns)


def _no_entries(shape: tuple[int, ...]) -> Any:
    return _numpy().zeros(shape)


def _numpy() -> Any:
    """NumPy's namespace: where the parts are numbers, their array is NumPy's."""
    return importlib.import_module(namespaces.LIBRARIES["numpy"])


def _entries(tree: Any) -> int:
    return sum(prod(shape_of(leaf)) for leaf in trees.leaves(tree))


def _ones_like(data: Any) -> Any:
    return namespaces.of_type(type(data)).ones_like(data) if hasattr(data, "dtype") else 1.0
