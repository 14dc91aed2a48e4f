"""Rows of a Jacobian swept together give what they give one by one."""

import numpy as np
import pytest

import opgrad
from opgrad import Value, grad, hessian, jacobian, ops, rows, vjp
from opgrad.errors import RuleError

X = np.array([0.3, -0.8, 1.1, 2.0])
A = np.array([[1.0, 2.0, -1.0, 0.2], [0.5, -1.0, 3.0, 0.1]])


def one_by_one(f, *args, argnums=0):
    """The Jacobian from one pull an entry of the output."""
    chosen = args if isinstance(argnums, tuple) else (args[argnums],)

    def of_chosen(*new):
        return f(*new) if isinstance(argnums, tuple) else f(*args[:argnums], *new)

    out, pull = vjp(of_chosen, *chosen)
    parts = [pull(unit.reshape(out.shape)) for unit in np.eye(out.size, dtype=out.dtype)]
    return [np.stack(column).reshape(out.shape + column[0].shape) for column in zip(*parts)]  # noqa: B905


CASES = {
    "elementwise": lambda x: ops.tanh(x) * x - ops.exp(-x) / (1.0 + x * x),
    "slices": lambda x: x[1:] * x[:-1] ** 2,
    "an entry used three times": lambda x: ops.sin(x[[0, 0, 1]]) * x[0],
    "broadcast to a matrix": lambda x: (x[:2, None] * A * x)[:, :2],
    "stretched axes": lambda x: ops.sum(ops.reshape(x, (4, 1)) * ops.reshape(x, (1, 4)), axis=0),
    "matmul": lambda x: ops.matmul(A, x * x),
    "a scalar within": lambda x: x / ops.sum(x),
    "softmax": lambda x: ops.exp(x) / ops.exp(x).sum(),
    "sorted": lambda x: ops.sort(x * x),
    "the input itself": lambda x: x,
    "a composite": lambda x: ops.logsumexp(ops.reshape(x, (2, 2)) * x[:2], axis=0),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_together_are_the_rows_alone(name):
    """Whatever mixture of ops lies between."""
    f = CASES[name]

    np.testing.assert_allclose(jacobian(f)(X), one_by_one(f, X)[0], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("entries", [1, 3, 8, 12])
def test_rows_in_parts_are_the_same(monkeypatch, entries):
    """Few rows at a time where a gradient is large."""
    f = CASES["slices"]
    whole = jacobian(f)(X)
    monkeypatch.setattr(rows, "_ENTRIES", entries)

    np.testing.assert_array_equal(jacobian(f)(X), whole)


def test_rows_go_together_through_elementwise_steps(monkeypatch):
    """A derivative is computed once for all rows, not once a row."""
    calls = []

    @opgrad.elementwise
    def cube(x):
        return x * x * x

    @cube.derivative
    def cube_derivative(x):
        calls.append(x)
        return 3.0 * x * x

    np.testing.assert_allclose(jacobian(cube)(X), np.diag(3.0 * X * X))
    assert len(calls) == 1


def test_each_gradient_has_the_dtype_and_reality_of_its_input():
    """Promotion within is undone, as in one sweep."""

    def f(x, z):
        return (x * 2.0) * z

    x, z = X.astype("float32"), X + 1j * X
    by_x, by_z = jacobian(f, (0, 1))(x, z)

    assert (by_x.dtype, by_z.dtype) == (np.float32, np.complex128)
    for ours, theirs in zip((by_x, by_z), one_by_one(f, x, z, argnums=(0, 1)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_numbers_among_the_inputs_get_a_column():
    """A Python number is an input like an array."""
    by_a, by_x = jacobian(lambda a, x: a * x * x, (0, 1))(2.0, X[:3])

    np.testing.assert_array_equal(by_a, X[:3] ** 2)
    np.testing.assert_array_equal(by_x, np.diag(4.0 * X[:3]))


def test_an_input_that_nothing_depends_on_has_zeros():
    """Of its shape, for each row."""
    by_x, by_y = jacobian(lambda x, y: x * x, (0, 1))(X, A)

    np.testing.assert_array_equal(by_x, np.diag(2.0 * X))
    np.testing.assert_array_equal(by_y, np.zeros((4, 2, 4)))
    by_y += 1.0  # the caller's own


def test_a_branch_not_taken_contributes_zero():
    """Where rows together give NaN, they are swept one by one, with structural zeros."""
    x = np.array([0.0, 1.0, 4.0])

    def f(x):
        return ops.where(x > 0.0, ops.sqrt(x), 0.0) * x[::-1]

    expected = [[0.0, 0.0, 0.0], [0.0, 1.5, 0.0], [2.0, 0.0, 0.0]]
    np.testing.assert_allclose(jacobian(f)(x), expected)


def test_several_outputs_within_are_swept():
    """Their gradients travel by index, one row after the other."""

    def f(x):
        q, r = ops.linalg.qr(ops.reshape(x, (2, 2)))
        return ops.matmul(q, r) * 2.0

    np.testing.assert_allclose(jacobian(f)(X).reshape(4, 4), 2.0 * np.eye(4), atol=1e-14)


def test_a_hessian_inside_a_larger_graph_is_recorded():
    """Rows together are plain data; what somebody differentiates goes the other way."""

    def trace(x):
        return ops.sum(ops.linalg.diagonal(hessian(lambda z: ops.sum(z**4))(x)))

    np.testing.assert_allclose(grad(trace)(X), 24.0 * X)
    weights = Value(X)
    by_x = jacobian(lambda x: weights * x)(X)
    by_x.sum().backward()
    np.testing.assert_array_equal(weights.grad, np.ones(4))


def test_a_wrong_rule_is_named_as_ever():
    """With op and operand."""

    @opgrad.op
    def wrong(x):
        return x * 1.0

    @wrong.backward
    def wrong_backward(g):
        return g[:-1]

    with pytest.raises(RuleError, match=r"local\.wrong .* for operand 'x' returned"):
        jacobian(wrong)(X)


def test_an_error_in_a_rule_says_where():
    """The op and its place stand on it as a note."""

    @opgrad.elementwise
    def fails(x):
        return x * 1.0

    @fails.derivative
    def fails_derivative():
        message = "on purpose"
        raise ArithmeticError(message)

    with pytest.raises(ArithmeticError, match="on purpose") as failed:
        jacobian(fails)(X)
    assert "in the backward of local.fails" in failed.value.__notes__[0]
