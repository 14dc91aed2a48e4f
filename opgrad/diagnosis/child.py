"""The other process: loads what it is told to, as a program would, and writes down what it saw.

The answer goes to a file: a plugin may print, close or redirect what it likes. Nothing here
protects the process from the plugin; that is what the process is for.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from opgrad.errors import OpgradError, PluginError
from opgrad.inspection import place_of, said_by
from opgrad.plugins import PLUGINS

MARK = b"opgrad doctor: from here on it is the plugin, in "
LONGEST = 4000  # characters of an error


def main(start: float, answer: str, namespaces: Sequence[str]) -> None:
    """Load namespaces one after the other, and write to `answer` what came of it."""
    own = time.perf_counter() - start
    here, process = _here(), os.getpid()
    sys.argv[:] = ["opgrad-doctor"]
    _leave_no_core_file()
    _say_where_it_exits()
    os.write(2, MARK + os.fsencode(_folder(namespaces[0])) + b"\n")
    loads = {namespace: _load(namespace) for namespace in namespaces}
    if os.getpid() != process:  # the plugin forked, and this is the other branch
        os._exit(0)
    report = {
        "own": own,
        "loads": loads,
        "moved": _here() if _here() != here else "",
        "threads": [
            thread.name
            for thread in threading.enumerate()
            if not thread.daemon and thread is not threading.main_thread()
        ],
    }
    with open(f"{answer}.part", "w", encoding="utf-8") as file:  # noqa: PTH123 -- no pathlib
        json.dump(report, file)
    os.replace(f"{answer}.part", answer)  # noqa: PTH105 -- no pathlib


def _load(namespace: str) -> dict[str, Any]:
    """Load one namespace; how long it took, how many ops it has, or what it raised."""
    start = time.perf_counter()
    found: dict[str, Any] = {"error": "", "place": "", "missing": "", "version": ""}
    try:
        PLUGINS.load(namespace)
    except BaseException as error:  # noqa: BLE001 -- Ctrl-C, too, comes from the plugin here
        found |= _failure(error, namespace)
    else:
        found["ops"] = len(PLUGINS.registry.table(namespace))
    found["seconds"] = time.perf_counter() - start
    version = getattr(sys.modules.get(_package(namespace)), "__version__", "")
    found["version"] = version if isinstance(version, str) else ""

    return found


def _failure(error: BaseException, namespace: str) -> dict[str, str]:
    """What a plugin raised, in its own words where it raised by itself."""
    cause = error.__cause__ if isinstance(error, PluginError) and error.__cause__ else error
    text = str(cause) if isinstance(cause, OpgradError) else said_by(cause)
    name = cause.name if isinstance(cause, ModuleNotFoundError) else None

    return {
        "error": text[:LONGEST],
        "place": place_of(cause, _package(namespace)).removeprefix(" at "),
        "missing": str(name or ""),
    }


def _here() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 -- no pathlib
    except OSError:
        return "a folder that is gone"


def _package(namespace: str) -> str:
    sources = PLUGINS.sources().get(namespace)

    return sources[0].module.partition(".")[0] if sources else ""


def _folder(namespace: str) -> str:
    """Where the plugin's files lie: what a traceback of a crash is searched for."""
    try:
        spec = importlib.util.find_spec(_package(namespace))
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return ""
    folders = list(spec.submodule_search_locations or ())

    return folders[0] if folders else spec.origin or ""


def _leave_no_core_file() -> None:
    try:
        import resource  # noqa: PLC0415 -- POSIX only
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _say_where_it_exits() -> None:
    """Let `os._exit`, which leaves no trace, print one."""
    leave = os._exit

    def exit_with_trace(status: int) -> None:
        faulthandler.dump_traceback(file=2, all_threads=False)
        leave(status)

    os._exit = exit_with_trace  # type: ignore[assignment]
