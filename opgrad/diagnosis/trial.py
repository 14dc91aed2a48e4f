"""A plugin loaded in a process of its own, with a time limit: what became of both.

Whatever the plugin does there (hang, crash, exit, print without end, fork), this process reads
its answer from a file, a bounded end of what it printed, and how it ended.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

import attrs

from opgrad.diagnosis.capture import Capture, Import
from opgrad.diagnosis.child import MARK
from opgrad.discovery import Source

FINE, FAILED, HUNG, CRASHED, EXITED = "fine", "failed", "hung", "crashed", "exited"

BOOT = """
import sys, json
path, answer, namespaces = json.loads(sys.argv[1])
sys.path[:] = path
import time
start = time.perf_counter()
from opgrad.diagnosis.child import main
main(start, answer, namespaces)
"""
GRACE = 1.0  # seconds for the last words of a process that was stopped
LARGEST = 1_000_000  # bytes of an answer
SHOWN = 5  # lines
# What faulthandler writes begins with one of these.
DUMP = re.compile(r"(?m)^(Fatal Python error|Thread 0x|Current thread 0x|Stack \(most recent)")
FRAME = re.compile(r'(?m)^  File "(.*)", line (\d+) in ')


@attrs.frozen
class Load:
    """What one namespace's load gave."""

    seconds: float
    ops: int | None = None
    error: str = ""
    place: str = ""
    missing: str = ""
    """The module that was not found, where that is the error."""
    version: str = ""
    """What the plugin's own package says of itself, in `__version__`."""


@attrs.frozen
class Trial:
    """How a process ended that loaded one or more namespaces."""

    outcome: str
    ending: str = ""
    """How it ended, where it did not end well: `SIGSEGV`, `exit code 3`, `stopped after 20 s`."""
    loads: Mapping[str, Load] = attrs.field(factory=dict)
    """By namespace; empty where the process ended before it could answer."""
    own_seconds: float = 0.0
    """What `import opgrad` took there."""
    place: str = ""
    printed: int = 0
    """Bytes on stdout and stderr."""
    tail: str = ""
    heaviest: tuple[Import, ...] = ()
    """Packages, and modules of the plugin's own, by the time they took; the heaviest first."""
    moved: str = ""
    """The current directory, where the plugin changed it."""
    threads: tuple[str, ...] = ()
    """What keeps the process from ending."""


class Trials:
    """Runs trials, from several threads at once; `stop` ends those that run."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, sources: Sequence[Source], limit: float | None = None) -> Trial:
        """Load these, one after the other, in one process; what became of it."""
        limit = limit or self.limit
        if self._stopped:
            return Trial(HUNG, "never begun")
        with tempfile.TemporaryDirectory(prefix="opgrad-doctor-") as folder:
            answer = Path(folder) / "answer.json"
            with self._process(answer, [source.namespace for source in sources]) as process:
                out = Capture(cast("IO[bytes]", process.stdout))
                err = Capture(cast("IO[bytes]", process.stderr), MARK)
                out.start()
                err.start()
                stopped = _wait(process, limit)
                _kill(process)  # with what it left running, which may hold the pipes
                out.join(GRACE)
                err.join(GRACE)
            answered = _read(answer)

        return _judge(sources[0], answered, stopped, process.returncode, (out, err))

    def stop(self) -> None:
        """End every process that still runs, and begin no other."""
        self._stopped = True
        for process in list(self._running):
            _kill(process)

    @contextmanager
    def _process(
        self, answer: Path, namespaces: Sequence[str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 -- "" is here
        order = json.dumps([path, os.fspath(answer), list(namespaces)])
        flags = ("-P", "-u", "-X", "importtime", "-X", "faulthandler")
        process = subprocess.Popen(  # noqa: S603 -- this interpreter, with a program of ours
            [sys.executable, *flags, "-c", BOOT, order],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={k: v for k, v in os.environ.items() if k != "OPGRAD_STRICT"},
            start_new_session=True,  # so that it ends with all that it started
        )
        self._running.add(process)
        try:
            yield process
        finally:
            _kill(process)
            process.wait()
            self._running.discard(process)


def _wait(process: subprocess.Popen[bytes], limit: float) -> str:
    """Wait for the end; past the limit ask for a traceback, then end it. Return why, if so."""
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT if os.name == "posix" else signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        return f"stopped after {limit:g} s"

    return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process with what it started, as far as that stayed in its session."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _read(answer: Path) -> dict[str, Any]:
    """The answer, or nothing: a plugin may have written there, too."""
    try:
        with answer.open("rb") as file:
            found = json.loads(file.read(LARGEST))
        loads = {namespace: Load(**load) for namespace, load in found["loads"].items()}
        threads = tuple(map(str, found["threads"]))

        return {"loads": loads, "threads": threads, "own_seconds": float(found["own"]),
                "moved": str(found["moved"])}  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _judge(
    source: Source, answered: dict[str, Any], stopped: str, code: int, streams: Sequence[Capture]
) -> Trial:
    """Put together what is known of a process that ended."""
    out, err = streams
    said, dump = _split(err.text())
    known: dict[str, Any] = {
        **answered,
        "printed": out.printed + max(0, err.printed - len(dump)),
        "tail": "\n".join([*out.text().splitlines(), *said.splitlines()][-SHOWN:]),
        "heaviest": heaviest(err.imports, source, _seconds(answered)),
    }
    broken = any(load.error for load in answered.get("loads", {}).values())
    if stopped or code < 0 or not answered or (code and not broken):
        folder = os.fsdecode(err.marked or b"")
        place = _place(dump, folder)
        outcome = HUNG if stopped else CRASHED if code < 0 else EXITED
        ending = stopped or (_signal(-code) if code < 0 else f"exit code {code}")
        return Trial(outcome, ending, place=place, **known)

    return Trial(FAILED if broken else FINE, **known)


def _split(text: str) -> tuple[str, str]:
    """What the plugin printed, and the traceback that came with its end."""
    dump = DUMP.search(text)

    return (text, "") if dump is None else (text[: dump.start()], text[dump.start() :])


def _place(dump: str, folder: str) -> str:
    """`file:line` of the innermost frame of a traceback that lies in the plugin."""
    current = dump.partition("Current thread")[2]
    for file, line in FRAME.findall(current) + FRAME.findall(dump):
        if folder and (file == folder or file.startswith(os.path.join(folder, ""))):  # noqa: PTH118
            return f"{file}:{line}"

    return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def heaviest(imports: Sequence[Import], source: Source, total: float) -> tuple[Import, ...]:
    """The packages that took most of an import's time; of the plugin's own, the modules.

    >>> source = Source("acme", ("acme",), "acme", "1")
    >>> times = [Import("numpy.core", 0.2), Import("numpy", 0.1), Import("acme.ops", 0.05)]
    >>> [(one.module, round(one.seconds, 2)) for one in heaviest(times, source, 0.5)]
    [('numpy', 0.3), ('acme', 0.15), ('acme.ops', 0.05)]
    """
    own = source.module.partition(".")[0]
    took: dict[str, float] = defaultdict(float)
    for one in imports:
        package = one.module.partition(".")[0]
        took[one.module if package == own else package] += one.seconds
    # The module that is imported by its name, not by a statement, is not among the imports.
    took[source.module] += max(0.0, total - sum(one.seconds for one in imports))
    longest = sorted(took.items(), key=lambda it: -it[1])[:3]

    return tuple(Import(name, seconds) for name, seconds in longest)


def _seconds(answered: dict[str, Any]) -> float:
    loads: Mapping[str, Load] = answered.get("loads", {})

    return sum(load.seconds for load in loads.values())
