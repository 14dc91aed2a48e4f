"""Forwards and rules called by hand: what they return before a sweep projects and copies it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from opgrad import namespaces
from opgrad.op import Op
from opgrad.rules import parameters_of
from opgrad.testing.cases import Case
from opgrad.testing.subject import random_like


@attrs.frozen
class Call:
    """A rule, and the arguments by name it may ask for."""

    op: Op
    kind: str
    """`derivative`, `backward` or `jvp`."""
    operand: str | None
    """Whose; None for a rule that serves all."""
    rule: Callable[..., Any]
    arguments: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As it was written: `backward("a")`."""
        return f"{self.kind}({self.operand!r})" if self.operand else self.kind

    def __call__(self) -> Any:
        """What the rule returns."""
        return call(self.rule, self.arguments)


@attrs.frozen
class Raw:
    """A call of an op, taken apart."""

    op: Op
    operands: tuple[Any, ...]
    attributes: Mapping[str, Any]
    y: Any
    saved: Any
    arguments: Mapping[str, Any]
    """Everything by name that any rule may ask for, but for `g` and `t`."""

    def rules(self) -> Iterator[Call]:
        """Each rule of the op (of a kernel its own), with nonzero cotangent or tangents."""
        cotangent = _like(self.y)
        tangents = tuple([_tangent(self, i, x) for i, x in enumerate(self.operands)])
        owner = self.op.kernel_of
        theirs = owner.rules.values() if owner is not None else ()
        for (kind, operand), rule in self.op.rules.items():
            if rule in theirs:
                continue  # what it may ask for, a kernel need not save
            given = dict(self.arguments)
            if operand is not None and given[operand] is None:
                continue  # it was left out
            if kind == "backward":
                given["g"] = cotangent
            elif kind == "jvp":
                given["t"] = tangents
                if operand is not None:
                    given["t"] = tangents[self.op.operands.index(operand)]
            if kind != "jvp" or given["t"] is not None:
                yield Call(self.op, kind, operand, rule, given)


def run(case: Case, *, xp: Any = None, convert: Callable[[Any], Any] = lambda x: x) -> Raw:
    """Run the forward by hand.

    Args:
        case: The op and its arguments.
        xp: The namespace. Default: that of the data.
        convert: Applied to each operand.
    """
    bound, attributes = case.bound

    return forward(case.op, tuple([x if x is None else convert(x) for x in bound]), attributes, xp)


def forward(
    op: Op, operands: tuple[Any, ...], attributes: Mapping[str, Any], xp: Any = None
) -> Raw:
    """Run the forward of an op on operands and attributes that are sorted already."""
    xp = _namespace(operands) if xp is None else xp
    names = dict(zip(op.operands, operands, strict=True)) if op.operands else {}
    given = {"xp": xp, **names, **attributes}
    if op.variadic:
        given[op.variadic] = operands
    y = call(op.forward, given)
    saved = None
    if op.saves:
        y, saved = y

    return Raw(op, operands, attributes, y, saved, {**given, "y": y, "saved": saved})


def call(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """A forward or a rule, with what its parameters ask for."""
    wanted = parameters_of(function)
    arguments = [given[name] for name in wanted.positional]
    if wanted.variadic:
        arguments += given[wanted.variadic]

    return function(*arguments, **{name: given[name] for name in wanted.keyword_only})


def _namespace(operands: tuple[Any, ...]) -> Any:
    found = namespaces.of_type(float)
    for x in operands:
        if x is not None:
            found = namespaces.join(found, namespaces.of_type(type(x)))

    return found


def _tangent(raw: Raw, index: int, x: Any) -> Any:
    name = raw.op.operands[index] if raw.op.operands else raw.op.variadic
    if name in raw.op.nondiff or namespaces.kind_of(x) is not namespaces.REAL:
        return None

    return _like(x)


def _like(y: Any) -> Any:
    """Random numbers of the type of y; zeros for what is not real."""
    if isinstance(y, tuple | list):
        return tuple([_like(part) for part in y])
    if namespaces.kind_of(y) is not namespaces.REAL:
        return 0.0
    generator = random.Random(3)  # noqa: S311 -- a cotangent of a check, not a secret

    return random_like(float(y) if type(y) is int else y, generator)
