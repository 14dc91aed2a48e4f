"""Names as attributes: `opgrad.ops.acme.softplus2`, found when asked for; near ones suggested."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable
from typing import Any

from opgrad.errors import UnknownOpError
from opgrad.families import BUILT_IN, members
from opgrad.op import Op
from opgrad.plugins import PLUGINS, Plugins

_LOCK = threading.Lock()


class Namespace:
    """The ops of one namespace as attributes: `opgrad.ops.acme.softplus2`.

    The namespace of the built-in ops also gives the other namespaces.
    """

    def __init__(self, plugins: Plugins, name: str) -> None:
        self._plugins = plugins
        self._name = name
        plugins.registry.subscribe(self._forget)

    def _forget(self, _: Iterable[Op]) -> None:
        for name in [name for name, held in vars(self).items() if isinstance(held, Op)]:
            del self.__dict__[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = find(self._plugins, self._name, name)
        self.__dict__[name] = found

        return found

    def __dir__(self) -> list[str]:
        return names(self._plugins, self._name)

    def __repr__(self) -> str:
        return f"<ops of {self._name!r}: {', '.join(dir(self))}>"


def space(plugins: Plugins, name: str) -> Namespace:
    """The ops of a namespace as attributes, always the same object."""
    with _LOCK:
        if name not in plugins.spaces:
            plugins.spaces[name] = Namespace(plugins, name)
        held: Namespace = plugins.spaces[name]

        return held


def find(plugins: Plugins, namespace: str, name: str) -> Any:
    """An op of a namespace, another of its names, or (from the built-in one) another namespace.

    Raises:
        UnknownOpError: None is there; the message names the nearest.
        PluginError: The plugin that owns the name cannot be used.
    """
    plugins.load(namespace)
    op = plugins.registry.table(namespace).get(name)
    if op is None and namespace in plugins.built_in:  # `linalg.matmul` is `matmul`
        op = plugins.registry.table(BUILT_IN).get(name)
    if op is not None:
        return op
    if name in members(namespace):
        return getattr(members(namespace)[name], name)
    if namespace != BUILT_IN:
        raise UnknownOpError(plugins.registry.unknown(f"{namespace}.{name}"))
    if name == BUILT_IN:
        return space(plugins, name)
    known = (plugins.registry.namespaces, plugins.built_in)
    if not any(name in names for names in known) and name not in plugins.sources():
        raise UnknownOpError(_unknown(plugins, name))
    plugins.load(name)

    return space(plugins, name)


def _unknown(plugins: Plugins, name: str) -> str:
    """What to say of a bare name: near ops, near namespaces, plugins' ops of that name."""
    message = plugins.registry.unknown(name)
    near = difflib.get_close_matches(name, list(plugins.sources()), 1)
    if not near and "did you mean" not in message:
        known = sorted({*plugins.registry.namespaces, *plugins.sources()} - {BUILT_IN})
        listed = f" (namespaces installed here: {', '.join(known)})" if known else ""
        return f"{message}, nor a namespace of that name{listed}; `opgrad list` shows what is there"
    if not near:
        return message
    if "did you mean" in message:
        return f"{message.removesuffix('?')} or the namespace {near[0]!r}?"

    return f"{message}; did you mean the namespace {near[0]!r}?"


def names(plugins: Plugins, namespace: str) -> list[str]:
    """The names under a namespace; under the built-in one, also those of other namespaces."""
    plugins.load(namespace)
    found = {*plugins.registry.table(namespace), *members(namespace)}
    if namespace == BUILT_IN:
        usable = (n for n in plugins.sources() if plugins.enabled(n))
        found |= {*usable, *plugins.built_in, *plugins.registry.namespaces} - {BUILT_IN}

    return sorted(found)


CORE = space(PLUGINS, BUILT_IN)


def core() -> Namespace:
    """The namespace of the built-in ops: what rules get as `xp` when a sweep is recorded."""
    return CORE
