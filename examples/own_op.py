"""An op of one's own in one file: forward, derivative, check, use on floats and on arrays.

softcap(x) = cap·tanh(x / cap) keeps x within ±cap, and its derivative is 1 - (y / cap)².
Expected: softcap(0) = 0 with slope 1; softcap(20) = 20·tanh(1) = 15.231883 with slope
1 - tanh(1)² = 0.419974.
"""

import numpy as np

import opgrad
from opgrad.testing import check_gradients


@opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample(-30.0, cap=5.0)))
def softcap(xp, x, *, cap=20.0):
    """softcap(x) = cap·tanh(x / cap), x held softly within ±cap."""
    return cap * xp.tanh(x / cap)


@softcap.derivative
def softcap_derivative(y, *, cap):
    """Return dy/dx, from the output alone."""
    return 1.0 - (y / cap) ** 2


def main():
    """Check the rule against finite differences, then use the op."""
    check_gradients(softcap, 3.0)
    check_gradients(softcap, np.linspace(-40.0, 40.0, 9))
    print("checked    floats and arrays")

    slope = opgrad.grad(softcap)
    print(f"float      softcap(20) = {softcap(20.0):.6f}  slope = {slope(20.0):.6f}")

    x = opgrad.Value(np.array([0.0, 20.0]))
    y = softcap(x)
    y.backward(np.ones(2))
    print(f"array      softcap = {y.data.round(6).tolist()}  slopes = {x.grad.round(6).tolist()}")

    curve = opgrad.grad(slope)  # the rule is differentiated again: -2·y·y' / cap²
    print(f"second     softcap''(20) = {curve(20.0):.6f}")


if __name__ == "__main__":
    main()
