"""What `opgrad list` knows of the plugins and ops installed here, as plain data and as tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from opgrad.op import Op
from opgrad.plugins import Status


def plugin_facts(status: Status) -> dict[str, Any]:
    """One plugin as JSON can hold it."""
    source = status.source

    return {
        "namespace": source.namespace,
        "distribution": source.distribution,
        "version": source.version,
        "editable": source.editable,
        "modules": list(source.modules),
        "state": status.state,
        "ops": status.ops,
        "error": str(status.error) if status.error else None,
    }


def op_facts(op: Op) -> dict[str, Any]:
    """One op as JSON can hold it: its name, its call, and where it comes from."""
    provider = op.provider

    return {
        "op": op.qualname,
        "signature": op.signature,
        "summary": (op.documentation.splitlines() or [""])[0],
        "distribution": provider.distribution if provider else None,
        "version": provider.version if provider else None,
        "module": op.forward.__module__,
        "editable": provider.editable if provider else None,
        "place": op.place,
    }


def plugin_table(plugins: Iterable[dict[str, Any]]) -> Table:
    """One line a plugin; an op count only where the plugin is loaded."""
    table = _table("namespace", "distribution", "version", "state")
    table.add_column("ops", justify="right")
    for plugin in plugins:
        version = f"{plugin['version']}{' (editable)' if plugin['editable'] else ''}"
        ops = "-" if plugin["ops"] is None else str(plugin["ops"])
        table.add_row(plugin["namespace"], plugin["distribution"], version, plugin["state"], ops)

    return table


def op_table(ops: Iterable[dict[str, Any]]) -> Table:
    """One line an op."""
    table = _table("op", "call", "from", "what it is")
    for op in ops:
        table.add_row(
            op["op"], op["signature"], f"{op['distribution']} {op['version']}", op["summary"]
        )

    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading)

    return table
