"""One neuron as a page to step through: o = tanh(x1 w1 + x2 w2 + b), forward and then back.

By hand, with do/dn = 1 - o² = 1/2:

    do/dw1 = x1 / 2 = 1    do/dw2 = x2 / 2 = 0    do/dx1 = w1 / 2 = -1.5    do/dx2 = w2 / 2 = 0.5
"""

import sys

import opgrad
from opgrad import Value


def main(path):
    """Write the page, and print the gradients with which it ends."""
    x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    n = x1 * w1 + x2 * w2 + b
    o = n.tanh()
    opgrad.draw(o, names=locals()).to_html(path)

    o.backward()
    for name, leaf in {"x1": x1, "w1": w1, "x2": x2, "w2": w2}.items():
        print(f"do/d{name}  {leaf.grad:8.4f}")
    print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "backprop.html")
