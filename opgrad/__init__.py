"""opgrad: differentiable operations as plugins.

An op is a forward/backward pair, written once, found through an entry point, and run on Python
floats and arrays. Importing this package loads the built-in ops and scans nothing else.
"""

from __future__ import annotations

import importlib
from typing import Any

from opgrad import discovery, methods, ops
from opgrad.debugging import debug
from opgrad.define import composite, elementwise, op
from opgrad.explaining import explain
from opgrad.hookspecs import hookimpl
from opgrad.matrices import checkpoint, elementwise_grad, hessian, hvp, jacobian
from opgrad.op import Op
from opgrad.plugins import PLUGINS
from opgrad.samples import Sample, sample, uniform
from opgrad.transforms import grad, jvp, linearize, stop_gradient, value_and_grad, vjp
from opgrad.types import shape
from opgrad.value import Value, no_grad
from opgrad.version import __version__

load_plugin = PLUGINS.load_plugin
methods.install(PLUGINS.registry)
PLUGINS.load("core")


LAZY = {
    "draw": "opgrad.drawing",
    "keep_freed_memory": "opgrad.namespaces.memory",
    "kernel": "opgrad.kernels",
    "prefer": "opgrad.preferring",
    "plot": "opgrad.plotting",
}
"""What is imported when it is used, and from where: nobody else pays for it."""


def __getattr__(name: str) -> Any:
    if name in {"plotting", "testing"}:
        return importlib.import_module(f"opgrad.{name}")
    if name in LAZY:
        return getattr(importlib.import_module(LAZY[name]), name)
    message = f"module 'opgrad' has no attribute {name!r}"
    raise AttributeError(message)


__all__ = [
    "Op",
    "Sample",
    "Value",
    "__version__",
    "checkpoint",
    "composite",
    "debug",
    "draw",
    "elementwise",
    "elementwise_grad",
    "explain",
    "grad",
    "hessian",
    "hookimpl",
    "hvp",
    "jacobian",
    "jvp",
    "keep_freed_memory",
    "kernel",
    "linearize",
    "load_plugin",
    "no_grad",
    "op",
    "ops",
    "plot",
    "prefer",
    "sample",
    "shape",
    "stop_gradient",
    "uniform",
    "value_and_grad",
    "vjp",
]

if discovery.prefers():  # a variable, or a file: nobody else pays more than the look
    importlib.import_module("opgrad.preferring").PREFERENCES.begin()
