"""What a run of checks found: one `Outcome` a check and case, one `OpReport` an op."""

from __future__ import annotations

import attrs

from opgrad.op import Op

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
EXPECTED = "expected"
"""Failed, as the op declares in `expected_failures`."""


@attrs.frozen
class Outcome:
    """What one check found on one case."""

    op: str
    check: str
    case: str
    """The sample, and as what it was given; empty for a check of the op as a whole."""
    status: str
    reason: str = ""
    """Why it failed or was skipped, in lines; of an expected failure, what is declared."""
    script: str = ""
    """A program that shows the failure again, by itself."""
    gradient: bool = False
    """Whether the check tells that a derivative is right."""


@attrs.frozen
class OpReport:
    """Everything that was found of one op."""

    op: Op
    outcomes: tuple[Outcome, ...]
    seconds: float
    vacuous: str = ""
    """Why nothing was found of a derivative that the op has; empty where something was."""

    @property
    def passed(self) -> int:
        """How many outcomes are right."""
        return self._count(PASSED)

    @property
    def failed(self) -> int:
        """How many outcomes are wrong, and not declared so."""
        return self._count(FAILED)

    @property
    def skipped(self) -> int:
        """How many checks had nothing to say of a case; each outcome says why."""
        return self._count(SKIPPED)

    @property
    def expected(self) -> int:
        """How many outcomes are wrong as the op declares."""
        return self._count(EXPECTED)

    @property
    def gradient_checks(self) -> int:
        """How many outcomes tell that a derivative is right, or wrong as declared."""
        return sum(it.gradient and it.status in {PASSED, EXPECTED} for it in self.outcomes)

    @property
    def ok(self) -> bool:
        """Whether nothing failed, and something was found."""
        return not self.failed and not self.vacuous

    def _count(self, status: str) -> int:
        return sum(it.status == status for it in self.outcomes)
