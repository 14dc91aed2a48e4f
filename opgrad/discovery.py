"""Which plugins are installed and switched on, from metadata and environment alone.

Nothing is imported here but the metadata, and that only when somebody asks.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import attrs

from opgrad.types import Provider

GROUP = "opgrad.plugins"


@attrs.frozen
class Source:
    """Where a plugin lies, as its metadata tell: nothing of it is imported yet."""

    namespace: str
    modules: tuple[str, ...]
    distribution: str
    version: str
    editable: bool = False

    @property
    def provider(self) -> Provider:
        """What its ops will know of it."""
        return Provider(self.namespace, self.distribution, self.version, self.module, self.editable)

    @property
    def module(self) -> str:
        """The module that the entry point names; the package of several."""
        first = self.modules[0].partition(":")[0]

        return first if len(self.modules) == 1 else first.rpartition(".")[0]

    def holds(self, module: str) -> bool:
        """Whether a module is the plugin's, or lies in it."""
        return f"{module}.".startswith(f"{self.module}.")

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def scan() -> dict[str, list[Source]]:
    """Every installed plugin by namespace, sorted, a distribution's duplicates folded."""
    found: dict[str, list[Source]] = {}
    for distribution in _distributions():
        sources = [_source(distribution, e) for e in distribution.entry_points if e.group == GROUP]
        if sources:
            found.setdefault(re.sub(r"[-_.]+", "-", distribution.name).lower(), sources)
    by_namespace: dict[str, list[Source]] = {}
    for _, sources in sorted(found.items()):
        for source in sorted(set(sources), key=lambda s: (s.namespace, s.modules)):
            by_namespace.setdefault(source.namespace, []).append(source)

    return by_namespace


def _distributions() -> Iterator[Any]:
    """The distributions that name our group, in the order of the path.

    The current directory is no place of installation, though Python puts it on the path.
    What has no name is what an interrupted uninstall left.
    """
    import importlib.metadata  # noqa: PLC0415 -- 10 ms that `import opgrad` does without

    here = os.getcwd()  # noqa: PTH109 -- no pathlib at import
    path = [p for p in sys.path if p and os.path.realpath(p) != here]
    for distribution in importlib.metadata.distributions(path=path):
        named = GROUP in (distribution.read_text("entry_points.txt") or "")
        if named and "Name" in (distribution.metadata or ()):
            yield distribution


def _source(distribution: Any, entry: Any) -> Source:
    value = re.sub(r"\s|\[.*\]", "", entry.value)  # `module : object [extra]` is allowed
    direct = distribution.read_text("direct_url.json") or ""
    editable = bool(re.search(r'"editable"\s*:\s*true', direct))

    return Source(entry.name, (value,), distribution.name, distribution.version, editable)


def switched_off_by(namespace: str) -> str | None:
    """The environment variable that keeps a namespace from loading, or None."""
    if namespace in _names("OPGRAD_DISABLE_PLUGINS"):
        return "OPGRAD_DISABLE_PLUGINS"
    only = os.environ.get("OPGRAD_PLUGINS")
    if only is not None and namespace not in _names("OPGRAD_PLUGINS"):
        return "OPGRAD_PLUGINS, which names the only ones to load"

    return None


def _names(variable: str) -> set[str]:
    return {name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()}


def strict() -> bool:
    """Whether OPGRAD_STRICT makes every failure raise at once."""
    return os.environ.get("OPGRAD_STRICT", "") not in {"", "0"}
