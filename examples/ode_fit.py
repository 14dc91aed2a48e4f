"""The parameters of a differential equation, found through an unrolled Runge-Kutta solver.

Predators and prey, x' = αx - βxy and y' = δxy - γy, are observed at fifteen times, without noise.
opgrad differentiates the whole RK4 loop, backwards for a gradient and forwards for the Jacobian of
the residuals, and SciPy fits all four parameters from a guess that is off by a third. Expected:
the parameters that made the observations, 1.1, 0.4, 0.1 and 0.4.
"""

import numpy as np
from scipy.optimize import least_squares

import opgrad

TRUE = np.array([1.1, 0.4, 0.1, 0.4])
GUESS = np.array([0.8, 0.55, 0.14, 0.5])
START = np.array([10.0, 5.0])
STEP, STEPS, EVERY = 0.2, 45, 3


def velocity(state, parameters):
    """Return how fast prey and predators grow."""
    alpha, beta, delta, gamma = parameters
    prey, predators = state
    eaten = prey * predators
    return np.stack([alpha * prey - beta * eaten, delta * eaten - gamma * predators])


def solve(parameters):
    """Return the populations at every third step of the classical Runge-Kutta method."""
    state, seen = START, []
    for i in range(STEPS):
        k1 = velocity(state, parameters)
        k2 = velocity(state + 0.5 * STEP * k1, parameters)
        k3 = velocity(state + 0.5 * STEP * k2, parameters)
        k4 = velocity(state + STEP * k3, parameters)
        state = state + STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        if i % EVERY == 0:
            seen.append(np.log(state))
    return np.stack(seen)


OBSERVED = solve(TRUE)


def residuals(parameters):
    """Return how far the logarithms of the populations are from those observed."""
    return np.ravel(solve(parameters) - OBSERVED)


def misfit(parameters):
    """Return the sum of the squared residuals."""
    return np.sum(residuals(parameters) ** 2)


def main():
    """Check one slope by differences, fit, and print the parameters beside the true ones."""
    h = np.array([0.0, 1e-6, 0.0, 0.0])
    slope = opgrad.grad(misfit)(GUESS)[1]
    difference = (misfit(GUESS + h) - misfit(GUESS - h)) / 2e-6
    print(f"slope     {slope:.3f}  difference {difference:.3f}")
    found = least_squares(residuals, GUESS, jac=opgrad.jacobian(residuals), xtol=1e-12)
    print(f"misfit    {misfit(GUESS):.6f} -> {misfit(found.x):.6f}")
    for name, fitted, true in zip(("alpha", "beta", "delta", "gamma"), found.x, TRUE, strict=True):
        print(f"{name:9} {fitted:.6f}  expected {true:.6f}")


if __name__ == "__main__":
    main()
