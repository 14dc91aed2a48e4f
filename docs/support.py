# ruff: noqa: INP001 -- a hook of MkDocs, in no package
"""The support matrix: what each op does, in each mode, on floats and on NumPy arrays.

Every cell is what a run of `opgrad.testing.check_gradients` over the op's own samples found.
Nothing is stated that was not tried.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np

import opgrad
from opgrad import namespaces, ops, trees
from opgrad.errors import CallError, MissingRuleError
from opgrad.projection import data_of
from opgrad.testing import GradientMismatch, GradientReport, check_gradients
from opgrad.testing.subject import random_like

DATA = ("float", "NumPy")
MODES = ("reverse", "forward", "second order")
EXACT = 1e-5
"""Relative error allowed of a second derivative: the central difference of a gradient."""
SHAPE_BY_DATA = {"core.unique_values"}
"""Ops whose result has a shape that depends on the data: at ties it jumps."""
NEED_NUMPY = {"core.astype": [opgrad.sample([0.5, -2.0], dtype=np.dtype("float64"))]}
"""Samples of ops that cannot be called without an array library, so that they ship none."""
BEYOND_FLOATS = {("scipy.ndtri", 1e-300)}
"""Samples whose second derivative is larger than the largest float."""


@attrs.define
class Cell:
    """One op, one kind of data, one mode: the entries checked, and what went wrong."""

    entries: int = 0
    failures: list[str] = attrs.field(factory=list)
    held: set[str | None] = attrs.field(factory=set)
    """Operands without a rule, held fixed."""
    why_none: str = ""
    """Why nothing was checked, where nothing was."""

    @property
    def state(self) -> str:
        """`pass`, `fail`, or `none` where nothing applies."""
        if self.failures:
            return "fail"

        return "pass" if self.entries else "none"

    def __str__(self) -> str:
        if self.failures:
            return f"**fail**: {'; '.join(self.failures)}".replace("\n", " ").replace("|", "/")

        held = f", {', '.join(sorted(map(str, self.held)))} held" if self.held else ""

        return f"✓ {self.entries}{held}" if self.entries else "–"  # noqa: RUF001 -- a dash


Row = dict[tuple[str, str], Cell]
"""The cells of one op, by kind of data and mode."""


def row_of(op: opgrad.Op) -> Row:
    """Check an op on all of its samples."""
    row: Row = {(data, mode): Cell() for data in DATA for mode in MODES}
    for data in DATA:
        cells = [row[data, mode] for mode in MODES]
        if not op.differentiable:
            _explain(cells, "not differentiable: the result is a constant")
            continue
        for operands, attributes in _calls(op, data):
            _check(op, operands, attributes, cells)
        _explain(cells, "takes arrays" if data == "float" else "takes numbers only")

    return row


def _explain(cells: list[Cell], why: str) -> None:
    for cell in cells:
        cell.why_none = cell.why_none or why


def _calls(op: opgrad.Op, data: str) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """The samples that this kind of data can hold."""
    for sample in op.samples or NEED_NUMPY.get(op.qualname, ()):
        attributes = dict(sample.attributes)
        if data == "float":
            if not any([isinstance(operand, list | tuple) for operand in sample.operands]):
                yield list(sample.operands), attributes
            continue
        names = op.operands or (op.variadic,) * len(sample.operands)
        yield (
            [
                _as_array(operand, fixed=name in op.nondiff, elementwise=op.elementwise)
                for name, operand in zip(names, sample.operands, strict=False)
            ],
            attributes,
        )


def _as_array(operand: Any, *, fixed: bool, elementwise: bool) -> Any:
    """Nested lists as arrays, empty ones of floats; numbers as arrays of one entry."""
    if isinstance(operand, list):
        return np.array(operand, dtype=None if _flat(operand) else float)
    if operand is None or isinstance(operand, bool) or (fixed and not elementwise):
        return operand

    return np.array([operand] if elementwise else operand)


def _flat(operand: Any) -> list[Any]:
    return [x for part in operand for x in _flat(part)] if isinstance(operand, list) else [operand]


def _check(
    op: opgrad.Op, operands: list[Any], attributes: dict[str, Any], cells: list[Cell]
) -> None:
    """Add what one sample shows to the cells of its kind of data."""
    reverse, forward, second = cells
    names = op.operands or (op.variadic,) * len(operands)
    chosen = tuple(
        [
            i
            for i, (name, x) in enumerate(zip(names, operands, strict=False))
            if name not in op.nondiff and x is not None and not _jumps(op, x)
        ]
    )

    def call(*xs: Any) -> list[Any]:
        return [part for y in trees.leaves(op(*xs, **attributes)) for part in _real_parts(y)]

    try:
        report = _tried(call, operands, chosen, reverse, forward)
    except MissingRuleError:  # of one operand: it is held, and the cells say so
        chosen = tuple([i for i in chosen if _has_rule(call, operands, i)])
        for cell in cells:
            cell.held |= {name for i, name in enumerate(names) if i not in chosen} - op.nondiff
        report = _tried(call, operands, chosen, reverse, forward)
    beyond = (op.qualname, _first_number(operands)) in BEYOND_FLOATS
    if report is None or report.kinks or op.saves or beyond:
        second.why_none = "the forward saves" if op.saves else "samples at kinks alone"
        return
    if _tried(_gradient(call, chosen, 1.0), operands, chosen, second, second, EXACT) is None:
        overflowed = [failure for failure in second.failures if "got nan" in failure]
        if overflowed:  # what the curved number added, at the end of the range
            second.failures.remove(overflowed[0])
            _tried(_gradient(call, chosen, 0.0), operands, chosen, second, second, EXACT)


def _jumps(op: opgrad.Op, x: Any) -> bool:
    """Whether a small step changes the shape of the result, so that it has no derivative."""
    return op.qualname in SHAPE_BY_DATA and len(set(np.ravel(x))) < np.size(x)


def _first_number(operands: list[Any]) -> Any:
    first = np.ravel(operands[0]) if operands else ()

    return first[0] if len(first) else None


def _has_rule(call: Callable[..., list[Any]], operands: list[Any], number: int) -> bool:
    def summed(x: Any) -> Any:
        return ops.sum(call(*operands[:number], x, *operands[number + 1 :])[0])

    try:
        opgrad.grad(summed)(operands[number])
    except MissingRuleError:
        return False

    return True


def _tried(  # noqa: PLR0913, PLR0917 -- private
    f: Callable[..., Any],
    operands: list[Any],
    chosen: tuple[int, ...],
    reverse: Cell,
    forward: Cell,
    tolerance: float | None = None,
) -> GradientReport | None:
    """Run the check, and note what it found in the cells; None where it was not passed."""
    try:
        report = check_gradients(f, *operands, argnums=chosen, tolerance=tolerance)
    except GradientMismatch as mismatch:
        found = mismatch.report
        if found.unseen == found.entries:  # the slope drowns in rounding: nothing was checked
            return None
        cell = forward if found.worst.mode == "forward" else reverse
        cell.failures.append(f"{found.worst} at {operands!r}")
        return None
    except (CallError, np.linalg.LinAlgError):  # nothing to check: empty, integers, singular
        return None
    reverse.entries += report.entries
    if forward is not reverse and "forward" in report.modes:
        forward.entries += report.entries
    elif "forward" not in report.modes:
        forward.why_none = "no forward rule"

    return report


def _gradient(
    call: Callable[..., Any], chosen: tuple[int, ...], curvature: float
) -> Callable[..., Any]:
    """The gradient of a number made of all outputs, curved in each, as a function."""

    def number(*xs: Any) -> Any:
        generator = random.Random(1)  # noqa: S311 -- weights, not a secret
        total = 0.0
        for part in call(*xs):
            weights = random_like(data_of(part), generator)
            total = total + ops.sum(part * weights)
            if curvature:
                total = total + 0.5 * curvature * ops.sum(part * part)
        return total

    gradient = opgrad.grad(number, argnums=chosen)

    return lambda *xs: [part for g in gradient(*xs) for part in _real_parts(g)]


def _real_parts(y: Any) -> list[Any]:
    """A real output as it is, a complex one as two; none of what has no derivative."""
    kind = namespaces.kind_of(data_of(y))
    if kind is not namespaces.REAL:
        return []
    is_complex = np.iscomplexobj(data_of(y))

    return [ops.real(y), ops.imag(y)] if is_complex else [y]


def matrix(every: list[opgrad.Op]) -> dict[str, Row]:
    """The rows of all these ops, by qualified name."""
    with np.errstate(all="ignore"):
        return {op.qualname: row_of(op) for op in every}
