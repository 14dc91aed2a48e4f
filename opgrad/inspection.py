"""A plugin looked at closely: its import, its hooks, and each op it hands over."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pluggy

from opgrad import hookspecs
from opgrad.discovery import Source
from opgrad.errors import ConflictError, PluginError, did_you_mean
from opgrad.op import Op
from opgrad.types import Provider

HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("opgrad_"))


def import_plugin(source: Source, name: str) -> object:
    """The module or object that an entry point names.

    Raises:
        PluginError: It is None, or half-imported; whatever the import raises goes through.
    """
    module, _, attribute = name.partition(":")
    plugin: object = importlib.import_module(module)
    if getattr(getattr(plugin, "__spec__", None), "_initializing", False):
        message = (
            f"plugin {source.namespace!r} ({source}) meets itself in a circle: {module} uses what "
            "needs it before it is imported to its end; import ops inside rules"
        )
        raise PluginError(message)
    for part in filter(None, attribute.split(".")):
        plugin = getattr(plugin, part)
    if plugin is None:
        message = (
            f"plugin {source.namespace!r} ({source}): its entry point {name} is None; "
            "it names the module, or the object, that has the hooks"
        )
        raise PluginError(message)

    return plugin


def ops_of(plugins: Iterable[object], provider: Provider) -> list[Op]:
    """Call each plugin's hook, and check everything it hands over."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    # Names alone, not modules: pluggy looks at every attribute of what it is given.
    specs: Any = SimpleNamespace(**{name: getattr(hookspecs, name) for name in HOOKS})
    manager.add_hookspecs(specs)
    ops: dict[Op, None] = {}
    for plugin in plugins:
        for op in _call_hook(manager, plugin, provider):
            _check_op(op, provider)
            ops[op] = None

    return list(ops)


def _call_hook(manager: pluggy.PluginManager, plugin: object, provider: Provider) -> Iterator[Op]:
    """The ops of one plugin, the only one registered for as long as this runs."""
    name = getattr(plugin, "__name__", type(plugin).__name__)
    hooks = _hooks_of(plugin, provider)
    try:
        manager.register(SimpleNamespace(**hooks), name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        places = ", ".join(map(_at, hooks.values()))
        message = f"plugin {provider.namespace!r} ({provider}), {name}{places}: {error}"
        raise PluginError(message) from error
    results = manager.hook.opgrad_ops() or [None]  # pluggy leaves out what is None
    manager.unregister(name=name)
    for result in results:
        if isinstance(result, (Op, str)) or not isinstance(result, Iterable):
            message = (
                f"opgrad_ops of {name} ({provider}){_at(hooks['opgrad_ops'])} returned {result!r}; "
                "it returns the plugin's ops, as a list or tuple"
            )
            raise PluginError(message)
        for op in result:
            if not isinstance(op, Op):
                message = (
                    f"opgrad_ops of {name} ({provider}){_at(hooks['opgrad_ops'])} handed over "
                    f"{op!r}, which is not an op; ops are made by @opgrad.op, "
                    "@opgrad.elementwise and @opgrad.composite"
                )
                raise PluginError(message)
            yield op


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
            raise PluginError(_unknown_hook(f"{name} ({provider})", attribute, function))
        if not hasattr(function, "opgrad_impl"):
            message = (
                f"{name}.{attribute} ({provider}){_at(function)} lacks the marker @opgrad.hookimpl"
            )
            raise PluginError(message)
        hooks[attribute] = function
    if not hooks:
        for attribute in dir(plugin):
            function = inspect.getattr_static(plugin, attribute, None)
            if inspect.isfunction(function) and hasattr(function, "opgrad_impl"):
                raise PluginError(_unknown_hook(f"{name} ({provider})", attribute, function))
        message = (
            f"{name} ({provider}) implements no hook of opgrad; "
            f"a plugin has at least one of: {', '.join(HOOKS)}"
        )
        raise PluginError(message)

    return hooks


def _unknown_hook(who: str, attribute: str, function: Any) -> str:
    hint = did_you_mean(attribute, HOOKS, cutoff=0.5)

    return (
        f"{who}{_at(function)} has an unknown hook {attribute!r}{hint} "
        f"Hooks that exist: {', '.join(HOOKS)}"
    )


def _at(function: Any) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)

    return f" at {code.co_filename}:{code.co_firstlineno}" if code else ""


def _check_op(op: Op, provider: Provider) -> None:
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


def place_of(error: BaseException, module: str) -> str:
    """` at file:line`: the deepest frame of an error in a plugin; empty where it has none."""
    package = module.partition(".")[0]
    found = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.partition(".")[0] == package:
            found = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    if not found and isinstance(error, SyntaxError) and error.filename:
        found = f" at {error.filename}:{error.lineno}"

    return found
