"""Gated linear units: one operand opens or closes the way for another.

All are composites: the forward alone is a whole op, and the derivative is found by running it on
Values. glu also has a rule of its own, for speed.
"""

from __future__ import annotations

from opgrad import composite, sample, shape, uniform
from opgrad.errors import CallError
from opgrad_activations.self_gated import gelu, silu


@composite(
    symbol="GLU",
    # Each axis, a gate that is shut, one that is open.
    samples=(
        sample(uniform((6,))),
        sample(uniform((2, 4))),
        sample(uniform((2, 4)), axis=0),
        sample([1.0, 2.0, -800.0, 800.0]),
    ),
)
def glu(xp, x, *, axis=-1):
    """Return a sigmoid(b), where a and b are the first and second half of x along an axis.

    Source: Dauphin, Fan, Auli, Grangier 2016, arXiv:1612.08083.
    """
    a, b = halves(x, axis)

    return a * xp.sigmoid(b)


@glu.backward
def glu_backward(xp, g, x, *, axis):
    """Return both halves of the gradient, g s and g a s (1 - s) with s = sigmoid(b)."""
    a, b = halves(x, axis)
    opened = g * xp.sigmoid(b)

    return xp.concat((opened, opened * a * xp.sigmoid(-b)), axis=axis)


def halves(x, axis):
    """Return the first and second half of x along an axis.

    Raises:
        CallError: x has no such axis, or an odd number of entries along it.
    """
    size = shape(x)
    if not -len(size) <= axis < len(size):
        raise CallError(f"glu: x of shape {size} has no axis {axis}")
    half, odd = divmod(size[axis], 2)
    if odd:
        raise CallError(f"glu: axis {axis} of shape {size} cannot be halved; it must be even")
    before = (slice(None),) * (axis % len(size))

    return x[(*before, slice(None, half), ...)], x[(*before, slice(half, None), ...)]


@composite(
    elementwise=True,
    symbol="ReGLU",
    # An open gate, a shut one, operands that broadcast.
    samples=(sample(1.5, 2.0), sample(-1.5, 2.0), sample(uniform((2, 3)), uniform((3,), seed=1))),
)
def reglu(xp, gate, value):
    """Return relu(gate) value.

    Source: Shazeer 2020, arXiv:2002.05202.
    Kink: at gate 0 the derivative is 0, as that of relu.
    """
    return xp.relu(gate) * value


@composite(
    elementwise=True,
    symbol="GEGLU",
    # An open gate, a shut one, operands that broadcast, the tanh form.
    samples=(
        sample(1.5, 2.0),
        sample(-800.0, 2.0),
        sample(0.5, 2.0, approximate="tanh"),
        sample(uniform((2, 3)), uniform((3,), seed=1)),
    ),
)
def geglu(gate, value, *, approximate="none"):
    """Return gelu(gate) value; `approximate` as in gelu.

    Source: Shazeer 2020, arXiv:2002.05202.
    """
    return gelu(gate, approximate=approximate) * value


@composite(
    elementwise=True,
    symbol="SwiGLU",
    # An open gate, a shut one, operands that broadcast.
    samples=(sample(1.5, 2.0), sample(-800.0, 2.0), sample(uniform((2, 3)), uniform((3,), seed=1))),
)
def swiglu(gate, value):
    """Return silu(gate) value.

    Source: Shazeer 2020, arXiv:2002.05202.
    """
    return silu(gate) * value


OPS = (glu, reglu, geglu, swiglu)
