"""The built-in namespaces: which files in `opgrad/ops/` stand behind each."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from types import ModuleType

BUILT_IN = "core"
FAMILIES = {
    BUILT_IN: (
        "arithmetic", "exponential", "trigonometric", "comparison", "selection",
        "reductions", "linear_algebra", "manipulation", "indexing", "sorting", "cumulative",
        "rearranging", "contractions",
    ),
    "linalg": ("inverses", "triangles", "spectra", "norms", "diagonals"),
    "fft": ("fourier",),
}  # fmt: skip
"""The built-in namespaces, and the files in `opgrad/ops/` that are their plugins."""

MEMBERS = {BUILT_IN: ("inspection", "creation", "sets"), "fft": ("frequencies",)}
"""Files in `opgrad/ops/` whose `__all__` a namespace offers beside its ops: dtypes, constants, and
functions that make arrays. They are imported when a name is no op."""


@functools.cache
def members(namespace: str) -> Mapping[str, ModuleType]:
    """The names of a built-in namespace that are no ops, each with the module that has it."""
    modules = [importlib.import_module(f"opgrad.ops.{file}") for file in MEMBERS.get(namespace, ())]

    return {name: module for module in modules for name in module.__all__}
