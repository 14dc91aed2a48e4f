"""Graphs are swept by loops, and freed by reference counts alone."""

import contextlib
import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import opgrad
from opgrad import Value, grad, jvp, ops

MILLION = 1_000_000


@pytest.fixture(autouse=True)
def no_collector():
    """The cycle collector is off: what is freed, is freed by reference counts."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def default_recursion_limit():
    """What Python starts with."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


def chain(x, length):
    """x + 1 + 1 + ..."""
    for _ in range(length):
        x = x + 1.0

    return x


# -- a million nodes ------------------------------------------------------------------------------


@pytest.mark.usefixtures("default_recursion_limit")
def test_a_chain_of_a_million_nodes_differentiates_and_is_freed():
    """Built, swept and deleted, with the default recursion limit and no collector."""
    x = Value(2.0)
    blocks = sys.getallocatedblocks()
    y = chain(x, MILLION)
    y.backward()
    middle = weakref.ref(next(iter(y._prev)))

    del y

    assert x.grad == 1.0
    assert middle() is None
    assert sys.getallocatedblocks() - blocks < 1000


@pytest.mark.usefixtures("default_recursion_limit")
def test_a_long_chain_in_forward_mode():
    """Pushed by a loop, freed at the end."""
    blocks = sys.getallocatedblocks()

    out, tangent = jvp(lambda x: chain(x * x, 200_000), (2.0,), (1.0,))

    assert (out, tangent) == (200_004.0, 4.0)
    assert sys.getallocatedblocks() - blocks < 1000


@pytest.mark.usefixtures("default_recursion_limit")
def test_a_long_chain_differentiates_twice():
    """The graph that the recorded sweep leaves is longer still."""

    def f(x):
        y = x
        for _ in range(30_000):
            y = y * 1.0 + x * x
        return y

    blocks = sys.getallocatedblocks()

    assert grad(grad(f))(0.5) == 60_000.0
    assert sys.getallocatedblocks() - blocks < 1000


@pytest.mark.usefixtures("default_recursion_limit")
def test_a_wide_sum_and_a_long_list():
    """A leaf used by a hundred thousand nodes, and a concat of thousands."""
    x = Value(1.0)
    total = sum((x * float(i) for i in range(1, 100_001)), Value(0.0))
    total.backward()
    parts = [Value(np.ones(1)) for _ in range(5000)]
    ops.concat(parts).sum().backward()

    assert x.grad == 100_000 * 100_001 / 2
    assert all(p.grad[0] == 1.0 for p in parts)


@pytest.mark.usefixtures("default_recursion_limit")
def test_a_failed_sweep_of_a_long_chain_is_freed_too():
    """The traceback holds frames, not the graph for ever."""

    @opgrad.elementwise
    def failing(x):
        return x * 1.0

    @failing.derivative
    def failing_derivative(x):
        raise ZeroDivisionError

    x = Value(1.0)
    blocks = sys.getallocatedblocks()
    y = chain(failing(x), 100_000)
    with contextlib.suppress(ZeroDivisionError):
        y.backward()
    del y

    assert sys.getallocatedblocks() - blocks < 1000


def test_a_scalar_node_is_below_three_hundred_bytes():
    """Node, operands and number, after the sweep as well."""
    x = Value(2.0)
    tracemalloc.start()
    y = x
    for _ in range(10_000):
        y = y * 1.01 + 0.5
    y.backward()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held / 20_000 < 300


# -- what keeps what alive ------------------------------------------------------------------------


def test_data_in_the_middle_are_freed_with_the_output():
    """The arrays between leaf and loss."""
    x = Value(np.ones(1000))
    h = ops.exp(x)
    loss = (h * h).sum()
    data = weakref.ref(h.data)
    loss.backward()
    del h, loss

    assert data() is None


def test_the_gradient_of_a_leaf_does_not_keep_the_graph():
    """Nor does the leaf itself."""
    x = Value(np.ones(10))
    y = ops.exp(x * 2.0)
    node = weakref.ref(y)
    y.sum().backward()
    del y

    assert node() is None
    assert x.grad.shape == (10,)


def test_a_dropped_branch_is_freed_at_once():
    """What the output was not made of does not live as long as the leaf."""
    x = Value(1.0)
    unused = weakref.ref(ops.sin(x) * 2.0)

    assert unused() is None


def test_a_plain_result_keeps_nothing():
    """grad and jvp hand out data, not nodes."""
    kept = []

    def f(x):
        h = ops.exp(x) * x
        kept.append(weakref.ref(h))
        return h.sum()

    results = grad(f)(np.ones(3)), jvp(f, (np.ones(3),), (np.ones(3),))

    assert len(results) == 2
    assert [ref() for ref in kept] == [None, None]


def test_no_grad_keeps_nothing():
    """A result computed under no_grad does not hold its operands."""
    x = Value(np.ones(3))
    with opgrad.no_grad():
        h = x * 2.0
        node = weakref.ref(h)
        y = h * 3.0
    del h

    assert (node(), y.shape) == (None, (3,))


def test_a_constant_result_keeps_nothing():
    """Nor does one made of constants, or by an op without derivative."""
    x = Value(np.ones(3))
    h = x * 2.0
    node = weakref.ref(h)
    mask = h > 1.0
    frozen = opgrad.stop_gradient(h)
    del h

    assert (node(), mask.shape, frozen.shape) == (None, (3,), (3,))


# -- every road, many times -----------------------------------------------------------------------


@opgrad.composite
def composed(xp, x):
    """A composite."""
    return xp.sin(x) * xp.sum(x)


@opgrad.elementwise(saves=True)
def saving(x):
    """An op that saves."""
    return x * x, x


@saving.derivative
def saving_derivative(saved):
    """2 x."""
    return 2.0 * saved


@opgrad.op
def backward_only(a, b):
    """An op that forward mode transposes."""
    return a * b


@backward_only.backward
def backward_only_backward(g, a, b):
    """Both."""
    return g * b, g * a


@opgrad.op(outputs=2)
def two_outputs(x):
    """An op with two outputs."""
    return x * 2.0, x * 3.0


@two_outputs.backward
def two_outputs_backward(g):
    """Both."""
    return g[0] * 2.0 + g[1] * 3.0


X = np.array([0.5, 1.5])


def backward_of(f, **how):
    """Build, sweep, forget: a recorded gradient knows its leaf, and must be taken off it."""
    x = Value(X)
    f(x).sum().backward(**how)
    x.grad = None


def grad_with_a_closure(w):
    """A result that is a Value."""
    return grad(lambda x: (x * w).sum())(X)


def failing_call():
    """A forward that fails, on a graph."""
    x = Value(X) * 2.0
    with contextlib.suppress(ValueError):
        x @ np.ones(3)


def nan_on_the_way():
    """The sweep that is run again."""
    with np.errstate(all="ignore"):
        grad(lambda x: ops.where(x > 1.0, ops.sqrt(x - 1.0), 0.0).sum())(np.array([1.0, 2.0]))


ROADS = {
    "backward": lambda: backward_of(ops.exp),
    "recorded": lambda: backward_of(lambda x: x * x, record=True),
    "composite": lambda: backward_of(composed),
    "saves": lambda: backward_of(saving),
    "saves, recorded": lambda: backward_of(saving, record=True),
    "several outputs": lambda: backward_of(lambda x: two_outputs(x)[0] * two_outputs(x)[1]),
    "grad of grad": lambda: grad(lambda x: grad(lambda x: (x * x * x).sum())(x).sum())(X),
    "grad with a closure": lambda: grad_with_a_closure(Value(X)),
    "aux and containers": lambda: opgrad.value_and_grad(
        lambda p: ((p["a"] * p["b"][0]).sum(), {"aux": p["a"]}), has_aux=True
    )({"a": X, "b": [2.0]}),
    "jvp": lambda: jvp(lambda x: ops.exp(x) * 2.0, (X,), (X,)),
    "jvp of jvp": lambda: jvp(lambda x: jvp(ops.sin, (x,), (X,))[1], (X,), (X,)),
    "jvp of grad": lambda: jvp(grad(lambda x: (x * x).sum()), (X,), (X,)),
    "grad of jvp": lambda: grad(lambda x: jvp(composed, (x,), (X,))[1].sum())(X),
    "transposed": lambda: jvp(lambda x: backward_only(x, x * 2.0), (X,), (X,)),
    "transposed twice": lambda: jvp(
        lambda x: jvp(lambda z: backward_only(z, z), (x,), (X,))[1], (X,), (X,)
    ),
    "nan": nan_on_the_way,
    "a failing call": failing_call,
}


@pytest.mark.parametrize("road", ROADS)
def test_no_road_leaves_anything_behind(road):
    """Less than half a block a run, once free lists are full, without the collector."""
    run = ROADS[road]
    for _ in range(100):
        run()
    before = sys.getallocatedblocks()
    for _ in range(100):
        run()

    assert sys.getallocatedblocks() - before < 50


@pytest.mark.parametrize("road", ROADS)
def test_no_road_makes_cycles(road):
    """Nothing for the collector to find."""
    run = ROADS[road]
    run()
    gc.collect()
    for _ in range(3):
        run()

    assert gc.collect() == 0
