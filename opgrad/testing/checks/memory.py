"""Memory: what an op is given stays as it is, and what it gives is its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opgrad import trees
from opgrad.errors import MissingRuleError
from opgrad.testing.cases import Case, is_array, numpy
from opgrad.testing.checks import raw
from opgrad.testing.checks.check import REFUSED, Check, CheckFailure
from opgrad.testing.checks.compare import hold, largest
from opgrad.transforms import linearize

CLOSE = 1e-11
"""Relative difference allowed between two layouts of the same data: sums run in another order."""


def mutation(case: Case) -> None:
    """The forward writes nothing into its operands, and no rule into g, t, y or an operand."""
    given = _copied(case)
    taken = raw.run(given)
    _hold_unwritten(zip(_names(given), given.operands, case.operands, strict=True), "the forward")
    for call in taken.rules():
        before = {name: _copy(held) for name, held in call.arguments.items() if name != "xp"}
        try:
            call()
        except MissingRuleError:
            continue
        for name, copy in before.items():
            held = call.arguments[name]
            pairs = zip(trees.leaves(held), trees.leaves(copy), strict=True)
            _hold_unwritten([(name, one, other) for one, other in pairs], call.name)
    if case.chosen:  # what the engine does around the rules
        again = _copied(case)
        weights = [_copy(w) for w in case.weights]
        again.pull(case.chosen)(weights)
        try:
            _, push = linearize(
                again.function(case.chosen), *[again.operands[i] for i in case.chosen]
            )
            push(*[_copy(t) for t in case.directions])
        except REFUSED:
            pass
        named = zip(_names(again), again.operands, case.operands, strict=True)
        _hold_unwritten(named, "a sweep")
        _hold_unwritten(
            [("g", w, held) for w, held in zip(weights, case.weights, strict=True)], "a sweep"
        )


def _names(case: Case) -> list[str]:
    names = case.op.names_of(case.operands)

    return [name or f"operand {i}" for i, name in enumerate(names)][: len(case.operands)]


def _copied(case: Case) -> Case:
    return case.on(tuple([_copy(x) for x in case.operands]))


def _copy(x: Any) -> Any:
    return trees.map_leaves(lambda leaf: leaf.copy() if hasattr(leaf, "copy") else leaf, x)


def _hold_unwritten(pairs: Any, who: str) -> None:
    for name, now, before in pairs:
        if hasattr(now, "tobytes") and now.tobytes() != before.tobytes():
            hold(now, before, f"{who} writes into {name!r}", entry_of=name)
            raise CheckFailure(f"{who} writes into {name!r}")


# -- aliasing -------------------------------------------------------------------------------------


def aliasing(case: Case) -> None:
    """The result has memory of its own, but where the op is a view; gradients always have."""
    outputs = case.outputs
    again = case.on(tuple([_copy(x) for x in case.operands]))
    for y in outputs:
        for name, x in zip(_names(case), case.operands, strict=True):
            if _share(y, x) and not _may_share(case, y, x):
                raise CheckFailure(
                    "the result shares memory with an operand: writing into one changes the other",
                    operand=name,
                )  # fmt: skip
        for other in again.outputs:
            if _share(y, other):
                raise CheckFailure("two calls give results in the same memory")
    if case.chosen:
        gradients = case.gradients()
        held = [*case.operands, *outputs, *case.weights]
        for i, g in enumerate(gradients):
            if any([_share(g, x) for x in [*held, *gradients[:i]]]):
                raise CheckFailure("a gradient shares memory with what it was made of")


def _share(x: Any, y: Any) -> bool:
    both = hasattr(x, "__array_interface__") and hasattr(y, "__array_interface__")

    return both and x.size > 0 and bool(numpy().may_share_memory(x, y))


def _may_share(case: Case, y: Any, x: Any) -> bool:
    """Whether the result may show the data of an operand, as NumPy's reshape and `real` do."""
    if not case.op.elementwise:
        return y is x or y.base is not None
    same = getattr(numpy(), case.op.name, None)

    return same is not None and _share(same(*case.operands), x)


# -- layout ---------------------------------------------------------------------------------------


def layout(case: Case) -> None:
    """Read-only data, gaps, a step backwards and Fortran's order make no difference.

    Neither do they in the cotangent; that is often one number, shown as an array.
    """
    outputs, weights = case.outputs, case.weights if case.chosen else []
    gradients = case.gradients() if case.chosen else []
    for name, lay in _LAYOUTS.items():
        other = case.on(tuple([_laid(x, lay) for x in case.operands]))
        given = [_laid(w, lay) for w in weights]
        _hold_layout(name, other, given, outputs, gradients)
    spread = [_laid(w, _one_number) for w in weights]
    if any([w is not given for w, given in zip(spread, weights, strict=True)]):
        wanted = case.gradients(case.chosen, [w.copy() for w in spread])
        _hold_layout("one number as an array of g", case, spread, outputs, wanted)


def _hold_layout(
    name: str, case: Case, weights: list[Any], outputs: list[Any], gradients: list[Any]
) -> None:
    try:
        found = case.outputs
        swept = case.gradients(case.chosen, weights) if weights else gradients
    except ValueError as error:
        if "read-only" in str(error):
            raise CheckFailure("data that is read-only is written into") from error
        raise
    for got, wanted, what in ((found, outputs, "the value"), (swept, gradients, "the gradient")):
        hold(
            got, wanted, f"{what} depends on how the data lies in memory: {name}",
            relative=CLOSE, absolute=[CLOSE * largest(w) for w in wanted],
        )  # fmt: skip


def _laid(x: Any, lay: Callable[[Any], Any]) -> Any:
    return lay(x) if hasattr(x, "strides") and x.ndim else x


def _read_only(x: Any) -> Any:
    copy = x.copy()
    copy.flags.writeable = False

    return copy


def _gaps(x: Any) -> Any:
    """Every other entry of a larger array, filled with what would be noticed."""
    np = numpy()
    wide = np.full([2 * n for n in x.shape], x.ravel()[0] if x.size else 0, dtype=x.dtype)
    view = wide[(slice(None, None, 2),) * x.ndim]
    view[...] = x

    return view


def _backwards(x: Any) -> Any:
    turn = (slice(None, None, -1),) * x.ndim

    return x[turn].copy()[turn]


def _fortran(x: Any) -> Any:
    return x.copy(order="F")


def _one_number(x: Any) -> Any:
    return numpy().broadcast_to(x.ravel()[:1].reshape(()), x.shape) if x.size else x


_LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "read-only": _read_only,
    "with gaps": _gaps,
    "backwards": _backwards,
    "in Fortran's order": _fortran,
}


CHECKS = (
    Check("mutation", "nothing given is written into", mutation, applies=is_array),
    Check("aliasing", "results and gradients have memory of their own", aliasing, applies=is_array),
    Check("layout", "read-only and strided data make no difference", layout, applies=is_array),
)
