"""The inputs of one call of a transform: Values of its own, in place of what the caller gave.

So its inputs are told from everything else, and its sweep stops at them. A Value that came in is
aliased, and stays part of the larger graph; plain data becomes an input, a node without operands,
by which nobody else can differentiate.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any

from opgrad import namespaces, trees
from opgrad.backprop import collect, in_dtype_of
from opgrad.errors import CallError, InPlaceError, NotDifferentiableError, RuleError
from opgrad.projection import data_of
from opgrad.structure import close_input, open_input
from opgrad.types import shape as shape_of
from opgrad.value import Value, constant, next_serial, paused, recorded

Position = int | str


class Inputs:
    """Values made for one call of a transform, and what to hand out at its end.

    `record`: whether the sweep must be recorded; None where nothing is, under `no_grad`.
    """

    def __init__(self, new: tuple[Any, ...], values: list[Value], floor: int) -> None:
        self.trees = new
        self.values = values
        self.floor = floor
        self.serials = [value.serial for value in values]
        self.recording = paused.get() < 1
        self.any_value = False
        self.record: bool | None = None

    @staticmethod
    def of(chosen: tuple[Any, ...]) -> Inputs:
        """Replace each leaf of the chosen arguments by a Value of its own.

        Raises:
            NotDifferentiableError: A leaf is not a real or complex number or array.
        """
        floor = next_serial()
        values: list[Value] = []
        arrived: list[Value] = []

        def replace(leaf: Any) -> Value:
            if type(leaf) is Value:
                arrived.append(leaf)
            values.append(open_input(leaf))
            return values[-1]

        inputs = Inputs(tuple([trees.map_leaves(replace, tree) for tree in chosen]), values, floor)
        inputs.any_value = bool(arrived)  # then Values go out
        if inputs.recording:
            inputs.record = any([value.serial for value in arrived])

        return inputs

    def run(self, f: Callable[..., Any], *args: Any) -> Any:
        """Call `f`, recording.

        Raises:
            InPlaceError: `f` assigned the data of its inputs.
        """
        try:
            with recorded(on=True):
                result = f(*args)
        finally:
            for value in self.values:
                close_input(value)
        self._check_unchanged()

        return result

    def forget(self) -> None:
        """Make the inputs constants where they were plain: whatever leaked out of `f` is done."""
        for value in self.values:
            if not value.operands:
                value.serial = 0

    def _check_unchanged(self) -> None:
        """Refuse a function that assigned the data of its inputs.

        Raises:
            InPlaceError: It did.
        """
        for value, serial in zip(self.values, self.serials, strict=True):
            if value.serial != serial:
                message = (
                    f"the function assigned the data of its input, now {value.described}, so the "
                    "gradient would not be that of what was computed; use a new variable"
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


def arguments(
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


def as_output(output: Any) -> Any:
    """What a function returned, if it can be differentiated.

    Raises:
        NotDifferentiableError: It is neither number nor array nor Value.
    """
    if type(output) is not Value and namespaces.kind_of(output) is None:
        message = (
            f"the function returned {namespaces.describe(output)}; "
            "it returns a number, an array or a Value to be differentiated"
        )
        raise NotDifferentiableError(message)

    return output


def checked_tangents(xs: Any, values: list[Value], ts: Any) -> list[Any]:
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

    return [in_dtype_of(value, t) for value, t in zip(values, given, strict=True)]
