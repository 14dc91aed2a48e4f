"""Calls made of the samples of an op: other axes, lengths, counts and numbers.

The data stay those of the samples, left out here and there, doubled or turned round: what they
mean only the author knows.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from opgrad.testing.cases import Case, numpy
from opgrad.testing.checks.compare import dtype_of
from opgrad.types import shape

AXES = frozenset({"axis", "axes", "dim", "dims"})
"""Attributes of which one knows by their names that they count axes."""
KEPT = frozenset({"keepdims", "keepdim"})
"""And that they tell whether an axis stays."""
_PART = 0.75
"""Of a real number among the attributes: it stays on its side of 0, and of 1."""
_MOST = 1e6
"""The size of one that is varied: the infinite ones among them mean something else."""
_TRUTH = {"bool", str(bool)}
"""The names of truth values, of arrays and of numbers."""


@attrs.frozen
class Call:
    """A call, and how it differs from the sample."""

    case: Case
    how: str
    offered: bool = False
    """Whether the op offers it, so that its sweeps have to run; else a rule may refuse it."""
    finite: bool = False
    """Whether NaN is a wrong answer; else it may say that there is none."""


def _with(case: Case, attributes: dict[str, Any], *, offered: bool) -> Call:
    values = {**case.attributes, **attributes}
    how = " and ".join([f"{name}={value!r}" for name, value in attributes.items()])

    return Call(Case(case.op, case.sample, case.data, case.operands, values), how, offered)


def values_of(case: Case) -> dict[str, Any]:
    """Every attribute of a call."""
    return {**case.op.attributes, **case.attributes}


def _changed(case: Case, places: tuple[int, ...], change: Callable[[Any], Any]) -> Case:
    operands = [change(x) if i in places else x for i, x in enumerate(case.operands)]

    return case.on(tuple(operands))


def _other_axes(case: Case) -> Iterator[Call]:
    """Every axis from the front and from the back, all, two; and axes that stay or go."""
    values = values_of(case)
    ndim = max([len(shape(x)) for x in case.operands])
    axes = [None, *range(-ndim, ndim), *([(0, 1), (-1, 0)] if ndim > 1 else [])]
    kept = {name: not values[name] for name in KEPT if isinstance(values.get(name), bool)}
    if kept:
        yield _with(case, kept, offered=True)
    for name in sorted(AXES.intersection(values)):
        kinds = {type(values[name]), type(case.op.attributes[name])}
        for axis in axes if kinds & {type(None), int, tuple} else ():
            offered = type(axis) in kinds
            yield _with(case, {name: axis}, offered=offered)
            if kept:
                yield _with(case, {name: axis, **kept}, offered=offered)


def _other_numbers(case: Case) -> Iterator[Call]:
    """Each real number among the attributes, a little smaller."""
    for name, value in values_of(case).items():
        if type(value) is float and abs(value) < _MOST:
            yield _with(case, {name: _PART * value or 0.5}, offered=False)


def _other_counts(case: Case) -> Iterator[Call]:
    """Operands left out that may be; of many, one fewer and one more."""
    op, given = case.op, case.operands
    if op.adapter is not None:
        return  # what a call's arguments are is its own affair
    required = len(op.operands) - op.optional
    for count in range(required, len(given) if op.optional else 0):
        if given[count] is not None:
            left_out = f"{op.operands[count]!r} left out"
            yield Call(case.on(given[:count]), left_out, offered=True)
    if op.variadic:
        for operands in (given[:-1], (*given, given[0])):
            if operands:
                yield Call(case.on(operands), f"{len(operands)} operands", offered=True)


def _other_masks(case: Case) -> Iterator[Call]:
    """Truth values turned round."""
    places = tuple([i for i, x in enumerate(case.operands) if str(dtype_of(x)) in _TRUTH])
    if places:
        yield Call(_changed(case, places, lambda x: x ^ True), "another mask")


def _from_the_back(case: Case) -> Iterator[Call]:
    """Whole numbers less a length, where that changes nothing: indices counted from the back."""
    lengths = sorted({n for x in case.operands for n in shape(x) if n})
    found: list[tuple[str, Case]] = []
    for name, value in values_of(case).items():
        if type(value) is int and name not in AXES:
            found += [_less(case, name, value - n) for n in lengths]
    for i, x in enumerate(case.operands):
        if i not in case.real and _is_whole(x):
            less = [functools.partial(operator.add, -n) for n in lengths]
            found += [(f"a smaller {case.name_of(i)}", _changed(case, (i,), f)) for f in less]
    for how, changed in found:
        if _is_same(case, changed):
            yield Call(changed, f"{how}, which counts from the back", offered=True)


def _is_whole(x: Any) -> bool:
    """Whether this is an integer, or an array of them that may be below 0."""
    return type(x) is int or getattr(getattr(x, "dtype", None), "kind", "") == "i"


def _less(case: Case, name: str, value: int) -> tuple[str, Case]:
    call = _with(case, {name: value}, offered=True)

    return call.how, call.case


def _is_same(case: Case, other: Case) -> bool:
    """Whether two calls give the same; one may fail."""
    np = numpy()
    try:
        pairs = list(zip(case.outputs, other.outputs, strict=True))
    except Exception:  # noqa: BLE001 -- then it is no call
        return False

    return all([np.array_equal(a, b) for a, b in pairs])


def _zeros(case: Case) -> Iterator[Call]:
    """An entry of each operand that is 0: formulas divide by it."""
    for i in case.real if not case.op.elementwise else ():
        how = f"an entry that is 0 in {case.name_of(i)}"
        yield Call(_changed(case, (i,), _with_zero), how, finite=True)


def _with_zero(x: Any) -> Any:
    copy = x.copy()
    copy.reshape(-1)[:1] = 0.0

    return copy


def _batches(case: Case) -> Iterator[Call]:
    """The data twice along a new first axis, the second time backwards: all operands, and each."""
    if not case.op.elementwise:
        for places in dict.fromkeys([case.real, *[(i,) for i in case.real]]):
            yield Call(_changed(case, places, _twice), "an axis of batches")


def _twice(x: Any) -> Any:
    return numpy().stack([x, numpy().flip(x)])


def _complex(case: Case) -> Iterator[Call]:
    """Complex data, for what is linear: there a rule for real data need not be another."""
    if case.op.linear:
        changed = _changed(case, case.real, lambda x: x * (1.0 + 0.25j))
        yield Call(changed, "complex data")


def _other_lengths(case: Case) -> Iterator[Call]:
    """Along each axis one entry less, one, none: of one operand, and of all of that length."""
    if case.op.elementwise:
        return  # `broadcasting` does that
    for i in case.real:
        for axis, length in enumerate(shape(case.operands[i])):
            for shorter in _shorter(length):
                cut = functools.partial(_cut, axes={axis}, length=shorter)
                changed = _changed(case, (i,), cut)
                yield Call(changed, f"{case.name_of(i)} of shape {shape(changed.operands[i])}")
    for length in sorted({n for x in case.operands for n in shape(x)}):
        for shorter in _shorter(length):
            operands = [
                _cut(x, {a for a, n in enumerate(shape(x)) if n == length}, shorter)
                for x in case.operands
            ]
            how = f"axes of length {shorter}"
            yield Call(case.on(tuple(operands)), how, offered=not shorter)


def _shorter(length: int) -> list[int]:
    return [n for n in dict.fromkeys((length - 1, 1, 0)) if 0 <= n < length]


def _cut(x: Any, axes: set[int], length: int) -> Any:
    if not axes:
        return x

    return x[tuple([slice(length if a in axes else None) for a in range(x.ndim)])].copy()


FAMILIES: Mapping[Callable[[Case], Iterator[Call]], int] = {
    _other_axes: 20, _other_numbers: 6, _other_counts: 6, _other_masks: 2, _from_the_back: 6,
    _zeros: 4, _batches: 6, _complex: 2, _other_lengths: 12,
}  # fmt: skip
"""Each, and how many calls of it are held at most: the samples of an op may be many."""
