"""What a gradient check found, and the error it raises."""

from __future__ import annotations

import math

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
    """Relative to the size of the slopes; 0 where `got` lies between those of a kink."""
    left: float | None = None
    """The slope on either side, where the two differ (a kink, a jump, the edge of a domain)."""
    right: float | None = None
    seen: bool = True
    """False where the slope is below the rounding errors of the function."""

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
        if self.left is not None and self.right is not None:
            sides = f"slope {self.left:.9g} on the left and {self.right:.9g} on the right"
            return f"{self.where}: got {self.got:.9g}, {sides}"
        text = f"{self.where}: got {self.got:.9g}, wanted {self.wanted:.9g}"

        return f"{text}, relative error {self.error:.1e}"


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
    unseen: int = 0
    """Entries whose slope is below the rounding errors of the function: anything small passed."""

    def __str__(self) -> str:
        text = f"{self.entries} {'entry' if self.entries == 1 else 'entries'} of {self.function}"
        text += f" checked in {' and '.join(self.modes)} mode; worst {self.worst}"
        kinks = ", ".join(entry.where for entry in self.kinks)
        text += f"; kinks or edges at {kinks}" if kinks else ""

        return f"{text}; {self.unseen} too flat to be seen" if self.unseen else text

    def __repr__(self) -> str:
        return f"<{self}>"


class GradientMismatch(OpgradError, AssertionError):  # noqa: N818 -- a finding; the name says which
    """A gradient is not the slope; `report` holds what was found."""

    def __init__(self, message: str, report: GradientReport) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[type[GradientMismatch], tuple[str, GradientReport]]:
        return type(self), (str(self), self.report)


def mismatch(report: GradientReport, wrong: int) -> str:
    """What to say of a gradient that is wrong at so many entries."""
    worst = report.worst
    of = f"d {worst.output} / d " if worst.output else ""
    number = f"{wrong} of {report.entries} {'entry' if report.entries == 1 else 'entries'}"
    off = f"off by {abs(worst.got - worst.wanted):.3g} where {worst.allowed:.3g} is allowed"
    lines = [
        f"the gradient of {report.function} is wrong at {number}",
        f"  worst           {of}{worst.where}, {worst.mode} mode",
        f"  got             {worst.got:.9g}",
        f"  wanted          {worst.wanted:.9g}",
        f"  relative error  {worst.error:.3g}, {off}",
    ]
    if worst.left is not None and worst.right is not None:
        sides = f"{worst.left:.9g} on the left, {worst.right:.9g} on the right"
        lines.append(f"  slopes          {sides}: {_nature(worst.left, worst.right)}")

    return "\n".join(lines)


def too_flat(report: GradientReport) -> str:
    """What to say where no slope could be told from rounding errors."""
    return (
        f"nothing could be checked: every slope of {report.function} drowns in its rounding errors "
        f"(at {report.worst.where} opgrad says {report.worst.got:.9g}, and differences cannot tell "
        f"that from {report.worst.wanted:.9g} within {report.worst.allowed:.3g}); check it where "
        "it is less flat, or smaller"
    )


def _nature(left: float, right: float) -> str:
    """What kind of point has these slopes."""
    if left != left and right != right:  # noqa: PLR0124 -- nan alone differs from itself
        return "f is no number here, or on neither side"
    if left != left or right != right:  # noqa: PLR0124 -- nan alone differs from itself
        return "the edge of the domain, where the slope inside is wanted"
    if abs(left) == math.inf or abs(right) == math.inf:
        return "f jumps, or is vertical; the slope of either side would do"

    return "a kink, where anything between them would do"
