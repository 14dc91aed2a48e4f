"""The backward sweep: what `backward()` leaves where, and all that it must refuse."""

import asyncio
import copy
import math
import pickle
import traceback

import numpy as np
import pytest

import opgrad
from opgrad import Value, ops
from opgrad.errors import (
    ConversionError,
    InPlaceError,
    MissingRuleError,
    NotDifferentiableError,
    RuleError,
)

WEIGHTS = np.array([1.0, -2.0, 3.0])


def product_with_backward_rules():
    """a * b with a backward rule an operand, and nothing else."""

    @opgrad.op
    def product(a, b):
        return a * b

    @product.backward("a")
    def product_backward_a(g, b):
        return g * b

    @product.backward("b")
    def product_backward_b(g, a):
        return g * a

    return product


def unary(backward=None, derivative=None, *, elementwise=True, forward=None):
    """An op `double` of one operand `x` with the rule to be tried."""
    make = opgrad.elementwise if elementwise else opgrad.op

    def double(x):
        return 2.0 * x

    op = make(forward or double)
    if backward is not None:
        op.backward(backward)
    if derivative is not None:
        op.derivative(derivative)

    return op


# -- what backward leaves -------------------------------------------------------------------------


def test_every_node_holds_its_gradient():
    """L = (a*b + c) * f: the example of the tutorials, with all seven gradients."""
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
    e = a * b
    d = e + c
    loss = d * f

    loss.backward()

    assert [v.grad for v in (loss, d, f, c, e, b, a)] == [1.0, -2.0, 4.0, -2.0, -2.0, -4.0, 6.0]


def test_leaves_add_up_over_calls_and_interior_nodes_do_not():
    """A second backward doubles the leaf's gradient; the node holds that of the last call."""
    x = Value(3.0)
    h = x * x
    y = h * 2.0

    y.backward()
    y.backward()

    assert (x.grad, h.grad, y.grad) == (24.0, 2.0, 1.0)


def test_leaves_add_up_over_different_outputs():
    """Two losses with one parameter: the gradient is that of their sum."""
    w = Value(np.array([1.0, 2.0]))

    (w * w).sum().backward()
    (3.0 * w).sum().backward()

    np.testing.assert_array_equal(w.grad, [5.0, 7.0])


def test_the_gradient_of_a_leaf_can_be_set_to_zero():
    """By 0, by None, or by zeros: the next backward starts afresh."""
    x = Value(3.0)
    found = []
    for zero in (0, None, 0.0):
        x.grad = zero
        (x * x).backward()
        found.append(x.grad)

    assert found == [6.0, 6.0, 6.0]


def test_a_leaf_that_is_the_output_has_gradient_one():
    """Backward of a leaf: d x / d x, added up like any other."""
    x = Value(3.0)

    x.backward()
    x.backward()

    assert x.grad == 2.0


def test_grad_before_backward_is_zero():
    """Of the shape and dtype of the data, on leaves and on results."""
    x = Value(np.ones((2, 1), np.float32))

    assert (x.grad.shape, x.grad.dtype, (x * x).grad.any()) == ((2, 1), np.float32, False)


def test_a_value_used_twice_gets_both_gradients():
    """x in both operands of one op, and in several ops."""
    x = Value(3.0)

    (x * x + x * 4.0 + x).backward()

    assert x.grad == 11.0


def test_a_diamond_is_summed_before_it_flows_on():
    """x → h → (p, q) → y: h gets the whole gradient before its rule runs."""
    x = Value(2.0)
    h = x * x
    p, q = h * 3.0, h * h
    y = p * q

    y.backward()

    assert (h.grad, x.grad) == (3.0 * 3.0 * 16.0, 144.0 * 4.0)


def test_a_ladder_of_diamonds_is_linear_work():
    """2⁶⁰ paths from end to end; each node is visited once."""
    x = y = Value(1.0)
    for _ in range(60):
        y = y + y
    y.backward()

    assert x.grad == 2.0**60


def test_a_part_that_ends_nowhere_gets_no_gradient():
    """What was made of x, but not used in the output, keeps its zeros."""
    x = Value(3.0)
    unused = x * 100.0

    (x * 2.0).backward()

    assert (x.grad, unused.grad) == (2.0, 0.0)


def test_order_of_making_is_not_order_of_use():
    """A node made early and used late still waits for all its gradients."""
    x = Value(2.0)
    early = x * 5.0
    late = x * x
    y = late * early + early

    y.backward()

    assert (early.grad, x.grad) == (5.0, 4.0 * 10.0 + 5.0 * 5.0)


# -- cotangents -----------------------------------------------------------------------------------


def test_a_cotangent_weighs_the_outputs():
    """The gradient of Σ cotangent · output."""
    x = Value(np.array([1.0, 2.0, 3.0]))

    (x * x).backward(WEIGHTS)

    np.testing.assert_array_equal(x.grad, 2.0 * x.data * WEIGHTS)


def test_one_entry_is_scalar_enough():
    """Shapes (), (1,) and (1, 1) need no cotangent, and keep their shape."""
    for shape in ((), (1,), (1, 1)):
        x = Value(np.full(shape, 3.0))
        (x * x).backward()

        assert (np.shape(x.grad), float(np.sum(x.grad))) == (shape, 6.0)


def test_several_entries_without_a_cotangent_are_refused():
    """The message says the shape and both ways out."""
    with pytest.raises(NotDifferentiableError, match=r"shape \(3,\).*cotangent"):
        (Value(WEIGHTS) * 2.0).backward()


@pytest.mark.parametrize(
    "cotangent",
    [1.0, np.ones(2), np.ones((3, 1)), np.ones(3, int), np.ones(3, bool), "one", [1.0, 1.0, 1.0]],
)
def test_a_cotangent_that_does_not_fit_is_refused(cotangent):
    """Another shape, or no floating data."""
    with pytest.raises(RuleError, match="cotangent"):
        (Value(WEIGHTS) * 2.0).backward(cotangent)


def test_a_cotangent_may_be_an_int_for_a_number():
    """1 is a real number, and the gradient a float."""
    x = Value(3.0)

    (x * x).backward(2)

    assert (x.grad, type(x.grad)) == (12.0, float)


def test_a_cotangent_that_is_a_value_records_the_sweep():
    """The gradient is linear in it, and can be differentiated by it."""
    x, g = Value(3.0), Value(5.0)

    (x * x).backward(g)
    slope = x.grad
    slope.backward()

    assert (slope.data, g.grad) == (30.0, 6.0)


def test_a_gradient_has_the_dtype_of_its_leaf_whatever_the_cotangent_had():
    """float64 cotangents on float32 data, through an op and on the leaf itself."""
    x = Value(np.ones(2, np.float32))

    (x * 2.0).backward(np.ones(2))
    through = x.grad.dtype
    x.grad = None
    x.backward(np.ones(2))

    assert (through, x.grad.dtype) == (np.float32, np.float32)


# -- record=True ----------------------------------------------------------------------------------


def test_a_recorded_sweep_leaves_values_to_differentiate_again():
    """d/dx x³ = 3x², and the derivative of that is 6x."""
    x = Value(2.0)
    (x * x * x).backward(record=True)
    first = x.grad
    x.grad = None

    first.backward()

    assert (first.data, x.grad) == (12.0, 12.0)


def test_a_plain_sweep_leaves_plain_data():
    """Floats for floats and arrays for arrays: nothing keeps the graph alive."""
    x, v = Value(2.0), Value(np.ones(3))

    (x * v).sum().backward()

    assert (type(x.grad), type(v.grad)) == (float, np.ndarray)


def test_gradient_penalty_by_record():
    """loss = f + (f')², the classic use: both terms reach w."""
    w = Value(1.5)
    x = Value(2.0)
    y = w * x * x
    y.backward(record=True)
    slope = x.grad  # 2 w x
    x.grad = w.grad = None

    (slope * slope).backward()

    assert (w.grad, x.grad) == (2.0 * 6.0 * 4.0, 2.0 * 6.0 * 3.0)


def test_backward_works_under_no_grad():
    """The graph is there already; a sweep records nothing anyway."""
    x = Value(3.0)
    y = x * x
    with opgrad.no_grad():
        y.backward()

    assert x.grad == 6.0


# -- constants ------------------------------------------------------------------------------------


def test_constants_get_no_gradient_and_make_constants():
    """An op of constants alone records nothing; beside a Value they are carried."""
    c = Value(3.0, requires_grad=False)
    x = Value(2.0)

    y = c * x
    y.backward()

    assert ((c * c).requires_grad, y.requires_grad, x.grad, c.grad) == (False, True, 3.0, 0.0)


def test_backward_of_a_constant_is_refused():
    """It says why there is nothing to differentiate."""
    constant = Value(3.0, requires_grad=False) * 2.0
    with pytest.raises(NotDifferentiableError, match="is a constant"):
        constant.backward()


@pytest.mark.parametrize("data", [True, np.array([1, 2]), np.array([True])])
def test_integers_and_booleans_have_no_gradient(data):
    """They are constants, and asking for a gradient says what to convert."""
    v = Value(data)

    assert not v.requires_grad
    with pytest.raises(NotDifferentiableError, match="convert to floats"):
        _ = v.grad
    with pytest.raises(NotDifferentiableError, match="convert to floats"):
        Value(data, requires_grad=True)


def test_python_ints_count_as_real_numbers():
    """Their gradient is a float."""
    n = Value(3)

    (n * n * 0.5).backward()

    assert (n.grad, type(n.grad)) == (3.0, float)


def test_stop_gradient_cuts_the_graph():
    """What comes after is a constant; containers are entered."""
    x = Value(3.0)
    held = opgrad.stop_gradient({"h": [x * x, 1.0]})

    (x * held["h"][0]).backward()

    assert (x.grad, held["h"][0].requires_grad) == (9.0, False)


# -- no_grad --------------------------------------------------------------------------------------


def records():
    """Whether an op call is recorded here and now."""
    return (Value(1.0) * 2.0).requires_grad


def test_no_grad_records_nothing_and_ends():
    """Nested, and left by an exception."""
    seen = [records()]
    with opgrad.no_grad():
        seen.append(records())
        with opgrad.no_grad():
            seen.append(records())
        seen.append(records())
    seen.append(records())
    with pytest.raises(KeyError), opgrad.no_grad():
        raise KeyError
    seen.append(records())

    assert seen == [True, False, False, False, True, True]


def test_no_grad_as_a_decorator():
    """A function whose results are constants."""

    @opgrad.no_grad()
    def predict(v):
        return v * 2.0

    assert (predict(Value(1.0)).requires_grad, records()) == (False, True)


def test_tasks_do_not_see_each_others_no_grad():
    """Two tasks take turns while one is within no_grad."""

    async def constant(turns):
        seen = []
        with opgrad.no_grad():
            for _ in range(turns):
                await asyncio.sleep(0)
                seen.append(records())
        return [*seen, records()]

    async def free(turns):
        seen = []
        for _ in range(turns):
            await asyncio.sleep(0)
            seen.append(records())
        return seen

    async def both():
        return await asyncio.gather(constant(3), free(3))

    assert asyncio.run(both()) == [[False, False, False, True], [True, True, True]]


def test_a_task_started_within_no_grad_inherits_it():
    """As any context variable: what is called from within records nothing either."""

    async def inner():
        await asyncio.sleep(0)
        return records()

    async def outer():
        with opgrad.no_grad():
            task = asyncio.create_task(inner())
        return await task, records()

    assert asyncio.run(outer()) == (False, True)


def batches():
    """A generator that is within no_grad when it is left."""
    with opgrad.no_grad():
        yield 1
        yield 2


def test_a_generator_that_ends_leaves_recording_on():
    """Exhausted, closed, and left by an exception."""
    seen = []
    list(batches())
    seen.append(records())
    closed = batches()
    next(closed)
    closed.close()
    seen.append(records())
    thrown = batches()
    next(thrown)
    with pytest.raises(KeyError):
        thrown.throw(KeyError)
    seen.append(records())

    assert seen == [True, True, True]


def test_no_grad_blocks_that_do_not_nest_do_not_turn_recording_off_for_good():
    """A generator enters first and leaves within another block: both are over, all records."""
    suspended = batches()
    next(suspended)
    with opgrad.no_grad():
        list(suspended)
        within = records()
    after = records()

    assert (within, after) == (False, True)


# -- copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))],  # noqa: S301 -- our own
)
def test_a_copy_of_a_leaf_is_a_leaf_of_its_own(duplicate):
    """Gradients of the two are never mixed up; data and grad are kept."""
    a = Value(3.0)
    a.grad = 0.5
    b = duplicate(a)

    (a * a * b).backward()

    assert (a.grad, b.grad, b.data) == (18.5, 9.5, 3.0)


def test_a_deep_copy_of_a_model_shares_nothing():
    """Within it, one Value stays one Value; the arrays are copies."""
    w = Value(np.ones(2))
    model = {"first": w, "again": w, "frozen": Value(np.ones(1), requires_grad=False)}
    twin = copy.deepcopy(model)

    (twin["first"] * twin["again"] * w).sum().backward()

    assert twin["first"] is twin["again"]
    assert not twin["frozen"].requires_grad
    assert twin["first"].data is not w.data
    np.testing.assert_array_equal(twin["first"].grad, [2.0, 2.0])
    np.testing.assert_array_equal(w.grad, [1.0, 1.0])


def test_a_copy_of_a_result_is_refused_or_differentiates_right():
    """Never a node whose gradient goes astray."""
    x = Value(3.0)
    y = x * x
    try:
        twin = copy.copy(y)
    except ConversionError:
        return
    (y * twin).backward()

    assert x.grad in {108.0, 54.0}  # the copy with its history, or as a constant


# -- who owns a gradient --------------------------------------------------------------------------


def test_changing_one_gradient_in_place_changes_no_other():
    """`p.grad *= scale`, as in clipping: the gradient of each leaf is an array of its own."""
    a, b = Value(np.ones(3)), Value(np.ones(3))
    ((a + b) * WEIGHTS).sum().backward()

    a.grad *= 0.5

    np.testing.assert_array_equal(b.grad, WEIGHTS)


def test_gradients_that_are_views_are_made_their_own():
    """reshape, transpose and slices hand on views of one gradient."""
    a, b = Value(np.ones((2, 3))), Value(np.ones((3, 2)))
    w = np.arange(6.0).reshape(3, 2)
    ((ops.matrix_transpose(a) + b) * w).sum().backward()

    a.grad[...] = 0.0

    np.testing.assert_array_equal(b.grad, w)


def test_the_cotangent_stays_the_callers():
    """Adding to the gradient leaves it alone, and so does changing it afterwards."""
    x, cotangent = Value(np.ones(3)), np.ones(3)
    (x + 1.0).backward(cotangent)
    cotangent[...] = 7.0
    before = x.grad.copy()
    x.grad += 1.0

    np.testing.assert_array_equal(before, np.ones(3))
    np.testing.assert_array_equal(cotangent, np.full(3, 7.0))


def test_a_gradient_can_be_written_to():
    """Also that of a sum, which is one number stretched."""
    x = Value(np.ones(3))
    x.sum().backward()

    x.grad[0] = 5.0

    np.testing.assert_array_equal(x.grad, [5.0, 1.0, 1.0])


# -- data that change between forward and backward ------------------------------------------------


def test_a_leaf_assigned_after_its_use_is_refused():
    """The message says to run the forward again."""
    x = Value(np.ones(2))
    y = (x * x).sum()
    x.data -= 0.5

    with pytest.raises(InPlaceError, match="run the forward again"):
        y.backward()


def test_a_leaf_assigned_between_two_uses_is_refused():
    """Half of the graph has seen the old data."""
    x = Value(2.0)
    before = x * 3.0
    x.data = 5.0
    y = before + x * 4.0

    with pytest.raises(InPlaceError, match="was assigned after"):
        y.backward()


def test_a_leaf_assigned_before_its_use_is_fine():
    """A training loop: forward, backward, step, again."""
    w = Value(4.0)
    for _ in range(3):
        w.grad = 0.0
        (w * w).backward()
        w.data -= 0.25 * w.grad

    assert w.data == 0.5


def test_an_older_graph_is_refused_after_the_step():
    """Also where the leaf is deep inside."""
    w = Value(2.0)
    old = ops.exp(ops.sin(w * 1.0) * 3.0)
    w.data = 3.0
    new = ops.exp(ops.sin(w * 1.0) * 3.0)

    new.backward()
    with pytest.raises(InPlaceError):
        old.backward()


def test_a_result_that_was_assigned_is_refused():
    """Its history no longer tells how it was made: above it, at it, and in a transform."""
    x = Value(2.0)
    h = x * x
    y = h * h
    h.data = 1.0

    for use in (y.backward, h.backward, (h * 3.0).backward):
        with pytest.raises(InPlaceError, match="history no longer tells"):
            use()


def test_a_constant_that_was_assigned_is_refused():
    """The rule of the product would read the new number: 5 where the truth is 2."""
    x, c = Value(3.0), Value(2.0, requires_grad=False)
    y = x * c
    c.data = 5.0

    with pytest.raises(InPlaceError):
        y.backward()


def test_a_constant_made_under_no_grad_and_assigned_is_refused():
    """It is an operand like any other."""
    x = Value(3.0)
    with opgrad.no_grad():
        c = Value(2.0) * 1.0
    y = x * c
    c.data = 5.0

    with pytest.raises(InPlaceError):
        y.backward()


def test_a_constant_assigned_before_its_use_is_fine():
    """Running statistics, and batches put into one Value."""
    x, c = Value(3.0), Value(2.0, requires_grad=False)
    c.data = 4.0
    y = x * c

    y.backward()

    assert x.grad == 4.0


def test_assigning_what_is_not_data_is_refused():
    """A Value, a list, integers on a Value that wants a gradient."""
    x = Value(np.ones(2))
    for wrong in (Value(1.0), [1.0, 2.0], np.array([1, 2]), "data", None):
        with pytest.raises(NotDifferentiableError):
            x.data = wrong


# -- rules that are missing or wrong --------------------------------------------------------------


def test_a_missing_backward_rule_raises_when_it_is_needed():
    """Not before: the other operand differentiates. The message shows how to add it."""

    @opgrad.op
    def half_ruled(a, b):
        return a * b

    @half_ruled.backward("a")
    def half_ruled_backward_a(g, b):
        return g * b

    @half_ruled.jvp("b")
    def half_ruled_jvp_b(t, a):
        return t * a

    a, b = Value(2.0), Value(3.0)
    half_ruled(a, 3.0).backward()

    assert a.grad == 3.0
    with pytest.raises(MissingRuleError, match=r"half_ruled.*'b'.*@half_ruled.backward"):
        half_ruled(2.0, b).backward()


WRONG_GRADIENTS = {
    "None": lambda g: None,
    "a string": lambda g: "g",
    "a bool": lambda g: True,
    "a list": lambda g: [1.0, 1.0, 1.0],
    "another shape": lambda g: np.ones(2),
    "one entry": lambda g: np.ones(1),
    "an axis more": lambda g: np.ones((2, 3)),
    "a number": lambda g: 1.0,
    "integers": lambda g: np.ones(3, int),
    "booleans": lambda g: np.ones(3, bool),
    "objects": lambda g: np.array([1.0, 2.0, None]),
    "a tuple": lambda g: (g,),
}


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("wrong", WRONG_GRADIENTS)
def test_a_rule_that_returns_the_wrong_thing_is_named(wrong, record):
    """Op and operand, for any op."""
    rule = WRONG_GRADIENTS[wrong]

    def double_backward(g):
        return rule(g)

    op = unary(double_backward, elementwise=False)
    if wrong == "a tuple":  # one gradient in a tuple is the joint form: right
        return
    y = op(Value(np.ones(3)))
    with pytest.raises(RuleError, match=r"double.*'x'"):
        y.backward(np.ones(3), record=record)


@pytest.mark.parametrize("wrong", sorted(WRONG_GRADIENTS.keys() - {"a tuple"}))
def test_an_elementwise_rule_that_returns_the_wrong_thing_is_named(wrong):
    """Broadcasting is no excuse: the shape is that of the output or of the operand."""
    rule = WRONG_GRADIENTS[wrong]

    def double_backward(g):
        return rule(g)

    y = unary(double_backward)(Value(np.ones(3)))
    with pytest.raises(RuleError, match=r"double.*'x'"):
        y.backward(np.ones(3))


@pytest.mark.parametrize("data", [1.0, np.ones(()), np.ones(1), np.ones((1, 1))])
def test_a_shape_that_is_neither_operand_nor_output_is_not_summed_away(data):
    """A rule that returns five entries for one is wrong, not broadcast."""

    def double_backward(g):
        return g * np.ones((1, 5))

    y = unary(double_backward)(Value(data))
    with pytest.raises(RuleError, match="double"):
        y.backward()


def test_a_derivative_of_a_shape_of_its_own_is_refused():
    """It would broadcast against g, and be summed away."""

    def double_derivative(x):
        return np.ones((5, 3))

    y = unary(derivative=double_derivative)(Value(np.ones(3)))
    with pytest.raises(RuleError, match="double"):
        y.backward(np.ones(3))


def test_a_derivative_that_returns_none_is_named():
    """Before it is multiplied by g."""

    def double_derivative(x):
        return None

    y = unary(derivative=double_derivative)(Value(1.0))
    with pytest.raises(RuleError, match="double"):
        y.backward()


def test_a_number_is_enough_for_an_array_without_axes():
    """0-d arrays and numbers are one shape."""

    def double_backward(g):
        return 2.0

    x = Value(np.array(1.0))
    unary(double_backward)(x).backward()

    assert float(x.grad) == 2.0


@pytest.mark.parametrize("returned", [(1.0,), (1.0, 1.0, 1.0), 1.0, [1.0, 1.0], None], ids=repr)
def test_a_joint_rule_with_the_wrong_count_is_named(returned):
    """One gradient an operand, in a tuple."""

    @opgrad.op
    def pair(a, b):
        return a + b

    @pair.backward
    def pair_backward(g):
        return returned

    with pytest.raises(RuleError, match=r"pair.*2 operands"):
        pair(Value(1.0), Value(2.0)).backward()


def test_a_joint_rule_with_none_for_a_differentiable_operand_is_named():
    """None is for operands declared nondiff, and for constants it does not matter."""

    @opgrad.op
    def pair(a, b):
        return a + b

    @pair.backward
    def pair_backward(g):
        return g, None

    x = Value(1.0)
    pair(x, 2.0).backward()

    assert x.grad == 1.0
    with pytest.raises(RuleError, match=r"pair.*'b'.*None"):
        pair(1.0, Value(2.0)).backward()


def test_an_error_in_a_rule_says_which_op_it_was():
    """The rule's own exception, with a note."""

    def double_backward(g):
        raise ZeroDivisionError

    y = unary(double_backward)(Value(np.ones(3)))
    with pytest.raises(ZeroDivisionError) as caught:
        y.backward(np.ones(3))

    (text,) = caught.value.__notes__
    assert "backward of local.double" in text
    assert "float64 (3,)" in text


def test_a_traceback_shows_the_line_of_the_compiled_step():
    """Of the op it belongs to, whatever other ops of its name there are."""

    def double_backward(g, x):
        return g / (x - x)

    ops = [unary(rule) for rule in (lambda g: 2.0 * g, double_backward, lambda g: g + g)]
    for op in ops[::2]:
        op(Value(1.0)).backward()
    with pytest.raises(ZeroDivisionError) as caught:
        ops[1](Value(1.0)).backward()

    assert "d = rule0(g, (o0._data if type(o0) is Value else o0))" in "".join(
        traceback.format_exception(caught.value)
    )


def test_a_failed_sweep_leaves_leaves_and_recording_as_they_were():
    """An error is no half step."""

    def double_backward(g):
        raise ZeroDivisionError

    x = Value(1.0)
    x.grad = 4.0
    y = unary(double_backward)(x) + x
    with pytest.raises(ZeroDivisionError):
        y.backward()

    assert (x.grad, records()) == (4.0, True)


def test_integer_results_carry_no_gradient():
    """A gradient is never rounded to the dtype of an integer result."""

    def whole(xp, x):
        return xp.astype(xp.floor(x), np.int64)

    def whole_derivative(x):
        return 1.5

    x = Value(np.array([1.2, 2.7]))
    y = (unary(derivative=whole_derivative, forward=whole)(x) * 0.5).sum()
    if not y.requires_grad:
        return
    with pytest.raises((RuleError, NotDifferentiableError), match=r"whole|int"):
        y.backward()


def test_a_forward_that_returns_a_value_is_refused():
    """It closed over one: the gradient of w would be lost, so the op is named."""
    w = Value(2.0)

    def closes_over_w(x):
        return x * w

    op = unary(lambda g: g, forward=closes_over_w)
    for x in (3.0, Value(3.0)):
        with pytest.raises(opgrad.errors.OpgradError, match="closes_over_w"):
            op(x)


# -- kinds of ops ---------------------------------------------------------------------------------


def saving_square():
    """x² whose rule reads what the forward saved."""

    @opgrad.elementwise(saves=True)
    def saved_square(x):
        return x * x, 2.0 * x

    @saved_square.derivative
    def saved_square_derivative(saved):
        return saved

    return saved_square


@pytest.mark.parametrize("data", [3.0, np.array([3.0, -1.0])])
def test_an_op_that_saves_differentiates_once(data):
    """On numbers and arrays, also in a sweep that is recorded."""
    op = saving_square()
    plain, recorded = Value(data), Value(data)

    op(plain).sum().backward()
    op(recorded).sum().backward(record=True)

    np.testing.assert_array_equal(plain.grad, 2.0 * data)
    np.testing.assert_array_equal(recorded.grad.data, 2.0 * data)


def test_an_op_that_saves_refuses_a_second_derivative_and_is_named():
    """Reverse over reverse, directly and through other ops."""
    op = saving_square()
    f = opgrad.grad(lambda x: op(x) * 2.0)
    with pytest.raises(NotDifferentiableError, match=r"saved_square.*once"):
        opgrad.grad(lambda x: f(x) + 1.0)(3.0)


def test_a_joint_rule_that_uses_saved_data_differentiates_once():
    """One tuple of gradients, each of them tied to what it was made of."""

    @opgrad.op(saves=True)
    def saved_product(a, b):
        return a * b, (a, b)

    @saved_product.backward
    def saved_product_backward(g, saved):
        a, b = saved
        return g * b, g * a

    first = opgrad.grad(saved_product, (0, 1))

    assert first(3.0, 5.0) == (5.0, 3.0)
    for argnum in (0, 1):
        with pytest.raises(NotDifferentiableError, match=r"saved_product.*once"):
            opgrad.grad(lambda a, b: first(a, b)[0] * 2.0, argnum)(3.0, 5.0)


def test_the_others_of_an_op_that_saves_still_have_second_derivatives():
    """d/dx of x² + x³ twice fails only for the first."""
    op = saving_square()

    assert opgrad.grad(opgrad.grad(lambda x: op(2.0) * x * x))(3.0) == 8.0


def two_outputs():
    """Sum and product: two outputs of two operands."""

    @opgrad.op(outputs=2)
    def sum_and_product(a, b):
        return a + b, a * b

    @sum_and_product.backward
    def sum_and_product_backward(g, a, b):
        return g[0] + g[1] * b, g[0] + g[1] * a

    return sum_and_product


@pytest.mark.parametrize(
    ("weights", "expected"),
    [((1.0, 1.0), (4.0, 3.0)), ((1.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (3.0, 2.0))],
)
def test_several_outputs_flow_together(weights, expected):
    """Both are used, or one alone: the other's gradient is zeros."""
    a, b = Value(2.0), Value(3.0)
    outputs = two_outputs()(a, b)

    used = [o * w for o, w in zip(outputs, weights, strict=True) if w]
    sum(used[1:], used[0]).backward()

    assert (a.grad, b.grad) == expected


def test_an_output_used_twice_and_an_output_alone():
    """The two gradients of one output add up."""
    a, b = Value(2.0), Value(3.0)
    _, product = two_outputs()(a, b)

    (product * product).backward()

    assert (a.grad, b.grad) == (36.0, 24.0)


def test_several_outputs_have_second_derivatives():
    """∂²/∂a∂b (a + b + (a b)²) = 4 a b."""
    op = two_outputs()

    def f(a, b):
        total, product = op(a, b)
        return total + product * product

    assert opgrad.grad(lambda a: opgrad.grad(f, 1)(a, 3.0))(2.0) == 24.0


def test_an_op_with_several_outputs_takes_a_rule_an_operand_or_says_no():
    """Either the rules work, or the definition is refused: never `there is no such rule`."""

    @opgrad.op(outputs=2)
    def both(a, b):
        return a + b, a * b

    try:

        @both.backward("a")
        def both_backward_a(g, b):
            return g[0] + g[1] * b
    except opgrad.errors.OpDefinitionError:
        return
    a = Value(2.0)
    first, second = both(a, 3.0)
    (first + second).backward()

    assert a.grad == 4.0


def test_many_operands_share_one_rule():
    """A variadic op; constants among them are passed by."""

    @opgrad.op
    def total(*xs):
        return sum(xs)

    @total.backward
    def total_backward(g, xs):
        return tuple(g * (i + 1) for i in range(len(xs)))

    a, b = Value(1.0), Value(2.0)
    total(a, 5.0, b, a).backward()

    assert (a.grad, b.grad) == (5.0, 3.0)


def test_a_composite_needs_no_rule():
    """On numbers and arrays, twice used, with a constant, and with a broadcast operand."""

    @opgrad.composite
    def poly(xp, x, w):
        return xp.square(x) * w + xp.exp(w)

    x, w = Value(np.array([1.0, 2.0])), Value(0.0)
    poly(x, w).sum().backward()

    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
    assert w.grad == 5.0 + 2.0
    y = Value(2.0)
    poly(y, y).backward()
    assert y.grad == pytest.approx(12.0 + math.exp(2.0), rel=1e-15)


def test_a_composite_within_a_composite():
    """Each is unrolled where the sweep meets it."""

    @opgrad.composite
    def inner(xp, x):
        return xp.sin(x) * x

    @opgrad.composite
    def outer(xp, a, b):
        return inner(a) * inner(b)

    x = Value(0.7)
    outer(x, x).backward()

    value, slope = math.sin(0.7) * 0.7, math.sin(0.7) + 0.7 * math.cos(0.7)
    assert x.grad == pytest.approx(2.0 * value * slope, rel=1e-15)


def test_a_composite_that_does_not_use_an_operand_gives_it_zeros():
    """Of its shape."""

    @opgrad.composite
    def first(xp, a, b):
        return xp.sum(a)

    y = Value(np.ones((2, 3)))
    first(Value(np.ones(2)), y).backward()

    assert (y.grad.shape, y.grad.any()) == ((2, 3), False)


def test_a_rule_of_an_elementwise_composite_broadcasts():
    """As every elementwise op: the engine sums out."""

    @opgrad.composite(elementwise=True)
    def scaled(x, by):
        return x * by

    @scaled.derivative("by")
    def scaled_derivative_by(x):
        return x

    by = Value(2.0)
    scaled(np.ones(3), by).sum().backward()

    assert by.grad == 3.0


def test_an_optional_operand_may_be_left_out():
    """None is no operand: its rule is not asked."""
    x = Value(np.array([-1.0, 0.5, 2.0]))

    ops.clip(x, None, 1.0).sum().backward()

    np.testing.assert_array_equal(x.grad, [1.0, 1.0, 0.0])


def test_a_nondiff_operand_stops_the_sweep():
    """Even where it was computed from a leaf by way of an op without rules."""
    x = Value(np.array([3.0, 1.0, 2.0]))
    mask = x > 1.5

    ops.where(mask, x * x, 0.0).sum().backward()

    np.testing.assert_array_equal(x.grad, [6.0, 0.0, 4.0])


def test_backward_rules_alone_serve_every_order():
    """No derivative, no jvp: second derivatives come from the rules run on Values."""
    product = product_with_backward_rules()

    third = opgrad.grad(opgrad.grad(opgrad.grad(lambda x: product(product(x, x), x))))

    assert third(5.0) == 6.0


# -- the branch not taken -------------------------------------------------------------------------


@opgrad.composite
def composite_sqrt(xp, x):
    """The square root, found by its forward."""
    return xp.sqrt(x)


@opgrad.elementwise(outputs=2)
def sqrt_and_log(xp, x):
    """Two outputs that are both trouble at 0."""
    return xp.sqrt(x), xp.log(x)


@sqrt_and_log.backward
def sqrt_and_log_backward(xp, g, x, y):
    """Infinite at 0."""
    return xp.divide(0.5 * g[0], y[0]) + xp.divide(g[1], x)


TRAPS = {
    "sqrt": (lambda x: ops.where(x > 0.0, ops.sqrt(x), 0.0), 0.0, 0.0),
    "sqrt of a negative": (lambda x: ops.where(x > 0.0, ops.sqrt(x), x), -1.0, 1.0),
    "log": (lambda x: ops.where(x > 0.0, x * ops.log(x), 3.0 * x), 0.0, 3.0),
    "division": (lambda x: ops.where(x == 0.0, 1.0, ops.sin(x) / x), 0.0, 0.0),
    "power": (lambda x: ops.where(x > 0.0, x**-0.5, x * x), 0.0, 0.0),
    "overflow": (lambda x: ops.where(x < 100.0, ops.exp(x), x), 1000.0, 1.0),
    "nan made on the way": (lambda x: ops.where(x > 0.0, ops.log(x) - ops.log(x), x), 0.0, 1.0),
    "within a within": (
        lambda x: ops.where(x > 0.0, ops.where(x > 1.0, ops.sqrt(x - 1.0), ops.log(x)), 2.0 * x),
        0.0,
        2.0,
    ),
    "maximum": (lambda x: ops.maximum(ops.sqrt(x), x + 1.0), 0.0, 1.0),
    "composite": (lambda x: ops.where(x > 0.0, composite_sqrt(x), x), 0.0, 1.0),
    "several outputs": (lambda x: ops.where(x > 0.0, sqrt_and_log(x)[0], x), 0.0, 1.0),
    "relu": (lambda x: ops.relu(ops.sqrt(x) - 1.0) + x, 0.0, 1.0),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_branch_not_taken_contributes_exactly_zero(trap):
    """On numbers and arrays, where the other entries are ordinary."""
    f, at, expected = TRAPS[trap]
    with np.errstate(all="ignore"):
        number = opgrad.grad(f)(at)
        array = opgrad.grad(lambda x: f(x).sum())(np.array([at, 4.0]))
        ordinary = opgrad.grad(f)(4.0)

    assert number == expected
    np.testing.assert_allclose(array, [expected, ordinary], rtol=1e-14)


@pytest.mark.parametrize("trap", TRAPS)
def test_a_branch_not_taken_contributes_exactly_zero_to_second_derivatives(trap):
    """Reverse over reverse: the recorded sweep is masked too."""
    f, at, _ = TRAPS[trap]
    second = opgrad.grad(opgrad.grad(f))
    smooth = {"power": 2.0}  # x² is taken at 0
    with np.errstate(all="ignore"):
        number = second(at)
        array = opgrad.grad(lambda x: opgrad.grad(lambda z: f(z).sum())(x).sum())(
            np.array([at, 4.0])
        )
        ordinary = second(4.0)

    assert number == smooth.get(trap, 0.0)
    np.testing.assert_allclose(array, [number, ordinary], rtol=1e-13)


WHOLE = {
    "matmul": lambda x: ops.sum(x @ np.array([[np.inf], [1.0], [2.0]])),
    "logsumexp": lambda x: ops.logsumexp(ops.log(x)) * ops.sum(x),
    "prod": lambda x: ops.prod(x / 0.0),
    "var": lambda x: ops.var(x / 0.0),
    "std": lambda x: ops.std(ops.log(x)),
    "max": lambda x: ops.max(ops.log(x - 5.0)),
}


@pytest.mark.parametrize("branch", WHOLE)
def test_a_branch_not_taken_contributes_exactly_zero_through_any_op(branch):
    """Also through those that are not elementwise, whatever they gave."""
    x = np.array([[0.0, 1.0, -2.0]])
    with np.errstate(all="ignore"):
        gradient = opgrad.grad(lambda x: ops.where(False, WHOLE[branch](x), ops.sum(2.0 * x)))(x)  # noqa: FBT003 -- an operand

    np.testing.assert_array_equal(gradient, np.full((1, 3), 2.0))


UNDEFINED_PRODUCTS = {  # f, and its derivative at 0; the chain rule gives 0·inf there
    "square of sqrt": (lambda x: ops.square(ops.sqrt(x)), 1.0),
    "sqrt times sqrt": (lambda x: ops.sqrt(x) * ops.sqrt(x), 1.0),
    "exp of log": (lambda x: ops.exp(ops.log(x)), 1.0),
    "cube of cbrt": (lambda x: ops.cbrt(x) ** 3, 1.0),
    "sqrt of square": (lambda x: ops.sqrt(x * x), 0.0),
    "square of composite": (lambda x: ops.square(composite_sqrt(x)), 1.0),
    "square of checkpoint": (lambda x: ops.square(opgrad.checkpoint(ops.sqrt)(x)), 1.0),
}


@pytest.mark.parametrize("case", UNDEFINED_PRODUCTS)
def test_a_cotangent_that_is_zero_by_chance_is_no_branch_not_taken(case):
    """0·inf on the path that was taken is the answer or nan, never a wrong number."""
    f, truth = UNDEFINED_PRODUCTS[case]
    with np.errstate(all="ignore"):
        number = opgrad.grad(f)(0.0)
        array = opgrad.grad(lambda x: f(x).sum())(np.array([0.0, 1.0]))

    assert number == truth or math.isnan(number)
    assert array[0] == truth or math.isnan(array[0])
    assert array[1] == pytest.approx(1.0)


def test_a_cotangent_of_zero_asks_for_nothing():
    """A row of a Jacobian: the entry weighed by 0 does not spoil the others."""
    x = Value(np.array([0.0, 4.0]))
    with np.errstate(all="ignore"):
        ops.sqrt(x).backward(np.array([0.0, 1.0]))

    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


def test_a_gradient_that_is_nan_is_not_hidden():
    """The path that was taken: sqrt(-1), inf - inf, 0/0."""
    with np.errstate(all="ignore"):
        gradients = [
            opgrad.grad(ops.sqrt)(-1.0),
            opgrad.grad(lambda x: x * ops.log(x - 2.0))(1.0),
            opgrad.grad(lambda x: x / (x - x))(0.0),
        ]

    assert all(math.isnan(g) for g in gradients)


def test_an_infinite_derivative_is_infinite():
    """sqrt and x ** 0.5 at 0, log at 0: as IEEE says."""
    with np.errstate(all="ignore"):
        gradients = [opgrad.grad(f)(0.0) for f in (ops.sqrt, lambda x: x**0.5, ops.log)]

    assert gradients == [math.inf] * 3
