"""Two threads at once: an op keeps nothing between calls that another call could change."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from opgrad import namespaces
from opgrad.testing.cases import Case
from opgrad.testing.checks.check import Check, CheckFailure, NotApplicable
from opgrad.testing.checks.compare import hold

_SECONDS = 0.01
"""How long each thread goes on."""
_SWITCH = 1e-5
"""How often they take turns; Python's own interval is 5 ms."""


def threads(case: Case) -> None:
    """Two threads that use the op on different data get what each alone gets."""
    if not case.operands:
        raise NotApplicable("there is no sample to call the op with")
    cases = [case, case.on(tuple([_other(case, i, x) for i, x in enumerate(case.operands)]))]
    try:
        wanted = [_results(each) for each in cases]
    except Exception:  # noqa: BLE001 -- half of the data may be none for the op: then the same twice
        cases = [case, case]
        wanted = [_results(each) for each in cases]
    errors: list[Exception] = []
    ready = threading.Barrier(2)

    def work(mine: Case, results: list[Any]) -> None:
        ready.wait()
        end = time.perf_counter() + _SECONDS
        try:
            with namespaces.quiet():
                while time.perf_counter() < end and not errors:
                    hold(
                        _results(mine.on(mine.operands)), results,
                        "beside another thread the op gives something else",
                    )  # fmt: skip
        except Exception as error:  # noqa: BLE001 -- raised in the thread that waits
            errors.append(error)

    interval = sys.getswitchinterval()
    workers = [
        threading.Thread(target=work, args=pair, daemon=True)
        for pair in zip(cases, wanted, strict=True)
    ]
    sys.setswitchinterval(_SWITCH)
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(interval)
    if errors and not isinstance(errors[0], CheckFailure):
        raise CheckFailure(
            "beside another thread the op fails", error=f"{type(errors[0]).__name__}: {errors[0]}"
        ) from errors[0]
    if errors:
        raise errors[0]


def _results(case: Case) -> list[Any]:
    return [*case.outputs, *(case.gradients() if case.chosen and case.weights else [])]


def _other(case: Case, place: int, x: Any) -> Any:
    return x * 0.5 if place in case.real else x


CHECKS = (Check("threads", "two threads get what each alone gets", threads, whole=True),)
