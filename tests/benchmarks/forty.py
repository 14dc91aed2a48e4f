"""What forty installed plugins of forty ops each cost, beside the same with one or none."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import Result, times_the_time

PLUGINS = OPS = 40
DESCRIPTION = "A page of text, as the README of a distribution is.\n" * 200

OP = '''
@opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample(-2.0)))
def op{number}(xp, x):
    """op{number}(x) = tanh({number} x)."""
    return xp.tanh({number}.0 * x)

@op{number}.derivative
def op{number}_derivative(y):
    """Return the slope."""
    return {number}.0 * (1.0 - y * y)
'''
HOOK = """
@opgrad.hookimpl
def opgrad_ops():
    return [{ops}]
"""

FIRST_OP = "import opgrad; assert opgrad.ops.tanh(0.0) == 0.0"
FIRST_USE = "import opgrad; assert opgrad.ops.p0.op3(0.0) == 0.0"
VERB = "import sys; from opgrad.cli import run; sys.exit(run({arguments}))"


def forty_plugins() -> Iterator[Result]:
    """Import, first use, `list`, `list ops` and `doctor`; wall time of processes."""
    sites = {count: install(Path(tempfile.mkdtemp()), count) for count in (0, 1, PLUGINS)}
    works: tuple[tuple[str, str, int, int, float], ...] = (
        ("import opgrad and a first built-in op", FIRST_OP, 0, 15, 1.1),
        ("first use of one plugin", FIRST_USE, 1, 15, 1.5),
        ("opgrad list", VERB.format(arguments=["list"]), 0, 9, 1.5),
        (
            "opgrad list ops (imports them, 1,600 ops)",
            VERB.format(arguments=["list", "ops"]),
            0,
            5,
            6,
        ),
    )
    for work, program, few, repeats, bar in works:
        seconds = interleaved_processes(
            {"opgrad": sites[PLUGINS], f"{few} installed": sites[few]}, program, repeats
        )
        yield times_the_time(f"{work}, forty installed", seconds, f"{few} installed", bar=bar)
    names = [f"p{number}" for number in range(PLUGINS)]
    seconds = {
        "opgrad": wall(sites[PLUGINS], VERB.format(arguments=["doctor", *names])),
        "1 installed": wall(sites[1], VERB.format(arguments=["doctor", "p0"])),
    }
    yield times_the_time(
        "opgrad doctor, forty installed: each in a process of its own",
        seconds,
        "1 installed",
        bar=PLUGINS,
    )


def install(site: Path, count: int) -> Path:
    """Leave distributions as pip does: metadata and a module each."""
    ops = "".join(OP.format(number=number) for number in range(OPS))
    hook = HOOK.format(ops=", ".join(f"op{number}" for number in range(OPS)))
    for number in range(count):
        info = site / f"opgrad_p{number}-1.0.dist-info"
        info.mkdir()
        about = f"Metadata-Version: 2.1\nName: opgrad-p{number}\nVersion: 1.0\n\n{DESCRIPTION}"
        (info / "METADATA").write_text(about, "utf-8")
        (info / "RECORD").write_text("", "utf-8")
        entry = f"[opgrad.plugins]\np{number} = opgrad_p{number}\n"
        (info / "entry_points.txt").write_text(entry, "utf-8")
        (site / f"opgrad_p{number}.py").write_text(f"import opgrad\n{ops}{hook}", "utf-8")

    return site


def interleaved_processes(sites: dict[str, Path], program: str, repeats: int) -> dict[str, float]:
    """Median seconds of a program, by the place where plugins are installed."""
    samples: dict[str, list[float]] = {name: [] for name in sites}
    for round_ in range(repeats + 1):
        for name, site in sites.items():
            seconds = wall(site, program)
            if round_:  # the first one compiles
                samples[name].append(seconds)

    return {name: statistics.median(times) for name, times in samples.items()}


def wall(site: Path, program: str) -> float:
    """Seconds of one process that sees these plugins."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([os.fspath(site), environment.get("PYTHONPATH", "")])
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**environment, "PYTHONPATH": path.rstrip(os.pathsep)},
    )

    return time.perf_counter() - start
