"""Rosenbrock's valley, walked by SciPy with the gradient and the Hessian that opgrad finds.

f(x) = Σ 100·(xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)² is plain NumPy code. Its minimum is 0, where every x is 1.
SciPy ships gradient and Hessian of f derived by hand: opgrad's equal them.
"""

import numpy as np
from scipy.optimize import minimize, rosen_der, rosen_hess

import opgrad


def rosenbrock(x):
    """Return the height of the valley at x."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


gradient = opgrad.grad(rosenbrock)
hessian = opgrad.hessian(rosenbrock)
START = np.array([1.3, 0.7, 0.8, 1.9, 1.2, 0.4])


def main():
    """Compare the derivatives with those by hand, then minimise."""
    first = np.max(np.abs(gradient(START) - rosen_der(START)))
    second = np.max(np.abs(hessian(START) - rosen_hess(START)))
    print(f"gradient  differs from SciPy's by at most {first:.10f}")
    print(f"hessian   differs from SciPy's by at most {second:.10f}")
    for method in ("BFGS", "Newton-CG", "trust-exact"):
        given = {} if method == "BFGS" else {"hess": hessian}
        found = minimize(rosenbrock, START, method=method, jac=gradient, **given)
        off = np.max(np.abs(found.x - 1.0))
        print(f"{method:12} f = {found.fun:.6f} expected 0, x at most {off:.6f} from expected ones")


if __name__ == "__main__":
    main()
