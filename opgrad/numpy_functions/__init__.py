"""NumPy's functions that are no op but are made of ops, under NumPy's names and signatures.

They get what the caller gave: Values, arrays, numbers, and lists of them. NumPy says what each
does; here it is said again in functions that have a derivative.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from opgrad.numpy_functions import entries, matrices, products, shapes, statistics

BY_NAME: dict[str, Callable[..., Any]] = {
    name.replace("__", "."): held
    for module in (entries, matrices, products, shapes, statistics)
    for name, held in vars(module).items()
    if inspect.isfunction(held) and held.__module__ == module.__name__ and name[0] != "_"
}
"""`median`, `linalg.cond`: the function."""
