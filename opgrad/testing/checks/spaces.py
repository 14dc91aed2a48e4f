"""The space of each gradient, what broadcasting does to it, and its linearity in the cotangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opgrad import namespaces, trees
from opgrad.errors import MissingRuleError
from opgrad.projection import data_of, is_complex, reaches
from opgrad.testing.cases import ARRAYS, Case, numpy
from opgrad.testing.checks import raw
from opgrad.testing.checks.check import Check, CheckFailure, NotApplicable
from opgrad.testing.checks.compare import dtype_of, hold, largest
from opgrad.transforms import linearize
from opgrad.types import shape

EXACT = 1e-13
"""Relative difference allowed between a gradient and the same, scaled by a power of two."""
SUMMED = 1e-11
"""Relative difference allowed between sums of the same numbers in another order."""


# -- what rules return ----------------------------------------------------------------------------


def space(case: Case) -> None:
    """Rules return one gradient an operand, of its shape, dtype and reality."""
    _need_gradient(case)
    _hold_rules(raw.run(case))
    if case.data == ARRAYS:
        single = _in_single(case)
        if single is not None:
            _hold_rules(single)
    for place, g in zip(case.chosen, case.gradients(), strict=True):
        x = case.operands[place]
        wanted = (float if type(x) in {int, bool} else type(x), shape(x), dtype_of(x))
        if (type(g), shape(g), dtype_of(g)) != wanted and not _both_arrays(g, x):
            raise CheckFailure(
                "the gradient is not in the space of its operand",
                operand=_name(case, place), got=namespaces.describe(g),
                wanted=namespaces.describe(x),
            )  # fmt: skip


def _both_arrays(g: Any, x: Any) -> bool:
    """NumPy's scalars and its arrays of no axis stand for each other."""
    return hasattr(g, "dtype") and shape(g) == shape(x) and g.dtype == getattr(x, "dtype", None)


def _in_single(case: Case) -> raw.Raw | None:
    """The same in single precision; None where the op is not for that, or changes the dtype."""
    np = numpy()
    kinds = {np.dtype("float64"): np.float32, np.dtype("complex128"): np.complex64}
    operands = tuple(
        [
            x.astype(kinds.get(x.dtype, x.dtype)) if i in case.real and hasattr(x, "dtype") else x
            for i, x in enumerate(case.operands)
        ]
    )
    try:
        found = raw.run(case.on(operands))
    except (TypeError, ValueError):
        return None
    of = [y.dtype for y in trees.leaves(found.y) if hasattr(y, "dtype")]

    return found if of and not any(dtype in kinds for dtype in of) else None


def _hold_rules(given: raw.Raw) -> None:
    outputs = list(trees.leaves(given.y))
    for call in given.rules():
        try:
            returned = call()
        except MissingRuleError:
            continue
        if call.kind == "jvp":
            parts = list(returned) if isinstance(returned, tuple | list) else [returned]
            if len(parts) != len(outputs):
                raise CheckFailure(
                    f"{call.name} returns one tangent an output",
                    got=len(parts), wanted=len(outputs),
                )  # fmt: skip
            for t, y in zip(parts, outputs, strict=True):
                _hold_part(given, call, t, y, "the output")
        elif call.operand is not None and not given.op.variadic:
            (d,) = returned if type(returned) is tuple and len(returned) == 1 else (returned,)
            x = given.operands[given.op.operands.index(call.operand)]
            _hold_part(given, call, d, x, f"operand {call.operand!r}")
        else:
            _hold_joint(given, call, returned)


def _hold_joint(given: raw.Raw, call: raw.Call, returned: Any) -> None:
    if not isinstance(returned, tuple) and len(given.operands) == 1:
        returned = (returned,)
    if not isinstance(returned, tuple) or len(returned) != len(given.operands):
        got = len(returned) if isinstance(returned, tuple) else namespaces.describe(returned)
        raise CheckFailure(
            f"{call.name} returns a tuple, one gradient an operand",
            got=got, wanted=len(given.operands),
        )  # fmt: skip
    names = given.op.names_of(given.operands)
    for name, x, d in zip(names, given.operands, returned, strict=True):
        if name not in given.op.nondiff and namespaces.kind_of(x) is namespaces.REAL:
            _hold_part(given, call, d, x, f"operand {name!r}")


def _hold_part(given: raw.Raw, call: raw.Call, d: Any, of: Any, what: str) -> None:
    """One gradient or tangent: of the right shape, floating, not wider, real where that is real."""
    op, y = given.op, next(iter(trees.leaves(given.y)))
    if d is None and not (call.kind == "jvp"):
        raise CheckFailure(f"{call.name} returns None for {what}, which is not nondiff")
    if d is None:
        return
    if namespaces.kind_of(of) is not namespaces.REAL:
        return
    facts = {"got": namespaces.describe(d), "of": f"{what}, {namespaces.describe(of)}"}
    kind = namespaces.kind_of(d)
    if kind is None or (kind is not namespaces.REAL and hasattr(d, "dtype")):
        raise CheckFailure(f"{call.name} returns what is no floating data", **facts)
    if call.kind == "derivative":
        fits = reaches(shape(d), shape(y))
    elif call.kind == "jvp":
        fits = shape(d) == shape(of) or (op.broadcasts and reaches(shape(d), shape(of)))
    else:
        summed = shape(y) if op.elementwise else shape(d)
        fits = shape(d) == shape(of) or (op.broadcasts and shape(d) == summed)
        fits = fits and (shape(d) == shape(of) or reaches(shape(of), shape(d)))
    if not fits:
        hint = "" if op.broadcasts else "; broadcasting is summed out for an op that declares it"
        raise CheckFailure(f"{call.name} returns a gradient of another shape{hint}", **facts)
    if hasattr(d, "dtype") and hasattr(of, "dtype") and _wider(d, of, y):
        raise CheckFailure(f"{call.name} returns a gradient of another dtype", **facts)
    if is_complex(d) and not is_complex(of) and not _takes_complex(given):
        raise CheckFailure(f"{call.name} returns a complex gradient of real data", **facts)


def _takes_complex(given: raw.Raw) -> bool:
    """Whether complex numbers are at home in the op: then the engine takes the real part."""
    everything = [*given.operands, *trees.leaves(given.y)]
    if any([namespaces.kind_of(x) is namespaces.REAL and is_complex(x) for x in everything]):
        return True
    operands = [x + 0j if namespaces.kind_of(x) is namespaces.REAL else x for x in given.operands]
    try:
        raw.forward(given.op, tuple(operands), given.attributes)
    except Exception:  # noqa: BLE001 -- whatever it is, it is a refusal
        return False

    return True


def _wider(d: Any, of: Any, y: Any) -> bool:
    """Whether a gradient has more digits than all of the data it was made of."""
    np = numpy()
    eps = [np.finfo(x.dtype).eps for x in (of, y) if hasattr(x, "dtype") and x.dtype.kind in "fc"]

    return bool(np.finfo(d.dtype).eps < min(eps))


# -- broadcasting ---------------------------------------------------------------------------------

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
    if case.data != ARRAYS:
        raise NotApplicable("broadcasting is of arrays")
    if case.op.elementwise:
        for shapes in _SHAPES:
            _hold_broadcast(case, shapes)
        if len(case.chosen) > 1:
            for place in case.chosen:
                _hold_broadcast(case, ((2, 3), (2, 3)), number=place)
    elif case.op.broadcasts:
        _hold_batches(case)
    else:
        raise NotApplicable("the operands of this op do not broadcast")


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
            raise NotApplicable("the sample has no entries to make arrays of")
        wanted = shapes[turn % len(shapes)]
        operands[i] = np.resize(entries, wanted) if i != number else entries[0].item()
    mixed = case.on(tuple(operands))
    whole = np.broadcast_shapes(*[shape(operands[i]) for i in arrays])
    spread = list(operands)
    for i in arrays:
        spread[i] = np.broadcast_to(operands[i], whole).copy()
    full = case.on(tuple(spread))
    shown = " and ".join(
        ["a number" if i == number else str(shape(operands[i])) for i in arrays]
    )
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
    weights = [np.broadcast_to(w, shape(y)) for w, y in zip(mixed.weights, full.outputs)]
    copies = [data_of(g) for g in pulled.pull(mixed.chosen)(weights)]
    for place, got, parts in zip(mixed.chosen, gradients, copies, strict=True):
        x = mixed.operands[place]
        if shape(got) != shape(x):
            raise CheckFailure(
                "the gradient is not of the shape of its operand", operands=shown,
                operand=_name(mixed, place), got=shape(got), wanted=shape(x),
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
            operand=_name(mixed, place),
        )  # fmt: skip


def _hold_batches(case: Case) -> None:
    """An operand used for each entry of a new axis of the others gets the sum of their gradients."""
    np = numpy()
    held = 0
    if len(case.chosen) < 2:  # noqa: PLR2004 -- one stays, another gets an axis
        raise NotApplicable("one operand alone broadcasts with nothing")
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
                batched=_name(case, place), operand=_name(case, other),
            )  # fmt: skip
    if not held:
        raise NotApplicable("no operand takes an axis more")


def _is_stack(outputs: list[Any], single: list[Any]) -> bool:
    """Whether each result is the single one, twice."""
    np = numpy()

    return len(outputs) == len(single) and all(
        [
            shape(y) == (2, *shape(one)) and bool(np.allclose(y, np.stack([one, one])))
            for y, one in zip(outputs, single, strict=True)
        ]
    )


# -- linearity ------------------------------------------------------------------------------------


def linearity(case: Case) -> None:
    """The backward is linear in the cotangent, and forward mode in the tangent."""
    _need_gradient(case)
    pull = case.pull()

    def backward(g: list[Any]) -> list[Any]:
        return [data_of(d) for d in pull(g)]

    _hold_linear(backward, case.weights, "the backward", "g")
    _, push = linearize(case.function(case.chosen), *[case.operands[i] for i in case.chosen])

    def forward(t: list[Any]) -> list[Any]:
        return [data_of(d) for d in push(*t)]

    try:
        _hold_linear(forward, case.directions, "forward mode", "t")
    except MissingRuleError:
        return


def _hold_linear(
    sweep: Callable[[list[Any]], list[Any]], given: list[Any], what: str, name: str
) -> None:
    once = sweep(given)
    for factor in (0.0, 2.0, -1.0):
        found = sweep([factor * x for x in given])
        wanted = [_scaled(d, factor) for d in once]
        hold(
            found, wanted, f"{what} is not linear: {factor:g} {name} gives another result",
            relative=EXACT, types=False,
        )  # fmt: skip


def _scaled(d: Any, factor: float) -> Any:
    """As a linear map has it: nothing gives nothing, also where the derivative is infinite."""
    if factor:
        return factor * d

    return numpy().zeros_like(d) if shape(d) else 0.0


def _need_gradient(case: Case) -> None:
    if not case.op.differentiable:
        raise NotApplicable("not differentiable: the result is a constant")
    if not case.chosen:
        raise NotApplicable("no operand here carries a derivative that the op has a rule for")
    if not case.weights:
        raise NotApplicable("the result here holds no real or complex number")


def _name(case: Case, place: int) -> str:
    names = case.op.operands

    return names[place] if names else f"{case.op.variadic}[{place}]"


CHECKS = (
    Check("space", "a gradient has the count, shape, dtype and reality of its operand", space),
    Check("broadcasting", "shapes and Python numbers mix as NumPy has it", broadcasting),
    Check("linearity", "the backward is linear in g, forward mode in t", linearity),
)
