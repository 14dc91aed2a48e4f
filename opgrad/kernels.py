"""`Kernel`: a second forward, with rules, for an op that another plugin owns.

A kernel is a candidate and changes nothing until a user prefers the plugin that brings it
(`opgrad.preferring`). Fitted to its op it is an `Op` itself: the owner's, with what the kernel has
in the place of the owner's. So a node of the graph knows which of the two ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from opgrad.errors import OpDefinitionError, PluginError, did_you_mean
from opgrad.op import Function, Op
from opgrad.rules import REQUIRED, RuleDecorators, parameters_of, place
from opgrad.types import Provider

Rule = tuple[str, str | None, Function]  # kind, operand (None: whichever it is), function

DATA = ("scalar", "numpy")
"""The kinds of data a kernel can be for: Python numbers, or arrays of a library."""


@attrs.define(eq=False, repr=False, on_setattr=attrs.setters.frozen)
class Kernel(RuleDecorators):
    """A forward for an op of somebody else's, on one kind of data, and any of its rules.

    Made by `opgrad.kernel`. Rules are added as to an op: `.derivative`, `.backward`, `.jvp`.
    """

    op: str
    """The qualified name of the op that it is for."""
    data: str
    """`numpy`, or `scalar` for Python numbers."""
    forward: Function
    saves: bool = False
    rules: list[Rule] = attrs.field(factory=list, init=False)
    provider: Provider | None = attrs.field(default=None, init=False)
    """Who brought it; set when the plugin is loaded, and then its rules are fixed."""

    def _rule_decorator(self, kind: str, target: Function | str) -> Any:
        if not isinstance(target, str):
            return self._add_rule(kind, None, target)

        return lambda rule: self._add_rule(kind, target, rule)

    def _add_rule(self, kind: str, operand: str | None, rule: Function) -> Function:
        if self.provider is not None:
            message = (
                f"{self!r} is loaded, so its rules are fixed; add {place(rule)} before the plugin "
                "hands the kernel over"
            )
            raise OpDefinitionError(message)
        parameters_of(rule)  # refuses what is no plain function
        self.rules.append((kind, operand, rule))

        return rule

    @property
    def place(self) -> str:
        """`file:line` of the forward."""
        code = self.forward.__code__

        return f"{code.co_filename}:{code.co_firstlineno}"

    @property
    def described(self) -> str:
        """What it is for and who brings it: how every message names a kernel."""
        return f"kernel of {self.op} for {self.data} data ({self.provider or 'not in a plugin'})"

    def __repr__(self) -> str:
        return f"<{self.described} at {self.place}>"


def kernel(op: str, *, data: str, saves: bool = False) -> Callable[[Function], Kernel]:
    """Make a kernel of a forward function: a second way to compute an op of another plugin.

    It has the operands and attributes of the op, under the same names; `xp` where it asks for it.
    What rules it lacks are the op's own, and so are all rules where a derivative is itself
    differentiated: so a kernel may do what cannot be recorded. Hand it over in the hook
    `opgrad_kernels`; it runs where a user prefers the plugin (`opgrad.prefer`).

    Args:
        op: The qualified name of the op, `"core.tanh"`.
        data: `"numpy"` for NumPy arrays (operands beside them may be Python numbers), or
            `"scalar"` for Python numbers alone.
        saves: The forward returns `(y, saved)`, for rules of the kernel that ask for `saved`. A
            rule of the op's own that does gets what the op's own forward saves, which runs then.

    Raises:
        OpDefinitionError: `op` is no qualified name, `data` is unknown, or the forward is no plain
            function. Whether it fits the op is seen when somebody prefers it.

    Examples:
        >>> import opgrad
        >>> @opgrad.kernel("core.tanh", data="scalar")
        ... def fast_tanh(x):
        ...     return math.tanh(x)
        >>> fast_tanh
        <kernel of core.tanh for scalar data (not in a plugin) at ...>
    """
    namespace, _, name = op.rpartition(".")
    if not namespace or not name.isidentifier():
        message = f"a kernel names its op as namespace.name, as in 'core.tanh'; got {op!r}"
        raise OpDefinitionError(message)
    if data not in DATA:
        message = (
            f"there is no data {data!r} for a kernel of {op}{did_you_mean(data, DATA)} "
            f"data is one of: {', '.join(DATA)}"
        )
        raise OpDefinitionError(message)

    def decorate(forward: Function) -> Kernel:
        parameters_of(forward)  # refuses what is no plain function
        return Kernel(op, data, forward, saves)

    return decorate


# -- a kernel as an op ----------------------------------------------------------------------------


def fit(it: Kernel, owner: Op) -> Op:
    """The op that runs where the kernel is preferred: the owner's, with what the kernel has.

    Raises:
        PluginError: The kernel does not fit the op: other operands or attributes, or rules that
            the op cannot have.
    """
    flaw = _signature_flaw(it, owner)
    if flaw:
        message = (
            f"{it!r} does not fit {owner.described}: {flaw}; a kernel takes what its op takes, "
            f"{owner.signature}"
        )
        raise PluginError(message)
    made = attrs.evolve(
        owner,
        forward=it.forward,
        wants_xp="xp" in parameters_of(it.forward).positional,
        saves=it.saves,
    )
    if owner.adapter is not None:
        made.arguments(owner.adapter)
    try:
        for kind, operand, rule in it.rules:
            decorate = getattr(made, kind)
            decorate(rule) if operand is None else decorate(operand)(rule)
        rules = _completed(made.rules, owner)
    except OpDefinitionError as error:
        message = f"{it!r} does not fit {owner.described}: {error}"
        raise PluginError(message) from error
    made.rules.update(rules)
    object.__setattr__(made, "provider", it.provider)
    object.__setattr__(made, "kernel_of", owner)

    return made


def _signature_flaw(it: Kernel, owner: Op) -> str:
    """What differs between the parameters of the kernel's forward and those of the op; or ""."""
    asked = parameters_of(it.forward)
    operands = tuple([name for name in asked.positional if name != "xp"])
    if "xp" in asked.positional[1:] or asked.variadic != owner.variadic:
        return f"it takes ({', '.join(asked.names)})"
    if operands != owner.operands:
        return f"its operands are ({', '.join(operands)})"
    if set(asked.keyword_only) != set(owner.attributes):
        return f"its attributes are ({', '.join(asked.keyword_only)})"
    for name, default in owner.attributes.items():
        own = asked.defaults.get(name, REQUIRED)
        if own is not REQUIRED and (own is not default and own != default):
            return f"its attribute {name} has the default {own!r}"

    return ""


def _completed(own: Iterable[tuple[str, str | None]], owner: Op) -> dict[Any, Function]:
    """The owner's rules that a kernel with rules of its own still needs.

    Raises:
        OpDefinitionError: The owner has one rule for all operands, and the kernel rules for some.
    """
    kept = dict(owner.rules)
    for kind, operand in own:
        replaced = ("derivative", "backward", "jvp") if kind == "derivative" else (kind,)
        for key in list(kept):
            if key[0] in replaced and operand in {None, key[1]}:
                del kept[key]
    for kind in ("backward", "jvp"):
        some = {operand for how, operand in own if how in {kind, "derivative"} and operand}
        if (kind, None) in kept and some:
            missing = [n for n in owner.operands if n not in owner.nondiff and n not in some]
            if missing:
                message = (
                    f"the op has one {kind} rule for all operands; the kernel has one too, or one "
                    f"for each, and lacks those for {', '.join(missing)}"
                )
                raise OpDefinitionError(message)
            del kept[kind, None]

    return kept
