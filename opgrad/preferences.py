"""What a user prefers, as it is written: `acme` for all it offers, `core.tanh=acme` for one op.

It stands in the variable OPGRAD_PREFER, or in a file of the environment that `opgrad prefer`
writes. What comes of it is decided in `opgrad.preferring`.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import attrs

from opgrad.discovery import preference_file
from opgrad.errors import OpgradError

VARIABLE = "OPGRAD_PREFER"


@attrs.frozen
class Preference:
    """A plugin whose kernels are to run: for every op it has one for, or for one op."""

    supplier: str
    op: str | None = None
    where: str = attrs.field(default="", eq=False)
    """Who says so; "" for a `with` block."""

    def __str__(self) -> str:
        return self.supplier if self.op is None else f"{self.op}={self.supplier}"


def qualified(op: str) -> str:
    """The qualified name of an op; a bare one is built in."""
    return op if "." in op else f"core.{op}"


def parse(text: str, where: str) -> Preference:
    """Read `acme` or `core.tanh=acme`.

    Raises:
        OpgradError: It is neither.

    Examples:
        >>> print(parse(" tanh = acme", where="OPGRAD_PREFER"))
        core.tanh=acme
    """
    found = re.fullmatch(r"\s*(?:([\w.]+)\s*=)?\s*(\w+)\s*", text)
    if found is None:
        message = f"{where} holds {text!r}; it is written plugin, or op=plugin (core.tanh=acme)"
        raise OpgradError(message)
    op, supplier = found.groups()

    return Preference(supplier, qualified(op) if op else None, where)


def written() -> list[Preference]:
    """What the variable and the file prefer, what counts more first.

    The variable goes before the file; in each, one op before a whole plugin, and of two alike the
    later.

    Raises:
        OpgradError: One of the two cannot be read.
    """
    return [*_by_weight(in_variable()), *_by_weight(in_file())]


def _by_weight(stated: list[Preference]) -> list[Preference]:
    later_first = stated[::-1]

    return sorted(later_first, key=lambda one: one.op is None)


def in_variable() -> list[Preference]:
    """What OPGRAD_PREFER names, in its order.

    Raises:
        OpgradError: A part of it is neither a plugin nor op=plugin.
    """
    parts = os.environ.get(VARIABLE, "").split(",")

    return [parse(part, VARIABLE) for part in parts if part.strip()]


def in_file() -> list[Preference]:
    """What the file of this environment holds, in its order; nothing where there is no file.

    Raises:
        OpgradError: It is not as `opgrad prefer` writes it.
    """
    path = preference_file()
    try:
        known = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (ValueError, OSError) as error:
        message = f"{path} cannot be read ({type(error).__name__}: {error}); {_CORRECT}"
        raise OpgradError(message) from error
    stated = known.get("prefer") if isinstance(known, dict) else None
    if not isinstance(stated, list) or not all(isinstance(text, str) for text in stated):
        message = f'{path} does not hold {{"prefer": [...]}}, a list of texts; {_CORRECT}'
        raise OpgradError(message)

    return [parse(text, path) for text in stated]


_CORRECT = "correct it, or delete it (`opgrad prefer --clear`)"


def write_file(stated: Iterable[Preference]) -> None:
    """Replace the file in one step, or remove it where nothing is preferred.

    Raises:
        OpgradError: The environment cannot be written to.
    """
    path = Path(preference_file())
    lines = [str(one) for one in stated]
    try:
        if lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, json.dumps({"prefer": lines}, indent=2) + "\n")
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        way_out = f"; set {VARIABLE}={','.join(lines)} instead, in the environment of your program"
        doing = "written" if lines else "deleted"
        message = f"{path} cannot be {doing} ({error.strerror}){way_out if lines else ''}"
        raise OpgradError(message) from error


def replace(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it; where a link leads, if it is one."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", text=True)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)  # as any other file: mkstemp makes private ones
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
