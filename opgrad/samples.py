"""What an op can be checked with: operands and attributes, without an array library."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(init=False)
class Sample:
    """Operands and attributes an op can be checked with. Nested lists stand for arrays."""

    operands: tuple[Any, ...]
    attributes: Mapping[str, Any]

    def __init__(self, *operands: Any, **attributes: Any) -> None:
        self.__attrs_init__(operands, attributes)


sample = Sample


def uniform(shape: tuple[int, ...], low: float = -2.0, high: float = 2.0, seed: int = 0) -> Any:
    """Nested lists of `shape` with numbers from [low, high), the same in every run.

    Examples:
        >>> [round(x, 3) for x in uniform((2,))]
        [-0.04, -0.773]
    """
    generator = random.Random(f"{shape}{seed}")  # noqa: S311 -- sample data, not a secret

    def fill(rest: tuple[int, ...]) -> Any:
        if not rest:
            return generator.uniform(low, high)

        return [fill(rest[1:]) for _ in range(rest[0])]

    return fill(tuple(shape))
