"""The penalty of a ridge regression, chosen by the gradient of the validation error.

The weights (XᵀX + e^s·I)⁻¹Xᵀy come from a solve; opgrad differentiates the validation error through
it, by the implicit function theorem that is the rule of `solve`. The data are scikit-learn's
diabetes set with all products of two features, half to train and half to validate. Expected: the
best of a fine grid of penalties, found without any gradient.
"""

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes

import opgrad


def data():
    """Return training and validation data: features of spread 1 and their products."""
    x, y = load_diabetes(return_X_y=True)
    x = (x - np.mean(x, axis=0)) / np.std(x, axis=0)
    rows, columns = np.triu_indices(x.shape[1])
    x = np.hstack([x, x[:, rows] * x[:, columns]])
    y = y - np.mean(y)
    return (x[0::2], y[0::2]), (x[1::2], y[1::2])


def ridge(s, x, y):
    """Return the weights of least squares with the penalty e^s."""
    return np.linalg.solve(x.T @ x + np.exp(s) * np.eye(x.shape[1]), x.T @ y)


def validation_error(s, train, validate):
    """Return the mean squared error on data that the weights have not seen."""
    x, y = validate
    return np.mean((x @ ridge(s, *train) - y) ** 2)


def by_gradient(train, validate):
    """Return the best log-penalty, walked to by gradients from no penalty worth the name."""

    def error(s):
        return validation_error(s[0], train, validate)

    found = minimize(opgrad.value_and_grad(error), np.array([0.0]), jac=True, tol=1e-8)
    return float(found.x[0]), found.nfev


def by_grid(train, validate):
    """Return the best of 1001 log-penalties."""
    grid = np.linspace(0.0, 10.0, 1001)
    return float(min(grid, key=lambda s: validation_error(s, train, validate))), len(grid)


def main():
    """Print the penalty that each way finds, and the error there."""
    train, validate = data()
    for name, way in (("gradient", by_gradient), ("grid", by_grid)):
        s, tries = way(train, validate)
        error = validation_error(s, train, validate)
        print(f"{name:9} log penalty = {s:.4f}  error = {error:.4f}  evaluations = {tries}")
    slope = opgrad.grad(validation_error)(0.0, train, validate)
    ends = [validation_error(h, train, validate) for h in (1e-4, -1e-4)]
    print(f"slope     at 0 = {slope:.4f}  difference = {(ends[0] - ends[1]) / 2e-4:.4f}")


if __name__ == "__main__":
    main()
