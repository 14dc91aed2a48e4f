"""The speed table of opgrad against its peers: `python tests/benchmarks/run.py [case ...]`.

Run by hand, never collected by pytest. Each case runs in a process of its own, on one thread,
with the collector on; inside it the libraries take turns and medians are compared. A peer that
is not installed is skipped with a line.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
COLUMNS = ("case", "opgrad", "peer", "ratio", "bar", "met?")
WORK_WIDTH = 58


def main(arguments: list[str]) -> int:
    """Run the named cases, or all of them; 0 when every bar is met, 1 when one is not."""
    from cases import CASES

    if arguments[:1] == ["--one"]:
        return run_here(arguments[1])
    unknown = [name for name in arguments if name not in CASES]
    if unknown:
        print(f"no case {unknown[0]!r}; the cases are {', '.join(CASES)}", file=sys.stderr)
        return 2
    rows: list[tuple[str, ...]] = []
    for name in arguments or CASES:
        print(f"running {name} ...", file=sys.stderr, flush=True)
        rows += run_apart(name)
    print_table(rows)
    return int(any(row[-1] in {"NO", "FAILED"} for row in rows))


def run_here(name: str) -> int:
    """Run one case in this process; its results go to stdout as one JSON line each."""
    from cases import CASES

    for result in CASES[name]():
        print(json.dumps(dataclasses.asdict(result)), flush=True)
    return 0


def run_apart(name: str) -> list[tuple[str, ...]]:
    """Run one case in a process of its own, on one thread, and return its rows."""
    from cases import ENVIRONMENTS

    done = subprocess.run(
        [sys.executable, __file__, "--one", name],
        env={**os.environ, **ONE_THREAD, **ENVIRONMENTS.get(name, {})},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    rows = [as_row(**json.loads(line)) for line in done.stdout.splitlines()]
    if done.returncode:
        rows.append((name, "-", "-", "-", "-", "FAILED"))
    return rows


def as_row(*, met: bool | None, **texts: str) -> tuple[str, ...]:
    """One result as the cells of the table."""
    verdict = "-" if met is None else "yes" if met else "NO"
    return (*(texts[key] for key in ("work", "opgrad", "peer", "ratio", "bar")), verdict)


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print the rows in columns; a long first cell goes on in the next line."""
    folded: list[tuple[str, ...]] = [COLUMNS]
    for work, *rest in rows:
        first, *more = textwrap.wrap(work, WORK_WIDTH)
        folded.append((first, *rest))
        folded += [(f"  {line}", *[""] * len(rest)) for line in more]
    widths = [max(len(row[column]) for row in folded) for column in range(len(COLUMNS))]
    folded.insert(1, tuple("-" * width for width in widths))
    for row in folded:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


if __name__ == "__main__":
    os.environ.update(ONE_THREAD)
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    sys.exit(main(sys.argv[1:]))
