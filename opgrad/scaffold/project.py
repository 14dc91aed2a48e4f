"""The plugin around a folder: its pyproject.toml, its namespace, and the file with its hook."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import attrs

from opgrad.discovery import GROUP
from opgrad.errors import ScaffoldError


@attrs.frozen
class Project:
    """A plugin's source folder, and the file in it that the entry point names."""

    folder: Path
    namespace: str
    package: str
    hook: Path

    @property
    def sources(self) -> Path:
        """The folder of the package, where a new op goes."""
        return self.hook.parent

    def shown(self, path: Path) -> str:
        """A path as its author sees it: from the folder of the project."""
        return path.relative_to(self.folder).as_posix()


def find_project(start: Path, namespace: str = "") -> Project:
    """The plugin whose folder is `start` or holds it; its namespace only matters where it has two.

    Raises:
        ScaffoldError: There is none, or its files are not where they are looked for.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        entries = _entry_points(folder / "pyproject.toml")
        if entries:
            return _project(folder, entries, namespace)
    message = (
        f"neither {start.resolve()} nor a folder above it has a pyproject.toml with "
        f'[project.entry-points."{GROUP}"]; go into the folder of a plugin, or make one with '
        "`opgrad new plugin NAME`"
    )
    raise ScaffoldError(message)


def _entry_points(pyproject: Path) -> dict[str, str]:
    if not pyproject.is_file():
        return {}
    try:
        known: Any = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{pyproject} cannot be read: {error}"
        raise ScaffoldError(message) from error
    found: dict[str, str] = known.get("project", {}).get("entry-points", {}).get(GROUP, {})

    return found


def _project(folder: Path, entries: dict[str, str], namespace: str) -> Project:
    wanted = namespace or next(iter(entries))
    if wanted not in entries or (not namespace and len(entries) > 1):
        message = (
            f"{folder / 'pyproject.toml'} has the namespaces {', '.join(entries)}: "
            f"write one of them before the op, as in {next(iter(entries))}.NAME"
        )
        raise ScaffoldError(message)
    module = entries[wanted].partition(":")[0].strip()
    parts = module.split(".")
    for root in (folder / "src", folder):
        package = root.joinpath(*parts, "__init__.py")
        if package.is_file():
            return Project(folder, wanted, module, package)
        file = root.joinpath(*parts).with_suffix(".py")
        if file.is_file() and len(parts) > 1:
            return Project(folder, wanted, module.rpartition(".")[0], file)
    message = (
        f"the entry point of {wanted!r} names {module}, and {folder} has no package of that name, "
        "neither in src/ nor beside pyproject.toml; write the op by hand"
    )
    raise ScaffoldError(message)
