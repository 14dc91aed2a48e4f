"""`Registry`: one name, one op, and who brought it.

Readers take no lock: a commit builds new tables and swaps them in. What depends on the ops of a
registry (methods of Values, cached look-ups) subscribes to its commits.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import attrs

from opgrad.errors import ConflictError, UnknownOpError
from opgrad.op import Op
from opgrad.types import Provider

Table = Mapping[str, Op]


@attrs.define(eq=False)
class Registry:
    """Ops by namespace and name. Nothing enters but through `commit`."""

    _tables: Mapping[str, Table] = attrs.field(factory=dict, init=False)
    _subscribers: list[Callable[[Iterable[Op]], None]] = attrs.field(factory=list, init=False)
    _leavers: list[Callable[[Iterable[Op]], None]] = attrs.field(factory=list, init=False)
    _checks: list[Callable[[Provider, Iterable[Op]], None]] = attrs.field(factory=list, init=False)
    _lock: threading.RLock = attrs.field(factory=threading.RLock, init=False)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces committed so far, in their order."""
        return tuple(self._tables)

    def table(self, namespace: str) -> Table:
        """The ops of a namespace by name; empty where nothing was committed."""
        return self._tables.get(namespace, {})

    def __iter__(self) -> Iterator[Op]:
        for table in self._tables.values():
            yield from table.values()

    def __len__(self) -> int:
        return sum(len(table) for table in self._tables.values())

    def get(self, name: str) -> Op | None:
        """The op with this qualified (`acme.swish`) or built-in (`add`) name, or None."""
        namespace, _, bare = name.rpartition(".")

        return self.table(namespace or "core").get(bare)

    def find(self, name: str) -> Op:
        """The op with this name.

        Raises:
            UnknownOpError: There is none; the message names the nearest.
        """
        found = self.get(name)
        if found is None:
            raise UnknownOpError(self.unknown(name))

        return found

    def unknown(self, name: str) -> str:
        """What to say of a name nobody provides."""
        names = [op.name if space == "core" else op.qualname for space, op in self._by_space()]
        bare = name.rpartition(".")[2]
        near = difflib.get_close_matches(name.removeprefix("core."), names, 3) or [
            full for full in names if full.rpartition(".")[2] == bare
        ]
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""

        return f"no installed plugin provides op {name!r}{hint}"

    def _by_space(self) -> Iterator[tuple[str, Op]]:
        for space, table in self._tables.items():
            for op in table.values():
                yield space, op

    def subscribe(
        self,
        listener: Callable[[Iterable[Op]], None],
        check: Callable[[Provider, Iterable[Op]], None] | None = None,
        leave: Callable[[Iterable[Op]], None] | None = None,
    ) -> None:
        """Call `listener` with the ops of each commit, first with those already here.

        `check` is called before a commit changes anything, and may refuse it by raising; `leave`
        is called with the ops that were replaced or discarded.
        """
        with self._lock:
            self._subscribers.append(listener)
            if leave is not None:
                self._leavers.append(leave)
            if check is not None:
                self._checks.append(check)
            for table in self._tables.values():
                listener(table.values())

    def commit(self, provider: Provider, ops: Iterable[Op]) -> None:
        """Take in all of a provider's ops, or none.

        Raises:
            ConflictError: The namespace has another provider, an op is defined twice, or an op
                belongs to another namespace already. The message names both sides.
        """
        with self._lock:
            new = self._stage(provider, tuple(ops))
            for check in self._checks:
                check(provider, new.values())
            for op in new.values():
                object.__setattr__(op, "provider", provider)
            old = self.table(provider.namespace).values()
            self._tables = {**self._tables, provider.namespace: MappingProxyType(new)}
            for leave in self._leavers:
                leave([op for op in old if new.get(op.name) is not op])
            for listener in self._subscribers:
                listener(new.values())

    def _stage(self, provider: Provider, ops: tuple[Op, ...]) -> dict[str, Op]:
        held = self.table(provider.namespace)
        for op in held.values():
            if op.provider != provider:
                message = (
                    f"namespace {provider.namespace!r} belongs to {op.provider}; "
                    f"{provider} cannot have it too: uninstall one, or switch one off"
                )
                raise ConflictError(message)
        staged: dict[str, Op] = {}
        for op in ops:
            twin = staged.get(op.name)
            if twin is not None and twin is not op:
                message = (
                    f"{provider} defines op {provider.namespace}.{op.name} twice: "
                    f"at {twin.place} and at {op.place}; rename one"
                )
                raise ConflictError(message)
            if op.provider is not None and op.provider != provider:
                message = (
                    f"op {op.name!r} at {op.place} belongs to {op.described}; {provider} cannot "
                    f"register it in namespace {provider.namespace!r}: call it, or define its own"
                )
                raise ConflictError(message)
            staged[op.name] = op

        return staged

    def renew(self, ops: Iterable[Op]) -> None:
        """Tell subscribers that these ops are called anew: a kernel may be preferred for them."""
        with self._lock:
            for listener in self._subscribers:
                listener(ops)

    def discard(self, namespace: str) -> None:
        """Forget a namespace: its names are unknown afterwards. Recorded graphs keep their ops."""
        with self._lock:
            tables = dict(self._tables)
            gone = list(tables.pop(namespace, {}).values())
            self._tables = tables
            for leave in self._leavers:
                leave(gone)
            for op in gone:
                object.__setattr__(op, "provider", None)
            for listener in self._subscribers:
                listener(())
