"""`compare`: the kernels of an op held against the op itself, for value, gradient and speed.

Each runs on the op's samples, in double and single precision, on arrays with gaps, and, where the
op works entry by entry, on long arrays and on shapes that broadcast. Kernel and owner take turns
under the clock.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from opgrad import namespaces, trees
from opgrad.errors import MissingRuleError, NotDifferentiableError
from opgrad.op import Op
from opgrad.preferring import PREFERENCES, Candidate
from opgrad.testing.cases import ARRAYS, FLOATS, Case, cases_of, numpy
from opgrad.testing.checks.compare import dtype_of, entry, largest
from opgrad.testing.differences import Index
from opgrad.transforms import jvp
from opgrad.types import shape
from opgrad.value import Value

ROUNDINGS: Mapping[str, float] = {"value": 256.0, "gradient": 1024.0, "forward mode": 1024.0}
"""How far a kernel may be from its op, in units of eps times the size of the entry.

Where an op adds up, an entry counts as large as the largest, up to 1: sums in another order differ.
"""
LENGTHS, BROADCAST = (16, 10_000), "shapes that broadcast"
_ROUNDS, _SECONDS = 15, 5e-4  # of the clock: so many turns, each at least so long


@attrs.frozen
class Difference:
    """Where a kernel is not what its op is."""

    what: str
    """`value`, `gradient`, `forward mode` or `operands`."""
    case: str
    text: str


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


@attrs.frozen
class KernelReport:
    """One kernel beside its op."""

    candidate: Candidate
    cases: int = 0
    errors: Mapping[str, float] = attrs.field(factory=dict)
    """The largest error of value, gradient and forward mode, in units of eps."""
    differences: tuple[Difference, ...] = ()
    timings: tuple[Timing, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it fits its op, something was compared, and nothing differs."""
        return not self.candidate.problem and self.cases > 0 and not self.differences


@attrs.frozen
class Comparison:
    """An op and all of its kernels from plugins that are loaded."""

    op: Op
    kernels: tuple[KernelReport, ...]

    @property
    def ok(self) -> bool:
        """Whether every kernel is what the op is; so too where there is none."""
        return all(report.ok for report in self.kernels)

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        provider = self.op.provider

        return {
            "op": self.op.qualname,
            "distribution": provider and provider.distribution,
            "version": provider and provider.version,
            "ok": self.ok,
            "kernels": [_facts(report) for report in self.kernels],
        }


def compare(op: Op, *, timed: bool = True) -> Comparison:
    """Hold the kernels of an op against the op: those of every plugin that is loaded.

    What is preferred makes no difference here: the owner's forward and rules are the measure.

    Args:
        op: Which.
        timed: Measure, too: a tenth of a second a kernel.

    Returns:
        For each kernel what differs, the largest errors in units of eps, and the times.

    Examples:
        >>> from opgrad import ops
        >>> compare(ops.tanh).kernels
        ()
    """
    owner = _alone(op)
    reports = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflow and the like: both sides have them
        for candidate in PREFERENCES.candidates(op.qualname):
            report = KernelReport(candidate)
            if candidate.op is not None:
                report = _report(candidate, candidate.op, owner, timed=timed)
            reports.append(report)

    return Comparison(op, tuple(reports))


def _alone(op: Op) -> Op:
    """The op as its owner wrote it, whatever is preferred."""
    twin = attrs.evolve(op)
    if op.adapter is not None:
        twin.arguments(op.adapter)
    twin.rules.update(op.rules)
    object.__setattr__(twin, "provider", op.provider)

    return twin


def _report(candidate: Candidate, kernel: Op, owner: Op, *, timed: bool) -> KernelReport:
    cases = list(_cases(owner, candidate.kernel.data))
    errors: dict[str, float] = {}
    differences: list[Difference] = []
    for case in cases:
        for what, error, text in _held(case, kernel):
            errors[what] = max(error, errors.get(what, 0.0))
            if text:
                differences.append(Difference(what, case.name, text))
    timings = list(_timings(cases, kernel)) if timed and not differences else []

    return KernelReport(candidate, len(cases), errors, tuple(differences), tuple(timings))


# -- on what --------------------------------------------------------------------------------------


def _cases(owner: Op, data: str) -> Iterator[Case]:
    """The op's samples on data of one kind, and more that are made of them."""
    wanted = FLOATS if data == "scalar" else ARRAYS
    found = [case for case in cases_of(owner) if case.data == wanted]
    yield from found
    if data == "numpy" and numpy() is not None:
        for case in found:
            yield from _changed(case)
        if owner.elementwise:
            yield from _long(found)


def _changed(case: Case) -> Iterator[Case]:
    np = numpy()
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    if any([x.dtype == np.float64 for x in arrays]) and "dtype" not in case.attributes:
        yield _on(case, "in float32", lambda x: x.astype("float32") if x.dtype == float else x)
    if any([x.ndim for x in arrays]):
        yield _on(case, "with gaps", lambda x: np.repeat(x[..., None], 2, axis=-1)[..., 0])


def _on(case: Case, how: str, change: Callable[[Any], Any]) -> Case:
    np = numpy()
    operands = tuple([change(x) if isinstance(x, np.ndarray) else x for x in case.operands])

    return attrs.evolve(case, sample=f"{case.sample} {how}", operands=operands)


def _long(cases: Sequence[Case]) -> Iterator[Case]:
    """Arrays of many entries, of none, and of shapes that broadcast, from the samples' entries."""
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
    for length in LENGTHS:
        longer = tuple([np.resize(column, length) for column in columns])
        yield attrs.evolve(first, sample=f"{length:,} entries", operands=longer)
    yield attrs.evolve(first, sample="0 entries", operands=tuple([c[:0] for c in columns]))
    yield attrs.evolve(first, sample="a number of NumPy", operands=tuple([c[0] for c in columns]))
    if len(columns) > 1:
        spread = (columns[0][:, None], *[column[None, :] for column in columns[1:]])
        yield attrs.evolve(first, sample=BROADCAST, operands=spread)


# -- what is the same -----------------------------------------------------------------------------


def _held(case: Case, kernel: Op) -> Iterator[tuple[str, float, str]]:
    """What was compared on a case, the error in units of eps, and what is wrong, or ""."""
    mine = case.of(kernel)
    eps = max([_eps(x) for x in case.operands], default=_eps(0.0))
    before = [x.copy() if hasattr(x, "copy") else x for x in case.operands]
    sums = not case.op.elementwise or case.sample == BROADCAST
    for what, run in (("value", _value), ("gradient", _gradient), ("forward mode", _tangent)):
        try:
            wanted = run(case, case)
        except Exception:  # noqa: BLE001, S112 -- the owner's own failure is for its own checks
            continue
        if wanted is None:
            continue
        try:
            got = run(mine, case)
        except Exception as error:  # noqa: BLE001 -- whatever a kernel raises is a finding
            yield what, math.inf, f"raised {type(error).__name__}: {error}"
        else:
            off, text = _compared(list(got or ()), wanted, eps, sums=sums)
            yield what, off, text if off > ROUNDINGS[what] else ""
    off, text = _compared(list(case.operands), before, eps, sums=False)
    yield "operands", off, f"written to: {text}" if off else ""


def _value(case: Case, owner: Case) -> list[Any]:
    del owner

    return list(trees.leaves(case.call(*case.operands)))


def _gradient(case: Case, owner: Case) -> list[Any] | None:
    if not owner.chosen or not owner.weights:
        return None

    return list(case.pull(owner.chosen)(owner.weights))


def _tangent(case: Case, owner: Case) -> list[Any] | None:
    if not owner.chosen or not owner.weights:
        return None
    places = owner.chosen
    xs = tuple([case.operands[i] for i in places])
    try:
        _, tangents = jvp(case.function(places), xs, tuple(owner.directions))
    except (MissingRuleError, NotDifferentiableError):
        if case is owner:
            return None
        raise

    return list(tangents)


def _eps(x: Any) -> float:
    dtype = getattr(x, "dtype", None)
    if dtype is None or namespaces.kind_of(x) is not namespaces.REAL:
        return 2.0**-52

    return float(numpy().finfo(dtype).eps)


def _compared(
    got: Sequence[Any], wanted: Sequence[Any], eps: float, *, sums: bool
) -> tuple[float, str]:
    """The largest error in units of eps, and where it is; infinite where the types differ."""
    if len(got) != len(wanted):
        return math.inf, f"{len(got)} results, wanted {len(wanted)}"
    worst, text = 0.0, ""
    for one, other in zip(got, wanted, strict=True):
        if shape(one) != shape(other) or dtype_of(one) != dtype_of(other):
            described = namespaces.describe(one), namespaces.describe(other)
            return math.inf, f"got {described[0]}, wanted {described[1]}"
        scale = min(1.0, largest(other)) if sums else 0.0
        error, index = _largest_error(one, other, scale)
        if error / eps > worst:
            at = f" at {list(index)}" if index else ""
            worst = error / eps
            text = f"got {entry(one, index)}, wanted {entry(other, index)}{at}"

    return worst, f"{text}, off by {worst:.3g} eps" if text else ""


def _largest_error(one: Any, other: Any, scale: float) -> tuple[float, Index]:
    """The largest error of an entry, relative to it or to `scale` where that is larger."""
    np = numpy()
    if np is None:  # then these are Python numbers
        return _error(one, other, scale), ()
    got, wanted = np.asarray(one), np.asarray(other)
    if not wanted.size:
        return 0.0, ()
    kind = "complex128" if wanted.dtype.kind == "c" else "float64"
    got, wanted = got.astype(kind), wanted.astype(kind)
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    error = np.where(same, 0.0, np.abs(got - wanted) / np.maximum(np.abs(wanted), scale))
    error[~np.isfinite(error)] = math.inf
    index = np.unravel_index(np.argmax(error), error.shape)

    return float(error[index]), tuple(map(int, index))


def _error(one: Any, other: Any, scale: float) -> float:
    if one == other or (one != one and other != other):  # noqa: PLR0124 -- both NaN
        return 0.0
    size = max(abs(other), scale)
    error = abs(one - other)

    return float(error / size) if size and math.isfinite(error) else math.inf


# -- how fast -------------------------------------------------------------------------------------


def _timings(cases: Sequence[Case], kernel: Op) -> Iterator[Timing]:
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


def _facts(report: KernelReport) -> dict[str, Any]:
    kernel, provider = report.candidate.kernel, report.candidate.kernel.provider

    return {
        "data": kernel.data,
        "plugin": provider and provider.namespace,
        "distribution": provider and provider.distribution,
        "version": provider and provider.version,
        "place": kernel.place,
        "ok": report.ok,
        "problem": report.candidate.problem,
        "cases": report.cases,
        "errors_in_eps": {
            what: error if math.isfinite(error) else None for what, error in report.errors.items()
        },
        "differences": [attrs.asdict(one) for one in report.differences],
        "timings": [{**attrs.asdict(one), "ratio": one.ratio} for one in report.timings],
    }
