"""How long a kernel takes beside its op: the two take turns under the clock."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from opgrad.op import Op
from opgrad.testing.cases import Case
from opgrad.testing.variations import LENGTHS
from opgrad.types import shape
from opgrad.value import Value

_ROUNDS, _SECONDS = 15, 5e-4  # so many turns, each at least so long


@attrs.frozen
class Timing:
    """How long one call takes, as the median of many, in seconds."""

    case: str
    mode: str
    """`forward` or `forward and backward`."""
    owner: float
    kernel: float

    @property
    def ratio(self) -> float:
        """The kernel's time over the owner's: below 1 the kernel is faster."""
        return self.kernel / self.owner


def timings(cases: Sequence[Case], kernel: Op) -> Iterator[Timing]:
    """The times on long arrays, or on the largest sample of an op that has none."""
    for case in _to_time(cases):
        mine = case.of(kernel)
        yield Timing(case.name, "forward", *_turns(_call(case), _call(mine)))
        if case.chosen and case.weights:
            both = [_swept(one, case.chosen, case.weights) for one in (case, mine)]
            yield Timing(case.name, "forward and backward", *_turns(*both))


def _to_time(cases: Sequence[Case]) -> list[Case]:
    """The long arrays; of an op that has none, the sample with the most entries."""
    named = [case for case in cases if case.sample in {f"{n:,} entries" for n in LENGTHS}]

    return named or sorted(cases, key=_entries)[-1:]


def _entries(case: Case) -> int:
    return sum(math.prod(shape(x)) for x in case.operands)


def _call(case: Case) -> Callable[[], Any]:
    return lambda: case.call(*case.operands)


def _swept(case: Case, places: tuple[int, ...], weights: Sequence[Any]) -> Callable[[], Any]:
    """The call on Values, and the sweep back from what it gives."""
    if len(weights) != 1:
        return lambda: case.pull(places)(weights)

    def call() -> None:
        operands = [Value(x) if i in places else x for i, x in enumerate(case.operands)]
        case.call(*operands).backward(weights[0])

    return call


def _turns(owner: Callable[[], Any], kernel: Callable[[], Any]) -> tuple[float, float]:
    """The median times of two calls that take turns, so that both see the same machine."""
    counts = [max(1, int(_SECONDS / max(_clock(f, 1), 1e-9))) for f in (owner, kernel)]
    times = [
        [_clock(f, count) for f, count in zip((owner, kernel), counts, strict=True)]
        for _ in range(_ROUNDS)
    ]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]

    return medians[0], medians[1]


def _clock(f: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        f()

    return max((time.perf_counter() - start) / count, 1e-9)
