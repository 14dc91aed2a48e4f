"""Other calls than those of the samples: what the forward takes has the right gradient.

A forward takes more than its samples show, and where it gives a value its gradient has to be that
value's: a rule may be right for square matrices alone, for an axis counted from the front, for two
operands, for data without an axis of batches. What the forward refuses is no call.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from opgrad.errors import CallError
from opgrad.testing.cases import WITHOUT_NUMPY, Case, cases_of, is_array, is_differentiable, numpy
from opgrad.testing.checks.check import REFUSED, Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import dtype_of
from opgrad.testing.checks.made import FAMILIES, Call, values_of
from opgrad.testing.checks.steady import STEPS, WRONG_AT_SAMPLES, contradicted, noise
from opgrad.testing.reproduce import call_of
from opgrad.testing.subject import Subject, inner, random_like
from opgrad.types import shape

_MOST_ENTRIES = 1000
"""Of the operands of a sample that others are made of."""
_TIED = 3
"""So many equal entries hide a kink: see `_is_tied`."""
_FITS = 1e-4
"""How close to the slope is close enough, relative to it: `steady` looks at what is not."""


def calls(case: Case) -> None:
    """Whatever the forward takes has the right gradient: along a random direction, both ways."""
    if numpy() is None:
        raise NotCheckable(WITHOUT_NUMPY)
    cases = [each for each in cases_of(case.op) if is_array(each) and _is_small(each)]
    seen = {_signature(each) for each in cases}
    held = sum([_hold_family(family, most, cases, seen) for family, most in FAMILIES.items()])
    if not held:
        raise NotCheckable("no other call can be made of the samples")


def _hold_family(
    family: Callable[[Case], Iterator[Call]], most: int, cases: Sequence[Case], seen: set[str]
) -> int:
    """Hold calls of one kind, none like those `seen`; how many there were."""
    held = 0
    for sample in cases:
        for call in family(sample):
            signature = _signature(call.case)
            signature += call.how if call.case.operands is not sample.operands else ""
            if signature not in seen and held < most:
                seen.add(signature)
                held += _hold_unlike(call, sample)

    return held


def _is_small(case: Case) -> bool:
    sizes = [math.prod(shape(x)) for x in case.operands]

    return bool(case.real) and sum(sizes) <= _MOST_ENTRIES


def _signature(case: Case) -> str:
    """What tells calls apart: shapes and dtypes, and every attribute."""
    data = [(shape(x), str(dtype_of(x))) for x in case.operands]

    return repr((data, sorted(values_of(case).items())))


# -- holding one ----------------------------------------------------------------------------------


def _hold_unlike(call: Call, sample: Case) -> bool:
    """Hold a call; what is wrong of the sample already is no news of the call."""
    try:
        return _hold(call)
    except CheckFailure:
        try:
            _hold(Call(sample, "a sample", offered=True))
        except CheckFailure:
            raise NotCheckable(WRONG_AT_SAMPLES) from None
        raise


def _hold(call: Call) -> bool:
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
            f"the forward takes {call.how}, and the sweep fails; give a gradient, or let the "
            "forward refuse it",
            call=call_of(case), error=f"{type(error).__name__}: {error}",
        ) from error  # fmt: skip

    return True


def _hold_slopes(call: Call) -> None:
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


def _hold_slope(call: Call, line: _Line, got: float, mode: str) -> None:
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


CHECKS = (
    Check(
        "calls", "other axes, lengths and counts than the samples have get the right gradient",
        calls, whole=True, applies=is_differentiable,
    ),
)  # fmt: skip
