"""Threads build, sweep and transform graphs that share nodes."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import opgrad
from opgrad import Value, grad, jvp, ops

THREADS = 4


@pytest.fixture(autouse=True)
def eager_switching():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work, count=THREADS):
    """What `work(i)` returns in each of `count` threads that start at once."""
    barrier = threading.Barrier(count)

    def started(i):
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(started, range(count)))


def deep(x, length=100):
    """A graph with diamonds."""
    y = x
    for _ in range(length):
        y = ops.sin(y) * 1.1 + y * 0.1 + x * 0.01

    return y


def test_threads_that_share_nodes_each_get_their_own_gradient():
    """A shared part, and a head and a gradient each: as if one after the other."""
    shared = deep(Value(0.7))

    def slope(i):
        return [grad(lambda x: ops.sin(shared * x * (i + 1.0)))(0.3 + k).data for k in range(20)]

    expected = [slope(i) for i in range(THREADS)]

    assert together(slope) == expected


def test_threads_sweep_one_graph_at_the_same_time():
    """Transforms at one and the same computed Value, forward, reverse and twice."""
    w = Value(0.7)
    h = deep(w)
    kinds = [
        lambda: grad(lambda z: deep(z) * h)(h).data,
        lambda: jvp(lambda z: deep(z) * h, (h,), (1.0,))[1].data,
        lambda: grad(grad(lambda z: deep(z, 20) * h))(h).data,
        lambda: grad(lambda z: deep(z, 50) * w)(h).data,
    ]
    expected = [kind() for kind in kinds]

    assert together(lambda i: [kinds[i]() for _ in range(5)]) == [[e] * 5 for e in expected]


@pytest.mark.parametrize("size", [1, 100_000])
def test_gradients_of_one_leaf_add_up_over_threads(size):
    """None is lost, though arrays let other threads run while they are added."""
    w, one = Value(np.zeros(size)), np.ones(size)

    def work(i):
        for _ in range(25):
            (w * (i + 1.0)).backward(one)

    together(work)

    assert (w.grad.min(), w.grad.max()) == (250.0, 250.0)


def test_one_graph_is_swept_by_several_backwards():
    """The leaf gets all of them; the nodes between hold one call's gradient."""
    x = Value(0.7)
    y = deep(x, 300)
    y.backward()
    once, node = x.grad, next(iter(y._prev))
    held = node.grad
    x.grad = 0.0

    together(lambda i: y.backward())

    assert x.grad == pytest.approx(THREADS * once, rel=1e-12)
    assert node.grad == held


def test_threads_build_graphs_of_shared_and_own_nodes():
    """Serial numbers interleave; each graph is in its own order."""
    shared = [Value(float(k)) for k in range(1, 6)]

    def work(i):
        own = Value(1.0 + i)
        total = own * 0.0
        for k in range(200):
            total = total + own * shared[k % 5] * own
        return grad(lambda z: z * total)(1.0).data, grad(lambda z: z * z * total)(own).data

    expected = [(600.0 * (1.0 + i) ** 2, 1200.0 * (1.0 + i) ** 3) for i in range(THREADS)]

    assert together(work) == expected


def test_no_grad_is_not_seen_by_other_threads():
    """While one is within, the others record."""
    inside, done = threading.Event(), threading.Event()

    def work(i):
        x = Value(2.0)
        if i == 0:
            with opgrad.no_grad():
                inside.set()
                done.wait(10)
                return (x * x).requires_grad
        inside.wait(10)
        recorded = all((x * x).requires_grad for _ in range(50))
        if i == 1:
            done.set()
        return recorded

    assert together(work, 2) == [False, True]


def test_transforms_within_no_grad_of_one_thread_leave_the_others_alone():
    """Recording is switched for the thread that asks."""

    def work(i):
        found = []
        for _ in range(50):
            if i % 2:
                with opgrad.no_grad():
                    found.append((grad(lambda x: x * x)(3.0), (Value(1.0) * 2.0).requires_grad))
            else:
                found.append((grad(lambda x: x * x)(3.0), (Value(1.0) * 2.0).requires_grad))
        return set(found)

    assert together(work) == [{(6.0, i % 2 == 0)} for i in range(THREADS)]


@pytest.mark.parametrize("attempt", range(5))
def test_an_op_first_used_by_several_threads_at_once(attempt):
    """Calls and rules are compiled on first use: by whom does not matter."""

    @opgrad.elementwise
    def fresh(a, b, *, by=2.0):
        return a * b * by

    @fresh.derivative("a")
    def fresh_derivative_a(b, by):
        return b * by

    @fresh.backward("b")
    def fresh_backward_b(g, a, by):
        return g * a * by

    def work(i):
        x = 1.0 + i
        return (
            grad(lambda x: fresh(x, x))(x),
            jvp(lambda x: fresh(x, x, by=3.0), (x,), (1.0,))[1],
            grad(grad(lambda x: fresh(x, x)))(x),
        )

    assert together(work) == [(4.0 * (1.0 + i), 6.0 * (1.0 + i), 4.0) for i in range(THREADS)]
    assert attempt in range(5)
