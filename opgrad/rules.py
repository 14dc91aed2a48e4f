"""Rules: how they are added, and how a function's parameter names become a positional call.

A forward or a rule asks by name for what it needs. The names are read once, from the
function itself, when the op is made; `call_source` then writes the call that hands them over, so
that a sweep pays for a plain call and nothing else.
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, TypeVar, overload

import attrs

from opgrad.errors import OpDefinitionError

Rule = TypeVar("Rule", bound=Callable[..., Any])

RESERVED = frozenset({"xp", "g", "t", "y", "saved"})
REQUIRED: Any = attrs.NOTHING
_VARARGS, _VARKEYWORDS = 0x04, 0x08  # bits of co_flags


class RuleDecorators:
    """The decorators that add a rule, of ops and kernels alike; each returns the rule itself."""

    __slots__ = ()

    @overload
    def derivative(self, target: str) -> Callable[[Rule], Rule]: ...
    @overload
    def derivative(self, target: Rule) -> Rule: ...
    def derivative(self, target: Callable[..., Any] | str) -> Any:
        """Add dy/d(operand) of an elementwise op: `@f.derivative` or `@f.derivative("a")`."""
        return self._rule_decorator("derivative", target)

    @overload
    def backward(self, target: str) -> Callable[[Rule], Rule]: ...
    @overload
    def backward(self, target: Rule) -> Rule: ...
    def backward(self, target: Callable[..., Any] | str) -> Any:
        """Add the gradient rule: `@f.backward` for all operands, `@f.backward("a")` for one."""
        return self._rule_decorator("backward", target)

    @overload
    def jvp(self, target: str) -> Callable[[Rule], Rule]: ...
    @overload
    def jvp(self, target: Rule) -> Rule: ...
    def jvp(self, target: Callable[..., Any] | str) -> Any:
        """Add the forward-mode rule: `@f.jvp` for all operands, `@f.jvp("a")` for one."""
        return self._rule_decorator("jvp", target)

    def _rule_decorator(self, kind: str, target: Callable[..., Any] | str) -> Any:
        """Take a rule in, or return what does so for the operand named."""
        raise NotImplementedError


@attrs.frozen
class Parameters:
    """The parameters of one function, split as opgrad reads them."""

    positional: tuple[str, ...]
    """Positional parameters, `xp` among them where it is asked for."""

    variadic: str | None
    """The name behind `*`, if there is one."""

    keyword_only: tuple[str, ...]
    defaults: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name asked for, in the order of the function's head."""
        variadic = (self.variadic,) if self.variadic else ()

        return self.positional + variadic + self.keyword_only


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """Read the parameters of a Python function.

    Raises:
        OpDefinitionError: `function` is not a plain Python function, or it takes `**keywords`.
    """
    if not isinstance(function, FunctionType):
        message = (
            f"{function!r} is not a Python function; "
            "forwards and rules are named functions, since their parameter names are read"
        )
        raise OpDefinitionError(message)
    code = function.__code__
    count, keyword_only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    if code.co_flags & _VARKEYWORDS:
        message = f"{place(function)} takes **keywords; name each attribute, so it can be checked"
        raise OpDefinitionError(message)
    positional = names[:count]
    defaults = dict(function.__kwdefaults__ or {})
    if function.__defaults__:
        defaults.update(
            zip(positional[-len(function.__defaults__) :], function.__defaults__, strict=True)
        )

    return Parameters(
        positional=positional,
        variadic=names[count + keyword_only] if code.co_flags & _VARARGS else None,
        keyword_only=names[count : count + keyword_only],
        defaults=defaults,
    )


def place(function: Callable[..., Any]) -> str:
    """`name() at file:line`, for messages."""
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", repr(function))

    return f"{name}() at {code.co_filename}:{code.co_firstlineno}" if code else name


def call_source(name: str, function: Callable[..., Any], expressions: Mapping[str, str]) -> str:
    """Source of a call of `function` under `name`, each parameter filled by its expression."""
    wanted = parameters_of(function)
    arguments = [expressions[parameter] for parameter in wanted.positional]
    if wanted.variadic:
        arguments.append("*" + expressions[wanted.variadic])
    arguments += [f"{parameter}={expressions[parameter]}" for parameter in wanted.keyword_only]

    return f"{name}({', '.join(arguments)})"


def write_function(name: str, head: str, body: Sequence[str], scope: dict[str, Any]) -> Any:
    """Compile `def name(head): body`; what the body refers to is in `scope`.

    The source is made of names that Python itself has parsed, and of nothing from outside.
    `inspect.getsource` gives it, and tracebacks and debuggers show it.
    """
    lines = [f"def {name}({head}):\n", *(f"    {line}\n" for line in body)]
    source, file = "".join(lines), f"<opgrad: {name} {next(_written)}>"
    exec(compile(source, file, "exec"), scope)  # noqa: S102 -- see the docstring
    linecache.cache[file] = (len(source), None, lines, file)

    return scope[name]


_written = itertools.count(1)
