"""`conformance`: the whole suite of an op or a namespace as pytest tests, and how a failure reads.

What the two front ends share, pytest and `opgrad check`, stands here once: which ops a target
names, what is counted of a report, and the text of a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from opgrad.errors import OpgradError, UnknownOpError
from opgrad.op import Op
from opgrad.testing.engine import check_op, ops_named
from opgrad.testing.outcomes import FAILED, OpReport, Outcome

COUNTED = "opgrad"
"""The property of a pytest report that holds what was counted of an op."""


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
        ops = ops_to_check(target)
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
    """Check one op within a test, record what was counted, and fail with the text of the findings."""
    import pytest  # noqa: PLC0415 -- as above

    report = check_op(op, tier=tier, checks=checks)
    record(COUNTED, counted(report))
    if not report.ok:
        pytest.fail(failure_text(report), pytrace=False)


def ops_to_check(target: str) -> list[Op]:
    """The ops that a target names; to check nothing is refused.

    Raises:
        UnknownOpError: There is no such op or namespace, or the namespace is empty.
        PluginError: The plugin that owns it cannot be used.
    """
    ops = ops_named(target)
    if not ops:
        message = f"namespace {target!r} has no ops, so there is nothing to check"
        raise UnknownOpError(message)

    return ops


def counted(report: OpReport) -> dict[str, Any]:
    """The op and what was counted, as plain data."""
    return {
        "op": report.op.qualname,
        "run": report.passed + report.failed + report.expected,
        "passed": report.passed,
        "failed": report.failed,
        "skipped": report.skipped,
        "expected": report.expected,
        "gradient checks": report.gradient_checks,
    }
