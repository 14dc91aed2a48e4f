"""Small shared nouns that every layer may use."""

from __future__ import annotations

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
