"""Draw f(x) = 3x² - 4x + 5 with its minimum, its slope and a tangent; print what is marked.

The slope is f'(x) = 6x - 4, so the minimum is 11/3 at x = 2/3, and the tangent at 2 rises by 8.
"""

import sys

import opgrad
from opgrad.plotting import minima


def f(x):
    """Return the height of the parabola at x."""
    return 3 * x**2 - 4 * x + 5


def main(path):
    """Write the picture, and print the numbers in it."""
    opgrad.plot(f, -3, 3, tangent=2.0).savefig(path)
    for x, y in minima(f, -3, 3):
        print(f"minimum  x = {x:.6f}  f(x) = {y:.6f}")
    print(f"tangent  x = {2:.6f}  slope = {opgrad.grad(f)(2.0):.6f}")
    print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "parabola.png")
