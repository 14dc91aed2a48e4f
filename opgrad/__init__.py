"""opgrad: differentiable operations as plugins.

An op is a forward/backward pair, written once, found through an entry point, and run on Python
floats and arrays. Importing this package loads the built-in ops and scans nothing else.
"""

from __future__ import annotations

from opgrad import ops
from opgrad.hookspecs import hookimpl
from opgrad.op import Op, Sample, composite, elementwise, op, sample, shape, uniform
from opgrad.plugins import PLUGINS
from opgrad.transforms import grad, jvp, stop_gradient, value_and_grad
from opgrad.value import Value, no_grad
from opgrad.version import __version__

load_plugin = PLUGINS.load_plugin
PLUGINS.load("core")

__all__ = [
    "Op", "Sample", "Value", "__version__", "composite", "elementwise", "grad", "hookimpl", "jvp",
    "load_plugin", "no_grad", "op", "ops", "sample", "shape", "stop_gradient", "uniform",
    "value_and_grad",
]  # fmt: skip
