"""Calls made of the samples: other axes, other lengths, more operands or fewer, other numbers.

A forward takes more than its samples show, and where it gives a value its gradient has to be that
value's: a rule may be right for square matrices alone, for an axis counted from the front, for two
operands, for data without an axis of batches. What the forward refuses is no call. The data stay
those of the samples, left out here and there, or doubled: only the author knows what they mean.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from opgrad.errors import CallError
from opgrad.testing.cases import WITHOUT_NUMPY, Case, cases_of, is_array, is_differentiable, numpy
from opgrad.testing.checks.check import REFUSED, Check, CheckFailure, NotCheckable
from opgrad.testing.checks.steady import STEPS, contradicted, noise
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
_FITS = 1e-4
"""How close to the slope is close enough, relative to it: `steady` looks at what is not."""


@attrs.frozen
class _Call:
    """A call, and how it differs from the sample."""

    case: Case
    how: str
    offered: bool
    """Whether the op offers it, so that its sweeps have to run; else a rule may refuse it."""


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
                if signature not in seen and held < _MOST_CALLS:
                    seen.add(signature)
                    held += _hold(call)
    if not held:
        raise NotCheckable("no other call can be made of the samples")


def _is_small(case: Case) -> bool:
    sizes = [getattr(x, "size", 1) for x in case.operands]

    return bool(case.real) and sum(sizes) <= _MOST_ENTRIES


def _signature(case: Case) -> str:
    """What tells calls apart: shapes and dtypes, and every attribute."""
    data = [(shape(x), str(getattr(x, "dtype", type(x)))) for x in case.operands]

    return repr((data, sorted({**case.op.attributes, **case.attributes}.items())))


# -- holding one ----------------------------------------------------------------------------------


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
    except (*REFUSED, CallError):
        return False
    except CheckFailure:
        raise
    except Exception as error:
        if not call.offered:
            return False  # a rule refuses it: late, but nobody gets a wrong gradient
        raise CheckFailure(
            f"the forward takes {call.how}, and the sweep fails",
            call=call_of(case), error=f"{type(error).__name__}: {error}",
        ) from error

    return True


def _hold_slopes(call: _Call) -> None:
    """The derivatives along a random direction, held to the slope along it."""
    case, np = call.case, numpy()
    data = [*case.outputs, *[case.operands[i] for i in case.chosen]]
    if 0 in [math.prod(shape(x)) for x in data]:
        case.gradients(case.chosen)  # a sweep over nothing: that it runs is all
        return
    subject = Subject.of(case.call, case.operands, case.chosen, 0)
    generator = random.Random(1)  # noqa: S311 -- a direction, not a secret
    directions = [random_like(leaf.data, generator) for leaf in subject.leaves]
    gradients = subject.reverse()
    pairs = zip(subject.leaves, gradients, strict=True)
    moved = sum([float(np.sum(np.abs(leaf.data * g))) for leaf, g in pairs])
    _hold_slope(call, _Line(subject, directions, moved), inner(gradients, directions), "reverse")
    _hold_slope(call, _Line(subject, directions, moved), subject.forward(directions), "forward")


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
            f"random direction, {mode} mode",
            call=call_of(call.case), got=f"{got:.9g}", wanted=f"{central:.9g}",
        )  # fmt: skip


# -- making them ----------------------------------------------------------------------------------


def _with(case: Case, how: str, *, offered: bool = True, **attributes: Any) -> _Call:
    changed = Case(
        case.op, case.sample, case.data, case.operands, {**case.attributes, **attributes}
    )

    return _Call(changed, how, offered)


def _values(case: Case) -> dict[str, Any]:
    return {**case.op.attributes, **case.attributes}


def _other_axes(case: Case) -> Iterator[_Call]:
    """Every axis from the front and from the back, all, two; and axes that stay or go."""
    values = _values(case)
    ndim = max([len(shape(x)) for x in case.operands])
    axes = [None, *range(-ndim, ndim), *([(0, 1), (-1, 0)] if ndim > 1 else [])]
    kept = [name for name in values if name in KEPT and isinstance(values[name], bool)]
    for name in kept:
        yield _with(case, f"{name}={not values[name]}", **{name: not values[name]})
    for name in sorted(AXES.intersection(values)):
        kinds = {type(values[name]), type(case.op.attributes[name])}
        for axis in axes if kinds & {type(None), int, tuple} else ():
            offered = type(axis) in kinds
            yield _with(case, f"{name}={axis}", offered=offered, **{name: axis})
            for other in kept:
                both = {name: axis, other: not values[other]}
                how = f"{name}={axis} and {other}={both[other]}"
                yield _with(case, how, offered=offered, **both)


def _other_numbers(case: Case) -> Iterator[_Call]:
    """Each real number among the attributes, a little smaller."""
    for name, value in _values(case).items():
        if type(value) is float and abs(value) < 1e6:  # noqa: PLR2004 -- infinite ones mean more
            other = _PART * value if value else 0.5
            yield _with(case, f"{name}={other!r}", offered=False, **{name: other})


def _other_counts(case: Case) -> Iterator[_Call]:
    """Operands left out that may be; of many, one fewer and one more."""
    op, given = case.op, case.operands
    required = len(op.operands) - op.optional
    for count in range(required, len(given) if op.optional and not op.adapter else 0):
        if given[count] is not None:
            left_out = f"{op.operands[count]!r} left out"
            yield _Call(case.on(given[:count]), left_out, offered=True)
    if op.variadic and not op.adapter:
        for operands in (given[:-1], (*given, given[0])):
            if operands:
                yield _Call(case.on(operands), f"{len(operands)} operands", offered=True)


def _other_lengths(case: Case) -> Iterator[_Call]:
    """Along each axis one entry less, one, none: of one operand, and of all of that length."""
    if case.op.elementwise:
        return  # `broadcasting` does that
    for i in case.real:
        for axis, length in enumerate(shape(case.operands[i])):
            for shorter in _shorter(length):
                operands = list(case.operands)
                operands[i] = _cut(operands[i], {axis}, shorter)
                how = f"{case.name_of(i)} of shape {shape(operands[i])}"
                yield _Call(case.on(tuple(operands)), how, offered=False)
    for length in {n for x in case.operands for n in shape(x)}:
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


def _batches(case: Case) -> Iterator[_Call]:
    """The data twice, along a new first axis."""
    if not case.op.elementwise:
        np = numpy()
        operands = [np.stack([x, x]) if i in case.real else x for i, x in enumerate(case.operands)]
        yield _Call(case.on(tuple(operands)), "an axis of batches", offered=False)


def _complex(case: Case) -> Iterator[_Call]:
    """Complex data, for what is linear: there a rule for real data need not be another."""
    if case.op.linear:
        operands = [
            x * (1.0 + 0.25j) if i in case.real else x for i, x in enumerate(case.operands)
        ]
        yield _Call(case.on(tuple(operands)), "complex data", offered=False)


_FAMILIES: tuple[Callable[[Case], Iterator[_Call]], ...] = (
    _other_axes, _other_numbers, _other_counts, _batches, _complex, _other_lengths,
)  # fmt: skip

CHECKS = (
    Check(
        "calls", "other axes, lengths and counts than the samples have get the right gradient",
        calls, whole=True, applies=is_differentiable,
    ),
)  # fmt: skip
