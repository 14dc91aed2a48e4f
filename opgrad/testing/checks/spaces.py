"""The space of each gradient: what rules return, before a sweep projects it."""

from __future__ import annotations

from typing import Any

from opgrad import namespaces, trees
from opgrad.errors import MissingRuleError
from opgrad.projection import is_complex, reaches
from opgrad.testing.cases import Case, is_array, is_differentiable, numpy
from opgrad.testing.checks import raw
from opgrad.testing.checks.check import QUICK, Check, CheckFailure, need_gradient
from opgrad.testing.checks.compare import dtype_of
from opgrad.types import shape


def space(case: Case) -> None:
    """Rules return one gradient an operand, of its shape, dtype and reality."""
    need_gradient(case)
    _hold_rules(raw.run(case))
    if is_array(case):
        single = _in_single(case)
        if single is not None:
            _hold_rules(single)
    for place, g in zip(case.chosen, case.gradients(), strict=True):
        x = case.operands[place]
        wanted = (float if type(x) in {int, bool} else type(x), shape(x), dtype_of(x))
        if (type(g), shape(g), dtype_of(g)) != wanted and not _both_arrays(g, x):
            raise CheckFailure(
                "the gradient is not in the space of its operand",
                operand=case.name_of(place), got=namespaces.describe(g),
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
        raise CheckFailure(
            f"{call.name} returns a gradient of another dtype; a number alone is float64 as an "
            "array, as in where(x > 0, 1.0, 0.0): begin with ones_like(x) or zeros_like(x)",
            **facts,
        )  # fmt: skip
    if is_complex(d) and not (is_complex(of) or is_complex(y)):
        raise CheckFailure(f"{call.name} returns a complex gradient of real data", **facts)


def _wider(d: Any, of: Any, y: Any) -> bool:
    """Whether a gradient has more digits than all of the data it was made of."""
    np = numpy()
    eps = [np.finfo(x.dtype).eps for x in (of, y) if hasattr(x, "dtype") and x.dtype.kind in "fc"]

    return bool(np.finfo(d.dtype).eps < min(eps))


CHECKS = (
    Check(
        "space", "a gradient has the count, shape, dtype and reality of its operand",
        space, tier=QUICK, applies=is_differentiable,
    ),
)  # fmt: skip
