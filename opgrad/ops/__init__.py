"""The ops by name: `opgrad.ops.add`, and those of plugins, `opgrad.ops.activations.gelu`.

Each other file here is a family of built-in ops, and a plugin like a stranger's.
"""

from __future__ import annotations

from typing import Any

from opgrad.plugins import BUILT_IN, PLUGINS, find, names


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)

    return find(PLUGINS, BUILT_IN, name)


def __dir__() -> list[str]:
    return names(PLUGINS, BUILT_IN)
