"""`conformance`: the whole suite of an op or a namespace as pytest tests, and how a failure reads.

What the two front ends share, pytest and `opgrad check`, stands here once: what is counted of a
report, and the text of a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from opgrad.errors import OpgradError
from opgrad.op import Op
from opgrad.testing.checks.coverage import COVERAGE
from opgrad.testing.engine import check_op, ops_named
from opgrad.testing.outcomes import EXPECTED, FAILED, SKIPPED, OpReport, Outcome

COUNTED = "opgrad conformance"
"""The property of a pytest report that holds what was counted of an op, and what it declares."""
COLUMNS = {
    "run": "run",
    "failed": "failed",
    "expected": "expected",
    "skipped": "skipped",
    "gradient_checks": "gradients",
}
"""What a table shows of the counts, and its headings."""


def conformance(
    target: str, *, tier: str = "standard", checks: Collection[str] | None = None
) -> Callable[..., None]:
    """Make a pytest test function that checks every op of a namespace, one test an op.

    One line in a plugin's tests is all it takes: `test_conformance = conformance("acme")`.

    Args:
        target: A namespace (`acme`), or one op (`acme.swish`).
        tier: How much: `quick`, `standard` or `full`; each has all checks of those before it.
        checks: The names of the checks to run, instead of all of the tier.

    Returns:
        A test function with a parameter for each op. An op fails where one of its checks does,
        where an expected failure passes, and where no gradient was checked though the op is
        not declared non-differentiable.

    Raises:
        UnknownOpError: No installed plugin provides the target, or the namespace has no op. As
            the test file is being collected, that is an error of collection.
        PluginError: The plugin cannot be used.

    Examples:
        >>> from opgrad.testing import conformance
        >>> test_conformance = conformance("core.tanh", tier="quick")
    """
    __tracebackhide__ = True  # what pytest shows of an unknown name is the line that names it
    import pytest  # noqa: PLC0415 -- the checks themselves do without

    try:
        ops = ops_named(target)
    except OpgradError as error:
        raise error.with_traceback(None) from error.__cause__

    @pytest.mark.parametrize("op", ops, ids=[op.qualname for op in ops])
    def test_conformance(op: Op, record_property: Callable[[str, object], None]) -> None:
        """Each check of the op passes, fails as expected, or says why it was skipped."""
        run_in_pytest(op, tier=tier, checks=checks, record=record_property)

    return test_conformance


def run_in_pytest(
    op: Op,
    *,
    tier: str,
    checks: Collection[str] | None = None,
    record: Callable[[str, object], None],
) -> None:
    """Check an op within a test: record what was counted; what was found wrong fails the test."""
    import pytest  # noqa: PLC0415 -- the checks themselves do without

    report = check_op(op, tier=tier, checks=checks)
    record(COUNTED, {"counts": counted(report), "expected": expected(report)})
    if not report.ok:
        pytest.fail(failure(report), pytrace=False)


def counted(report: OpReport) -> dict[str, Any]:
    """The op, and how many checks came to what; `run` are those that were not skipped."""
    return {
        "op": report.op.qualname,
        "run": report.passed + report.failed + report.expected,
        "passed": report.passed,
        "failed": report.failed,
        "skipped": report.skipped,
        "expected": report.expected,
        "gradient_checks": report.gradient_checks,
    }


def totals(counts: Collection[Mapping[str, Any]]) -> str:
    """How many checks came to what in all, in one line."""
    if not counts:
        return "no op was checked"
    sums = {name: sum([row[name] for row in counts]) for name in COLUMNS}
    ops = "1 op" if len(counts) == 1 else f"{len(counts)} ops"

    return (
        f"{ops}, {sums['run']} checks run ({sums['gradient_checks']} of gradients), "
        f"{sums['skipped']} skipped: {sums['failed']} failed, {sums['expected']} failed as expected"
    )


def failure(report: OpReport) -> str:
    """What was found wrong of an op: each failed check on its first case, and a program."""
    first: dict[str, Outcome] = {}
    cases: Counter[str] = Counter()
    for outcome in report.outcomes:
        if outcome.status == FAILED:
            first.setdefault(outcome.check, outcome)
            cases[outcome.check] += 1
    parts = []
    for check, outcome in first.items():
        more = cases[check] - 1
        on = f"\n  and on {more} more case{'s' * (more > 1)}" if more else ""
        parts.append(f"{outcome.reason}{on}")
    if report.vacuous:
        whose = f"{report.op.described} at {report.op.place}"
        parts.append(f"{whose} had no gradient checked: {report.vacuous}")
    scripts = [outcome.script for outcome in first.values() if outcome.script]
    if scripts:
        which = "it" if len(scripts) == 1 else "the first of these"
        parts += [f"this program shows {which}:", scripts[0].rstrip()]

    return "\n\n".join(parts)


def untried(report: OpReport) -> list[str]:
    """What no sample of an op tries, so that nothing is known of it; a line at most."""
    left_out = [it for it in report.outcomes if it.check == COVERAGE and it.status == SKIPPED]

    return [f"{report.op.qualname}: {it.reason}" for it in left_out]


def expected(report: OpReport) -> list[str]:
    """Each check that an op fails as it declares, and the reason it gives; one line a check."""
    declared = {it.check: it.reason for it in report.outcomes if it.status == EXPECTED}
    name = report.op.qualname

    return [f"{name} fails {check!r} as expected: {why}" for check, why in declared.items()]
