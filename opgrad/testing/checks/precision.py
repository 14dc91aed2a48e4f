"""Lower precision: float32 and float16 against a run in float64, within what rounding explains."""

from __future__ import annotations

import functools
from typing import Any

from opgrad.errors import OpgradError
from opgrad.testing.cases import Case, is_array, numpy
from opgrad.testing.checks.check import Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import hold, largest

ROUNDINGS = 32.0
"""Rounding errors that a result may carry, in units of eps times its size."""


def single(case: Case, dtype: str = "float32") -> None:
    """Values and gradients are of the dtype of the data, and right within its precision.

    What is right is computed in float64, from the same rounded data. How far a result may be off
    is told by the data, too: by how much the result moves when each entry moves by one rounding.
    """
    np = numpy()
    low = case.on(tuple([_cast(x, dtype) for x in case.operands]))
    high = low.on(tuple([_cast(x, "float64") for x in low.operands]))
    try:
        found = low.outputs
    except OpgradError:
        raise
    except TypeError as error:
        if dtype == "float16":
            raise NotCheckable(f"not for float16: {error}") from error
        raise
    eps = float(np.finfo(dtype).eps)
    moved = [high.on(tuple([_nudged(x, eps, turn) for x in high.operands])) for turn in (0, 1, 2)]
    top = float(np.finfo(dtype).max)
    keeps = "dtype" not in case.attributes
    _hold_close(found, high.outputs, [m.outputs for m in moved], eps, top, "the value", keeps=keeps)
    if case.chosen and case.weights:
        g = [_cast(w, dtype) for w in case.weights]
        wide = [_cast(w, "float64") for w in g]
        low_pull, high_pull = low.pull(case.chosen), high.pull(case.chosen)
        _hold_close(
            list(low_pull(g)), list(high_pull(wide)),
            [list(m.pull(case.chosen)(wide)) for m in moved], eps, top, "the gradient", keeps=True,
        )  # fmt: skip


def _hold_close(  # noqa: PLR0913, PLR0917 -- private
    found: list[Any], wanted: list[Any], moved: list[list[Any]], eps: float, top: float, what: str,
    *, keeps: bool,
) -> None:  # fmt: skip
    np = numpy()
    size = max([largest(w) for w in wanted], default=0.0)
    for i, got in enumerate(found):
        reference = np.asarray(wanted[i])
        if reference.dtype.kind not in "fc":
            continue
        if keeps and got.dtype != _lowered(reference.dtype, eps):
            raise CheckFailure(
                f"{what} is not of the dtype of the data",
                got=got.dtype, wanted=_lowered(reference.dtype, eps),
            )  # fmt: skip
        if any([np.shape(m[i]) != reference.shape for m in moved]):
            raise NotCheckable("the shape of the result depends on the data, which is rounded")
        spread = functools.reduce(np.maximum, [np.abs(np.asarray(m[i]) - reference) for m in moved])
        spread = np.where(np.isfinite(spread), spread, np.inf)
        beyond = ~(np.abs(reference) < top / 16.0)  # out of range, or near it
        least = float(np.finfo(got.dtype).smallest_subnormal)
        allowed = ROUNDINGS * (eps * size + spread + least)
        allowed = np.where(beyond, np.inf, allowed)
        hold(
            np.asarray(got).astype(reference.dtype), reference,
            f"{what} is further off than rounding explains", absolute=allowed, types=False,
            data=got.dtype,
        )  # fmt: skip


def _lowered(dtype: Any, eps: float) -> Any:
    np = numpy()
    if dtype.kind == "c":
        return np.dtype("complex64")

    return np.dtype("float16" if eps > 1e-5 else "float32")  # noqa: PLR2004 -- 1e-3 against 1e-7


def _cast(x: Any, dtype: str) -> Any:
    if not hasattr(x, "dtype") or x.dtype.kind not in "fc":
        return x
    if x.dtype.kind == "c":
        dtype = {"float64": "complex128"}.get(dtype, "complex64")

    return x.astype(dtype)


def _nudged(x: Any, eps: float, turn: int) -> Any:
    """Each entry one rounding up or down."""
    np = numpy()
    if not hasattr(x, "dtype") or x.dtype.kind not in "fc":
        return x
    signs = np.where((np.arange(x.size) >> turn) % 2, 1.0, -1.0).reshape(x.shape)

    return x * (1.0 + (eps * signs if turn else eps))


def half(case: Case) -> None:
    """As `single`, in float16."""
    single(case, "float16")


def _is_floating(case: Case) -> bool:
    """Whether the data have a precision: arrays of floats."""
    return is_array(case) and any([_kind(x) == "f" for x in case.operands])


def _is_inexact(case: Case) -> bool:
    return is_array(case) and any([_kind(x) in {"f", "c"} for x in case.operands])


def _kind(x: Any) -> str:
    return x.dtype.kind if hasattr(x, "dtype") else ""


CHECKS = (
    Check(
        "float32", "float32 data give float32 results, right within its precision",
        single, applies=_is_inexact,
    ),
    Check(
        "float16", "float16 data give float16 results, right within its precision",
        half, applies=_is_floating,
    ),
)  # fmt: skip
