"""Broadcasting: shapes of every kind, numbers among arrays, and one axis more for a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opgrad import namespaces
from opgrad.projection import data_of
from opgrad.testing.cases import Case, is_array, numpy
from opgrad.testing.checks.check import Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import hold, largest
from opgrad.types import shape

SUMMED = 1e-11
"""Relative difference allowed between sums of the same numbers in another order."""
_SHAPES: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((), ()),
    ((0,), (0,)),
    ((1,), (1,)),
    ((2, 0), (1,)),
    ((3, 1), (2,)),
    ((), (2, 3)),
    ((2, 3), (1, 1)),
)
"""Shapes for the operands of an elementwise op, in turn; of one operand, the first of each."""


def broadcasting(case: Case) -> None:
    """Every mix of shapes and Python numbers gives what explicitly broadcast data gives."""
    if case.op.elementwise:
        for shapes in _SHAPES:
            _hold_broadcast(case, shapes)
        if len(case.chosen) > 1:
            for place in case.chosen:
                _hold_broadcast(case, ((2, 3), (2, 3)), number=place)
    else:
        _hold_batches(case)


def _broadcasts(case: Case) -> bool:
    """Whether there is something to broadcast, and with what."""
    return case.op.elementwise or (case.op.broadcasts and len(case.chosen) > 1)


def _hold_broadcast(
    case: Case, shapes: tuple[tuple[int, ...], ...], number: int | None = None
) -> None:
    """One mix; `number` is the place of an operand that is a Python number."""
    np = numpy()
    operands = list(case.operands)
    arrays = [i for i, x in enumerate(operands) if x is not None]
    for turn, i in enumerate(arrays):
        entries = np.ravel(operands[i])
        if not entries.size:
            raise NotCheckable("the sample has no entries to make arrays of")
        wanted = shapes[turn % len(shapes)]
        operands[i] = np.resize(entries, wanted) if i != number else entries[0].item()
    mixed = case.on(tuple(operands))
    whole = np.broadcast_shapes(*[shape(operands[i]) for i in arrays])
    spread = list(operands)
    for i in arrays:
        spread[i] = np.broadcast_to(operands[i], whole).copy()
    full = case.on(tuple(spread))
    shown = " and ".join(["a number" if i == number else str(shape(operands[i])) for i in arrays])
    for got, wanted in zip(mixed.outputs, full.outputs, strict=True):
        if shape(got) != whole:
            raise CheckFailure(
                "an elementwise op gives a result of another shape",
                operands=shown, got=shape(got), wanted=whole,
            )  # fmt: skip
        hold(
            got, wanted, "broadcasting changes the value", relative=SUMMED, types=False,
            operands=shown,
        )  # fmt: skip
    if case.chosen:
        _hold_summed(mixed, full, shown)


def _hold_summed(mixed: Case, full: Case, shown: str) -> None:
    """The gradient of an operand that was broadcast is that of its copies, summed."""
    np = numpy()
    pulled = full.on(full.operands)
    gradients = [data_of(g) for g in mixed.pull(mixed.chosen)(mixed.weights)]
    weights = [np.broadcast_to(w, shape(y)) for w, y in _real_pairs(mixed, full)]
    copies = [data_of(g) for g in pulled.pull(mixed.chosen)(weights)]
    for place, got, parts in zip(mixed.chosen, gradients, copies, strict=True):
        x = mixed.operands[place]
        if shape(got) != shape(x):
            raise CheckFailure(
                "the gradient is not of the shape of its operand", operands=shown,
                operand=mixed.name_of(place), got=shape(got), wanted=shape(x),
            )  # fmt: skip
        added = parts.ndim - len(shape(x))
        axes = tuple(range(added)) + tuple(
            [added + i for i, n in enumerate(shape(x)) if n == 1 and parts.shape[added + i] != 1]
        )
        wanted = parts.sum(axis=axes, keepdims=True).reshape(shape(x))
        sizes = np.abs(parts).sum(axis=axes, keepdims=True).reshape(shape(x))
        hold(
            got, wanted, "the gradient of a broadcast operand is not that of its copies, summed",
            absolute=SUMMED * np.nan_to_num(sizes, posinf=0.0), types=False, operands=shown,
            operand=mixed.name_of(place),
        )  # fmt: skip


def _real_pairs(mixed: Case, full: Case) -> Iterator[tuple[Any, Any]]:
    """Each cotangent, and the real output it is to be broadcast to."""
    outputs = [y for y in full.outputs if namespaces.kind_of(y) is namespaces.REAL]

    return zip(mixed.weights, outputs, strict=True)


def _hold_batches(case: Case) -> None:
    """An operand that each entry of another's new axis uses gets the sum of their gradients."""
    np = numpy()
    held = 0
    for place in case.chosen:
        operands = list(case.operands)
        operands[place] = np.stack([operands[place], operands[place]])
        batch = case.on(tuple(operands))
        try:
            outputs = batch.outputs
        except Exception:  # noqa: BLE001 -- then it has to do with no axis
            outputs = []
        if not _is_stack(outputs, case.outputs):
            continue  # the axis means something else here, or is not taken
        held += 1
        both = [np.stack([w, 2.0 * np.asarray(w)]) for w in case.weights]
        gradients = [data_of(g) for g in batch.pull(case.chosen)(both)]
        single = [data_of(g) for g in case.pull(case.chosen)(case.weights)]
        for other, got, g in zip(case.chosen, gradients, single, strict=True):
            wanted = np.stack([g, 2.0 * g]) if other == place else 3.0 * g
            hold(
                got, wanted, "the gradient of a batch is not the sum of those of its entries",
                relative=SUMMED, absolute=SUMMED * largest(wanted), types=False,
                batched=case.name_of(place), operand=case.name_of(other),
            )  # fmt: skip
    if not held:
        raise NotCheckable("no operand takes an axis more")


def _is_stack(outputs: list[Any], single: list[Any]) -> bool:
    """Whether each result is the single one, twice."""
    np = numpy()

    return len(outputs) == len(single) and all(
        [
            shape(y) == (2, *shape(one)) and bool(np.allclose(y, np.stack([one, one])))
            for y, one in zip(outputs, single, strict=True)
        ]
    )


CHECKS = (
    Check(
        "broadcasting", "shapes and Python numbers mix as NumPy has it",
        broadcasting, applies=lambda case: is_array(case) and _broadcasts(case),
    ),
)  # fmt: skip
