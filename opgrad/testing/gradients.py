"""`check_gradients`: opgrad's gradients beside central differences."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from opgrad.errors import MissingRuleError, NotDifferentiableError
from opgrad.op import shape
from opgrad.testing.differences import indices
from opgrad.testing.report import Entry, GradientMismatch, GradientReport
from opgrad.testing.slopes import Finding, judge
from opgrad.testing.subject import Axis, Subject, inner, one_hot_like, random_like

_MOST_OUTPUTS = 256
"""Entries of the outputs up to which a wrong one is looked for among them."""


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

    Example:
        >>> from opgrad import ops
        >>> report = check_gradients(lambda x, y: x * ops.sin(y), 0.5, 2.0)
        >>> report.entries, report.modes
        (2, ('reverse', 'forward'))
        >>> print(check_gradients(ops.relu, 0.0))
        1 entry of core.relu (opgrad ...) checked in reverse and forward mode; worst x: got 0, ...
        slope 0 on the left and 1 on the right; kinks at x

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
        plugin) is wrong at 1 of 1 entry; the worst is x, reverse mode
          got             2
          wanted          3
          relative error  0.333, off by 1 where ... is allowed
    """
    __tracebackhide__ = True  # pytest then shows the line of the caller
    positions = (argnums,) if isinstance(argnums, int) else argnums
    check = _Check(Subject.of(f, args, positions, seed), tolerance)
    check.reverse()
    check.forward(seed)

    return check.report()


@attrs.define(eq=False)
class _Check:
    """One run: what was found so far."""

    subject: Subject
    tolerance: float | None
    modes: tuple[str, ...] = ()
    gradients: Sequence[Any] = ()
    entries: int = 0
    unseen: int = 0
    worst: Entry | None = None
    kinks: list[Entry] = attrs.field(factory=list)

    def reverse(self) -> None:
        """Hold the gradient against the slope along every axis."""
        __tracebackhide__ = True
        self.gradients = self.subject.reverse(self.subject.weights)
        self._compare("reverse", lambda axis: axis.of(self.gradients))

    def forward(self, seed: int) -> None:
        """Hold the tangent along one direction against the gradient; on doubt, along every axis."""
        __tracebackhide__ = True
        data = [leaf.data for leaf in self.subject.leaves]
        weights = self.subject.weights
        generator = random.Random(seed + 1)  # noqa: S311 -- a direction, not a secret
        directions = [random_like(x, generator) if shape_size(x) else x for x in data]
        try:
            moved = self.subject.forward(directions, weights)
        except (MissingRuleError, NotDifferentiableError):
            return
        expected = inner(self.gradients, directions)
        size = sum(
            abs(inner([g], [d])) for g, d in zip(self.gradients, directions, strict=True)
        )
        allowed = self._tolerance(max(map(self.subject.eps, self.subject.axes()))) * size
        if abs(moved - expected) <= allowed:
            self.modes += ("forward",)
            return

        def along(axis: Axis) -> float:
            direction = one_hot_like(data, axis.leaf, axis.index, axis.unit)
            return self.subject.forward(direction, weights)

        self._compare("forward", along)

    def _compare(self, mode: str, derivative: Callable[[Axis], float]) -> None:
        __tracebackhide__ = True
        self.entries = self.unseen = 0
        wrong: list[tuple[Entry, Axis]] = []
        for axis in self.subject.axes():
            finding = self._judge(derivative(axis), axis, self.subject.weights)
            entry = self._entry(mode, finding, axis)
            self.entries += 1
            self.unseen += not finding.seen
            if not finding.fits:
                wrong.append((entry, axis))
            elif self.worst is None or entry.error > self.worst.error:
                self.worst = entry
            if finding.fits and entry.is_kink and mode == "reverse":
                self.kinks.append(entry)
        self.modes += (mode,)
        for entry, axis in sorted(wrong, key=lambda pair: -pair[0].error):
            located = self._locate(entry, axis)
            if located is not None:
                raise GradientMismatch(self._report_of(located), len(wrong))

    def _locate(self, entry: Entry, axis: Axis) -> Entry | None:
        """The output whose derivative is wrong; None where it was right of every single one.

        That happens at kinks of several outputs at once: each gradient lies between the slopes,
        but their sum need not.
        """
        outputs = self.subject.outputs
        places = [(n, index) for n, y in enumerate(outputs) for index in indices(y)]
        if len(places) == 1 or len(places) > _MOST_OUTPUTS:
            return entry
        found = []
        for number, index in places:
            w = self.subject.weights[number]
            weights = one_hot_like(outputs, number, index, w[index] if shape(w) else w)
            got = self._derivative(entry.mode, axis, weights)
            finding = self._judge(got, axis, weights)
            if not finding.fits:
                name = f"output[{number}]" if len(outputs) > 1 else "output"
                at = f"[{', '.join(map(str, index))}]" if index else ""
                found.append(self._entry(entry.mode, finding, axis, f"{name}{at}", weights[number][index] if index else weights[number]))

        return max(found, key=lambda e: e.error, default=None)
