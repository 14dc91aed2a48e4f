"""Choosing and rounding: where, maximum, minimum, clip, relu; floor, ceil, round, trunc.

Gradients are chosen too, never multiplied by a mask: 0 * inf would be nan where the answer is 0.
"""

from __future__ import annotations

from opgrad.define import elementwise
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.samples import sample

# ----------------------------------------------------------------------------------- choosing


@elementwise(
    nondiff=("condition",),
    samples=(
        sample(True, 2.0, -3.0),  # noqa: FBT003 -- an operand, not a flag
        sample(False, 2.0, -3.0),  # noqa: FBT003 -- an operand, not a flag
        sample([True, False], [1.0, 2.0], [3.0, 4.0]),
        sample([[True], [False]], [1.0, 2.0], 0.5),
    ),
)
def where(xp, condition, a, b):
    """a where the condition holds, else b. The branch not taken gets a gradient of exactly 0."""
    return xp.where(condition, a, b)


@where.backward("a")
def where_backward_a(xp, g, condition):
    """g where a was taken."""
    return xp.where(condition, g, 0.0)


@where.backward("b")
def where_backward_b(xp, g, condition):
    """g where b was taken."""
    return xp.where(condition, 0.0, g)


@where.jvp("a")
def where_jvp_a(xp, t, condition):
    """The tangent where a was taken."""
    return xp.where(condition, t, 0.0)


@where.jvp("b")
def where_jvp_b(xp, t, condition):
    """The tangent where b was taken."""
    return xp.where(condition, 0.0, t)


@elementwise(
    samples=(
        sample(2.0, -3.0),
        sample([1.0, 2.0], [3.0, -4.0]),
        sample([[1.0], [-2.0]], [0.0, 3.0, -1.0]),
        sample([1.0, -2.0], 0.0),
    ),
)
def maximum(xp, a, b):
    """The larger of a and b, nan where either is; at a tie the gradient is shared equally."""
    return xp.maximum(a, b)


@maximum.backward("a")
def maximum_backward_a(xp, g, a, b):
    """g where a is larger, half of it at a tie."""
    return _won(xp, g, a, b)


@maximum.backward("b")
def maximum_backward_b(xp, g, a, b):
    """g where b is larger, half of it at a tie."""
    return _won(xp, g, b, a)


@maximum.jvp("a")
def maximum_jvp_a(xp, t, a, b):
    """The tangent where a is larger, half of it at a tie."""
    return _won(xp, t, a, b)


@maximum.jvp("b")
def maximum_jvp_b(xp, t, a, b):
    """The tangent where b is larger, half of it at a tie."""
    return _won(xp, t, b, a)


@elementwise(
    samples=(
        sample(2.0, -3.0),
        sample([1.0, 2.0], [3.0, -4.0]),
        sample([[1.0], [-2.0]], [0.0, 3.0, -1.0]),
        sample([1.0, -2.0], 0.0),
    ),
)
def minimum(xp, a, b):
    """The smaller of a and b, nan where either is; at a tie the gradient is shared equally."""
    return xp.minimum(a, b)


@minimum.backward("a")
def minimum_backward_a(xp, g, a, b):
    """g where a is smaller, half of it at a tie."""
    return _won(xp, g, b, a)


@minimum.backward("b")
def minimum_backward_b(xp, g, a, b):
    """g where b is smaller, half of it at a tie."""
    return _won(xp, g, a, b)


@minimum.jvp("a")
def minimum_jvp_a(xp, t, a, b):
    """The tangent where a is smaller, half of it at a tie."""
    return _won(xp, t, b, a)


@minimum.jvp("b")
def minimum_jvp_b(xp, t, a, b):
    """The tangent where b is smaller, half of it at a tie."""
    return _won(xp, t, a, b)


def _won(xp, flow, high, low):
    """`flow` where high > low, half of it where they are equal, else 0."""
    shared = xp.where(high == low, 0.5 * flow, 0.0)

    return xp.where(high > low, flow, shared)


@elementwise(
    methods=("clip",),
    samples=(
        sample(0.5, 0.0, 1.0),
        sample(-0.5, 0.0, 1.0),
        sample(2.0, None, 1.5),
        sample(2.0, 3.0),
        sample([-2.0, 0.25, 2.0], -1.0, [1.0, 0.5, 1.5]),
        sample([[-2.0], [0.25]], [-1.0, 0.5]),
    ),
)
def clip(xp, x, min=None, max=None):  # noqa: A002 -- the names of NumPy and the Array API
    """x, but not below `min` nor above `max`; at a bound x still counts as inside.

    Either bound may be left out. They are differentiable too: outside, the gradient is theirs.
    """
    y = x if min is None else xp.maximum(x, min)

    return y if max is None else xp.minimum(y, max)


@clip.backward("x")
def clip_backward_x(xp, g, x, min, max):  # noqa: A002 -- the operands' names
    """g inside the bounds and on them."""
    return _inside(xp, g, x, min, max)


@clip.jvp("x")
def clip_jvp_x(xp, t, x, min, max):  # noqa: A002 -- the operands' names
    """The tangent inside the bounds and on them."""
    return _inside(xp, t, x, min, max)


def _inside(xp, flow, x, low, high):
    if low is not None:
        flow = xp.where(x < low, 0.0, flow)

    return flow if high is None else xp.where(x > high, 0.0, flow)


@clip.backward("min")
def clip_backward_min(xp, g, x, min, max):  # noqa: A002 -- the operands' names
    """g where x lies below the lower bound."""
    return _below(xp, g, x, min, max)


@clip.jvp("min")
def clip_jvp_min(xp, t, x, min, max):  # noqa: A002 -- the operands' names
    """The tangent where x lies below the lower bound."""
    return _below(xp, t, x, min, max)


def _below(xp, flow, x, low, high):
    flow = xp.where(x < low, flow, 0.0)

    return flow if high is None else xp.where(low > high, 0.0, flow)


@clip.backward("max")
def clip_backward_max(xp, g, x, min, max):  # noqa: A002 -- the operands' names
    """g where x lies above the upper bound."""
    return _above(xp, g, x, min, max)


@clip.jvp("max")
def clip_jvp_max(xp, t, x, min, max):  # noqa: A002 -- the operands' names
    """The tangent where x lies above the upper bound."""
    return _above(xp, t, x, min, max)


def _above(xp, flow, x, low, high):
    raised = x if low is None else xp.maximum(x, low)

    return xp.where(raised > high, flow, 0.0)


@elementwise(
    methods=("relu",),
    symbol="ReLU",
    kinks={0.0: 0.0},
    samples=(sample(2.0), sample(-3.0), sample([0.5, -2.0])),
)
def relu(xp, x):
    """max(x, 0), the rectifier; its derivative at the kink 0 is taken as 0."""
    return xp.relu(x)


@relu.backward
def relu_backward(xp, g, y):
    """g where x > 0."""
    return xp.where(y > 0.0, g, 0.0)


@relu.jvp
def relu_jvp(xp, t, y):
    """The tangent where x > 0."""
    return xp.where(y > 0.0, t, 0.0)


# ----------------------------------------------------------------------------------- rounding


@elementwise(methods=("floor",), samples=(sample(2.3), sample(-2.3), sample([0.5, -7.9])))
def floor(xp, x):
    """The largest whole number not above x; a step function, so its derivative is zero."""
    return xp.floor(x)


@floor.backward
def floor_backward(xp, g):
    """Zero: flat between the steps."""
    return xp.zeros_like(g)


@floor.jvp
def floor_jvp(xp, t):
    """Zero: flat between the steps."""
    return xp.zeros_like(t)


@elementwise(methods=("ceil",), samples=(sample(2.3), sample(-2.3), sample([0.5, -7.9])))
def ceil(xp, x):
    """The smallest whole number not below x; a step function, so its derivative is zero."""
    return xp.ceil(x)


@ceil.backward
def ceil_backward(xp, g):
    """Zero: flat between the steps."""
    return xp.zeros_like(g)


@ceil.jvp
def ceil_jvp(xp, t):
    """Zero: flat between the steps."""
    return xp.zeros_like(t)


@elementwise(
    methods=("round",),
    numpy=("rint", "around"),
    samples=(sample(2.3), sample(-2.7), sample([0.4, -7.9])),
)
def round_(xp, x):
    """The nearest whole number, halves to the even one; a step function: its derivative is zero."""
    return xp.round(x)


@round_.backward
def round_backward(xp, g):
    """Zero: flat between the steps."""
    return xp.zeros_like(g)


@round_.jvp
def round_jvp(xp, t):
    """Zero: flat between the steps."""
    return xp.zeros_like(t)


@elementwise(
    methods=("trunc",),
    numpy=("fix",),
    samples=(sample(2.3), sample(-2.3), sample([0.5, -7.9])),
)
def trunc(xp, x):
    """x without its fraction, rounded towards zero; a step function, so its derivative is zero."""
    return xp.trunc(x)


@trunc.backward
def trunc_backward(xp, g):
    """Zero: flat between the steps."""
    return xp.zeros_like(g)


@trunc.jvp
def trunc_jvp(xp, t):
    """Zero: flat between the steps."""
    return xp.zeros_like(t)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """The ops that choose and round."""
    return (
        where,
        maximum,
        minimum,
        clip,
        relu,
        floor,
        ceil,
        round_,
        trunc,
    )
