"""`check_gradients`: opgrad's gradients beside central differences."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from opgrad.errors import MissingRuleError, NotDifferentiableError
from opgrad.testing.differences import Index, indices
from opgrad.testing.report import Entry, GradientMismatch, GradientReport, mismatch, too_flat
from opgrad.testing.slopes import Finding, judge
from opgrad.testing.subject import Axis, Subject, one_hot_like, random_like

_MOST_OUTPUTS = 256
"""Entries of the outputs up to which a wrong one is looked for among them."""
_COARSEST = 0.05
"""The most a default tolerance allows; 10·sqrt(eps) is 0.3 for float16."""


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    argnums: int | Sequence[int] | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> GradientReport:
    """Compare opgrad's gradients of `f` at `args` with central differences, entry by entry.

    Reverse mode is checked everywhere; forward mode along with it, unless an op in the way cannot
    do it. Where the slopes on the two sides differ (a kink), anything between them is accepted.

    Args:
        f: Any function of numbers, arrays and nested containers of them that `opgrad.grad` takes.
            It may return a scalar, an array or a container: what is not scalar is projected on
            random weights. It is called with Values, twice and more for each entry.
        *args: Where. What is neither number nor array of floats is handed to `f` as it is.
        argnums: Which arguments to check. Default: all (of an op, all operands that carry a
            derivative).
        tolerance: Relative error allowed, beside the rounding errors of `f`. Default: by the
            dtype, 10·sqrt(eps): 1.5e-7 for Python floats and float64, 3.5e-3 for float32.
        seed: Of the random weights.

    Returns:
        What was checked: the number of entries, the modes, the worst entry, the kinks.

    Raises:
        GradientMismatch: An AssertionError. A gradient is wrong (the message has the worst entry,
            both values and, where they differ, both slopes), or every slope drowns in the rounding
            errors of `f`, so that nothing was checked.
        CallError: There is no entry to check.

    Examples:
        >>> from opgrad import ops
        >>> report = check_gradients(lambda x, y: x * ops.sin(y), 0.5, 2.0)
        >>> report.entries, report.modes
        (2, ('reverse', 'forward'))
        >>> print(check_gradients(ops.relu, 0.0))
        1 entry of core.relu (opgrad ...) checked in reverse and forward mode; worst x: got 0,
        slope 0 on the left and 1 on the right; kinks or edges at x

        A wrong rule does not pass:

        >>> import opgrad
        >>> @opgrad.elementwise
        ... def cube(x):
        ...     return x * x * x
        >>> @cube.derivative
        ... def cube_derivative(x):
        ...     return 2.0 * x * x
        >>> check_gradients(cube, 1.0)
        Traceback (most recent call last):
        ...
        opgrad.testing.report.GradientMismatch: the gradient of local.cube (defined here, not in a
        plugin) is wrong at 1 of 1 entry
          worst           x, reverse mode
          got             2
          wanted          3
          relative error  0.333, off by 1 where ... is allowed
    """
    __tracebackhide__ = True  # pytest then shows the line of the caller
    positions = (argnums,) if isinstance(argnums, int) else argnums
    check = GradientCheck(Subject.of(f, args, positions, seed), tolerance)
    gradients = check.subject.reverse(check.subject.weights)
    found = check.compare("reverse", lambda axis: axis.of(gradients))
    modes: tuple[str, ...] = ("reverse",)
    agree = check.modes_agree(gradients, seed)
    if agree is False:
        check.compare("forward", lambda axis: check.derivative("forward", axis))
    if agree is not None:
        modes += ("forward",)

    return check.report(found, modes)


@attrs.frozen
class GradientCheck:
    """The derivatives of a function at a point, to be held against its slopes."""

    subject: Subject
    tolerance: float | None = None

    def compare(
        self,
        mode: str,
        derivative: Callable[[Axis], float],
        weights: Sequence[Any] | None = None,
    ) -> list[Entry]:
        """Hold the derivative of the weighted outputs against the slope along every axis.

        Raises:
            GradientMismatch: They differ, or no slope could be seen.
        """
        __tracebackhide__ = True
        axes = self.subject.axes()
        found = [(axis, self._judge(derivative(axis), axis, weights)) for axis in axes]
        wrong = [(axis, finding) for axis, finding in found if not finding.fits]
        for axis, finding in sorted(wrong, key=lambda pair: -pair[1].error):
            worst = self._locate(mode, axis, finding)
            if worst is not None:
                report = attrs.evolve(self.report([worst], (mode,)), entries=len(found))
                raise GradientMismatch(mismatch(report, len(wrong)), report)
        # What is wrong of the sum and right of each output is between the slopes after all.
        findings = [(axis, attrs.evolve(finding, fits=True)) for axis, finding in found]
        entries = [self._entry(mode, axis, finding) for axis, finding in findings]
        if not any([entry.seen for entry in entries]):
            report = self.report(entries, (mode,))
            raise GradientMismatch(too_flat(report), report)

        return entries

    def modes_agree(self, gradients: Sequence[Any], seed: int) -> bool | None:
        """Whether the tangent along a random direction is that of the gradient.

        No difference is needed for that. None where an op in the way has no forward mode.
        """
        generator = random.Random(seed + 1)  # noqa: S311 -- a direction, not a secret
        leaves = self.subject.leaves
        directions = [random_like(leaf.data, generator) for leaf in leaves]
        try:
            tangent = self.subject.forward(directions)
        except (MissingRuleError, NotDifferentiableError):
            return None
        axes = list(self.subject.axes())
        parts = [axis.of(gradients) * axis.along(directions) for axis in axes]
        allowed = max(map(self._tolerance, axes)) * sum(map(abs, parts))

        return abs(tangent - sum(parts)) <= allowed

    def derivative(self, mode: str, axis: Axis, weights: Sequence[Any] | None = None) -> float:
        """The derivative of the weighted outputs along one axis, by opgrad."""
        if mode == "reverse":
            return axis.of(self.subject.reverse(weights))
        data = [leaf.data for leaf in self.subject.leaves]

        return self.subject.forward(one_hot_like(data, axis.leaf, axis.index, axis.unit), weights)

    def report(self, entries: Sequence[Entry], modes: tuple[str, ...]) -> GradientReport:
        """All of it, with the worst entry picked out."""
        worst = max(entries, key=lambda entry: entry.error)
        kinks = tuple([entry for entry in entries if entry.is_kink])
        unseen = sum(not entry.seen for entry in entries)

        return GradientReport(self.subject.name, len(entries), modes, worst, kinks, unseen)

    def _judge(self, got: float, axis: Axis, weights: Sequence[Any] | None = None) -> Finding:
        subject = self.subject

        return judge(
            got, subject.line(axis, weights),
            at=subject.at(axis), eps=subject.eps(axis), tolerance=self._tolerance(axis),
        )  # fmt: skip

    def _tolerance(self, axis: Axis) -> float:
        if self.tolerance is not None:
            return self.tolerance

        return min(10.0 * math.sqrt(self.subject.eps(axis)), _COARSEST)

    def _locate(self, mode: str, axis: Axis, finding: Finding) -> Entry | None:
        """The output whose derivative is wrong; None where that of every single one is right.

        It happens at kinks of several outputs at once: each derivative lies between its slopes,
        and their sum need not.
        """
        outputs = self.subject.outputs
        places = [(number, index) for number, y in enumerate(outputs) for index in indices(y)]
        if len(places) == 1 or len(places) > _MOST_OUTPUTS:
            return self._entry(mode, axis, finding)
        wrong = []
        for number, index in places:
            weights = self.subject.only(number, index)
            alone = self._judge(self.derivative(mode, axis, weights), axis, weights)
            if not alone.fits:
                wrong.append(self._entry(mode, axis, alone, (number, index)))

        return max(wrong, key=lambda entry: entry.error, default=None)

    def _entry(
        self, mode: str, axis: Axis, finding: Finding, place: tuple[int, Index] | None = None
    ) -> Entry:
        unit, output = self.subject.unit_and_name(place)

        return Entry(
            argument=self.subject.leaves[axis.leaf].name, index=axis.index, part=axis.part,
            output=output, mode=mode, got=_over(finding.got, unit),
            wanted=_over(finding.wanted, unit), allowed=finding.allowed / abs(unit),
            error=finding.error, seen=finding.seen,
            left=None if finding.left is None else _over(finding.left, unit),
            right=None if finding.right is None else _over(finding.right, unit),
        )  # fmt: skip


def _over(slope: float, unit: float) -> float:
    """The slope of the output itself; never -0."""
    return slope / unit + 0.0
