"""What `opgrad check --compare` prints: each kernel of an op beside the op."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def comparison_table(facts: Mapping[str, Any]) -> RenderableType:
    """One line a kernel, then its times, then what differs."""
    if not facts["kernels"]:
        return Text(f"no plugin here offers a kernel for {facts['op']}")
    owner = f"{facts['op']} ({facts['distribution']} {facts['version']})"
    times = _times(facts["kernels"])
    lines = [line for one in facts["kernels"] for line in _differences(one)]

    return Group(
        Text(f"kernels beside {owner}; errors in units of eps", style="bold"),
        _errors(facts["kernels"]),
        *([Text(), times] if times.row_count else []),
        *([Text(), *map(Text, lines)] if lines else []),
    )


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
