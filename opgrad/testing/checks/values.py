"""Values: the same by every road, from every kind of data."""

from __future__ import annotations

from typing import Any

from opgrad import namespaces, trees
from opgrad.names import core
from opgrad.projection import data_of
from opgrad.testing.cases import ARRAYS, FLOATS, Case, numpy
from opgrad.testing.checks import raw
from opgrad.testing.checks.check import QUICK, Check, CheckFailure
from opgrad.testing.checks.compare import hold, largest
from opgrad.testing.differences import indices
from opgrad.types import shape
from opgrad.value import Value, no_grad

CLOSE = 1e-11
"""Relative difference allowed between floats and arrays, whose libraries round differently."""
_WHOLE = 1e6
"""Sizes of numbers that are rounded to whole ones."""
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
    if case.data == FLOATS and case.op.elementwise:
        _hold_whole_numbers(case)
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


def _hold_whole_numbers(case: Case) -> None:
    """A whole number counts as a real one: 2 gives what 2.0 gives, and so do arrays of them.

    What an array of whole numbers is not taken for is another matter.
    """
    if not all([type(x) is float and abs(x) < _WHOLE for x in case.operands]):
        return
    whole = [round(x) for x in case.operands]
    wanted = case.on(tuple(map(float, whole))).outputs
    others = [(whole, "numbers")]
    others += [] if numpy() is None else [([numpy().array([n]) for n in whole], "arrays")]
    for operands, kind in others:
        try:
            found = case.on(tuple(operands)).outputs
        except Exception:
            if kind == "arrays":
                continue
            raise
        hold(
            [y[0] if shape(y) else y for y in found], wanted,
            f"{kind} of integers give another value than the real numbers do",
            relative=CLOSE, types=False, integers=whole,
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


CHECKS = (
    Check("value", "floats, arrays, Values and opgrad's own ops give one value", value, tier=QUICK),
)
