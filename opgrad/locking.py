"""The lock: who supplies each op in use, in which version, from which source; and what differs now.

"In use" are the built-in ops and those of every plugin that is installed and switched on, or of
the namespaces that were named. The source of an op is the files that define its forward and its
rules; what these import is covered by the version of its distribution.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from opgrad.errors import OpgradError, PluginError, UnknownOpError
from opgrad.op import Op
from opgrad.plugins import PLUGINS
from opgrad.preferences import replace
from opgrad.preferring import PREFERENCES

FORMAT = 1
FILE = "opgrad.lock.json"
Entry = Mapping[str, Any]


@attrs.frozen
class InUse:
    """The ops in use, and what kept the ops of a namespace from being among them."""

    namespaces: tuple[str, ...] | None
    """Those that were named; None: all."""
    ops: tuple[Op, ...]
    failures: Mapping[str, OpgradError]


@attrs.frozen
class Difference:
    """One thing about one op that is not as it was locked."""

    op: str
    what: str
    """`missing`, `new`, `distribution`, `version`, `module`, `source`, or `numpy kernel`."""
    locked: str
    here: str


def in_use(namespaces: Sequence[str] = ()) -> InUse:
    """Load the namespaces that were named, or every plugin that is switched on.

    Examples:
        >>> found = in_use(["fft"])
        >>> found.namespaces, found.ops[0].qualname
        (('fft',), 'fft.fft')
    """
    usable = [name for name in PLUGINS.sources() if PLUGINS.enabled(name)]
    failures: dict[str, OpgradError] = {}
    wanted = sorted(set(namespaces)) or sorted(
        {*PLUGINS.built_in, *PLUGINS.registry.namespaces, *usable}
    )
    for name in wanted:
        try:
            PLUGINS.load(name)
        except (PluginError, UnknownOpError) as error:
            failures[name] = error
    ops = [op for name in wanted for op in PLUGINS.registry.table(name).values()]

    return InUse(
        tuple(wanted) if namespaces else None,
        tuple(sorted(ops, key=lambda op: op.qualname)),
        failures,
    )


def lock_of(found: InUse) -> dict[str, Any]:
    """The lock of these ops, as JSON holds it: sorted, and equal on every machine.

    Raises:
        OpgradError: A plugin cannot be used, so a lock would leave its ops out.
    """
    for error in found.failures.values():
        raise error

    return {
        "format": FORMAT,
        "namespaces": found.namespaces and list(found.namespaces),
        "ops": entries(found.ops),
    }


def entries(ops: Iterable[Op]) -> dict[str, Entry]:
    """What is locked of each op, registered or not, by its name."""
    texts: dict[str, str] = {}

    return {op.qualname: _entry(op, texts) for op in sorted(ops, key=lambda op: op.qualname)}


def _entry(op: Op, texts: dict[str, str]) -> Entry:
    running = PREFERENCES.running(op) if op.kernel_of is None else {}
    kernels = {data: it for data, (it, _) in running.items() if it is not op}
    provider = op.provider
    entry: dict[str, Any] = {
        "distribution": provider and provider.distribution,
        "version": provider and provider.version,
        "module": op.forward.__module__,
        "source": _source_hash(op, texts),
    }
    if kernels:
        entry["kernels"] = {data: _entry(it, texts) for data, it in sorted(kernels.items())}

    return entry


# -- sources --------------------------------------------------------------------------------------


def _source_hash(op: Op, texts: dict[str, str]) -> str | None:
    """A hash of the files that define an op; None where one of them is nowhere to be read.

    Of names of modules and lines, not of paths and bytes: the same on every machine.
    """
    found: dict[str, str] = {}
    for function in _functions(op):
        file = function.__code__.co_filename
        if file not in texts:
            linecache.checkcache(file)
            texts[file] = "".join(linecache.getlines(file, function.__globals__))
        found[f"{function.__module__}"] = texts[file]  # None in code that `exec` runs
    if not all(found.values()):
        return None
    digest = hashlib.sha256()
    for module, text in sorted(found.items()):
        digest.update(f"{module} {len(text)}\n{text}".encode())

    return f"sha256:{digest.hexdigest()}"


def _functions(op: Op) -> Iterator[Callable[..., Any]]:
    """The functions that make an op; of a decorated one also the function within."""
    adapter = (op.adapter,) if op.adapter is not None else ()
    for function in (op.forward, *op.rules.values(), *adapter):
        yield function
        within = inspect.unwrap(function)
        if within is not function and inspect.isfunction(within):
            yield within


# -- the file -------------------------------------------------------------------------------------


def write(path: Path, lock: Mapping[str, Any]) -> None:
    """Write a lock in one step: nobody sees half of one.

    Raises:
        OpgradError: It cannot be written there.
    """
    try:
        replace(path, json.dumps(lock, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise OpgradError(message) from error


def read(path: Path) -> dict[str, Any]:
    """Read a lock.

    Raises:
        OpgradError: It is not one that this opgrad can read.
    """
    try:
        lock = json.loads(path.read_text(encoding="utf-8-sig"))  # editors may leave a mark
    except ValueError as error:
        message = f"{path} is no lock of opgrad: {type(error).__name__}: {error}"
        raise OpgradError(message) from error
    version = lock.get("format") if isinstance(lock, dict) else None
    if type(version) is int and version != FORMAT:
        message = (
            f"{path} is a lock of format {version}, and this opgrad reads {FORMAT}; "
            "write it anew with `opgrad lock`"
        )
        raise OpgradError(message)
    if type(version) is not int or not _is_whole(lock):
        message = f"{path} is not as `opgrad lock` writes it; write it anew"
        raise OpgradError(message)

    return dict(lock)


def _is_whole(lock: Mapping[str, Any]) -> bool:
    """Whether a lock has all its parts, each of its kind: else a check would find nothing."""
    names = lock.get("namespaces", ())
    named = isinstance(names, list) and bool(names) and all(isinstance(n, str) for n in names)

    return (names is None or named) and _are_entries(lock.get("ops"))


def _are_entries(held: Any) -> bool:
    return isinstance(held, dict) and all(
        isinstance(entry, dict) and _are_entries(entry.get("kernels", {}))
        for entry in held.values()
    )


# -- what differs ---------------------------------------------------------------------------------


def differences(locked: Mapping[str, Any], found: InUse) -> list[Difference]:
    """What is not as it was locked, by op; of the namespaces of `found` alone."""
    here = entries(found.ops)
    before = {
        name: entry
        for name, entry in locked["ops"].items()
        if found.namespaces is None or name.rpartition(".")[0] in found.namespaces
    }
    result: list[Difference] = []
    for name in sorted({*before, *here}):
        if name not in here:
            result.append(Difference(name, "missing", _supplier(before[name]), _why_missing(name)))
        elif name not in before:
            result.append(Difference(name, "new", "", _supplier(here[name])))
        else:
            result += _changes(name, before[name], here[name])

    return result


def _why_missing(name: str) -> str:
    """What keeps the plugin of an op away; "" where it is there, without the op."""
    try:
        PLUGINS.load(name.rpartition(".")[0])
    except (PluginError, UnknownOpError) as error:
        return str(error)

    return ""


def _changes(name: str, before: Entry, here: Entry, prefix: str = "") -> Iterator[Difference]:
    for key in ("distribution", "version", "module", "source"):
        if before.get(key) != here.get(key):
            texts = [str(side.get(key) or "unknown") for side in (before, here)]
            yield Difference(name, f"{prefix}{key}", *texts)
    old, new = before.get("kernels", {}), here.get("kernels", {})
    for data in sorted({*old, *new}):
        if data in old and data in new:
            yield from _changes(name, old[data], new[data], f"{data} kernel: ")
        else:
            texts = [_supplier(side[data]) if data in side else "none" for side in (old, new)]
            yield Difference(name, f"{data} kernel", *texts)


def _supplier(entry: Entry) -> str:
    return f"{entry.get('distribution') or 'no distribution'} {entry.get('version') or ''}".strip()
