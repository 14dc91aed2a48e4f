"""The decorators that make an op: `op`, `elementwise` and `composite`.

Everything about a definition is checked here, where it is made.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from keyword import iskeyword
from typing import Any, overload

from opgrad.errors import OpDefinitionError, did_you_mean
from opgrad.op import BINARY_OPERATORS, UNARY_OPERATORS, Function, Op
from opgrad.rules import REQUIRED, RESERVED, Parameters, parameters_of, place
from opgrad.samples import Sample


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
            drawings); `domain` (open interval an operand); `kinks` (points, or
            `{point: derivative there}`); `samples`; `expected_failures`
            (`{check: reason}`, for `opgrad check`).

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


_NO_RESULT = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def _decorate(forward: Function | None, declarations: dict[str, Any]) -> Any:
    for name, value in declarations.items():
        if name not in _DECLARATIONS:
            hint = did_you_mean(name, _DECLARATIONS)
            message = (
                f"an op has no declaration {name!r}{hint} "
                f"Declarations that exist: {', '.join(sorted(_DECLARATIONS))}"
            )
            raise OpDefinitionError(message)
        wanted, fits = _DECLARATIONS[name]
        if not fits(value):
            message = f"the declaration {name}={value!r} is wrong: it is {wanted}"
            raise OpDefinitionError(message)
    if forward is None:
        return lambda function: _make(function, declarations)

    return _make(forward, declarations)


def _names(value: Any) -> bool:
    parts = (value,) if isinstance(value, str) else value

    return isinstance(parts, Sequence) and all(
        isinstance(part, str) and part.isidentifier() for part in parts
    )


def _intervals(value: Any) -> bool:
    intervals = value.values() if isinstance(value, Mapping) else (value,)

    return value is None or all(
        isinstance(i, tuple) and len(i) == 2 and i[0] < i[1]  # noqa: PLR2004 -- low, high
        for i in intervals
    )


def _points(value: Any) -> bool:
    numbers = [*value, *value.values()] if isinstance(value, Mapping) else value

    return isinstance(value, Sequence | Mapping) and all(
        isinstance(n, int | float) and not isinstance(n, bool) for n in numbers
    )


def _reasons(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(text, str) and text.strip() for text in (*value, *value.values())
    )


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _text(value: Any) -> bool:
    return value is None or isinstance(value, str)


_DECLARATIONS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("an identifier without an underscore in front", _text),
    "linear": ('True, False or "jointly"', lambda v: isinstance(v, bool) or v == "jointly"),
    "nondiff": ("names of operands, or True for all", lambda v: _flag(v) or _names(v)),
    "saves": ("True or False", _flag),
    "outputs": (
        'a number of outputs, or "many"',
        lambda v: v in {None, "many"} or (isinstance(v, int) and v > 0),
    ),
    "broadcasts": ("True or False", _flag),
    "operator": ("an operator of Python, as text", _text),
    "methods": ("names", _names),
    "properties": ("names", _names),
    "numpy": ("names of NumPy functions", _names),
    "symbol": ("text", _text),
    "domain": ("(low, high), or an operand's name: (low, high)", _intervals),
    "kinks": ("a tuple of numbers, or {point: derivative there}", _points),
    "samples": (
        "a tuple of opgrad.sample(...)",
        lambda v: isinstance(v, Sequence) and all(isinstance(s, Sample) for s in v),
    ),
    "expected_failures": ("{name of a check: why the op fails it}", _reasons),
    "elementwise": ("True or False", _flag),
    "composite": ("True or False", _flag),
}
"""What may be declared of an op: in words, and as a check."""


def _make(forward: Function, declarations: dict[str, Any]) -> Op:
    parameters = parameters_of(forward)
    name = declarations.pop("name", None)
    if name is None:
        name = forward.__name__.rstrip("_")
    _check_names(name, forward, parameters)
    operands = tuple(n for n in parameters.positional if n != "xp")
    optional = _count_optional(forward, operands, parameters)
    nondiff = _as_nondiff(name, declarations.pop("nondiff", ()), operands, parameters.variadic)
    kinks = declarations.pop("kinks", ())
    declarations["kinks"] = dict(kinks if isinstance(kinks, Mapping) else dict.fromkeys(kinks))
    declarations["expected_failures"] = dict(declarations.pop("expected_failures", {}))
    for key in ("methods", "properties", "numpy", "samples"):
        value = declarations.pop(key, ())
        declarations[key] = (value,) if isinstance(value, str) else tuple(value)
    if declarations.get("composite") and (declarations.get("saves") or declarations.get("outputs")):
        message = f"composite {name} has one output, and saves nothing"
        raise OpDefinitionError(message)
    if declarations.get("elementwise"):
        declarations["broadcasts"] = True
    operator = declarations.get("operator")
    _check_operator(name, operator, operands)
    declarations["symbol"] = declarations.get("symbol") or operator or name

    made = Op(
        name=name,
        forward=forward,
        operands=operands,
        optional=optional,
        variadic=parameters.variadic,
        attributes={n: parameters.defaults.get(n, REQUIRED) for n in parameters.keyword_only},
        nondiff=nondiff,
        wants_xp="xp" in parameters.positional,
        domain=_as_domain(name, declarations.pop("domain", None), operands),
        **declarations,
    )
    _check_samples(made)

    return made


def _check_operator(name: str, operator: str | None, operands: tuple[str, ...]) -> None:
    tables = {1: UNARY_OPERATORS, 2: BINARY_OPERATORS}
    table = tables.get(len(operands), {})
    if operator is not None and operator not in table and (operator != "[]" or not operands):
        message = (
            f"{name} has {len(operands) or 'any number of'} operand(s) and declares the operator "
            f"{operator!r}; operators for that many are: {' '.join(table) or 'none'}"
        )
        raise OpDefinitionError(message)


def _as_domain(name: str, domain: Any, operands: tuple[str, ...]) -> dict[str, Any]:
    if domain is None:
        return {}
    if isinstance(domain, tuple) and len(operands) == 1:
        return {operands[0]: domain}
    if isinstance(domain, tuple) or not set(domain) <= set(operands):
        message = (
            f"the domain of {name} names its operands ({', '.join(operands)}), "
            f"as in {{{(operands or ('x',))[0]!r}: (0.0, 1.0)}}; got {domain!r}"
        )
        raise OpDefinitionError(message)

    return dict(domain)


def _check_samples(made: Op) -> None:
    """Each sample is a call that the op takes; an adapter, where there is one, comes later."""
    for sample in made.samples:
        count, most = len(sample.operands), len(made.operands)
        fits = made.variadic or most - made.optional <= count <= most
        unknown = sample.attributes.keys() - made.attributes.keys() - set(made.operands)
        if not fits or unknown:
            message = f"{sample!r} does not fit {made.signature}; a sample is a call of the op"
            raise OpDefinitionError(message)


def _check_names(name: str, forward: Function, parameters: Parameters) -> None:
    if not name.isidentifier() or name.startswith("_") or iskeyword(name):
        message = (
            f"an op's name is an identifier without an underscore in front, which {name!r} is "
            f"not: {place(forward)}; give it as name="
        )
        raise OpDefinitionError(message)
    if forward.__code__.co_flags & _NO_RESULT:
        message = f"{place(forward)} is a generator or a coroutine; a forward returns its result"
        raise OpDefinitionError(message)
    for attribute in parameters.keyword_only:
        default = parameters.defaults.get(attribute)
        if isinstance(default, list | dict | set):
            message = (
                f"attribute {attribute!r} of {place(forward)} has the default {default!r}; "
                "attributes are plain and hashable: write a tuple"
            )
            raise OpDefinitionError(message)
    taken = [n for n in parameters.names if n in RESERVED and n != "xp"]
    if taken or "xp" in parameters.names[1:] or parameters.variadic == "xp":
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
    if isinstance(nondiff, bool):
        return frozenset(everything) if nondiff else frozenset()
    chosen = (nondiff,) if isinstance(nondiff, str) else tuple(nondiff)
    for operand in chosen:
        if operand not in everything:
            message = f"{name} declares {operand!r} nondiff; its operands are {everything}"
            raise OpDefinitionError(message)

    return frozenset(chosen)
