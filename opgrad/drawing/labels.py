"""What the boxes say: numbers, arrays, names of operands, attributes, providers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from opgrad import namespaces
from opgrad.drawing.walking import is_input
from opgrad.op import Op
from opgrad.rules import REQUIRED
from opgrad.structure import ALIAS, INPUT, OPEN, PICK
from opgrad.types import shape
from opgrad.value import Value

_WIDEST = 24  # characters of a constant or an attribute in a box
_LONGEST = 39  # characters of a name
_KINDS = 4  # of ops that a fold names
_UNORDERED = {"+", "*", "&", "|", "^", "==", "!="}
_STRUCTURE = {ALIAS, INPUT, OPEN, PICK}  # which no plugin brought


# -- numbers and arrays ---------------------------------------------------------------------------


def number(x: Any) -> str:
    """A number to four digits: `2`, `-0.3333`, `12346`, `1.235e+08`, `1+2j`.

    Examples:
        >>> [number(x) for x in (2.0, -1 / 3, 12345.678, 123456789.0, 1 + 2j, True)]
        ['2', '-0.3333', '12346', '1.235e+08', '1+2j', 'True']
    """
    x = x.item() if hasattr(x, "item") else x  # those of NumPy overflow: abs(int8(-128)) is -128
    if isinstance(x, bool):
        return str(x)
    if x == 0:
        return "0"  # of either sign
    digits = ".4g" if _is_complex(x) or not 1e4 <= abs(x) < 1e6 else ".0f"  # noqa: PLR2004 -- as short as 1e+04
    try:
        return format(x, digits)
    except OverflowError:  # a whole number that no float holds
        return _cut(str(x))


def spread(data: Any) -> str:
    """The least, mean and greatest entry of an array: `-1 / 0.5 / 2`."""
    xp = namespaces.of_type(type(data))
    if data.size == 0:
        return "empty"
    if xp.isdtype(data.dtype, "bool"):
        return f"{int(xp.sum(data))} of {data.size} true"
    with namespaces.quiet():
        if bool(xp.any(xp.isnan(data))):
            return f"{int(xp.sum(xp.isnan(data)))} of {data.size} NaN"
        mean = number(xp.mean(data))
        if _is_complex(data):
            return f"mean {mean}"
        least, greatest = xp.min(data), xp.max(data)
    if bool(least == greatest):
        return f"all {number(least)}"

    return f"{number(least)} / {mean} / {number(greatest)}"


def _is_complex(x: Any) -> bool:
    return isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c"


def _array(data: Any) -> str:
    return f"{data.dtype} {'×'.join(map(str, data.shape))}"


def _constant(x: Any) -> str:
    """A plain operand in a few words."""
    if isinstance(x, int | float | complex) or (hasattr(x, "dtype") and shape(x) == ()):
        return number(x)

    return _array(x) if hasattr(x, "dtype") else _cut(repr(x))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


# -- Values ---------------------------------------------------------------------------------------


def value_lines(value: Value) -> tuple[str, ...]:
    """Data and gradient; a Value that no gradient flows to has none."""
    data = value.data
    if type(data) is tuple:
        return (f"{len(data)} outputs",)
    lines = [f"data {number(data) if shape(data) == () else spread(data)}"]
    if value.requires_grad:
        grad = _grad(value)
        lines.append(f"grad {number(grad) if shape(grad) == () else spread(grad)}")
    if shape(data) == ():
        return tuple(lines)
    legend = " min/mean/max" if any(" / " in line for line in lines) else ""

    return (f"{_array(data)}{legend}", *lines)


def name_of(text: str) -> str:
    r"""A name in one line that fits a box, of characters that can be printed.

    Examples:
        >>> name_of("a\nb"), name_of("model." + "x" * 60)
        ('a b', 'model.xxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxx')
    """
    text = " ".join("".join([c if c.isprintable() else " " for c in text]).split())

    return text if len(text) <= _LONGEST else f"{text[:15]}…{text[15 - _LONGEST :]}"


def value_hint(value: Value) -> str:
    """What a pointer is told of a Value."""
    kind = "leaf" if is_input(value) else "result"

    return f"{value.described}, a {kind if value.requires_grad else 'constant'}"


def _grad(value: Value) -> Any:
    """The gradient as plain data; where none came, one zero for all entries: no array is made."""
    if value.shape and getattr(value, "_grad", None) is None:
        xp = namespaces.of_type(type(value.data))
        return xp.broadcast_to(xp.asarray(0.0), value.shape)
    grad = value.grad

    return grad.data if type(grad) is Value else grad


# -- ops ------------------------------------------------------------------------------------------


@attrs.frozen
class Call:
    """How one call of an op is shown."""

    title: str
    lines: tuple[str, ...]
    operands: tuple[str, ...]
    """A label for the arrow of each operand, "" where none is needed."""
    provider: str
    hint: str


def call_of(value: Value) -> Call:
    """The op that made a Value, with the constants and attributes it was called with."""
    op: Any = value.op
    operands = value.operands
    names = _operand_names(op, operands)
    plain = {
        name: _constant(operand)
        for name, operand in zip(names, operands, strict=True)
        if operand is not None and type(operand) is not Value
    }
    infix = _infix(op, operands)
    ordered = sum(operand is not None for operand in operands) > 1 and not infix
    lines = [] if infix else [f"{name} = {text}" for name, text in plain.items()]

    return Call(
        title=infix or _symbol(op),
        lines=(*lines, *_attributes(op, value)),
        operands=names if ordered and op.operator not in _UNORDERED else ("",) * len(operands),
        provider=_namespace(op),
        hint=op.described,
    )


def _operand_names(op: Op, operands: tuple[Any, ...]) -> tuple[str, ...]:
    if op.variadic:
        return tuple([f"{op.variadic}[{index}]" for index in range(len(operands))])

    return tuple([name or "" for name in op.names_of(operands)])


def _infix(op: Op, operands: tuple[Any, ...]) -> str:
    """`* 2` or `1 -`: an operator with the number on one of its sides; else nothing."""
    if not op.operator or op.operator == "[]" or len(operands) != 2:  # noqa: PLR2004 -- two sides
        return ""
    left, right = [
        "" if type(operand) is Value else _constant(operand) if shape(operand) == () else None
        for operand in operands
    ]
    if left is None or right is None:
        return ""

    return f"{left} {_symbol(op)} {right}".strip() if left or right else ""


def _attributes(op: Op, value: Value) -> list[str]:
    """Those that differ from their defaults."""
    return [
        f"{name} = {_cut(repr(given))}"
        for name, given in value.attributes.items()
        if op.attributes.get(name, REQUIRED) is REQUIRED or given != op.attributes[name]
    ]


def _symbol(op: Op) -> str:
    return op.symbol or op.name


def _namespace(op: Op) -> str:
    """That of the plugin that ran: of a kernel its own, not that of the op it runs for."""
    return "" if op in _STRUCTURE else op.provider.namespace if op.provider else "local"


def shared(uses: Sequence[str]) -> str:
    """The label of the one arrow that stands for all uses of an operand in a call."""
    named = ", ".join(use for use in uses if use)

    return named or (f"×{len(uses)}" if len(uses) > 1 else "")


# -- folds ----------------------------------------------------------------------------------------


@attrs.frozen
class Fold:
    """How Values that share one box are shown."""

    title: str
    lines: tuple[str, ...]
    provider: str = ""
    hint: str = ""


def fold_of(values: Sequence[Value], called: Mapping[int, str]) -> Fold:
    """What Values have in common: their ops, or their name; and the range of their numbers."""
    made: Counter[Any] = Counter([value.op for value in values])
    for silent in (None, PICK, INPUT, OPEN):
        del made[silent]
    if not made:
        return Fold(f"×{len(values):,} {name_of(_common_name(values, called))}", _ranges(values))
    symbols = ", ".join([_symbol(op) for op in made][:_KINDS])
    more = f"and {len(made) - _KINDS} other ops" if len(made) > _KINDS else ""
    often = min(made.values())
    extra = [f"{n - often:,} × {_symbol(op)}" for op, n in made.items() if n > often]
    if often > 1 and max(made.values()) <= often + 1:  # the same steps, the last one cut short
        title = f"×{often:,} {symbols}"
        parts = [more, f"and {', '.join(extra[:_KINDS])}" if extra else ""]
    else:
        title = f"{sum(made.values()):,} calls"
        parts = [f"{n:,} × {_symbol(op)}" for op, n in made.most_common(_KINDS)] + [more]

    return Fold(
        title=title,
        lines=(*filter(None, parts), *_ranges(values)),
        provider=", ".join(dict.fromkeys(filter(None, map(_namespace, made)))),
        hint=", ".join([op.described for op in made]),
    )


def _common_name(values: Sequence[Value], called: Mapping[int, str]) -> str:
    """`w[…]`: numbers that differ among the names are left out."""
    names = [re.split(r"(\d+)", called[id(value)]) for value in values if id(value) in called]
    if not names:
        first = values[0]
        return "outputs" if first.op is PICK else "leaves" if first.requires_grad else "constants"

    return "".join([parts[0] if len(set(parts)) == 1 else "…" for parts in zip(*names)])  # noqa: B905 -- alike but for their numbers


def _ranges(values: Sequence[Value]) -> tuple[str, ...]:
    """From the least to the greatest number; of arrays dtype and shape, where they share them."""
    data = [value.data for value in values]
    if set(map(type, data)) <= {int, float}:
        grads = [_grad(value) for value in values if value.serial]
        return (f"data {_range(data)}", *([f"grad {_range(grads)}"] if grads else []))
    heads = {_array(x) if shape(x) else "" for x in data}

    return (f"each {heads.pop()}",) if len(heads) == 1 and heads != {""} else ()


def _range(numbers: Sequence[float]) -> str:
    if any(map(math.isnan, numbers)):
        return "with NaN"
    least, greatest = number(min(numbers)), number(max(numbers))

    return least if least == greatest else f"{least} … {greatest}"
