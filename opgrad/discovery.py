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
    for distribution in distributions():
        try:
            sources = sources_of(distribution)
        except (TypeError, ValueError):  # metadata that cannot be read hide nobody else's
            continue
        if sources:
            found.setdefault(normalized(sources[0].distribution), sources)
    by_namespace: dict[str, list[Source]] = {}
    for _, sources in sorted(found.items()):
        for source in sorted(set(sources), key=lambda s: (s.namespace, s.modules)):
            by_namespace.setdefault(source.namespace, []).append(source)

    return by_namespace


def sources_of(distribution: Any) -> list[Source]:
    """The plugins that a distribution names.

    Raises:
        TypeError: A line of the metadata is no entry point.
        ValueError: The metadata are no text.
    """
    if GROUP not in (distribution.read_text("entry_points.txt") or ""):
        return []
    about = headers(distribution)
    if "name" not in about:  # what an interrupted uninstall left
        return []
    direct = distribution.read_text("direct_url.json") or ""
    editable = bool(re.search(r'"editable"\s*:\s*true', direct))

    return [
        Source(
            entry.name,
            (re.sub(r"\s|\[.*\]", "", entry.value),),  # `module : object [extra]` is allowed
            about["name"],
            about.get("version", "unknown"),
            editable,
        )
        for entry in distribution.entry_points
        if entry.group == GROUP
    ]


def distributions() -> Iterator[Any]:
    """Everything that is installed, in the order of the path.

    The current directory is no place of installation, though Python puts it on the path.
    """
    import importlib.metadata  # noqa: PLC0415 -- 10 ms that `import opgrad` does without

    try:
        here = os.getcwd()  # noqa: PTH109 -- no pathlib at import
    except OSError:  # it was deleted
        here = ""
    path = [p for p in sys.path if p and os.path.realpath(p) != here]

    return iter(importlib.metadata.distributions(path=path))


def headers(distribution: Any) -> dict[str, str]:
    """Name and version as a distribution's metadata give them; what it lacks is left out.

    `distribution.metadata` reads the whole page, the description included, at each access: forty
    plugins would take 40 ms.
    """
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except ValueError:  # no text
        return {}
    found = re.findall(r"(?im)^(name|version):[ \t]*(\S+)", text.partition("\n\n")[0])

    return {key.lower(): value for key, value in found}


def normalized(name: str) -> str:
    """A distribution's name as every spelling of it is compared: `Opgrad.Acme` is `opgrad-acme`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_installed(source: Source) -> bool:
    """Whether the distribution of a source is there now, whatever an earlier scan found."""
    name = normalized(source.distribution)

    return any(normalized(headers(found).get("name", "")) == name for found in distributions())


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


def preference_file() -> str:
    """Where `opgrad prefer` keeps what is preferred in this environment; there may be none."""
    return os.path.join(sys.prefix, "etc", "opgrad", "prefer.json")  # noqa: PTH118 -- no pathlib at import


def prefers() -> bool:
    """Whether a variable or that file may prefer a kernel: all that `import opgrad` looks at."""
    return bool(os.environ.get("OPGRAD_PREFER")) or os.path.exists(preference_file())  # noqa: PTH110 -- as above
