"""Every sample of every op: first and second derivative, backward and forward mode."""

from __future__ import annotations

import numpy as np
import pytest

import opgrad

OPS = [getattr(opgrad.ops.activations, name) for name in dir(opgrad.ops.activations)]
CASES = [
    pytest.param(op, sample, id=f"{op.name}-{i}")
    for op in OPS
    for i, sample in enumerate(op.samples)
]


def operands_of(sample):
    """Nested lists of a sample become arrays; numbers stay Python numbers."""
    return [np.asarray(x) if isinstance(x, list) else x for x in sample.operands]


def weights_like(x, seed):
    """Fixed random numbers of the shape of x; a float for a float."""
    w = np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(x))

    return float(w) if isinstance(x, float) else w


def weighted(op, sample):
    """The op as a function to one number: the sum of its weighted outputs."""

    def total(*operands):
        y = op(*operands, **sample.attributes)
        w = weights_like(op(*operands_of(sample), **sample.attributes), 0)
        return opgrad.ops.sum(y * w)

    return total


def central_difference(f, operands, directions):
    """Slope of f along the directions; step and error grow with the operands."""
    h = 1e-5 * max(1.0, *(float(np.max(np.abs(x))) for x in operands)) ** 0.5
    forth = [x + h * d for x, d in zip(operands, directions, strict=True)]
    back = [x - h * d for x, d in zip(operands, directions, strict=True)]

    return (f(*forth) - f(*back)) / (2.0 * h)


def dot(xs, ys):
    """Inner product of two lists of arrays."""
    return sum(opgrad.ops.sum(x * y) for x, y in zip(xs, ys, strict=True))


def every(operands):
    """The argument positions of all operands."""
    return tuple(range(len(operands)))


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_backward_agrees_with_central_differences(op, sample):
    """Along two random directions."""
    operands = operands_of(sample)
    f = weighted(op, sample)
    gradients = opgrad.grad(f, argnums=every(operands))(*operands)
    for seed in (1, 2):
        directions = [weights_like(x, seed + 10 * i) for i, x in enumerate(operands)]
        expected = central_difference(f, operands, directions)

        assert dot(gradients, directions) == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_forward_mode_agrees_with_backward(op, sample):
    """The tangent along a direction is the gradient times that direction, to the last digits."""
    operands = operands_of(sample)
    f = weighted(op, sample)
    directions = [weights_like(x, 3 + i) for i, x in enumerate(operands)]
    gradients = opgrad.grad(f, argnums=every(operands))(*operands)
    _, tangent = opgrad.jvp(f, tuple(operands), tuple(directions))

    assert dot(gradients, directions) == pytest.approx(tangent, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_second_derivative_agrees_with_differences_of_the_first(op, sample):
    """The rules are right on Values too."""
    operands = operands_of(sample)
    f = weighted(op, sample)
    directions = [weights_like(x, 5 + i) for i, x in enumerate(operands)]
    others = [weights_like(x, 7 + i) for i, x in enumerate(operands)]

    def slope(*xs):
        return dot(opgrad.grad(f, argnums=every(xs))(*xs), directions)

    expected = central_difference(slope, operands, others)
    actual = dot(opgrad.grad(slope, argnums=every(operands))(*operands), others)

    assert actual == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_second_derivative_forward_over_backward_is_the_same(op, sample):
    """jvp of grad and grad of grad are two roads to one Hessian."""
    operands = operands_of(sample)
    f = weighted(op, sample)
    directions = [weights_like(x, 5 + i) for i, x in enumerate(operands)]
    others = [weights_like(x, 7 + i) for i, x in enumerate(operands)]

    def slope(*xs):
        return dot(opgrad.grad(f, argnums=every(xs))(*xs), directions)

    _, tangent = opgrad.jvp(slope, tuple(operands), tuple(others))
    actual = dot(opgrad.grad(slope, argnums=every(operands))(*operands), others)

    assert actual == pytest.approx(tangent, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_float32_stays_float32(op, sample):
    """In the value and in every gradient, and close to what float64 gives."""
    operands = [np.asarray(x, np.float32) for x in operands_of(sample)]
    f = weighted(op, sample)
    value = op(*operands, **sample.attributes)
    values = [opgrad.Value(x) for x in operands]
    op(*values, **sample.attributes).backward(np.ones_like(value))
    exact = op(*operands_of(sample), **sample.attributes)
    gradients = opgrad.grad(f, argnums=every(operands))(*operands_of(sample))
    single = opgrad.grad(f, argnums=every(operands))(*operands)

    assert value.dtype == np.float32
    assert [v.grad.dtype for v in values] == [np.float32] * len(values)
    np.testing.assert_allclose(value, exact, rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(single, gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


ELEMENTWISE = [op for op in OPS if op.elementwise]
BINARY = [op for op in ELEMENTWISE if len(op.operands) == 2]


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3), (2, 3)], ids=str)
def test_shape_is_kept(op, shape):
    """Empty arrays and those without axes too, in the value and in each gradient."""
    values = [opgrad.Value(np.full(shape, 0.7)) for _ in op.operands]
    y = op(*values)
    y.backward(np.ones(shape))

    assert y.shape == shape
    assert [np.shape(v.grad) for v in values] == [shape] * len(values)


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_python_floats_and_arrays_agree(op):
    """Both namespaces say the same, and a float stays a float."""
    for x in (-20.0, -3.5, -0.75, 0.0, 0.25, 1.0, 8.0):
        operands = (x, 0.5)[: len(op.operands)]
        alone = op(*operands)
        slope = opgrad.grad(op)(*operands)
        arrays = [opgrad.Value(np.asarray([o])) for o in operands]
        y = op(*arrays)
        y.backward(np.ones(1))

        assert type(alone) is float
        assert type(slope) is float
        # gelu at -20 allows 1e-13: its x^2 / 2 stands inside an exponential.
        assert alone == pytest.approx(y.data[0], rel=1e-13, abs=1e-300)
        assert slope == pytest.approx(arrays[0].grad[0], rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
def test_broadcast_operands_get_gradients_of_their_own_shape(op):
    """A row against a matrix: its gradient is summed over the rows."""
    rng = np.random.default_rng(0)
    matrix, row = opgrad.Value(rng.normal(size=(4, 3))), opgrad.Value(rng.normal(size=3))
    op(matrix, row).backward(np.ones((4, 3)))
    whole = opgrad.Value(np.broadcast_to(row.data, (4, 3)).copy())
    op(matrix.data, whole).backward(np.ones((4, 3)))

    np.testing.assert_allclose(row.grad, whole.grad.sum(axis=0), rtol=1e-13)
