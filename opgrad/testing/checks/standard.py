"""The Array API standard: forwards and rules use nothing that only NumPy has."""

from __future__ import annotations

import importlib
from typing import Any

from opgrad import namespaces, trees
from opgrad.errors import MissingRuleError
from opgrad.plugins import PLUGINS
from opgrad.testing.cases import Case, is_array, numpy
from opgrad.testing.checks import raw
from opgrad.testing.checks.check import Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import hold, largest

CLOSE = 1e-11
"""Relative difference allowed between NumPy and the library that wraps it."""


def array_api(case: Case) -> None:
    """With a library that has the standard alone, forward and rules give what they give NumPy."""
    try:
        importlib.import_module("array_api_strict")
    except ImportError as error:
        raise NotCheckable(
            "array-api-strict is not installed: pip install array-api-strict"
        ) from error
    # For ops that rules call; from here on this process takes the library's arrays as data.
    namespaces.LIBRARIES.setdefault("array_api_strict", "opgrad.testing.strict")
    strict = importlib.import_module("opgrad.testing.strict")
    provider = case.op.provider
    ours = provider is not None and provider.namespace in PLUGINS.built_in
    by_numpy = raw.run(case)
    xp = strict if ours else strict.Public()
    given = raw.run(_with_dtype(case, strict), xp=xp, convert=strict.to_strict)
    _hold(strict, given.y, by_numpy.y, "the forward")
    for mine, theirs in zip(_with(strict, given, by_numpy), by_numpy.rules(), strict=True):
        try:
            wanted = theirs()
        except MissingRuleError:
            continue
        _hold(strict, mine(), wanted, theirs.name)


def _with_dtype(case: Case, strict: Any) -> Case:
    """The case with the library's dtype in the place of NumPy's, where one is an attribute."""
    dtype = case.attributes.get("dtype")
    if dtype is None:
        return case
    attributes = {**case.attributes, "dtype": getattr(strict, numpy().dtype(dtype).name)}

    return Case(case.op, case.sample, case.data, case.operands, attributes)


def _with(strict: Any, given: raw.Raw, by_numpy: raw.Raw) -> Any:
    """The rules on the library's data, with the cotangents and tangents NumPy's got."""
    for call in by_numpy.rules():
        more = {name: call.arguments[name] for name in ("g", "t") if name in call.arguments}
        converted = {name: trees.map_leaves(strict.to_strict, x) for name, x in more.items()}
        yield raw.Call(
            call.op, call.kind, call.operand, call.rule, {**given.arguments, **converted}
        )


def _hold(strict: Any, got: Any, wanted: Any, what: str) -> None:
    np = numpy()
    for one, other in zip(trees.leaves(got), trees.leaves(wanted), strict=True):
        if isinstance(one, np.ndarray | np.generic):
            raise CheckFailure(
                f"{what} gives a NumPy array of other data: it calls NumPy where xp is meant",
                got=namespaces.describe(one), wanted="what xp gives",
            )  # fmt: skip
        reference = np.asarray(other)
        hold(
            np.asarray(strict.to_numpy(one)), reference,
            f"{what} gives another result with the functions of the standard",
            relative=CLOSE, absolute=CLOSE * largest(reference), types=False,
        )  # fmt: skip


CHECKS = (
    Check(
        "array-api", "forward and rules use the Array API standard and no more",
        array_api, applies=is_array,
    ),
)  # fmt: skip
