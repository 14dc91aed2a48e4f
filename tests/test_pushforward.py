"""Forward mode: by derivative, jvp rule, linearity, composite, or a transposed backward rule."""

import math

import numpy as np
import pytest

import opgrad
from opgrad import Value, grad, jvp, ops
from opgrad.errors import MissingRuleError, NotDifferentiableError, OpDefinitionError, RuleError

A, B = np.array([[0.5, -1.0, 2.0]]), np.array([[1.5], [-0.25]])


def definitions():  # noqa: C901 -- a list of ten definitions
    """The product a · b by each way an op can be defined, each with its own forward mode."""
    made = {}

    @opgrad.elementwise
    def by_derivative(a, b):
        return a * b

    @by_derivative.derivative("a")
    def by_derivative_a(b):
        return b

    @by_derivative.derivative("b")
    def by_derivative_b(a):
        return a

    made["derivative"] = by_derivative

    @opgrad.elementwise
    def by_jvp(a, b):
        return a * b

    @by_jvp.backward("a")
    def by_jvp_backward_a(g, b):
        return g * b

    @by_jvp.backward("b")
    def by_jvp_backward_b(g, a):
        return g * a

    @by_jvp.jvp("a")
    def by_jvp_a(t, b):
        return t * b

    @by_jvp.jvp("b")
    def by_jvp_b(t, a):
        return t * a

    made["jvp an operand"] = by_jvp

    @opgrad.elementwise
    def by_joint_jvp(a, b):
        return a * b

    @by_joint_jvp.backward
    def by_joint_jvp_backward(g, a, b):
        return g * b, g * a

    @by_joint_jvp.jvp
    def by_joint_jvp_jvp(t, a, b):
        first, second = t
        return (0.0 if first is None else first * b) + (0.0 if second is None else a * second)

    made["jvp of all"] = by_joint_jvp

    @opgrad.elementwise(linear=True)
    def by_linearity(a, b):
        return a * b

    @by_linearity.backward("a")
    def by_linearity_a(g, b):
        return g * b

    @by_linearity.backward("b")
    def by_linearity_b(g, a):
        return g * a

    made["linear"] = by_linearity

    @opgrad.elementwise
    def by_transposition(a, b):
        return a * b

    @by_transposition.backward("a")
    def by_transposition_a(g, b):
        return g * b

    @by_transposition.backward("b")
    def by_transposition_b(g, a):
        return g * a

    made["transposed"] = by_transposition

    @opgrad.elementwise
    def by_joint_transposition(a, b):
        return a * b

    @by_joint_transposition.backward
    def by_joint_transposition_backward(g, a, b):
        return g * b, g * a

    made["transposed joint rule"] = by_joint_transposition

    @opgrad.elementwise
    def by_both(a, b):
        return a * b

    @by_both.derivative("a")
    def by_both_a(b):
        return b

    @by_both.backward("b")
    def by_both_b(g, a):
        return g * a

    made["derivative and transposed"] = by_both

    @opgrad.composite(elementwise=True)
    def by_composition(a, b):
        return a * b

    made["composite"] = by_composition

    @opgrad.composite(elementwise=True)
    def with_a_rule(a, b):
        return a * b

    @with_a_rule.derivative("a")
    def with_a_rule_a(b):
        return b

    made["composite with a derivative"] = with_a_rule

    @opgrad.op(broadcasts=True)
    def by_many(*xs):
        return xs[0] * xs[1]

    @by_many.backward
    def by_many_backward(g, xs):
        return g * xs[1], g * xs[0]

    made["many operands"] = by_many

    return made


DEFINITIONS = definitions()
EVERY_DEFINITION = pytest.mark.parametrize("way", DEFINITIONS)


# -- one product, defined in every way ------------------------------------------------------------


@EVERY_DEFINITION
def test_the_tangent_of_both_and_of_each_operand(way):
    """t_a b + a t_b, on numbers."""
    op = DEFINITIONS[way]

    assert jvp(op, (3.0, 5.0), (0.5, 2.0)) == (15.0, 8.5)
    assert jvp(lambda a: op(a, 5.0), (3.0,), (0.5,)) == (15.0, 2.5)
    assert jvp(lambda b: op(3.0, b), (5.0,), (2.0,)) == (15.0, 6.0)


@EVERY_DEFINITION
def test_the_tangent_broadcasts(way):
    """A row and a column: the tangent has the shape of the output, whichever moves."""
    op = DEFINITIONS[way]
    s, t = np.cos(A), np.sin(B)

    np.testing.assert_allclose(jvp(op, (A, B), (s, t))[1], s * B + A * t, rtol=1e-14)
    np.testing.assert_allclose(jvp(lambda a: op(a, B), (A,), (s,))[1], s * B, rtol=1e-14)
    np.testing.assert_allclose(jvp(lambda b: op(A, b), (B,), (t,))[1], A * t, rtol=1e-14)
    np.testing.assert_allclose(jvp(lambda b: op(A, b), (2.0,), (3.0,))[1], 3.0 * A, rtol=1e-14)


@EVERY_DEFINITION
def test_one_value_in_both_operands(way):
    """The tangent of x² is 2 x t, also where the sweep is recorded."""
    op = DEFINITIONS[way]
    w = Value(3.0)

    assert jvp(lambda x: op(x, x), (3.0,), (1.0,)) == (9.0, 6.0)
    assert jvp(lambda x: op(x, x), (w,), (1.0,))[1].data == 6.0
    assert jvp(lambda x: op(x, x) * w, (3.0,), (1.0,))[1].data == 18.0


@EVERY_DEFINITION
def test_every_mixture_of_modes(way):
    """Second and third derivatives of x·(x·x): 6x and 6."""
    op = DEFINITIONS[way]

    def cube(x):
        return op(x, op(x, x))

    def forward(f):
        return lambda x: jvp(f, (x,), (1.0,))[1]

    seconds = [m(n(cube))(2.0) for m in (grad, forward) for n in (grad, forward)]
    thirds = [
        m(n(o(cube)))(2.0)
        for m in (grad, forward)
        for n in (grad, forward)
        for o in (grad, forward)
    ]

    assert seconds == [12.0] * 4
    assert thirds == [6.0] * 8


@EVERY_DEFINITION
def test_mixed_derivatives_of_two_operands(way):
    """∂²/∂a∂b a²b = 2a, with the operands broadcast."""
    op = DEFINITIONS[way]

    def f(a, b):
        return op(op(a, a), b)

    by_forward = jvp(
        lambda a: jvp(lambda b: f(a, b), (B,), (np.ones_like(B),))[1], (A,), (np.ones_like(A),)
    )[1]
    by_reverse = grad(lambda a: grad(lambda b: f(a, b).sum())(B).sum())(A)

    np.testing.assert_allclose(by_forward, np.broadcast_to(2.0 * A, (2, 3)), rtol=1e-14)
    np.testing.assert_allclose(by_reverse, 4.0 * A, rtol=1e-14)


@EVERY_DEFINITION
def test_forward_and_reverse_agree(way):
    """⟨g, J t⟩ = ⟨Jᵀ g, t⟩."""
    op = DEFINITIONS[way]
    s, t, g = np.cos(A), np.sin(B), np.arange(6.0).reshape(2, 3)

    _, tangent = jvp(op, (A, B), (s, t))
    d_a, d_b = grad(lambda a, b: (op(a, b) * g).sum(), (0, 1))(A, B)

    assert np.sum(g * tangent) == pytest.approx(np.sum(d_a * s) + np.sum(d_b * t), rel=1e-13)


# -- linear ops -----------------------------------------------------------------------------------


def test_an_op_linear_in_all_its_operands_together():
    """2a - 3b: the forward itself on the tangents, zeros where one stands still."""

    @opgrad.elementwise(linear="jointly")
    def combined(a, b):
        return 2.0 * a - 3.0 * b

    @combined.derivative("a")
    def combined_a(a):
        return 2.0

    @combined.derivative("b")
    def combined_b(b):
        return -3.0

    assert jvp(combined, (1.0, 1.0), (1.0, 10.0)) == (-1.0, -28.0)
    assert jvp(lambda a: combined(a, 5.0), (1.0,), (1.0,)) == (-13.0, 2.0)
    assert jvp(lambda b: combined(5.0, b), (1.0,), (1.0,)) == (7.0, -3.0)


ROW = np.array([[1.0, 2.0]])
LINEAR = {
    "concat": (
        lambda x: ops.concat([x, np.ones(1), x]),
        lambda t: np.concatenate([t, [0.0], t]),
    ),
    "stack": (lambda x: ops.stack([np.ones(2), x]), lambda t: np.stack([np.zeros(2), t])),
    "add": (lambda x: x + 5.0, lambda t: t),
    "subtract": (lambda x: 5.0 - x, lambda t: -t),
    "stretched": (lambda x: np.ones((3, 1)) + x, lambda t: np.broadcast_to(t, (3, 2))),
    "sum and mean": (lambda x: x.sum() + x.mean(), lambda t: 1.5 * t.sum()),
    "slice": (lambda x: x[::-1], lambda t: t[::-1]),
    "matmul": (lambda x: ROW @ x, lambda t: ROW @ t),
    "matmul of both": (lambda x: x @ x, lambda t: 2.0 * np.array([1.0, 2.0]) @ t),
    "reshape": (lambda x: ops.broadcast_to(x, (2, 2)).reshape((4,)), lambda t: np.tile(t, 2)),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_ops_push_by_themselves(name):
    """Built-in ops that have no forward rule at all."""
    f, expected = LINEAR[name]
    x, t = np.array([1.0, 2.0]), np.array([0.5, -3.0])

    out, tangent = jvp(f, (x,), (t,))

    assert np.shape(out) == np.shape(tangent)
    np.testing.assert_allclose(tangent, expected(t), rtol=1e-14)


def test_a_linear_op_with_attributes_and_a_nondiff_operand():
    """The mask is no tangent: it goes in as it is."""

    @opgrad.op(linear=True, nondiff=("mask",))
    def masked(x, mask, *, by):
        return x * mask * by

    @masked.backward("x")
    def masked_backward(g, mask, by):
        return g * mask * by

    mask = np.array([1, 0])
    _, tangent = jvp(lambda x: masked(x, mask, by=3.0), (np.ones(2),), (np.array([2.0, 5.0]),))

    np.testing.assert_array_equal(tangent, [6.0, 0.0])


def test_a_linear_op_that_saves():
    """What it saves is not part of its output."""

    @opgrad.op(linear=True, saves=True)
    def doubled(x):
        return 2.0 * x, "saved"

    @doubled.backward
    def doubled_backward(g, saved):
        return 2.0 * g if saved == "saved" else None

    assert jvp(doubled, (3.0,), (1.0,)) == (6.0, 2.0)


def test_many_operands_linear_in_each():
    """A product of all: forward mode holds the others, operand by operand."""

    @opgrad.op(linear=True)
    def product(*xs):
        return math.prod(xs)

    @product.backward
    def product_backward(g, xs):
        return tuple(g * math.prod(x for j, x in enumerate(xs) if j != i) for i in range(len(xs)))

    assert jvp(lambda a, b: product(a, 5.0, b), (2.0, 3.0), (1.0, 10.0)) == (30.0, 15.0 + 100.0)


# -- several outputs ------------------------------------------------------------------------------


def several():
    """(a·b, a + 2b) by each way that can serve several outputs: all have one rule for all."""
    made = {}

    def forward(a, b):
        return a * b, a + 2.0 * b

    def backward(g, a, b):
        return g[0] * b + g[1], g[0] * a + 2.0 * g[1]

    transposed = opgrad.op(outputs=2, name="transposed")(forward)
    transposed.backward(backward)
    made["transposed"] = transposed

    joint = opgrad.op(outputs=2, name="joint")(forward)
    joint.backward(backward)

    @joint.jvp
    def joint_jvp(t, a, b):
        s, t = (0.0 if part is None else part for part in t)
        return s * b + a * t, s + 2.0 * t

    made["jvp of all"] = joint

    return made


SEVERAL = several()


@pytest.mark.parametrize("way", SEVERAL)
def test_several_outputs_have_tangents(way):
    """Both outputs, one of them, and one operand moving at a time."""
    op = SEVERAL[way]

    assert jvp(op, (3.0, 5.0), (1.0, 10.0)) == ((15.0, 13.0), (35.0, 21.0))
    assert jvp(lambda a, b: op(a, b)[1], (3.0, 5.0), (1.0, 10.0)) == (13.0, 21.0)
    assert jvp(lambda a: op(a, 5.0), (3.0,), (1.0,)) == ((15.0, 13.0), (5.0, 1.0))
    assert jvp(lambda b: op(3.0, b)[0], (5.0,), (1.0,)) == (15.0, 3.0)


@pytest.mark.parametrize("way", SEVERAL)
def test_several_outputs_in_mixed_derivatives(way):
    """x·x + 3x, its square, and the second derivative of that; one Value in both operands."""
    op = SEVERAL[way]

    def f(x):
        product, total = op(x, x)
        return product * total  # 3 x³

    def forward(f):
        return lambda x: jvp(f, (x,), (1.0,))[1]

    assert forward(f)(2.0) == 36.0
    assert [m(n(f))(2.0) for m in (grad, forward) for n in (grad, forward)] == [36.0] * 4


def test_a_rule_an_operand_is_refused_for_several_outputs():
    """One rule serves all: the definition says so, not the sweep."""

    @opgrad.op(outputs=2)
    def both(a, b):
        return a * b, a + b

    for kind in (both.jvp, both.backward):
        with pytest.raises(OpDefinitionError, match="several outputs"):
            kind("a")(lambda b: b)


def test_a_linear_op_with_several_outputs():
    """Linear in each operand: the contributions are added output by output."""

    @opgrad.op(linear=True, outputs=2)
    def scaled(a, b):
        return a * b, 2.0 * a * b

    @scaled.backward
    def scaled_backward(g, a, b):
        return (g[0] + 2.0 * g[1]) * b, (g[0] + 2.0 * g[1]) * a

    assert jvp(scaled, (3.0, 5.0), (1.0, 1.0)) == ((15.0, 30.0), (8.0, 16.0))


def test_a_split_has_tangents():
    """A built-in op with as many outputs as it is asked for."""
    x, t = np.arange(4.0), np.array([1.0, 2.0, 3.0, 4.0])

    _, (first, second) = jvp(lambda x: ops.split(x * x, 2), (x,), (t,))

    np.testing.assert_array_equal(first, [0.0, 4.0])
    np.testing.assert_array_equal(second, [12.0, 24.0])


# -- inputs and outputs ---------------------------------------------------------------------------


def test_inputs_and_outputs_may_be_containers():
    """The tangent has the structure of the output, plain."""
    out, tangent = jvp(
        lambda p, s: {"sum": p["a"] + p["b"][0] * s, "none": None, "constant": 3.0},
        ({"a": 1.0, "b": [2.0]}, 3.0),
        ({"a": 0.5, "b": [0.25]}, 10.0),
    )

    assert out == {"sum": 7.0, "none": None, "constant": 3.0}
    assert tangent == {"sum": 0.5 + 0.75 + 20.0, "none": None, "constant": 0.0}


def test_tangents_of_a_dict_belong_to_its_keys():
    """Whatever order they were written in."""
    _, tangent = jvp(
        lambda p: p["a"] * 3.0 + p["b"] * 5.0, ({"a": 1.0, "b": 2.0},), ({"b": 1.0, "a": 10.0},)
    )

    assert tangent == 35.0


UNFIT = {
    "another nesting": (((1.0, 2.0), 3.0), (1.0, (2.0, 3.0))),
    "one too few": ((1.0, 2.0), (1.0,)),
    "one too many": ((1.0,), (1.0, 2.0)),
    "another key": (({"a": 1.0},), ({"b": 1.0},)),
    "a shorter list": (([1.0, 2.0],), ([1.0],)),
    "None": ((1.0,), (None,)),
    "an array for a number": ((1.0,), (np.ones(1),)),
    "another shape": ((np.ones(2),), (np.ones((1, 2)),)),
    "a number for an array": ((np.ones(2),), (1.0,)),
    "integers": ((np.ones(2),), (np.ones(2, int),)),
    "text": ((1.0,), ("1",)),
}


@pytest.mark.parametrize("case", UNFIT)
def test_tangents_that_do_not_fit_are_refused(case):
    """Another structure, another shape, integers, text."""
    xs, ts = UNFIT[case]
    with pytest.raises(RuleError, match="tangent"):
        jvp(lambda *args: 1.0, xs, ts)


def test_what_does_not_move_has_zeros():
    """Of its shape and dtype: constants, and functions that ignore their input."""
    out, tangent = jvp(lambda x: (np.ones((2, 1), np.float32), 2.0), (1.0,), (1.0,))

    assert (tangent[0].shape, tangent[0].dtype, tangent[0].any()) == ((2, 1), np.float32, False)
    assert (out[1], tangent[1]) == (2.0, 0.0)


def test_tangents_have_the_dtype_of_the_output():
    """float32 stays float32, whatever the tangent was given in."""
    x = np.ones(2, np.float32)
    functions = [
        lambda x: x * 2.0,
        ops.exp,
        lambda x: x @ x,
        lambda x: ops.concat([x, x]),
        lambda x: x,
    ]

    tangents = [np.asarray(jvp(f, (x,), (np.ones(2),))[1]).dtype for f in functions]

    assert tangents == [np.float32] * len(functions)


def test_a_rule_that_computes_in_double_precision_is_cast_to_the_output():
    """As a backward rule's gradient is."""

    @opgrad.op
    def double(x):
        return x * 2.0

    @double.backward
    def double_backward(g):
        return g * 2.0

    @double.jvp
    def double_jvp(t):
        return t.astype(np.float64) * 2.0

    x = np.ones(2, np.float32)

    assert jvp(double, (x,), (x,))[1].dtype == np.float32


def test_a_tangent_that_is_a_value_is_carried():
    """jvp is linear in it, and so is its gradient."""
    t = Value(2.0)

    _, tangent = jvp(lambda x: x * x, (3.0,), (t,))
    tangent.backward()

    assert (tangent.data, t.grad) == (12.0, 6.0)


def test_closures_are_differentiated_through_forward_mode():
    """d/dw of the slope of w·x²."""
    assert grad(lambda w: jvp(lambda x: w * x * x, (3.0,), (1.0,))[1])(2.0) == 6.0


def test_zero_dimensional_and_empty_arrays():
    """They push like any other."""
    assert float(jvp(lambda x: x * x, (np.array(3.0),), (np.array(1.0),))[1]) == 6.0
    out, tangent = jvp(lambda x: (x * x).sum(), (np.ones((0, 2)),), (np.ones((0, 2)),))
    assert (float(out), float(tangent)) == (0.0, 0.0)


# -- rules that are missing or wrong --------------------------------------------------------------


def test_no_rule_for_forward_mode_raises():
    """Nothing is taken as zero for want of a rule."""

    @opgrad.op
    def one_sided(a, b):
        return a * b

    @one_sided.jvp("a")
    def one_sided_jvp_a(t, b):
        return t * b

    @one_sided.backward("b")
    def one_sided_backward_b(g, a):
        return g * a

    assert jvp(lambda a: one_sided(a, 3.0), (2.0,), (1.0,)) == (6.0, 3.0)
    assert jvp(one_sided, (2.0, 3.0), (1.0, 1.0)) == (6.0, 5.0)
    with pytest.raises(MissingRuleError, match="one_sided"):
        grad(one_sided)(2.0, 3.0)


def test_an_op_that_saves_has_a_first_derivative_in_forward_mode_and_no_second():
    """The rule's saved data have no history."""

    @opgrad.elementwise(saves=True)
    def saved_square(x):
        return x * x, 2.0 * x

    @saved_square.derivative
    def saved_square_derivative(saved):
        return saved

    def forward(f):
        return lambda x: jvp(f, (x,), (1.0,))[1]

    assert forward(saved_square)(3.0) == 6.0
    for outer in (grad, forward):
        for inner in (grad, forward):
            with pytest.raises(NotDifferentiableError, match="saved_square"):
                outer(inner(saved_square))(3.0)


WRONG_TANGENTS = {
    "None": lambda t: None,
    "a string": lambda t: "t",
    "a list": lambda t: [1.0, 2.0],
    "a tuple": lambda t: (t,),
    "a bool": lambda t: True,
    "integers": lambda t: np.ones(np.shape(t), int),
    "another shape": lambda t: np.ones(5),
    "an axis more": lambda t: np.ones((3, 2)),
}


@pytest.mark.parametrize("make", [opgrad.op, opgrad.elementwise])
@pytest.mark.parametrize("data", [1.0, np.ones(2)], ids=["number", "array"])
@pytest.mark.parametrize("wrong", WRONG_TANGENTS)
def test_a_jvp_rule_that_returns_the_wrong_thing_is_named(wrong, data, make):
    """None above all: it is no zero."""
    rule = WRONG_TANGENTS[wrong]

    @make
    def double(x):
        return 2.0 * x

    @double.backward
    def double_backward(g):
        return 2.0 * g

    @double.jvp
    def double_jvp(t):
        return rule(t)

    with pytest.raises(RuleError, match="double"):
        jvp(lambda x: double(x) + x, (data,), (data,))


WRONG_SEVERAL = {
    "one": lambda t: t,
    "one in a tuple": lambda t: (t,),
    "three": lambda t: (t, t, t),
    "one None": lambda t: (t, None),
    "another shape": lambda t: (t, np.ones(5)),
    "stacked": lambda t: np.ones((2, 2)),
    "None": lambda t: None,
}


@pytest.mark.parametrize("case", WRONG_SEVERAL)
def test_a_jvp_rule_of_several_outputs_that_returns_the_wrong_thing_is_named(case):
    """One tangent an output, in a tuple, each of its shape."""

    @opgrad.op(outputs=2)
    def both(x):
        return 2.0 * x, 3.0 * x

    @both.backward
    def both_backward(g):
        return 2.0 * g[0] + 3.0 * g[1]

    @both.jvp
    def both_jvp(t):
        return WRONG_SEVERAL[case](t)

    with pytest.raises(RuleError, match="both"):
        jvp(lambda x: both(x)[0] + both(x)[1], (np.ones(2),), (np.ones(2),))


# -- the branch not taken -------------------------------------------------------------------------


TRAPS = {
    "sqrt": (lambda x: ops.where(x > 0.0, ops.sqrt(x), 2.0 * x), 0.0, 2.0),
    "log": (lambda x: ops.where(x > 0.0, x * ops.log(x), 3.0 * x), -1.0, 3.0),
    "division": (lambda x: ops.where(x == 0.0, 1.0, ops.sin(x) / x), 0.0, 0.0),
    "sqrt of where": (lambda x: ops.sqrt(ops.where(x > 0.0, x, 0.0)) + x, -1.0, 1.0),
    "sqrt of relu": (lambda x: ops.sqrt(ops.relu(x)) + x, -1.0, 1.0),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_branch_not_taken_contributes_exactly_zero(trap):
    """Numbers and arrays; and nothing to second derivatives of any mixture."""
    f, at, expected = TRAPS[trap]

    def forward(f):
        return lambda x: jvp(f, (x,), (1.0,))[1]

    x = np.array([at, 4.0])
    with np.errstate(all="ignore"):
        ordinary = forward(f)(4.0)
        number = forward(f)(at)
        array = jvp(f, (x,), (np.ones(2),))[1]
        seconds = [m(n(f))(at) for m in (grad, forward) for n in (grad, forward)]

    assert number == expected
    np.testing.assert_allclose(array, [expected, ordinary], rtol=1e-14)
    assert seconds == [0.0] * 4


@opgrad.composite
def composite_cbrt(xp, x):
    """The cube root, found by its forward."""
    return xp.cbrt(x)


@opgrad.elementwise
def transposed_cbrt(xp, x):
    """The cube root with a backward rule only."""
    return xp.cbrt(x)


@transposed_cbrt.backward
def transposed_cbrt_backward(xp, g, y):
    """g / 3y²."""
    return xp.divide(g, 3.0 * y * y)


UNDEFINED_PRODUCTS = {
    "cbrt of cube": (lambda x: ops.cbrt(x * x * x), 1.0),
    "sqrt of fourth power": (lambda x: ops.sqrt(x * x * x * x), 0.0),
    "square of sqrt": (lambda x: ops.square(ops.sqrt(x)), 1.0),
    "exp of log": (lambda x: ops.exp(ops.log(x)), 1.0),
    "composite of cube": (lambda x: composite_cbrt(x * x * x), 1.0),
    "transposed of cube": (lambda x: transposed_cbrt(x * x * x), 1.0),
}


@pytest.mark.parametrize("case", UNDEFINED_PRODUCTS)
def test_a_tangent_that_is_zero_by_chance_is_no_branch_not_taken(case):
    """0·inf on the path that was taken is the answer or nan, never a wrong number."""
    f, truth = UNDEFINED_PRODUCTS[case]
    with np.errstate(all="ignore"):
        number = jvp(f, (0.0,), (1.0,))[1]
        array = jvp(f, (np.array([0.0, 1.0]),), (np.ones(2),))[1]

    assert number == truth or math.isnan(number)
    assert array[0] == truth or math.isnan(array[0])


def test_an_operand_that_stands_still_contributes_exactly_zero():
    """a ** b at a = 0, where da is infinite, along b alone: a tangent of 0 asks for nothing."""
    with np.errstate(all="ignore"):
        number = jvp(lambda a, b: a**b, (0.0, 0.5), (0.0, 1.0))[1]
        array = jvp(lambda a, b: a**b, (np.zeros(2), np.full(2, 0.5)), (np.zeros(2), np.ones(2)))[1]

    assert number == 0.0
    np.testing.assert_array_equal(array, [0.0, 0.0])


def test_an_entry_that_stands_still_contributes_exactly_zero():
    """Along one entry of two: a column of the Jacobian, beside an infinite derivative."""
    x = np.array([4.0, 0.0])
    with np.errstate(all="ignore"):
        column = jvp(ops.sqrt, (x,), (np.array([1.0, 0.0]),))[1]
        mixed = jvp(lambda a, b: a**b, (x, np.full(2, 0.5)), (np.array([1.0, 0.0]), np.ones(2)))[1]
        rows, columns = (
            opgrad.jacobian(f)(x) for f in (ops.sqrt, lambda x: ops.concat([ops.sqrt(x), x]))
        )

    np.testing.assert_array_equal(column, [0.25, 0.0])
    np.testing.assert_allclose(mixed, [0.25 + 2.0 * math.log(4.0), 0.0])
    np.testing.assert_array_equal(rows, [[0.25, 0.0], [0.0, math.inf]])
    np.testing.assert_array_equal(columns[:2], rows)


def test_where_pushes_numbers_beside_numpy_scalars_in_every_order():
    """The condition is a plain bool, one branch a NumPy scalar."""

    def f(x):
        return ops.where(True, x * x, np.float64(1.0))  # noqa: FBT003 -- an operand

    def forward(f):
        return lambda x: jvp(f, (x,), (1.0,))[1]

    assert [float(m(n(f))(3.0)) for m in (grad, forward) for n in (grad, forward)] == [2.0] * 4


# -- complex --------------------------------------------------------------------------------------


def test_the_tangent_of_a_real_output_is_real():
    """|z| along 1, and along i: the derivative of a real number is one."""
    for z in (1.0 + 2.0j, np.array([1.0 + 2.0j])):
        for t, expected in ((1.0 + 0.0j, 1.0), (1.0j, 2.0)):
            _, tangent = jvp(ops.abs, (z,), (z * 0.0 + t,))

            assert not np.iscomplexobj(tangent)
            np.testing.assert_allclose(tangent, expected / math.sqrt(5.0), rtol=1e-15)


def test_the_tangent_of_a_holomorphic_function():
    """f'(z)·t."""
    z, t = 0.5 + 1.5j, 2.0 - 1.0j

    _, tangent = jvp(lambda z: z * z * z, (z,), (t,))

    assert tangent == pytest.approx(3.0 * z * z * t)
