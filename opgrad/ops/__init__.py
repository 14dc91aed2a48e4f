"""The ops by name: `opgrad.ops.add`, and those of plugins, `opgrad.ops.activations.gelu`.

This is also a namespace of the Array API standard, whose arrays are Values. Each other file here
is a family of built-in ops, and a plugin like a stranger's; or it holds what is no op (dtypes,
constants, functions that make arrays).
"""

# No lower-case name may be imported here: it would hide the plugin's namespace of that name.
from typing import Any

from opgrad.families import BUILT_IN
from opgrad.names import find as _find
from opgrad.names import names as _names
from opgrad.ops.inspection import __array_api_version__, __array_namespace_info__
from opgrad.plugins import PLUGINS

__all__ = ["__array_api_version__", "__array_namespace_info__"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)

    return _find(PLUGINS, BUILT_IN, name)


def __dir__() -> list[str]:
    return _names(PLUGINS, BUILT_IN)
