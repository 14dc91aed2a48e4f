"""`compare` is itself tested: a wrong kernel of each kind must be found, a right one must not."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.cli.comparing import comparison_table
from opgrad.cli.output import console
from opgrad.plugins import PLUGINS
from opgrad.preferring import PREFERENCES
from opgrad.testing.comparing import compare


@pytest.fixture
def compared():
    """Compare an op with kernels that a plugin by hand offers."""

    def run(op, *kernels, timed=False):
        plugin = SimpleNamespace(opgrad_kernels=opgrad.hookimpl(lambda: kernels))
        opgrad.load_plugin(plugin, "acme")
        return compare(op, timed=timed)

    yield run
    PLUGINS.forget("acme")
    PREFERENCES._active.clear()


def kernel(op, forward, data="numpy", **rules):
    """Make a kernel of a forward and rules by kind."""
    made = opgrad.kernel(op, data=data)(forward)
    for kind, rule in rules.items():
        getattr(made, kind)(rule)

    return made


def tanh(x):
    """Return tanh x: a forward is a function of Python, which a ufunc is not."""
    return np.tanh(x)


def exp(x):
    """Return e^x."""
    return np.exp(x)


def multiply(a, b):
    """Return the product."""
    return np.multiply(a, b)


def matmul(a, b):
    """Return the matrix product."""
    return np.matmul(a, b)


def found(comparison):
    """Return what differs, each word once, in order."""
    (report,) = comparison.kernels

    return list(dict.fromkeys(difference.what for difference in report.differences))


def text(comparison):
    """Return the table as it is printed."""
    printer = console()
    with printer.capture() as captured:
        printer.print(comparison_table(comparison.facts()))

    return captured.get()


# --- right ones ---------------------------------------------------------------------------------


def test_a_right_kernel_agrees(compared):
    """On the samples, in single precision, with gaps, on long arrays; in all three results."""
    comparison = compared(ops.exp, kernel("core.exp", exp, derivative=lambda y: y))
    (report,) = comparison.kernels

    assert comparison.ok
    assert report.differences == ()
    assert report.cases > 3 * len(ops.exp.samples)
    assert {"value", "gradient", "forward mode"} <= report.errors.keys()
    assert max(report.errors.values()) < 4.0


def test_a_right_kernel_of_two_operands_agrees(compared):
    """Also on shapes that broadcast."""
    comparison = compared(ops.multiply, kernel("core.multiply", multiply))

    assert comparison.ok


def test_a_right_kernel_that_is_not_elementwise_agrees(compared):
    """On the op's samples, with their attributes."""
    forward = opgrad.kernel("core.matmul", data="numpy")(matmul)
    comparison = compared(ops.matmul, forward)

    assert comparison.ok
    assert comparison.kernels[0].cases > len(ops.matmul.samples)


def test_a_right_kernel_of_numbers_agrees(compared):
    """`scalar` kernels see Python numbers alone."""
    seen = []

    def forward(x):
        seen.append(type(x))
        return math.atan(x)

    assert compared(ops.atan, kernel("core.atan", forward, data="scalar")).ok
    assert set(seen) <= {int, float}


def test_an_op_without_kernels_does_not_look_right():
    """A test of a plugin whose kernel is not there must not pass; the table says so."""
    comparison = compare(ops.log)

    assert not comparison.ok
    assert comparison.kernels == ()
    assert "no plugin here offers a kernel for core.log" in text(comparison)


# --- wrong ones ---------------------------------------------------------------------------------


def near(x):
    """Return tanh x, a little off."""
    return np.tanh(x) * (1.0 + 1e-9)


def only_singles(x):
    """Return a tanh that is wrong in single precision."""
    return near(x).astype(x.dtype) * x.dtype.type(1.001) if x.dtype == "float32" else np.tanh(x)


def doubles(x):
    """Return a tanh that is always of double precision."""
    return np.tanh(x).astype(float)


def as_if_dense(x):
    """Return a tanh that takes the memory of x as if its entries lay side by side."""
    dense = np.lib.stride_tricks.as_strided(x, strides=(x.itemsize,)) if x.ndim == 1 else x

    return np.tanh(dense)


def writing(x):
    """Return tanh x, and write it into x, too."""
    return np.tanh(x, out=x) if x.flags.writeable else np.tanh(x)


def writing_backward(g, y):
    """Return the gradient in the memory of g, which may be that of another operand, too."""
    if hasattr(g, "shape") and g.shape:
        g *= 1.0 - y * y
        return g
    return g * (1.0 - y * y)


def with_one_buffer(buffers):
    """Return a tanh that writes every result of a shape and type into the same array."""

    def forward(x):
        y = np.tanh(x)
        if not np.ndim(x):
            return y
        buffer = buffers.setdefault((y.shape, y.dtype), y)
        buffer[...] = y
        return buffer

    return forward


def with_a_memory(seen):
    """Return a tanh that rounds otherwise every second time that it sees an array."""

    def forward(x):
        y, key = np.tanh(x), np.asarray(x).tobytes()
        seen.append(key)
        return y if seen.count(key) % 2 else y * (1 + np.finfo(y.dtype).eps)

    return forward


def failing(x):
    """Raise on long arrays."""
    if x.size > 100:
        raise MemoryError
    return np.tanh(x)


@pytest.mark.parametrize(
    ("forward", "rules", "what", "case"),
    [
        (near, {}, "value", "sample 2, arrays"),
        (only_singles, {}, "value", "in float32"),
        (doubles, {}, "value", "in float32"),
        (as_if_dense, {}, "value", "with gaps"),
        (failing, {}, "value", "10,000 entries"),
        (lambda x: np.tanh(x)[:1], {}, "value", "16 entries"),
        (lambda x: np.where(np.isin(x, x[-1:]), np.nan, np.tanh(x)), {}, "value", "arrays"),
        (lambda x: np.tanh(np.nan_to_num(x)), {}, "value", "NaN and infinities"),
        (lambda x: np.tanh(x.real).astype(x.dtype), {}, "value", "as complex numbers"),
        (lambda x: np.tanh(x).astype(x.dtype), {}, "value", "as whole numbers"),
        (lambda x: np.tanh(x) if x.ndim else math.tanh(x), {}, "value", "an array without axes"),
        (lambda x: 1.0 * ops.tanh(x), {}, "value", "RecursionError"),
        (writing, {}, "mutation", "arrays"),
        (tanh, {"backward": writing_backward}, "mutation", "arrays"),
        (with_one_buffer({}), {}, "aliasing", "two calls give results in the same memory"),
        (with_a_memory([]), {}, "determinism", "two equal calls give two values"),
        (tanh, {"derivative": lambda y: 1.0 + y * y},
         "gradient", "arrays"),
        (tanh, {"backward": lambda g, y: g - y * y}, "gradient", "arrays"),
        (tanh, {"backward": lambda xp, g: xp.zeros(1)}, "gradient", "entries"),
        (tanh, {"jvp": lambda t: t}, "forward mode", "arrays"),
    ],
)  # fmt: skip
def test_a_wrong_kernel_is_found(compared, forward, rules, what, case):
    """By the result that is wrong or the promise that is broken, on a case that shows it."""
    comparison = compared(ops.tanh, kernel("core.tanh", forward, **rules))
    (report,) = comparison.kernels

    assert not comparison.ok
    assert what in found(comparison)
    assert any(case in d.case + d.text for d in report.differences if d.what == what)
    assert "DIFFERS" in text(comparison)


def test_a_result_that_is_the_operand_is_found(compared):
    """Where the op gives memory of its own: writing into one would change the other."""
    comparison = compared(ops.positive, kernel("core.positive", lambda x: x))

    assert "shares memory with an operand" in text(comparison)
    assert found(comparison) == ["aliasing"]


def test_a_view_is_right_where_the_op_gives_one(compared):
    """As `reshape` does."""

    @opgrad.kernel("core.reshape", data="numpy")
    def same_memory(x, *, shape, copy):
        return np.reshape(x, shape)

    assert found(compared(ops.reshape, same_memory)) == []


def test_a_number_of_numpy_is_none_of_python(compared):
    """From a kernel for Python numbers: the calls after it would leave the short road."""
    comparison = compared(ops.exp, kernel("core.exp", exp, data="scalar"))

    assert "value got float64 float64 (), wanted float" in text(comparison)


def test_a_gradient_that_loses_its_digits_is_found(compared):
    """1 - tanh² of a large number is rounding errors alone; the op's own rule is not."""
    comparison = compared(ops.tanh, kernel("core.tanh", tanh, derivative=lambda y: 1.0 - y * y))

    assert found(comparison) == ["gradient", "forward mode"]


def test_a_sum_in_another_order_is_the_same_sum(compared):
    """Where an op adds up, rounding errors are those of the largest."""

    @opgrad.kernel("core.sum", data="numpy")
    def backwards(x, *, axis, dtype, keepdims):
        return np.sum(np.flip(x), axis=axis, keepdims=keepdims) if axis is None else np.flip(
            np.flip(x).sum(axis=axis, keepdims=keepdims))  # fmt: skip

    comparison = compared(ops.sum, backwards)

    assert found(comparison) == []


def test_a_kernel_that_does_not_fit_is_a_finding(compared):
    """It is listed with the reason, and nothing of it was run."""
    comparison = compared(ops.tanh, kernel("core.tanh", lambda a, b: a + b))
    (report,) = comparison.kernels

    assert not comparison.ok
    assert report.cases == 0
    assert "its operands are (a, b)" in text(comparison)


def test_nothing_compared_is_no_agreement(compared):
    """A kernel for data that no sample has."""

    @opgrad.op(samples=(opgrad.sample([1.0, 2.0]),))
    def total(xp, x):
        return xp.sum(x)

    @total.backward
    def total_backward(xp, g, x):
        return g * xp.ones_like(x)

    plugin = SimpleNamespace(opgrad_ops=opgrad.hookimpl(lambda: [total]))
    opgrad.load_plugin(plugin, "totals")
    try:
        comparison = compared(total, kernel("totals.total", lambda x: x, data="scalar"))
    finally:
        PLUGINS.forget("totals")

    assert not comparison.ok
    assert "nothing to compare" in text(comparison)


# --- speed --------------------------------------------------------------------------------------


def test_a_slow_kernel_is_seen_to_be_slow(compared):
    """It computes the same a hundred times; the times of both are told, in turns, as medians."""

    def slow(x):
        for _ in range(100):
            y = np.tanh(x)
        return y

    comparison = compared(ops.tanh, kernel("core.tanh", slow), timed=True)
    timings = comparison.kernels[0].timings

    assert [(t.case, t.mode) for t in timings] == [
        (f"{n} entries, arrays", mode)
        for n in ("16", "10,000")
        for mode in ("forward", "forward and backward")
    ]
    assert all(timing.ratio > 2.0 for timing in timings)
    assert "10,000 entries, arrays" in text(comparison)


def test_preferences_do_not_change_what_is_compared(compared):
    """The measure is the owner, also where the kernel is preferred."""
    wrong = kernel("core.tanh", lambda x: np.tanh(x) * 1.1)
    compared(ops.tanh, wrong)
    with opgrad.prefer("acme"):
        assert not compare(ops.tanh, timed=False).ok
