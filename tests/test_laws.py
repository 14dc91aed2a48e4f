"""Laws of differentiation, on random graphs, shapes and data.

The truth is the complex step: f(x + ih)' = Im f(x + ih) / h for the smooth ops, to the last digits
and without a choice of step. It runs the same ops forward on plain complex data.
"""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import opgrad
from opgrad import Value, grad, jvp, ops

TINY = 1e-40
CLOSE = {"rtol": 1e-9, "atol": 1e-9}

LAW = settings(derandomize=True, deadline=None, database=None, max_examples=120)


def plain(x):
    """The data of a Value."""
    return x.data if isinstance(x, Value) else x


def first_entries(x):
    """The first entry along the last axis; x itself where there is no axis."""
    return x[..., 0] if opgrad.shape(x) else x


def gram(x):
    """Σ of the outer product of the entries with themselves, by matmul."""
    if not opgrad.shape(x):
        return x * x
    column = ops.reshape(x, (-1, 1))

    return ops.sum(ops.matmul(column, ops.matrix_transpose(column)))


def doubled(x):
    """x beside 2x, on an axis of their own or joined."""
    if not opgrad.shape(x):
        return x * 3.0

    return ops.sum(ops.concat([x, 2.0 * x])) - ops.sum(ops.stack([x, x * x]))


def larger(a, b):
    """The one whose data sum to more: a plain choice between two graphs."""
    return a if np.sum(np.real(plain(a))) > np.sum(np.real(plain(b))) else b


def is_large(x):
    """A plain mask."""
    return np.real(plain(x)) > 0.1


# Each keeps numbers small, so that random graphs neither overflow nor lose their digits.
SMOOTH = {
    "add": lambda a, b: 0.6 * a + b * 0.4,
    "subtract": lambda a, b: a - 0.5 * b,
    "multiply": lambda a, b: ops.sin(a * b),
    "divide": lambda a, b: a / (2.0 + ops.cos(b)),
    "reflected": lambda a, b: 1.5 / (3.0 + ops.sin(a)) - b / 2,
    "negative": lambda a, b: -a * ops.tanh(b),
    "power": lambda a, b: (2.0 + ops.sin(a)) ** ops.tanh(b),
    "integer power": lambda a, b: ops.tanh(a) ** 3 + ops.cos(b) ** 2,
    "exp": lambda a, b: ops.exp(ops.sin(a)) * 0.4 + b * 0.1,
    "log": lambda a, b: ops.log(2.5 + ops.cos(a) * ops.sin(b)),
    "sqrt": lambda a, b: ops.sqrt(1.0 + a * a) * 0.5,
    "sigmoid": lambda a, b: ops.sigmoid(a - b),
    "atan": lambda a, b: ops.atan(a) * ops.atan(b),
    "square": lambda a, b: ops.square(ops.tanh(a)) + ops.sinh(ops.sin(b)),
    "sum": lambda a, b: a * 0.1 + ops.tanh(ops.sum(b)),
    "mean": lambda a, b: a - ops.mean(a) * ops.cos(b),
    "entries": lambda a, b: a * 0.5 + first_entries(b) * 0.5 if opgrad.shape(a) == () else a,
    "matmul": lambda a, b: b * 0.5 + ops.tanh(gram(a)),
    "joined": lambda a, b: ops.sin(doubled(a) * 0.1) + b * 0.5,
    "where": lambda a, b: ops.where(is_large(a), a * 0.9, ops.sin(b)),
    "larger": larger,
    "same twice": lambda a, b: ops.tanh(a * a + a),
}


SHAPES = [(), (3,), (2, 1), (1, 3), (2, 3), (1,), (1, 1)]
NUMBERS = st.floats(-1.5, 1.5, width=32).map(float)


@st.composite
def inputs(draw, count=None):
    """One to three numbers and arrays whose shapes broadcast."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=count or 1, max_size=count or 3))
    as_numbers = draw(st.booleans())

    return tuple(
        draw(NUMBERS)
        if not shape and as_numbers
        else draw(hnp.arrays(float, shape, elements=NUMBERS))
        for shape in shapes
    )


@st.composite
def programs(draw, longest=6):
    """A random graph: each step takes two earlier results, and all of the last three are used."""
    steps = draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(SMOOTH)), st.integers(0, 30), st.integers(0, 30)),
            min_size=1,
            max_size=longest,
        )
    )

    def run(*xs):
        pool = list(xs)
        for name, i, j in steps:
            pool.append(SMOOTH[name](pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]))
        return (
            1.0 * ops.sum(pool[-1]) + 0.7 * ops.sum(pool[len(pool) // 2]) + 0.3 * ops.sum(pool[0])
        )

    run.steps = steps

    return run


def complex_step(f, xs, i):
    """The slope of f by each entry of input i."""
    x = np.asarray(xs[i], complex)
    slope = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += 1j * TINY
        y = f(*xs[:i], moved if x.shape else complex(moved), *xs[i + 1 :])
        slope[index] = np.imag(y) / TINY

    return slope


def gradient(f, xs):
    """All gradients of f at xs."""
    return grad(f, tuple(range(len(xs))))(*xs)


def tangents_like(xs, seed=3):
    """Uneven directions of the shapes of xs."""
    generator = np.random.default_rng(seed)

    return tuple(
        generator.normal(size=x.shape) if np.shape(x) else float(generator.normal()) for x in xs
    )


def dot(xs, ts):
    """Σ over inputs and entries."""
    return sum(float(np.sum(np.asarray(x) * np.asarray(t))) for x, t in zip(xs, ts, strict=True))


# -- random graphs --------------------------------------------------------------------------------


@LAW
@given(programs(), inputs())
def test_the_gradient_of_a_random_graph_is_its_slope(f, xs):
    """Reverse mode beside the complex step, entry by entry, with the shapes of the inputs."""
    found = gradient(f, xs)

    for i, d in enumerate(found):
        assert np.shape(d) == np.shape(xs[i])
        np.testing.assert_allclose(d, complex_step(f, xs, i), **CLOSE)


@LAW
@given(programs(), inputs())
def test_forward_mode_agrees_with_reverse_mode(f, xs):
    """J t = ⟨gradient, t⟩."""
    ts = tangents_like(xs)

    _, tangent = jvp(f, xs, ts)

    np.testing.assert_allclose(float(tangent), dot(gradient(f, xs), ts), **CLOSE)


@LAW
@given(programs(), inputs())
def test_a_recorded_sweep_gives_the_numbers_of_a_plain_one(f, xs):
    """The same additions in the same order, also with Values in."""
    leaves = [Value(x) for x in xs]
    f(*leaves).backward(record=True)

    for leaf, d in zip(leaves, gradient(f, xs), strict=True):
        np.testing.assert_allclose(plain(leaf.grad), d, rtol=1e-13, atol=1e-13)


@settings(LAW, max_examples=80)
@given(programs(), inputs())
def test_second_derivatives_agree_in_all_four_mixtures(f, xs):
    """H t three ways, and tᵀH t by forward over forward.

    The truth is the complex step of the gradient along t.
    """
    ts = tangents_like(xs)
    moved = tuple(
        np.asarray(x, complex) + 1j * TINY * np.asarray(t) for x, t in zip(xs, ts, strict=True)
    )
    moved = tuple(m if np.shape(m) else complex(m) for m in moved)
    truth = [np.imag(d) / TINY for d in gradient(f, moved)]

    _, forward_reverse = jvp(lambda *xs: gradient(f, xs), xs, ts)
    reverse_forward = gradient(lambda *xs: jvp(f, xs, ts)[1], xs)
    reverse_reverse = gradient(
        lambda *xs: sum(ops.sum(d * t) for d, t in zip(gradient(f, xs), ts, strict=True)), xs
    )
    _, forward_forward = jvp(lambda *xs: jvp(f, xs, ts)[1], xs, ts)

    for found in (forward_reverse, reverse_forward, reverse_reverse):
        for d, t in zip(found, truth, strict=True):
            np.testing.assert_allclose(d, t, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(float(forward_forward), dot(truth, ts), rtol=1e-8, atol=1e-8)


@settings(LAW, max_examples=90)
@given(programs(longest=4), inputs(count=1))
def test_third_derivatives_agree(f, xs):
    """Along one direction: forward three times, and reverse within."""
    ts = tangents_like(xs)

    def along(f):
        return lambda *xs: jvp(f, xs, ts)[1]

    thrice = along(along(along(f)))(*xs)
    mixed = dot(gradient(along(along(f)), xs), ts)
    nested = dot(
        gradient(
            lambda *xs: sum(
                ops.sum(d * t) for d, t in zip(gradient(along(f), xs), ts, strict=True)
            ),
            xs,
        ),
        ts,
    )

    np.testing.assert_allclose([mixed, nested], [float(thrice)] * 2, rtol=1e-7, atol=1e-7)


@settings(LAW, max_examples=80)
@given(programs(), inputs())
def test_a_composite_has_the_gradient_of_what_it_is_made_of(f, xs):
    """The whole graph as one op, within another graph."""

    def forward(a, b, c):
        return f(*(a, b, c)[: len(xs)])

    whole = opgrad.composite(name="whole")(forward)
    rest = (0.0,) * (3 - len(xs))

    def wrapped(*xs):
        return ops.sin(whole(*xs, *rest)) * 2.0

    def unwrapped(*xs):
        return ops.sin(f(*xs)) * 2.0

    ts = tangents_like(xs)
    for one, other in zip(gradient(wrapped, xs), gradient(unwrapped, xs), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)
    np.testing.assert_allclose(jvp(wrapped, xs, ts)[1], jvp(unwrapped, xs, ts)[1], **CLOSE)


# -- laws of the sweep ----------------------------------------------------------------------------


@LAW
@given(inputs(count=2), NUMBERS, NUMBERS, st.sampled_from(sorted(SMOOTH)))
def test_backward_is_linear_in_its_cotangent(xs, s, t, name):
    """The gradient for s·g + t·h is s times that for g and t times that for h."""

    def pull(cotangent):
        leaves = [Value(x) for x in xs]
        y = SMOOTH[name](*leaves)
        if not isinstance(y, Value):
            return None
        y.backward(cotangent(y.shape))
        return [leaf.grad for leaf in leaves]

    def random_cotangent(seed):
        def cotangent(shape):
            return np.random.default_rng(seed).normal(size=shape) if shape else float(seed)

        return cotangent

    g, h = random_cotangent(1), random_cotangent(2)
    one, other = pull(g), pull(h)
    both = pull(lambda shape: s * g(shape) + t * h(shape))

    for p, q, r in zip(one, other, both, strict=True):
        np.testing.assert_allclose(r, s * p + t * q, rtol=1e-10, atol=1e-10)


@LAW
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_the_order_of_accumulation_does_not_matter(seed, count):
    """The terms of a sum, and the ops that make them, in any order. Numbers add up exactly."""
    generator = random.Random(seed)
    factors = [generator.randrange(-8, 9) / 4.0 for _ in range(count)]

    def build(order):
        x = Value(1.5)
        h = x * x
        terms = [h * factors[i] + x for i in order]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        total.backward()
        return x.grad, h.grad

    order = list(range(count))
    first = build(order)
    generator.shuffle(order)

    assert build(order) == first


@settings(LAW, max_examples=90)
@given(programs(), inputs(count=2))
def test_backward_in_two_calls_equals_backward_of_the_sum(f, xs):
    """Leaves add up what separate outputs bring."""
    apart, together = [Value(x) for x in xs], [Value(x) for x in xs]
    f(*apart).backward()
    ops.sum(apart[0] * apart[1]).backward()

    (f(*together) + ops.sum(together[0] * together[1])).backward()

    for one, other in zip(apart, together, strict=True):
        np.testing.assert_allclose(one.grad, other.grad, **CLOSE)


@LAW
@given(programs(), inputs(count=1), st.integers(2, 3))
def test_a_variable_used_twice_equals_two_variables_used_once(f, xs, count):
    """The gradient of f(x, x) is the sum of both of f(a, b); the same forward."""
    (x,) = xs
    ts = tangents_like(xs)

    def repeated(x):
        return f(*(x,) * count)

    separate = gradient(f, (x,) * count)
    forward = jvp(f, (x,) * count, ts * count)[1]

    np.testing.assert_allclose(grad(repeated)(x), sum(separate), **CLOSE)
    np.testing.assert_allclose(jvp(repeated, xs, ts)[1], forward, **CLOSE)


@settings(LAW, max_examples=90)
@given(programs(), programs(), inputs(count=2))
def test_the_chain_rule_across_a_boundary(f, g, xs):
    """grad at a computed Value, handed on as the cotangent, is the gradient of the whole."""
    a, b = (Value(x) for x in xs)
    h = f(a, b)
    slope = grad(lambda z: g(z, z * 0.5))(h)
    h.backward(slope.data)

    def of_result(h):
        return g(h, h * 0.5)

    whole = gradient(lambda a, b: of_result(f(a, b)), xs)

    for leaf, d in zip((a, b), whole, strict=True):
        np.testing.assert_allclose(leaf.grad, d, **CLOSE)


# -- shapes ---------------------------------------------------------------------------------------

BINARY = {
    "add": ops.add,
    "subtract": ops.subtract,
    "multiply": ops.multiply,
    "divide": ops.divide,
    "pow": ops.pow,
    "hypot": ops.hypot,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "atan2": ops.atan2,
    "logaddexp": ops.logaddexp,
}


@settings(LAW, max_examples=90)
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0),
    st.sampled_from(sorted(BINARY)),
    st.integers(0, 1000),
)
def test_binary_ops_broadcast_any_shapes(shapes, name, seed):
    """Forward and reverse agree, empty axes included, and shapes are those of the operands.

    Each entry of the gradient is what the ops give on that entry's own numbers.
    """
    op = BINARY[name]
    generator = np.random.default_rng(seed)
    a, b = (generator.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes)
    g = generator.normal(size=shapes.result_shape)
    s, t = (generator.normal(size=shape) for shape in shapes.input_shapes)

    d_a, d_b = grad(lambda a, b: ops.sum(op(a, b) * g), (0, 1))(a, b)
    y, tangent = jvp(op, (a, b), (s, t))

    assert (np.shape(d_a), np.shape(d_b)) == shapes.input_shapes
    assert np.shape(tangent) == np.shape(y) == shapes.result_shape
    np.testing.assert_allclose(np.sum(g * tangent), np.sum(d_a * s) + np.sum(d_b * t), **CLOSE)
    full_a, full_b = np.broadcast_arrays(a, b)
    expected_a, expected_b = np.zeros_like(d_a), np.zeros_like(d_b)
    for index in np.ndindex(shapes.result_shape):
        one, other = grad(op, (0, 1))(float(full_a[index]), float(full_b[index]))
        expected_a[own_index(index, np.shape(a))] += one * g[index]
        expected_b[own_index(index, np.shape(b))] += other * g[index]
    np.testing.assert_allclose(d_a, expected_a, **CLOSE)
    np.testing.assert_allclose(d_b, expected_b, **CLOSE)


def own_index(index, shape):
    """Which entry of an operand of this shape went into this entry of the result."""
    own = index[len(index) - len(shape) :]

    return tuple(0 if n == 1 else i for i, n in zip(own, shape, strict=True))


REDUCTIONS = ["sum", "mean", "prod", "max", "min", "var", "std", "logsumexp"]


@LAW
@given(
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3),
    st.data(),
    st.sampled_from(REDUCTIONS),
    st.booleans(),
)
def test_reductions_over_any_axes(shape, data, name, keepdims):
    """Reverse mode beside forward mode and a central difference."""
    axes = data.draw(st.none() | st.sets(st.integers(0, len(shape) - 1), min_size=1).map(tuple))
    op = getattr(ops, name)
    generator = np.random.default_rng(len(shape))
    x = generator.permutation(np.linspace(-1.0, 2.1, int(np.prod(shape)))).reshape(shape)
    t = generator.normal(size=shape)
    w = generator.normal(size=np.shape(op(x, axis=axes, keepdims=keepdims)))

    def f(x):
        return ops.sum(op(x, axis=axes, keepdims=keepdims) * w)

    reverse = np.sum(grad(f)(x) * t)
    forward = jvp(f, (x,), (t,))[1]
    step = 1e-6
    difference = (f(x + step * t) - f(x - step * t)) / (2.0 * step)

    np.testing.assert_allclose(forward, reverse, **CLOSE)
    if name != "std" or np.all(op(x, axis=axes) > 1e-3):  # at 0 std has a kink
        np.testing.assert_allclose(reverse, difference, rtol=1e-5, atol=1e-6)


@LAW
@given(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), st.data())
def test_picking_entries_by_any_key(shape, data):
    """Slices, integers, None and Ellipsis: the gradient counts how often each was picked."""
    key = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    x = np.arange(float(np.prod(shape))).reshape(shape)
    expected = np.zeros(shape)
    expected[key] += 1.0

    np.testing.assert_array_equal(grad(lambda x: ops.sum(x[key] * 1.0))(x), expected)
    np.testing.assert_array_equal(jvp(lambda x: x[key], (x,), (x * 2.0,))[1], x[key] * 2.0)


@LAW
@given(
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
    st.data(),
)
def test_picking_entries_by_arrays_of_integers(shape, data):
    """An entry picked twice gets both, in every order of differentiation."""
    key = data.draw(
        hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3))
    )
    x = np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)
    counts = np.zeros(shape)
    np.add.at(counts, key, 1.0)

    def f(x):
        return ops.sum(x[key] * x[key])

    np.testing.assert_allclose(grad(f)(x), 2.0 * x * counts, **CLOSE)
    np.testing.assert_allclose(jvp(grad(f), (x,), (x,))[1], 2.0 * x * counts, **CLOSE)
    np.testing.assert_allclose(
        grad(lambda x: ops.sum(grad(f)(x) * x))(x), 4.0 * x * counts, **CLOSE
    )


# -- kinks ----------------------------------------------------------------------------------------

KINKED = {
    "relu": lambda a, b: ops.relu(a) + b,
    "abs": lambda a, b: ops.abs(a - b),
    "maximum": ops.maximum,
    "minimum": lambda a, b: ops.minimum(a, b * b),
    "clip": lambda a, b: ops.clip(a, -0.5, 0.5) * b,
    "clip by": lambda a, b: ops.clip(a, b, 1.0),
    "where": lambda a, b: ops.where(a > b, a * b, b - a),
    "max": lambda a, b: ops.max(a * b + 0.0 * a),
    "min": lambda a, b: ops.min(a + b),
    "sign": lambda a, b: ops.sign(a) * b,
    "floor": lambda a, b: ops.floor(a * 3.0) + b,
}


@settings(LAW, max_examples=90)
@given(
    st.lists(st.sampled_from(sorted(KINKED)), min_size=1, max_size=4),
    inputs(count=2),
    st.booleans(),
)
def test_both_modes_take_the_same_side_of_a_kink(names, xs, ties):
    """⟨gradient, t⟩ = J t also where entries are tied or lie on a kink."""
    xs = tuple(np.round(x * 2.0) / 2.0 for x in xs) if ties else xs
    xs = tuple(x if np.shape(x) else float(x) for x in xs)

    def f(a, b):
        for name in names:
            a, b = KINKED[name](a, b), a
        return ops.sum(a) + ops.sum(b)

    ts = tangents_like(xs)

    np.testing.assert_allclose(float(jvp(f, xs, ts)[1]), dot(gradient(f, xs), ts), **CLOSE)


# -- whole derivatives ----------------------------------------------------------------------------


@settings(LAW, max_examples=60)
@given(programs(longest=4), inputs(count=2), st.integers(1, 4))
def test_a_jacobian_by_rows_is_the_jacobian_by_columns(f, xs, count):
    """Fewer outputs than inputs, or more: one matrix. Each row is a gradient."""
    everywhere = tuple(range(len(xs)))

    def outputs(*xs):
        return f(*xs) * np.arange(1.0, count + 1.0) + ops.sum(xs[0])

    found = opgrad.jacobian(outputs, everywhere)(*xs)

    for k in range(count):
        row = gradient(lambda *xs, k=k: f(*xs) * (k + 1.0) + ops.sum(xs[0]), xs)
        for block, d, x in zip(found, row, xs, strict=True):
            assert np.shape(block) == (count, *np.shape(x))
            np.testing.assert_allclose(block[k], d, **CLOSE)


@settings(LAW, max_examples=60)
@given(programs(longest=4), inputs(count=1))
def test_a_hessian_is_symmetric_and_times_a_vector_is_hvp(f, xs):
    """H t by the whole matrix and by one forward pass over the gradient."""
    (x,) = xs
    (t,) = tangents_like(xs)
    n = int(np.prod(np.shape(x)))
    matrix = np.reshape(opgrad.hessian(f)(x), (n, n))

    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-8, atol=1e-8)
    product = np.reshape(opgrad.hvp(f, (x,), (t,)), (n,))
    np.testing.assert_allclose(matrix @ np.reshape(t, (n,)), product, rtol=1e-8, atol=1e-8)


@settings(LAW, max_examples=60)
@given(programs(longest=4), inputs())
def test_a_checkpoint_has_the_derivatives_of_its_function(f, xs):
    """First and second, forward and reverse."""
    kept, run_again = gradient(f, xs), gradient(opgrad.checkpoint(f), xs)
    ts = tangents_like(xs)

    for one, other in zip(kept, run_again, strict=True):
        np.testing.assert_allclose(other, one, **CLOSE)
    np.testing.assert_allclose(jvp(opgrad.checkpoint(f), xs, ts)[1], jvp(f, xs, ts)[1], **CLOSE)
    along = [jvp(lambda *xs, g=g: gradient(g, xs), xs, ts)[1] for g in (f, opgrad.checkpoint(f))]
    for one, other in zip(*along, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-8, atol=1e-8)
