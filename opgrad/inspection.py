"""A plugin looked at closely: its import, its hooks, and each op it hands over."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pluggy

from opgrad import hookspecs
from opgrad.discovery import Source
from opgrad.errors import ConflictError, PluginError
from opgrad.op import Op
from opgrad.types import Provider

HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("opgrad_"))


def import_plugin(source: Source, name: str) -> object:
    """The module or object that an entry point names.

    Raises:
        PluginError: It is None; whatever the import raises goes through.
    """
    module, _, attribute = name.partition(":")
    plugin: object = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        plugin = getattr(plugin, part)
    if plugin is None:
        message = f"plugin {source.namespace!r} ({source}): {name} is None"
        raise PluginError(message)

    return plugin


def ops_of(plugins: Iterable[object], provider: Provider) -> list[Op]:
    """Call each plugin's hook, and check everything it hands over."""
    ops: list[Op] = []
    for plugin in plugins:
        for op in _call_hook(plugin, provider):
            _check_op(op, provider)
            if op not in ops:
                ops.append(op)

    return ops


def _call_hook(plugin: object, provider: Provider) -> Iterator[Op]:
    name = getattr(plugin, "__name__", type(plugin).__name__)
    hooks = _hooks_of(plugin, provider)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(SimpleNamespace(**hooks), name)  # not the module: pluggy reads every name
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        message = f"plugin {provider.namespace!r} ({provider}), {name}: {error}"
        raise PluginError(message) from error
    for result in manager.hook.opgrad_ops():
        if isinstance(result, (Op, str)) or not isinstance(result, Iterable):
            message = (
                f"opgrad_ops of {name} ({provider}) returned {result!r}; "
                "it returns the plugin's ops, as a list or tuple"
            )
            raise PluginError(message)
        yield from result


def _hooks_of(plugin: object, provider: Provider) -> dict[str, Any]:
    """The hooks a plugin implements.

    Raises:
        PluginError: One is misspelled or lacks its marker, or there is none.
    """
    name = getattr(plugin, "__name__", type(plugin).__name__)
    hooks: dict[str, Any] = {}
    for attribute in dir(plugin):
        if not attribute.startswith("opgrad_"):
            continue
        function = getattr(plugin, attribute)
        if not inspect.isroutine(function):
            continue
        if attribute not in HOOKS:
            near = difflib.get_close_matches(attribute, HOOKS, 1, 0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            message = f"{name} ({provider}) has an unknown hook {attribute!r}{hint}"
            raise PluginError(f"{message} Hooks that exist: {', '.join(HOOKS)}")
        if not hasattr(function, "opgrad_impl"):
            message = f"{name}.{attribute} ({provider}) lacks the marker @opgrad.hookimpl"
            raise PluginError(message)
        hooks[attribute] = function
    if not hooks:
        message = (
            f"{name} ({provider}) implements no hook of opgrad; "
            f"a plugin has at least one of: {', '.join(HOOKS)}"
        )
        raise PluginError(message)

    return hooks


def _check_op(op: object, provider: Provider) -> None:
    if not isinstance(op, Op):
        message = (
            f"opgrad_ops of {provider.namespace!r} ({provider}) handed over {op!r}, which is not "
            "an op; ops are made by @opgrad.op, @opgrad.elementwise and @opgrad.composite"
        )
        raise PluginError(message)
    missing = op.undefined()
    if missing:
        message = (
            f"op {provider.namespace}.{op.name} ({provider}) at {op.place} is half-defined: no "
            f"rule for {', '.join(missing)}; add .derivative or .backward, declare nondiff=True, "
            "or make it an @opgrad.composite"
        )
        raise PluginError(message)


def check_redefinition(old: Iterable[Op], new: Iterable[Op], provider: Provider) -> None:
    """Only the same script or notebook may define a namespace anew."""
    before = {op.forward.__module__ for op in old}
    after = {op.forward.__module__ for op in new}
    if before != after:
        message = (
            f"namespace {provider.namespace!r} was defined by {', '.join(sorted(before))}; "
            f"{', '.join(sorted(after))} cannot define it anew"
        )
        raise ConflictError(message)


def place_of(error: BaseException) -> str:
    """` at file:line`: the deepest frame of an error that is not of the import system."""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith("<") and os.path.dirname(__file__) != os.path.dirname(name):  # noqa: PTH120 -- no pathlib at import
            found = f" at {name}:{trace.tb_lineno}"
        trace = trace.tb_next

    return found
