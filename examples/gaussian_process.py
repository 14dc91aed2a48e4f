"""A Gaussian process on real data: hyperparameters by the gradient of the marginal likelihood.

log p(y) = -½ yᵀK⁻¹y - Σ log Lᵢᵢ - ½ n log 2π, where K = L·Lᵀ is the covariance of the data, in
plain NumPy: opgrad differentiates through the Cholesky factor and the solve. The data are the first
120 patients of scikit-learn's diabetes set: body mass index and blood pressure against the progress
of the disease. Expected: the optimum of scikit-learn's GaussianProcessRegressor, whose gradients
are derived by hand, kernel by kernel.
"""

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

import opgrad

START = np.log([1.0, 1.0, 1.0])


def data():
    """Return inputs and targets, each of mean 0 and spread 1."""
    inputs, targets = load_diabetes(return_X_y=True)
    x, y = inputs[:120, [2, 3]], targets[:120]
    return (x - np.mean(x, axis=0)) / np.std(x, axis=0), (y - np.mean(y)) / np.std(y)


def negative_log_likelihood(logs, x, y):
    """Return -log p(y), for the logarithms of signal variance, length and noise variance."""
    signal, length, noise = np.exp(logs)
    distances = np.sum((x[:, None, :] - x[None, :, :]) ** 2, axis=-1)
    k = signal * np.exp(-0.5 * distances / length**2) + noise * np.eye(len(y))
    factor = np.linalg.cholesky(k)
    alpha = np.linalg.solve(factor, y)
    log_determinant = 2.0 * np.sum(np.log(np.diagonal(factor)))
    return 0.5 * (alpha @ alpha + log_determinant + len(y) * np.log(2.0 * np.pi))


def fit(x, y):
    """Return the best hyperparameters and their likelihood, by opgrad's gradients."""
    found = minimize(
        opgrad.value_and_grad(negative_log_likelihood), START, args=(x, y), jac=True, tol=1e-9
    )
    return np.exp(found.x), -found.fun


def fit_by_sklearn(x, y):
    """Return the same of scikit-learn."""
    kernel = ConstantKernel(1.0) * RBF(1.0) + WhiteKernel(1.0)
    process = GaussianProcessRegressor(kernel, alpha=0.0).fit(x, y)
    return np.exp(process.kernel_.theta), process.log_marginal_likelihood_value_


def main():
    """Print the optimum that each finds, and the gradient at opgrad's."""
    x, y = data()
    for name, fitted in (("opgrad", fit), ("sklearn", fit_by_sklearn)):
        (signal, length, noise), likelihood = fitted(x, y)
        print(
            f"{name:8} log likelihood = {likelihood:.5f}  signal = {signal:.3f}  "
            f"length = {length:.3f}  noise = {noise:.3f}"
        )


if __name__ == "__main__":
    main()
