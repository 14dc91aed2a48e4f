"""Plugins: from an entry point to ops in the registry, one plugin at a time.

`import opgrad` scans nothing. A built-in name never triggers a scan; the first name of another
namespace scans the entry points once and imports the owner of that namespace, nobody else. A
plugin's ops enter the registry all together or not at all, and a failure stays with its plugin:
it is remembered, and raised when somebody asks for that namespace.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from opgrad.discovery import Source, is_installed, scan, strict, switched_off_by
from opgrad.errors import ConflictError, PluginError, UnknownOpError, did_you_mean
from opgrad.families import BUILT_IN, FAMILIES, MEMBERS, members
from opgrad.inspection import check_redefinition, handed_over, import_plugin, place_of, said_by
from opgrad.op import Op
from opgrad.registry import Registry
from opgrad.types import Provider
from opgrad.version import __version__

if TYPE_CHECKING:
    from opgrad.kernels import Kernel

RESERVED = frozenset({"core", "opgrad", "local", "test", "linalg", "fft"}).union(
    *FAMILIES.values(), *MEMBERS.values()
)
NAMESPACE = re.compile(r"[a-z][a-z0-9_]{1,30}")


@attrs.frozen
class Status:
    """What is known of one plugin: `installed`, `loaded`, `disabled` or `failed`."""

    source: Source
    state: str
    ops: int | None = None
    error: PluginError | None = None


@attrs.define(eq=False)
class Plugins:
    """Finds plugins and brings their ops into a registry."""

    registry: Registry
    built_in: Mapping[str, Source]
    _sources: dict[str, list[Source]] | None = attrs.field(default=None, init=False)
    spaces: dict[str, Any] = attrs.field(factory=dict, init=False)
    """What `opgrad.names` made of each namespace, once: it lives as long as these plugins."""
    _kernels: dict[str, tuple[Kernel, ...]] = attrs.field(factory=dict, init=False)
    _failures: dict[str, PluginError] = attrs.field(factory=dict, init=False)
    _loading: dict[str, int] = attrs.field(factory=dict, init=False)
    """The thread that loads each namespace. No lock is held while code of a plugin runs: a thread
    that imports a plugin's module by itself would wait for it, and it for that thread."""
    _waiting: dict[int, str] = attrs.field(factory=dict, init=False)
    _lock: threading.Condition = attrs.field(factory=threading.Condition, init=False)

    # -- what is there ------------------------------------------------------------------------

    def sources(self) -> Mapping[str, list[Source]]:
        """Every installed plugin by namespace, from metadata alone, scanned once."""
        with self._lock:
            if self._sources is None:
                self._sources = scan()

            return self._sources

    def enabled(self, namespace: str) -> bool:
        """Whether the environment lets this namespace load."""
        return switched_off_by(namespace) is None

    def statuses(self) -> list[Status]:
        """The state of every plugin, built-in first, without loading any."""
        found = [
            Status(source, "loaded", len(self.registry.table(namespace)))
            if namespace in self.registry.namespaces
            else Status(source, "installed")
            for namespace, source in self.built_in.items()
        ]
        for namespace, sources in self.sources().items():
            for source in sources:
                failure = self._failures.get(namespace) or _flaw(namespace, sources, self.registry)
                if not self.enabled(namespace):
                    found.append(Status(source, "disabled"))
                elif failure is not None:
                    found.append(Status(source, "failed", error=failure))
                elif namespace in self.registry.namespaces:
                    count = len(self.registry.table(namespace))
                    found.append(Status(source, "loaded", count))
                else:
                    found.append(Status(source, "installed"))

        return found

    def kernels(self, namespace: str) -> tuple[Kernel, ...]:
        """The kernels that a loaded plugin offers for ops of others."""
        return self._kernels.get(namespace, ())

    # -- loading ------------------------------------------------------------------------------

    def load(self, namespace: str) -> None:
        """Bring in the plugin that owns a namespace; nothing happens where it is in already.

        Raises:
            UnknownOpError: No installed plugin has the namespace, or it is switched off.
            PluginError: The plugin cannot be used: the same error each time it is asked for.
        """
        if namespace in self.registry.namespaces:
            return
        if namespace in self.built_in:
            self._load(self.built_in[namespace])
            return
        self._load_strictly()
        sources = self.sources().get(namespace)
        if sources is None:
            raise UnknownOpError(self._unknown_namespace(namespace))
        switch = switched_off_by(namespace)
        if switch is not None:
            message = f"namespace {namespace!r} ({sources[0]}) is switched off by {switch}"
            raise UnknownOpError(message)
        self._load(*sources)

    def _load_strictly(self) -> None:
        """Under OPGRAD_STRICT every plugin loads before the first one is used."""
        if strict() and threading.get_ident() not in self._loading.values():
            for namespace, sources in self.sources().items():
                if self.enabled(namespace):
                    self._load(*sources)

    def _load(self, *sources: Source) -> None:
        """Load the one source of a namespace; remember what keeps it, or several, from loading."""
        namespace = sources[0].namespace
        if not self._claim(namespace):
            return
        try:
            flaw = None if namespace in self.built_in else _flaw(namespace, sources, self.registry)
            if flaw is not None:
                raise flaw
            self._import_and_commit(sources[0])
        except PluginError as error:
            self._failures[namespace] = error
            raise
        finally:
            with self._lock:
                del self._loading[namespace]
                self._lock.notify_all()

    def _claim(self, namespace: str) -> bool:
        """Whether this thread is to load a namespace: not where it is in, or another one did.

        Raises:
            PluginError: It failed before, or waiting for it would be waiting for oneself.
        """
        me = threading.get_ident()
        with self._lock:
            while namespace in self._loading:
                self._check_circle(namespace, me)
                self._waiting[me] = namespace
                try:
                    self._lock.wait()
                finally:
                    del self._waiting[me]
            if namespace in self._failures:
                raise self._failures[namespace].with_traceback(None)
            if namespace in self.registry.namespaces:
                return False
            self._loading[namespace] = me

            return True

    def _check_circle(self, namespace: str, me: int) -> None:
        chain = [name for name, thread in self._loading.items() if thread == me]
        waited: str | None = namespace
        while waited is not None:
            chain.append(waited)
            holder = self._loading.get(waited)
            if holder == me:
                message = (
                    f"plugins import each other in a circle: {' → '.join(chain)}; "
                    "import ops inside rules"
                )
                raise PluginError(message)
            waited = self._waiting.get(holder) if holder is not None else None

    def load_all(self) -> list[Status]:
        """Load every enabled plugin; failures are in the statuses (raised under OPGRAD_STRICT)."""
        for namespace in self.sources():
            if self.enabled(namespace):
                try:
                    self.load(namespace)
                except PluginError:
                    if strict():
                        raise

        return self.statuses()

    def load_plugin(self, plugin: object, namespace: str) -> None:
        """Bring in a plugin object by hand: for notebooks, frozen applications and tests.

        Redefining ops from the same script or notebook replaces them, with one line of notice.

        Raises:
            PluginError: The namespace is not free, or the plugin breaks a rule.
        """
        flaw = name_flaw(namespace, "load_plugin", self.registry)
        if flaw is not None:
            raise flaw
        module = getattr(plugin, "__name__", type(plugin).__module__)
        sources = self.sources().get(namespace, []) if self.enabled(namespace) else []
        if [s.modules for s in sources] == [(module,)]:
            self.load(namespace)  # the installed one itself
            return
        provider = Provider(namespace, "load_plugin", "by hand", module)
        try:
            ops, kernels = handed_over([plugin], provider)
        except PluginError:
            raise
        except (Exception, SystemExit) as error:
            message = f"plugin {namespace!r} ({provider}) failed: {said_by(error)}"
            raise PluginError(message) from error
        if ops:  # what defines them is what may define them anew, whatever hands them over
            provider = attrs.evolve(provider, module=ops[0].forward.__module__)
        if sources:
            message = (
                f"namespace {namespace!r} belongs to {sources[0]}, which is installed; "
                f"set OPGRAD_DISABLE_PLUGINS={namespace} to define it by hand"
            )
            raise ConflictError(message)
        with self._lock:
            held = self.registry.table(namespace)
            replaced = held and not all(op in ops for op in held.values())
            if replaced:
                check_redefinition(held.values(), ops, provider)
            self._commit(provider, ops, kernels)
        if replaced:
            print(f"opgrad: {namespace!r} was defined before and is replaced")  # noqa: T201 -- a notice to whoever is typing

    def forget(self, namespace: str) -> None:
        """Take a namespace out again, with the memory of its failure."""
        with self._lock:
            self._failures.pop(namespace, None)
            for kernel in self._kernels.pop(namespace, ()):
                object.__setattr__(kernel, "provider", None)
            self.registry.discard(namespace)

    def rescan(self) -> None:
        """Look at the installed distributions anew when they are next needed."""
        with self._lock:
            self._sources = None
            self._failures.clear()
            importlib.invalidate_caches()

    def _import_and_commit(self, source: Source) -> None:
        try:
            plugins = [import_plugin(source, name) for name in source.modules]
            ops, kernels = handed_over(plugins, source.provider)
            self._check_owners(ops, source)
            self._commit(source.provider, ops, kernels)
        except (Exception, SystemExit) as error:
            place = place_of(error, source.module)
            if isinstance(error, PluginError) and not place:  # ours, of this plugin
                raise
            raise PluginError(_failure(source, error, place)) from error

    def _commit(self, provider: Provider, ops: list[Op], kernels: tuple[Kernel, ...]) -> None:
        self.registry.commit(provider, ops)
        for kernel in kernels:
            object.__setattr__(kernel, "provider", provider)
        if kernels or self.kernels(provider.namespace):
            self._kernels[provider.namespace] = kernels
            self.registry.renew(())  # who chose among kernels looks again

    def _check_owners(self, ops: Iterable[Op], source: Source) -> None:
        """Refuse ops that another distribution's plugin defines, loaded or not."""
        others = [
            other
            for sources in (self._sources or {}).values()
            for other in sources
            if other.distribution != source.distribution
        ]
        for module, op in {op.forward.__module__: op for op in ops}.items():
            for other in others:
                if other.holds(module):
                    message = (
                        f"op {op.name!r} at {op.place} belongs to {other}; {source} cannot "
                        f"register it in namespace {source.namespace!r}: call it, or define its own"
                    )
                    raise ConflictError(message)

    def _unknown_namespace(self, namespace: str) -> str:
        known = [*self.registry.namespaces, *self.sources()]
        hint = did_you_mean(namespace, [*known, *self.registry.table(BUILT_IN)], 3)

        return (
            f"no installed plugin provides {namespace!r}, neither an op nor a namespace{hint} "
            f"Namespaces installed here: {', '.join(sorted(set(known)))}"
        )


def _flaw(namespace: str, sources: Sequence[Source], registry: Registry) -> PluginError | None:
    """What keeps these sources from loading, before any is imported."""
    flaw = name_flaw(namespace, str(sources[0]), registry)
    if flaw is None and len(sources) > 1:
        both = " and ".join([f"{source} ({source.modules[0]})" for source in sources])
        message = (
            f"{both} both claim the namespace {namespace!r}, so neither is loaded; "
            "uninstall one of them"
        )
        flaw = ConflictError(message)

    return flaw


def name_flaw(namespace: str, who: str, registry: Registry) -> PluginError | None:
    """What keeps a name from being a namespace: its form, or that opgrad needs it itself."""
    if not NAMESPACE.fullmatch(namespace):
        message = f"{who}: a namespace is [a-z][a-z0-9_]{{1,30}}, which {namespace!r} is not"
        return PluginError(message)
    taken = (RESERVED, registry.table(BUILT_IN), members(BUILT_IN))
    if any(namespace in names for names in taken):
        message = f"{who}: the namespace {namespace!r} is reserved; choose another name"
        return ConflictError(message)

    return None


def _failure(source: Source, error: BaseException, place: str) -> str:
    """What to say of a plugin whose import or hook raised."""
    who = f"plugin {source.namespace!r} ({source})"
    if isinstance(error, ModuleNotFoundError) and not place and not is_installed(source):
        return (
            f"{who} was uninstalled while this process ran: {said_by(error)}; "
            "install it again, and start the program anew"
        )

    if source.distribution == "opgrad":
        return (
            f"opgrad itself is incomplete: {said_by(error)}; install it again; a frozen "
            "application is to collect all modules of opgrad"
        )

    return (
        f"{who} failed: {said_by(error)}{place}; "
        f"repair or uninstall it, or set OPGRAD_DISABLE_PLUGINS={source.namespace}"
    )


def _built_in_source(namespace: str, families: tuple[str, ...]) -> Source:
    modules = tuple([f"opgrad.ops.{family}" for family in families])

    return Source(namespace, modules, "opgrad", __version__)


REGISTRY = Registry()
PLUGINS = Plugins(REGISTRY, {name: _built_in_source(name, f) for name, f in FAMILIES.items()})
