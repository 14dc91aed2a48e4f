"""An op's samples as calls: on Python numbers, and on NumPy arrays where NumPy is there."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs

from opgrad.op import Op
from opgrad.rules import REQUIRED
from opgrad.samples import Sample

FLOATS, ARRAYS = "floats", "arrays"


def numpy() -> Any:
    """NumPy, or None where it is not installed: then only numbers are checked."""
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None


@attrs.frozen(eq=False, slots=False)
class Case:
    """One call of an op, on data of one kind."""

    op: Op
    number: int
    """Which of the op's samples, from 1; 0 for one made of its domain."""
    data: str
    operands: tuple[Any, ...]
    attributes: dict[str, Any]

    @property
    def name(self) -> str:
        """`sample 2, arrays`."""
        return f"sample {self.number}, {self.data}"

    def call(self, *operands: Any) -> Any:
        """The op on these operands, with the attributes of the case."""
        return self.op(*operands, **self.attributes)

    @cached_property
    def chosen(self) -> tuple[int, ...]:
        """The places of the operands that carry a derivative."""
        names = self.op.names_of(self.operands)

        return tuple(
            [
                i
                for i, (name, x) in enumerate(zip(names, self.operands, strict=False))
                if name not in self.op.nondiff and x is not None
            ]
        )


def cases_of(op: Op) -> Iterator[Case]:
    """Every sample as numbers, where it has no arrays, and as arrays."""
    for number, sample in enumerate(op.samples, 1):
        attributes = dict(sample.attributes)
        if not any([isinstance(operand, list | tuple) for operand in sample.operands]):
            yield Case(op, number, FLOATS, sample.operands, attributes)
        if numpy() is not None:
            yield Case(op, number, ARRAYS, as_arrays(op, sample), attributes)


def as_arrays(op: Op, sample: Sample) -> tuple[Any, ...]:
    """The operands of a sample as NumPy arrays."""
    names = op.names_of(sample.operands)

    return tuple(
        [
            _as_array(x, keep=name in op.nondiff and not op.elementwise, flat=op.elementwise)
            for name, x in zip(names, sample.operands, strict=False)
        ]
    )


def _as_array(x: Any, *, keep: bool, flat: bool) -> Any:
    """Nested lists as arrays, empty ones of floats; numbers of one entry, or none."""
    np = numpy()
    if isinstance(x, list):
        return np.array(x, dtype=None if _entries(x) else float)
    if x is None or isinstance(x, bool) or keep:
        return x

    return np.array([x] if flat else x)


def _entries(x: Any) -> list[Any]:
    return [entry for part in x for entry in _entries(part)] if isinstance(x, list) else [x]
