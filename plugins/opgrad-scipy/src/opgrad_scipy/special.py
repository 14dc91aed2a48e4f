"""What the families share: SciPy's functions, fetched when first used, and refusals."""

from __future__ import annotations

from typing import Any

from opgrad import namespaces
from opgrad.errors import CallError, MissingRuleError

_FUNCTIONS: dict[str, Any] = {}


def evaluate(name: str, *operands: Any) -> Any:
    """`scipy.special`'s function on plain real data, in the type of the data.

    Python numbers give a Python number, float16 stays float16.

    Raises:
        CallError: An operand is complex: the rules of most ops here hold on the real line alone.
    """
    if any([type(o) is complex or _kind(o) == "c" for o in operands]):
        message = f"scipy.{name.strip('_')} takes real operands, and one is complex"
        raise CallError(message)

    return evaluate_complex(name, *operands)


def evaluate_complex(name: str, *operands: Any) -> Any:
    """As `evaluate`, for the functions whose rules hold for complex data too."""
    y = (_FUNCTIONS.get(name) or _fetch(name))(*operands)
    if isinstance(y, tuple):
        return tuple([_as_given(part, operands) for part in y])

    return _as_given(y, operands)


def _as_given(y: Any, operands: tuple[Any, ...]) -> Any:
    """A result in the precision of the operands: SciPy widens half, and some of single.

    Arrays of another library were read by NumPy, and go back to theirs.
    """
    try:
        given = "".join([o.dtype.char for o in operands if hasattr(o, "dtype")])
    except AttributeError:  # no dtype of NumPy's
        foreign = next(o for o in operands if hasattr(o, "dtype"))
        return namespaces.of_type(type(foreign)).asarray(y)
    if not given:
        return y.item()
    if given.strip("efF"):
        return y
    wanted = "F" if y.dtype.kind == "c" else "f" if given.strip("e") else "e"

    return y if y.dtype.char == wanted else y.astype(wanted)


def _kind(x: Any) -> str | None:
    return getattr(getattr(x, "dtype", None), "kind", None)


def _fetch(name: str) -> Any:
    """Import SciPy, and keep the function. A leading underscore: one that SciPy wraps in Python."""
    from scipy import special  # noqa: PLC0415 -- slow to import, and not needed to list ops

    module = special._ufuncs if name.startswith("_") else special  # noqa: SLF001 -- as the wrapper does
    found = _FUNCTIONS[name] = getattr(module, name)

    return found


def unavailable(op: str, operand: str) -> MissingRuleError:
    """The error of a rule that cannot be had: the derivative is no function SciPy computes."""
    return MissingRuleError(
        f"scipy.{op} has no derivative with respect to {operand!r}: it exists, but SciPy has no "
        f"function for it. Hold {operand} fixed, with a plain number or "
        f"opgrad.stop_gradient({operand})"
    )


def check_whole(op: str, *, least: int | None = None, **attributes: Any) -> None:
    """Refuse an attribute that is not a whole number, or too small."""
    for name, value in attributes.items():
        whole = hasattr(value, "__index__") and not isinstance(value, bool)
        if not whole or (least is not None and value < least):
            bound = "" if least is None else f", at least {least}"
            message = f"scipy.{op}: {name} must be a whole number{bound}, got {value!r}"
            raise CallError(message)


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """c0 + c1 x + c2 x² + ..., by Horner's rule."""
    total: Any = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient

    return total
