"""The templates, and how the names of a package get into them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

import attrs


@attrs.frozen
class Written:
    """What was made or changed in which folder, and what to do there next."""

    folder: Path
    created: tuple[str, ...]
    changed: tuple[str, ...]
    next_steps: tuple[str, ...]


def fill(files: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Files and what is in them: `files` maps each path to its template, "" for an empty file."""
    return {
        Template(path).substitute(names): _text(template, names) if template else ""
        for path, template in files.items()
    }


def _text(template: str, names: Mapping[str, str]) -> str:
    source = resources.files("opgrad.scaffold").joinpath("templates", f"{template}.txt")

    return Template(source.read_text(encoding="utf-8")).substitute(names)
