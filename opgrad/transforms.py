"""Functions to functions: `grad`, `value_and_grad`, `jvp`, and `stop_gradient`.

A transform gives the function new Values in place of its inputs, so that its own inputs are told
from everything else, and the sweep stops at them. Inputs may be numbers, arrays, Values, and
nested containers of them. Plain in, plain out; a Value in, a Value out.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opgrad import namespaces, trees
from opgrad.backprop import check_cotangent, collect, gradients
from opgrad.dispatch import alias
from opgrad.errors import CallError, InPlaceError, NotDifferentiableError, RuleError
from opgrad.projection import data_of, owned, zeros_like
from opgrad.pushforward import tangents
from opgrad.types import shape as shape_of
from opgrad.value import Value, constant, next_serial, paused, recorded

Position = int | str


def grad(f: Callable[..., Any], argnums: Position | Sequence[Position] = 0) -> Callable[..., Any]:
    """The gradient of a scalar function, as a function of the same arguments.

    Args:
        f: Returns a scalar.
        argnums: Which argument to differentiate by, as a position or a name; or several.

    Returns:
        A function that returns the gradient, of the structure, shapes and dtypes of the argument
        (a tuple of them for several). An argument `f` does not depend on gets zeros.

    Raises:
        NotDifferentiableError: `f` does not return a scalar, or an argument is not real.

    Example:
        >>> grad(lambda x: 3.0 * x * x - 4.0 * x + 5.0)(3.0)
        14.0
        >>> grad(grad(lambda x: x * x * x))(2.0)
        12.0
    """
    both = value_and_grad(f, argnums)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def value_and_grad(
    f: Callable[..., Any],
    argnums: Position | Sequence[Position] = 0,
    has_aux: bool = False,  # noqa: FBT001, FBT002 -- as in the ecosystem
) -> Callable[..., Any]:
    """As `grad`, but the new function returns `(value, gradient)`.

    Args:
        f: Returns a scalar; with `has_aux`, a scalar and anything else.
        argnums: Which argument to differentiate by, as a position or a name; or several.
        has_aux: Then the new function returns `((value, aux), gradient)`.

    Raises:
        NotDifferentiableError: `f` does not return a scalar, or an argument is not real.

    Example:
        >>> value_and_grad(lambda x, y: x * y, argnums=("x", "y"))(2.0, 3.0)
        (6.0, (3.0, 2.0))
    """

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        chosen, several, run = _arguments(f, argnums, args, kwargs)
        with _Inputs.of(chosen) as inputs:
            result = run(inputs.trees)
            inputs.check_unchanged()
            output, aux = _split(result, has_aux=has_aux)
            found, recorded_sweep = _gradients_of(output, inputs)
            out = inputs.hand_out(output, recorded_sweep)
            found.reverse()
            given = [owned(inputs.hand_out(found.pop(), recorded_sweep)) for _ in inputs.values]
            aux = trees.map_leaves(inputs.hand_out_aux, aux)
        new = iter(given)
        results = tuple([trees.refill(tree, new) for tree in chosen])

        return ((out, aux) if has_aux else out), (results if several else results[0])

    return value_and_gradient


def jvp(f: Callable[..., Any], xs: Sequence[Any], ts: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `f` at `xs`, and its derivative along `ts` (forward mode).

    Args:
        f: A function of `len(xs)` arguments; may return nested containers.
        xs: Where, one entry an argument.
        ts: Along what, of the structure and shapes of `xs`.

    Returns:
        `(out, tangent)`, of the same structure.

    Raises:
        RuleError: A tangent does not have the shape of its input.
        NotDifferentiableError: An input is not real or complex.

    Example:
        >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
        (6.0, 3.0)
    """
    with _Inputs.of(tuple(xs)) as inputs:
        given = _checked_tangents(tuple(xs), inputs.values, tuple(ts))
        result = f(*inputs.trees)
        inputs.check_unchanged()
        outputs = [_as_output(leaf) for leaf in trees.leaves(result)]
        moving = [o for o in outputs if type(o) is Value and o.serial]
        with recorded(on=inputs.recording):
            found, recorded_sweep = tangents(
                moving, inputs.values, given, floor=inputs.floor, record=inputs.record
            )
        moved = iter(found)
        ts_out = []
        for o in outputs:
            t = next(moved) if type(o) is Value and o.serial else None
            ts_out.append(zeros_like(data_of(o)) if t is None else t)
        out = trees.refill(result, iter([inputs.hand_out(o, recorded_sweep) for o in outputs]))
        tangent = trees.refill(result, iter([inputs.hand_out(t, recorded_sweep) for t in ts_out]))

    return out, tangent


def stop_gradient(x: Any) -> Any:
    """`x` as a constant: no gradient flows to or through it. Containers are entered.

    Example:
        >>> grad(lambda x: x * stop_gradient(x))(3.0)
        3.0
    """
    return trees.map_leaves(lambda leaf: constant(leaf._data) if type(leaf) is Value else leaf, x)


# -- the inputs of one call -----------------------------------------------------------------------


class _Inputs:
    """Values made for one call of a transform, and what to hand out at its end.

    `record`: whether the sweep must be recorded; None where nothing is, under `no_grad`.
    """

    def __init__(self, new: tuple[Any, ...], values: list[Value], floor: int) -> None:
        self.trees = new
        self.values = values
        self.floor = floor
        self.serials = [value.serial for value in values]
        self.recording = not paused.get()
        self.any_value = False
        self.record: bool | None = None

    @staticmethod
    @contextmanager
    def of(chosen: tuple[Any, ...]) -> Iterator[_Inputs]:
        """Replace each leaf by a Value of its own; make them constants at the end."""
        floor = next_serial()
        values: list[Value] = []
        fresh: list[Value] = []
        arrived: list[Value] = []

        def replace(leaf: Any) -> Value:
            if type(leaf) is Value:
                arrived.append(leaf)
                if leaf.serial:
                    values.append(alias(leaf))
                    return values[-1]
                leaf = leaf._data
            values.append(Value(leaf, requires_grad=True))
            fresh.append(values[-1])
            return values[-1]

        inputs = _Inputs(tuple([trees.map_leaves(replace, tree) for tree in chosen]), values, floor)
        inputs.any_value = bool(arrived)  # then Values go out
        if inputs.recording:
            inputs.record = any([value.serial for value in arrived])
        with recorded(on=True):
            try:
                yield inputs
            finally:
                for value in fresh:
                    value.serial = 0

    def check_unchanged(self) -> None:
        """Refuse a function that assigned the data of its inputs.

        Raises:
            InPlaceError: It did.
        """
        for value, serial in zip(self.values, self.serials, strict=True):
            if value.serial != serial:
                message = (
                    f"the function assigned the data of its input, now {value.described}, so the gradient "
                    "would not be that of what was computed; use a new variable"
                )
                raise InPlaceError(message)

    def hand_out_aux(self, leaf: Any) -> Any:
        """An auxiliary result: a Value where something outside is reachable from it."""
        if type(leaf) is not Value:
            return leaf
        if self.recording:
            _, _, others = collect([leaf], {value.serial for value in self.values}, self.floor)
            if others or (self.record and leaf.serial):
                return leaf

        return constant(leaf._data) if self.any_value else leaf._data

    def hand_out(self, value: Any, recorded_sweep: bool) -> Any:  # noqa: FBT001 -- private
        """A result as the caller gets it: plain, unless Values came in or it was recorded."""
        if recorded_sweep or self.any_value:
            if type(value) is Value:
                return value if recorded_sweep else constant(value._data)
            return constant(value)

        return data_of(value)


def _arguments(
    f: Callable[..., Any],
    argnums: Position | Sequence[Position],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[tuple[Any, ...], bool, Callable[[tuple[Any, ...]], Any]]:
    """The arguments to differentiate by, whether several were asked for, and `f` of new ones."""
    several = isinstance(argnums, Sequence) and not isinstance(argnums, str)
    asked = tuple(argnums) if several else (argnums,)  # type: ignore[arg-type]
    positions: tuple[Position, ...] = tuple(
        [p if isinstance(p, str) else operator.index(p) for p in asked]  # type: ignore[arg-type]
    )
    name = getattr(f, "__name__", repr(f))
    if any(isinstance(position, str) for position in positions):
        signature = inspect.signature(f)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        many = [p.name for p in signature.parameters.values() if p.kind is p.VAR_POSITIONAL]
        if many and many[0] in positions:
            message = f"{name} takes *{many[0]}: give the positions to differentiate by as numbers"
            raise CallError(message)
        args, kwargs = bound.args, bound.kwargs
        order = list(bound.arguments)
        positions = tuple(
            [order.index(p) if p in order and p not in kwargs else p for p in positions]
        )
    for position in positions:
        if position not in (kwargs if isinstance(position, str) else range(-len(args), len(args))):
            message = (
                f"{name} got {len(args)} positional argument(s) and the names {list(kwargs)}; "
                f"there is no argument {position!r} to differentiate by"
            )
            raise CallError(message)

    places = [p if isinstance(p, str) else p % len(args) for p in positions]
    if len(set(places)) != len(places):
        message = f"{name} is to be differentiated twice by one argument: {argnums!r}"
        raise CallError(message)

    def run(new: tuple[Any, ...]) -> Any:
        filled, named = list(args), dict(kwargs)
        for position, value in zip(positions, new, strict=True):
            if isinstance(position, str):
                named[position] = value
            else:
                filled[position] = value
        return f(*filled, **named)

    chosen = tuple([kwargs[p] if isinstance(p, str) else args[p] for p in positions])

    return chosen, several, run


def _split(result: Any, *, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return _as_output(result), None
    if not isinstance(result, tuple) or len(result) != 2:  # noqa: PLR2004 -- (value, aux)
        message = f"with has_aux the function returns (value, aux); it returned {result!r}"
        raise NotDifferentiableError(message)

    return _as_output(result[0]), result[1]


def _as_output(output: Any) -> Any:
    if type(output) is not Value and namespaces.kind_of(output) is None:
        message = (
            f"the function returned {namespaces.describe(output)}; "
            "it returns a number, an array or a Value to be differentiated"
        )
        raise NotDifferentiableError(message)

    return output


def _gradients_of(output: Any, inputs: _Inputs) -> tuple[list[Any], bool]:
    """The gradient for each input, zeros where the output does not depend on one."""
    if type(output) is not Value or not output.serial:
        if shape_of(data_of(output)) != ():
            message = f"grad needs a scalar function; this one returned shape {shape_of(output)}"
            raise NotDifferentiableError(message)
        return [zeros_like(value._data) for value in inputs.values], False
    cotangent = check_cotangent(output, None)
    with recorded(on=inputs.recording):
        found, was_recorded = gradients(
            [output], [cotangent], inputs.values, floor=inputs.floor, record=inputs.record
        )

    pairs = zip(found, inputs.values, strict=True)

    return [zeros_like(v._data) if g is None else g for g, v in pairs], was_recorded


def _checked_tangents(xs: Any, values: list[Value], ts: Any) -> list[Any]:
    """The tangents in the order of the inputs.

    Raises:
        RuleError: They do not have the structure and shapes of the inputs.
    """
    try:
        given = list(trees.matching_leaves(xs, ts))
    except ValueError as error:
        message = f"tangents have the structure of the inputs: {error}"
        raise RuleError(message) from None
    for value, t in zip(values, given, strict=True):
        if shape_of(t) != value.shape or namespaces.kind_of(data_of(t)) is not namespaces.REAL:
            message = (
                f"the tangent {namespaces.describe(data_of(t))} does not fit its input "
                f"{namespaces.describe(value._data)}: it has the same shape, in floats"
            )
            raise RuleError(message)

    return given
