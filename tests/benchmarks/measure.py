"""How a benchmark measures: interleaved samples in one process, medians, collector on."""

from __future__ import annotations

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Contender:
    """One library's version of a piece of work: `run()` does `units` of it."""

    name: str
    run: Callable[[], object]
    units: int = 1


@dataclass(frozen=True)
class Result:
    """One line of the table: what opgrad took, what its peer took, and whether the bar is met."""

    work: str
    opgrad: str
    peer: str
    ratio: str
    bar: str
    met: bool | None


def interleaved(*contenders: Contender, repeats: int) -> dict[str, float]:
    """Median seconds of process time a unit, by contender; one warm-up round is not counted.

    The collector stays on inside a sample, so what a library leaves to it is paid by that
    library; what an earlier sample left is collected between samples, outside the clock.
    """
    samples: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for round_ in range(repeats + 1):
        for contender in contenders:
            gc.collect()
            start = time.process_time()
            contender.run()
            elapsed = time.process_time() - start
            if round_:
                samples[contender.name].append(elapsed / contender.units)
    return {name: statistics.median(times) for name, times in samples.items()}


def times_faster(work: str, seconds: dict[str, float], peer: str, *, bar: float) -> Result:
    """Compare by speed-up: the peer's time over opgrad's, which must reach `bar`."""
    ratio = seconds[peer] / seconds["opgrad"]
    return Result(
        work=work,
        opgrad=readable_time(seconds["opgrad"]),
        peer=f"{peer} {readable_time(seconds[peer])}",
        ratio=f"{ratio:.2f}x faster",
        bar=f">= {bar:g}x faster",
        met=ratio >= bar,
    )


def times_the_time(work: str, seconds: dict[str, float], peer: str, *, bar: float) -> Result:
    """Compare by share: opgrad's time over the peer's, which must not exceed `bar`."""
    ratio = seconds["opgrad"] / seconds[peer]
    return Result(
        work=work,
        opgrad=readable_time(seconds["opgrad"]),
        peer=f"{peer} {readable_time(seconds[peer])}",
        ratio=f"{ratio:.2f}x the time",
        bar=f"<= {bar:g}x the time",
        met=ratio <= bar,
    )


def below(work: str, value: float, unit: str, *, bar: float, peer: str = "-") -> Result:
    """Compare with a fixed limit in `unit`."""
    return Result(
        work=work,
        opgrad=f"{value:.1f} {unit}",
        peer=peer,
        ratio="-",
        bar=f"< {bar:g} {unit}",
        met=value < bar,
    )


def without_peer(work: str, opgrad: str, missing: str) -> Result:
    """Show what opgrad took where the peer is not installed: no ratio, no verdict."""
    return Result(work, opgrad, f"{missing} is not installed: skipped", "-", "-", None)


def readable_time(seconds: float) -> str:
    """Seconds in the unit that leaves one to three digits before the point."""
    for limit, scale, unit in ((1e-6, 1e9, "ns"), (1e-3, 1e6, "us"), (1.0, 1e3, "ms")):
        if seconds < limit:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def installed(name: str) -> bool:
    """Whether `name` can be imported, without importing it."""
    return importlib.util.find_spec(name) is not None


def resident_bytes() -> int:
    """Memory of this process that is in RAM now (Linux); 0 where /proc does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * 4096
