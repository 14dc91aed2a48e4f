"""L = (a·b + c)·f at a=2, b=-3, c=10, f=-2: every gradient beside its finite difference.

With e = a·b and d = e + c, by hand:

    dL/dL = 1    dL/dd = f = -2    dL/df = d = 4    dL/de = dL/dc = f = -2
    dL/da = b·f = 6                dL/db = a·f = -4

The difference of a name is (L with the name moved by h, less L) / h.
"""

from opgrad import Value

H = 1e-6
INPUTS = {"a": 2.0, "b": -3.0, "c": 10.0, "f": -2.0}
BY_HAND = {"a": 6.0, "b": -4.0, "c": -2.0, "f": 4.0, "e": -2.0, "d": -2.0, "L": 1.0}


def expression(inputs, moved=None):
    """Return every name of the expression, the one called `moved` moved by H."""
    names = {}

    def put(name, x):
        names[name] = x + H if name == moved else x
        return names[name]

    a, b, c, f = (put(name, x) for name, x in inputs.items())
    e = put("e", a * b)
    d = put("d", e + c)
    put("L", d * f)
    return names


def difference(name):
    """Return how much L grows for each unit that `name` is moved."""
    return (expression(INPUTS, moved=name)["L"] - expression(INPUTS)["L"]) / H


def main():
    """Print value, gradient, finite difference and the gradient by hand of every name."""
    values = expression({name: Value(data) for name, data in INPUTS.items()})
    values["L"].backward()
    print("name      value   gradient  difference  by hand")
    for name, expected in BY_HAND.items():
        v = values[name]
        print(f"{name:4} {v.data:10.4f} {v.grad:10.4f} {difference(name):11.4f} {expected:8.4f}")


if __name__ == "__main__":
    main()
