"""Rectifiers: one straight line for each sign of the input."""

from __future__ import annotations

from opgrad import elementwise, sample, uniform

RELU6_TOP = 6.0


@elementwise(
    symbol="LeakyReLU",
    kinks={0.0: 0.01},
    # Both sides of the kink, one slope of our own.
    samples=(
        sample(1.5),
        sample(-2.0),
        sample(-2.0, negative_slope=0.2),
        sample(uniform((2, 3))),
    ),
)
def leaky_relu(xp, x, *, negative_slope=0.01):
    """Return x above zero, negative_slope * x below.

    Source: Maas, Hannun, Ng 2013, Rectifier nonlinearities improve neural network acoustic models.
    Kink: at 0 the derivative is `negative_slope`; with slope 0 that is the rule of relu.
    """
    return xp.where(x > 0.0, x, negative_slope * x)


@leaky_relu.derivative
def leaky_relu_derivative(xp, x, *, negative_slope):
    """Return 1 above zero, negative_slope up to it."""
    return xp.where(x > 0.0, xp.ones_like(x), negative_slope)


@elementwise(
    symbol="PReLU",
    # Both sides of the kink; one slope for all, one for each channel.
    samples=(
        sample(1.5, 0.25),
        sample(-2.0, 0.25),
        sample(uniform((4, 3)), 0.1),
        sample(uniform((4, 3)), [0.1, 0.2, -0.3]),
    ),
)
def prelu(xp, x, slope):
    """Return x above zero, slope * x below, where the slope is learned.

    The slope is an operand and broadcasts: a number, or one for each channel.
    Source: He, Zhang, Ren, Sun 2015, arXiv:1502.01852.
    Kink: at 0 the derivative is `slope`, as for leaky_relu.
    """
    return xp.where(x > 0.0, x, slope * x)


@prelu.derivative("x")
def prelu_derivative_x(xp, x, slope):
    """Return 1 above zero, slope up to it."""
    return xp.where(x > 0.0, xp.ones_like(x), slope)


@prelu.derivative("slope")
def prelu_derivative_slope(xp, x):
    """Return 0 above zero, x up to it."""
    return xp.where(x > 0.0, 0.0, x)


@elementwise(
    symbol="ReLU6",
    kinks={0.0: 0.0, RELU6_TOP: 0.0},
    # All three pieces.
    samples=(sample(-1.0), sample(2.5), sample(7.0), sample(uniform((2, 3), -4.0, 10.0))),
)
def relu6(xp, x):
    """Return x held between 0 and 6.

    Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10; arXiv:1704.04861.
    Kinks: at 0 and at 6 the derivative is 0, that of the flat side.
    """
    return xp.clip(x, 0.0, RELU6_TOP)


@relu6.derivative
def relu6_derivative(xp, x):
    """Return 1 strictly between the kinks, 0 elsewhere."""
    return xp.where((x > 0.0) & (x < RELU6_TOP), xp.ones_like(x), 0.0)


@elementwise(
    symbol="ReLU²",
    # Both sides of zero.
    samples=(sample(1.5), sample(-2.0), sample(uniform((2, 3)))),
)
def relu_squared(xp, x):
    """Return max(x, 0)^2.

    Source: So et al. 2021, Primer, arXiv:2109.08668.
    No kink: both sides have slope 0 at 0. The second derivative jumps there, and is 0.
    """
    return xp.square(xp.relu(x))


@relu_squared.derivative
def relu_squared_derivative(xp, x):
    """Return 2 max(x, 0)."""
    return 2.0 * xp.relu(x)


@elementwise(
    symbol="Threshold",
    kinks={0.0: 0.0},
    # Both sides, and a jump.
    samples=(
        sample(1.5),
        sample(-2.0),
        sample(0.5, threshold=1.0, value=-1.0),
        sample(uniform((2, 3))),
    ),
)
def threshold(xp, x, *, threshold=0.0, value=0.0):
    """Return x above the threshold, `value` up to it.

    Source: Konda, Memisevic, Krueger 2014, arXiv:1402.3337 (with value 0).
    Kink: at the threshold, where the function may also jump, the derivative is 0: the flat side.
    """
    return xp.where(x <= threshold, value, x)


@threshold.derivative
def threshold_derivative(xp, x, *, threshold):
    """Return 1 above the threshold, 0 up to it."""
    return xp.where(x > threshold, xp.ones_like(x), 0.0)


OPS = (leaky_relu, prelu, relu6, relu_squared, threshold)
