"""The whole contract between opgrad and its plugins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from opgrad.op import Op

if TYPE_CHECKING:
    from opgrad.kernels import Kernel

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


@hookspec
def opgrad_kernels() -> Iterable[Kernel]:
    """The kernels of this plugin: faster forwards for ops of others, made by `opgrad.kernel`.

    Called once, with `opgrad_ops`. A kernel runs where a user prefers this plugin, and nowhere
    else; whether it fits its op is seen then. Since 0.1.
    """
    raise NotImplementedError
