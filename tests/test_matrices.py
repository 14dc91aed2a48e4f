"""Whole derivatives, products with them, and what is computed again."""

import threading

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import (
    Value,
    checkpoint,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    ops,
    vjp,
)
from opgrad.errors import CallError, NotDifferentiableError, RuleError

X = np.array([0.3, -0.8, 1.1])
A = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0]])


class Counted:
    """A function that knows how often it ran, and on what its op was differentiated."""

    def __init__(self, f):
        self.f = f
        self.calls = 0

    def __call__(self, *xs):
        """Run it."""
        self.calls += 1
        return self.f(*xs)


def counting_op():
    """An op that counts its rules' calls."""
    calls = {"backward": 0, "jvp": 0}

    @opgrad.op
    def twice(x):
        return 2.0 * x

    @twice.backward
    def twice_backward(g):
        calls["backward"] += 1
        return 2.0 * g

    @twice.jvp
    def twice_jvp(t):
        calls["jvp"] += 1
        return 2.0 * t

    return twice, calls


# -- jacobian -------------------------------------------------------------------------------------


def test_a_linear_map_is_its_own_jacobian():
    """Of shape output + input."""
    assert np.array_equal(jacobian(lambda x: A @ x)(X), A)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (1, {"backward": 1, "jvp": 0}),
        (3, {"backward": 3, "jvp": 0}),
        (5, {"backward": 0, "jvp": 3}),
    ],
)
def test_the_fewer_sweeps_are_made(outputs, expected):
    """Reverse where outputs are at most as many as inputs, else forward; f runs once."""
    twice, calls = counting_op()
    f = Counted(lambda x: ops.broadcast_to(twice(x)[:1], (outputs,)))

    found = jacobian(f)(X)

    assert found.shape == (outputs, 3)
    assert np.array_equal(found[:, 0], 2.0 * np.ones(outputs))
    assert calls == expected
    assert f.calls == 1


@pytest.mark.parametrize(
    ("shape_in", "shape_out"),
    [
        ((), ()),
        ((), (4,)),
        ((4,), ()),
        ((2, 3), (2,)),
        ((2,), (2, 3)),
        ((1,), (1, 1)),
        ((2, 1), (3, 2)),
    ],
)
def test_both_ways_agree_with_differences_in_every_shape(shape_in, shape_out):
    """Shape output + input, entry by entry."""
    generator = np.random.default_rng(1)
    weights = generator.normal(size=(*shape_out, *shape_in))
    x = generator.normal(size=shape_in)

    def f(x):
        axes = tuple(range(len(shape_out), len(shape_out) + len(shape_in)))
        return ops.sum(weights * ops.sin(x), axis=axes) if axes else weights * ops.sin(x)

    found = jacobian(f)(x)

    assert np.shape(found) == shape_out + shape_in
    assert np.allclose(found, weights * np.cos(x))


def test_numbers_give_numbers():
    """Floats in, a float out, no array."""
    found = jacobian(lambda x: x * x)(3.0)

    assert found == 6.0
    assert type(found) is float


def test_a_number_to_an_array_and_back():
    """Of the shape of the array."""
    assert np.array_equal(jacobian(lambda x: x * X)(2.0), X)
    assert np.array_equal(jacobian(lambda x: ops.sum(x * x))(X), 2.0 * X)


def test_several_arguments_give_a_tuple():
    """By position, by name, in the order asked for."""

    def f(x, w):
        return w * x * x

    by_position = jacobian(f, argnums=(1, 0))(2.0, 5.0)

    assert by_position == (4.0, 20.0)
    assert jacobian(f, argnums="w")(2.0, 5.0) == 4.0
    assert jacobian(f, argnums=-1)(2.0, 5.0) == 4.0


@attrs.frozen
class Params:
    """Arguments of a fit."""

    w: object
    b: object


@pytest.mark.parametrize("wide", [True, False], ids=["reverse", "forward"])
def test_containers_of_outputs_hold_containers_of_inputs(wide):
    """Output leaf first, then input leaf, each of shape output + input."""
    params = Params(w=X, b=[2.0, np.ones((1, 2))])

    def f(p):
        y = p.b[0] * ops.sum(p.w * p.w)
        z = p.b[1] * 3.0
        more = {} if wide else {"more": ops.broadcast_to(y, (9,))}
        return {"y": y, "rest": (z, p.w), **more}

    found = jacobian(f)(params)

    assert set(found) == {"y", "rest"} | (set() if wide else {"more"})
    assert np.allclose(found["y"].w, 4.0 * X)
    assert found["y"].b[0] == pytest.approx(np.sum(X * X))
    assert np.array_equal(found["rest"][0].b[1], 3.0 * np.eye(2).reshape(1, 2, 1, 2))
    assert np.array_equal(found["rest"][0].w, np.zeros((1, 2, 3)))
    assert np.array_equal(found["rest"][1].w, np.eye(3))


@pytest.mark.parametrize(("x", "shape"), [(np.zeros(0), (0, 0)), (np.zeros((2, 0)), (2, 0, 2, 0))])
def test_an_empty_input_has_an_empty_jacobian(x, shape):
    """Of shape output + input."""
    assert jacobian(lambda x: x * x)(x).shape == shape


def test_an_empty_output_has_an_empty_jacobian():
    """Of shape output + input."""
    assert jacobian(lambda x: x[:0] * 2.0)(X).shape == (0, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_that_of_the_input(dtype):
    """In reverse and in forward mode."""
    x = X.astype(dtype)

    assert jacobian(lambda x: 2.0 * x)(x).dtype == dtype
    assert jacobian(lambda x: ops.concat([x, 2.0 * x]))(x).dtype == dtype


def test_an_output_that_does_not_depend_has_zeros():
    """Of the right shape, both ways."""
    assert np.array_equal(jacobian(lambda _: np.ones(2))(X), np.zeros((2, 3)))
    assert np.array_equal(jacobian(lambda _: np.ones(5))(X), np.zeros((5, 3)))
    assert jacobian(lambda _: 1.0)(2.0) == 0.0


def test_a_value_comes_in_and_a_value_goes_out():
    """And it carries on: d/dw of the Jacobian of w x²."""
    w = Value(np.array([1.0, 2.0, 3.0]))
    found = jacobian(lambda x: w * x * x)(X)

    assert isinstance(found, Value)
    ops.sum(found).backward()
    assert np.allclose(w.grad, 2.0 * X)
    assert isinstance(jacobian(lambda x: x * x)(Value(X)), Value)


@pytest.mark.parametrize("shape", [(2,), (5,)], ids=["reverse", "forward"])
def test_the_jacobian_of_a_jacobian(shape):
    """Of shape output + input + input."""
    weights = np.random.default_rng(2).normal(size=(*shape, 3))

    found = jacobian(jacobian(lambda x: weights @ (x * x * x)))(X)

    assert np.allclose(found, weights[..., None] * (np.eye(3) * 6.0 * X))


def test_the_gradient_of_a_determinant_of_a_jacobian():
    """Transforms over a Jacobian, in both modes."""

    def volume(x):
        return ops.linalg.det(jacobian(lambda x: ops.stack([x[0] * x[1], x[0] ** 2]))(x))

    x = np.array([2.0, 3.0])  # det [[y, x], [2x, 0]] = -2x²

    assert np.allclose(grad(volume)(x), [-8.0, 0.0])
    assert np.isclose(jvp(volume, (x,), (np.array([1.0, 0.0]),))[1], -8.0)


def test_a_complex_jacobian_is_the_derivative():
    """Of a holomorphic function, without a conjugate."""
    z = np.array([1.0 + 2.0j, -0.5j])

    assert np.allclose(jacobian(ops.exp)(z), np.diag(np.exp(z)))
    assert np.allclose(
        jacobian(lambda z: ops.concat([z, z * z]))(z), np.vstack([np.eye(2), np.diag(2 * z)])
    )


@pytest.mark.parametrize(
    "wrong", [np.arange(3), "x", np.array([True])], ids=["ints", "text", "bools"]
)
def test_an_argument_without_a_derivative_is_refused(wrong):
    """With the type of error that says so."""
    for transform in (jacobian, hessian, elementwise_grad):
        with pytest.raises(NotDifferentiableError):
            transform(lambda x: x)(wrong)


# -- hessian and hvp ------------------------------------------------------------------------------


def rosenbrock(x):
    """The banana."""
    return ops.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_hessian(x):
    """By hand."""
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        h[i + 1, i + 1] += 200.0
        h[i, i + 1] = h[i + 1, i] = -400.0 * x[i]

    return h


def test_the_hessian_is_that_by_hand():
    """Rosenbrock in 6 dimensions."""
    x = np.linspace(-1.0, 1.5, 6)

    assert np.allclose(hessian(rosenbrock)(x), rosenbrock_hessian(x))


def test_hvp_is_the_hessian_times_the_vector():
    """Without making the Hessian."""
    x, v = np.linspace(-1.0, 1.5, 6), np.arange(6.0)

    assert np.allclose(hvp(rosenbrock, (x,), (v,)), rosenbrock_hessian(x) @ v)


def test_hvp_of_what_lost_its_inputs_warns():
    """At the caller's line, as `grad` does; of a linear function there is nothing to say."""
    with pytest.warns(
        opgrad.errors.OpgradWarning, match="returned plain data, float 5.0"
    ) as caught:
        product = hvp(lambda _: 5.0, (X,), (X,))

    assert caught[0].filename == __file__
    np.testing.assert_array_equal(product, np.zeros(3))
    np.testing.assert_array_equal(hvp(ops.sum, (X,), (X,)), np.zeros(3))


def test_hvp_of_several_arguments_couples_them():
    """As the blocks of the whole Hessian do."""

    def f(x, w):
        return ops.sum(w * x * x) + ops.sum(x) * ops.sum(w)

    w, tx, tw = X + 2.0, np.array([1.0, 0.0, -2.0]), np.array([0.5, 1.0, 0.0])
    (xx, xw), (wx, ww) = hessian(f, argnums=(0, 1))(X, w)
    px, pw = hvp(f, (X, w), (tx, tw))

    assert np.allclose(px, xx @ tx + xw @ tw)
    assert np.allclose(pw, wx @ tx + ww @ tw)
    assert np.allclose(xw, wx.T)


def test_the_hessian_of_numbers_and_of_matrices():
    """A float; and shape input + input."""
    assert hessian(lambda x: x**3)(2.0) == 12.0
    assert type(hessian(lambda x: x**3)(2.0)) is float
    found = hessian(lambda m: ops.sum(m @ m))(np.ones((2, 2)))
    assert found.shape == (2, 2, 2, 2)
    assert np.allclose(found, found.transpose(2, 3, 0, 1))


def test_the_hessian_by_a_container():
    """Blocks by leaf and leaf."""
    found = hessian(lambda p: p["a"] ** 2 * ops.sum(p["b"]))({"a": 3.0, "b": X})

    assert found["a"]["a"] == pytest.approx(2.0 * X.sum())
    assert np.allclose(found["a"]["b"], 6.0)
    assert np.allclose(found["b"]["b"], np.zeros((3, 3)))


def test_the_hessian_of_a_linear_function_is_zero():
    """Zeros of the right shape, though nothing is left to differentiate."""
    assert np.array_equal(hessian(ops.sum)(X), np.zeros((3, 3)))
    assert np.array_equal(hvp(ops.sum, (X,), (X,)), np.zeros(3))


def test_a_function_that_returns_no_scalar_has_no_hessian():
    """It is a Jacobian of a Jacobian that is meant."""
    with pytest.raises(NotDifferentiableError):
        hessian(lambda x: x * x)(X)


@pytest.mark.parametrize("ts", [(np.ones(2),), (1.0,), (np.ones(3, int),)], ids=str)
def test_a_vector_that_does_not_fit_is_refused(ts):
    """By shape and by type."""
    with pytest.raises(RuleError):
        hvp(rosenbrock, (X,), ts)


def test_hessian_and_hvp_close_over_values():
    """d/dw of w·6x, and of its product with a vector."""
    w = Value(2.0)
    ops.sum(hessian(lambda x: w * ops.sum(x**3))(X)).backward()
    assert w.grad == pytest.approx(6.0 * X.sum())

    found = grad(lambda w: ops.sum(hvp(lambda x: w * ops.sum(x**3), (X,), (X,))))(2.0)
    assert found == pytest.approx(6.0 * np.sum(X * X))


# -- elementwise_grad -----------------------------------------------------------------------------


def test_elementwise_grad_of_any_shape_and_order():
    """Sine's derivatives, four times over."""
    f = np.sin
    for expected in (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin):
        f = elementwise_grad(f)
        for x in (0.7, np.float64(0.7), X, X.reshape(3, 1), np.zeros((0, 2))):
            assert np.allclose(f(x), expected(x))
            assert np.shape(f(x)) == np.shape(x)

    assert type(f(0.7)) is float


def test_elementwise_grad_hands_other_arguments_on():
    """By position and by name."""

    def f(x, n, *, scale=1.0):
        return scale * x**n

    assert np.allclose(elementwise_grad(f)(X, 3, scale=2.0), 6.0 * X**2)


# -- checkpoint -----------------------------------------------------------------------------------


def block(x, w):
    """A layer."""
    return ops.tanh(w @ ops.sin(x))


def loss(x, w, layer):
    """Two layers and a sum."""
    return ops.sum(layer(layer(x, w), w) ** 2)


W = np.random.default_rng(3).normal(size=(3, 3))


def test_a_checkpoint_changes_no_derivative():
    """Value, gradient, tangent, Hessian product, of every argument."""

    def plain(x, w):
        return loss(x, w, block)

    def kept(x, w):
        return loss(x, w, checkpoint(block))

    for g, expected in zip(grad(kept, (0, 1))(X, W), grad(plain, (0, 1))(X, W), strict=True):
        assert np.allclose(g, expected)
    ts = (np.ones(3), np.eye(3))
    assert np.allclose(jvp(kept, (X, W), ts), jvp(plain, (X, W), ts))
    for p, expected in zip(hvp(kept, (X, W), ts), hvp(plain, (X, W), ts), strict=True):
        assert np.allclose(p, expected)
    assert np.allclose(hessian(kept)(X, W), hessian(plain)(X, W))


def test_third_derivatives_through_a_checkpoint():
    """And through checkpoints in checkpoints."""
    f = checkpoint(lambda x: checkpoint(np.sin)(x) * x)
    third = elementwise_grad(elementwise_grad(elementwise_grad(f)))

    assert third(0.7) == pytest.approx(-3.0 * np.sin(0.7) - 0.7 * np.cos(0.7))


def test_a_checkpoint_computes_again_when_the_gradient_is_taken():
    """Once forward, once for the pull; plain data runs it once and records nothing."""
    f = Counted(ops.sin)
    wrapped = checkpoint(f.__call__)

    assert wrapped(0.5) == ops.sin(0.5)
    assert f.calls == 1
    grad(wrapped)(0.5)
    assert f.calls == 3


@pytest.mark.parametrize(
    "differentiate",
    [
        lambda f: f(Value(3.0)).backward(),
        lambda f: grad(f)(3.0),
        lambda f: jvp(f, (3.0,), (1.0,)),
        lambda f: jvp(f, (Value(3.0),), (1.0,)),
    ],
    ids=["backward", "grad", "jvp", "jvp of a Value"],
)
def test_a_checkpoint_that_closes_over_a_value_raises(differentiate):
    """Its gradient would be lost: the error says so, and nothing is silently zero."""
    w = Value(2.0)

    with pytest.raises(CallError, match="returned a Value"):
        differentiate(checkpoint(lambda x: w * x))


def test_a_checkpoint_may_close_over_plain_data():
    """Numbers and arrays are constants."""
    w = 2.0

    assert grad(checkpoint(lambda x: ops.sum(w * X * x)))(3.0) == 2.0 * X.sum()


# -- vjp and linearize ----------------------------------------------------------------------------


def test_many_pulls_and_pushes_after_one_run():
    """Each as if it were the only one, in any order."""
    f = Counted(lambda x: A @ ops.sin(x))
    _, pull = vjp(f, X)
    _, push = linearize(f, X)
    jac = A * np.cos(X)
    for k in (1, 0, 1):
        assert np.allclose(pull(np.eye(2)[k])[0], jac[k])
    for k in (2, 0, 1, 2):
        assert np.allclose(push(np.eye(3)[k]), jac[:, k])

    assert f.calls == 2


def test_a_pull_is_linear_and_changes_no_cotangent():
    """The caller's arrays are the caller's."""
    _, pull = vjp(lambda x: A @ x, X)
    g = np.array([1.0, -2.0])
    first = pull(g)[0]
    first *= 0.0

    assert np.array_equal(g, [1.0, -2.0])
    assert np.allclose(pull(2.0 * g)[0], 2.0 * (A.T @ g))


def test_threads_share_a_pull_and_a_push():
    """No sweep leaves marks on the graph."""
    _, pull = vjp(lambda x: A @ ops.sin(x), X)
    _, push = linearize(lambda x: A @ ops.sin(x), X)
    wrong = []

    def work(seed):
        generator = np.random.default_rng(seed)
        for _ in range(50):
            g, t = generator.normal(size=2), generator.normal(size=3)
            jac = A * np.cos(X)
            if not (np.allclose(pull(g)[0], g @ jac) and np.allclose(push(t), jac @ t)):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_threads_share_a_jacobian_function():
    """The transforms hold no state."""
    f = jacobian(lambda x: A @ ops.sin(x))
    found = {}

    def work(k):
        found[k] = f(X * k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for k, jac in found.items():
        assert np.allclose(jac, A * np.cos(X * k))
    assert len(found) == 4
