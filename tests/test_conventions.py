"""`docs/reference/conventions.md`: every row of every table holds."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.errors import NotDifferentiableError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of the forward
PAGE = Path(__file__).parent.parent / "docs/reference/conventions.md"
CONSTANTS = {"ops": ops, "np": np, "inf": math.inf, "nan": math.nan}
KINDS = {"float": float, "float64": np.float64, "float32": np.float32, "complex128": complex}


def tables():
    """Each table of the page: its headings, and its rows without the quotes of code."""
    for block in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        head, _, *rows = [
            tuple(cell.strip().strip("`") for cell in line.strip().strip("|").split(" | "))
            for line in block.splitlines()
        ]
        yield head, rows


def rows(*headings):
    """The rows of all tables with these headings."""
    found = [row for head, table in tables() if head == headings for row in table]
    assert found

    return found


def read(text):
    """A cell of operands or derivatives, as a tuple."""
    found = eval(text, CONSTANTS)  # noqa: S307 -- a page of ours

    return found if isinstance(found, tuple) else (found,)


def function(text):
    """The function of a cell: its variables in the order of their first use."""
    names = list(dict.fromkeys(re.findall(r"\b[xyz]\b", text)))

    return eval(f"lambda {', '.join(names)}: {text}", CONSTANTS)  # noqa: S307 -- a page of ours


def data(number, kind):
    """A number or nested lists as data of this kind."""
    if kind == "float":
        return float(number)
    if kind == "python complex":
        return complex(number)

    return np.array(number, KINDS.get(kind, kind))


def cases():
    """Each row of the kinks and edges, with every kind of data it holds for."""
    for row in rows("function", "at", "value", "derivative", "complex"):
        kinds = ["float64", "float32"]
        kinds += [] if "[" in row[1] else ["float"]
        kinds += ["complex128"] if row[4].startswith("yes") else []
        for kind in kinds:
            yield pytest.param(*row[:4], kind, id=f"{row[0]} at {row[1]}, {kind}")


def is_close(actual, expected, kind):
    """Whether numbers agree to the digits of their kind; infinities and NaN exactly."""
    rtol = 1e-6 if kind in {"float32", "complex64"} else 1e-14

    return np.allclose(actual, expected, rtol=rtol, atol=0.0, equal_nan=True)


@pytest.mark.parametrize(("text", "at", "value", "derivative", "kind"), list(cases()))
def test_value_and_gradient_are_those_of_the_page(text, at, value, derivative, kind):
    """In reverse mode, on floats and on arrays alike, without a warning."""
    f, xs = function(text), [data(x, kind) for x in read(at)]
    argnums = tuple(range(len(xs)))

    out, pull = opgrad.vjp(f, *xs)
    found = pull(1.0 if kind == "float" else np.ones_like(out))

    assert len(found) == len(read(derivative)) == len(argnums)
    assert is_close(out, read(value)[0], kind)
    for got, expected in zip(found, read(derivative), strict=True):
        assert is_close(got, expected, kind)


@pytest.mark.parametrize(("text", "at", "value", "derivative", "kind"), list(cases()))
def test_tangents_are_those_of_the_page(text, at, value, derivative, kind):
    """In forward mode, entry by entry."""
    f, xs = function(text), [data(x, kind) for x in read(at)]
    zeros = [0.0 if kind == "float" else np.zeros_like(x) for x in xs]

    for number, expected in enumerate(read(derivative)):
        for index in np.ndindex(np.shape(xs[number])):
            along = list(zeros)
            if kind == "float":
                along[number] = 1.0
            else:
                along[number] = np.zeros_like(xs[number])
                along[number][index] = 1.0
            _, tangent = opgrad.jvp(f, xs, along)

            assert is_close(tangent, np.asarray(expected)[index], kind)


@pytest.mark.parametrize("kind", ["python complex", "complex128", "complex64"])
@pytest.mark.parametrize(
    ("text", "at", "value", "derivative"), rows("function", "at", "value", "derivative")
)
def test_complex_gradients_are_those_of_the_page(text, at, value, derivative, kind):
    """∂u/∂x - i ∂u/∂y, on Python numbers and on arrays."""
    out, gradient = opgrad.value_and_grad(function(text))(data(complex(at), kind))

    assert is_close(out, float(value), "complex64")
    assert is_close(gradient, complex(derivative), "complex64")


def test_the_gradient_of_a_holomorphic_function_is_its_derivative():
    """No conjugate: exp is its own derivative."""
    z = np.array([1.0 + 2.0j, -0.5j])

    assert np.allclose(opgrad.vjp(ops.exp, z)[1](np.ones(2, complex))[0], np.exp(z))


def test_the_gradient_of_a_real_input_is_real():
    """Re exp(ix) = cos x."""
    gradient = opgrad.grad(lambda x: ops.real(ops.exp(1j * x)))(np.float64(0.7))

    assert np.isrealobj(gradient)
    assert np.isclose(gradient, -math.sin(0.7))


@pytest.mark.parametrize(
    ("given", "text", "value", "gradient"), rows("input", "function", "value", "gradient")
)
def test_types_are_those_of_the_page(given, text, value, gradient):
    """The gradient has the type of its input."""
    f = function(text)
    x = {"float": 3.0, "int": 3}.get(given, None if given in {"float", "int"} else 0)
    x = np.array([3.0], given) if x == 0 else x

    out, pull = opgrad.vjp(f, x)
    one = 1.0 if isinstance(x, (int, float)) else np.ones_like(out)

    assert getattr(out, "dtype", type(out).__name__) == value
    assert getattr(pull(one)[0], "dtype", type(pull(one)[0]).__name__) == gradient


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.uint8])
def test_arrays_of_integers_have_no_gradient(dtype):
    """Asking for one raises."""
    with pytest.raises(NotDifferentiableError):
        opgrad.grad(ops.sum)(np.ones(2, dtype))


@pytest.mark.parametrize(
    ("text", "shapes", "gradients"), rows("operands", "of shape", "gradients of shape")
)
def test_gradients_are_summed_back_to_the_shapes_of_the_page(text, shapes, gradients):
    """Each has the shape of its operand."""
    f = function(text)
    xs = [np.ones(shape) for shape in eval(shapes)]  # noqa: S307 -- a page of ours

    found = opgrad.grad(lambda *xs: ops.sum(f(*xs)), argnums=(0, 1))(*xs)

    assert tuple(np.shape(g) for g in found) == eval(gradients)  # noqa: S307 -- a page of ours
