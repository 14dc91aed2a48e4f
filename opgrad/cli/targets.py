"""From the targets that were typed to ops: namespaces, names of ops, or everything installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from opgrad.cli.names import find_op
from opgrad.errors import PluginError, UnknownOpError
from opgrad.op import Op
from opgrad.plugins import PLUGINS, REGISTRY, Status
from opgrad.testing.engine import ops_named


def installed() -> tuple[list[Op], list[Status]]:
    """Every op installed here, and every plugin that could not be loaded."""
    statuses = PLUGINS.load_all()
    for namespace in PLUGINS.built_in:
        PLUGINS.load(namespace)
    disabled = [status.source.namespace for status in statuses if status.state == "disabled"]
    if disabled:
        click.echo(f"opgrad: switched off, so not checked: {', '.join(disabled)}", err=True)

    return sorted(REGISTRY, key=lambda op: op.qualname), _failed(statuses)


def named(targets: Sequence[str]) -> tuple[list[Op], list[Status]]:
    """The ops that were named, each once, and the plugins of those that cannot be used."""
    ops: dict[Op, None] = {}
    broken: list[Status] = []
    for target in targets:
        try:
            ops |= dict.fromkeys(_ops_of(target))
        except UnknownOpError as error:
            raise click.BadParameter(str(error), param_hint="NS|OP") from None
        except PluginError:
            namespace = target.partition(".")[0]
            failed = _failed(s for s in PLUGINS.statuses() if s.source.namespace == namespace)
            if not failed:
                raise
            broken += failed

    return list(ops), broken


def _ops_of(target: str) -> list[Op]:
    """The ops of a name as it was typed: also a plugin's bare one, as for `opgrad show`."""
    try:
        return ops_named(target)
    except UnknownOpError as error:
        try:
            return [find_op(target)]
        except UnknownOpError:
            raise error from None


def _failed(statuses: Iterable[Status]) -> list[Status]:
    return [status for status in statuses if status.error]
