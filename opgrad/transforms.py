"""Functions to functions: `grad`, `value_and_grad`, `jvp`, and `stop_gradient`.

A transform gives the function new Values in place of its inputs, so that its own inputs are told
from everything else, and the sweep stops at them. Inputs may be numbers, arrays, Values, and
nested containers of them. Plain in, plain out; a Value in, a Value out.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from opgrad import namespaces, trees
from opgrad.backprop import check_cotangent, follow, gradients, plan_sweep
from opgrad.errors import NotDifferentiableError, OpgradWarning, RuleError
from opgrad.inputs import Inputs, Position, arguments, as_output, checked_tangents
from opgrad.projection import data_of, is_complex, pop_owned, zeros_like
from opgrad.pushforward import tangents
from opgrad.rows import sweep_rows
from opgrad.types import shape as shape_of
from opgrad.value import Value, constant, recorded


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

    Examples:
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

    Examples:
        >>> value_and_grad(lambda x, y: x * y, argnums=("x", "y"))(2.0, 3.0)
        (6.0, (3.0, 2.0))
    """

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        chosen, several, run = arguments(f, argnums, args, kwargs)
        inputs = Inputs.of(chosen)
        try:
            output, aux = _split(inputs.run(run, inputs.trees), has_aux=has_aux)
            found, was_recorded = _gradients_of(output, inputs)
            out = inputs.hand_out(output, was_recorded)
            aux = trees.map_leaves(inputs.hand_out_aux, aux)
        finally:
            inputs.forget()
        new = iter(_hand_out_leaves(found, was_recorded, inputs))
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

    Examples:
        >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
        (6.0, 3.0)
    """
    inputs = Inputs.of(tuple(xs))
    given = checked_tangents(tuple(xs), inputs.values, tuple(ts))
    try:
        result = inputs.run(f, *inputs.trees)
        outputs, push = _pushing(result, inputs)
        moved, was_recorded = push(given)
    finally:
        inputs.forget()
    out = trees.refill(result, iter([inputs.hand_out(o, was_recorded) for o in outputs]))
    tangent = trees.refill(result, iter([inputs.hand_out(t, was_recorded) for t in moved]))

    return out, tangent


def linearize(f: Callable[..., Any], *xs: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `f` at `xs`, and its derivative there as a function of tangents.

    `f` runs once; `push(*ts)` may be called any number of times.

    Args:
        f: A function of `len(xs)` arguments; may return nested containers.
        *xs: Where.

    Returns:
        `(out, push)`.

    Raises:
        NotDifferentiableError: An input is not real or complex.

    Examples:
        >>> y, push = linearize(lambda x: x * x, 3.0)
        >>> y, push(1.0), push(2.0)
        (9.0, 6.0, 12.0)
    """
    run = Run(f, xs)

    return run.out, run.push


def vjp(f: Callable[..., Any], *xs: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `f` at `xs`, and its transposed derivative there (reverse mode).

    `f` runs once; `pull(cotangent)` may be called any number of times.

    Args:
        f: A function of `len(xs)` arguments; may return nested containers.
        *xs: Where.

    Returns:
        `(out, pull)`; `pull` takes a cotangent of the structure and shapes of `out`, and returns
        a tuple with one entry an input.

    Raises:
        NotDifferentiableError: An input is not real or complex.
        RuleError: (from `pull`) The cotangent does not fit `out`.

    Examples:
        >>> y, pull = vjp(lambda a, b: a * b, 2.0, 3.0)
        >>> y, pull(1.0)
        (6.0, (3.0, 2.0))
    """
    run = Run(f, xs)

    return run.out, run.pull


class Run:
    """A function run once and recorded, to be swept both ways any number of times."""

    def __init__(self, f: Callable[..., Any], xs: tuple[Any, ...]) -> None:
        self._xs = xs
        self._inputs = inputs = Inputs.of(xs)
        self._result = inputs.run(f, *inputs.trees)
        self._outputs, self._push = _pushing(self._result, inputs)
        new = iter([inputs.hand_out_aux(o) for o in self._outputs])
        self.out = trees.refill(self._result, new)

    def pull(self, cotangent: Any) -> tuple[Any, ...]:
        """The gradients of the inputs for a cotangent of the output: see `vjp`."""
        try:
            given = list(trees.matching_leaves(self._result, cotangent))
        except ValueError as error:
            message = f"a cotangent has the structure of the output: {error}"
            raise RuleError(message) from None
        given = [
            check_cotangent(o, g) if type(o) is Value and o.serial else g
            for o, g in zip(self._outputs, given, strict=True)
        ]
        (leaves,) = self.pull_leaves([given])
        new = iter(leaves)

        return tuple([trees.refill(tree, new) for tree in self._xs])

    def pull_leaves(self, rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        """For each row of cotangents, one an output leaf, the gradients of the input leaves."""
        inputs = self._inputs
        places = [i for i, o in enumerate(self._outputs) if type(o) is Value and o.serial]
        outputs = [self._outputs[i] for i in places]
        plan = plan_sweep(outputs, inputs.values, inputs.floor)
        for row in rows:
            with recorded(on=inputs.recording):
                found, was_recorded = follow(
                    plan, outputs, [row[i] for i in places], inputs.values,
                    floor=inputs.floor, record=inputs.record,
                )  # fmt: skip
            _fill_zeros(found, inputs)
            yield _hand_out_leaves(found, was_recorded, inputs)

    def pull_rows(self, place: int) -> list[Any] | None:
        """The gradients of the input leaves by each entry of one output leaf, an array of them all.

        None where that is no way to do it: see `sweep_rows`.
        """
        inputs, output = self._inputs, self._outputs[place]
        if inputs.record or inputs.any_value or type(output) is not Value or not output.serial:
            return None
        if output.size < 2 or not hasattr(output._data, "dtype"):  # noqa: PLR2004 -- one row is no batch
            return None
        nodes, others = plan_sweep([output], inputs.values, inputs.floor)
        if others and inputs.record is not None:
            return None

        found = sweep_rows(nodes, output, inputs.values, inputs.floor)
        if found is None:
            return None
        xp = namespaces.of_type(type(output._data))
        zeros = [zeros_like(value._data) for value in inputs.values]

        return [
            xp.broadcast_to(zero, (output.size, *shape_of(zero))).copy() if g is None else g
            for g, zero in zip(found, zeros, strict=True)
        ]

    def push(self, *ts: Any) -> Any:
        """The tangent of the output for tangents of the inputs: see `linearize`."""
        moved, was_recorded = self._push(checked_tangents(self._xs, self._inputs.values, ts))
        new = iter([self._inputs.hand_out(t, was_recorded) for t in moved])

        return trees.refill(self._result, new)


def _pushing(
    result: Any, inputs: Inputs
) -> tuple[list[Any], Callable[[list[Any]], tuple[list[Any], bool]]]:
    """The output leaves, and a function from the inputs' tangents to theirs."""
    outputs = [as_output(leaf) for leaf in trees.leaves(result)]
    moving = [o for o in outputs if type(o) is Value and o.serial]

    def push(given: list[Any]) -> tuple[list[Any], bool]:
        with recorded(on=inputs.recording):
            found, was_recorded = tangents(
                moving, inputs.values, given, floor=inputs.floor, record=inputs.record
            )
        by_serial = dict(zip([o.serial for o in moving], found, strict=True))
        moved = []
        for o in outputs:
            t = by_serial.get(o.serial) if type(o) is Value else None
            moved.append(zeros_like(data_of(o)) if t is None else t)
        return moved, was_recorded

    return outputs, push


def stop_gradient(x: Any) -> Any:
    """`x` as a constant: no gradient flows to or through it. Containers are entered.

    Examples:
        >>> grad(lambda x: x * stop_gradient(x))(3.0)
        3.0
    """
    return trees.map_leaves(lambda leaf: constant(leaf._data) if type(leaf) is Value else leaf, x)


# -- what the transforms share ---------------------------------------------------------------------


def _split(result: Any, *, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return as_output(result), None
    if not isinstance(result, tuple) or len(result) != 2:  # noqa: PLR2004 -- (value, aux)
        message = f"with has_aux the function returns (value, aux); it returned {result!r}"
        raise NotDifferentiableError(message)

    return as_output(result[0]), result[1]


def _gradients_of(output: Any, inputs: Inputs) -> tuple[list[Any], bool]:
    """The gradient for each input, zeros where the output does not depend on one."""
    if type(output) is not Value or not output.serial:
        if shape_of(data_of(output)) != ():
            message = f"grad needs a scalar function; this one returned shape {shape_of(output)}"
            raise NotDifferentiableError(message)
        if type(output) is not Value:
            warn_of_plain(output, 4)  # past this, the transform, and `grad` around it
        return [zeros_like(value._data) for value in inputs.values], False
    cotangent = check_cotangent(output, None)
    if is_complex(output._data) and not all(is_complex(v._data) for v in inputs.values):
        message = (
            f"the function returned {output.described} for real inputs, and a gradient needs a "
            "real scalar: take opgrad.ops.real(...), .imag or abs(...) of it, or use jvp"
        )
        raise NotDifferentiableError(message)
    with recorded(on=inputs.recording):
        found, was_recorded = gradients(
            [output], [cotangent], inputs.values, floor=inputs.floor, record=inputs.record
        )

    _fill_zeros(found, inputs)

    return found, was_recorded


def warn_of_plain(output: Any, above: int) -> None:
    """Warn the caller that many frames above that a function returned plain data."""
    warnings.warn(
        f"the function returned plain data, {namespaces.describe(output)}, which none of its "
        "inputs reaches: the gradient is zero. If data was taken out of a Value (v.data, "
        "float(...)), leave it in",
        OpgradWarning,
        stacklevel=above + 1,
    )


def _fill_zeros(found: list[Any], inputs: Inputs) -> None:
    """Zeros in the place of what the output does not depend on."""
    for index, value in enumerate(inputs.values):
        if found[index] is None:
            found[index] = zeros_like(value._data)


def _hand_out_leaves(
    found: list[Any],
    was_recorded: bool,  # noqa: FBT001 -- private
    inputs: Inputs,
) -> list[Any]:
    """The gradients as the caller gets them, one an input leaf."""
    found.reverse()

    return [inputs.hand_out(pop_owned(found, -1), was_recorded) for _ in inputs.values]
