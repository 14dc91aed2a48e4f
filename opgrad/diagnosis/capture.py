"""What a process prints, bounded: the end of it, how much it was, and the times of its imports."""

from __future__ import annotations

import os
import re
import threading
from typing import IO

import attrs

KEPT = 8192  # bytes: the end of a flood says as much as all of it
CHUNK = 65536
IMPORTS = 20_000  # modules; a plugin that brings more is slow whatever the rest takes

IMPORT = re.compile(rb"import time: +(\d+) \| +\d+ \| *(\S+)\s*$")


@attrs.frozen
class Import:
    """One line of `python -X importtime`: a module, and the time it took without its imports."""

    module: str
    seconds: float


class Capture(threading.Thread):
    """Reads a pipe to its end, so that the process never waits, and keeps little of it.

    A line that is `mark` and some text forgets what came before it: what follows is the plugin's.
    """

    def __init__(self, stream: IO[bytes], mark: bytes = b"") -> None:
        super().__init__(daemon=True)
        self.stream = stream
        self.mark = mark
        self.marked: bytes | None = None
        """What stood behind the mark; None while it was not seen."""
        self.imports: list[Import] = []
        self.printed = 0
        self.tail = b""

    def run(self) -> None:
        """Read until nobody can write any more."""
        rest = b""
        with self.stream:
            while chunk := os.read(self.stream.fileno(), CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._take(line + b"\n")
                if len(rest) > CHUNK:  # a line without end
                    self._keep(rest)
                    rest = b""
        self._take(rest)

    def text(self) -> str:
        """The end of what was printed."""
        return self.tail[-KEPT:].decode("utf-8", "replace")

    def _take(self, line: bytes) -> None:
        if self.mark and self.marked is None and line.startswith(self.mark):
            self.marked = line[len(self.mark) :].strip()
            self.imports.clear()
            self.printed, self.tail = 0, b""
            return
        timed = IMPORT.search(line)
        if timed is None:
            self._keep(line)
            return
        self._keep(line[: timed.start()])  # what the plugin printed without an end of line
        if len(self.imports) < IMPORTS:
            module = timed[2].decode("utf-8", "replace")
            self.imports.append(Import(module, int(timed[1]) / 1e6))

    def _keep(self, line: bytes) -> None:
        self.printed += len(line)
        self.tail += line
        if len(self.tail) > 2 * KEPT:
            self.tail = self.tail[-KEPT:]
