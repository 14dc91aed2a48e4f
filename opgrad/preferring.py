"""Which kernel runs: what the user prefers, in a block, by a variable, or in a file.

An op has no part in this until some preference in this process is for it. From then on it has a
chooser: its calls look at what the thread or task prefers, and at the kind of the data. All other
ops are called as ever.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import attrs

from opgrad import namespaces, preferences
from opgrad.discovery import strict
from opgrad.dispatch import namespace_of
from opgrad.errors import OpgradError, OpgradWarning, PluginError, UnknownOpError
from opgrad.kernels import DATA, Kernel
from opgrad.names import find
from opgrad.offers import Offers
from opgrad.op import Op
from opgrad.plugins import PLUGINS, Plugins
from opgrad.preferences import Preference, qualified

Kinds = tuple[type, ...]  # of the operands of a call
Pick = tuple[Op, Any]  # what runs, and with which namespace
_MODULES = {data: namespaces.LIBRARIES.get(data, namespaces.scalar.__name__) for data in DATA}


@attrs.define(eq=False)
class Selection:
    """What the open `prefer` blocks of a thread or task ask for, the innermost first."""

    wanted: tuple[Preference, ...] = ()
    cache: tuple[Any, dict[Op, dict[Kinds, Pick]]] = attrs.field(
        factory=lambda: (None, {}), init=False
    )
    """An era, and what was picked in it."""


_open: ContextVar[Selection] = ContextVar("opgrad_preferred", default=Selection())  # noqa: B039 -- its cache is all that changes


@contextmanager
def prefer(plugin: str, *, op: str | Op | None = None) -> Iterator[None]:
    """Run the kernels of a plugin within, in this thread or task alone.

    Only where the plugin has a kernel for the op and its data; everything else runs as before. A
    block within a block goes first, and every block goes before the variable OPGRAD_PREFER and
    the file that `opgrad prefer` writes.

    Args:
        plugin: The namespace of the plugin that brings the kernels. With `op`, also the namespace
            of the op itself: then the owner's forward runs, whatever else is preferred.
        op: For this op alone: its name, or the op.

    Raises:
        UnknownOpError: There is no such plugin or op, or the plugin has no kernel (for it).
        PluginError: The plugin cannot be used, or its kernel does not fit the op.

    Examples:
        >>> import opgrad
        >>> with opgrad.prefer("core", op="core.tanh"):
        ...     opgrad.ops.tanh(0.0)
        0.0
    """
    name = op.qualname if isinstance(op, Op) else None if op is None else qualified(op)
    wanted = PREFERENCES.activate(Preference(plugin, name))
    _open.set(Selection((wanted, *_open.get().wanted)))
    try:
        yield
    finally:  # this one is taken out: generators may leave such blocks in any order
        left = [other for other in _open.get().wanted if other is not wanted]
        _open.set(Selection(tuple(left)))


@attrs.define(eq=False)
class Preferences:
    """What is preferred in this process, and the ops that therefore choose."""

    plugins: Plugins
    offers: Offers = attrs.field(init=False)
    _waiting: tuple[Preference, ...] = attrs.field(default=(), init=False)
    """What the variable and the file name, until the first call of an op loads it."""
    _unread: OpgradError | None = attrs.field(default=None, init=False)
    """Why the variable or the file could not be read, under OPGRAD_STRICT."""
    _base: tuple[Preference, ...] = attrs.field(default=(), init=False)
    _active: set[Preference] = attrs.field(factory=set, init=False)
    """What was ever preferred in this process, and could be."""
    _unfit: WeakSet[Kernel] = attrs.field(factory=WeakSet, init=False)
    _era: object = attrs.field(factory=object, init=False)
    """Replaced when anything changes: what was picked in another era is picked anew."""
    _settling: set[int] = attrs.field(factory=set, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    """Never held while the registry's is taken, nor while code of a plugin runs."""

    def __attrs_post_init__(self) -> None:
        self.offers = Offers(self.plugins)
        self.plugins.registry.subscribe(self._heed)

    # -- asking for kernels -------------------------------------------------------------------

    def activate(self, wanted: Preference) -> Preference:
        """Load the plugin, see that its kernels fit, and let the ops they are for choose.

        Returns:
            The same preference, of the op by its own name: `linalg.matmul` is `core.matmul`.

        Raises:
            UnknownOpError: There is no such plugin or op, or no kernel (for it).
            PluginError: The plugin cannot be used, or its kernel does not fit the op.
        """
        self.plugins.load(wanted.supplier)
        if wanted.op is not None:
            namespace, _, name = wanted.op.rpartition(".")
            op = find(self.plugins, namespace, name)
            if not isinstance(op, Op):
                raise UnknownOpError(self.plugins.registry.unknown(wanted.op))
            wanted = attrs.evolve(wanted, op=op.qualname)
            if op.qualname == f"{wanted.supplier}.{name}":
                return wanted
        for kernel in self.offers.wanted(wanted):
            owner = self.offers.owner(kernel)
            if owner is not None:
                self.offers.fit(kernel, owner)
        with self._lock:
            self._active.add(wanted)
        self._heed()

        return wanted

    # -- the variable and the file ------------------------------------------------------------

    def begin(self) -> None:
        """Take in what the variable and the file prefer; nothing is loaded before an op is called.

        Where they cannot be read there is a warning; under OPGRAD_STRICT the first call of an op
        raises, and not this: `opgrad doctor` and `opgrad prefer --clear` import opgrad, too.
        """
        try:
            self._waiting = tuple(preferences.written())
        except OpgradError as error:
            if strict():
                self._unread = error
            else:
                self._complain([f"{error}; nothing is preferred"])
        self._heed()

    def settle(self) -> bool:
        """Load what the variable and the file name, and let only the ops concerned choose.

        Returns:
            False where that has to wait: a plugin calls ops while it is being imported.

        Raises:
            OpgradError: The variable or the file cannot be read, or a plugin cannot be used, under
                OPGRAD_STRICT; else there is a warning.
        """
        if self._unread is not None:
            raise self._unread.with_traceback(None)
        me = threading.get_ident()
        waiting = self._waiting
        if not waiting:
            return True
        if me in self._settling or any(self._half_imported(one.supplier) for one in waiting):
            return False
        self._settling.add(me)
        try:
            base, failures = self._tried(waiting)
        finally:
            self._settling.discard(me)
        with self._lock:
            if not self._waiting:
                return True  # another thread was faster
            self._base, self._waiting = tuple(base), ()
        self._heed()
        self._complain(failures)

        return True

    def _tried(self, waiting: Iterable[Preference]) -> tuple[list[Preference], list[str]]:
        base, failures = [], []
        for wanted in waiting:
            try:
                base.append(self.activate(wanted))
            except OpgradError as error:
                failures.append(f"{wanted.where} prefers {wanted}, which cannot be: {error}")
                if strict():
                    raise type(error)(failures[-1]) from error

        return base, failures

    def _half_imported(self, supplier: str) -> bool:
        modules = [m for source in self.plugins.sources().get(supplier, ()) for m in source.modules]
        for module in modules:
            parts = module.partition(":")[0].split(".")
            for end in range(1, len(parts) + 1):
                held = sys.modules.get(".".join(parts[:end]))
                if getattr(getattr(held, "__spec__", None), "_initializing", False):
                    return True

        return False

    @staticmethod
    def _complain(failures: Iterable[str]) -> None:
        for text in failures:
            warnings.warn(text, OpgradWarning, stacklevel=4)

    # -- ops that choose ----------------------------------------------------------------------

    def _heed(self, _: Iterable[Op] = ()) -> None:
        """Let those ops choose, and no others, that a kernel is for: something is new, or gone."""
        registry = self.plugins.registry
        with self._lock:
            unsettled = self._waiting or self._unread is not None
            concerned = set(registry) if unsettled else self._concerned()
            changed = [op for op in registry if (op.chooser is not None) != (op in concerned)]
            for op in changed:
                self._set_chooser(op, self._chooser(op) if op in concerned else None)
            self._era = object()
        if changed:
            registry.renew(changed)

    def _concerned(self) -> set[Op]:
        kernels = [kernel for wanted in self._active for kernel in self.offers.for_(wanted)]
        owners = map(self.plugins.registry.get, [kernel.op for kernel in kernels])

        return {owner for owner in owners if owner is not None}

    @staticmethod
    def _set_chooser(op: Op, choose: Callable[..., Any] | None) -> None:
        """In this order: `dispatch` reads `spaces` before it, and it again after setting `call`."""
        object.__setattr__(op, "chooser", choose)
        object.__setattr__(op, "spaces", {})
        object.__setattr__(op, "call", None)

    def _chooser(self, op: Op) -> Callable[[Kinds, tuple[Any, ...]], Pick]:
        """What `dispatch` asks for each call: a few look-ups, for this is on the road of the op."""

        def choose(kinds: Kinds, data: tuple[Any, ...]) -> Pick:
            era, picks = _open.get().cache
            if era is self._era:
                found = picks.get(op)
                pick = found.get(kinds) if found is not None else None
                if pick is not None:
                    return pick
            return self._pick(op, kinds, data)

        return choose

    def _pick(self, op: Op, kinds: Kinds, data: tuple[Any, ...]) -> Pick:
        """What runs for an op on data of these types, and with which namespace; kept."""
        selection = _open.get()
        era, picks = selection.cache
        if era is not self._era:
            era, picks = selection.cache = (self._era, {})
        xp = namespace_of(op, data)
        settled = self.settle()  # may begin another era: what is kept then is kept for nobody
        running = {_MODULES[data]: it for data, it, _ in self._in_order(op, selection)}
        pick = (running.get(xp.__name__, op), xp)
        if settled:
            picks.setdefault(op, {})[kinds] = pick

        return pick

    def _in_order(self, op: Op, selection: Selection) -> Iterator[tuple[str, Op, Preference]]:
        """For each kind of data what runs, and who says so: who says so first counts."""
        seen = set()
        for wanted in (*selection.wanted, *self._base):
            for data, it in self._offers(wanted, op):
                if data not in seen:
                    seen.add(data)
                    yield data, it, wanted

    def _offers(self, wanted: Preference, op: Op) -> Iterator[tuple[str, Op]]:
        if wanted.op not in {None, op.qualname} or op.provider is None:
            return
        if wanted.op and wanted.supplier == op.provider.namespace:
            yield from ((data, op) for data in DATA)
        for kernel in self.offers.for_(wanted):
            if kernel.op == op.qualname and kernel not in self._unfit:
                try:
                    made = self.offers.fit(kernel, op)
                except PluginError as error:  # of a plugin that was loaded after it was preferred
                    if strict():
                        raise
                    self._unfit.add(kernel)
                    self._complain([f"{error}; it does not run"])
                else:
                    yield kernel.data, made

    def running(self, op: Op) -> dict[str, tuple[Op, str]]:
        """What runs for an op here and now, by the kind of data, and who prefers it.

        That is a variable or a file, or "" for a `with` block. Nothing where the owner just runs.
        """
        self.settle()

        return {data: (it, who.where) for data, it, who in self._in_order(op, _open.get())}


PREFERENCES = Preferences(PLUGINS)
