"""Runs: again, in two threads at once, and in another process, to which ops are sent by name."""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
import time
from typing import Any

from opgrad import namespaces
from opgrad.testing.cases import Case
from opgrad.testing.checks.check import Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import hold

_SECONDS, _RUNS, _MOST_SECONDS = 0.01, 15, 1.0
"""How long each thread goes on: so long and so often, but no longer than the last."""
_SWITCH = 1e-5
"""How often they take turns; Python's own interval is 5 ms."""


def determinism(case: Case) -> None:
    """The same call gives the same bits, also after the op was used on something else."""
    first, gradients = case.outputs, case.gradients() if case.chosen else []
    other = _elsewhere(case)
    with contextlib.suppress(Exception):  # what is half of a sample may be none: the use counts
        _results(other)
    again = case.on(case.operands)
    hold(again.outputs, first, "two equal calls give two values")
    if case.chosen:
        hold(again.gradients(case.chosen), gradients, "two equal calls give two gradients")


def threads(case: Case) -> None:
    """Two threads that use the op on different data get what each alone gets."""
    if not case.operands:
        raise NotCheckable("there is no sample to call the op with")
    cases = [case, _elsewhere(case)]
    try:
        wanted = [_results(each) for each in cases]
    except Exception:  # noqa: BLE001 -- half of the data may be none for the op: then the same twice
        cases = [case, case]
        wanted = [_results(case)] * 2
    errors: list[Exception] = []
    runs = [0, 0]
    ready = threading.Barrier(2)

    def work(me: int) -> None:
        mine = cases[me]
        ready.wait()
        started = time.perf_counter()
        try:
            with namespaces.quiet():
                while not errors and not _enough(time.perf_counter() - started, runs):
                    runs[me] += 1
                    hold(
                        _results(mine.on(mine.operands)), wanted[me],
                        "beside another thread the op gives something else",
                    )  # fmt: skip
        except Exception as error:  # noqa: BLE001 -- raised in the thread that waits
            errors.append(error)

    interval = sys.getswitchinterval()
    workers = [threading.Thread(target=work, args=(me,), daemon=True) for me in (0, 1)]
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


def _enough(seconds: float, runs: list[int]) -> bool:
    """Whether both threads had their turns, or took too long for many."""
    return seconds > _MOST_SECONDS or (seconds > _SECONDS and min(runs) > _RUNS)


def _results(case: Case) -> list[Any]:
    return [*case.outputs, *(case.gradients() if case.chosen and case.weights else [])]


def _elsewhere(case: Case) -> Case:
    """The same call on other data."""
    operands = [x * 0.5 if i in case.real else x for i, x in enumerate(case.operands)]

    return case.on(tuple(operands))


def pickling(case: Case) -> None:
    """Pickled by name, an op comes back as itself: processes hand it to each other."""
    op = case.op
    if op.forward.__module__ is None:
        raise NotCheckable("the op was made by a program that is no module")
    try:
        found = pickle.loads(pickle.dumps(op))  # noqa: S301 -- made here
    except Exception as error:
        place = f"{op.forward.__module__}.{op.forward.__qualname__}"
        raise CheckFailure(
            f"the op cannot be pickled: nothing called {place} is that op; define it at the top of "
            "a module, under the name of its function",
            error=f"{type(error).__name__}: {error}",
        ) from error
    if found is not op:
        raise CheckFailure("pickled and read again, the op is another object", got=repr(found))


CHECKS = (
    Check("determinism", "the same call gives the same bits", determinism),
    Check("threads", "two threads get what each alone gets", threads, whole=True),
    Check("pickling", "an op is pickled by name", pickling, whole=True),
)
