"""`grad`, `vjp`, `jvp` and their kin: any order and mixture, any arguments, plain in plain out."""

import collections
import math
import typing
from collections import OrderedDict, defaultdict

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import Value, grad, jvp, ops, value_and_grad
from opgrad.errors import CallError, InPlaceError, NotDifferentiableError


def derivative(f):
    """The derivative of a function of one number, by forward mode."""

    def slope(x):
        return jvp(f, (x,), (1.0,))[1]

    return slope


def is_plain(*results):
    """Whether no result is a Value."""
    return not any(isinstance(r, Value) for r in results)


# -- every order ----------------------------------------------------------------------------------

# f, and its derivatives of order 1 to 4 at x.
ORDERS = {
    "polynomial": (
        lambda x: x * x * x * x * x,
        lambda x: [5 * x**4, 20 * x**3, 60 * x**2, 120 * x],
    ),
    "power": (lambda x: x**5, lambda x: [5 * x**4, 20 * x**3, 60 * x**2, 120 * x]),
    "exp": (lambda x: ops.exp(2.0 * x), lambda x: [2.0**n * math.exp(2 * x) for n in range(1, 5)]),
    "sin": (ops.sin, lambda x: [math.cos(x), -math.sin(x), -math.cos(x), math.sin(x)]),
    "log": (ops.log, lambda x: [1 / x, -1 / x**2, 2 / x**3, -6 / x**4]),
    "reciprocal": (lambda x: 1.0 / x, lambda x: [-1 / x**2, 2 / x**3, -6 / x**4, 24 / x**5]),
    "sqrt": (
        ops.sqrt,
        lambda x: [x**-0.5 / 2, -(x**-1.5) / 4, 3 * x**-2.5 / 8, -15 * x**-3.5 / 16],
    ),
    "tanh": (
        ops.tanh,
        lambda x: [
            1 - math.tanh(x) ** 2,
            -2 * math.tanh(x) * (1 - math.tanh(x) ** 2),
            (6 * math.tanh(x) ** 2 - 2) * (1 - math.tanh(x) ** 2),
            (16 * math.tanh(x) - 24 * math.tanh(x) ** 3) * (1 - math.tanh(x) ** 2),
        ],
    ),
}


@pytest.mark.parametrize("name", ORDERS)
def test_reverse_over_reverse_to_the_fourth_order(name):
    """On a number: each order beside its formula."""
    f, formulas = ORDERS[name]
    found = []
    for _ in range(4):
        f = grad(f)
        found.append(f(0.8))

    assert is_plain(*found)
    np.testing.assert_allclose(found, formulas(0.8), rtol=1e-12)


@pytest.mark.parametrize("name", ORDERS)
def test_reverse_over_reverse_to_the_fourth_order_on_arrays(name):
    """Entry by entry, by way of sums."""
    f, formulas = ORDERS[name]
    x = np.array([[0.5], [1.25]])
    expected = np.transpose([formulas(number) for number in (0.5, 1.25)]).reshape(4, 2, 1)
    found = []
    for _ in range(4):
        f = grad(lambda x, f=f: f(x).sum())
        found.append(f(x))

    assert is_plain(*found)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("mixture", [m for n in (2, 3, 4) for m in np.ndindex((2,) * n)], ids=str)
def test_forward_and_reverse_mix_in_any_order(mixture):
    """Every word of length 2 to 4 of the two letters gives the same derivative."""
    order = len(mixture)
    f = ORDERS["tanh"][0]
    for forward in mixture:
        f = (derivative if forward else grad)(f)

    assert f(0.8) == pytest.approx(ORDERS["tanh"][1](0.8)[order - 1], rel=1e-12)


def test_mixed_partial_derivatives_agree():
    """∂³/∂x∂y∂z of x²y³z + sin(xyz), by any order of differentiation."""

    def f(x, y, z):
        return x * x * y * y * y * z + ops.sin(x * y * z)

    x, y, z = 0.7, -1.3, 0.4
    p = x * y * z
    truth = 6 * x * y * y + math.cos(p) - 3 * p * math.sin(p) - p * p * math.cos(p)

    found = [
        grad(grad(grad(f, i), j), k)(x, y, z)
        for i, j, k in [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)]
    ]

    np.testing.assert_allclose(found, [truth] * 4, rtol=1e-12)


def test_the_hessian_of_an_array_function_by_rows():
    """Reverse over reverse beside the formula, and symmetric."""
    a = np.array([[2.0, 0.5], [0.5, 3.0]])

    def f(x):
        return 0.5 * (x @ a @ x) + ops.exp(x).sum()

    x = np.array([0.3, -0.2])
    rows = [grad(lambda x, i=i: grad(f)(x)[i])(x) for i in range(2)]
    columns = [jvp(grad(f), (x,), (e,))[1] for e in np.eye(2)]

    np.testing.assert_allclose(rows, a + np.diag(np.exp(x)), rtol=1e-13)
    np.testing.assert_allclose(columns, rows, rtol=1e-13)


# -- perturbations are never confused -------------------------------------------------------------


EVERY_PAIR = pytest.mark.parametrize(
    ("outer", "inner"),
    [
        pytest.param(outer, inner, id=f"{outer.__name__} of {inner.__name__}")
        for outer in (grad, derivative)
        for inner in (grad, derivative)
    ],
)


@EVERY_PAIR
def test_the_classic_confusion(outer, inner):
    """d/dx (x · d/dy (x + y)) is 1, not 2."""
    result = outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0)

    assert (result, type(result)) == (1.0, float)


@EVERY_PAIR
def test_the_inner_function_closes_over_the_outer_variable(outer, inner):
    """d/dx (x · d/dy (x · y²)) at y = 3x."""
    result = outer(lambda x: x * inner(lambda y: x * y * y)(3.0 * x))(2.0)

    assert result == pytest.approx(18.0 * 2.0**2)  # x · 2xy = 6x³


@EVERY_PAIR
def test_both_use_the_same_variable(outer, inner):
    """d/dx of (d/dy (x y³) at y = x) is 9x², where d/dx of the slope of x⁴ would be 12x²."""
    result = outer(lambda x: inner(lambda y: x * y * y * y)(x))(2.0)

    assert result == pytest.approx(9.0 * 4.0)


@EVERY_PAIR
def test_the_inner_function_ignores_its_argument(outer, inner):
    """d/dy of something of x alone is 0, and so is its derivative."""
    result = outer(lambda x: x + inner(lambda y: x * x)(x))(3.0)

    assert result == 1.0


def test_three_levels_that_close_over_one_another():
    """d/dx d/dy d/dz x²y³z⁴, each closing over the others, at z = xy."""

    def f(x):
        def g(y):
            return grad(lambda z: x * x * y * y * y * z**4)(x * y)  # 4 x⁵ y⁶

        return grad(g)(x)  # ∂/∂y: 24 x⁵ y⁵ at y = x → 24 x¹⁰

    assert grad(f)(1.1) == pytest.approx(240.0 * 1.1**9, rel=1e-12)


def test_a_gradient_descent_step_is_differentiated():
    """d/d(rate) of the loss after two steps: through grad of a closure over w."""

    def loss(w):
        return (w - 3.0) * (w - 3.0)

    def after_two_steps(rate):
        w = 1.0
        for _ in range(2):
            w = w - rate * grad(loss)(w)
        return loss(w)

    rate = 0.1  # loss = 4 (1 - 2 rate)⁴
    assert grad(after_two_steps)(rate) == pytest.approx(-32.0 * (1 - 2 * rate) ** 3)
    assert derivative(after_two_steps)(rate) == pytest.approx(-32.0 * (1 - 2 * rate) ** 3)
    assert grad(grad(after_two_steps))(rate) == pytest.approx(192.0 * (1 - 2 * rate) ** 2)


def test_the_outer_value_passed_as_the_inner_argument_is_another_variable():
    """grad of x·w at x = w: the derivative by the argument alone."""
    w = Value(3.0)

    slope = grad(lambda x: x * w)(w)
    slope.backward()

    assert (slope.data, w.grad) == (3.0, 1.0)


def test_array_and_number_levels_mix():
    """The outer variable is a number, the inner one an array."""
    a = np.array([1.0, 2.0])

    def f(s):
        return (grad(lambda v: (s * s * v * v).sum())(a * s) * a).sum()  # Σ 2 s³ a²

    assert grad(f)(2.0) == pytest.approx(6.0 * 4.0 * 5.0)


# -- plain or Values ------------------------------------------------------------------------------


def test_results_are_plain_where_nothing_else_can_be_differentiated():
    """Floats for floats, arrays for arrays, also within containers."""
    value, gradient = value_and_grad(lambda p: (p["a"] * p["b"][0]).sum())(
        {"a": np.ones(2), "b": [3.0]}
    )

    assert [type(r) for r in (value, gradient["a"], gradient["b"][0])] == [
        np.float64,
        np.ndarray,
        float,
    ]


def test_results_are_values_where_a_closure_can_be_differentiated():
    """A leaf that f closes over: what comes out depends on it, and its gradient is right."""
    w = Value(2.0)

    value, slope = value_and_grad(lambda x: x * w * w)(5.0)
    (slope + value).backward()

    assert (value.data, slope.data, w.grad) == (20.0, 4.0, 4.0 + 20.0)


def test_results_are_values_where_a_leaf_was_made_within_f():
    """A parameter set up on the first call, say: its gradient is not lost."""
    made = []

    def f(x):
        made.append(Value(2.0))
        return x * x * made[0]

    for transform in (grad(f), lambda x: jvp(f, (x,), (1.0,))[1]):
        made.clear()
        slope = transform(3.0)
        slope.backward()

        assert (slope.data, made[0].grad) == (12.0, 6.0)


def test_results_are_values_where_values_come_in():
    """And they carry the graph on exactly where the input does."""
    free, constant = Value(3.0), Value(3.0, requires_grad=False)

    slopes = [grad(lambda x: x * x * x)(v) for v in (free, constant)]
    slopes[0].backward()

    assert [type(s) for s in slopes] == [Value, Value]
    assert [s.requires_grad for s in slopes] == [True, False]
    assert (slopes[1].data, free.grad) == (27.0, 18.0)


def test_a_result_of_ops_as_the_input_is_a_point_to_stop_at():
    """h = x²; grad of f at h, then on to x by the chain rule."""
    x = Value(2.0)
    h = x * x

    slope = grad(lambda z: z * z * z)(h)  # 3h²
    slope.backward()

    assert (slope.data, x.grad) == (48.0, 6.0 * 4.0 * 4.0)


def test_what_leaks_out_of_f_is_constant_afterwards():
    """An input kept by f carries no gradient once the transform has returned."""
    kept = []

    grad(lambda x: kept.append(x) or x * x)(3.0)

    assert (kept[0].data, kept[0].requires_grad) == (3.0, False)


def test_an_output_that_does_not_depend_on_the_input_still_depends_on_others():
    """f returns the outer variable itself, or something made of it."""
    for outer in (grad, derivative):
        found = [
            outer(lambda w: value_and_grad(lambda x: w)(1.0)[0])(2.0),
            outer(lambda w: value_and_grad(lambda x: w * w)(1.0)[0])(2.0),
            outer(lambda w: jvp(lambda x: w, (1.0,), (1.0,))[0])(2.0),
            outer(lambda w: jvp(lambda x: (x, w * w), (1.0,), (1.0,))[0][1])(2.0),
        ]

        assert found == [1.0, 4.0, 1.0, 4.0]


@pytest.mark.parametrize("at", [2.0, Value(2.0)], ids=["plain", "Value"])
def test_backward_within_a_transform_reaches_its_input_only_if_recorded(at):
    """Else the transform could not see what is left in x.grad, and would give a silent zero."""

    def f(x, *, record):
        (x * x * x).backward(record=record)
        return x.grad * 2.0

    for transform in (grad, derivative):
        with pytest.raises(NotDifferentiableError, match="backward"):
            transform(lambda x: f(x, record=False))(at)
        try:
            slope = transform(lambda x: f(x, record=True))(at)
        except NotDifferentiableError:
            continue
        assert float(getattr(slope, "data", slope)) == 24.0


def test_backward_within_a_transform_on_a_graph_of_its_own():
    """What has nothing to do with the input is swept as anywhere."""

    def f(x):
        w = Value(2.0)
        (w * w * 3.0).backward()
        return x * w.grad

    assert grad(f)(5.0) == 12.0


# -- under no_grad --------------------------------------------------------------------------------


def test_grad_under_no_grad_is_right_and_plain():
    """Differentiating records for itself; nothing is recorded for others."""
    w = Value(2.0)
    with opgrad.no_grad():
        first = grad(lambda x: x * x * w)(3.0)
        second = grad(grad(lambda x: x * x * x))(3.0)
        of_value = grad(lambda x: x * x)(Value(3.0))
        forward = jvp(lambda x: x * x * w, (3.0,), (1.0,))

    assert (first, second, forward) == (12.0, 18.0, (18.0, 12.0))
    assert is_plain(first, second, *forward)
    assert (of_value.data, of_value.requires_grad) == (6.0, False)


def test_no_grad_within_f_makes_constants():
    """As stop_gradient does."""

    def f(x):
        with opgrad.no_grad():
            h = x * x
        return h * x

    assert grad(f)(3.0) == 9.0


def test_an_error_in_f_leaves_everything_as_it_was():
    """Recording goes on, the inputs are constants."""
    kept = []

    def fails(x):
        kept.append(x)
        raise KeyError

    with opgrad.no_grad(), pytest.raises(KeyError):
        grad(fails)(1.0)
    with pytest.raises(KeyError):
        jvp(fails, (1.0,), (1.0,))

    assert (Value(1.0) * 2.0).requires_grad
    assert [v.requires_grad for v in kept] == [False, False]


# -- which arguments ------------------------------------------------------------------------------


def weighted(a, b, /, c, *, d=5.0):
    """A function with every kind of parameter."""
    return a * 2.0 + b * b + c * 3.0 * d


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 2.0),
        (1, 6.0),
        (2, 21.0),
        (-1, 21.0),
        (-3, 2.0),
        ("a", 2.0),
        ("c", 21.0),
        ("d", 12.0),
        ((0,), (2.0,)),
        ([1, 0], (6.0, 2.0)),
        (("d", "c", 0), (12.0, 21.0, 2.0)),
        ((), ()),
    ],
)
@pytest.mark.filterwarnings("ignore:the function returned plain data")
def test_arguments_by_position_and_by_name(argnums, expected):
    """One gives one gradient, several a tuple in the order asked."""
    assert grad(weighted, argnums)(1.0, 3.0, 4.0, d=7.0) == expected


def test_arguments_by_name_may_have_defaults_or_be_given_by_keyword():
    """The default is a number like any other."""
    assert grad(weighted, "d")(1.0, 3.0, 4.0) == 12.0
    assert grad(weighted, "c")(1.0, 3.0, c=4.0) == 15.0
    assert grad(lambda x, **others: x * others["y"], "y")(3.0, y=2.0) == 3.0


@pytest.mark.parametrize("argnums", [3, -4, "e", (0, 5)])
def test_an_argument_that_is_not_there_is_refused(argnums):
    """The message says what there is."""
    with pytest.raises(CallError, match=r"weighted.*no argument"):
        grad(weighted, argnums)(1.0, 2.0, 3.0)


@pytest.mark.parametrize("argnums", [(0, 0), (0, -3), ("a", 0), ("d", "d")])
def test_an_argument_named_twice_is_refused(argnums):
    """One of the two gradients would be 0."""
    with pytest.raises(CallError, match="twice"):
        grad(weighted, argnums)(1.0, 2.0, 3.0)


def test_numpy_integers_are_positions():
    """argnums may come out of NumPy."""
    assert grad(weighted, np.int64(1))(1.0, 3.0, 4.0) == 6.0


def test_an_op_is_a_function_like_any_other():
    """By position, and by the name of an operand."""
    assert grad(ops.multiply, (0, 1))(2.0, 3.0) == (3.0, 2.0)
    assert grad(ops.multiply, "b")(2.0, 3.0) == 2.0


def test_the_other_arguments_are_constants_or_closures():
    """Plain ones carry nothing; a Value among them makes the results Values."""
    w = Value(3.0)

    assert grad(lambda x, n, name: x * n)(2.0, 4, "name") == 4.0
    slope = grad(lambda x, w: x * w * w)(2.0, w)
    slope.backward()
    assert (slope.data, w.grad) == (9.0, 6.0)


def test_the_wrapped_function_keeps_its_name():
    """And its docstring, for help and tracebacks."""

    def loss(w):
        """Half the square."""
        return 0.5 * w * w

    assert (grad(loss).__name__, value_and_grad(loss).__doc__) == ("loss", "Half the square.")


# -- aux ------------------------------------------------------------------------------------------


def test_aux_comes_back_beside_the_value():
    """((value, aux), gradient); Values in aux are plain outside, other things untouched."""
    marker = object()

    (value, aux), gradient = value_and_grad(
        lambda x: (x * x, {"h": x * 2.0, "n": 3, "m": marker}), has_aux=True
    )(3.0)

    assert (value, gradient) == (9.0, 6.0)
    assert aux == {"h": 6.0, "n": 3, "m": marker}
    assert is_plain(aux["h"])


LOSSES = (lambda x, w: x * w, lambda x, w: x * x, lambda x, w: 1.0)


@pytest.mark.parametrize("outer", [grad, derivative])
@pytest.mark.filterwarnings("ignore:the function returned plain data")
def test_aux_keeps_its_gradient_for_the_outer_variable(outer):
    """Also where the loss itself does not depend on it."""

    def of_aux(loss):
        def f(w):
            (_, aux), _ = value_and_grad(lambda x: (loss(x, w), w * x), has_aux=True)(3.0)
            return aux

        return f

    found = [outer(of_aux(loss))(2.0) for loss in LOSSES]

    assert found == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("outer", [grad, derivative])
@pytest.mark.filterwarnings("ignore:the function returned plain data")
def test_aux_keeps_its_gradient_for_the_input_it_was_made_of(outer):
    """The input is itself an outer variable, and the loss a constant."""

    def f(w):
        (_, aux), _ = value_and_grad(lambda x: (1.0, x * x), has_aux=True)(w)
        return aux

    assert outer(f)(3.0) == 6.0


@pytest.mark.parametrize("returned", [1.0, (1.0,), (1.0, 2.0, 3.0), [1.0, 2.0]], ids=repr)
def test_has_aux_wants_a_pair(returned):
    """It says what it got."""
    with pytest.raises(NotDifferentiableError, match=r"\(value, aux\)"):
        value_and_grad(lambda x: returned, has_aux=True)(1.0)


def test_a_pair_without_has_aux_is_refused():
    """A tuple is no scalar."""
    with pytest.raises(NotDifferentiableError, match="tuple"):
        grad(lambda x: (x, x))(1.0)


# -- containers -----------------------------------------------------------------------------------


class Point(typing.NamedTuple):
    """A named tuple."""

    x: object
    y: object


@attrs.define
class Layer:
    """An attrs class with a private field and a field that may be None."""

    weight: object
    _bias: object
    scale: object = None


@attrs.frozen
class Frozen:
    """A frozen one, with an alias."""

    inner: object
    count: object = attrs.field(default=2.0, alias="n")


def test_containers_come_back_as_they_are():
    """dict, OrderedDict, list, tuple, named tuple, attrs: types, keys, order and None."""
    tree = {
        "z": [1.0, (2.0, Point(3.0, np.ones(2)))],
        "a": OrderedDict(b=Layer(4.0, [5.0]), a=6.0),
        "none": None,
        "empty": [],
        "frozen": Frozen({"k": 7.0}, 8.0),
    }

    def f(t):
        layer = t["a"]["b"]
        return (
            t["z"][0] * 1.0
            + t["z"][1][0] * 2.0
            + t["z"][1][1].x * 3.0
            + (t["z"][1][1].y * 4.0).sum()
            + layer.weight * 5.0
            + layer._bias[0] * 6.0
            + t["a"]["a"] * 7.0
            + t["frozen"].inner["k"] * 8.0
            + t["frozen"].count * 9.0
        )

    found = grad(f)(tree)

    assert list(found) == ["z", "a", "none", "empty", "frozen"]
    first, (second, point) = found["z"]
    assert (first, second, point.x, type(point)) == (1.0, 2.0, 3.0, Point)
    np.testing.assert_array_equal(point.y, [4.0, 4.0])
    assert (type(found["a"]), list(found["a"])) == (OrderedDict, ["b", "a"])
    assert (found["a"]["b"], found["a"]["a"]) == (Layer(5.0, [6.0]), 7.0)
    assert (found["none"], found["empty"], found["frozen"]) == (None, [], Frozen({"k": 8.0}, 9.0))


def test_a_defaultdict_and_a_counter_are_dicts():
    """Their constructors take something else first."""
    found = [
        grad(lambda p: p["w"] * 3.0)(p)
        for p in (defaultdict(float, w=1.0), collections.Counter(w=1), OrderedDict(w=1.0))
    ]

    assert [dict(p) for p in found] == [{"w": 3.0}] * 3
    assert [type(p) for p in found] == [defaultdict, collections.Counter, OrderedDict]


def test_the_containers_of_the_caller_are_left_alone():
    """f gets containers of its own, and may do with them what it likes."""
    params = {"w": 1.0, "b": [2.0, 3.0]}

    def f(p):
        w = p.pop("w")
        p["new"] = w
        first, second = p["b"]
        p["b"].reverse()
        return w * 3.0 + first * 5.0 + second * 7.0

    gradient = grad(f)(params)

    assert params == {"w": 1.0, "b": [2.0, 3.0]}
    assert gradient == {"w": 3.0, "b": [5.0, 7.0]}


def test_one_object_in_two_places_is_two_inputs():
    """A shared array, and a shared Value: each place has its own gradient."""
    array, value = np.ones(2), Value(2.0)

    first, second = grad(lambda p: (p[0] * 2.0 + p[1] * 3.0).sum())([array, array])
    third, fourth = grad(lambda p: p[0] * 2.0 + p[1] * 3.0)([value, value])

    assert (first[0], second[0], third.data, fourth.data) == (2.0, 3.0, 2.0, 3.0)


@pytest.mark.parametrize(
    "wrong",
    ["text", True, np.array([1, 2]), np.array([True]), object(), {"w": "text"}, [np.array(["a"])]],
    ids=["text", "a bool", "integers", "booleans", "an object", "in a dict", "in a list"],
)
def test_what_has_no_gradient_is_refused(wrong):
    """Wherever in a container it stands."""
    with pytest.raises(NotDifferentiableError):
        grad(lambda x: 1.0)(wrong)


# -- unused inputs, odd outputs -------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [2.0, 2, np.ones((2, 0)), np.ones((2, 3), np.float32), np.float16(1)],
    ids=["float", "int", "empty", "float32", "float16 scalar"],
)
@pytest.mark.filterwarnings("ignore:the function returned plain data")
def test_an_unused_input_gets_zeros_of_its_shape_and_dtype(data):
    """f ignores it, uses it only in what it throws away, or returns a constant."""
    functions = [
        lambda x, y: y * 2.0,
        lambda x, y: (x * 2.0, y)[1] * 1.0,
        lambda x, y: 1.0,
        lambda x, y: ops.sum(x > 0.0) * 1.0 + y,
    ]
    for f in functions:
        zeros = grad(f)(data, 1.0)

        assert (np.shape(zeros), np.any(zeros)) == (np.shape(data), False)
        assert getattr(zeros, "dtype", type(zeros)) == getattr(data, "dtype", float)


def test_the_identity_has_gradient_one():
    """The output is the input."""
    assert grad(lambda x: x)(3.0) == 1.0
    assert grad(grad(lambda x: x))(3.0) == 0.0
    assert value_and_grad(lambda p: p["a"])({"a": 2.0, "b": 1.0}) == (2.0, {"a": 1.0, "b": 0.0})


NO_SCALARS = {
    "a vector": lambda x: x * np.ones(2),
    "a constant vector": lambda x: np.ones(2),
    "a list": lambda x: [x],
    "nothing": lambda x: None,
    "text": lambda x: "x",
}


@pytest.mark.parametrize("returned", NO_SCALARS)
def test_a_function_that_returns_no_scalar_is_refused(returned):
    """Whether it depends on its input or not."""
    with pytest.raises(NotDifferentiableError):
        grad(NO_SCALARS[returned])(1.0)


def test_the_input_assigned_within_f_is_refused():
    """The gradient would be that of another point, or zero."""

    def f(x):
        x.data = 5.0
        return x * x

    for x in (3.0, Value(3.0)):
        with pytest.raises(InPlaceError):
            grad(f)(x)


def test_gradients_are_arrays_of_the_callers_own():
    """No two share memory with each other, none with an input, and all can be written to."""
    a, b, w = np.ones(3), np.ones(3), np.array([1.0, 2.0, 3.0])
    one, other = grad(lambda a, b: ((a + b) * w).sum(), (0, 1))(a, b)
    (summed,) = grad(lambda a: a.sum(), (0,))(a)

    one *= 0.5
    summed[0] = 9.0

    np.testing.assert_array_equal(other, w)
    assert not any(np.shares_memory(g, x) for g in (one, other, summed) for x in (a, b, w))


# -- vjp and linearize ----------------------------------------------------------------------------


def test_vjp_pulls_any_number_of_cotangents_through_one_run():
    """f runs once; each pull gives a tuple, one entry an input."""
    runs = []

    def f(a, b):
        runs.append(1)
        return {"product": a * b, "twice": 2.0 * a, "constant": 5.0}

    out, pull = opgrad.vjp(f, 2.0, 3.0)
    found = [
        pull({"product": 1.0, "twice": 0.0, "constant": 0.0}),
        pull({"constant": 7.0, "twice": 10.0, "product": 1.0}),
    ]

    assert out == {"product": 6.0, "twice": 4.0, "constant": 5.0}
    assert found == [(3.0, 2.0), (23.0, 2.0)]
    assert len(runs) == 1


def test_linearize_pushes_any_number_of_tangents_through_one_run():
    """As jvp, with f run once."""
    runs = []

    def f(a, b):
        runs.append(1)
        return [a * b, b]

    out, push = opgrad.linearize(f, 2.0, np.array([3.0, 4.0]))
    first, second = push(1.0, np.zeros(2)), push(0.0, np.array([10.0, 0.0]))

    np.testing.assert_array_equal(out[0], [6.0, 8.0])
    np.testing.assert_array_equal(first[0], [3.0, 4.0])
    np.testing.assert_array_equal(first[1], [0.0, 0.0])
    np.testing.assert_array_equal(second[0], [20.0, 0.0])
    np.testing.assert_array_equal(second[1], [10.0, 0.0])
    assert len(runs) == 1


@pytest.mark.parametrize("cotangent", [1.0, np.ones(3), np.ones(2, int), {"y": np.ones(2)}, None])
def test_a_cotangent_that_does_not_fit_the_output_is_refused(cotangent):
    """Another shape, integers, another structure."""
    _, pull = opgrad.vjp(lambda x: x * 2.0, np.ones(2))
    with pytest.raises(opgrad.errors.RuleError, match="cotangent"):
        pull(cotangent)


def test_one_output_in_two_places_and_the_input_as_an_output():
    """Their cotangents add up; their tangents are the same."""
    x, t = 1.0, 10.0

    def f(x):
        h = x * 3.0
        return h, (h, x)

    _, pull = opgrad.vjp(f, x)

    assert pull((1.0, (10.0, 100.0))) == (133.0,)
    assert jvp(f, (x,), (t,)) == ((3.0, (3.0, 1.0)), (30.0, (30.0, 10.0)))


def pulled(f, x, g):
    """f'(x) g, by vjp."""
    return opgrad.vjp(f, x)[1](g)[0]


def pushed(f, x, t):
    """f'(x) t, by linearize."""
    return opgrad.linearize(f, x)[1](t)


@pytest.mark.parametrize("outer", [grad, derivative])
@pytest.mark.parametrize("product", [pulled, pushed])
def test_pull_and_push_are_differentiated_by_all_they_depend_on(product, outer):
    """By the cotangent or tangent, by the point, and by a closure."""
    found = [
        outer(lambda g: product(lambda x: x * x * x, 2.0, g) * g)(3.0),  # 12 g²
        outer(lambda x: product(lambda z: z * z * z, x, 5.0))(2.0),  # 15 x²
        outer(lambda w: product(lambda z: z * z * w * w, 2.0, 5.0))(3.0),  # 20 w²
    ]

    assert found == [72.0, 60.0, 120.0]


@pytest.mark.parametrize("outer", [grad, derivative])
@pytest.mark.parametrize("transform", [opgrad.vjp, opgrad.linearize])
def test_the_outputs_of_vjp_and_linearize_carry_the_outer_variable(transform, outer):
    """Also an output that does not depend on their own input."""
    found = [
        outer(lambda w: transform(lambda x: x * w, 3.0)[0])(2.0),
        outer(lambda w: transform(lambda x: (x, w * w), 3.0)[0][1])(2.0),
        outer(lambda w: transform(lambda x: w, 3.0)[0])(2.0),
    ]

    assert found == [3.0, 4.0, 1.0]


def test_a_pull_made_outside_is_used_within_a_transform():
    """d/dg of g · (2 x g) at x = 3, also along a tangent."""
    _, pull = opgrad.vjp(lambda x: x * x, 3.0)

    slope = grad(lambda g: pull(g)[0] * g)(2.0)
    tangent = derivative(lambda g: pull(g)[0] * g)(2.0)

    assert [float(getattr(d, "data", d)) for d in (slope, tangent)] == [24.0, 24.0]


def test_gradients_of_vjp_are_the_callers_own():
    """No two pulls share memory, and none with the cotangent."""
    _, pull = opgrad.vjp(lambda a, b: a + b, np.ones(2), np.ones(2))
    cotangent = np.ones(2)
    (a, b), (c, _) = pull(cotangent), pull(cotangent)

    a *= 3.0

    assert [b[0], c[0], cotangent[0]] == [1.0, 1.0, 1.0]


def test_a_checkpoint_takes_what_has_no_gradient_as_well():
    """Index arrays, flags and text among its arguments stay as they are."""

    def picked(x, index):
        return (x[index] * x[index]).sum()

    gradient = grad(opgrad.checkpoint(picked))(np.array([1.0, 2.0, 3.0]), np.array([0, 2, 2]))

    np.testing.assert_array_equal(gradient, [2.0, 0.0, 12.0])


def test_a_complex_output_of_real_inputs_is_refused():
    """Half of the derivative would be dropped; of complex inputs it is the holomorphic one."""
    with pytest.raises(NotDifferentiableError, match="needs a real scalar"):
        grad(lambda x: x * (1.0 + 2.0j))(3.0)

    assert grad(lambda z: z * z)(1.0 + 2.0j) == 2.0 + 4.0j


def test_plain_data_from_a_function_of_values_is_warned_of():
    """Data taken out by hand has lost its gradient; a Value that is constant is no mistake."""
    with pytest.warns(opgrad.errors.OpgradWarning, match="leave it in") as caught:
        slope = grad(lambda x: x.data * 2.0)(3.0)

    assert (slope, caught[0].filename) == (0.0, __file__)
    assert grad(lambda x: Value(2.0, requires_grad=False))(3.0) == 0.0
