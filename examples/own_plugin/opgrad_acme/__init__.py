"""The ops of the namespace `acme`."""

import math

import opgrad

LN2 = math.log(2.0)


@opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample(-3.0), opgrad.sample(800.0)))
def softplus2(xp, x):
    """softplus2(x) = log2(1 + 2^x), a smooth relu that is 1 at 0."""
    return xp.relu(x) + xp.log1p(xp.exp(-LN2 * xp.abs(x))) / LN2  # no overflow on either side


@softplus2.derivative
def softplus2_derivative(xp, x):
    """Return 2^x / (1 + 2^x)."""
    return xp.sigmoid(LN2 * x)


@opgrad.hookimpl
def opgrad_ops():
    """Return every op that this distribution brings."""
    return (softplus2,)
