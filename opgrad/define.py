"""The decorators that make an op: `op`, `elementwise` and `composite`.

Everything about a definition is checked here, where it is made.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, overload

from opgrad.errors import OpDefinitionError
from opgrad.op import BINARY_OPERATORS, UNARY_OPERATORS, Function, Op
from opgrad.rules import REQUIRED, RESERVED, Parameters, parameters_of, place


@overload
def op(forward: Function, /) -> Op: ...
@overload
def op(**declarations: Any) -> Callable[[Function], Op]: ...
def op(forward: Function | None = None, /, **declarations: Any) -> Any:
    """Make an op of a forward function. Bare or with declarations: `@op`, `@op(linear=True)`.

    Args:
        forward: `forward(xp, *operands, **attributes)`: positional parameters are operands
            (default None: may be left out), keyword-only ones are attributes; `xp` is the array
            namespace that fits the data.
        **declarations: `name`; `linear` (forward mode then needs no rule; True: in each
            operand, the others held, as a product is; `"jointly"`: in all together, as a sum
            is); `nondiff` (operands without derivative, True for all); `saves` (forward
            returns `(y, saved)`); `outputs` (forward returns a tuple); `broadcasts` (gradients
            are summed out to each operand's shape); `operator`, `methods`, `properties` (how a
            Value reaches the op); `numpy` (NumPy's names for it, where they differ); `symbol` (in
            drawings); `domain` (open interval an operand); `kinks`; `samples`.

    Raises:
        OpDefinitionError: The definition is malformed; the message names what exists.

    Examples:
        >>> import opgrad
        >>> @opgrad.op(linear=True)
        ... def double(xp, x):
        ...     return 2.0 * x
        >>> @double.backward
        ... def double_backward(g):
        ...     return 2.0 * g
        >>> double(3.0), opgrad.grad(double)(3.0)
        (6.0, 2.0)
    """
    return _decorate(forward, declarations)


@overload
def elementwise(forward: Function, /) -> Op: ...
@overload
def elementwise(**declarations: Any) -> Callable[[Function], Op]: ...
def elementwise(forward: Function | None = None, /, **declarations: Any) -> Any:
    """Make an op that works entry by entry; broadcasting is the engine's work.

    Takes what `op` takes. One `derivative` an operand serves backward and forward mode.

    Raises:
        OpDefinitionError: The definition is malformed; the message names what exists.

    Examples:
        >>> import opgrad
        >>> @opgrad.elementwise
        ... def cube(xp, x):
        ...     return x * x * x
        >>> @cube.derivative
        ... def cube_derivative(x):
        ...     return 3.0 * x * x
        >>> opgrad.grad(cube)(2.0)
        12.0
    """
    return _decorate(forward, {**declarations, "elementwise": True})


@overload
def composite(forward: Function, /) -> Op: ...
@overload
def composite(**declarations: Any) -> Callable[[Function], Op]: ...
def composite(forward: Function | None = None, /, **declarations: Any) -> Any:
    """Make an op of other ops: its derivative is found by running the forward on them.

    Takes what `op` takes, and `elementwise=True` where it works entry by entry. Rules may be
    added for speed; each replaces the derivative found for its operand.

    Raises:
        OpDefinitionError: The definition is malformed; the message names what exists.

    Examples:
        >>> import opgrad
        >>> @opgrad.composite(elementwise=True)
        ... def bump(xp, x):
        ...     return xp.exp(-x * x)
        >>> opgrad.grad(bump)(0.0)
        -0.0
    """
    return _decorate(forward, {**declarations, "composite": True})


_DECLARATIONS = frozenset(
    {
        "name", "linear", "nondiff", "saves", "outputs", "broadcasts", "operator", "methods",
        "properties", "numpy", "symbol", "domain", "kinks", "samples", "elementwise", "composite",
    },
)  # fmt: skip


def _decorate(forward: Function | None, declarations: dict[str, Any]) -> Any:
    unknown = declarations.keys() - _DECLARATIONS
    if unknown:
        name = min(unknown)
        near = difflib.get_close_matches(name, _DECLARATIONS, 1)
        message = (
            f"an op has no declaration {name!r}{f'; did you mean {near[0]!r}?' if near else ''} "
            f"Declarations that exist: {', '.join(sorted(_DECLARATIONS))}"
        )
        raise OpDefinitionError(message)
    if forward is None:
        return lambda function: _make(function, declarations)

    return _make(forward, declarations)


def _make(forward: Function, declarations: dict[str, Any]) -> Op:
    parameters = parameters_of(forward)
    name = declarations.pop("name", None) or forward.__name__.rstrip("_")
    _check_names(name, forward, parameters)
    operands = tuple(n for n in parameters.positional if n != "xp")
    optional = _count_optional(forward, operands, parameters)
    nondiff = _as_nondiff(name, declarations.pop("nondiff", ()), operands, parameters.variadic)
    domain = declarations.pop("domain", None) or {}
    if isinstance(domain, tuple):
        domain = {operands[0]: domain}
    for key in ("methods", "properties", "numpy", "samples", "kinks"):
        value = declarations.pop(key, ())
        declarations[key] = (value,) if isinstance(value, str) else tuple(value)
    operator = declarations.get("operator")
    table = BINARY_OPERATORS if len(operands) == 2 else UNARY_OPERATORS  # noqa: PLR2004
    if operator is not None and operator not in table and operator != "[]":
        message = (
            f"{name} has {len(operands)} operand(s) and declares the operator {operator!r}; "
            f"operators for that many are {' '.join(table)}"
        )
        raise OpDefinitionError(message)
    if declarations.get("composite") and (
        declarations.get("saves") or declarations.get("outputs") or parameters.variadic
    ):
        message = f"composite {name} has fixed operands and one output, and saves nothing"
        raise OpDefinitionError(message)
    if declarations.get("elementwise"):
        declarations["broadcasts"] = True
    declarations["symbol"] = declarations.get("symbol") or operator or name

    return Op(
        name=name,
        forward=forward,
        operands=operands,
        optional=optional,
        variadic=parameters.variadic,
        attributes={n: parameters.defaults.get(n, REQUIRED) for n in parameters.keyword_only},
        nondiff=nondiff,
        wants_xp="xp" in parameters.positional,
        domain=domain,
        **declarations,
    )


def _check_names(name: str, forward: Function, parameters: Parameters) -> None:
    if not name.isidentifier():
        message = f"an op's name is an identifier, which {name!r} is not: {place(forward)}"
        raise OpDefinitionError(message)
    taken = [n for n in parameters.names if n in RESERVED and n != "xp"]
    if taken or "xp" in parameters.names[1:]:
        message = (
            f"{place(forward)} calls a parameter {(taken or ['xp'])[0]!r}; "
            f"{', '.join(sorted(RESERVED))} mean something else in rules (xp comes first)"
        )
        raise OpDefinitionError(message)
    if not parameters.variadic and not set(parameters.positional) - {"xp"}:
        message = f"{place(forward)} has no operand; operands are its positional parameters"
        raise OpDefinitionError(message)
    if parameters.variadic and set(parameters.positional) - {"xp"}:
        message = f"{place(forward)}: an op with *{parameters.variadic} has no other operands"
        raise OpDefinitionError(message)


def _count_optional(forward: Function, operands: tuple[str, ...], parameters: Parameters) -> int:
    optional = [n for n in operands if n in parameters.defaults]
    wrong = [n for n in optional if parameters.defaults[n] is not None]
    if wrong:
        message = (
            f"operand {wrong[0]!r} of {place(forward)} has a default; an operand is either given "
            "or None. A setting with a default is an attribute: put it behind `*`"
        )
        raise OpDefinitionError(message)

    return len(optional)


def _as_nondiff(
    name: str, nondiff: Any, operands: tuple[str, ...], variadic: str | None
) -> frozenset[str]:
    everything = operands or (variadic or "",)
    if nondiff is True:
        return frozenset(everything)
    chosen = (nondiff,) if isinstance(nondiff, str) else tuple(nondiff)
    for operand in chosen:
        if operand not in everything:
            message = f"{name} declares {operand!r} nondiff; its operands are {everything}"
            raise OpDefinitionError(message)

    return frozenset(chosen)
