"""The function under check: its entries, its slope along each, and its derivatives by opgrad.

The outputs are projected: each entry of each output times a weight, summed. One gradient then
stands for the whole Jacobian; weights are above 1 and not all of one sign, so that a rule which
forgets its cotangent, clips it, or takes its size, is found out.
"""

from __future__ import annotations

import functools
import inspect
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import attrs

from opgrad import namespaces, trees
from opgrad.errors import CallError
from opgrad.names import core
from opgrad.op import Op
from opgrad.projection import data_of
from opgrad.testing.differences import Index, indices, moved
from opgrad.testing.slopes import Change
from opgrad.transforms import grad, jvp
from opgrad.types import shape
from opgrad.value import Value, no_grad

EPS = sys.float_info.epsilon


@attrs.frozen
class Leaf:
    """A number or array within the arguments, and how to name it."""

    name: str
    data: Any

    @property
    def is_complex(self) -> bool:
        """Whether an entry has two axes to move along."""
        return _is_complex(self.data)


@attrs.frozen
class Axis:
    """One entry of one leaf; of a complex entry, its real or its imaginary part."""

    leaf: int
    index: Index
    part: str = ""

    @property
    def unit(self) -> complex:
        """Which way the entry is moved."""
        return 1j if self.part == "imag" else 1.0

    def of(self, gradients: Sequence[Any]) -> float:
        """The derivative along this axis: dL = Re(gradient · dx)."""
        g = gradients[self.leaf]
        g = g[self.index] if shape(g) else g

        return -float(g.imag) if self.part == "imag" else float(g.real)

    def along(self, directions: Sequence[Any]) -> float:
        """The component of a direction along this axis."""
        return _entry(directions[self.leaf], self)


@attrs.define(eq=False)
class Subject:
    """A function at a point."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    chosen: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    outputs: list[Any]
    weights: list[Any]
    most: int | None = None
    """At most so many entries are moved: of more, that many drawn at random."""
    kept: dict[tuple[Axis, float], tuple[Any, list[Any]]] | None = None
    """Where each axis was moved to, and the outputs there, if they are to be kept: for checks
    that come back to the same point."""

    @staticmethod
    def of(
        f: Callable[..., Any],
        args: tuple[Any, ...],
        argnums: Sequence[int] | None,
        seed: int,
        *,
        named: Callable[..., Any] | None = None,
    ) -> Subject:
        """Sort the arguments, and call f once. `named`: whose name and parameters it is to bear.

        Raises:
            CallError: There is no entry to check, or f returns nothing that could be
                differentiated.
        """
        named = named or f
        names = argument_names(named, len(args))
        chosen = _chosen(f, args, argnums)
        args = tuple(
            [trees.map_leaves(_as_leaf, a) if i in chosen else a for i, a in enumerate(args)]
        )
        found = [leaf for i in chosen for leaf in named_leaves(args[i], names[i])]
        leaves = tuple([Leaf(name, data) for name, data in found if _is_real(data)])
        if not any([_size(leaf.data) for leaf in leaves]):
            described = ", ".join(namespaces.describe(arg) for arg in args) or "no argument"
            message = (
                f"there is nothing to check in {function_name(named)} on {described}: "
                "no argument that is differentiated holds a real or complex number"
            )
            raise CallError(message)
        subject = Subject(function_name(named), f, args, chosen, leaves, [], [])
        subject.outputs = subject.run([leaf.data for leaf in leaves])
        if not any([_size(y) for y in subject.outputs]):
            message = (
                f"there is nothing to check: {subject.name} returned no real or complex number "
                "(booleans, integer arrays and empty arrays have no gradient)"
            )
            raise CallError(message)
        generator = random.Random(seed)  # noqa: S311 -- weights of a check, not a secret
        subject.weights = [random_like(y, generator) for y in subject.outputs]

        return subject

    # -- by opgrad ----------------------------------------------------------------------------

    def reverse(self, weights: Sequence[Any] | None = None) -> Sequence[Any]:
        """The gradient of the weighted outputs for each leaf, by `opgrad.grad`."""
        weights = weights or self.weights

        def projected(*leaves: Any) -> Any:
            total: Any = 0.0
            for y, w in zip(_real_leaves(self._call(leaves)), weights, strict=True):
                part = core().sum(y * w)
                total = total + (core().real(part) if _is_complex(data_of(part)) else part)
            return total

        data = [leaf.data for leaf in self.leaves]
        found = grad(projected, argnums=tuple(range(len(data))))(*data)

        return [data_of(g) for g in found]  # Values, where f closes over others

    def forward(self, directions: Sequence[Any], weights: Sequence[Any] | None = None) -> float:
        """The change of the weighted outputs along the directions, by `opgrad.jvp`."""
        weights = weights or self.weights
        data = [leaf.data for leaf in self.leaves]
        _, tangents = jvp(lambda *leaves: _real_leaves(self._call(leaves)), data, directions)

        return inner([data_of(t) for t in tangents], weights)

    # -- by moving entries --------------------------------------------------------------------

    def run(self, leaves: Sequence[Any]) -> list[Any]:
        """The outputs of f, as plain data; no graph is recorded.

        f gets constant Values, so that what works under `grad` (methods, indexing) works here.
        """
        numpy = sys.modules.get("numpy")
        with no_grad(), numpy.errstate(all="ignore") if numpy else nullcontext():
            result = self._call([Value(leaf, requires_grad=False) for leaf in leaves])

        return [data_of(y) for y in _real_leaves(result)]

    def axes(self) -> Iterator[Axis]:
        """What is to be moved: everything, or as much of it as is allowed."""
        if self.most is None or sum(_size(leaf.data) for leaf in self.leaves) <= self.most:
            yield from self._all_axes()
        else:
            generator = random.Random(2)  # noqa: S311 -- a choice of entries, not a secret
            yield from generator.sample([*self._all_axes()], self.most)

    def _all_axes(self) -> Iterator[Axis]:
        for number, leaf in enumerate(self.leaves):
            for index in indices(leaf.data):
                for part in ("real", "imag") if leaf.is_complex else ("",):
                    yield Axis(number, index, part)

    def line(self, axis: Axis, weights: Sequence[Any] | None = None) -> Callable[[float], Change]:
        """How the weighted outputs change along an axis, each distance computed once."""
        weights = weights or self.weights
        leaf = self.leaves[axis.leaf].data
        start = _entry(leaf, axis)

        @functools.cache
        def change(distance: float) -> Change:
            new, outputs = self._moved(axis, distance)
            found = [
                _difference(y, base, w)
                for y, base, w in zip(outputs, self.outputs, weights, strict=True)
            ]
            totals, changed, largest = zip(*found, strict=True)
            # Where nothing changed, it may have by less than the largest output can show.
            size = sum(changed) or max(largest)
            return _entry(new, axis) - start, sum(totals), size

        return change

    def change(self, steps: Sequence[Any], distance: float) -> Change:
        """How the weighted outputs change when each leaf moves by its step, as of `line`."""
        pairs = zip(self.leaves, steps, strict=True)
        outputs = self.run([leaf.data + step * distance for leaf, step in pairs])
        self._hold_shapes(outputs)
        found = [
            _difference(y, base, w)
            for y, base, w in zip(outputs, self.outputs, self.weights, strict=True)
        ]
        totals, changed, largest = zip(*found, strict=True)

        return distance, sum(totals), sum(changed) or max(largest)

    def _moved(self, axis: Axis, distance: float) -> tuple[Any, list[Any]]:
        """A leaf with one entry moved, and the outputs there."""
        held = self.kept.get((axis, distance)) if self.kept is not None else None
        if held is not None:
            return held
        data = [item.data for item in self.leaves]
        data[axis.leaf] = moved(data[axis.leaf], axis.index, distance * axis.unit)
        found = data[axis.leaf], self.run(data)
        self._hold_shapes(found[1])
        if self.kept is not None:
            self.kept[axis, distance] = found

        return found

    def _hold_shapes(self, outputs: list[Any]) -> None:
        if [shape(y) for y in outputs] != [shape(y) for y in self.outputs]:
            message = (
                f"the result of {self.name} has another shape a step away, so it has no slope here"
            )
            raise CallError(message)

    def at(self, axis: Axis) -> float:
        """The entry itself."""
        return _entry(self.leaves[axis.leaf].data, axis)

    def eps(self, axis: Axis) -> float:
        """The spacing of the coarsest numbers between this entry and the outputs."""
        return max(map(_eps, [self.leaves[axis.leaf].data, *self.outputs]))

    # -- weights ------------------------------------------------------------------------------

    def only(self, number: int, index: Index) -> list[Any]:
        """The weights of one entry of one output alone."""
        w = self.weights[number]

        return one_hot_like(self.weights, number, index, w[index] if shape(w) else w)

    def unit_and_name(self, place: tuple[int, Index] | None) -> tuple[float, str]:
        """What a derivative of this output is to be divided by, and what the output is called."""
        single = len(self.outputs) == 1 and _size(self.outputs[0]) == 1
        if place is None:
            if not single:
                return 1.0, "output (weighted sum)"
            place = 0, (0,) * len(shape(self.outputs[0]))
        number, index = place
        w = self.weights[number]
        w = w[index] if shape(w) else w
        name = "" if single else "output" + (f"[{number}]" if len(self.outputs) > 1 else "")
        name += f"[{', '.join(map(str, index))}]" if index and not single else ""

        return (1.0, f"{name or 'output'} (weighted)") if _is_complex(w) else (float(w), name)

    def _call(self, leaves: Sequence[Any]) -> Any:
        new = iter(leaves)
        arguments = list(self.arguments)
        for i in self.chosen:
            if any(_is_real(leaf) for leaf in trees.leaves(arguments[i])):
                arguments[i] = trees.map_leaves(
                    lambda leaf: next(new) if _is_real(leaf) else leaf, arguments[i]
                )

        return self.function(*arguments)


# -- arguments ------------------------------------------------------------------------------------


def function_name(f: Callable[..., Any]) -> str:
    """What to call f: an op by its name and provider."""
    if isinstance(f, functools.partial):
        return function_name(f.func)

    return f.described if isinstance(f, Op) else getattr(f, "__qualname__", repr(f))


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the first positional parameters, `xs[0]` where they are behind `*`."""
    names, rest = [], "argument"
    try:
        for parameter in inspect.signature(f).parameters.values():
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                names.append(parameter.name)
            elif parameter.kind is parameter.VAR_POSITIONAL:
                rest = parameter.name
    except (TypeError, ValueError):  # builtins need not tell
        pass
    many = [f"{rest}[{i}]" for i in range(count - len(names))]

    return [*names, *many][:count]


def named_leaves(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The leaves in the order of `trees.leaves`, each with its path: `params['w'][0]`."""
    if tree is None:
        return
    if isinstance(tree, dict):
        items = [(f"{name}[{key!r}]", child) for key, child in tree.items()]
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        items = [(f"{name}.{field}", getattr(tree, field)) for field in tree._fields]
    elif isinstance(tree, list | tuple):
        items = [(f"{name}[{i}]", child) for i, child in enumerate(tree)]
    elif _is_tree(tree) and attrs.has(type(tree)):
        fields = attrs.fields(type(tree))
        items = [(f"{name}.{field.name}", getattr(tree, field.name)) for field in fields]
    else:
        yield name, tree
        return
    for path, child in items:
        yield from named_leaves(child, path)


def _chosen(
    f: Callable[..., Any], args: tuple[Any, ...], argnums: Sequence[int] | None
) -> tuple[int, ...]:
    """Which arguments to move: all, but for operands an op declares to carry no derivative."""
    if argnums is not None:
        for i in argnums:
            if i not in range(len(args)):
                message = f"{function_name(f)} got {len(args)} argument(s); there is no number {i}"
                raise CallError(message)
        return tuple(argnums)
    names = f.operands if isinstance(f, Op) else ()
    fixed = {i for i, name in enumerate(names) if name in f.nondiff} if isinstance(f, Op) else set()

    return tuple([i for i in range(len(args)) if i not in fixed and _is_tree(args[i])])


def _is_tree(arg: Any) -> bool:
    """Whether to look for numbers within: an op holds some, but is no container of them."""
    return not isinstance(arg, Op | type)


def _as_leaf(leaf: Any) -> Any:
    """Plain data; whole numbers as floats, since they are to be moved."""
    data = data_of(leaf)

    return float(data) if type(data) is int else data


def _is_real(leaf: Any) -> bool:
    return namespaces.kind_of(leaf) is namespaces.REAL


def _real_leaves(tree: Any) -> list[Any]:
    return [leaf for leaf in trees.leaves(tree) if _is_real(data_of(leaf))]


# -- numbers and arrays alike ---------------------------------------------------------------------


def random_like(x: Any, generator: random.Random) -> Any:
    """Numbers of either sign between 1.1 and 2.1, of the type of x; the first is negative."""
    signs = [-1.0, *[generator.choice((-1.0, 1.0)) for _ in range(_size(x) - 1)]][: _size(x)]
    numbers: list[Any] = [sign * generator.uniform(1.1, 2.1) for sign in signs]
    if _is_complex(x):
        numbers = [number + 1j * generator.uniform(-1.0, 1.0) for number in numbers]

    return _filled_like(x, numbers)


def one_hot_like(xs: Sequence[Any], number: int, index: Index, value: Any) -> list[Any]:
    """Zeros of the types of `xs`, but for one entry."""
    found = [_filled_like(x, [0.0] * _size(x)) for x in xs]
    found[number] = moved(found[number], index, value)

    return found


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    """The real part of the sum of all products of entries."""
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        product = _wide(x) * _wide(y)
        total += float((product.sum() if shape(product) else product).real)

    return total


def _filled_like(x: Any, numbers: list[Any]) -> Any:
    if not hasattr(x, "dtype"):
        return numbers[0]
    xp = namespaces.of_type(type(x))
    array = xp.asarray(numbers, dtype=x.dtype)

    return array.reshape(x.shape) if hasattr(x, "__setitem__") else array[0]


def _difference(y: Any, base: Any, w: Any) -> tuple[float, float, float]:
    """The real part of w · (y - base), the size of what changed, and the largest entry.

    Equal infinities cancel, and a weight of 0 leaves out an entry, whatever it holds.
    """
    y, base, w = _wide(y), _wide(base), _wide(w)
    if not shape(y):
        size = float(abs(w * base)) if w else 0.0
        same = bool(y == base) or not w
        return (0.0, 0.0, size) if same else (float((w * (y - base)).real), size, size)
    xp = namespaces.of_type(type(y))
    with xp.errstate(all="ignore"):
        still = (y == base) | (w == 0)
        parts = xp.where(still, 0.0, w * (y - base))
        sizes = xp.where(w == 0, 0.0, xp.abs(w) * xp.maximum(xp.abs(y), xp.abs(base)))

    return float(parts.sum().real), float(sizes[~still].sum()), float(sizes.max(initial=0.0))


def _wide(x: Any) -> Any:
    """The same in double precision."""
    if not hasattr(x, "dtype"):
        return x

    return x.astype("complex128" if _is_complex(x) else "float64")


def _entry(x: Any, axis: Axis) -> float:
    entry = x[axis.index] if shape(x) else x

    return float(entry.imag if axis.part == "imag" else entry.real)


def _is_complex(x: Any) -> bool:
    if not hasattr(x, "dtype"):
        return isinstance(x, complex)

    return bool(namespaces.of_type(type(x)).isdtype(x.dtype, "complex floating"))


def _eps(x: Any) -> float:
    if not hasattr(x, "dtype"):
        return EPS

    return max(float(namespaces.of_type(type(x)).finfo(x.dtype).eps), EPS)


def _size(x: Any) -> int:
    return math.prod(shape(x))
