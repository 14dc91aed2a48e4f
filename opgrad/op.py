"""`Op`: a named forward/backward pair, and the decorators that make one.

An op is checked where it is made: later code trusts it. Its rules are added by decorators below
the forward, each at most once, and none once a registry has taken the op in.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from opgrad.errors import CallError, OpDefinitionError
from opgrad.rules import REQUIRED, RESERVED, Parameters, parameters_of, place
from opgrad.types import Provider

Function = Callable[..., Any]

BINARY_OPERATORS: Mapping[str, tuple[str, str | None]] = {
    "+": ("__add__", "__radd__"),
    "-": ("__sub__", "__rsub__"),
    "*": ("__mul__", "__rmul__"),
    "/": ("__truediv__", "__rtruediv__"),
    "//": ("__floordiv__", "__rfloordiv__"),
    "%": ("__mod__", "__rmod__"),
    "**": ("__pow__", "__rpow__"),
    "@": ("__matmul__", "__rmatmul__"),
    "&": ("__and__", "__rand__"),
    "|": ("__or__", "__ror__"),
    "^": ("__xor__", "__rxor__"),
    "<<": ("__lshift__", "__rlshift__"),
    ">>": ("__rshift__", "__rrshift__"),
    "<": ("__lt__", None),
    "<=": ("__le__", None),
    "==": ("__eq__", None),
    "!=": ("__ne__", None),
    ">": ("__gt__", None),
    ">=": ("__ge__", None),
}
UNARY_OPERATORS: Mapping[str, str] = {
    "+": "__pos__",
    "-": "__neg__",
    "~": "__invert__",
    "abs": "__abs__",
    "[]": "__getitem__",
}

# What each kind of rule may ask for, besides operands and attributes.
_RULE_NAMES: Mapping[str, tuple[str, ...]] = {
    "derivative": ("xp", "y"),
    "backward": ("xp", "y", "g"),
    "jvp": ("xp", "y", "t"),
}


@attrs.frozen(init=False)
class Sample:
    """Operands and attributes an op can be checked with. Nested lists stand for arrays."""

    operands: tuple[Any, ...]
    attributes: Mapping[str, Any]

    def __init__(self, *operands: Any, **attributes: Any) -> None:
        self.__attrs_init__(operands, attributes)  # type: ignore[attr-defined]


sample = Sample


def uniform(shape: tuple[int, ...], low: float = -2.0, high: float = 2.0, seed: int = 0) -> Any:
    """Nested lists of `shape` with numbers from [low, high), the same in every run.

    Example:
        >>> [round(x, 3) for x in uniform((2,))]
        [1.378, 1.032]
    """
    generator = random.Random(f"{shape}{seed}")  # noqa: S311 -- sample data, not a secret

    def fill(rest: tuple[int, ...]) -> Any:
        if not rest:
            return generator.uniform(low, high)

        return [fill(rest[1:]) for _ in range(rest[0])]

    return fill(tuple(shape))


def shape(x: Any) -> tuple[int, ...]:
    """The shape of an operand; `()` for a Python number, which has no `.shape`.

    Example:
        >>> shape(2.0)
        ()
    """
    return getattr(x, "shape", ())


@attrs.define(eq=False, repr=False, on_setattr=attrs.setters.frozen)
class Op:
    """A named operation: a forward, its rules, and what is known about it.

    Made by `opgrad.op`, `opgrad.elementwise` and `opgrad.composite`; called like the function it
    is, on plain data (which gives plain data) and on Values (which gives a Value).
    """

    name: str
    forward: Function
    operands: tuple[str, ...]
    """Names of the operands; empty where there are many (`variadic`)."""
    optional: int
    """How many of the last operands may be left out."""
    variadic: str | None
    attributes: Mapping[str, Any]
    """Attribute names and their defaults, `attrs.NOTHING` where there is none."""
    nondiff: frozenset[str]
    wants_xp: bool = True
    elementwise: bool = False
    composite: bool = False
    linear: bool | str = False
    """True: in each operand, the others held; `"jointly"`: in all of them together."""
    broadcasts: bool = False
    saves: bool = False
    outputs: int | str | None = None
    operator: str | None = None
    methods: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    numpy: tuple[str, ...] = ()
    symbol: str = ""
    domain: Mapping[str, tuple[float, float]] = attrs.field(factory=dict)
    kinks: tuple[float, ...] = ()
    samples: tuple[Sample, ...] = ()
    rules: dict[tuple[str, str | None], Function] = attrs.field(factory=dict, init=False)
    """Rules by kind and operand; operand None: one rule for all."""

    # What is added after the op is made, each once, by the decorators and the registry below.
    _adapter: Function | None = attrs.field(default=None, init=False)
    provider: Provider | None = attrs.field(default=None, init=False)
    arity: int = attrs.field(init=False)
    """How many operands a call on the short road has; -1 where each takes the general one."""
    # Calls compiled when first needed (see `dispatch`, `backprop`, `pushforward`).
    call: Function | None = attrs.field(default=None, init=False)
    plain_step: Any = attrs.field(default=None, init=False)
    recorded_step: Any = attrs.field(default=None, init=False)
    pushes: Any = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        short = not (self.variadic or self.attributes or self.optional)
        object.__setattr__(self, "arity", len(self.operands) if short else -1)

    def __call__(self, /, *operands: Any, **attributes: Any) -> Any:
        """Run the op; record it where an operand is a Value that wants a gradient."""
        if attributes or len(operands) != self.arity:
            return _dispatcher[0](self, operands, attributes)

        return (self.call or _dispatcher[1](self))(*operands)

    # -- what it is ---------------------------------------------------------------------------

    @property
    def qualname(self) -> str:
        """`namespace.name`; `local.name` for an op no registry has taken in."""
        return f"{self.provider.namespace if self.provider else 'local'}.{self.name}"

    @property
    def differentiable(self) -> bool:
        """Whether any operand carries a derivative."""
        return bool(self.variadic and not self.nondiff) or bool(
            set(self.operands) - self.nondiff,
        )

    @property
    def documentation(self) -> str:
        """The docstring of the forward: formula, source, conventions."""
        return (self.forward.__doc__ or "").strip()

    @property
    def place(self) -> str:
        """`file:line` of the forward."""
        code = self.forward.__code__

        return f"{code.co_filename}:{code.co_firstlineno}"

    @property
    def signature(self) -> str:
        """The call as a user writes it."""
        required = len(self.operands) - self.optional
        parts = [*self.operands[:required], *(f"{o}=None" for o in self.operands[required:])]
        parts += [f"*{self.variadic}"] if self.variadic else []
        parts += ["*"] if self.attributes and not self.variadic else []
        parts += [
            name if default is REQUIRED else f"{name}={default!r}"
            for name, default in self.attributes.items()
        ]

        return f"{self.name}({', '.join(parts)})"

    @property
    def described(self) -> str:
        """Qualified name and provider: how every message names an op."""
        return f"{self.qualname} ({self.provider or 'defined here, not in a plugin'})"

    def __repr__(self) -> str:
        return f"<op {self.described} at {self.place}>"

    def rule(self, kind: str, operand: str | None) -> Function | None:
        """The rule of this kind for this operand, or None."""
        return self.rules.get((kind, operand))

    def undefined(self) -> list[str]:
        """Differentiable operands that no rule and no composite covers."""
        if self.composite or not self.differentiable or self.has_joint_rule:
            return []
        if self.variadic:
            return [self.variadic]
        kinds = ("derivative", "backward", "jvp")

        return [
            name
            for name in self.operands
            if name not in self.nondiff and not any((kind, name) in self.rules for kind in kinds)
        ]

    @property
    def has_joint_rule(self) -> bool:
        """Whether one backward or jvp rule serves all operands."""
        return ("backward", None) in self.rules or ("jvp", None) in self.rules

    # -- decorators ---------------------------------------------------------------------------

    def derivative(self, target: Function | str) -> Any:
        """Add dy/d(operand) of an elementwise op: `@f.derivative` or `@f.derivative("a")`."""
        if not self.elementwise:
            message = (
                f"{self.name} is not elementwise, so it has no `.derivative`; "
                "write `.backward` (and `.jvp`), or define it with @opgrad.elementwise"
            )
            raise OpDefinitionError(message)

        return self._rule_decorator("derivative", target, one_operand=True)

    def backward(self, target: Function | str) -> Any:
        """Add the gradient rule: `@f.backward` for all operands, `@f.backward("a")` for one."""
        return self._rule_decorator("backward", target)

    def jvp(self, target: Function | str) -> Any:
        """Add the forward-mode rule: `@f.jvp` for all operands, `@f.jvp("a")` for one."""
        return self._rule_decorator("jvp", target)

    def arguments(self, adapter: Function) -> Function:
        """Add how a call's arguments become `(operands, attributes)`, where they are not yet."""
        self._set_once("_adapter", adapter, "arguments")
        object.__setattr__(self, "arity", -1)

        return adapter

    @property
    def adapter(self) -> Function | None:
        """What `arguments` added."""
        return self._adapter

    def _rule_decorator(
        self, kind: str, target: Function | str, *, one_operand: bool = False
    ) -> Any:
        if isinstance(target, str):
            if target not in self.operands:
                message = f"{self.name} has no operand {target!r}; its operands are {_listed(self)}"
                raise OpDefinitionError(message)
            if target in self.nondiff:
                message = f"operand {target!r} of {self.name} is declared nondiff: it has no rules"
                raise OpDefinitionError(message)

            def decorate(rule: Function) -> Function:
                return self._add_rule(kind, target, rule)

            return decorate
        operand = self.operands[0] if len(self.operands) == 1 else None
        if operand is None and one_operand:
            message = (
                f"{self.name} has several operands ({_listed(self)}): "
                f'say which one, @{self.name}.{kind}("{(self.operands or ("x",))[0]}")'
            )
            raise OpDefinitionError(message)

        return self._add_rule(kind, operand, target)

    def _add_rule(self, kind: str, operand: str | None, rule: Function) -> Function:
        allowed = (*_RULE_NAMES[kind], *(("saved",) if self.saves else ()))
        known = (*allowed, *self.operands, *self.attributes)
        known += (self.variadic,) if self.variadic else ()
        for name in parameters_of(rule).names:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                message = (
                    f"{place(rule)}, a {kind} rule of {self.name}, asks for {name!r}, which does "
                    f"not exist{hint} Names that exist: {', '.join(known)}"
                )
                raise OpDefinitionError(message)
        clash = self.rules.get((kind, operand))
        if clash is not None:
            message = (
                f"{self.name} already has a {kind} rule"
                f"{f' for {operand!r}' if operand else ''}: {place(clash)}; "
                f"the second one is {place(rule)}"
            )
            raise OpDefinitionError(message)
        if self.provider is not None:
            message = (
                f"{self.described} is registered, so its rules are fixed; "
                f"add {place(rule)} before the plugin hands the op over"
            )
            raise OpDefinitionError(message)
        self.rules[kind, operand] = rule
        self.forget_compiled()

        return rule

    def forget_compiled(self) -> None:
        """Drop the calls compiled so far: a rule or an adapter was added."""
        for name in ("call", "plain_step", "recorded_step", "pushes"):
            object.__setattr__(self, name, None)

    def _set_once(self, field: str, value: Any, word: str) -> None:
        if getattr(self, field):
            message = f"{self.name} already has its {word}; they are given once"
            raise OpDefinitionError(message)
        object.__setattr__(self, field, value)
        self.forget_compiled()


_dispatcher: list[Function] = []  # filled by `dispatch`: (general call, compile the fast call)


def hand_over_dispatch(general: Function, compile_call: Function) -> None:
    """Tell ops how they are run; called once, by `opgrad.dispatch`."""
    _dispatcher[:] = [general, compile_call]


# -- making an op ---------------------------------------------------------------------------------


def op(forward: Function | None = None, /, **declarations: Any) -> Any:
    """Make an op of a forward function. Bare or with declarations: `@op`, `@op(linear=True)`.

    Args:
        forward: `forward(xp, *operands, **attributes)`: positional parameters are operands
            (default None: may be left out), keyword-only ones are attributes; `xp` is the array
            namespace that fits the data.
        **declarations: `name`; `linear` (forward mode then needs no rule; True: in each operand, the others
            held, as a product is; `"jointly"`: in all together, as a sum is); `nondiff` (operands without derivative, True for all); `saves` (forward returns
            `(y, saved)`); `outputs` (forward returns a tuple); `broadcasts` (gradients are summed
            out to each operand's shape); `operator`, `methods`, `properties` (how a Value reaches
            the op); `numpy` (NumPy's names for it, where they differ); `symbol` (in drawings);
            `domain` (open interval an operand); `kinks`; `samples`.

    Raises:
        OpDefinitionError: The definition is malformed; the message names what exists.

    Example:
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


def elementwise(forward: Function | None = None, /, **declarations: Any) -> Any:
    """Make an op that works entry by entry; broadcasting is the engine's work.

    Takes what `op` takes. One `derivative` an operand serves backward and forward mode.

    Raises:
        OpDefinitionError: The definition is malformed; the message names what exists.

    Example:
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
    return _decorate(forward, {**declarations, "elementwise": True, "broadcasts": True})


def composite(forward: Function | None = None, /, **declarations: Any) -> Any:
    """Make an op of other ops: its derivative is found by running the forward on them.

    Takes what `op` takes, and `elementwise=True` where it works entry by entry. Rules may be
    added for speed; each replaces the derivative found for its operand.

    Raises:
        OpDefinitionError: The definition is malformed; the message names what exists.

    Example:
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


def _count_optional(
    forward: Function, operands: tuple[str, ...], parameters: Parameters
) -> int:
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


def _listed(it: Op) -> str:
    return ", ".join(it.operands) or f"*{it.variadic}"


# -- a call's arguments ---------------------------------------------------------------------------


def bind(it: Op, given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Sort a call's arguments into operands and a complete, checked set of attributes.

    Raises:
        CallError: Too few or too many operands, an unknown name, a missing attribute, or an
            attribute of the wrong type.
    """
    named = dict(named)
    if it.adapter is not None:
        try:
            given, named = it.adapter(*given, **named)
        except TypeError as error:
            message = f"{it.described} was called wrongly: {error}; it is {it.signature}"
            raise CallError(message) from error
    if it.variadic:
        operands: tuple[Any, ...] = given
    else:
        operands, rest = given[: len(it.operands)], given[len(it.operands) :]
        operands = _fill_operands(it, operands, named)
        _fill_attributes(it, rest, named)
    attributes = dict(it.attributes)
    for name, value in named.items():
        if name not in attributes:
            raise CallError(_unknown_name(it, name))
        attributes[name] = _check_attribute(it, name, value)
    missing = [name for name, value in attributes.items() if value is REQUIRED]
    if missing:
        message = f"{it.described} needs the attribute {missing[0]!r}: {it.signature}"
        raise CallError(message)

    return operands, attributes


def _fill_operands(it: Op, operands: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    if len(operands) == len(it.operands):
        return operands
    filled = list(operands)
    required = len(it.operands) - it.optional
    for index in range(len(operands), len(it.operands)):
        name = it.operands[index]
        if name not in named and index < required:
            message = (
                f"{it.described} takes {required} operand(s) and got {len(operands)}: "
                f"{it.signature}"
            )
            raise CallError(message)
        filled.append(named.pop(name, None))

    return tuple(filled)


def _fill_attributes(it: Op, rest: tuple[Any, ...], named: dict[str, Any]) -> None:
    if len(rest) > len(it.attributes):
        message = (
            f"{it.described} takes {len(it.operands)} operand(s) and {len(it.attributes)} "
            f"attribute(s), got {len(it.operands) + len(rest)} arguments: {it.signature}"
        )
        raise CallError(message)
    for name, value in zip(it.attributes, rest, strict=False):
        if name in named:
            message = f"{it.described} got the attribute {name!r} twice: {it.signature}"
            raise CallError(message)
        named[name] = value


def _unknown_name(it: Op, name: str) -> str:
    near = difflib.get_close_matches(name, [*it.attributes, *it.operands], 1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"

    return f"{it.described} has no attribute {name!r}{hint} It is {it.signature}"


def _check_attribute(it: Op, name: str, value: Any) -> Any:
    if type(value) is list:
        value = tuple(value)
    default = it.attributes[name]
    expected: type | tuple[type, ...] | None = None
    if isinstance(default, bool | str):
        expected = type(default)
    elif isinstance(default, int | float):
        expected = (int, float)
    fits = expected is None or (
        isinstance(value, expected) and (isinstance(default, bool) or not isinstance(value, bool))
    )
    if fits:
        try:
            hash(value)
        except TypeError:
            fits = False
    if not fits or hasattr(value, "requires_grad"):
        kind = type(default).__name__ if expected else "plain hashable value"
        message = (
            f"attribute {name!r} of {it.described} is a {kind}, got {value!r} of type "
            f"{type(value).__name__}; attributes are plain settings and are never differentiated"
        )
        raise CallError(message)

    return value
