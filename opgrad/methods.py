"""What ops put on `Value`: operators, methods, properties, and the way from NumPy's functions.

Ops declare these names; they appear when a registry takes the ops in, and a name that is taken
is refused before anything changes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from opgrad import namespaces
from opgrad.dispatch import compile_call, operator_call
from opgrad.errors import CallError, ConflictError
from opgrad.op import BINARY_OPERATORS, UNARY_OPERATORS, Op
from opgrad.registry import Registry
from opgrad.types import Provider
from opgrad.value import Value


class _Methods:
    """Puts on `Value` what registered ops declare, and refuses what is there already."""

    def __init__(self) -> None:
        self.owners: dict[str, Op] = {}

    def check(self, provider: Provider, ops: Iterable[Op]) -> None:
        """Refuse a name on Value that another op holds.

        Raises:
            ConflictError: Naming both ops.
        """
        claimed: dict[str, Op] = {}
        for op in ops:
            for name in _names_on_value(op):
                owner = claimed.get(name) or self.owners.get(name)
                if owner is None:
                    free = name not in vars(Value)
                else:  # a provider may define its own ops anew
                    free = owner is op or (owner.provider == provider and name not in claimed)
                if not free:
                    raise ConflictError(_clash(provider, op, f"Value.{name}", owner))
                claimed[name] = op

    def leave(self, ops: Iterable[Op]) -> None:
        """Take away what ops put here that are no longer registered."""
        for op in ops:
            for name in _names_on_value(op):
                if self.owners.get(name) is op:
                    del self.owners[name]
                    delattr(Value, name)

    def __call__(self, ops: Iterable[Op]) -> None:
        for op in ops:
            for name, function in _names_on_value(op).items():
                self.owners[name] = op
                setattr(Value, name, function)


def _clash(provider: Provider, op: Op, name: str, owner: Op | None) -> str:
    by = repr(owner) if owner is not None else "Value itself"

    return (
        f"op {provider.namespace}.{op.name} ({provider}) at {op.place} declares {name}, "
        f"which {by} has; choose another name"
    )


def _names_on_value(op: Op) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if op.operator is not None and len(op.operands) == 2:  # noqa: PLR2004 -- binary
        name, reflected = BINARY_OPERATORS[op.operator]
        fast = op.arity == 2  # noqa: PLR2004 -- binary
        found[name] = _method(op)
        if fast:  # no frame of Python between the operator and the op
            found[name] = compile_call(op) if op.chooser else operator_call(op)
        if op.operator in {"==", "!="}:
            found[name] = _equality(op)
        if reflected:
            found[reflected] = _reflect(op)
    elif op.operator is not None:
        found[UNARY_OPERATORS[op.operator]] = _method(op)
    for name in op.methods:
        found[name] = _method(op)
    for name in op.properties:
        found[name] = property(op, doc=op.documentation)

    return found


def _equality(op: Op) -> Callable[[Value, Any], Any]:
    def equality(self: Value, other: Any) -> Any:
        if type(other) is not Value and namespaces.of_type(type(other)) is None:
            return NotImplemented  # None, text, ...: Python says that they differ
        return op(self, other)

    return equality


def _reflect(op: Op) -> Callable[[Value, Any], Any]:
    def reflected(self: Value, other: Any) -> Any:
        return op(other, self)

    return reflected


def _method(op: Op) -> Callable[..., Any]:
    def method(self: Value, /, *operands: Any, **attributes: Any) -> Any:
        return op(self, *operands, **attributes)

    method.__name__ = op.name
    method.__doc__ = op.documentation

    return method


# -- NumPy's own functions on Values --------------------------------------------------------------


class _NumPyNames:
    """Which op a NumPy function means: built-in ops by their name, others as they declare."""

    def __init__(self) -> None:
        self.ops: dict[str, Op] = {}
        self.calls: dict[Any, Callable[..., Any]] = {}

    def check(self, provider: Provider, ops: Iterable[Op]) -> None:
        """Refuse a name of NumPy's that another op means.

        Raises:
            ConflictError: Naming both ops.
        """
        claimed: dict[str, Op] = {}
        for op in ops:
            for name in _numpy_names_of(op, provider):
                owner = claimed.get(name) or self.ops.get(name)
                if owner is None or owner is op:
                    claimed[name] = op
                elif name in claimed or owner.provider != provider:
                    raise ConflictError(_clash(provider, op, f"numpy.{name}", owner))
                else:  # a provider may define its own ops anew
                    claimed[name] = op

    def __call__(self, ops: Iterable[Op]) -> None:
        for op in ops:
            for name in _numpy_names_of(op, op.provider):
                self.ops[name] = op
        self.calls.clear()

    def leave(self, ops: Iterable[Op]) -> None:
        """Take away the names of ops that are no longer registered."""
        gone = list(ops)
        self.ops = {name: op for name, op in self.ops.items() if op not in gone}
        self.calls.clear()

    def find(self, function: Any) -> Callable[..., Any]:
        """What runs for a function of NumPy, or of a library built on it; found once.

        Raises:
            UnknownOpError: There is nothing, so the call would lose the gradient.
        """
        call = self.calls.get(function)
        if call is None:
            call = self.calls[function] = _numpy_calls().call_of(function, self.ops)

        return call


def _numpy_calls() -> ModuleType:
    """What NumPy's names mean: loaded when NumPy hands over its first call, for it uses NumPy."""
    return importlib.import_module("opgrad.numpy_calls")


def _numpy_names_of(op: Op, provider: Provider | None) -> tuple[str, ...]:
    core = provider is not None and provider.namespace == "core"

    return (op.name, *op.numpy) if core else op.numpy


_methods = _Methods()
_numpy_names = _NumPyNames()


def _array_ufunc(self: Value, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    """Run the op that a NumPy ufunc means: `np.tanh(v)`, `array + v`, `np.add.reduce(v)`."""
    del self
    if not keywords and method == "__call__":
        call = _numpy_names.calls.get(ufunc) or _numpy_names.find(ufunc)
        try:
            return call(*inputs)
        except CallError:
            if not any([isinstance(it, list | tuple) for it in inputs]):
                raise
    named = _numpy_names.find(ufunc) if method in {"__call__", "outer"} else None

    return _numpy_calls().call_ufunc(ufunc, method, named, inputs, keywords)


def _array_function(
    self: Value, function: Any, types: Any, args: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """Run what a NumPy function means in ops: `np.concatenate([v, w])`."""
    del self, types

    return _numpy_names.find(function)(*args, **keywords)


Value.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
Value.__array_function__ = _array_function  # type: ignore[attr-defined]


def install(registry: Registry) -> None:
    """Let the ops of a registry reach `Value`: called once, by `import opgrad`."""
    registry.subscribe(_methods, _methods.check, _methods.leave)
    registry.subscribe(_numpy_names, _numpy_names.check, _numpy_names.leave)
