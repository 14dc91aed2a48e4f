"""Normalised functions: a whole axis is mapped to a probability distribution.

Their Jacobians are symmetric along the axis (log_softmax apart), so the backward rule of one is
its forward-mode rule with another name.
"""

from __future__ import annotations

from opgrad import composite, op, sample, uniform


@op(
    symbol="softmax",
    # Each axis, ties, and a winner that takes all.
    samples=(
        sample(uniform((5,))),
        sample(uniform((3, 4))),
        sample(uniform((3, 4)), axis=0),
        sample([1.0, 1.0, 0.5]),
        sample([800.0, -800.0, 0.0]),
    ),
)
def softmax(xp, x, *, axis=-1):
    """Return e^x / sum(e^x) along an axis; the largest x is taken off first.

    Source: Bridle 1990, Probabilistic interpretation of feedforward classification network outputs.
    """
    e = xp.exp(below_max(xp, x, axis))

    return e / xp.sum(e, axis=axis, keepdims=True)


@softmax.backward
def softmax_backward(xp, g, y, *, axis):
    """Return y (g - sum(g y))."""
    return y * (g - xp.sum(g * y, axis=axis, keepdims=True))


@softmax.jvp
def softmax_jvp(xp, t, y, *, axis):
    """Return y (t - sum(t y))."""
    return y * (t - xp.sum(t * y, axis=axis, keepdims=True))


@op(
    symbol="log_softmax",
    # Each axis, ties, and a winner that takes all.
    samples=(
        sample(uniform((5,))),
        sample(uniform((3, 4))),
        sample(uniform((3, 4)), axis=0),
        sample([1.0, 1.0, 0.5]),
        sample([800.0, -800.0, 0.0]),
    ),
)
def log_softmax(xp, x, *, axis=-1):
    """Return x - log(sum(e^x)) along an axis; the largest x is taken off first.

    Where one entry outweighs the rest its own value is near 0: so the largest entries are counted,
    not summed, and the logarithm is that of 1 + (the rest).
    Source: as softmax.
    """
    z = below_max(xp, x, axis)
    ones = xp.ones_like(z)
    ties = xp.sum(xp.where(z < 0.0, 0.0, ones), axis=axis, keepdims=True)
    rest = xp.sum(xp.where(z < 0.0, xp.exp(z), 0.0), axis=axis, keepdims=True)

    return z - xp.log1p((ties - 1.0) + rest)


@log_softmax.backward
def log_softmax_backward(xp, g, y, *, axis):
    """Return g - e^y sum(g)."""
    return g - xp.exp(y) * xp.sum(g, axis=axis, keepdims=True)


@log_softmax.jvp
def log_softmax_jvp(xp, t, y, *, axis):
    """Return t - sum(e^y t)."""
    return t - xp.sum(xp.exp(y) * t, axis=axis, keepdims=True)


@composite(
    symbol="softmin",
    # Each axis, and a winner that takes all.
    samples=(
        sample(uniform((3, 4))),
        sample(uniform((3, 4)), axis=0),
        sample([800.0, -800.0, 0.0]),
    ),
)
def softmin(x, *, axis=-1):
    """Return e^-x / sum(e^-x) along an axis.

    A composite: the derivative is found from that of softmax.
    Source: as softmax.
    """
    return softmax(-x, axis=axis)


@op(
    symbol="sparsemax",
    # Each axis, the whole support, part of it, one entry of it.
    samples=(
        sample(uniform((5,))),
        sample(uniform((3, 4))),
        sample(uniform((3, 4)), axis=0),
        sample([0.1, 0.2, 0.3]),
        sample([800.0, -800.0, 0.0]),
    ),
)
def sparsemax(xp, x, *, axis=-1):
    """Return the point of the probability simplex nearest to x, along an axis.

    It is max(x - tau, 0), with tau such that the sum is 1: small entries get exactly 0.
    Source: Martins, Astudillo 2016, arXiv:1602.02068 (algorithm 1).
    Kinks: an entry that is just about to enter the support (x = tau, y = 0) counts as outside it,
    the flat side.
    """
    z = xp.clip(below_max(xp, x, axis), -1.0, 0.0)  # tau >= -1: what lies lower is never chosen
    falling = -xp.sort(-z, axis=axis)
    total = xp.cumulative_sum(falling, axis=axis)
    rank = xp.cumulative_sum(xp.ones_like(z), axis=axis)
    chosen = 1.0 + rank * falling > total
    size = xp.sum(xp.where(chosen, xp.ones_like(z), 0.0), axis=axis, keepdims=True)
    tau = (xp.sum(xp.where(chosen, falling, 0.0), axis=axis, keepdims=True) - 1.0) / size

    return xp.relu(z - tau)


@sparsemax.backward
def sparsemax_backward(xp, g, y, *, axis):
    """Return g less its mean over the support, on the support; 0 elsewhere."""
    support = xp.where(y > 0.0, xp.ones_like(y), 0.0)
    size = xp.sum(support, axis=axis, keepdims=True)

    return support * (g - xp.sum(g * support, axis=axis, keepdims=True) / size)


@sparsemax.jvp
def sparsemax_jvp(xp, t, y, *, axis):
    """Return t less its mean over the support, on the support; 0 elsewhere."""
    return sparsemax_backward(xp, t, y, axis=axis)


@op(
    symbol="entmax15",
    # Each axis, the whole support, part of it, one entry of it.
    samples=(
        sample(uniform((5,))),
        sample(uniform((3, 4))),
        sample(uniform((3, 4)), axis=0),
        sample([0.1, 0.2, 0.3]),
        sample([800.0, -800.0, 0.0]),
    ),
)
def entmax15(xp, x, *, axis=-1):
    """Return max(x / 2 - tau, 0)^2 along an axis, with tau such that the sum is 1.

    It lies between softmax (no zeros) and sparsemax (many).
    Source: Peters, Niculae, Martins 2019, arXiv:1905.05702 (algorithm 2).
    Kinks: none; an entry enters the support with slope 0.
    """
    z = xp.clip(0.5 * below_max(xp, x, axis), -1.0, 0.0)  # tau >= -1, as in sparsemax
    falling = -xp.sort(-z, axis=axis)
    rank = xp.cumulative_sum(xp.ones_like(z), axis=axis)
    mean = xp.cumulative_sum(falling, axis=axis) / rank
    variance = xp.cumulative_sum(falling * falling, axis=axis) / rank - mean * mean
    tau = mean - xp.sqrt(xp.relu(1.0 / rank - variance))
    chosen = xp.where(tau <= falling, xp.ones_like(z), 0.0)
    size = xp.sum(chosen, axis=axis, keepdims=True)
    tau = xp.sum(xp.where(rank == size, tau, 0.0), axis=axis, keepdims=True)

    return xp.square(xp.relu(z - tau))


@entmax15.backward
def entmax15_backward(xp, g, y, *, axis):
    """Return r (g - sum(g r) / sum(r)) with r = sqrt(y)."""
    inside = y > 0.0
    # The root of an entry outside is 0 and stays so: without the inner where, a second derivative
    # would meet the infinite slope of sqrt at 0.
    root = xp.where(inside, xp.sqrt(xp.where(inside, y, 1.0)), 0.0)
    mean = xp.sum(g * root, axis=axis, keepdims=True) / xp.sum(root, axis=axis, keepdims=True)

    return root * (g - mean)


@entmax15.jvp
def entmax15_jvp(xp, t, y, *, axis):
    """Return r (t - sum(t r) / sum(r)) with r = sqrt(y)."""
    return entmax15_backward(xp, t, y, axis=axis)


def below_max(xp, x, axis):
    """Return x less its largest entry along the axis: nothing above 0, so no exp overflows."""
    return x - xp.max(x, axis=axis, keepdims=True)


OPS = (softmax, log_softmax, softmin, sparsemax, entmax15)
