# ruff: noqa: INP001 -- a hook of MkDocs, in no package
"""The support matrix: what each op does, in each mode, on floats and on NumPy arrays.

Every cell is what a run of `opgrad.testing.check_op` over the op's own samples found. Nothing is
stated that was not tried.
"""

from __future__ import annotations

import attrs

import opgrad
from opgrad.testing import Outcome, check_op
from opgrad.testing.cases import ARRAYS, FLOATS, cases_of
from opgrad.testing.outcomes import EXPECTED, FAILED, PASSED

DATA = {"float": FLOATS, "NumPy": ARRAYS}
MODES = {"reverse": "backward", "forward": "forward", "second order": "second-order"}
"""The heading of each column, and the check that fills it."""


@attrs.define
class Cell:
    """One op, one kind of data, one mode: the samples checked, and what went wrong."""

    samples: int = 0
    failures: list[str] = attrs.field(factory=list)
    expected: set[str] = attrs.field(factory=set)
    """Reasons the op gives for samples that it fails."""
    held: set[str | None] = attrs.field(factory=set)
    """Operands without a rule, held fixed."""
    why_none: str = ""
    """Why nothing was checked, where nothing was."""

    @property
    def state(self) -> str:
        """`pass`, `fail`, or `none` where nothing applies."""
        if self.failures:
            return "fail"

        return "pass" if self.samples else "none"

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if outcome.status == PASSED:
            self.samples += 1
        elif outcome.status == FAILED:
            self.failures.append(outcome.reason)
        elif outcome.status == EXPECTED:
            self.expected.add(outcome.reason)
        else:
            self.why_none = self.why_none or outcome.reason

    def __str__(self) -> str:
        if self.failures:
            return f"**fail**: {'; '.join(self.failures)}".replace("\n", " ").replace("|", "/")

        held = f", {', '.join(sorted(map(str, self.held)))} held" if self.held else ""
        known = f", but: {'; '.join(sorted(self.expected))}" if self.expected else ""

        return f"✓ {self.samples}{held}{known}" if self.samples else "–"  # noqa: RUF001 -- a dash


Row = dict[tuple[str, str], Cell]
"""The cells of one op, by kind of data and mode."""


def row_of(op: opgrad.Op) -> Row:
    """Check an op on all of its samples."""
    row: Row = {(data, mode): Cell() for data in DATA for mode in MODES}
    for outcome in check_op(op, checks=MODES.values()).outcomes:
        for (data, mode), cell in row.items():
            if outcome.check == MODES[mode] and outcome.case.endswith(DATA[data]):
                cell.add(outcome)
    for case in cases_of(op):
        names = op.names_of(case.operands)
        held = {names[place] for place in case.real if place not in case.chosen}
        for (data, _), cell in row.items():
            if DATA[data] == case.data:
                cell.held |= held
    for (data, _), cell in row.items():
        cell.why_none = cell.why_none or _why_none(op, data)

    return row


def _why_none(op: opgrad.Op, data: str) -> str:
    if not op.differentiable:
        return "not differentiable: the result is a constant"
    if op.saves:
        return "the forward saves"

    return "takes arrays" if data == "float" else "takes numbers only"


def matrix(every: list[opgrad.Op]) -> dict[str, Row]:
    """The rows of all these ops, by qualified name."""
    return {op.qualname: row_of(op) for op in every}
