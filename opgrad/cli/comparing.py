"""`opgrad check --compare`: each kernel of an op beside the op."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from opgrad.candidates import Candidate, candidates
from opgrad.cli import FINDINGS
from opgrad.cli.output import complain_of, print_facts
from opgrad.cli.targets import named
from opgrad.plugins import PLUGINS, REGISTRY
from opgrad.testing.comparing import compare


def print_comparisons(targets: Sequence[str], *, as_json: bool) -> int:
    """Print each kernel that is offered for the ops named, or for any, beside its op."""
    broken = complain_of(PLUGINS.load_all())
    offered = [it for it in candidates() if it.op or it.problem]
    wanted = {op for target in targets for op in _compared(target, offered)}
    names = dict.fromkeys([it.kernel.op for it in offered if it.kernel.op in wanted or not targets])
    found = [compare(op).facts() for name in names if (op := REGISTRY.get(name)) is not None]
    print_facts(found, as_json=as_json, table=_tables(found))
    for it in offered:
        if it.kernel.op in names and it.kernel.op not in {facts["op"] for facts in found}:
            click.echo(f"opgrad: {it.problem}", err=True)

    if targets and not found:
        return FINDINGS  # what compared nothing must not look right

    return broken if len(found) == len(names) and all([it["ok"] for it in found]) else FINDINGS


def _compared(target: str, offered: Iterable[Candidate]) -> list[str]:
    """The names of the ops that a target stands for: those of a plugin's kernels, or its own."""
    providers = [(it.kernel.provider, it.kernel.op) for it in offered]
    ops = [op for provider, op in providers if provider and provider.namespace == target]

    return ops or [op.qualname for op in named([target])[0]]


def _tables(found: Iterable[Mapping[str, Any]]) -> RenderableType:
    tables = [part for facts in found for part in (Text(), comparison_table(facts))]

    return Group(*tables[1:]) if tables else Text("no plugin here offers a kernel for that")


def comparison_table(facts: Mapping[str, Any]) -> RenderableType:
    """One line a kernel, then its times, then what differs."""
    if not facts["kernels"]:
        return Text(f"no plugin here offers a kernel for {facts['op']}")
    owner = f"{facts['op']} ({facts['distribution']} {facts['version']})"
    times = _times(facts["kernels"])
    lines = [line for one in facts["kernels"] for line in _differences(one)]

    parts: list[RenderableType] = [
        Text(f"kernels beside {owner}; errors in units of eps", style="bold"),
        _errors(facts["kernels"]),
    ]
    if times.row_count:
        parts += [Text(), times]
    if lines:
        parts += [Text(), *map(Text, lines)]

    return Group(*parts)


def _differences(kernel: Mapping[str, Any]) -> Iterator[str]:
    """The first case of each result that differs, and how many more there are."""
    if kernel["problem"]:
        yield f"{_name(kernel)}: {kernel['problem']}"
    found: dict[str, list[Mapping[str, Any]]] = {}
    for difference in kernel["differences"]:
        found.setdefault(difference["what"], []).append(difference)
    for what, (first, *more) in found.items():
        others = f"; so in {len(more)} more" if more else ""
        yield f"{_name(kernel)}, {first['case']}: {what} {first['text']}{others}"


def _name(kernel: Mapping[str, Any]) -> str:
    return (
        f"{kernel['plugin']} ({kernel['distribution']} {kernel['version']}), {kernel['data']} data"
    )


def _errors(kernels: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("kernel", "result")
    for heading in ("cases", "value", "gradient", "forward mode"):
        table.add_column(heading, justify="right")
    for one in kernels:
        result = "agrees" if one["ok"] else "does not fit" if one["problem"] else "DIFFERS"
        result = result if one["cases"] or one["problem"] else "nothing to compare: no samples"
        errors = one["errors_in_eps"]
        cells = [_eps(errors, what) for what in ("value", "gradient", "forward mode")]
        table.add_row(_name(one), result, str(one["cases"]), *cells)

    return table


def _eps(errors: Mapping[str, float | None], what: str) -> str:
    if what not in errors:
        return "-"
    error = errors[what]

    return "wrong" if error is None else f"{error:.3g}"


def _times(kernels: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("kernel", "on", "mode")
    for heading in ("op", "kernel", "time over the op's"):
        table.add_column(heading, justify="right")
    for one in kernels:
        for timing in one["timings"]:
            table.add_row(
                _name(one), timing["case"], timing["mode"], _seconds(timing["owner"]),
                _seconds(timing["kernel"]), f"{timing['ratio']:.2f}",
            )  # fmt: skip

    return table


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"

    return f"{seconds / 1e-9:.3g} ns"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading)

    return table
