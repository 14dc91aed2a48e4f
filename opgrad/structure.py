"""The nodes that hold a graph together: inputs of transforms, their aliases, and single outputs.

They are ops like any other, with the rules that the sweeps need, and no plugin brings them.
"""

from __future__ import annotations

from typing import Any

from opgrad.define import op as define
from opgrad.errors import NotDifferentiableError
from opgrad.value import Value, make_node


def alias(value: Value) -> Value:
    """A new node equal to `value`: an input of a transform that is its own point to stop at."""
    return make_node(ALIAS, (value,), {}, value._data, None)


def pick_all(whole: Value) -> tuple[Value, ...]:
    """The outputs of an op that has several, as Values that depend on `whole`."""
    return tuple(
        [make_node(PICK, (whole,), {"index": i}, part, None) for i, part in enumerate(whole._data)]
    )


@define(linear=True, name="alias")
def ALIAS(x: Any) -> Any:  # noqa: N802 -- a constant: the one op of that kind
    """Itself: the input of a transform inside a larger graph."""
    return x


@ALIAS.backward
def alias_backward(g: Any) -> Any:
    """The gradient, unchanged."""
    return g


@define(linear=True, name="pick")
def PICK(whole: Any, *, index: int) -> Any:  # noqa: N802 -- see ALIAS
    """One output of an op that has several; its gradient is collected by the sweep."""
    return whole[index]


@define(name="input")
def INPUT(*nothing: Any) -> Any:  # noqa: N802 -- see ALIAS
    """An input of a transform that came in as plain data: a node without operands."""
    return nothing


@INPUT.backward
def input_backward() -> tuple[()]:
    """There is nothing it was made of."""
    return ()


@define(name="open_input")
def OPEN(*nothing: Any) -> Any:  # noqa: N802 -- see ALIAS
    """An input of a transform whose function is still running."""
    return nothing


@OPEN.backward
def open_backward(g: Any, y: Any, nothing: tuple[Any, ...]) -> Any:
    """Refuse, unless recorded: the transform would not see what is left in `grad`."""
    if type(y) is Value:
        return (g,) * len(nothing)
    message = (
        "backward() was called in a function that a transform (grad, jvp, ...) is differentiating, "
        "and reached the transform's input; use opgrad.grad or opgrad.vjp there, or "
        "backward(record=True)"
    )
    raise NotDifferentiableError(message)


def open_input(value: Any) -> Value:
    """An input of a transform: an alias of a Value that wants a gradient, else a node of data.

    Raises:
        NotDifferentiableError: It is not a real or complex number or array.
    """
    if type(value) is Value and value.serial:
        return make_node(OPEN, (value,), {}, value._data, None)
    data = value._data if type(value) is Value else value

    return make_node(OPEN, (), {}, Value(data, requires_grad=True)._data, None)


def close_input(value: Value) -> None:
    """The transform's function has returned: from now on it is an ordinary node."""
    value.op = ALIAS if type(value.first) is Value else INPUT
