"""The metadata of what is installed, looked at without importing any of it."""

from __future__ import annotations

import csv
import json
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from opgrad.diagnosis.finding import Finding
from opgrad.discovery import GROUP, distributions, headers, normalized, sources_of
from opgrad.version import __version__


@attrs.frozen(eq=False)
class Installation:
    """One distribution that has to do with opgrad, as it lies on disk."""

    distribution: Any
    name: str
    version: str
    path: Path
    """The folder of its metadata."""
    source: Path | None
    """The folder it is developed in, where the install is editable."""

    @property
    def described(self) -> str:
        """Name, version, and where it lies."""
        return f"{self.name} {self.version} in {self.path.parent}"


def installations() -> list[Installation]:
    """opgrad, every distribution that names a plugin, and those whose source folder does."""
    found: dict[str, Installation] = {}
    for distribution in distributions():
        path = Path(getattr(distribution, "_path", distribution.locate_file("")))
        about = headers(distribution)
        source = _source_folder(distribution)
        named = GROUP in _text(distribution, "entry_points.txt")
        ours = normalized(about.get("name", "")) == "opgrad"
        if ours or named or GROUP in _declared(source):
            name, version = about.get("name", ""), about.get("version", "unknown")
            real = os.path.realpath(path)  # one folder, whatever leads there
            found.setdefault(real, Installation(distribution, name, version, path, source))

    return list(found.values())


def versions() -> dict[str, str]:
    """What is installed, by normalized name: the version that counts."""
    found: dict[str, str] = {}
    for distribution in distributions():
        about = headers(distribution)
        if "name" in about:
            found.setdefault(normalized(about["name"]), about.get("version", "unknown"))

    return found


def check_installations(found: list[Installation]) -> Iterator[Finding]:
    """What is damaged, doubled, or out of date among these."""
    sound = []
    for one in found:
        damage = _damage(one)
        if damage is None:
            sound.append(one)
        else:
            yield damage
    by_name: dict[str, list[Installation]] = {}
    for one in sound:
        by_name.setdefault(normalized(one.name), []).append(one)
    for copies in by_name.values():
        yield from _check_copies(copies)
        yield from _check_files(copies[0])
        yield from _check_source(copies[0])


def _damage(one: Installation) -> Finding | None:
    """What keeps a distribution's metadata from being read."""
    remedy = f"delete the folder {one.path}"
    if one.path.name.startswith("~"):  # pip's name for what it is about to delete
        problem = f"{one.path} was left by an uninstall that did not come to its end"
        return Finding("stale", one.name or one.path.name, problem, remedy)
    if not one.name:
        problem = f"{one.path} names a plugin, and has no name itself: a leftover of a distribution"
        return Finding("stale", one.path.name, problem, remedy)
    try:
        sources_of(one.distribution)
    except (TypeError, ValueError) as error:
        problem = f"the metadata in {one.path} cannot be read: {error}"
        return Finding("stale", one.name, problem, f"pip install --force-reinstall {one.name}")

    return None


def _check_copies(copies: list[Installation]) -> Iterator[Finding]:
    if len(copies) > 1:
        name = copies[0].name
        listed = ", ".join(one.described for one in copies)
        problem = f"installed {len(copies)} times: {listed}; the first one counts"
        remedy = f"pip uninstall {name}, until nothing is left, and install it again"
        yield Finding("stale", name, problem, remedy)


def _check_files(one: Installation) -> Iterator[Finding]:
    """Whether the code that was installed is there; caches and data may go."""
    # `distribution.files` leaves out what is gone, from Python 3.12 on.
    rows = csv.reader(_text(one.distribution, "RECORD").splitlines())
    code = [row[0] for row in rows if row and row[0].endswith(".py")]
    files = [Path(one.distribution.locate_file(name)) for name in code]
    gone = [file for file in files if not file.exists()]
    if gone:
        problem = f"{len(gone)} of its {len(files)} files are gone, among them {gone[0]}"
        remedy = f"pip install --force-reinstall {one.name}"
        yield Finding("stale", one.name, problem, remedy)


def _check_source(one: Installation) -> Iterator[Finding]:
    """Whether an editable install still says what its folder says."""
    if one.source is None:
        return
    again = f"pip install -e {one.source}"
    if not one.source.is_dir():
        problem = f"it is editable, and its folder {one.source} is gone"
        remedy = f"pip uninstall {one.name}, or bring the folder back"
        yield Finding("editable", one.name, problem, remedy)
        return
    project = _project(one.source)
    declared = _declared(one.source).get(GROUP)
    if declared is not None:
        known = {e.name: e.value for e in one.distribution.entry_points if e.group == GROUP}
        if declared != known:
            problem = f"its pyproject.toml has the plugins {declared}, its metadata {known}"
            yield Finding("editable", one.name, problem, again)
    version = project.get("version", one.version)
    if not same_version(version, one.version):
        problem = f"its pyproject.toml says {version}, its metadata {one.version}"
        yield Finding("editable", one.name, problem, again)


def check_requirements(one: Installation, installed: Mapping[str, str]) -> Iterator[Finding]:
    """Whether what a distribution requires is here: opgrad itself, Python, everything else."""
    python = ".".join(map(str, sys.version_info[:3]))
    wanted = (one.distribution.metadata or {}).get("Requires-Python")
    if wanted:
        try:
            fits = SpecifierSet(wanted).contains(python, prereleases=True)
        except InvalidSpecifier:
            fits = True
        if not fits:
            problem = f"it needs Python {wanted}, and this is {python}"
            yield Finding("requirement", one.name, problem, _other_version(one))
    for text in one.distribution.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from _check_requirement(one, requirement, installed)


def _check_requirement(
    one: Installation, requirement: Requirement, installed: Mapping[str, str]
) -> Iterator[Finding]:
    name = normalized(requirement.name)
    ours = name == "opgrad"
    version = __version__ if ours else installed.get(name)
    wanted = f"{requirement.name}{requirement.specifier}"
    if version is None:
        problem = f"it needs {wanted}, which is not installed"
        yield Finding("requirement", one.name, problem, f'pip install "{wanted}"')
    elif not requirement.specifier.contains(version, prereleases=True):
        if ours:
            problem = f"it was built for {wanted}, and this is opgrad {version}"
            yield Finding("other opgrad", one.name, problem, _other_version(one))
        else:
            problem = f"it needs {wanted}, and {version} is installed"
            yield Finding("requirement", one.name, problem, f'pip install "{wanted}"')


def same_version(one: str, other: str) -> bool:
    """Whether two texts mean one version.

    >>> same_version("1.0-rc1", "1.0.0rc1")
    True
    """
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _other_version(one: Installation) -> str:
    return f"pip install --upgrade {one.name}, or uninstall it"


def _source_folder(distribution: Any) -> Path | None:
    try:
        direct = json.loads(_text(distribution, "direct_url.json") or "{}")
        if not direct.get("dir_info", {}).get("editable"):
            return None
        url = urlsplit(direct["url"])
    except (ValueError, KeyError, AttributeError):
        return None

    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def _declared(source: Path | None) -> dict[str, dict[str, str]]:
    """The entry points that a source folder declares, by group."""
    found = _project(source).get("entry-points", {}) if source else {}

    return found if isinstance(found, dict) else {}


def _project(source: Path) -> dict[str, Any]:
    try:
        text = (source / "pyproject.toml").read_text("utf-8")
        found = tomllib.loads(text).get("project", {})
    except (OSError, ValueError):
        return {}

    return found if isinstance(found, dict) else {}


def _text(distribution: Any, name: str) -> str:
    try:
        return distribution.read_text(name) or ""
    except ValueError:
        return ""
