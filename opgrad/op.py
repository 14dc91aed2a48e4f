"""`Op`: a named forward/backward pair, and the decorators that make one.

An op is checked where it is made: later code trusts it. Its rules are added by decorators below
the forward, each at most once, and none once a registry has taken the op in.
"""

from __future__ import annotations

import importlib
import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from opgrad.errors import OpDefinitionError, did_you_mean
from opgrad.rules import REQUIRED, RuleDecorators, parameters_of, place
from opgrad.samples import Sample
from opgrad.types import Provider

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

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


@attrs.define(eq=False, repr=False, on_setattr=attrs.setters.frozen)
class Op(RuleDecorators):
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
    kinks: Mapping[float, float | None] = attrs.field(factory=dict)
    """Points where the derivative jumps, each with the derivative there, None where not stated."""
    expected_failures: Mapping[str, str] = attrs.field(factory=dict)
    """Checks of the conformance suite that the op fails, each with the reason."""
    samples: tuple[Sample, ...] = ()
    rules: dict[tuple[str, str | None], Function] = attrs.field(factory=dict, init=False)
    """Rules by kind and operand; operand None: one rule for all."""

    # What is added after the op is made, each once, by the decorators and the registry below.
    _adapter: Function | None = attrs.field(default=None, init=False)
    provider: Provider | None = attrs.field(default=None, init=False)
    arity: int = attrs.field(init=False)
    """How many operands a call on the short road has; -1 where each takes the general one."""
    demands: tuple[str, ...] = attrs.field(init=False)
    """The attributes that have no default."""
    checked: set[tuple[str, type]] = attrs.field(factory=set, init=False)
    """Attributes and types of values that were found to fit."""
    spaces: dict[tuple[type, ...], Any] = attrs.field(factory=dict, init=False)
    """The namespace for each combination of operand types, as they are seen."""
    kernel_of: Op | None = attrs.field(default=None, init=False)
    """Of a kernel: the op that it runs for, with the rules for derivatives of derivatives."""
    chooser: Function | None = attrs.field(default=None, init=False)
    """Picks what runs, where a kernel may be preferred (`preferring`); `spaces` is then empty."""
    # Calls compiled when first needed (see `dispatch`, `backprop`, `pushforward`).
    call: Function | None = attrs.field(default=None, init=False)
    plain_step: Any = attrs.field(default=None, init=False)
    recorded_step: Any = attrs.field(default=None, init=False)
    pushes: Any = attrs.field(default=None, init=False)
    row_rules: Any = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        plain = not (self.saves or self.outputs or self.nondiff)
        short = plain and not (self.variadic or self.attributes or self.optional)
        object.__setattr__(self, "arity", len(self.operands) if short else -1)
        demands = tuple([name for name, default in self.attributes.items() if default is REQUIRED])
        object.__setattr__(self, "demands", demands)

    def __call__(self, /, *operands: Any, **attributes: Any) -> Any:
        """Run the op; record it where an operand is a Value that wants a gradient."""
        if attributes or len(operands) != self.arity:
            return _dispatcher[0](self, operands, attributes)

        return (self.call or _dispatcher[1](self))(*operands)

    def again(self, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """Run the op on all of its operands and attributes, as a rule got them from a node.

        Nothing is sorted or checked: for a rule that calls its own op, or one of the same kind, on
        what a node holds.
        """
        return _dispatcher[2](self, operands, attributes)

    # -- what it is ---------------------------------------------------------------------------

    @property
    def qualname(self) -> str:
        """`namespace.name`; `local.name` for an op no registry has taken in."""
        if self.kernel_of is not None:
            return self.kernel_of.qualname

        return f"{self.provider.namespace if self.provider else 'local'}.{self.name}"

    def names_of(self, operands: Sequence[Any]) -> Sequence[str | None]:
        """The name of each operand of a call; of many, the one name they share."""
        return self.operands or (self.variadic,) * len(operands)

    @property
    def differentiable(self) -> bool:
        """Whether any operand carries a derivative."""
        return bool(self.variadic and not self.nondiff) or bool(
            set(self.operands) - self.nondiff,
        )

    @property
    def documentation(self) -> str:
        """The docstring of the forward: formula, source, conventions."""
        return inspect.cleandoc(self.forward.__doc__ or "")

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
    def __signature__(self) -> inspect.Signature:
        """For `inspect.signature`, so that `grad(op, argnums="x")` and help know the names."""
        parameter, kinds = inspect.Parameter, inspect.Parameter
        required = len(self.operands) - self.optional
        parameters = [
            parameter(
                name,
                kinds.POSITIONAL_OR_KEYWORD,
                default=kinds.empty if index < required else None,
            )
            for index, name in enumerate(self.operands)
        ]
        if self.variadic:
            parameters.append(parameter(self.variadic, kinds.VAR_POSITIONAL))
        # Further arguments by place fill the attributes, in their order.
        keyword_only = self.variadic or self.optional
        kind = kinds.KEYWORD_ONLY if keyword_only else kinds.POSITIONAL_OR_KEYWORD
        for name, default in self.attributes.items():
            given = kinds.empty if default is REQUIRED else default
            kind = kinds.KEYWORD_ONLY if _after_default(parameters, given) else kind
            parameters.append(parameter(name, kind, default=given))

        return inspect.Signature(parameters)

    @property
    def described(self) -> str:
        """Qualified name and provider: how every message names an op."""
        kernel = "kernel of " if self.kernel_of is not None else ""

        return f"{self.qualname} ({kernel}{self.provider or 'defined here, not in a plugin'})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by name: the op that the same module defines elsewhere.

        A kernel is pickled as its op: what runs elsewhere is what is preferred there.
        """
        forward = (self.kernel_of or self).forward

        return _by_name, (forward.__module__, forward.__qualname__)

    def __repr__(self) -> str:
        editable = ", editable" if self.provider and self.provider.editable else ""

        return f"<op {self.described} at {self.place}{editable}>"

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

    def arguments(self, adapter: F) -> F:
        """Add how a call's arguments become `(operands, attributes)`, where they are not yet."""
        self._set_once("_adapter", adapter, "arguments")
        object.__setattr__(self, "arity", -1)

        return adapter

    @property
    def adapter(self) -> Function | None:
        """What `arguments` added."""
        return self._adapter

    def _rule_decorator(self, kind: str, target: Function | str) -> Any:
        if kind == "derivative" and not self.elementwise:
            message = (
                f"{self.name} is not elementwise, so it has no `.derivative`; "
                "write `.backward` (and `.jvp`), or define it with @opgrad.elementwise"
            )
            raise OpDefinitionError(message)
        if isinstance(target, str):
            if self.outputs and len(self.operands) != 1:
                message = (
                    f"{self.name} has several outputs, so one rule serves all its operands: "
                    f"@{self.name}.{kind}, without an operand's name"
                )
                raise OpDefinitionError(message)
            if target == self.variadic:
                message = (
                    f"{self.name} takes *{target}, so one rule serves them all: "
                    f"@{self.name}.{kind}, which asks for {target!r} and returns a tuple"
                )
                raise OpDefinitionError(message)
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
        if operand is None and kind == "derivative":
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
                hint = did_you_mean(name, known)
                message = (
                    f"{place(rule)}, a {kind} rule of {self.name}, asks for {name!r}, which does "
                    f"not exist{hint} Names that exist: {', '.join(known)}"
                )
                raise OpDefinitionError(message)
        clash = self.rules.get((kind, operand)) or next(
            (
                held
                for (held_kind, name), held in self.rules.items()
                if held_kind == kind and (name is None or operand is None)
            ),
            None,
        )
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
        for name in ("call", "plain_step", "recorded_step", "pushes", "row_rules"):
            object.__setattr__(self, name, None)

    def _set_once(self, field: str, value: Any, word: str) -> None:
        if getattr(self, field):
            message = f"{self.name} already has its {word}; they are given once"
            raise OpDefinitionError(message)
        object.__setattr__(self, field, value)
        self.forget_compiled()


_dispatcher: list[Function] = []  # filled by `dispatch`: (general call, compile the fast call, run)


def hand_over_dispatch(general: Function, compile_call: Function, run: Function) -> None:
    """Tell ops how they are run; called once, by `opgrad.dispatch`."""
    _dispatcher[:] = [general, compile_call, run]


def _by_name(module: str, name: str) -> Any:
    """The op a module defines under a name, for pickle."""
    return operator.attrgetter(name)(importlib.import_module(module))


def _after_default(parameters: list[inspect.Parameter], default: Any) -> bool:
    empty = inspect.Parameter.empty

    return default is empty and any(p.default is not empty for p in parameters)


def _listed(it: Op) -> str:
    return ", ".join(it.operands) or f"*{it.variadic}"
