"""`compare`: the kernels of an op held against the op itself, for value, gradient and speed.

On what they run says `variations`, how they are timed says `timing`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from opgrad import namespaces, trees
from opgrad.candidates import Candidate, candidates
from opgrad.errors import MissingRuleError, NotDifferentiableError
from opgrad.op import Op
from opgrad.plugins import PLUGINS
from opgrad.preferring import prefer
from opgrad.testing.cases import Case, numpy
from opgrad.testing.checks.check import Check, CheckFailure
from opgrad.testing.checks.compare import dtype_of, entry, largest
from opgrad.testing.differences import Index
from opgrad.testing.engine import CHECKS
from opgrad.testing.timing import Timing, timings
from opgrad.testing.variations import BROADCAST, variations
from opgrad.transforms import jvp
from opgrad.types import shape

ROUNDINGS: Mapping[str, float] = {"value": 256.0, "gradient": 1024.0, "forward mode": 1024.0}
"""How far a kernel may be from its op, in units of eps times the size of the entry.

Where an op adds up, an entry counts as large as the largest, up to 1: sums in another order differ.
"""
PROMISES = ("aliasing", "determinism", "threads")
"""Checks of conformance that a kernel passes where its op does, like `mutation`."""


@attrs.frozen
class Difference:
    """Where a kernel is not what its op is."""

    what: str
    """`value`, `gradient` or `forward mode`, or the promise that is broken (`aliasing`)."""
    case: str
    text: str


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
    """An op and all of its kernels from plugins that are installed or loaded by hand."""

    op: Op
    kernels: tuple[KernelReport, ...]

    @property
    def ok(self) -> bool:
        """Whether there is a kernel, and every one is what the op is."""
        return bool(self.kernels) and all(report.ok for report in self.kernels)

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
    """Hold the kernels of an op against the op: those of every plugin, loaded or not.

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
    PLUGINS.load_all()
    owner = _alone(op)
    reports = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflow and the like: both sides have them
        for candidate in candidates(op.qualname):
            report = KernelReport(candidate)
            provider = candidate.kernel.provider
            if candidate.op is not None and provider is not None:
                with prefer(provider.namespace, op=op):  # as it runs: one may call its own op
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
    cases = list(variations(owner, candidate.kernel.data))
    errors: dict[str, float] = {}
    differences: list[Difference] = []
    for case in cases:
        written = _broken("mutation", case, kernel)
        if written:
            differences.append(Difference("mutation", case.name, written))
            continue
        for what, error, text in _held(case, kernel):
            errors[what] = max(error, errors.get(what, 0.0))
            if text:
                differences.append(Difference(what, case.name, text))
    if not differences:
        differences += _broken_promises(cases, kernel)
    times = tuple(timings(cases, kernel)) if timed and not differences else ()

    return KernelReport(candidate, len(cases), errors, tuple(differences), times)


def _broken_promises(cases: Sequence[Case], kernel: Op) -> Iterator[Difference]:
    for name in PROMISES:
        for case in cases[:1] if CHECKS[name].whole else cases:
            text = _broken(name, case, kernel)
            if text:
                yield Difference(name, case.name, text)


def _broken(name: str, case: Case, kernel: Op) -> str:
    """What a check of conformance finds in a kernel, and not in its op; else nothing."""
    check, mine = CHECKS[name], case.of(kernel)
    if not check.applies(mine) or _complaint(check, case):
        return ""

    return _complaint(check, mine)


def _complaint(check: Check, case: Case) -> str:
    try:
        check.function(case)
    except CheckFailure as error:
        return ", ".join([" ".join(line.split()) for line in str(error).splitlines()])
    except Exception:  # noqa: BLE001, S110 -- what calls raise is told where results are compared
        pass

    return ""


# -- what is the same -----------------------------------------------------------------------------


def _held(case: Case, kernel: Op) -> Iterator[tuple[str, float, str]]:
    """What was compared on a case, the error in units of eps, and what is wrong, or ""."""
    mine = case.of(kernel)
    eps = max([_eps(x) for x in case.operands], default=_eps(0.0))
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
        if shape(one) != shape(other) or not _same_type(one, other):
            described = namespaces.describe(one), namespaces.describe(other)
            return math.inf, f"got {described[0]}, wanted {described[1]}"
        scale = min(1.0, largest(other)) if sums else 0.0
        error, index = _largest_error(one, other, scale)
        if error / eps > worst:
            at = f" at {list(index)}" if index else ""
            worst = error / eps
            text = f"got {entry(one, index)}, wanted {entry(other, index)}{at}"

    return worst, f"{text}, off by {worst:.3g} eps" if text else ""


def _same_type(one: Any, other: Any) -> bool:
    """To NumPy, float64 equals `float`; here a number of its is none of Python's."""
    both = hasattr(one, "dtype") == hasattr(other, "dtype")

    return both and bool(dtype_of(one) == dtype_of(other))


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
