"""What a gradient check found, and the error it raises."""

from __future__ import annotations

import attrs

from opgrad.errors import OpgradError


@attrs.frozen
class Entry:
    """One entry of an argument: its derivative as opgrad has it, and as differences say."""

    argument: str
    """Name of the argument, with the path within it: `params['w']`."""
    index: tuple[int, ...]
    part: str
    """Of a complex entry `real` or `imag`, the axis along which it was moved; else empty."""
    output: str
    """What was differentiated: empty for a scalar function, else an entry of the output, or all
    of it in a random projection."""
    mode: str
    got: float
    wanted: float
    allowed: float
    error: float
    """Relative to the larger of the two; 0 where `got` lies between the slopes of a kink."""
    left: float | None = None
    """The slope on either side, where the two differ (a kink, a jump, the edge of a domain)."""
    right: float | None = None

    @property
    def where(self) -> str:
        """The entry as one would write it: `x[0, 2]`."""
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""

        return f"{self.argument}{index}{f'.{self.part}' if self.part else ''}"

    @property
    def is_kink(self) -> bool:
        """Whether the slopes on the two sides differ."""
        return self.left is not None

    def __str__(self) -> str:
        text = f"{self.where}: got {self.got:.9g}, wanted {self.wanted:.9g}"

        return f"{text}, relative error {self.error:.1e}{self._slopes}"

    @property
    def _slopes(self) -> str:
        if self.left is None or self.right is None:
            return ""

        return f", slope {self.left:.9g} on the left and {self.right:.9g} on the right"


@attrs.frozen(repr=False)
class GradientReport:
    """A check that passed, or (on a `GradientMismatch`) the one that failed."""

    function: str
    entries: int
    """How many entries of the arguments were compared."""
    modes: tuple[str, ...]
    """`reverse`, and `forward` where every op in the way has what it needs."""
    worst: Entry
    kinks: tuple[Entry, ...] = ()
    """Entries where the slopes on the two sides differ; anything between them was accepted."""

    def __str__(self) -> str:
        text = f"{self.entries} {'entry' if self.entries == 1 else 'entries'} of {self.function}"
        kinks = f"; kinks at {', '.join(e.where for e in self.kinks)}" if self.kinks else ""

        return f"{text} checked in {' and '.join(self.modes)} mode; worst {self.worst}{kinks}"

    def __repr__(self) -> str:
        return f"<{self}>"


class GradientMismatch(OpgradError, AssertionError):  # noqa: N818 -- a finding; the name says which
    """A gradient is not the slope; `report` holds what was found."""

    def __init__(self, report: GradientReport, wrong: int) -> None:
        self.report = report
        self.wrong = wrong
        super().__init__(_message(report, wrong))

    def __reduce__(self) -> tuple[type[GradientMismatch], tuple[GradientReport, int]]:
        return type(self), (self.report, self.wrong)


def _message(report: GradientReport, wrong: int) -> str:
    worst = report.worst
    of = f"d {worst.output} / d " if worst.output else ""
    lines = [
        f"the gradient of {report.function} is wrong at {wrong} of {report.entries} "
        f"{'entry' if report.entries == 1 else 'entries'}; "
        f"the worst is {of}{worst.where}, {worst.mode} mode",
        f"  got             {worst.got:.9g}",
        f"  wanted          {worst.wanted:.9g}",
        f"  relative error  {worst.error:.3g}, off by {abs(worst.got - worst.wanted):.3g} "
        f"where {worst.allowed:.3g} is allowed",
    ]
    if worst.left is not None and worst.right is not None:
        lines += [
            f"  slopes          {worst.left:.9g} on the left, {worst.right:.9g} on the right: "
            f"{_nature(worst.left, worst.right)}"
        ]

    return "\n".join(lines)


def _nature(left: float, right: float) -> str:
    """What kind of point has these slopes."""
    if left != left or right != right:  # noqa: PLR0124 -- nan alone differs from itself
        return "the edge of the domain, where the slope inside counts"
    if abs(left) == float("inf") or abs(right) == float("inf"):
        return "a jump, where only a finite slope of one side counts"

    return "a kink, where anything between them counts"
