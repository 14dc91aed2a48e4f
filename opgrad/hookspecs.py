"""The whole contract between opgrad and its plugins."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from opgrad.op import Op

PROJECT = "opgrad"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def opgrad_ops() -> Iterable[Op]:
    """The ops of this plugin: the objects that `opgrad.op` and its siblings made.

    Called once, when the plugin's namespace is first used; all of the ops enter the registry, or
    none. Since 0.1.
    """
    raise NotImplementedError
