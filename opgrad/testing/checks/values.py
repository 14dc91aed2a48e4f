"""Values: the same by every road, in every run, from every kind of data."""

from __future__ import annotations

import pickle
from typing import Any

from opgrad import namespaces, trees
from opgrad.names import core
from opgrad.projection import data_of
from opgrad.testing.cases import ARRAYS, FLOATS, Case, numpy
from opgrad.testing.checks import raw
from opgrad.testing.checks.check import QUICK, Check, CheckFailure, NotApplicable
from opgrad.testing.checks.compare import hold, largest
from opgrad.testing.differences import indices
from opgrad.types import shape
from opgrad.value import Value, no_grad

CLOSE = 1e-11
"""Relative difference allowed between floats and arrays, whose libraries round differently."""
MOST_ENTRIES = 32
"""Entries of an array that are computed once more, as numbers."""


def value(case: Case) -> None:
    """Plain data, Values, opgrad's own ops as `xp`, and numbers in the place of arrays agree."""
    outputs = case.outputs
    if case.data == FLOATS:
        _hold_numbers(outputs)
    with no_grad():
        found = trees.leaves(case.call(*[_as_value(x) for x in case.operands]))
        hold([data_of(y) for y in found], outputs, "plain data and Values give two values")
        if case.op.wants_xp and _is_real(case):
            _hold_by_ops(case, outputs)
    if case.data == FLOATS and numpy() is not None:
        _hold_arrays_of_no_axis(case, outputs)
    if case.data == ARRAYS and case.op.elementwise:
        _hold_entries(case, outputs)


def _hold_by_ops(case: Case, outputs: list[Any]) -> None:
    """The forward on opgrad's own ops, if it runs there: a composite's has to."""
    try:
        given = raw.run(case, xp=core(), convert=_as_value).y
    except Exception:
        if case.op.composite:
            raise
        return
    hold(
        [data_of(y) for y in trees.leaves(given)], outputs,
        "with opgrad's own ops as xp the forward gives another value",
        relative=CLOSE, absolute=[CLOSE * largest(y) for y in outputs], types=False,
    )  # fmt: skip


def _is_real(case: Case) -> bool:
    return all(x is None or namespaces.kind_of(x) is namespaces.REAL for x in case.bound[0])


def _as_value(x: Any) -> Any:
    return Value(x, requires_grad=False) if namespaces.kind_of(x) is not None else x


def _hold_numbers(outputs: list[Any]) -> None:
    for y in outputs:
        if type(y) not in {float, int, complex, bool}:
            raise CheckFailure(
                "a Python number gives something else",
                got=namespaces.describe(y), wanted="a Python number",
            )  # fmt: skip


def _hold_arrays_of_no_axis(case: Case, outputs: list[Any]) -> None:
    """A number and an array that holds it give the same."""
    np = numpy()
    kept = case.op.nondiff if not case.op.elementwise else ()
    names = case.op.names_of(case.operands)
    operands = [
        x if x is None or isinstance(x, bool) or name in kept else np.array(x)
        for name, x in zip(names, case.operands, strict=False)
    ]
    found = [np.asarray(y)[()] for y in trees.leaves(case.call(*operands))]
    hold(
        found, outputs, "an array of no axis gives another value than the number in it",
        relative=CLOSE, types=False,
    )  # fmt: skip


def _hold_entries(case: Case, outputs: list[Any]) -> None:
    """Each entry of the result is what the op gives for the numbers there."""
    np = numpy()
    operands = [x for x in case.operands if x is not None]
    given = np.broadcast_arrays(*operands)
    for y in outputs:
        if shape(y) != given[0].shape:
            raise CheckFailure(
                "an elementwise op gives a result of another shape",
                got=shape(y), wanted=given[0].shape,
            )  # fmt: skip
    places = list(indices(given[0]))
    step = max(1, len(places) // MOST_ENTRIES)
    for index in places[::step]:
        numbers = iter([x[index].item() for x in given])
        single = [x if x is None else next(numbers) for x in case.operands]
        hold(
            [y[index] for y in outputs], list(trees.leaves(case.call(*single))),
            "an entry of an array gives another value than the number does",
            relative=CLOSE, types=False, entry=list(index),
        )  # fmt: skip


def determinism(case: Case) -> None:
    """The same call gives the same bits, also after the op was used on something else."""
    first, gradients = case.outputs, case.gradients() if case.chosen else []
    others = [_elsewhere(x) if i in case.real else x for i, x in enumerate(case.operands)]
    other = case.on(tuple(others))
    try:
        other.gradients() if other.chosen else other.outputs
    except Exception:  # noqa: BLE001 -- half of a matrix may have no inverse: only the use counts
        pass
    again = case.on(case.operands)
    hold(again.outputs, first, "two equal calls give two values")
    if case.chosen:
        hold(again.gradients(case.chosen), gradients, "two equal calls give two gradients")


def _elsewhere(x: Any) -> Any:
    return x * 0.5


def pickling(case: Case) -> None:
    """Pickled by name, an op comes back as itself: processes hand it to each other."""
    op = case.op
    if op.forward.__module__ is None:
        raise NotApplicable("the op was made by a program that is no module")
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
    Check("value", "floats, arrays, Values and opgrad's own ops give one value", value, tier=QUICK),
    Check("determinism", "the same call gives the same bits", determinism),
    Check("pickling", "an op is pickled by name", pickling, whole=True),
)
