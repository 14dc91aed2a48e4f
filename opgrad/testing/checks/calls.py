"""Calls made of the samples: other axes, other lengths, more operands or fewer, other numbers.

A forward takes more than its samples show, and where it gives a value its gradient has to be that
value's: a rule may be right for square matrices alone, for an axis counted from the front, for two
operands, for data without an axis of batches. What the forward refuses is no call. The data stay
those of the samples, left out here and there, or doubled: only the author knows what they mean.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from opgrad.errors import CallError
from opgrad.testing.cases import WITHOUT_NUMPY, Case, cases_of, is_array, is_differentiable, numpy
from opgrad.testing.checks.check import REFUSED, Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import dtype_of
from opgrad.testing.checks.steady import STEPS, WRONG_AT_SAMPLES, contradicted, noise
from opgrad.testing.reproduce import call_of
from opgrad.testing.subject import Subject, inner, random_like
from opgrad.types import shape

AXES = frozenset({"axis", "axes", "dim", "dims"})
"""Attributes of which one knows by their names that they count axes."""
KEPT = frozenset({"keepdims", "keepdim"})
"""And that they tell whether an axis stays."""
_MOST_CALLS = 40
_MOST_ENTRIES = 1000
_PART = 0.75
"""Of a real number among the attributes: it stays on its side of 0, and of 1."""
_MOST = 1e6
"""The size of one that is varied: the infinite ones among them mean something else."""
_TRUTH = {"bool", str(bool)}
"""The names of truth values, of arrays and of numbers."""
_TIED = 3
_FITS = 1e-4
"""How close to the slope is close enough, relative to it: `steady` looks at what is not."""


@attrs.frozen
class _Call:
    """A call, and how it differs from the sample."""

    case: Case
    how: str
    offered: bool = False
    """Whether the op offers it, so that its sweeps have to run; else a rule may refuse it."""
    finite: bool = False
    """Whether NaN is a wrong answer; else it may say that there is none."""


def calls(case: Case) -> None:
    """Whatever the forward takes has the right gradient: along a random direction, both ways."""
    if numpy() is None:
        raise NotCheckable(WITHOUT_NUMPY)
    cases = [each for each in cases_of(case.op) if is_array(each) and _is_small(each)]
    held, seen = 0, {_signature(each) for each in cases}
    for family in _FAMILIES:
        for each in cases:
            for call in family(each):
                signature = _signature(call.case)
                signature += call.how if call.case.operands is not each.operands else ""
                if signature not in seen and held < _MOST_CALLS:
                    seen.add(signature)
                    held += _hold_unlike(call, each)
    if not held:
        raise NotCheckable("no other call can be made of the samples")


def _is_small(case: Case) -> bool:
    sizes = [math.prod(shape(x)) for x in case.operands]

    return bool(case.real) and sum(sizes) <= _MOST_ENTRIES


def _signature(case: Case) -> str:
    """What tells calls apart: shapes and dtypes, and every attribute."""
    data = [(shape(x), str(dtype_of(x))) for x in case.operands]

    return repr((data, sorted(_values(case).items())))


# -- holding one ----------------------------------------------------------------------------------


def _hold_unlike(call: _Call, sample: Case) -> bool:
    """Hold a call; what is wrong of the sample already is no news of the call."""
    try:
        return _hold(call)
    except CheckFailure:
        try:
            _hold(_Call(sample, "a sample", offered=True))
        except CheckFailure:
            raise NotCheckable(WRONG_AT_SAMPLES) from None
        raise


def _hold(call: _Call) -> bool:
    """Hold the gradient of a call to the slope; False where there is no such call."""
    case, np = call.case, numpy()
    try:
        if not all([np.isfinite(y).all() for y in case.outputs]) or not case.weights:
            return False
    except Exception:  # noqa: BLE001 -- whatever the forward says to what it does not take
        return False
    try:
        _hold_slopes(call)
    except CheckFailure:
        raise
    except (*REFUSED, CallError):
        return False
    except Exception as error:
        if not call.offered:
            return False  # a rule refuses it: late, but nobody gets a wrong gradient
        raise CheckFailure(
            f"the forward takes {call.how}, and the sweep fails",
            call=call_of(case), error=f"{type(error).__name__}: {error}",
        ) from error  # fmt: skip

    return True


def _hold_slopes(call: _Call) -> None:
    """The derivatives along a random direction, held to the slope along it."""
    case, np = call.case, numpy()
    data = [*case.outputs, *[case.operands[i] for i in case.chosen]]
    if 0 in [math.prod(shape(x)) for x in data]:
        case.gradients(case.chosen)  # a sweep over nothing: that it runs is all
        return
    if any([_is_tied(case.operands[i]) for i in case.chosen]):
        return
    subject = Subject.of(case.call, case.operands, case.chosen, 0)
    generator = random.Random(1)  # noqa: S311 -- a direction, not a secret
    directions = [random_like(leaf.data, generator) for leaf in subject.leaves]
    gradients = subject.reverse()
    pairs = zip(subject.leaves, gradients, strict=True)
    moved = sum([float(np.sum(np.abs(leaf.data * g))) for leaf, g in pairs])
    line, got = _Line(subject, directions, moved), inner(gradients, directions)
    if not (math.isfinite(got) or call.finite):
        return
    _hold_slope(call, line, got, "reverse")
    _hold_slope(call, line, subject.forward(directions), "forward")


def _is_tied(x: Any) -> bool:
    """Whether three entries are equal: any of them may stand for a median, and all slopes agree."""
    _, counts = numpy().unique(x, return_counts=True)

    return bool((counts >= _TIED).any())


@attrs.frozen
class _Line:
    """A function along a direction."""

    subject: Subject
    directions: list[Any]
    moved: float
    """The size of the gradient times that of the entries."""

    def slope(self, distance: float) -> tuple[float, float]:
        """The slope from here to there, and the size of the value."""
        _, change, size = self.subject.change(self.directions, distance)

        return change / distance, size


def _hold_slope(call: _Call, line: _Line, got: float, mode: str) -> None:
    np = numpy()
    central = (line.slope(STEPS[1])[0] + line.slope(-STEPS[1])[0]) / 2.0
    if abs(got - central) <= _FITS * abs(central):
        return
    left, right = (np.array([line.slope(sign * step) for step in STEPS]) for sign in (-1.0, 1.0))
    noises = noise(right[:, 1:], line.moved, np.array(STEPS)[:, None])
    if contradicted(np.array([got]), left[:, :1], right[:, :1], noises, kinks=False).any():
        raise CheckFailure(
            f"the forward takes {call.how}, and there the gradient is not the slope along a "
            f"random direction, {mode} mode; give the right one, or let the forward refuse it",
            call=call_of(call.case), got=f"{got:.9g}", wanted=f"{central:.9g}",
        )  # fmt: skip


# -- making them ----------------------------------------------------------------------------------


def _with(case: Case, attributes: dict[str, Any], *, offered: bool) -> _Call:
    values = {**case.attributes, **attributes}
    how = " and ".join([f"{name}={value!r}" for name, value in attributes.items()])

    return _Call(Case(case.op, case.sample, case.data, case.operands, values), how, offered)


def _values(case: Case) -> dict[str, Any]:
    return {**case.op.attributes, **case.attributes}


def _changed(case: Case, places: tuple[int, ...], change: Callable[[Any], Any]) -> Case:
    operands = [change(x) if i in places else x for i, x in enumerate(case.operands)]

    return case.on(tuple(operands))


def _other_axes(case: Case) -> Iterator[_Call]:
    """Every axis from the front and from the back, all, two; and axes that stay or go."""
    values = _values(case)
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


def _other_numbers(case: Case) -> Iterator[_Call]:
    """Each real number among the attributes, a little smaller."""
    for name, value in _values(case).items():
        if type(value) is float and abs(value) < _MOST:
            yield _with(case, {name: _PART * value or 0.5}, offered=False)


def _other_counts(case: Case) -> Iterator[_Call]:
    """Operands left out that may be; of many, one fewer and one more."""
    op, given = case.op, case.operands
    if op.adapter is not None:
        return  # what a call's arguments are is its own affair
    required = len(op.operands) - op.optional
    for count in range(required, len(given) if op.optional else 0):
        if given[count] is not None:
            left_out = f"{op.operands[count]!r} left out"
            yield _Call(case.on(given[:count]), left_out, offered=True)
    if op.variadic:
        for operands in (given[:-1], (*given, given[0])):
            if operands:
                yield _Call(case.on(operands), f"{len(operands)} operands", offered=True)


def _other_masks(case: Case) -> Iterator[_Call]:
    """Truth values turned round."""
    places = tuple([i for i, x in enumerate(case.operands) if str(dtype_of(x)) in _TRUTH])
    if places:
        yield _Call(_changed(case, places, lambda x: x ^ True), "another mask")


def _zeros(case: Case) -> Iterator[_Call]:
    """An entry of each operand that is 0: formulas divide by it."""
    for i in case.real if not case.op.elementwise else ():
        how = f"an entry that is 0 in {case.name_of(i)}"
        yield _Call(_changed(case, (i,), _with_zero), how, finite=True)


def _with_zero(x: Any) -> Any:
    copy = x.copy()
    copy.reshape(-1)[:1] = 0.0

    return copy


def _batches(case: Case) -> Iterator[_Call]:
    """The data twice along a new first axis, the second time backwards: all operands, and each."""
    if not case.op.elementwise:
        for places in dict.fromkeys([case.real, *[(i,) for i in case.real]]):
            yield _Call(_changed(case, places, _twice), "an axis of batches")


def _twice(x: Any) -> Any:
    return numpy().stack([x, numpy().flip(x)])


def _complex(case: Case) -> Iterator[_Call]:
    """Complex data, for what is linear: there a rule for real data need not be another."""
    if case.op.linear:
        changed = _changed(case, case.real, lambda x: x * (1.0 + 0.25j))
        yield _Call(changed, "complex data")


def _other_lengths(case: Case) -> Iterator[_Call]:
    """Along each axis one entry less, one, none: of one operand, and of all of that length."""
    if case.op.elementwise:
        return  # `broadcasting` does that
    for i in case.real:
        for axis, length in enumerate(shape(case.operands[i])):
            for shorter in _shorter(length):
                cut = functools.partial(_cut, axes={axis}, length=shorter)
                changed = _changed(case, (i,), cut)
                yield _Call(changed, f"{case.name_of(i)} of shape {shape(changed.operands[i])}")
    for length in sorted({n for x in case.operands for n in shape(x)}):
        for shorter in _shorter(length):
            operands = [
                _cut(x, {a for a, n in enumerate(shape(x)) if n == length}, shorter)
                for x in case.operands
            ]
            how = f"axes of length {shorter}"
            yield _Call(case.on(tuple(operands)), how, offered=not shorter)


def _shorter(length: int) -> list[int]:
    return [n for n in dict.fromkeys((length - 1, 1, 0)) if 0 <= n < length]


def _cut(x: Any, axes: set[int], length: int) -> Any:
    if not axes:
        return x

    return x[tuple([slice(length if a in axes else None) for a in range(x.ndim)])].copy()


_FAMILIES: tuple[Callable[[Case], Iterator[_Call]], ...] = (
    _other_axes, _other_numbers, _other_counts, _other_masks, _zeros, _batches, _complex,
    _other_lengths,
)  # fmt: skip

CHECKS = (
    Check(
        "calls", "other axes, lengths and counts than the samples have get the right gradient",
        calls, whole=True, applies=is_differentiable,
    ),
)  # fmt: skip
