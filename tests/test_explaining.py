"""`explain`: a gradient as a text tree of what contributed to it."""

import re

import numpy as np
import pytest

import opgrad
from opgrad import Value, explain, ops
from opgrad.errors import NotDifferentiableError

HERE = f"(opgrad {opgrad.__version__})"


def branches(text):
    """The contributions at the first level, as numbers."""
    return [float(found) for found in re.findall(r"^[├└]─ (\S+) through", text, re.MULTILINE)]


def test_each_use_is_a_branch_with_op_provider_contribution_and_gradient():
    """And the sum stands above them."""
    x, w = Value(3.0), Value(2.0)
    text = explain(x * x + w * x, wrt=x)

    assert text.splitlines() == [
        "d output / d Value(float 3.0) = 8",
        f"├─ 2 through multiply {HERE}, whose gradient is 1",
        f"│  └─ 1 through add {HERE}, whose gradient is 1: the output",
        f"└─ 6 through multiply {HERE}, whose gradient is 1",
        f"   └─ 1 through add {HERE}, above",
    ]


def test_contributions_add_up_to_the_gradient():
    """To the digits shown, for many uses."""
    x = Value(0.7)
    y = ops.sin(x) * x + ops.exp(x * x) / x - 3.0 * x
    text = explain(y, wrt=x)
    y.backward()

    total = float(text.splitlines()[0].rpartition("= ")[2])

    assert total == pytest.approx(x.grad, rel=1e-5)
    assert sum(branches(text)) == pytest.approx(x.grad, rel=1e-4)


def test_nothing_is_left_behind():
    """No gradient is set, none is recorded, and the graph may be explained again."""
    x = Value(3.0)
    y = x * x
    first = explain(y, wrt=x)

    assert x.grad is None or x.grad == 0.0
    assert explain(y, wrt=x) == first
    y.backward()
    assert x.grad == 6.0


def test_what_leads_elsewhere_is_left_out():
    """Only the paths from the output to this Value."""
    x, other = Value(3.0), Value(5.0)
    text = explain(x * 2.0 + ops.sin(other), wrt=x)

    assert "sin" not in text
    assert len(branches(text)) == 1


def test_an_inner_value_is_explained_as_well_as_a_leaf():
    """What lies below it is left out."""
    x = Value(3.0)
    inner = ops.tanh(x)
    text = explain(inner * inner, wrt=inner)

    assert "tanh" not in text
    assert f"multiply {HERE}" in text


def test_a_shared_node_is_explained_once():
    """Its branches stand where it appears first; then it is named only."""
    x = Value(0.5)
    shared = ops.sin(x)
    text = explain(ops.exp(shared) + ops.cos(shared) + x * shared, wrt=x)

    assert len([row for row in text.splitlines() if "through sin" in row]) == 1
    assert "above" in text


def test_nodes_shared_at_every_level_stay_few_lines():
    """2**60 paths, 60 nodes."""
    x = Value(1.0)
    y = x
    for _ in range(60):
        y = y + y

    assert len(explain(y, wrt=x).splitlines()) < 200


def test_a_deep_graph_is_explained_without_recursion():
    """A chain of 3000 nodes, at the default recursion limit."""
    x = Value(1.0)
    y = x
    for _ in range(3000):
        y = y * 1.0

    assert len(explain(y, wrt=x).splitlines()) == 3001


def test_arrays_are_shown_by_shape_and_spread():
    """Least, mean and greatest entry."""
    x = Value(np.array([1.0, 2.0, 6.0]))
    text = explain(ops.sum(x * x), wrt=x)

    assert text.splitlines()[0].endswith("= (3,) [2, 6, 12]")


@pytest.mark.parametrize(
    "data", [np.zeros((0, 2)), np.ones(2, complex), np.array(2.0), np.float32(2)]
)
def test_every_kind_of_array_is_shown(data):
    """Empty, complex, without axes, a scalar."""
    x = Value(data)
    text = explain(ops.sum(ops.real(x * x)), wrt=x)

    assert text.startswith("d output / d Value(")


def test_an_op_with_several_outputs_is_explained():
    """Each output contributes."""
    x = Value(np.array([3.0, 1.0, 2.0]))
    first, second, third = ops.unstack(x)
    y = first * second + third
    text = explain(y, wrt=x)
    y.backward()

    assert text.splitlines()[0] == "d output / d Value(ndarray float64 (3,)) = (3,) [1, 1.667, 3]"
    assert "through unstack" in text
    assert np.array_equal(x.grad, [1.0, 3.0, 1.0])


def test_an_op_of_no_plugin_is_called_local():
    """It has no provider."""

    @opgrad.elementwise
    def double(x):
        return 2.0 * x

    @double.derivative
    def double_derivative():
        return 2.0

    x = Value(3.0)

    assert "2 through double (local), whose gradient is 1: the output" in explain(double(x), wrt=x)


def test_an_op_of_a_plugin_names_its_distribution():
    """With the version installed."""
    x = Value(3.0)
    text = explain(ops.activations.softplus(x), wrt=x)

    assert re.search(r"through softplus \(opgrad-activations \S+\)", text)


def test_a_branch_not_taken_contributes_nothing_and_no_nan():
    """As in a sweep: the root's slope at 0 is infinite, and nothing flows there."""
    x = Value(0.0)
    y = ops.where(x > 0.0, ops.sqrt(x), 2.0 * x)
    text = explain(y, wrt=x)

    assert text.splitlines()[0].endswith("= 2")
    assert "nan" not in text


@pytest.mark.parametrize(
    "case",
    [
        lambda x: (Value(2.0) * 3.0, x),
        lambda x: (ops.exp(x) * np.ones(2), x),
        lambda x: (Value(2.0, requires_grad=False), x),
        lambda x: (ops.sign(x) > 0.0, x),
    ],
    ids=["not made of it", "no scalar", "a constant", "not differentiable"],
)
def test_what_has_no_gradient_is_refused(case):
    """With a NotDifferentiableError."""
    output, wrt = case(Value(3.0))

    with pytest.raises(NotDifferentiableError):
        explain(output, wrt=wrt)


def test_the_output_itself_is_refused_or_one():
    """d y / d y is 1; there is nothing between to explain."""
    y = Value(2.0) * 3.0

    try:
        text = explain(y, wrt=y)
    except NotDifferentiableError:
        return
    assert text.splitlines()[0].endswith("= 1")
