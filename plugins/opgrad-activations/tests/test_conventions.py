"""What each op gives at its kinks and edges, and which attributes it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

import opgrad

act = opgrad.ops.activations

# op, attributes, the point, the derivative there
KINKS = [
    ("leaky_relu", {}, 0.0, 0.01),
    ("leaky_relu", {"negative_slope": 0.0}, 0.0, 0.0),
    ("relu6", {}, 0.0, 0.0),
    ("relu6", {}, 6.0, 0.0),
    ("relu_squared", {}, 0.0, 0.0),
    ("threshold", {}, 0.0, 0.0),
    ("threshold", {"threshold": 1.0, "value": 20.0}, 1.0, 0.0),
    ("elu", {}, 0.0, 1.0),
    ("elu", {"alpha": 0.3}, 0.0, 0.3),
    ("celu", {"alpha": 0.3}, 0.0, 1.0),
    ("selu", {}, 0.0, 1.0507009873554805 * 1.6732632423543772),
    ("softplus", {"threshold": 1.0}, 1.0, 1.0 / (1.0 + math.exp(-1.0))),
    ("softplus", {"threshold": 1.0}, 1.5, 1.0),
    ("softsign", {}, 0.0, 1.0),
    ("hardtanh", {}, -1.0, 0.0),
    ("hardtanh", {}, 1.0, 0.0),
    ("hardtanh", {"low": -2.0}, -1.0, 1.0),
    ("hardsigmoid", {}, -3.0, 0.0),
    ("hardsigmoid", {}, 3.0, 0.0),
    ("hardswish", {}, -3.0, 0.0),
    ("hardswish", {}, 3.0, 1.0),
    ("softshrink", {}, -0.5, 0.0),
    ("softshrink", {}, 0.5, 0.0),
    ("hardshrink", {}, -0.5, 0.0),
    ("hardshrink", {}, 0.5, 0.0),
]


@pytest.mark.parametrize(("name", "attributes", "x", "expected"), KINKS)
def test_derivative_at_a_kink_is_the_documented_one(name, attributes, x, expected):
    """On floats and arrays alike."""
    op = getattr(act, name)
    on_float = opgrad.grad(lambda x: op(x, **attributes))(x)
    on_array = opgrad.grad(lambda x: opgrad.ops.sum(op(x, **attributes)))(np.asarray([x, x]))

    assert on_float == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(on_array, [expected, expected], rtol=1e-15)


# op, attributes, second derivative at 0: that of the side of x <= 0, for a function smooth there
SECOND_AT_ZERO = [
    ("elu", {}, 1.0),
    ("celu", {"alpha": 0.5}, 2.0),
    ("softplus", {}, 0.25),
    ("squareplus", {}, 0.25),
    ("gaussian", {}, -2.0),
    ("silu", {}, 0.5),
    ("swish", {"beta": 2.0}, 1.0),
    ("quick_gelu", {}, 0.851),
    ("gelu", {}, 2.0 / math.sqrt(2.0 * math.pi)),
    ("gelu", {"approximate": "tanh"}, 2.0 / math.sqrt(2.0 * math.pi)),
    ("mish", {}, 0.64),
    ("tanhshrink", {}, 0.0),
    ("snake", {"a": 3.0}, 6.0),
    ("logsigmoid", {}, -0.25),
    ("relu_squared", {}, 0.0),
    ("hardswish", {}, 1.0 / 3.0),
]


@pytest.mark.parametrize(("name", "attributes", "expected"), SECOND_AT_ZERO)
def test_second_derivative_at_zero(name, attributes, expected):
    """Where forms change sides, no side is counted twice or half."""
    op = getattr(act, name)
    second = opgrad.grad(opgrad.grad(lambda x: op(x, **attributes)))

    assert second(0.0) == pytest.approx(expected, rel=1e-14)


def test_prelu_at_zero_has_the_slope_of_the_left():
    """As leaky_relu; the learned slope itself gets no gradient there."""
    assert opgrad.grad(act.prelu, argnums=(0, 1))(0.0, 0.25) == (0.25, 0.0)


def test_reglu_with_a_gate_at_zero_is_shut():
    """relu's rule, found through the composite."""
    assert opgrad.grad(act.reglu, argnums=(0, 1))(0.0, 3.0) == (0.0, 0.0)


def test_sparsemax_counts_an_entry_on_the_edge_as_outside():
    """At (1, 0) tau is 0: the second entry has x = tau."""
    gradient = opgrad.grad(lambda x: opgrad.ops.sum(act.sparsemax(x) * np.asarray([3.0, 1.0])))

    np.testing.assert_array_equal(gradient(np.asarray([1.0, 0.0])), [0.0, 0.0])


# ------------------------------------------------------------------------ values, by definition


@pytest.mark.parametrize("name", ["softmax", "softmin", "sparsemax", "entmax15"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_entries_along_the_axis_are_a_distribution(name, axis):
    """None negative; the sum is one."""
    x = np.random.default_rng(0).normal(scale=3.0, size=(5, 7))
    y = getattr(act, name)(x, axis=axis)

    assert y.shape == x.shape
    assert (y >= 0.0).all()
    np.testing.assert_allclose(y.sum(axis=axis), 1.0, rtol=1e-14)


@pytest.mark.parametrize(("name", "power"), [("sparsemax", 1.0), ("entmax15", 2.0)])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_sparse_relatives_agree_with_a_search_for_tau(name, power, scale):
    """Bisection on the sum, which needs no sorting."""
    x = np.random.default_rng(1).normal(scale=scale, size=9)
    z = x / power
    low, high = z.max() - 1.0, z.max()
    for _ in range(100):
        tau = 0.5 * (low + high)
        total = (np.maximum(z - tau, 0.0) ** power).sum()
        low, high = (tau, high) if total > 1.0 else (low, tau)

    expected = np.maximum(z - tau, 0.0) ** power

    np.testing.assert_allclose(getattr(act, name)(x), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["softmax", "sparsemax", "entmax15"])
def test_masked_entry_gets_nothing_and_no_gradient(name):
    """-inf marks an entry that must not be chosen."""
    op = getattr(act, name)
    x = np.asarray([0.3, -math.inf, 0.1])
    gradient = opgrad.grad(lambda x: opgrad.ops.sum(op(x) * np.asarray([3.0, 1.0, 2.0])))(x)

    assert op(x)[1] == 0.0
    assert gradient[1] == 0.0
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["softmax", "softmin", "sparsemax", "entmax15"])
def test_tied_entries_share(name):
    """Equal inputs, equal probabilities."""
    np.testing.assert_allclose(getattr(act, name)(np.full(4, 2.5)), 0.25, rtol=1e-15)


def test_gated_units_are_products_of_their_parts():
    """Each is its gate's function times the value."""
    gate, value = np.asarray([-1.5, 0.0, 2.0]), np.asarray([3.0, 1.0, -2.0])

    np.testing.assert_array_equal(act.swiglu(gate, value), act.silu(gate) * value)
    np.testing.assert_array_equal(act.geglu(gate, value), act.gelu(gate) * value)
    np.testing.assert_array_equal(act.reglu(gate, value), opgrad.ops.relu(gate) * value)
    np.testing.assert_array_equal(
        act.glu(np.concatenate([value, gate])), value * opgrad.ops.sigmoid(gate)
    )


def test_the_rule_of_glu_agrees_with_the_composite():
    """The rule is there for speed only."""
    x = np.random.default_rng(2).normal(size=(3, 8))
    w = np.random.default_rng(3).normal(size=(3, 4))
    with_rule = opgrad.grad(lambda x: opgrad.ops.sum(act.glu(x) * w))(x)
    composed = opgrad.grad(lambda x: opgrad.ops.sum(x[:, :4] * opgrad.ops.sigmoid(x[:, 4:]) * w))(x)

    np.testing.assert_allclose(with_rule, composed, rtol=1e-14)


# ------------------------------------------------------------------------------ wrong attributes

# op, operands, attributes, what the error says
REFUSED = [
    ("gelu", (1.0,), {"approximate": "tan"}, "approximate must be 'none' or 'tanh', got 'tan'"),
    ("geglu", (1.0, 1.0), {"approximate": "x"}, "approximate must be 'none' or 'tanh', got 'x'"),
    ("gelu", (1.0,), {"approximate": True}, "approximate"),
    ("elu", (1.0,), {"alpha": "big"}, "alpha"),
    ("softplus", (1.0,), {"beta": 0.0}, "softplus: beta must be positive, got 0.0"),
    ("celu", (1.0,), {"alpha": -1.0}, "celu: alpha must be positive, got -1.0"),
    ("squareplus", (1.0,), {"b": math.nan}, "squareplus: b must be positive, got nan"),
    ("snake", (1.0,), {"a": 0.0}, "snake: a must be positive, got 0.0"),
    ("hardtanh", (1.0,), {"low": 1.0}, "hardtanh: low must be below high, got 1.0 and 1.0"),
    ("softshrink", (1.0,), {"lambd": -1.0}, "softshrink: lambd must not be negative, got -1.0"),
    ("hardshrink", (1.0,), {"lambd": -1.0}, "hardshrink: lambd must not be negative, got -1.0"),
    ("glu", (np.ones(3),), {}, "glu: axis -1 of shape .3,. cannot be halved"),
    ("glu", (np.ones(4),), {"axis": 2}, "glu: x of shape .4,. has no axis 2"),
    ("glu", (1.0,), {}, "glu: x of shape .. has no axis -1"),
    ("swish", (1.0,), {"bta": 2.0}, "bta"),
    ("prelu", (1.0,), {}, "slope"),
]


@pytest.mark.parametrize(("name", "operands", "attributes", "message"), REFUSED)
def test_wrong_call_is_refused_and_says_why(name, operands, attributes, message):
    """The error names the op, the attribute and what was given."""
    with pytest.raises(opgrad.errors.CallError, match=message):
        getattr(act, name)(*operands, **attributes)
