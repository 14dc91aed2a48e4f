"""Which plugins are installed and switched on, from metadata and environment alone.

Nothing is imported here but the metadata, and that only when somebody asks.
"""

from __future__ import annotations

import os
import re
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
        return Provider(
            self.namespace, self.distribution, self.version, self.modules[0], self.editable
        )

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def scan() -> dict[str, list[Source]]:
    """Every installed plugin by namespace, sorted, a distribution's duplicates folded."""
    import importlib.metadata  # noqa: PLC0415 -- 10 ms that `import opgrad` does without

    found: dict[tuple[str, str], Source] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        distribution = entry.dist
        name = distribution.name if distribution else "unknown"
        version = distribution.version if distribution else "unknown"
        source = Source(entry.name, (entry.value,), name, version, _is_editable(distribution))
        found.setdefault((re.sub(r"[-_.]+", "-", name).lower(), entry.name), source)
    by_namespace: dict[str, list[Source]] = {}
    for _, source in sorted(found.items()):
        by_namespace.setdefault(source.namespace, []).append(source)

    return by_namespace


def _is_editable(distribution: Any) -> bool:
    text = (distribution.read_text("direct_url.json") or "") if distribution else ""

    return bool(re.search(r'"editable"\s*:\s*true', text))


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
