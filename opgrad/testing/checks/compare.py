"""Two results side by side: whether they agree, and if not, where they differ most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from opgrad import namespaces
from opgrad.testing.checks.check import CheckFailure
from opgrad.testing.differences import Index, indices
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
            hold(
                one, other, what, relative=relative, absolute=each, types=types, **place, **facts
            )
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
    if relative == 0.0 and not shape(absolute) and absolute == 0.0 and _same_bits(got, wanted):
        return None
    found: tuple[Index, float] | None = None
    excess = -math.inf
    for index in indices(wanted):
        one, other = entry(got, index), entry(wanted, index)
        if one == other or (_is_nan(one) and _is_nan(other)):
            continue
        error = abs(one - other) if not isinstance(other, bool) else 1.0
        error = math.inf if error != error else error  # noqa: PLR0124 -- nan against a number
        allowed = relative * abs(other) + (entry(absolute, index) if shape(absolute) else absolute)
        if not error <= allowed and error - allowed > excess:
            found, excess = (index, float(error)), error - allowed

    return found


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
    sizes: Sequence[float] = [abs(entry(data, index)) for index in indices(data)]

    return max([size for size in sizes if math.isfinite(size)], default=0.0)


def _same_bits(got: Any, wanted: Any) -> bool:
    if hasattr(got, "tobytes") and hasattr(wanted, "tobytes"):
        return bool(got.tobytes() == wanted.tobytes())

    return False


def _is_nan(x: Any) -> bool:
    return bool(x != x)  # noqa: PLR0124 -- NaN alone differs from itself
