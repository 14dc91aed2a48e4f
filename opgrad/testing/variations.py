"""What a kernel is tried on beside its op: the op's samples, and more that are made of them."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from opgrad.op import Op
from opgrad.testing.cases import ARRAYS, FLOATS, Case, cases_of, numpy

LENGTHS, BROADCAST = (16, 10_000), "shapes that broadcast"
SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e3, -1e3)


def variations(owner: Op, data: str) -> Iterator[Case]:
    """The op's samples on data of one kind, and changed ones; some may be none for the op."""
    wanted = FLOATS if data == "scalar" else ARRAYS
    found = [case for case in cases_of(owner) if case.data == wanted]
    yield from found
    if data == "numpy" and numpy() is not None:
        for case in found:
            yield from _changed(case)
        if owner.elementwise:
            yield from _made(found)


def _changed(case: Case) -> Iterator[Case]:
    np = numpy()
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    if any([x.ndim for x in arrays]):
        yield _on(case, "with gaps", lambda x: np.repeat(x[..., None], 2, axis=-1)[..., 0])
    if "dtype" in case.attributes or not any([x.dtype == np.float64 for x in arrays]):
        return
    yield _on(case, "in float32", lambda x: x.astype("float32") if x.dtype == float else x)
    if case.op.elementwise:
        yield _on(case, "as complex numbers", lambda x: x * (1 + 0.25j) if x.dtype == float else x)
        yield _on(case, "as whole numbers", lambda x: np.rint(2.0 * x).astype(int))


def _on(case: Case, how: str, change: Callable[[Any], Any]) -> Case:
    np = numpy()
    operands = tuple([change(x) if isinstance(x, np.ndarray) else x for x in case.operands])

    return attrs.evolve(case, sample=f"{case.sample} {how}", operands=operands)


def _made(cases: Sequence[Case]) -> Iterator[Case]:
    """Of the samples' entries: arrays of many, of none, of no axis, of shapes that broadcast."""
    np = numpy()
    first = next((case for case in cases if case.operands), None)
    if first is None:
        return
    alike = [case for case in cases if case.attributes == first.attributes]
    rows = [
        [np.ravel(x) for x in np.broadcast_arrays(*case.operands)]
        for case in alike
        if all([isinstance(x, np.ndarray) and x.dtype == float for x in case.operands])
        and len(case.operands) == len(first.operands)
    ]
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    if not columns or not columns[0].size:
        return

    def of(sample: str, change: Callable[[Any], Any]) -> Case:
        return attrs.evolve(first, sample=sample, operands=tuple(map(change, columns)))

    for length in LENGTHS:
        yield of(f"{length:,} entries", functools.partial(np.resize, new_shape=length))
    yield of("0 entries", lambda column: column[:0])
    yield of("an array without axes", lambda column: column[:1].reshape(()))
    yield of("a number of NumPy", lambda column: column[0])
    special = np.array([*itertools.product(SPECIAL, repeat=min(len(columns), 2))]).T
    others = [special[i % len(special)] for i in range(len(columns))]
    yield attrs.evolve(first, sample="NaN and infinities", operands=tuple(others))
    if len(columns) > 1:
        spread = (columns[0][:, None], *[column[None, :] for column in columns[1:]])
        yield attrs.evolve(first, sample=BROADCAST, operands=spread)
