"""Runs the checks over an op: each check on each case, what it found as an `Outcome`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from opgrad.errors import CallError, UnknownOpError, did_you_mean
from opgrad.op import Op
from opgrad.plugins import PLUGINS, REGISTRY
from opgrad.testing.cases import Case, cases_of
from opgrad.testing.checks import gradients, values
from opgrad.testing.checks.check import Check, NotApplicable
from opgrad.testing.outcomes import FAILED, PASSED, SKIPPED, OpReport, Outcome

TIERS = ("quick", "standard", "full")
CHECKS: Mapping[str, Check] = MappingProxyType(
    {check.name: check for check in (*values.CHECKS, *gradients.CHECKS)}
)
"""Every check by name, in the order in which they are run."""


def check_op(
    op: Op,
    *,
    tier: str = "standard",
    checks: Iterable[str] | None = None,
    report: Callable[[Outcome], None] | None = None,
) -> OpReport:
    """Hold an op to everything an op promises, on each of its samples.

    Args:
        op: Which.
        tier: `quick`, `standard` or `full`: how much is checked.
        checks: Names of the checks to run, whatever their tier. Default: all of the tier.
        report: Called with each outcome as it comes.

    Raises:
        CallError: There is no such tier, or no such check.
    """
    started = time.perf_counter()
    chosen = _chosen(tier, checks)
    outcomes = []
    for outcome in _outcomes(op, chosen):
        outcomes.append(outcome)
        if report is not None:
            report(outcome)

    why = "" if op.samples else "it has no samples"

    return OpReport(op, tuple(outcomes), time.perf_counter() - started, why)


def _outcomes(op: Op, checks: list[Check]) -> Iterator[Outcome]:
    for case in cases_of(op):
        for check in checks:
            yield _run(check, case)


def _run(check: Check, case: Case) -> Outcome:
    status, reason = PASSED, ""
    try:
        check.function(case)
    except NotApplicable as error:
        status, reason = SKIPPED, str(error)
    except Exception as error:  # noqa: BLE001 -- whatever a plugin's op raises is a finding
        status, reason = FAILED, f"{type(error).__name__}: {error}"

    return Outcome(case.op.qualname, check.name, case.name, status, reason, gradient=check.gradient)


def _chosen(tier: str, names: Iterable[str] | None) -> list[Check]:
    if tier not in TIERS:
        message = f"there is no tier {tier!r}; tiers are {', '.join(TIERS)}"
        raise CallError(message)
    if names is None:
        allowed = TIERS[: TIERS.index(tier) + 1]
        return [check for check in CHECKS.values() if check.tier in allowed]

    return [_check_named(name) for name in names]


def _check_named(name: str) -> Check:
    if name not in CHECKS:
        message = f"there is no check {name!r}{did_you_mean(name, CHECKS)} checks are {', '.join(CHECKS)}"
        raise CallError(message)

    return CHECKS[name]


def ops_named(target: str) -> list[Op]:
    """The ops of a namespace (`activations`), or one op (`activations.gelu`, `tanh`).

    Raises:
        UnknownOpError: There is none; the message names the nearest.
        PluginError: The plugin that owns the name cannot be used.
    """
    namespace, _, _ = target.rpartition(".")
    if namespace:
        PLUGINS.load(namespace)
        return [REGISTRY.find(target)]
    built_in = REGISTRY.get(target)
    if built_in is not None:
        return [built_in]
    PLUGINS.load(target)
    found: list[Any] = list(REGISTRY.table(target).values())
    if not found:
        raise UnknownOpError(REGISTRY.unknown(target))

    return found
