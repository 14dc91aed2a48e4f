"""`debug`: the first NaN or inf raises, with op, provider, operands and the user's line."""

import inspect
import math
import threading

import numpy as np
import pytest

import opgrad
from opgrad import Value, debug, grad, jvp, ops
from opgrad.errors import NonFiniteError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of the forward

DATA = {
    "float": lambda *xs: xs[0] if len(xs) == 1 else xs,
    "array": lambda *xs: np.array(xs),
}


def line():
    """`file:line` of the caller."""
    frame = inspect.currentframe().f_back

    return f"{__file__}:{frame.f_lineno}"


def error_of(call):
    """The text of the error that the call raises in `debug()`."""
    with pytest.raises(NonFiniteError) as raised, debug():
        call()

    return str(raised.value)


# -- forward --------------------------------------------------------------------------------------


@pytest.mark.parametrize("zero", [0.0, np.array(0.0), np.array([1.0, 0.0])], ids=repr)
def test_the_first_inf_of_the_forward_names_everything(zero):
    """Op, provider, operands, and the line that called it, not one of opgrad's."""
    x = Value(zero)

    def call():
        y = x * 2.0
        call.line = f"{__file__}:{inspect.currentframe().f_lineno + 1}"
        return ops.sin(ops.log(y))

    message = error_of(call)

    assert message.startswith(f"the first inf comes from core.log (opgrad {opgrad.__version__})")
    assert (
        "float 0.0" if type(zero) is float else "ndarray" if zero.shape else "float64"
    ) in message
    assert message.endswith(f"called at {call.line}")


def test_the_first_nan_of_the_forward_is_called_nan():
    """And not inf."""
    assert error_of(lambda: ops.sqrt(Value(-1.0))).startswith("the first NaN comes from core.sqrt")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda v: 1.0 / v, "core.divide"),
        (lambda v: v**-1.0, "core.pow"),
        (np.log, "core.log"),
        (lambda v: v.log(), "core.log"),
        (lambda v: ops.exp(v + 1e4), "core.exp"),
    ],
    ids=["operator", "power", "NumPy function", "method", "op"],
)
def test_operators_methods_and_numpy_functions_are_looked_at(call, name):
    """Whatever the road to the op; the line is the user's each time."""
    v = Value(np.array(0.0))
    message = error_of(lambda: call(v))

    assert f"comes from {name} " in message
    assert f"called at {__file__}:" in message


def test_one_bad_output_of_several_is_found():
    """An op with many outputs is looked at in each."""

    @opgrad.op(outputs=2)
    def both(x):
        return x, x * math.inf

    @both.backward
    def both_backward(g):
        return g[0]

    assert "local.both" in error_of(lambda: both(Value(2.0)))


def test_what_came_in_bad_is_not_blamed_on_the_op():
    """An infinite operand is the user's, or was reported where it arose."""
    with debug():
        result = ops.exp(Value(math.inf)) + Value(math.nan)

    assert math.isnan(result.data)


def test_constants_are_looked_at_like_values():
    """A Value that needs no gradient is a Value."""
    assert "core.log" in error_of(lambda: ops.log(Value(0.0, requires_grad=False)))


# -- backward -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DATA)
def test_the_first_inf_of_the_backward_names_everything(kind):
    """Rule, provider, operands, the gradient that came in, and the line of the forward."""
    x = Value(DATA[kind](0.0) if kind == "float" else np.array([4.0, 0.0]))
    with debug():
        y, made_at = ops.sqrt(x), line()
        total = ops.sum(y * 2.0)
        with pytest.raises(NonFiniteError) as raised:
            total.backward()
    message = str(raised.value)

    assert message.startswith("the first inf of the backward sweep comes from a rule of core.sqrt")
    assert f"(opgrad {opgrad.__version__})" in message
    assert f"called at {made_at}" in message
    assert "the gradient that came in is" in message


@pytest.mark.parametrize("kind", DATA)
def test_a_rule_that_makes_nan_is_found_within_a_transform(kind):
    """A stranger's rule, named with its place."""

    @opgrad.elementwise
    def broken(x):
        return 1.0 * x

    @broken.derivative
    def broken_derivative(x):
        return x * math.nan

    x = DATA[kind](1.0) if kind == "float" else np.array([1.0, 2.0])
    message = error_of(lambda: grad(lambda x: ops.sum(ops.sin(broken(x))))(x))

    assert message.startswith(
        "the first NaN of the backward sweep comes from a rule of local.broken"
    )
    assert __file__ in message


def test_a_graph_made_outside_the_block_still_names_the_op():
    """Its line was not kept."""
    y = ops.sqrt(Value(0.0))
    message = error_of(y.backward)

    assert "core.sqrt" in message
    assert "a line outside debug()" in message


@pytest.mark.parametrize("kind", DATA)
def test_a_second_derivative_is_looked_at(kind):
    """x**1.5 has a finite slope at 0 and no finite curvature."""
    x = 0.0 if kind == "float" else np.array([0.0, 1.0])

    def slope(x):
        return ops.sum(grad(lambda x: ops.sum(x**1.5))(x))

    with debug():
        first = grad(lambda x: ops.sum(x**1.5))(x)

    assert np.all(np.isfinite(first))
    assert "inf" in error_of(lambda: grad(slope)(x))


def test_forward_mode_is_looked_at_in_its_forward():
    """What the function computes, before any tangent."""
    assert "core.log" in error_of(lambda: jvp(ops.log, (0.0,), (1.0,)))


# -- no false alarm -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DATA)
def test_a_branch_not_taken_is_no_false_alarm(kind):
    """Its derivative is infinite, and nothing of it arrives."""
    x = 0.0 if kind == "float" else np.array([0.0, 4.0])

    with debug():
        gradient = grad(lambda x: ops.sum(ops.where(x > 0.0, ops.sqrt(x), 0.0)))(x)

    assert np.array_equal(gradient, 0.0 if kind == "float" else [0.0, 0.25])


def test_integers_booleans_and_empty_arrays_are_no_alarm():
    """They hold no NaN."""
    with debug():
        v = Value(np.ones(3))
        results = [v > 0.0, ops.argmax(v), ops.sum(v[:0]), ops.max(v)]

    assert len(results) == 4


def wave(x):
    """A smooth function of numbers and arrays."""
    return ops.sum(ops.sin(x) * ops.exp(x))


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize(
    "transform",
    {
        "grad": grad,
        "grad of grad": lambda f: grad(lambda x: ops.sum(grad(f)(x))),
        "jvp of grad": lambda f: lambda x: jvp(grad(f), (x,), (x,))[1],
        "grad of jvp": lambda f: grad(lambda x: jvp(f, (x,), (x,))[1]),
        "hessian": opgrad.hessian,
        "checkpoint": lambda f: grad(opgrad.checkpoint(f)),
        "closure": lambda f: grad(lambda w: grad(lambda x: f(w * x))(0.5)),
    }.items(),
    ids=lambda item: item[0],
)
def test_right_results_stay_as_they_are(transform, kind):
    """The block changes nothing but what raises."""
    x = 0.3 if kind == "float" else np.array([0.3, -0.8])
    derivative = transform[1](wave)
    with debug():
        inside = derivative(x)

    assert np.array_equal(inside, derivative(x))


# -- the block ------------------------------------------------------------------------------------


def test_outside_the_block_nothing_raises():
    """Before, after, and after an error in it."""
    error_of(lambda: ops.log(Value(0.0)))

    assert ops.log(Value(0.0)).data == -math.inf
    assert grad(ops.sqrt)(0.0) == math.inf


def test_blocks_nest():
    """The inner one's end is not the outer one's."""
    with debug():
        with debug():
            pass
        with pytest.raises(NonFiniteError):
            ops.log(Value(0.0))

    assert ops.log(Value(0.0)).data == -math.inf


def test_no_gradient_is_recorded_where_none_was_wanted():
    """`no_grad` within the block, and the block within `no_grad`."""
    x = Value(2.0)
    with debug(), opgrad.no_grad():
        inner = x * x
    with opgrad.no_grad(), debug():
        outer = x * x

    assert not inner.requires_grad
    assert not outer.requires_grad


def test_another_thread_is_not_looked_at():
    """The switch is of this context."""
    found = []
    with debug():
        thread = threading.Thread(target=lambda: found.append(ops.log(Value(0.0)).data))
        thread.start()
        thread.join()

    assert found == [-math.inf]


def test_the_error_is_of_opgrad_and_arithmetic():
    """One tree; and the builtin kind that fits."""
    assert issubclass(NonFiniteError, opgrad.errors.OpgradError)
    assert issubclass(NonFiniteError, ArithmeticError)
