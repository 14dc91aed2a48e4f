"""The logistic function, its inverse and its logarithm."""

from __future__ import annotations

from opgrad import composite, elementwise, sample, uniform
from opgrad_scipy.special import evaluate


@composite(elementwise=True, samples=(sample(0.5), sample(-30.0), sample(uniform((2, 3)))))
def expit(xp, x):
    """Return 1 / (1 + e^-x): opgrad's own sigmoid.

    Source: Verhulst 1845, Recherches mathématiques sur la loi d'accroissement de la population.
    """
    return xp.sigmoid(x)


@elementwise(
    domain=(0.0, 1.0),
    samples=(sample(0.6), sample(0.01), sample(1e-9), sample(uniform((2, 3), 0.1, 0.9))),
)
def logit(x):
    """Return log(x / (1 - x)). At 0 and 1 value and derivative are infinite.

    Source: Berkson 1944, Application of the logistic function to bio-assay.
    """
    return evaluate("logit", x)


@logit.derivative
def logit_derivative(xp, x):
    """Return 1 / (x (1 - x)), as a sum, whose derivatives are right at 0 and 1 too."""
    return xp.divide(1.0, x) + xp.divide(1.0, 1.0 - x)


@elementwise(samples=(sample(0.5), sample(-800.0), sample(30.0), sample(uniform((2, 3)))))
def log_expit(x):
    """Return log(expit(x)), exact on both sides.

    Source: SciPy's reference, scipy.special.log_expit.
    """
    return evaluate("log_expit", x)


@log_expit.derivative
def log_expit_derivative(xp, x):
    """Return 1 - expit(x), as expit(-x)."""
    return xp.sigmoid(-x)


OPS = (expit, logit, log_expit)
