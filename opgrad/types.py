"""Small shared nouns that every layer may use."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen
class Provider:
    """Who brought an op: the distribution that ships it, and where it lies."""

    namespace: str
    distribution: str
    version: str
    module: str
    editable: bool = False

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def shape(x: Any) -> tuple[int, ...]:
    """The shape of an operand; `()` for a Python number, which has no `.shape`.

    Examples:
        >>> shape(2.0)
        ()
    """
    return getattr(x, "shape", ())
