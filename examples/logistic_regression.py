"""Logistic regression on real data, equal to scikit-learn's to six digits.

The loss is Σ log(1 + exp(-y·(Xw + b))) + ½ wᵀw with y = ±1, in plain NumPy, minimised by Newton's
method with opgrad's gradient and Hessian. The data are scikit-learn's breast cancer set, its first
ten features scaled. Expected: the coefficients of scikit-learn's LogisticRegression.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import opgrad


def data():
    """Return ten features of mean 0 and spread 1, and the classes as ±1."""
    features, classes = load_breast_cancer(return_X_y=True)
    x = features[:, :10]
    return (x - np.mean(x, axis=0)) / np.std(x, axis=0), np.where(classes == 1, 1.0, -1.0)


def loss(parameters, x, y):
    """Return the penalised negative log-likelihood; the last parameter is the intercept."""
    weights, intercept = parameters[:-1], parameters[-1]
    margins = y * (x @ weights + intercept)
    return np.sum(np.logaddexp(0.0, -margins)) + 0.5 * np.dot(weights, weights)


def newton(parameters, x, y, *, steps=12):
    """Return the minimum of the loss, by Newton's method."""
    gradient, hessian = opgrad.grad(loss), opgrad.hessian(loss)
    for _ in range(steps):
        parameters = parameters - np.linalg.solve(
            hessian(parameters, x, y), gradient(parameters, x, y)
        )
    return parameters


def main():
    """Print the coefficients of both, side by side."""
    x, y = data()
    found = newton(np.zeros(11), x, y)
    peer = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12).fit(x, y)
    print(f"loss      {loss(found, x, y):.6f}")
    for i, expected in enumerate(peer.coef_[0]):
        print(f"weight {i}  {found[i]:+.6f}  expected {expected:+.6f}")
    print(f"intercept {found[-1]:+.6f}  expected {peer.intercept_[0]:+.6f}")


if __name__ == "__main__":
    main()
