"""Comparisons, logic and tests for special numbers. Their results are constants: no derivative."""

from __future__ import annotations

from opgrad.define import elementwise
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample

_PAIRS = (
    sample(2.0, -3.0),
    sample(1.0, 1.0),
    sample([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]),
    sample([[1.0], [2.0]], [1.0, 2.0, 3.0]),
    sample([1.0, -2.0], 1.0),
)
_TRUTHS = (
    sample(True, False),  # noqa: FBT003 -- operands, not flags
    sample([True, False, True], [True, True, False]),
    sample([[True], [False]], [True, False]),
)
_BITS = (*_TRUTHS, sample(6, 3), sample([6, 1], [3, 4]))
_NUMBERS = (sample(1.0), sample(float("inf")), sample([float("nan"), -float("inf"), 0.0]))


# -------------------------------------------------------------------------------- comparisons


@elementwise(nondiff=True, operator="==", samples=_PAIRS)
def equal(a, b):
    """a == b; nan equals nothing, itself included."""
    return a == b


@elementwise(nondiff=True, operator="!=", samples=_PAIRS)
def not_equal(a, b):
    """a != b; nan differs from everything, itself included."""
    return a != b


@elementwise(nondiff=True, operator="<", samples=_PAIRS)
def less(a, b):
    """a < b."""
    return a < b


@elementwise(nondiff=True, operator="<=", samples=_PAIRS)
def less_equal(a, b):
    """a <= b."""
    return a <= b


@elementwise(nondiff=True, operator=">", samples=_PAIRS)
def greater(a, b):
    """a > b."""
    return a > b


@elementwise(nondiff=True, operator=">=", samples=_PAIRS)
def greater_equal(a, b):
    """a >= b."""
    return a >= b


# -------------------------------------------------------------------------------------- logic


@elementwise(nondiff=True, samples=_TRUTHS)
def logical_and(xp, a, b):
    """True where both are true (not zero)."""
    return xp.logical_and(a, b)


@elementwise(nondiff=True, samples=_TRUTHS)
def logical_or(xp, a, b):
    """True where one or both are true (not zero)."""
    return xp.logical_or(a, b)


@elementwise(nondiff=True, samples=_TRUTHS)
def logical_xor(xp, a, b):
    """True where exactly one is true (not zero)."""
    return xp.logical_xor(a, b)


@elementwise(
    nondiff=True,
    samples=(sample(True), sample([True, False])),  # noqa: FBT003 -- an operand, not a flag
)
def logical_not(xp, x):
    """True where x is false (zero)."""
    return xp.logical_not(x)


@elementwise(nondiff=True, operator="&", samples=_BITS)
def bitwise_and(a, b):
    """Bits set in both; on booleans the logical and."""
    return a & b


@elementwise(nondiff=True, operator="|", samples=_BITS)
def bitwise_or(a, b):
    """Bits set in one or both; on booleans the logical or."""
    return a | b


@elementwise(nondiff=True, operator="^", samples=_BITS)
def bitwise_xor(a, b):
    """Bits set in exactly one; on booleans the exclusive or."""
    return a ^ b


@elementwise(
    nondiff=True,
    operator="~",
    numpy=("invert",),
    samples=(sample(True), sample([True, False]), sample(6)),  # noqa: FBT003 -- an operand
)
def bitwise_invert(xp, x):
    """Every bit turned; on booleans the logical not."""
    return xp.bitwise_invert(x)


@elementwise(
    nondiff=True,
    operator="<<",
    numpy=("left_shift",),
    samples=(sample(6, 3), sample([6, 1], [3, 0]), sample([[1], [2]], [1, 2, 3])),
)
def bitwise_left_shift(a, b):
    """a << b: the bits of a moved up by b places, a · 2ᵇ where nothing falls off."""
    return a << b


@elementwise(
    nondiff=True,
    operator=">>",
    numpy=("right_shift",),
    samples=(sample(6, 1), sample([6, -1], [1, 4]), sample([[8], [9]], [1, 2, 3])),
)
def bitwise_right_shift(a, b):
    """a >> b: the bits of a moved down by b places, floor(a / 2ᵇ)."""
    return a >> b


# ---------------------------------------------------------------------------- special numbers


@elementwise(nondiff=True, samples=_NUMBERS)
def isnan(xp, x):
    """True where x is not a number."""
    return xp.isnan(x)


@elementwise(nondiff=True, samples=_NUMBERS)
def isinf(xp, x):
    """True where x is inf or -inf."""
    return xp.isinf(x)


@elementwise(nondiff=True, samples=_NUMBERS)
def isfinite(xp, x):
    """True where x is neither infinite nor nan."""
    return xp.isfinite(x)


@elementwise(nondiff=True, samples=(sample(-0.0), sample(2.0), sample([-1.0, float("inf")])))
def signbit(xp, x):
    """True where x has the sign -, as -0.0 has."""
    return xp.less(xp.copysign(1.0, x), 0.0)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """The comparisons, logic, and tests for special numbers."""
    return (
        equal,
        not_equal,
        less,
        less_equal,
        greater,
        greater_equal,
        logical_and,
        logical_or,
        logical_xor,
        logical_not,
        bitwise_and,
        bitwise_or,
        bitwise_xor,
        bitwise_invert,
        bitwise_left_shift,
        bitwise_right_shift,
        isnan,
        isinf,
        isfinite,
        signbit,
    )
