"""What one wants to know of a machine before reading a report about it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from opgrad.version import __version__

NEEDED = ("pluggy", "attrs")
COMMON = ("numpy", "scipy", "torch", "jax")
NOT_INSTALLED = "not installed"


def facts(installed: Mapping[str, str]) -> dict[str, str]:
    """opgrad, Python, the machine, the libraries around, and the variables of opgrad.

    >>> list(facts({"pluggy": "1.7.0", "attrs": "25.1"}))[:3]
    ['opgrad', 'python', 'machine']
    """
    found = {
        "opgrad": f"{__version__} in {Path(__file__).parents[1]}",
        "python": f"{platform.python_version()} ({platform.python_implementation()}), "
        f"{sys.executable}",
        "machine": platform.platform(),
    }
    found |= {name: installed.get(name, NOT_INSTALLED) for name in NEEDED}
    found |= {name: installed[name] for name in COMMON if name in installed}
    found |= {n: v for n, v in sorted(os.environ.items()) if n.upper().startswith("OPGRAD_")}

    return found
