"""Checks for everyone who writes an op or a gradient.

`check_gradients` holds opgrad's gradients against central differences; `forward_difference` and
`central_difference` are those slopes by their definitions. Nothing here imports an array library.
"""

from __future__ import annotations

from opgrad.testing.checks.check import TIERS
from opgrad.testing.differences import central_difference, forward_difference
from opgrad.testing.engine import CHECKS, check_op, ops_named, reproduce
from opgrad.testing.gradients import check_gradients
from opgrad.testing.outcomes import OpReport, Outcome
from opgrad.testing.report import Entry, GradientMismatch, GradientReport
from opgrad.testing.suite import conformance

__all__ = [
    "CHECKS",
    "TIERS",
    "Entry",
    "GradientMismatch",
    "GradientReport",
    "OpReport",
    "Outcome",
    "central_difference",
    "check_gradients",
    "check_op",
    "conformance",
    "forward_difference",
    "ops_named",
    "reproduce",
]
