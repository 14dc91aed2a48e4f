"""Kernels: candidates that run where their user prefers them, and nowhere else.

Most tests bring a plugin in by hand (`acme`); what is about environment, files and imports runs in
processes of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import pickle
import re
import sys
import threading
import weakref
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import opgrad
from opgrad import Value, ops, preferences
from opgrad.cli import FINDINGS, FINE, USAGE
from opgrad.cli.commands import cli
from opgrad.demo.census import Census
from opgrad.errors import (
    ConflictError,
    OpDefinitionError,
    OpgradError,
    OpgradWarning,
    PluginError,
    UnknownOpError,
)
from opgrad.kernels import DATA
from opgrad.namespaces import LIBRARIES
from opgrad.plugins import PLUGINS
from opgrad.preferring import PREFERENCES

X = np.array([0.25, -1.5, 2.0])


def plain(x):
    """Refuse to be recorded, as a function written in C would."""
    if isinstance(x, Value):
        message = "a Value reached the kernel"
        raise TypeError(message)
    return np.asarray(x)


def tanh_kernel(data="numpy", calls=None):
    """Make a kernel of tanh that counts the calls of its forward and its derivative."""
    calls = [] if calls is None else calls

    @opgrad.kernel("core.tanh", data=data)
    def fast_tanh(x):
        calls.append("forward")
        return math.tanh(x) if data == "scalar" else np.tanh(plain(x))

    @fast_tanh.derivative
    def fast_tanh_derivative(y):
        calls.append("derivative")
        return 1.0 - plain(y) ** 2

    return fast_tanh


def offering(*kernels, more=()):
    """Make a plugin object that offers these kernels, and perhaps ops."""
    plugin = SimpleNamespace(opgrad_kernels=opgrad.hookimpl(lambda: kernels))
    if more:
        plugin.opgrad_ops = opgrad.hookimpl(lambda: more)

    return plugin


@pytest.fixture
def offer():
    """Load plugins by hand that offer kernels, for the length of a test."""
    names = []

    def load(*kernels, namespace="acme", more=()):
        names.append(namespace)
        opgrad.load_plugin(offering(*kernels, more=more), namespace)
        return kernels[0] if kernels else None

    yield load
    for name in names:
        PLUGINS.forget(name)
    PREFERENCES._active.clear()
    PREFERENCES._heed()


@pytest.fixture
def tanh_calls(offer):
    """What the kernel of tanh that `acme` offers was asked for, in order."""
    calls = []
    offer(tanh_kernel(calls=calls))

    return calls


@contextmanager
def not_loaded(namespace):
    """Take a namespace out, whoever has loaded it, and put it back; gives the registry."""
    registry = PLUGINS.registry
    held = list(registry.table(namespace).values())
    provider = held[0].provider if held else None
    registry.discard(namespace)
    try:
        yield registry
    finally:
        registry.discard(namespace)
        if held:
            registry.commit(provider, held)


def made_by(value):
    """Return who made a Value: the distribution's name."""
    return value.op.provider.distribution


def square_sum(f):
    """Return x → sum(f(x)²)."""
    return lambda x: ops.sum(f(x) * f(x))


# --- who runs -----------------------------------------------------------------------------------


def test_a_kernel_runs_only_where_it_is_preferred(tanh_calls):
    """Loaded, it is a candidate; in the block it runs; afterwards, no more."""
    before = ops.tanh(X)
    with opgrad.prefer("acme"):
        within = ops.tanh(X)
    after = ops.tanh(X)

    assert tanh_calls == ["forward"]
    np.testing.assert_array_equal(within, np.tanh(X))
    np.testing.assert_array_equal(before, after)


def test_a_node_knows_who_ran(tanh_calls):
    """Qualified name of the op, provider of the kernel: in repr, in `described`, in the census."""
    x = Value(X)
    with opgrad.prefer("acme"):
        y = ops.tanh(x)
    census = Census()
    census.count("both", ops.sum(y + ops.tanh(x)))
    tallies = {(t.op.qualname, t.op.provider.distribution) for t in census.tallies()}

    assert y.op.qualname == "core.tanh"
    assert y.op.described == "core.tanh (kernel of load_plugin by hand)"
    assert re.fullmatch(
        r"<op core.tanh \(kernel of load_plugin by hand\) at .*test_kernels.py:\d+>", repr(y.op)
    )
    assert {("core.tanh", "load_plugin"), ("core.tanh", "opgrad")} <= tallies


def test_explain_names_the_supplier(tanh_calls):
    """Whose derivative carried the gradient is said where it is explained."""
    x = Value(X)
    with opgrad.prefer("acme"):
        y = ops.sum(ops.tanh(x))

    assert "through tanh (load_plugin by hand)" in opgrad.explain(y, x)


def test_an_error_in_a_kernel_names_its_supplier(offer):
    """The note on it is the one that every error of a forward gets."""

    @opgrad.kernel("core.tanh", data="numpy")
    def broken(x):
        message = "no such instruction"
        raise RuntimeError(message)

    offer(broken)
    with opgrad.prefer("acme"), pytest.raises(RuntimeError, match="no such") as caught:
        ops.tanh(X)

    assert "the forward of core.tanh (kernel of load_plugin by hand)" in caught.value.__notes__[0]


def test_the_kind_of_data_decides(offer):
    """A kernel for arrays leaves floats to the owner, one for numbers leaves arrays to it."""
    arrays, numbers = [], []
    offer(tanh_kernel(calls=arrays), tanh_kernel("scalar", numbers))
    with opgrad.prefer("acme"):
        ops.tanh(X)
        ops.tanh(0.5)
        ops.tanh(Value(0.5))

    assert arrays == ["forward"]
    assert numbers == ["forward"] * 2


def test_one_op_can_be_preferred_alone(offer):
    """By its name, qualified or built in, or by the op itself."""

    @opgrad.kernel("core.exp", data="numpy")
    def fast_exp(x):
        return np.exp(x)

    offer(tanh_kernel(), fast_exp)
    for name in ("core.tanh", "tanh", ops.tanh):
        with opgrad.prefer("acme", op=name):
            assert made_by(ops.tanh(Value(X))) == "load_plugin"
            assert made_by(ops.exp(Value(X))) == "opgrad"
            assert ops.exp.chooser is None


def test_operators_methods_and_numpy_functions_run_kernels(offer):
    """`a + b`, `1.0 + a`, `v.tanh()`, `np.tanh(v)`: each road to the op is one to the kernel."""

    @opgrad.kernel("core.add", data="numpy")
    def fast_add(a, b):
        return np.add(a, b)

    offer(fast_add, tanh_kernel())
    v = Value(X)
    roads = (lambda: v + v, lambda: 1.0 + v, lambda: X + v, v.tanh, lambda: np.tanh(v))
    with opgrad.prefer("acme"):
        within = [made_by(road()) for road in roads]
        both_floats = made_by(Value(1.0) + 2.0)

    assert within == ["load_plugin"] * len(roads)
    assert both_floats == "opgrad"
    assert [made_by(road()) for road in roads] == ["opgrad"] * len(roads)


def test_ops_with_attributes_and_with_any_number_of_operands_run_kernels(offer):
    """By place, by keyword, from a list of operands: the general road looks too."""

    @opgrad.kernel("core.sum", data="numpy")
    def fast_sum(x, *, axis, dtype, keepdims):
        return np.sum(x, axis=axis, keepdims=keepdims)

    @opgrad.kernel("core.concat", data="numpy")
    def fast_concat(*arrays, axis):
        return np.concatenate(arrays, axis=axis)

    offer(fast_sum, fast_concat)
    v = Value(X)
    with opgrad.prefer("acme"):
        made = [
            ops.sum(v), ops.sum(v, axis=0), v.sum(0, keepdims=True), np.sum(v),
            ops.concat([v, X]), ops.concat((v, v), axis=0),
        ]  # fmt: skip

    assert [made_by(one) for one in made] == ["load_plugin"] * len(made)
    assert [one.shape for one in made] == [(), (), (1,), (), (6,), (6,)]


def test_an_op_of_three_operands_runs_its_kernel(offer):
    """Called by place, as plain data and as Values."""

    @opgrad.composite(elementwise=True)
    def fused(a, b, c):
        return a * b + c

    calls = []

    @opgrad.kernel("fusions.fused", data="numpy")
    def fast_fused(a, b, c):
        calls.append("forward")
        return np.add(np.multiply(a, b), c)

    offer(namespace="fusions", more=(fused,))
    offer(fast_fused)
    with opgrad.prefer("acme"):
        y = fused(Value(X), 2.0, X)
        fused(X, X, 1.0)
        fused(1.0, 2.0, 3.0)

    assert calls == ["forward"] * 2
    assert made_by(y) == "load_plugin"


def test_an_op_is_preferred_under_any_of_its_names(offer):
    """`linalg.matmul` is `core.matmul`."""

    @opgrad.kernel("core.matmul", data="numpy")
    def fast_matmul(a, b):
        return np.matmul(a, b)

    offer(fast_matmul)
    with opgrad.prefer("acme", op="linalg.matmul"):
        y = Value(X) @ X

    assert made_by(y) == "load_plugin"


def test_a_constant_result_can_come_from_a_kernel(offer):
    """Ops without derivative have kernels too, and their results stay constants."""
    calls = []

    @opgrad.kernel("core.less", data="numpy")
    def fast_less(a, b):
        calls.append("forward")
        return np.less(a, b)

    offer(fast_less)
    with opgrad.prefer("acme"):
        below = Value(X) < 1.0

    assert calls == ["forward"]
    assert not below.requires_grad


def test_what_nobody_prefers_is_called_as_ever(offer):
    """Only ops that a preference is for get a chooser; the operators of others stay as they are."""
    multiply = Value.__mul__
    offer(tanh_kernel())
    with opgrad.prefer("acme"):
        assert ops.tanh.chooser is not None
        assert ops.exp.chooser is None
        assert ops.sum.chooser is None
        assert Value.__mul__ is multiply


# --- its derivatives ----------------------------------------------------------------------------


def test_the_rules_of_a_kernel_run_on_plain_data(tanh_calls):
    """A gradient of data alone is the kernel's own rule, of what the kernel computed."""
    with opgrad.prefer("acme"):
        gradient = opgrad.grad(lambda x: ops.sum(ops.tanh(x)))(X)

    assert tanh_calls == ["forward", "derivative"]
    np.testing.assert_allclose(gradient, 1.0 - np.tanh(X) ** 2, rtol=1e-15)


def test_the_owner_has_the_rules_that_a_kernel_lacks(offer):
    """A forward alone is a whole kernel; broadcasting stays the engine's work."""

    @opgrad.kernel("core.multiply", data="numpy")
    def fast_multiply(a, b):
        return np.multiply(a, b)

    offer(fast_multiply)
    a, b = Value(np.ones((2, 3))), Value(X)
    with opgrad.prefer("acme"):
        ops.sum(a * b).backward()

    np.testing.assert_array_equal(a.grad, np.broadcast_to(X, (2, 3)))
    np.testing.assert_array_equal(b.grad, [2.0, 2.0, 2.0])


def test_a_rule_for_one_operand_leaves_the_others_to_the_owner(offer):
    """Operand by operand the kernel's rule goes first."""
    asked = []

    @opgrad.kernel("core.divide", data="numpy")
    def fast_divide(a, b):
        return np.divide(a, b)

    @fast_divide.backward("a")
    def fast_divide_backward_a(g, b):
        asked.append("a")
        return g / b

    offer(fast_divide)
    with opgrad.prefer("acme"):
        gradients = opgrad.grad(lambda a, b: ops.sum(a / b), (0, 1))(X, 2.0 * X)

    assert asked == ["a"]
    np.testing.assert_allclose(gradients[0], 0.5 / X)
    np.testing.assert_allclose(gradients[1], -0.25 / X)


def test_second_derivatives_are_the_owners(tanh_calls):
    """A kernel may leave Python: where a sweep is recorded, no Value reaches a rule of it."""
    with opgrad.prefer("acme"):
        second = opgrad.elementwise_grad(opgrad.elementwise_grad(ops.tanh))(X)
        third = opgrad.grad(
            lambda x: ops.sum(opgrad.elementwise_grad(opgrad.elementwise_grad(ops.tanh))(x))
        )(X)
    y = np.tanh(X)

    np.testing.assert_allclose(second, -2.0 * y * (1.0 - y * y), rtol=1e-12)
    np.testing.assert_allclose(third, (1.0 - y * y) * (6.0 * y * y - 2.0), rtol=1e-12)
    assert "forward" in tanh_calls


@pytest.mark.parametrize("derivative", [opgrad.jacobian, opgrad.hessian])
def test_jacobian_and_hessian_run_kernels(tanh_calls, derivative):
    """Rows swept together, and forward over reverse, give what the owner gives."""
    f = ops.tanh if derivative is opgrad.jacobian else square_sum(ops.tanh)
    wanted = derivative(f)(X)
    with opgrad.prefer("acme"):
        got = derivative(f)(X)

    assert "forward" in tanh_calls
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_forward_mode_takes_the_jvp_of_a_kernel(offer):
    """Where it has one; the owner's derivative stays the rule of reverse mode."""
    asked = []

    @opgrad.kernel("core.tanh", data="numpy")
    def fast_tanh(x):
        return np.tanh(x)

    @fast_tanh.jvp
    def fast_tanh_jvp(t, y):
        asked.append("jvp")
        return t * (1.0 - y * y)

    offer(fast_tanh)
    with opgrad.prefer("acme"):
        _, tangent = opgrad.jvp(ops.tanh, (X,), (np.ones(3),))
        gradient = opgrad.grad(lambda x: ops.sum(ops.tanh(x)))(X)

    assert asked == ["jvp"]
    np.testing.assert_allclose(tangent, gradient, rtol=1e-14)


def test_forward_mode_of_a_linear_op_is_the_owners_forward(offer):
    """A kernel computes what it was written for; tangents are none of that."""
    calls = []

    @opgrad.kernel("core.add", data="numpy")
    def fast_add(a, b):
        calls.append("forward")
        return np.add(a, b)

    offer(fast_add)
    with opgrad.prefer("acme"):
        _, tangent = opgrad.jvp(lambda x: x + x, (X,), (np.ones(3),))

    assert calls == ["forward"]
    np.testing.assert_array_equal(tangent, [2.0, 2.0, 2.0])


def test_a_derivative_takes_the_place_of_every_rule_of_its_operand(offer):
    """Also where the owner wrote `backward` and `jvp`: the kernel's serves both modes."""

    @opgrad.elementwise
    def cube(x):
        return x * x * x

    @cube.backward
    def cube_backward(g, x):
        return 3.0 * x * x * g

    @cube.jvp
    def cube_jvp(t, x):
        return 3.0 * x * x * t

    asked = []

    @opgrad.kernel("solids.cube", data="numpy")
    def fast_cube(x):
        return np.power(x, 3)

    @fast_cube.derivative
    def fast_cube_derivative(x):
        asked.append("derivative")
        return 3.0 * np.square(x)

    offer(namespace="solids", more=(cube,))
    offer(fast_cube)
    with opgrad.prefer("acme"):
        gradient = opgrad.grad(lambda x: ops.sum(cube(x)))(X)
        _, tangent = opgrad.jvp(cube, (X,), (np.ones(3),))

    assert asked == ["derivative"] * 2
    np.testing.assert_allclose(gradient, 3.0 * X * X)
    np.testing.assert_allclose(tangent, 3.0 * X * X)


def test_a_composite_is_differentiated_through_its_own_forward(offer):
    """A kernel for a composite needs no rule, and none is run on it."""

    @opgrad.composite(elementwise=True)
    def bump(xp, x):
        return xp.exp(-x * x)

    @opgrad.kernel("shapes.bump", data="numpy")
    def fast_bump(x):
        return np.exp(-np.square(plain(x)))

    offer(namespace="shapes", more=(bump,))
    offer(fast_bump)
    with opgrad.prefer("acme"):
        y = bump(Value(X))
        gradient = opgrad.grad(lambda x: ops.sum(bump(x)))(X)
        _, tangent = opgrad.jvp(bump, (X,), (np.ones(3),))

    assert made_by(y) == "load_plugin"
    np.testing.assert_allclose(gradient, -2.0 * X * np.exp(-X * X))
    np.testing.assert_allclose(tangent, gradient)


def test_a_kernel_may_save_for_its_own_rules(offer):
    """Its op saves nothing, so the op can still be differentiated twice."""

    @opgrad.kernel("core.sigmoid", data="numpy", saves=True)
    def fast_sigmoid(x):
        y = 1.0 / (1.0 + np.exp(-x))
        return y, y * (1.0 - y)

    @fast_sigmoid.derivative
    def fast_sigmoid_derivative(saved):
        return saved

    offer(fast_sigmoid)
    once = opgrad.elementwise_grad(ops.sigmoid)
    twice = opgrad.elementwise_grad(once)
    wanted = once(X), twice(X)
    with opgrad.prefer("acme"):
        got = once(X), twice(X)

    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-14)
    np.testing.assert_allclose(got[1], wanted[1], rtol=1e-14)


@pytest.fixture
def root(offer):
    """Return an op whose rules use what its forward saved, on arrays and numbers."""

    @opgrad.op(saves=True)
    def root(xp, x):
        y = xp.sqrt(x)
        return y, 2.0 * y

    @root.backward
    def root_backward(g, saved):
        return g / saved

    @root.jvp
    def root_jvp(t, saved):
        return t / saved

    offer(namespace="roots", more=(root,))

    return root


def test_a_kernel_of_a_saving_op_saves_what_it_likes(offer, root):
    """Rules of the owner get what the owner's forward saves, also where the sweep is recorded."""

    @opgrad.kernel("roots.root", data="numpy", saves=True)
    def fast_root(x):
        y = np.sqrt(x)
        return y, 0.5 / y

    @fast_root.backward
    def fast_root_backward(g, saved):
        return g * saved

    offer(fast_root)
    x, other = np.array([0.25, 4.0]), Value(3.0)
    with opgrad.prefer("acme"):
        gradient = opgrad.elementwise_grad(root)(x)
        recorded = opgrad.elementwise_grad(lambda x: other * root(x))(x)
        _, tangent = opgrad.jvp(root, (x,), (np.ones(2),))

    np.testing.assert_allclose(gradient, [1.0, 0.25])
    np.testing.assert_allclose(recorded.data, [3.0, 0.75])
    np.testing.assert_allclose(tangent, [1.0, 0.25])


def test_a_kernel_of_a_saving_op_need_not_save(offer, root):
    """A forward alone is a whole kernel here, too."""

    @opgrad.kernel("roots.root", data="numpy")
    def fast_root(x):
        return np.sqrt(x)

    offer(fast_root)
    with opgrad.prefer("acme"):
        got = opgrad.elementwise_grad(root)(np.array([0.25, 4.0]))

    np.testing.assert_allclose(got, [1.0, 0.25])


EVERY_OP = """
import opgrad
from opgrad.plugins import PLUGINS

@opgrad.hookimpl
def opgrad_kernels():
    kernels = []
    for namespace in PLUGINS.built_in:
        PLUGINS.load(namespace)
        for op in PLUGINS.registry.table(namespace).values():
            for data in ("numpy", "scalar"):
                kernel = opgrad.kernel(op.qualname, data=data, saves=op.saves)(op.forward)
                if len(kernels) % 2:  # half of them bring their rules, too
                    kernel.rules.extend([(*key, rule) for key, rule in op.rules.items()])
                kernels.append(kernel)
    return kernels
"""


def test_kernels_that_are_their_ops_change_nothing(site):
    """Every mode of differentiation is right where a kernel runs for every single op."""
    site.add("every", EVERY_OP)
    here = Path(__file__).parent
    files = [str(here / f"test_{name}.py") for name in ("pushforward", "matrices", "rows")]
    arguments = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
    ran = site.run(f"import opgrad; {WHO}; print({WHO})", OPGRAD_PREFER="every")
    done = site.call(*arguments, OPGRAD_PREFER="every", timeout=120)

    assert ran == "opgrad-every\n"
    assert done.returncode == 0, done.stdout


def test_a_wrong_shape_from_a_kernels_rule_names_the_kernel(offer):
    """What a rule returned is checked as ever."""

    @opgrad.kernel("core.tanh", data="numpy")
    def fast_tanh(x):
        return np.tanh(x)

    @fast_tanh.backward
    def fast_tanh_backward(g):
        return np.zeros(7)

    offer(fast_tanh)
    with (
        opgrad.prefer("acme"),
        pytest.raises(OpgradError, match="kernel of load_plugin by hand"),
    ):
        opgrad.grad(lambda x: ops.sum(ops.tanh(x)))(X)


def test_a_kernel_of_an_op_is_pickled_as_that_op(tanh_calls):
    """What runs where it is read is what is preferred there."""
    with opgrad.prefer("acme"):
        kernel = ops.tanh(Value(X)).op

    assert pickle.loads(pickle.dumps(kernel)) is ops.tanh  # noqa: S301 -- made in the line itself


# --- one block, thread, task --------------------------------------------------------------------


def test_the_inner_withingoes_first(offer):
    """Also where it is for a whole plugin and the outer one for the op alone."""
    offer(tanh_kernel(), namespace="acme")
    offer(tanh_kernel(), tanh_kernel("scalar"), namespace="umbrella")
    found = []
    with opgrad.prefer("umbrella", op="tanh"), opgrad.prefer("acme"):
        found += [ops.tanh(Value(X)).op, ops.tanh(Value(1.0)).op]

    assert [op.provider.namespace for op in found] == ["acme", "umbrella"]


def test_the_owner_can_be_preferred(tanh_calls):
    """For one op within a block that prefers a plugin for all: its own namespace."""
    with opgrad.prefer("acme"), opgrad.prefer("core", op="core.tanh"):
        y = ops.tanh(Value(X))

    assert made_by(y) == "opgrad"


def test_a_withinmay_be_left_in_any_order(tanh_calls):
    """As generators do: what is left is taken out, not what was there before restored."""

    def preferring():
        with opgrad.prefer("acme"):
            yield

    first, second = preferring(), preferring()
    next(first)
    next(second)
    first.close()
    held = made_by(ops.tanh(Value(X)))
    second.close()

    assert held == "load_plugin"
    assert made_by(ops.tanh(Value(X))) == "opgrad"


def test_a_block_takes_out_itself_not_its_like(tanh_calls, offer):
    """A generator's block is left within another for the same plugin: that one goes on."""
    offer(tanh_kernel(), namespace="other")

    def generator():
        with opgrad.prefer("acme"):
            yield

    outer = generator()
    next(outer)
    with opgrad.prefer("other"), opgrad.prefer("acme"):
        outer.close()
        ops.tanh(X)

    assert tanh_calls == ["forward"]


def test_an_error_ends_the_block(tanh_calls):
    """The preference does not outlive it."""
    with pytest.raises(KeyError), opgrad.prefer("acme"):
        raise KeyError

    assert made_by(ops.tanh(Value(X))) == "opgrad"


def test_prefer_decorates_a_function(tanh_calls):
    """Each call of it is a block."""

    @opgrad.prefer("acme")
    def model(x):
        return ops.tanh(x)

    assert [made_by(model(Value(X))) for _ in range(2)] == ["load_plugin"] * 2
    assert made_by(ops.tanh(Value(X))) == "opgrad"


def test_threads_do_not_see_each_others_preferences(tanh_calls):
    """One is in its block while the other calls the op."""
    within, done = threading.Event(), threading.Event()
    found = {}

    def preferring():
        with opgrad.prefer("acme"):
            within.set()
            done.wait(10)
            found["preferring"] = made_by(ops.tanh(Value(X)))

    thread = threading.Thread(target=preferring)
    thread.start()
    within.wait(10)
    found["other"] = made_by(ops.tanh(Value(X)))
    done.set()
    thread.join()

    assert found == {"preferring": "load_plugin", "other": "opgrad"}


def test_many_threads_prefer_and_call_at_once(offer):
    """Each result is of whom its own thread prefers, from the first call on."""
    offer(tanh_kernel(), namespace="acme")
    offer(tanh_kernel(), namespace="umbrella")
    wrong = []
    start = threading.Barrier(6)

    def work(plugin):
        start.wait(10)
        for _ in range(200):
            if plugin is None:
                found = ops.tanh(Value(X)).op.provider.namespace
            else:
                with opgrad.prefer(plugin):
                    found = Value(X).tanh().op.provider.namespace
            if found != (plugin or "core"):
                wrong.append((plugin, found))

    threads = [threading.Thread(target=work, args=(p,)) for p in [None, "acme", "umbrella"] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_tasks_do_not_see_each_others_preferences(tanh_calls):
    """Two tasks of one loop take turns, one of them in its block."""

    async def calling(plugin, found):
        for _ in range(3):
            if plugin is None:
                found.append(made_by(ops.tanh(Value(X))))
                await asyncio.sleep(0)
            else:
                with opgrad.prefer(plugin):
                    await asyncio.sleep(0)
                    found.append(made_by(ops.tanh(Value(X))))
                    await asyncio.sleep(0)

    async def both():
        preferring, other = [], []
        await asyncio.gather(calling("acme", preferring), calling(None, other))
        return preferring, other

    assert asyncio.run(both()) == (["load_plugin"] * 3, ["opgrad"] * 3)


# --- what is refused ----------------------------------------------------------------------------


def said(offer, kernel, **wanted):
    """Return what `prefer` says of a kernel."""
    offer(kernel)
    with pytest.raises(PluginError) as refused, opgrad.prefer("acme", **wanted):
        pass

    return str(refused.value)


def test_a_kernel_with_other_operands_is_refused(offer):
    """The error names both, with the place of the kernel and the call of the op."""

    @opgrad.kernel("core.tanh", data="numpy")
    def tanh2(a, b):
        return np.tanh(a) + b

    text = said(offer, tanh2)

    assert "does not fit core.tanh (opgrad" in text
    assert "its operands are (a, b)" in text
    assert text.endswith("tanh(x)")
    assert re.search(r"test_kernels.py:\d+", text)
    assert made_by(ops.tanh(Value(X))) == "opgrad"


def test_a_kernel_with_other_attributes_is_refused(offer):
    """Also one whose default is another."""

    @opgrad.kernel("core.sum", data="numpy")
    def fewer(x, *, axis=None):
        return x

    @opgrad.kernel("core.mean", data="numpy")
    def other(x, *, axis=None, keepdims=True):
        return x

    offer(fewer, other)
    with pytest.raises(PluginError, match=r"its attributes are \(axis\)"), opgrad.prefer("acme"):
        pass
    with (
        pytest.raises(PluginError, match="attribute keepdims has the default True"),
        opgrad.prefer("acme", op="core.mean"),
    ):
        pass


def test_a_kernel_with_any_number_of_operands_is_refused_where_the_op_has_one(offer):
    """And so is `xp` in the wrong place."""

    @opgrad.kernel("core.tanh", data="numpy")
    def variadic(*xs):
        return xs[0]

    assert "it takes (xs)" in said(offer, variadic)


def test_a_rule_that_asks_for_what_is_not_there_is_refused(offer):
    """As in the op itself: the names that exist are listed."""
    kernel = tanh_kernel()

    @kernel.jvp
    def fast_tanh_jvp(t, slope):
        return t * slope

    text = said(offer, kernel)

    assert "asks for 'slope'" in text
    assert "Names that exist: xp, y, t, x" in text


def test_a_rule_for_one_operand_does_not_replace_a_rule_for_all(offer):
    """Which of the two would count, nobody could say: every operand needs a rule then."""

    @opgrad.op
    def dot(a, b):
        return (a * b).sum()

    @dot.backward
    def dot_backward(g, a, b):
        return g * b, g * a

    @opgrad.kernel("products.dot", data="numpy")
    def fast_dot(a, b):
        return np.dot(a, b)

    @fast_dot.backward("a")
    def fast_dot_backward_a(g, b):
        return g * b

    offer(namespace="products", more=(dot,))
    text = said(offer, fast_dot)

    assert "one backward rule for all operands" in text
    assert text.endswith("lacks those for b")


def test_a_kernel_for_an_op_that_is_not_there_is_refused(offer):
    """Where the namespace is loaded; the nearest name is suggested."""

    @opgrad.kernel("core.tanhh", data="numpy")
    def lost(x):
        return x

    assert "'core.tanhh'; did you mean 'tanh'" in said(offer, lost)


def test_a_plugin_without_a_kernel_for_the_op_is_named(offer):
    """With what it does offer."""
    offer(tanh_kernel())
    with (
        pytest.raises(UnknownOpError, match=r"no kernel for core.exp; it offers: core.tanh for nu"),
        opgrad.prefer("acme", op="exp"),
    ):
        pass
    with pytest.raises(UnknownOpError, match="it offers: none at all"), opgrad.prefer("core"):
        pass


@pytest.mark.parametrize(
    ("plugin", "op", "reason"),
    [
        ("nobody", None, "no installed plugin provides 'nobody'"),
        ("acme", "core.tahn", "did you mean 'tan'"),
        ("acme", "nowhere.tanh", "no installed plugin provides 'nowhere'"),
    ],
)
def test_unknown_plugins_and_ops_are_refused_at_the_block(offer, plugin, op, reason):
    """Before anything runs in it."""
    offer(tanh_kernel())
    with pytest.raises(UnknownOpError, match=reason), opgrad.prefer(plugin, op=op):
        pytest.fail("the block ran")


def test_a_kernel_names_its_op_and_a_known_kind_of_data():
    """Refused where it is defined."""
    with pytest.raises(OpDefinitionError, match=r"namespace.name, as in 'core.tanh'; got 'tanh'"):
        opgrad.kernel("tanh", data="numpy")
    with pytest.raises(OpDefinitionError, match="did you mean 'numpy'"):
        opgrad.kernel("core.tanh", data="nunpy")
    with pytest.raises(OpDefinitionError, match="not a Python function"):
        opgrad.kernel("core.tanh", data="numpy")(np.tanh)


def test_kernels_are_for_each_library_that_data_can_come_from():
    """`DATA` cannot ask for them where it stands, below the namespaces."""
    checked_with = {"array_api_strict"}  # where the conformance checks have run

    assert {"scalar", *LIBRARIES} - checked_with == set(DATA)


def test_rules_come_before_the_plugin_hands_the_kernel_over(offer):
    """Later ones would be ignored by those who chose already."""
    kernel = offer(tanh_kernel())
    with pytest.raises(OpDefinitionError, match="its rules are fixed"):
        kernel.jvp(lambda t: t)


@pytest.mark.parametrize(
    ("kernels", "reason"),
    [
        ((tanh_kernel(), tanh_kernel()), "one kernel for each op and kind of data"),
        ((np.tanh,), "which is not a kernel; kernels are made by @opgrad.kernel"),
        (
            (opgrad.kernel("acme.tanh", data="numpy")(lambda x: x),),
            "a kernel is for an op of another plugin",
        ),
    ],
)
def test_a_plugin_with_a_wrong_kernel_is_refused_whole(kernels, reason):
    """When it is loaded: neither its ops nor its other kernels come in."""
    with pytest.raises(PluginError, match=reason):
        opgrad.load_plugin(offering(*kernels), "acme")

    assert "acme" not in PLUGINS.registry.namespaces
    assert PLUGINS.kernels("acme") == ()


def test_a_single_kernel_is_no_list_of_kernels():
    """The hook says what it returned, and what it should."""
    plugin = SimpleNamespace(opgrad_kernels=opgrad.hookimpl(tanh_kernel))
    with pytest.raises(PluginError, match="it returns the plugin's kernels, as a list or tuple"):
        opgrad.load_plugin(plugin, "acme")


def test_one_kernel_belongs_to_one_plugin(offer):
    """Handed over by a second one it is refused, and the first is named."""
    kernel = offer(tanh_kernel())
    with pytest.raises(ConflictError, match="which belongs to load_plugin by hand"):
        opgrad.load_plugin(offering(kernel), "umbrella")


# --- plugins come and go ------------------------------------------------------------------------


def test_a_plugin_of_kernels_alone_is_a_plugin(offer):
    """It has a namespace, and no op in it."""
    offer(tanh_kernel())

    assert "acme" in PLUGINS.registry.namespaces
    assert len(PLUGINS.registry.table("acme")) == 0


def test_a_plugin_taken_out_takes_its_kernels_along(offer):
    """In the middle of a block, too: the owner runs, and is called as ever."""
    offer(tanh_kernel())
    with opgrad.prefer("acme"):
        ops.tanh(X)
        PLUGINS.forget("acme")
        y = ops.tanh(Value(X))

    assert made_by(y) == "opgrad"
    assert ops.tanh.chooser is None


def test_a_kernel_taken_out_is_freed():
    """A notebook that defines one anew and anew does not keep them all."""
    kernel = tanh_kernel()
    opgrad.load_plugin(offering(kernel), "acme")
    with opgrad.prefer("acme"):
        ops.tanh(X)
    PLUGINS.forget("acme")
    known = weakref.ref(kernel)
    del kernel
    gc.collect()

    assert known() is None


def test_a_plugin_defined_anew_brings_its_new_kernels(offer):
    """As a cell of a notebook does that is run twice."""
    first, second = [], []
    offer(tanh_kernel(calls=first))
    with opgrad.prefer("acme"):
        ops.tanh(X)
        offer(tanh_kernel(calls=second))
        ops.tanh(X)

    assert (first, second) == (["forward"], ["forward"])


def test_a_kernel_waits_for_the_plugin_of_its_op(offer):
    """Preferring one plugin imports no other; when that comes, the kernel runs."""

    @opgrad.elementwise
    def double(x):
        return 2.0 * x

    @double.derivative
    def double_derivative():
        return 2.0

    @opgrad.kernel("activations.late", data="numpy")
    def fast_late(x):
        return np.add(x, x)

    double_op = opgrad.elementwise(name="late")(double.forward)
    double_op.derivative(double_derivative)
    offer(fast_late, tanh_kernel())
    with not_loaded("activations") as registry, opgrad.prefer("acme"):
        provider = opgrad.types.Provider("activations", "late-comer", "1.0", __name__)
        registry.commit(provider, [double_op])
        y = double_op(Value(X))

    assert made_by(y) == "load_plugin"


# --- the variable and the file ------------------------------------------------------------------

OFFERING = """
import math
import opgrad

@opgrad.kernel("core.tanh", data="scalar")
def fast_tanh(x):
    return math.tanh(x)

@opgrad.hookimpl
def opgrad_kernels():
    return [fast_tanh]
"""
WHO = "opgrad.ops.tanh(opgrad.Value(0.5)).op.provider.distribution"
IN_FILE = """
import json, os, sys
sys.prefix = os.path.join(os.getcwd(), "environment")
os.makedirs(os.path.join(sys.prefix, "etc", "opgrad"), exist_ok=True)
with open(os.path.join(sys.prefix, "etc", "opgrad", "prefer.json"), "w") as file:
    json.dump({"prefer": %s}, file)
"""


def before_import(prefer):
    """Return the start of a program whose environment has a file that prefers these."""
    return IN_FILE % json.dumps(prefer)


def test_the_variable_prefers_a_plugin_which_the_first_call_loads(site):
    """`import opgrad` loads nothing, not even the plugin that is preferred."""
    site.add("acme", OFFERING)
    printed = site.run(
        f"""
        import sys
        import opgrad
        print("opgrad_acme" in sys.modules)
        print({WHO}, "opgrad_acme" in sys.modules)
        print(opgrad.ops.exp.chooser, opgrad.ops.tanh.chooser is not None)
        print((opgrad.Value(0.5) * 2.0).op)
        """,
        OPGRAD_PREFER="acme",
    )

    assert printed.splitlines()[:3] == ["False", "opgrad-acme True", "None True"]
    assert "core.multiply (opgrad " in printed.splitlines()[3]


def test_the_file_prefers_as_the_variable_does(site):
    """It lies in the environment that runs the program."""
    site.add("acme", OFFERING)

    program = before_import(["core.tanh=acme"]) + f"import opgrad; print({WHO})"

    assert site.run(program) == "opgrad-acme\n"


def test_nothing_preferred_imports_nothing(site):
    """The modules of this feature are for those who use it."""
    site.add("acme", OFFERING)
    printed = site.run("""
        import sys
        import opgrad
        opgrad.grad(lambda x: opgrad.ops.tanh(x) * x)(0.5)
        names = ("opgrad.kernels", "opgrad.preferring", "opgrad.preferences", "opgrad_acme")
        print([name for name in names if name in sys.modules])
    """)

    assert printed == "[]\n"


@pytest.mark.parametrize(
    ("variable", "file", "block", "runs"),
    [
        ("acme", [], None, "acme"),
        ("acme", ["umbrella"], None, "acme"),
        ("acme", ["core.tanh=umbrella"], None, "acme"),
        ("acme,umbrella", [], None, "umbrella"),
        ("core.tanh=acme,umbrella", [], None, "acme"),
        ("core.tanh=acme,tanh=umbrella", [], None, "umbrella"),
        ("core.tanh=core", ["acme"], None, None),
        ("core.tanh=core", ["acme"], "umbrella", "umbrella"),
        (" ,acme, ", [], None, "acme"),
    ],
)
def test_who_goes_first(site, variable, file, block, runs):
    """Block, variable, file; in one of these the op before the plugin, and the later of two."""
    site.add("acme", OFFERING)
    site.add("umbrella", OFFERING)
    head = before_import(file) if file else ""
    within = f"opgrad.prefer({block!r})" if block else "contextlib.nullcontext()"
    program = f"{head}import contextlib, opgrad\nwith {within}:\n    print({WHO})"
    printed = site.run(program, OPGRAD_PREFER=variable)

    assert printed.strip() == (f"opgrad-{runs}" if runs else "opgrad")


@pytest.mark.parametrize(
    ("prefer", "reason"),
    [
        ("acme", "ZeroDivisionError"),
        ("nobody", "no installed plugin provides 'nobody'"),
        ("idle", "offers no kernel"),
        ("core.tanh=", "written plugin, or op=plugin"),
        ("wrong", "its operands are (a)"),
    ],
)
def test_a_preference_that_cannot_be_is_one_warning(site, prefer, reason):
    """The owners run. Under OPGRAD_STRICT it is an error."""
    site.add("acme", "1 / 0")
    site.add("idle", OFFERING.replace("core.tanh", "absent.tanh"))
    site.add(
        "wrong", OFFERING.replace("fast_tanh(x)", "fast_tanh(a)").replace("tanh(x)", "tanh(a)")
    )
    program = f"""
        import warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            import opgrad
            print([{WHO} for _ in range(3)])
        print([str(one.message) for one in caught])
    """
    printed = site.run(program, OPGRAD_PREFER=prefer).splitlines()
    strict = site.call("-c", f"import opgrad; {WHO}", OPGRAD_PREFER=prefer, OPGRAD_STRICT="1")

    assert printed[0] == str(["opgrad"] * 3)
    assert printed[1].count("OPGRAD_PREFER") == 1
    assert reason in printed[1]
    assert strict.returncode == 1
    assert reason in strict.stderr or "ZeroDivisionError" in strict.stderr


def test_a_file_that_cannot_be_read_is_a_warning_that_says_how_to_remove_it(site):
    """Somebody has edited it."""
    program = before_import(["acme"]).replace("json.dump", "print") + "import opgrad"
    said = site.call("-W", "error", "-c", program).stderr

    assert "OpgradWarning" in said
    assert "prefer.json cannot be read" in said
    assert "opgrad prefer --clear" in said


def test_what_cannot_be_read_keeps_nobody_from_repairing_it(site):
    """Under OPGRAD_STRICT the first call of an op raises, but not the import of opgrad."""
    settings = {"OPGRAD_PREFER": "=", "OPGRAD_STRICT": "1"}
    called = site.call("-c", "import opgrad; opgrad.Value(1.0) + 1.0", **settings)
    doctor = site.call("-m", "opgrad", "doctor", **settings)

    assert "OpgradError: OPGRAD_PREFER holds '='" in called.stderr
    assert "preference: OPGRAD_PREFER" in doctor.stdout


@pytest.mark.parametrize("text", ['"acme"', '{"acme": 1}', "[null]", "3"])
def test_a_file_without_a_list_of_texts_is_refused(environment, text):
    """A name alone is no list of its letters."""
    path = environment / "etc" / "opgrad" / "prefer.json"
    path.parent.mkdir(parents=True)
    path.write_text(f'{{"prefer": {text}}}')
    with pytest.raises(OpgradError, match="a list of texts; correct it, or delete it"):
        preferences.in_file()


def test_a_preferred_plugin_that_calls_ops_while_it_is_imported_still_loads(site):
    """Whoever imports it first: what it calls meanwhile are the owners."""
    source = OFFERING + "\nHALF = opgrad.ops.tanh(0.5)\n"
    site.add("acme", source)
    first, second = (
        site.run(f"{imports}; print({WHO})", OPGRAD_PREFER="acme", OPGRAD_STRICT="1")
        for imports in ("import opgrad_acme, opgrad", "import opgrad; opgrad.ops.tanh(1.0)")
    )

    assert (first, second) == ("opgrad-acme\n",) * 2


def test_switched_off_plugins_are_not_preferred(site):
    """OPGRAD_DISABLE_PLUGINS wins, and the block says so."""
    site.add("acme", OFFERING)
    said = site.said(
        'opgrad.prefer("acme").__enter__()', before="import opgrad", OPGRAD_DISABLE_PLUGINS="acme"
    )

    assert "switched off by OPGRAD_DISABLE_PLUGINS" in said


# --- opgrad prefer ------------------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment of the test's own, as far as the file of preferences is concerned."""
    monkeypatch.setattr(sys, "prefix", os.fspath(tmp_path))
    monkeypatch.delenv("OPGRAD_PREFER", raising=False)

    return tmp_path


@pytest.fixture
def prefer(environment):
    """Run `opgrad prefer` in this process; its result has exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(cli, ["prefer", *arguments])


def held(environment):
    """Return what the file holds."""
    path = environment / "etc" / "opgrad" / "prefer.json"

    return json.loads(path.read_text())["prefer"] if path.exists() else None


def test_prefer_writes_the_file_and_clear_removes_it(prefer, environment, offer):
    """One preference after the other; the file is gone with the last one."""
    offer(tanh_kernel())
    found = []
    for arguments in (("acme",), ("acme", "tanh"), ("core", "core.tanh")):
        prefer(*arguments)
        found.append(held(environment))
    for arguments in (("core", "tanh"), ("acme",)):
        prefer("--clear", *arguments)
        found.append(held(environment))

    assert found == [
        ["acme"], ["acme", "core.tanh=acme"], ["acme", "core.tanh=core"], ["acme"], None,
    ]  # fmt: skip
    assert [path.name for path in (environment / "etc" / "opgrad").iterdir()] == []


def test_clear_without_a_name_clears_everything(prefer, environment, offer):
    """Also a file that cannot be read."""
    offer(tanh_kernel())
    prefer("acme")
    (environment / "etc" / "opgrad" / "prefer.json").write_text("{")
    result = prefer("--clear")

    assert result.exit_code == FINE
    assert held(environment) is None


def test_prefer_lists_the_kernels_and_says_which_run(prefer, offer, monkeypatch):
    """By op: for which data, from whom, whether it runs here, and where it is defined."""
    offer(tanh_kernel(), tanh_kernel("scalar"))
    monkeypatch.setattr(PREFERENCES, "_base", (preferences.parse("acme", "OPGRAD_PREFER"),))
    monkeypatch.setattr(PREFERENCES, "_era", object())
    text = prefer().stdout
    facts = json.loads(prefer("--json").stdout)

    assert re.search(r"core.tanh +numpy +acme +load_plugin by hand +yes +.*test_kernels.py:", text)
    assert [(k["data"], k["runs"]) for k in facts["kernels"]] == [("numpy", True), ("scalar", True)]
    assert facts["kernels"][0]["preferred_by"] == "OPGRAD_PREFER"
    assert facts["kernels"][0]["rules"] == [
        {"kind": "derivative", "operand": "x", "from": "kernel"}
    ]


def test_a_kernel_that_does_not_fit_is_a_finding(prefer, offer):
    """Listed all the same, with the reason on stderr."""
    offer(opgrad.kernel("core.tanh", data="numpy")(lambda a, b: a))
    result = prefer()

    assert result.exit_code == FINDINGS
    assert "no: it does not fit" in result.stdout
    assert "its operands are (a, b)" in result.stderr


def test_a_kernel_for_an_op_that_is_not_installed_is_no_finding(prefer, offer):
    """A plugin may offer kernels for several others; `check --compare` passes it over, too."""
    forwards = {"core.tanh": lambda xp, x: xp.tanh(x), "absent.tanh": lambda x: x}
    offer(*[opgrad.kernel(op, data="numpy")(forward) for op, forward in forwards.items()])
    result = prefer()
    compared = CliRunner().invoke(cli, ["check", "--compare", "acme", "--json"])

    assert result.exit_code == FINE
    assert re.search(r"absent.tanh .* no: its op is not installed", result.stdout)
    assert [one["op"] for one in json.loads(compared.stdout)] == ["core.tanh"]
    assert compared.exit_code == FINE


def test_what_cannot_be_preferred_is_not_written(prefer, environment, offer):
    """A mistake in the call is a usage error; a kernel that does not fit is a finding."""
    offer(tanh_kernel())
    unknown = prefer("acme", "exp")
    nobody = prefer("nobody")
    absent = prefer("--clear", "acme")

    assert [unknown.exit_code, nobody.exit_code, absent.exit_code] == [USAGE] * 3
    assert "no kernel for core.exp" in unknown.stderr
    assert "acme is not preferred; the file holds: nothing" in absent.stderr
    assert held(environment) is None


def test_an_environment_that_cannot_be_written_names_the_variable(environment, offer):
    """With what it would have to hold."""
    (environment / "etc").write_text("a file, where a folder should be")
    wanted = preferences.Preference("acme", "core.tanh")
    with pytest.raises(OpgradError, match=r"set OPGRAD_PREFER=core.tanh=acme instead"):
        preferences.write_file([wanted])


def test_show_lists_the_kernels_of_an_op(offer):
    """With who offers them; in JSON as `opgrad prefer` has them."""
    offer(tanh_kernel())
    text = CliRunner().invoke(cli, ["show", "tanh"]).stdout
    facts = json.loads(CliRunner().invoke(cli, ["show", "tanh", "--json"]).stdout)

    assert re.search(r"kernel +for numpy data from load_plugin by hand, .*: does not run", text)
    assert [one["plugin"] for one in facts["kernels"]] == ["acme"]


def test_the_warning_of_a_late_misfit_comes_once(offer):
    """Of a plugin loaded after its kernel was preferred: the op runs, and one line says so."""

    @opgrad.composite(elementwise=True, name="late")
    def late(x):
        return x + x

    offer(opgrad.kernel("fft.late", data="numpy")(lambda a, b: a), tanh_kernel())
    provider = opgrad.types.Provider("fft", "late-comer", "1.0", __name__)
    with not_loaded("fft") as registry, opgrad.prefer("acme"):
        registry.commit(provider, [late])
        with pytest.warns(OpgradWarning, match="does not fit fft.late") as caught:
            made = [made_by(late(Value(X))) for _ in range(3)]

    assert made == ["late-comer"] * 3
    assert len(caught) == 1
