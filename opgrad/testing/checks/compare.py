"""Two results side by side: whether they agree, and if not, where they differ most."""

from __future__ import annotations

import math
from typing import Any

from opgrad import namespaces
from opgrad.testing.cases import numpy
from opgrad.testing.checks.check import CheckFailure
from opgrad.testing.differences import Index
from opgrad.types import shape


def hold(  # noqa: PLR0913 -- two results, and how close they are to be
    got: Any,
    wanted: Any,
    what: str,
    *,
    relative: float = 0.0,
    absolute: Any = 0.0,
    types: bool = True,
    **facts: object,
) -> None:
    """Raise where two results differ: in shape, in dtype, or in an entry.

    Args:
        got: Data, or a list of data.
        wanted: The same.
        what: What is wrong if they differ, in words.
        relative: The difference allowed of an entry, relative to it.
        absolute: The same in absolute terms; data of the shape of `wanted` for one an entry.
        types: Whether dtypes are held against each other, too.
        **facts: More to say in a failure.

    Raises:
        CheckFailure: They differ.
    """
    if isinstance(wanted, list):
        if len(got) != len(wanted):
            raise CheckFailure(what, got=f"{len(got)} results", wanted=len(wanted), **facts)
        spread = absolute if isinstance(absolute, list) else [absolute] * len(wanted)
        for number, parts in enumerate(zip(got, wanted, spread, strict=True)):
            place = {"result": number} if len(wanted) > 1 else {}
            one, other, each = parts
            hold(one, other, what, relative=relative, absolute=each, types=types, **place, **facts)
        return
    same = shape(got) == shape(wanted)
    if not same or (types and dtype_of(got) != dtype_of(wanted)):
        raise CheckFailure(
            what, got=namespaces.describe(got), wanted=namespaces.describe(wanted), **facts
        )
    found = worst(got, wanted, relative, absolute)
    if found is not None:
        index, error = found
        raise CheckFailure(
            what,
            **({"worst": f"entry {list(index)}"} if index else {}),
            got=entry(got, index),
            wanted=entry(wanted, index),
            error=f"{error:.3g}",
            **facts,
        )


def worst(got: Any, wanted: Any, relative: float, absolute: Any) -> tuple[Index, float] | None:
    """The entry that differs by the most above what is allowed, and by how much."""
    if not hasattr(wanted, "dtype"):
        error = _error(entry(got, ()), wanted)
        size = abs(wanted) if math.isfinite(abs(wanted)) else 0.0
        fits = not error or error <= relative * size + entry(absolute, ())
        return None if fits else ((), float(error))
    np = numpy()
    if not wanted.size:
        return None
    with np.errstate(all="ignore"):
        one, other = np.asarray(got), np.asarray(wanted)
        if one.dtype.kind == "b":
            one, other = one.astype(float), other.astype(float)
        same = (one == other) | ((one != one) & (other != other))  # noqa: PLR0124 -- NaN in both
        errors = np.where(same, 0.0, np.abs(one - other))
        errors = np.where(np.isnan(errors), math.inf, errors)
        allowed = relative * np.where(np.isfinite(other), np.abs(other), 0.0) + absolute
        fits = same | (errors <= allowed)
        excess = np.where(fits, -math.inf, errors - np.where(np.isfinite(allowed), allowed, 0.0))
    if not (excess > 0.0).any():
        return None
    index = tuple(map(int, np.unravel_index(int(np.argmax(excess)), excess.shape)))

    return index, float(errors[index])


def _error(one: Any, other: Any) -> float:
    """How far two numbers are apart: nothing where both are NaN, or the same infinity."""
    if one == other or (one != one and other != other):  # noqa: PLR0124 -- NaN in both
        return 0.0
    error = abs(one - other)

    return math.inf if error != error else error  # noqa: PLR0124 -- NaN: not comparable


def entry(data: Any, index: Index) -> Any:
    """An entry as a Python number."""
    x = data[index] if index else data

    return x.item() if hasattr(x, "item") else x


def dtype_of(data: Any) -> Any:
    """The dtype of an array, the type of a number; every real number counts as a float."""
    if hasattr(data, "dtype"):
        return data.dtype

    return float if isinstance(data, int) and not isinstance(data, bool) else type(data)


def largest(data: Any) -> float:
    """The size of the largest finite entry; 0 where there is none."""
    if not hasattr(data, "dtype"):
        return abs(data) if math.isfinite(abs(data)) else 0.0
    np = numpy()
    sizes = np.abs(np.asarray(data, dtype="complex128" if data.dtype.kind == "c" else "float64"))

    return float(np.max(sizes, where=np.isfinite(sizes), initial=0.0))
