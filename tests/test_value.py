"""Values: what they hold, how Python sees them, and what they refuse to lose a gradient to."""

import copy
import gc
import math
import pickle
import weakref

import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.errors import (
    CallError,
    ConversionError,
    InPlaceError,
    NotDifferentiableError,
    OpgradError,
    RuleError,
)
from opgrad.value import Value


def constant(data):
    """A Value that wants no gradient."""
    return Value(data, requires_grad=False)


# -- what a Value holds ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [2.0, 3, 1.0 + 2.0j, np.float32(2.0), np.array(2.0), np.array([1.0, 2.0]), np.zeros((0, 3))],
    ids=repr,
)
def test_numbers_and_arrays_of_numbers_want_a_gradient(data):
    """Python's whole numbers count as real."""
    assert Value(data).requires_grad


@pytest.mark.parametrize("data", [True, np.arange(3), np.array([True]), np.uint8(3)], ids=repr)
def test_truths_and_integer_arrays_are_constants(data):
    """They can be held, and carry no gradient."""
    assert not Value(data).requires_grad


@pytest.mark.parametrize("data", [True, np.arange(3), np.array([True, False])], ids=repr)
def test_a_gradient_asked_of_integers_is_refused(data):
    """Saying what to write instead."""
    with pytest.raises(NotDifferentiableError, match=r"has no gradient: convert to floats first"):
        Value(data, requires_grad=True)


@pytest.mark.parametrize("data", [True, np.arange(3)], ids=repr)
def test_reading_the_gradient_of_integers_is_refused(data):
    """Zeros would look like an answer."""
    with pytest.raises(NotDifferentiableError, match="has no gradient"):
        _ = Value(data).grad


def test_the_gradient_with_respect_to_an_integer_array_is_refused():
    """`grad` as `Value`."""
    with pytest.raises(NotDifferentiableError, match=r"ndarray int64 \(3,\) has no gradient"):
        opgrad.grad(ops.sum)(np.arange(3))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (Value(1.0), "not another Value"),
        ([1.0, 2.0], "write numpy.asarray"),
        ((1.0, 2.0), "write numpy.asarray"),
        ("text", "str 'text' is not data"),
        (None, "NoneType None is not data"),
        (object, "is not data"),
        (np.array([None, 1.0]), r"ndarray object \(2,\) is not data"),
        (np.array(["a"]), "is not data"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "is not data"),
        (np.zeros(2, dtype=[("a", "f8")]), "is not data"),
    ],
    ids=["Value", "list", "tuple", "text", "None", "class", "objects", "texts", "dates", "records"],
)
def test_what_is_neither_number_nor_array_of_numbers_is_refused(data, said):
    """When the Value is made, with what was found."""
    with pytest.raises(NotDifferentiableError, match=said):
        Value(data)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    "make",
    [lambda: np.ma.array([1.0, 2.0], mask=[0, 1]), lambda: np.matrix([[1.0, 2.0], [3.0, 4.0]])],
    ids=["masked", "matrix"],
)  # fmt: skip
def test_arrays_that_give_operators_another_meaning_are_refused(make):
    """`*` of matrices is no product of entries, and a mask would be lost: wrong gradients."""
    with pytest.raises(OpgradError):
        Value(make()) * Value(make())


def test_shape_dtype_ndim_and_size_are_those_of_the_data():
    """A number has shape (), and its Python type for dtype."""
    v, s = Value(np.zeros((2, 3), dtype=np.float32)), Value(2.0)

    assert (v.shape, v.ndim, v.size, v.dtype) == ((2, 3), 2, 6, np.float32)
    assert (s.shape, s.ndim, s.size, s.dtype) == ((), 0, 1, float)


def test_a_value_knows_what_made_it():
    """Op, operands and attributes; a leaf has none."""
    x = Value(np.ones((2, 2)))
    y = x.sum(axis=1)

    assert (y.op, y.operands, y.attributes["axis"]) == (ops.sum, (x,), 1)
    assert (x.op, x.operands, dict(x.attributes)) == (None, (), {})


def test_what_a_value_knows_of_its_making_cannot_be_changed():
    """The attributes are a view that refuses assignment."""
    y = Value(np.ones(2)).sum(axis=0)

    with pytest.raises(TypeError):
        y.attributes["axis"] = 1


def test_value_cannot_be_subclassed():
    """Ops tell Values by their exact type; the error says what to do."""
    with pytest.raises(TypeError, match=r"Value is final.*hold a Value instead"):
        type("Mine", (Value,), {})


def test_a_misspelled_attribute_is_an_error():
    """Slots: `v.gard = 0` does not pass silently."""
    with pytest.raises(AttributeError, match="gard"):
        Value(1.0).gard = 0.0


# -- data and grad --------------------------------------------------------------------------------


def test_the_gradient_is_zeros_before_the_first_sweep():
    """Of the shape and dtype of the data, so that `p.data -= lr * p.grad` always works."""
    grad = Value(np.ones((2, 3), dtype=np.float32)).grad

    assert (grad.shape, grad.dtype, grad.any(), Value(2.0).grad) == ((2, 3), np.float32, False, 0.0)


def test_leaves_add_up_over_sweeps_and_results_do_not():
    """A result holds the gradient of the last call."""
    x = Value(3.0)
    y = x * x
    z = y * 2.0
    z.backward()
    z.backward()

    assert (x.grad, y.grad, z.grad) == (24.0, 2.0, 1.0)


@pytest.mark.parametrize("nothing", [0, 0.0, None])
def test_assigning_zero_or_none_to_grad_starts_afresh(nothing):
    """As the tutorials do between steps."""
    x = Value(3.0)
    (x * x).backward()
    x.grad = nothing
    (x * x).backward()

    assert x.grad == 6.0


def test_a_step_of_gradient_descent_by_assignment():
    """`p.data -= lr * p.grad`, as everyone writes it."""
    p = Value(np.array([1.0, 2.0]))
    (p * p).sum().backward()

    p.data -= 0.25 * p.grad

    assert p.data.tolist() == [0.5, 1.0]


def test_a_gradient_of_another_shape_is_refused():
    """When it is assigned: later it would meet a gradient of the right shape."""
    p = Value(np.ones(2))

    with pytest.raises(OpgradError, match=r"\(3,\)"):
        p.grad = np.ones(3)


@pytest.mark.parametrize("data", ["text", None, [1.0], Value(1.0), np.array([None])], ids=repr)
def test_assigning_what_is_no_data_is_refused(data):
    """As at the making of a Value."""
    with pytest.raises(NotDifferentiableError):
        Value(1.0).data = data


def test_assigning_integers_to_a_value_that_wants_a_gradient_is_refused():
    """It would have none from then on."""
    with pytest.raises(NotDifferentiableError, match="convert to floats first"):
        Value(np.ones(3)).data = np.arange(3)


def test_data_assigned_between_forward_and_backward_is_noticed():
    """The rules would see other data than the forward saw; the error names the op that used it."""
    p = Value(3.0)
    y = p * p
    p.data = 4.0

    with pytest.raises(InPlaceError, match=r"assigned after core\.multiply .* had used it"):
        y.backward()


def test_data_changed_in_place_through_an_assignment_is_noticed():
    """`p.data -= ...` assigns, whatever NumPy does below."""
    p = Value(np.ones(2))
    loss = (p * p).sum()
    p.data -= 0.5

    with pytest.raises(InPlaceError):
        loss.backward()


def test_assigning_the_data_of_a_result_breaks_with_its_history():
    """How it was made is no longer how it came about."""
    y = Value(3.0) * 2.0
    y.data = 7.0

    with pytest.raises(InPlaceError, match="its history no longer tells how it was made"):
        (y * 1.0).backward()


def test_data_assigned_after_the_sweep_is_nobodys_trouble():
    """The next forward uses it."""
    p = Value(3.0)
    (p * p).backward()
    p.data = 4.0
    p.grad = 0.0
    (p * p).backward()

    assert p.grad == 8.0


# -- backward -------------------------------------------------------------------------------------


def test_backward_from_a_vector_needs_a_cotangent():
    """The error has the shape and both ways out."""
    with pytest.raises(NotDifferentiableError, match=r"shape \(2,\); reduce it first .*cotangent"):
        Value(np.ones(2)).tanh().backward()


def test_backward_with_a_cotangent_is_the_product_with_the_jacobian():
    """Each entry counts as the cotangent says."""
    x = Value(np.array([1.0, 2.0]))
    (x * x).backward(np.array([1.0, 10.0]))

    assert x.grad.tolist() == [2.0, 40.0]


@pytest.mark.parametrize(
    "cotangent", [np.ones(3), 1.0, "text", [1.0, 1.0], np.ones(2, dtype=int)], ids=repr
)
def test_a_cotangent_that_does_not_fit_is_refused(cotangent):
    """It has the shape of the output, in floats."""
    with pytest.raises(RuleError, match=r"it needs the shape of the output, \(2,\)"):
        Value(np.ones(2)).tanh().backward(cotangent)


@pytest.mark.parametrize(
    "y",
    [constant(2.0), constant(2.0) * 3.0, Value(2.0) > 1.0, Value(np.arange(3)).sum()],
    ids=["leaf", "of constants", "comparison", "of integers"],
)
def test_backward_from_a_constant_is_refused(y):
    """There is nothing to differentiate; the error lists what makes constants."""
    with pytest.raises(NotDifferentiableError, match=r"is a constant.*nothing to differentiate"):
        y.backward()


def test_backward_from_a_leaf_gives_it_the_cotangent():
    """dx/dx = 1."""
    x = Value(2.0)
    x.backward()

    assert x.grad == 1.0


def test_one_entry_counts_as_a_scalar():
    """Of shape (1, 1) too: losses are often that."""
    x = Value(np.full((1, 1), 3.0))
    (x * x).backward()

    assert x.grad.tolist() == [[6.0]]


# -- the tutorials --------------------------------------------------------------------------------


def trace(root):
    """Nodes and edges of a graph, as the from-scratch tutorials collect them."""
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)

    return nodes, edges


def test_the_tutorials_trace_finds_every_node_and_edge():
    """It uses `_prev` and sets of Values."""
    a, b, c = Value(2.0), Value(-3.0), Value(10.0)
    product = a * b
    total = product + c

    nodes, edges = trace(total)

    assert (nodes, edges) == (
        {a, b, c, product, total},
        {(a, product), (b, product), (product, total), (c, total)},
    )


def test_the_tutorials_drawing_finds_data_grad_and_symbol():
    """Formatted with `%.4f`, keyed by `id`, with a box for each operation."""
    a, b = Value(2.0), Value(-3.0)
    y = (a * b).tanh()
    y.backward()

    boxes = {
        str(id(n)): (n._op, "{ data %.4f | grad %.4f }" % (n.data, n.grad))  # noqa: UP031 -- the tutorials' way
        for n in trace(y)[0]
    }

    assert boxes[str(id(y))] == ("tanh", "{ data -1.0000 | grad 1.0000 }")
    assert boxes[str(id(a))][0] == ""


def test_the_symbols_are_those_people_know():
    """`+`, `*`, `**`, `ReLU`, `tanh`; of a leaf none."""
    x = Value(2.0)
    found = [v._op for v in (x, x + 1.0, x * x, x**2, x / x, x - x, x.relu(), x.tanh(), x.exp())]

    assert found == ["", "+", "*", "**", "/", "-", "ReLU", "tanh", "exp"]


def test_the_expression_of_the_tutorials_has_its_gradients():
    """A neuron with two inputs, to the published digits."""
    x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.backward()

    assert [round(v.grad, 4) for v in (x1, w1, x2, w2)] == [-1.5, 1.0, 0.5, 0.0]


def test_a_value_used_twice_gets_both_gradients():
    """The bug that the tutorials find on the way."""
    a = Value(3.0)
    (a + a).backward()

    assert a.grad == 2.0


# -- identity, text, order ------------------------------------------------------------------------


def test_values_are_hashed_by_identity():
    """Two of equal data are two keys."""
    a, b = Value(2.0), Value(2.0)

    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[a] == "a"


def test_comparisons_work_in_if():
    """They give constants, whatever they compare."""
    x = Value(2.0)
    found = [bool(c) for c in (x > 1.0, x < 1.0, x >= 2.0, x <= 2.0, x == 2.0, x != 2.0)]

    assert found == [True, False, True, True, True, False]


def test_chained_comparisons_builtin_max_and_sorting_work():
    """Python asks the same questions there."""
    x, y = Value(2.0), Value(3.0)

    assert 0 < x < 5
    assert max(x, y) is y
    assert sorted([y, x]) == [x, y]


def test_a_comparison_wants_no_gradient():
    """It is flat."""
    assert not (Value(2.0) > Value(1.0)).requires_grad


def test_a_comparison_of_arrays_compares_entries():
    """And is as ambiguous in `if` as NumPy's own."""
    v = Value(np.array([1.0, 2.0]))

    assert (v > 1.5).data.tolist() == [False, True]
    with pytest.raises(ValueError, match="ambiguous"):
        bool(v > 1.5)


def test_nothing_equals_none():
    """`v == None` does not raise."""
    assert (Value(2.0) == None) is False  # noqa: E711 -- what is tested


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (-8.0, "Value(data=-8.0)"),
        (3, "Value(data=3)"),
        (np.array([1.0, 2.0]), "Value(data=array([1., 2.]))"),
    ],
    ids=["float", "int", "array"],
)
def test_repr_is_the_tutorials(data, text):
    """`Value(data=-8.0)`."""
    assert (repr(Value(data)), str(Value(data)), f"{Value(data)}") == (text, text, text)


def test_a_format_specification_goes_to_the_data():
    """`f"{loss:.4f}"` in every training loop."""
    assert (f"{Value(2.0):.3f}", f"{Value(np.float64(2.0)):8.2e}") == ("2.000", "2.00e+00")


def test_a_wrong_format_specification_is_the_error_of_the_data():
    """As for the number itself."""
    with pytest.raises(ValueError, match="Unknown format code 'x'"):
        format(Value(2.0), "x")


# -- containers -----------------------------------------------------------------------------------


def test_a_value_iterates_over_its_first_axis():
    """Each item is a Value whose gradient flows back."""
    v = Value(np.array([1.0, 2.0, 3.0]))
    first, _, last = v
    (first * last).backward()

    assert v.grad.tolist() == [3.0, 0.0, 1.0]


def test_len_is_that_of_the_first_axis():
    """As of an array."""
    assert len(Value(np.zeros((4, 2)))) == 4


@pytest.mark.parametrize("use", [len, list, lambda v: v[0]], ids=["len", "list", "index"])
def test_a_number_has_neither_length_nor_items(use):
    """As in Python, a TypeError."""
    with pytest.raises(TypeError):
        use(Value(2.0))


def test_iterating_over_a_number_says_so():
    """Not that it has no length: nobody asked for one."""
    with pytest.raises(TypeError, match="iterat"):
        list(Value(2.0))


def test_entries_cannot_be_assigned():
    """The history would be wrong; the error says how to build the array instead."""
    v = Value(np.ones(2))

    with pytest.raises(ConversionError, match=r"opgrad\.ops\.where or opgrad\.ops\.concat"):
        v[0] = 5.0


def test_membership_is_refused():
    """By entry or by row: nobody can know."""
    with pytest.raises(TypeError, match="`in` on a Value is ambiguous"):
        _ = 1.0 in Value(np.ones(2))


def test_sum_of_the_builtins_adds_values():
    """It starts from 0, a constant."""
    xs = [Value(1.0), Value(2.0)]
    sum(xs).backward()

    assert [x.grad for x in xs] == [1.0, 1.0]


# -- conversions ----------------------------------------------------------------------------------

CONVERSIONS = {
    "float": float,
    "int": int,
    "bool": bool,
    "complex": complex,
    "index": lambda v: [10, 20, 30][v],
    "range": range,
    "math": math.sin,
    "floor": math.floor,
    "not": lambda v: not v,
    "percent": lambda v: "%f" % v,  # noqa: UP031 -- what is tested
    "asarray": np.asarray,
    "array of values": lambda v: np.array([v, v]),
    "float64": np.float64,
    "list to array": lambda v: np.asarray([[v], [v]]),
    "vectorize": np.vectorize(lambda x: x),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_conversion_that_would_lose_the_gradient_is_refused(name):
    """The error says what to write: the plain data, or a constant."""
    with pytest.raises(
        ConversionError, match=r"would lose the gradient of .*v\.data .* opgrad\.stop_gradient\(v\)"
    ):
        CONVERSIONS[name](Value(2.0))


def test_a_result_is_refused_as_a_leaf_is():
    """Everything that is being differentiated."""
    with pytest.raises(ConversionError):
        float(Value(2.0) * 3.0)


@pytest.mark.parametrize("name", ["float", "int", "bool", "complex", "math", "floor", "percent"])
def test_a_constant_converts(name):
    """It has no gradient to lose."""
    assert CONVERSIONS[name](constant(2.0)) == CONVERSIONS[name](2.0)


def test_a_constant_converts_to_an_array():
    """With the dtype asked for."""
    v = constant(np.array([1.0, 2.0]))

    assert np.asarray(v, dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(v, [1.0, 2.0])


def test_a_constant_whole_number_is_an_index():
    """`argmax` gives one."""
    assert [10, 20, 30][ops.argmax(Value(np.array([1.0, 3.0, 2.0])))] == 20


@pytest.mark.parametrize("function", [round, math.trunc], ids=["round", "trunc"])
def test_rounding_to_a_python_number_is_refused_as_other_conversions_are(function):
    """Not with a message about a missing method."""
    with pytest.raises(ConversionError):
        function(Value(2.5))


def test_writing_a_value_into_an_array_is_refused():
    """`array[0] = v` converts; NumPy puts its own error on top of ours."""
    with pytest.raises((ConversionError, ValueError)) as caught:
        np.zeros(2)[0] = Value(2.0)
    errors = [caught.value, caught.value.__cause__]

    assert any(isinstance(error, ConversionError) for error in errors)


def test_an_object_array_is_never_made():
    """Not from a list of Values, not from an array of them."""
    for make in (np.array, np.asarray, np.atleast_1d, np.sum):
        with pytest.raises(OpgradError):
            make([Value(1.0), Value(np.ones(1))])


# -- copies and memory ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))],  # noqa: S301 -- our own bytes
    ids=["copy", "deepcopy", "pickle"],
)  # fmt: skip
def test_a_leaf_is_copied_as_a_leaf(copied):
    """Parameters are saved and cloned."""
    v = Value(np.array([1.0, 2.0]))
    again = copied(v)

    assert (again is v, again.data.tolist(), again.requires_grad) == (False, [1.0, 2.0], True)


def test_a_copy_is_another_variable():
    """Its gradient is its own."""
    v = Value(2.0)
    again = copy.deepcopy(v)
    (v * 3.0 + again * 5.0).backward()

    assert (v.grad, again.grad) == (3.0, 5.0)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickle.dumps], ids=["deepcopy", "pickle"])
def test_a_result_is_not_copied(copied):
    """Its history cannot come along; the error says what to take."""
    with pytest.raises(ConversionError, match=r"take v\.data"):
        copied(Value(2.0) * 3.0)


def test_a_graph_is_freed_without_the_collector():
    """No reference cycles: `del` is enough."""
    gc.disable()
    try:
        x = Value(2.0)
        y = (x * 3.0).tanh()
        y.backward()
        middle = weakref.ref(y.operands[0])
        del y

        assert middle() is None
    finally:
        gc.enable()


# -- constants ------------------------------------------------------------------------------------


def test_no_grad_makes_constants_of_results():
    """Within it nothing is recorded; what was made before still counts after."""
    w = Value(2.0)
    with opgrad.no_grad():
        y = w * 3.0

    assert (y.requires_grad, y.op, (w * 3.0).requires_grad) == (False, None, True)


def test_no_grad_ends_with_its_block_whatever_happens_in_it():
    """An error within does not switch recording off for good."""
    with pytest.raises(ZeroDivisionError), opgrad.no_grad():
        _ = 1 / 0

    assert (Value(2.0) * 3.0).requires_grad


def test_a_constant_among_operands_gets_no_gradient():
    """And no work is done for it."""
    c, x = constant(3.0), Value(2.0)
    (c * x).backward()

    assert (x.grad, c.grad) == (3.0, 0.0)


def test_an_error_names_a_value_without_printing_its_data():
    """A million numbers would bury the message."""
    with pytest.raises(ConversionError) as caught:
        np.asarray(Value(np.zeros(1_000_000)))

    assert len(str(caught.value)) < 300


def test_an_operand_that_is_no_data_is_refused_from_either_side():
    """No operator returns NotImplemented, so Python cannot say something vague."""
    for call in (lambda v: v + "a", lambda v: "a" * v, lambda v: v @ [1.0]):
        with pytest.raises(CallError, match="got an operand it does not know"):
            call(Value(2.0))
