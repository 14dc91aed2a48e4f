"""Walk down f(x) = 3x² - 4x + 5 from x = -2 by its slope.

The slope is f'(x) = 6x - 4: -16 at the start, and 0 at the minimum, x = 2/3, f = 11/3.
"""

import opgrad


def f(x):
    """Return the height of the parabola at x."""
    return 3 * x**2 - 4 * x + 5


slope = opgrad.grad(f)


def descend(x, *, rate=0.1, steps=60):
    """Return where `steps` steps against the slope lead from x."""
    for _ in range(steps):
        x -= rate * slope(x)
    return x


def main():
    """Print the start, the end and the expected answer."""
    start = -2.0
    print(f"start     x = {start:.6f}  f(x) = {f(start):.6f}  slope = {slope(start):.6f}")
    x = descend(start)
    print(f"end       x = {x:.6f}  f(x) = {f(x):.6f}  slope = {abs(slope(x)):.6f}")
    print(f"expected  x = {2 / 3:.6f}  f(x) = {11 / 3:.6f}  slope = {0:.6f}")


if __name__ == "__main__":
    main()
