"""`opgrad lock`: write down who supplies each op, and see later what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs
import click
from rich.table import Table
from rich.text import Text

from opgrad import locking
from opgrad.cli import FINDINGS, FINE
from opgrad.cli.output import as_json, leave, print_facts
from opgrad.errors import UnknownOpError
from opgrad.locking import Difference


@click.command("lock")
@click.argument("namespaces", metavar="[NAMESPACE]...", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; say what differs from the file.")
@click.option(
    "--file",
    "path",
    default=locking.FILE,
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The lock.",
)
@as_json
def lock_command(*, namespaces: tuple[str, ...], check: bool, path: Path, as_json: bool) -> None:
    """Lock the supplier of each op: distribution, version, module, source, preferred kernels.

    Of the ops of each NAMESPACE, or of all that is installed here and switched on. With --check
    the exit code is 1 where an op is not as it was locked.
    """
    if check:
        leave(_check(path, namespaces, as_json=as_json))
    else:
        _write(path, namespaces, as_json=as_json)


def _write(path: Path, namespaces: Sequence[str], *, as_json: bool) -> None:
    found = locking.in_use(namespaces)
    for error in found.failures.values():
        if namespaces and isinstance(error, UnknownOpError):
            raise click.BadParameter(str(error), param_hint="NAMESPACE")
    lock = locking.lock_of(found)
    locking.write(path, lock)
    suppliers = sorted(
        {f"{entry['distribution']} {entry['version']}" for entry in lock["ops"].values()}
    )
    sourceless = [name for name, entry in lock["ops"].items() if entry["source"] is None]
    facts = {
        "file": str(path),
        "ops": len(lock["ops"]),
        "suppliers": suppliers,
        "without_source": sourceless,
    }
    text = f"{path}: {len(lock['ops'])} ops of {', '.join(suppliers) or 'nobody'}"
    if sourceless:
        text += f"\nno source to be read, so locked by version alone: {', '.join(sourceless)}"
    print_facts(facts, as_json=as_json, table=Text(text))


def _check(path: Path, namespaces: Sequence[str], *, as_json: bool) -> int:
    """Print what differs; the exit code."""
    if not path.is_file():
        message = f"there is no lock {path}; `opgrad lock` writes one"
        raise click.UsageError(message)
    locked = locking.read(path)
    known = locked["namespaces"]
    strangers = sorted(set(namespaces) - set(known)) if known is not None else []
    if strangers:
        message = f"{path} locks {', '.join(known)}, and not {', '.join(strangers)}"
        raise click.BadParameter(message, param_hint="NAMESPACE")
    found = locking.differences(locked, locking.in_use(namespaces or known or ()))
    facts = {
        "file": str(path),
        "ok": not found,
        "differences": [attrs.asdict(difference) for difference in found],
    }
    print_facts(facts, as_json=as_json, table=_table(found, path))

    return FINDINGS if found else FINE


def _table(found: Iterable[Difference], path: Path) -> Any:
    """One line for each op and each thing about it that differs."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("op", "differs in", "locked", "here"):
        table.add_column(heading)
    for one in found:
        table.add_row(one.op, one.what, _short(one.locked), _short(one.here))

    return table if table.row_count else Text(f"every op is as {path} says")


def _short(text: str) -> str:
    """A hash as far as anybody reads it."""
    return text[:19] if text.startswith("sha256:") else text or "-"
