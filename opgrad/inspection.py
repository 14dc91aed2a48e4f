"""A plugin looked at closely: its import, its hooks, and each op it hands over."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pluggy

from opgrad import hookspecs
from opgrad.discovery import Source
from opgrad.errors import ConflictError, PluginError, did_you_mean
from opgrad.op import Op
from opgrad.types import Provider

if TYPE_CHECKING:
    from opgrad.kernels import Kernel

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


def handed_over(
    plugins: Iterable[object], provider: Provider
) -> tuple[list[Op], tuple[Kernel, ...]]:
    """Call each plugin's hooks, and check all that they hand over: ops, and kernels for others'."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    # Names alone, not modules: pluggy looks at every attribute of what it is given.
    specs: Any = SimpleNamespace(**{name: getattr(hookspecs, name) for name in HOOKS})
    manager.add_hookspecs(specs)
    ops: dict[Op, None] = {}
    kernels: dict[tuple[str, str], Kernel] = {}
    for plugin in plugins:
        results = _call_hooks(manager, plugin, provider)
        for op in results.get("opgrad_ops", ()):
            _check_op(op, provider)
            ops[op] = None
        for kernel in results.get("opgrad_kernels", ()):
            _check_kernel(kernel, kernels.setdefault((kernel.op, kernel.data), kernel), provider)

    return list(ops), tuple(kernels.values())


def _call_hooks(
    manager: pluggy.PluginManager, plugin: object, provider: Provider
) -> dict[str, list[Any]]:
    """What each hook of one plugin gives, the only one registered for as long as this runs."""
    name = getattr(plugin, "__name__", type(plugin).__name__)
    hooks = _hooks_of(plugin, provider)
    try:
        manager.register(SimpleNamespace(**hooks), name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        places = ", ".join(map(_at, hooks.values()))
        message = f"plugin {provider.namespace!r} ({provider}), {name}{places}: {error}"
        raise PluginError(message) from error
    # pluggy leaves out what is None
    results = {hook: getattr(manager.hook, hook)() or [None] for hook in HOOKS if hook in hooks}
    manager.unregister(name=name)

    return {
        hook: _checked(hook, result, f"{hook} of {name} ({provider}){_at(hooks[hook])}")
        for hook, (result,) in results.items()
    }


_MADE_BY = {
    "opgrad_ops": ("op", "@opgrad.op, @opgrad.elementwise and @opgrad.composite"),
    "opgrad_kernels": ("kernel", "@opgrad.kernel"),
}


def _checked(hook: str, result: Any, who: str) -> list[Any]:
    """What a hook handed over, each of the kind that the hook is for."""
    noun, makers = _MADE_BY[hook]
    kind = Op if hook == "opgrad_ops" else _kernels().Kernel
    if isinstance(result, (kind, str)) or not isinstance(result, Iterable):
        message = f"{who} returned {result!r}; it returns the plugin's {noun}s, as a list or tuple"
        raise PluginError(message)
    given = list(result)
    for it in given:
        if not isinstance(it, kind):
            message = (
                f"{who} handed over {it!r}, which is not {'an' if noun == 'op' else 'a'} {noun}; "
                f"{noun}s are made by {makers}"
            )
            raise PluginError(message)

    return given


def _kernels() -> ModuleType:
    """The module of kernels: 3 ms that nobody pays for who has none."""
    return importlib.import_module("opgrad.kernels")


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


def _check_kernel(kernel: Kernel, first: Kernel, provider: Provider) -> None:
    who = f"{provider} ({provider.namespace!r}) hands over {kernel!r}"
    if first is not kernel:
        message = f"{who} and {first!r}: one kernel for each op and kind of data"
        raise PluginError(message)
    if kernel.op.rpartition(".")[0] == provider.namespace:
        message = f"{who}, an op of its own: a kernel is for an op of another plugin"
        raise PluginError(message)
    if kernel.provider not in {None, provider}:
        message = f"{who}, which belongs to {kernel.provider}"
        raise ConflictError(message)


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


def said_by(error: BaseException) -> str:
    """`KeyError: 'missing'`: what an error says, of one that cannot say it the kind alone."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 -- the text is the plugin's code too
        return f"{type(error).__name__}, which cannot be printed"

    return f"{type(error).__name__}: {text}" if text else type(error).__name__


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
