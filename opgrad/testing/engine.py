"""Runs the checks over an op: each on each case, and what it found as an `Outcome`."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from opgrad import namespaces
from opgrad.errors import CallError, OpgradError, UnknownOpError, did_you_mean
from opgrad.op import Op
from opgrad.plugins import PLUGINS, REGISTRY
from opgrad.testing.cases import (
    ARRAYS,
    FLOATS,
    WITHOUT_NUMPY,
    Case,
    cases_of,
    numpy,
    why_none,
)
from opgrad.testing.checks import (
    broadcasting,
    calls,
    coverage,
    domain,
    edges,
    gradients,
    kinks,
    linearity,
    memory,
    nondiff,
    precision,
    runs,
    spaces,
    standard,
    values,
)
from opgrad.testing.checks.check import TIERS, Check, CheckFailure, NotCheckable
from opgrad.testing.outcomes import EXPECTED, FAILED, PASSED, SKIPPED, OpReport, Outcome
from opgrad.testing.report import GradientMismatch
from opgrad.testing.reproduce import call_of, reproduced, script_of

_FAMILIES = (
    values, spaces, gradients, domain, calls, coverage, linearity, broadcasting, nondiff, kinks,
    edges, precision, memory, standard, runs,
)  # fmt: skip
CHECKS: Mapping[str, Check] = MappingProxyType(
    {check.name: check for family in _FAMILIES for check in family.CHECKS}
)
"""Every check by name, in the order in which they are run."""

DECLARATIONS = "declarations"
"""What outcomes are called that tell of the samples and `expected_failures` themselves."""


def check_op(
    op: Op,
    *,
    tier: str = "standard",
    checks: Iterable[str] | None = None,
    report: Callable[[Outcome], None] | None = None,
) -> OpReport:
    """Hold an op to everything that ops promise, on each of its samples.

    Args:
        op: Which. One without samples gets some, if it is elementwise.
        tier: How much: `quick`, `standard` or `full`; each has the checks of those before it.
        checks: Names of the checks to run, instead of all of the tier.
        report: Called with each outcome as it comes.

    Returns:
        Every outcome, and what they come to: `ok`, or what is missing.

    Raises:
        CallError: There is no such tier, or no such check.

    Examples:
        >>> from opgrad import ops
        >>> found = check_op(ops.tanh, checks=["backward", "forward"])
        >>> found.ok, found.gradient_checks
        (True, 10)
    """
    started = time.perf_counter()
    chosen = _chosen(tier, checks)
    outcomes: list[Outcome] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflow and the like, which is what is looked at
        for outcome in _outcomes(op, chosen):
            outcomes.append(outcome)
            if report is not None:
                report(outcome)

    return OpReport(
        op, tuple(outcomes), time.perf_counter() - started, _vacuous(op, chosen, outcomes)
    )


def reproduce(
    op: Op,
    check: str,
    *,
    operands: Sequence[Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
    case: str | None = None,
) -> None:
    """Run one check of an op on the operands given: what the script of a failure ends with.

    Args:
        op: Which.
        check: The name of the check.
        operands: On what; default: the op's own samples.
        attributes: With which attributes.
        case: Which of the op's own cases, as in `sample 2, arrays`, where no operands are given.

    Raises:
        CheckFailure: An AssertionError: what the check found.
        CallError: There is no such check, or no such case.

    Examples:
        >>> from opgrad import ops
        >>> reproduce(ops.tanh, "backward", operands=(0.5,))
    """
    found = _check_named(check)
    outcome = _run(found, reproduced(op, operands, attributes or {}, case), {})
    if outcome.status == FAILED:
        raise CheckFailure(outcome.reason)


# -- running --------------------------------------------------------------------------------------


def _outcomes(op: Op, checks: Sequence[Check]) -> Iterator[Outcome]:
    ran: dict[str, str] = {}
    for outcome in _plain_outcomes(op, checks):
        reason = op.expected_failures.get(outcome.check)
        if outcome.status == FAILED and reason is not None:
            outcome = _with(outcome, EXPECTED, reason)  # noqa: PLW2901 -- as it is declared
        if outcome.status != SKIPPED and ran.get(outcome.check) != EXPECTED:
            ran[outcome.check] = outcome.status
        yield outcome
    for name, reason in op.expected_failures.items():
        if name not in CHECKS:
            text = (
                f"{op.described} at {op.place} declares expected_failures of {name!r}, which is no "
                f"check{did_you_mean(name, CHECKS)} checks are {', '.join(CHECKS)}"
            )
            yield Outcome(op.qualname, DECLARATIONS, "", FAILED, text)
        elif ran.get(name) == PASSED:
            text = (
                f"{op.described} at {op.place} declares that it fails {name!r} ({reason}), and it "
                "passes: take that out of expected_failures"
            )
            yield Outcome(op.qualname, name, "", FAILED, text, gradient=CHECKS[name].gradient)


def _plain_outcomes(op: Op, checks: Sequence[Check]) -> Iterator[Outcome]:
    undefined = op.undefined()
    if undefined:
        text = (
            f"{op.described} at {op.place} is half-defined, and no plugin can register it: there "
            f"is no rule for {', '.join(undefined)}"
        )
        yield Outcome(op.qualname, DECLARATIONS, "", FAILED, text)
    try:
        cases = list(cases_of(op)) or [Case(op, "", FLOATS, (), {})]
    except Exception as error:  # noqa: BLE001 -- whatever NumPy says of lists that are no array
        text = f"{op.described} at {op.place} has a sample that cannot be made an array: {error}"
        yield Outcome(op.qualname, DECLARATIONS, "", FAILED, text)
        return
    of_case = [check for check in checks if not check.whole]
    told_of: list[dict[str, str]] = [{} for _ in cases]
    for case, told in zip(cases, told_of, strict=True):
        missing = case.data == ARRAYS and numpy() is None
        for check in of_case if case.sample else ():
            if missing:
                yield _with(_blank(check, case), SKIPPED, WITHOUT_NUMPY)
            elif check.applies(case):
                yield _run(check, case, told)
    for check in checks:
        if check.whole and check.applies(cases[0]):
            yield _run(check, cases[0], told_of[0])


def _run(check: Check, case: Case, told: dict[str, str]) -> Outcome:
    """Run one check. An error that another one met on the case (`told`) is not told again."""
    blank = _blank(check, case)
    try:
        with namespaces.quiet():
            check.function(case)
    except NotCheckable as error:
        return _with(blank, SKIPPED, str(error))
    except Exception as error:  # noqa: BLE001 -- whatever code of a plugin raises is a finding
        if not isinstance(error, CheckFailure | GradientMismatch):
            first = told.setdefault(_place(error), check.name)
            if first != check.name:
                return _with(blank, SKIPPED, f"the call or the sweep fails, as in {first!r}")
        return _with(blank, FAILED, _failure(check, case, error), script_of(check, case))

    return blank


def _blank(check: Check, case: Case) -> Outcome:
    name = "" if check.whole else case.name

    return Outcome(case.op.qualname, check.name, name, PASSED, gradient=check.gradient)


def _with(outcome: Outcome, status: str, reason: str, script: str = "") -> Outcome:
    return Outcome(
        outcome.op, outcome.check, outcome.case, status, reason, script or outcome.script,
        outcome.gradient,
    )  # fmt: skip


def _failure(check: Check, case: Case, error: Exception) -> str:
    """What is said of a failure: whose op, on what, and what was found."""
    op = case.op
    lines = [f"{op.described} at {op.place} fails {check.name!r}: {check.summary}"]
    if not check.whole:
        lines += [f"  {case.name:<15} {call_of(case)}"]
    text = str(error)
    if not isinstance(error, CheckFailure | GradientMismatch):
        kind = "" if isinstance(error, OpgradError) else f"{type(error).__name__}: "
        notes = getattr(error, "__notes__", ())
        text = "\n".join([f"{kind}{error}", *notes, f"raised at {_place(error)}"])
    lines += [f"  {line}" for line in text.splitlines()]

    return "\n".join(lines)


def _place(error: Exception) -> str:
    """`file:line` of where an error was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]

    return f"{last.filename}:{last.lineno}"


def _vacuous(op: Op, checks: Sequence[Check], outcomes: Sequence[Outcome]) -> str:
    """Why nothing tells of a derivative, though something was to."""
    if not op.differentiable or not any([check.gradient for check in checks]):
        return ""
    of_gradients = [it for it in outcomes if it.gradient]
    if any([it.status != SKIPPED for it in of_gradients]):
        return ""
    reasons = dict.fromkeys([it.reason for it in of_gradients])

    return why_none(op) or "; ".join([*reasons][:3])


# -- names ----------------------------------------------------------------------------------------


def _chosen(tier: str, names: Iterable[str] | None) -> list[Check]:
    if tier not in TIERS:
        message = f"there is no tier {tier!r}{did_you_mean(tier, TIERS)} tiers are {list(TIERS)}"
        raise CallError(message)
    if names is None:
        allowed = TIERS[: TIERS.index(tier) + 1]
        return [check for check in CHECKS.values() if check.tier in allowed]

    return [_check_named(name) for name in names]


def _check_named(name: str) -> Check:
    if name not in CHECKS:
        hint = did_you_mean(name, CHECKS)
        message = f"there is no check {name!r}{hint} checks are {', '.join(CHECKS)}"
        raise CallError(message)

    return CHECKS[name]


def ops_named(target: str) -> list[Op]:
    """The ops of a namespace (`activations`), or the one op of a name (`acme.gelu`, `tanh`).

    Raises:
        UnknownOpError: There is none (the message names the nearest), or none in the namespace.
        PluginError: The plugin that owns the name cannot be used.
    """
    namespace = target.rpartition(".")[0]
    if namespace:
        PLUGINS.load(namespace)
        return [REGISTRY.find(target)]
    built_in = REGISTRY.get(target)
    if built_in is not None:
        return [built_in]
    PLUGINS.load(target)
    found = list(REGISTRY.table(target).values())
    if not found:
        message = f"namespace {target!r} has no ops, so there is nothing to check"
        raise UnknownOpError(message)

    return found
