"""Lower precision: float32 and float16 against a run in float64, within what rounding explains."""

from __future__ import annotations

import functools
from typing import Any

import attrs

from opgrad.errors import OpgradError
from opgrad.testing.cases import Case, is_array, numpy
from opgrad.testing.checks.check import Check, CheckFailure, NotCheckable
from opgrad.testing.checks.compare import hold, largest

ROUNDINGS = 32.0
"""Rounding errors that a result may carry, in units of eps times its size."""
_MARGIN = 16.0
"""How far below the largest number a result is to be, so that nothing on the way overflows."""


@attrs.frozen
class Precision:
    """A floating dtype, and how close to a run in float64 its results are to be."""

    dtype: str

    def check(self, case: Case) -> None:
        """Values and gradients are of the dtype of the data, and right within its precision.

        What is right is computed in float64, from the same rounded data. How far a result may be
        off is told by the data, too: by how much it moves when each entry moves by one rounding.
        """
        low = case.on(tuple([_cast(x, self.dtype) for x in case.operands]))
        high = low.on(tuple([_cast(x, "float64") for x in low.operands]))
        moved = [
            high.on(tuple([_nudged(x, self.eps, turn) for x in high.operands])) for turn in range(3)
        ]
        outputs = self._outputs(low)
        self._hold(
            "the value", outputs, high.outputs, [each.outputs for each in moved],
            keeps="dtype" not in case.attributes,
        )  # fmt: skip
        if case.chosen and case.weights:
            g = [_cast(w, self.dtype) for w in case.weights]
            wide = [_cast(w, "float64") for w in g]
            found, wanted, *others = [
                list(each.pull(case.chosen)(g if each is low else wide))
                for each in (low, high, *moved)
            ]
            self._hold("the gradient", found, wanted, others, keeps=True)

    def _outputs(self, low: Case) -> list[Any]:
        """What the op gives; a library may have no half precision."""
        try:
            return low.outputs
        except TypeError as error:
            if self.dtype == "float16" and not isinstance(error, OpgradError):
                raise NotCheckable(f"not for float16: {error}") from error
            raise

    def _hold(
        self, what: str, found: list[Any], wanted: list[Any], moved: list[list[Any]], *, keeps: bool
    ) -> None:
        np = numpy()
        size = max([largest(w) for w in wanted], default=0.0)
        for i, got in enumerate(found):
            reference = np.asarray(wanted[i])
            if reference.dtype.kind not in "fc":
                continue
            dtype = np.dtype(self.dtype if reference.dtype.kind == "f" else "complex64")
            if keeps and got.dtype != dtype:
                raise CheckFailure(
                    f"{what} is not of the dtype of the data", got=got.dtype, wanted=dtype
                )
            others = [np.asarray(each[i]) for each in moved]
            if any([other.shape != reference.shape for other in others]):
                raise NotCheckable("the shape of the result depends on the data, which is rounded")
            hold(
                np.asarray(got).astype(reference.dtype), reference,
                f"{what} is further off than rounding explains{self._beyond(got)}",
                absolute=self._allowed(reference, others, size), types=False, data=got.dtype,
            )  # fmt: skip

    def _beyond(self, got: Any) -> str:
        """What to say of infinities and NaN."""
        if numpy().isfinite(got).all():
            return ""

        return f"; on the way to it a number leaves the range of {self.dtype}"

    def _allowed(self, reference: Any, others: list[Any], size: float) -> Any:
        """By how much each entry may be off; by anything near the end of the range."""
        np = numpy()
        spread = functools.reduce(np.maximum, [np.abs(other - reference) for other in others])
        spread = np.where(np.isfinite(spread), spread, np.inf)
        info = np.finfo(self.dtype)
        inside = np.abs(reference) < float(info.max) / _MARGIN
        allowed = ROUNDINGS * (self.eps * size + spread + float(info.smallest_subnormal))

        return np.where(inside, allowed, np.inf)

    @property
    def eps(self) -> float:
        """The spacing of numbers of this dtype at 1."""
        return float(numpy().finfo(self.dtype).eps)


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
        Precision("float32").check, applies=_is_inexact,
    ),
    Check(
        "float16", "float16 data give float16 results, right within its precision",
        Precision("float16").check, applies=_is_floating,
    ),
)  # fmt: skip
