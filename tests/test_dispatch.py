"""Op calls: plain in, plain out; Values in, Values out; every wrong call refused by name."""

import decimal
import fractions
import math
import re
import subprocess
import sys

import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.errors import CallError, ConversionError, OpgradError, UnknownOpError
from opgrad.value import Value


@opgrad.elementwise
def scaled(x, *, beta=1.0):
    """An op with an attribute."""
    return beta * x


def notes(error):
    """What was added to an error on its way."""
    return "\n".join(getattr(error, "__notes__", ()))


# -- plain in, plain out --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: ops.add(1.0, 2.0), float),
        (lambda: ops.add(1, 2), int),
        (lambda: ops.multiply(2.0, 1j), complex),
        (lambda: ops.tanh(1), float),
        (lambda: ops.relu(-2.0), float),
        (lambda: ops.add(np.float64(1.0), 2.0), np.float64),
        (lambda: ops.tanh(np.float32(1.0)), np.float32),
        (lambda: ops.add(np.ones(2), 2.0), np.ndarray),
        (lambda: ops.greater(2.0, 1.0), bool),
    ],
    ids=["floats", "ints", "complex", "int", "relu", "float64", "float32", "array", "truth"],
)
def test_plain_data_give_plain_data(call, kind):
    """Of the type that the arithmetic itself would give; nothing is recorded."""
    assert type(call()) is kind


@pytest.mark.parametrize(
    "operands",
    [
        (Value(2.0), 3.0),
        (2.0, Value(3.0)),
        (Value(2.0), Value(3.0)),
        (Value(2.0), np.ones(2)),
        (np.ones(2), Value(2.0)),
        (Value(2.0, requires_grad=False), 3.0),
    ],
    ids=["left", "right", "both", "beside an array", "after an array", "constant"],
)
def test_a_value_among_the_operands_gives_a_value(operands):
    """Wherever it stands, and a constant too."""
    assert type(ops.multiply(*operands)) is Value


def test_what_is_made_of_constants_is_a_constant():
    """No node, no history."""
    y = ops.multiply(Value(2.0, requires_grad=False), 3.0)

    assert (y.requires_grad, y.op, y.operands) == (False, None, ())


def test_an_op_need_not_be_registered_to_be_called():
    """It is the function it is."""

    @opgrad.elementwise
    def double(x):
        return 2.0 * x

    assert (double(3.0), double(Value(3.0)).data) == (6.0, 6.0)


def test_an_op_called_by_name_as_operator_and_as_method_is_one():
    """Three spellings, one node."""
    x = Value(2.0)

    assert [v.op for v in (ops.add(x, 1.0), x + 1.0, 1.0 + x)] == [ops.add] * 3
    assert [v.op for v in (ops.tanh(x), x.tanh(), np.tanh(x))] == [ops.tanh] * 3


def test_every_operator_works_from_either_side():
    """With numbers and Values, as Python does it."""
    x = Value(3.0)
    found = [
        x + 2, 2 + x, x - 2, 2 - x, x * 2, 2 * x, x / 2, 2 / x, x // 2, 7 // x, x % 2, 7 % x,
        x**2, 2**x, -x, +x, abs(-x),
    ]  # fmt: skip

    assert [v.data for v in found] == [
        5, 5, 1, -1, 6, 6, 1.5, 2 / 3, 1, 2, 1, 1, 9, 8, -3, 3, 3,
    ]  # fmt: skip


# -- mixed types ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 2.0, True])
def test_python_numbers_do_not_promote_an_array(number):
    """They are weak: float32 stays float32."""
    v = Value(np.ones(2, dtype=np.float32))

    assert ((v * number).dtype, (number + v).dtype) == (np.float32, np.float32)


def test_arrays_promote_each_other_as_in_numpy():
    """And each gradient has the dtype of its own operand."""
    a, b = Value(np.ones(2, dtype=np.float32)), Value(np.ones(2))
    (a * b).sum().backward()

    assert ((a * b).dtype, a.grad.dtype, b.grad.dtype) == (np.float64, np.float32, np.float64)


def test_an_integer_array_is_a_constant_beside_a_value():
    """It takes part, and gets no gradient."""
    counts, x = Value(np.array([1, 2, 3])), Value(2.0)
    (counts * x).sum().backward()

    assert (x.grad, counts.requires_grad) == (6.0, False)


def test_a_float_and_an_array_broadcast_and_the_float_gets_a_float():
    """The gradient has the shape of what it belongs to."""
    s = Value(2.0)
    (s * np.ones((3, 4))).sum().backward()

    assert (s.grad, type(s.grad)) == (12.0, float)


# -- operands that do not fit ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operand", "way_out"),
    [
        ("text", "operands are Python numbers, arrays and Values"),
        ([1.0, 2.0], "write numpy.asarray"),
        ((1.0, 2.0), "write numpy.asarray"),
        (decimal.Decimal(1), "convert it with float"),
        (fractions.Fraction(1, 2), "convert it with float"),
        (object(), "operands are Python numbers, arrays and Values"),
        ({"a": 1.0}, "operands are Python numbers, arrays and Values"),
    ],
    ids=["text", "list", "tuple", "Decimal", "Fraction", "object", "dict"],
)
@pytest.mark.parametrize("beside", [1.0, np.ones(2), Value(1.0)], ids=["float", "array", "Value"])
@pytest.mark.parametrize("swap", [False, True], ids=["right", "left"])
def test_an_operand_of_unknown_type_is_refused(operand, way_out, beside, swap):
    """Naming the op, what it got, and what to write, on every road and from both sides."""
    operands = (operand, beside) if swap else (beside, operand)

    with pytest.raises(CallError, match=r"core\.add .*got an operand it does not know") as caught:
        ops.add(*operands)

    assert way_out in str(caught.value)
    assert type(operand).__name__ in str(caught.value)


def test_a_single_operand_of_unknown_type_is_refused():
    """The road of one operand says the same."""
    with pytest.raises(CallError, match=r"core\.tanh .*got an operand it does not know, list"):
        ops.tanh([1.0])


@pytest.mark.parametrize(
    "call",
    [lambda: ops.add(1.0, None), lambda: ops.add(None, Value(1.0)), lambda: ops.tanh(None)],
    ids=["right", "left", "only"],
)
def test_none_for_an_operand_that_is_needed_is_refused(call):
    """What a function without `return` gives; only optional operands may be None."""
    with pytest.raises(CallError, match="None"):
        call()


def test_arrays_of_numbers_only():
    """Text and objects are no operands, also as arrays."""
    for array in (np.array(["a", "b"]), np.array([None, 1.0])):
        with pytest.raises(OpgradError, match=r"core\.multiply"):
            ops.multiply(Value(2.0), array)


def test_a_hidden_operand_of_another_library_is_refused():
    """A type that calls itself NumPy's and is none."""
    kind = type("tensor", (), {"__module__": "numpy.strange"})

    with pytest.raises(CallError, match="got an operand it does not know, tensor"):
        ops.add(kind(), 1.0)


# -- calls that do not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ops.add(1.0), "core.add .* takes 2 operand.* got 1: add(a, b)"),
        (ops.sin, "core.sin .* takes 1 operand.* got 0: sin(x)"),
        (lambda: ops.sin(1.0, 2.0), "core.sin .* got 2 arguments: sin(x)"),
        (lambda: ops.add(1.0, 2.0, 3.0), "core.add .* got 3 arguments: add(a, b)"),
        (lambda: scaled(1.0, 2.0, 3.0), "local.scaled .* got 3 arguments: scaled(x, *, beta=1.0)"),
        (lambda: Value(1.0).tanh(2.0), "core.tanh .* got 2 arguments: tanh(x)"),
    ],
    ids=["few", "none", "many", "too many", "attributes", "method"],
)
def test_a_wrong_number_of_arguments_is_refused(call, said):
    """With the call as it should be, never a TypeError about some inner function."""
    pattern = re.escape(said).replace(r"\ \.\*\ ", " .* ").replace(r"\.\*", ".*")

    with pytest.raises(CallError, match=pattern):
        call()


def test_an_unknown_keyword_is_refused_with_the_nearest():
    """And with the whole call."""
    with pytest.raises(CallError, match=r"core\.sum .*no attribute 'axes'; did you mean 'axis'\?"):
        ops.sum(np.ones(2), axes=0)


@pytest.mark.parametrize("operands", [(1.0,), (1.0, 2.0)], ids=["one", "two"])
def test_an_operand_given_twice_is_refused(operands):
    """By place and by name: as Python says it of functions."""
    with pytest.raises(CallError, match="'a' twice"):
        ops.add(*operands, a=3.0)


def test_an_attribute_given_twice_is_refused():
    """By place and by name."""
    with pytest.raises(CallError, match="got the attribute 'axis' twice"):
        ops.sum(np.ones(2), 0, axis=0)


@pytest.mark.parametrize("value", ["yes", 1, None, np.ones(1)], ids=repr)
def test_an_attribute_of_the_wrong_type_is_refused(value):
    """Naming attribute, op, what it is and what it got."""
    with pytest.raises(CallError, match=r"attribute 'keepdims' of core\.sum .* is a bool, got"):
        ops.sum(np.ones(2), keepdims=value)


@pytest.mark.parametrize("value", [np.ones(2), Value(1.0), {}], ids=["array", "Value", "dict"])
def test_an_attribute_is_plain_and_hashable(value):
    """Data in an attribute would get no gradient."""
    with pytest.raises(CallError, match="never differentiated"):
        ops.sum(np.ones(2), axis=value)


def test_an_attribute_left_out_that_is_needed_is_refused():
    """`reshape` without a shape is no copy."""
    with pytest.raises(CallError, match=r"core\.reshape .*'shape'"):
        ops.reshape(np.ones(2))


# -- what a forward raises ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.add(np.ones(2), np.ones(3)),
        lambda: Value(np.ones(2)) + np.ones(3),
        lambda: np.ones(3) + Value(np.ones(2)),
        lambda: Value(np.ones(2)) + Value(np.ones(3)),
    ],
    ids=["plain", "Value", "reflected", "Values"],
)
def test_shapes_that_do_not_fit_raise_with_a_note_of_op_and_shapes(call):
    """The library's own error, and on it which op it was, where it is defined, and on what."""
    with pytest.raises(ValueError, match="broadcast") as caught:
        call()

    assert re.search(r"core\.add \(opgrad .*\), .*arithmetic\.py:\d+", notes(caught.value))
    assert all(text in notes(caught.value) for text in ("(2,)", "(3,)"))


def test_a_note_is_added_on_every_road():
    """One operand, several, and by a method."""
    for call in (
        lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))),
        lambda: Value(np.ones((2, 3))).sum(axis=5),
        lambda: ops.concat([np.ones((2, 2)), np.ones(3)]),
    ):
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        assert "in the forward of core." in notes(caught.value)


def test_a_note_lists_the_operands_that_were_given():
    """Those left out of `v[5]` say nothing."""
    with pytest.raises(IndexError) as caught:
        Value(np.ones(2))[5]

    assert "None" not in notes(caught.value)


def test_an_error_of_opgrad_gets_no_note():
    """It says all there is to say already."""
    with pytest.raises(OpgradError) as caught:
        ops.tanh("text")

    assert notes(caught.value) == ""


def test_an_op_of_ones_own_is_named_with_file_and_line():
    """A fault in a rule of a stranger's plugin is found at once."""

    @opgrad.op
    def broken(x):
        return x.nonsense

    with pytest.raises(AttributeError) as caught:
        broken(1.0)

    assert re.search(r"local\.broken .*test_dispatch\.py:\d+, on float 1\.0", notes(caught.value))


# -- NumPy's functions ----------------------------------------------------------------------------


NUMPY_CALLS = {
    "tanh": np.tanh,
    "add": lambda v: np.add(v, 1.0),
    "array + v": lambda v: np.ones(3) + v,
    "array @ v": lambda v: np.ones((2, 3)) @ v,
    "scalar ** v": lambda v: np.float64(2.0) ** v,
    "concatenate": lambda v: np.concatenate([v, v]),
    "stack": lambda v: np.stack([v, np.ones(3)]),
    "sum": lambda v: np.sum(v, axis=0),
    "mean": np.mean,
    "where": lambda v: np.where(np.array([True, False, True]), v, 0.0),
    "arctan2": lambda v: np.arctan2(v, 1.0),
    "absolute": np.absolute,
    "amax": np.amax,
    "reshape": lambda v: np.reshape(v, (3, 1)),
    "transpose": np.transpose,
    "clip": lambda v: np.clip(v, 0.0, 1.5),
    "maximum": lambda v: np.maximum(v, 0.5),
}


@pytest.mark.parametrize("name", NUMPY_CALLS)
def test_numpys_functions_on_values_are_recorded(name):
    """By ufunc, by an operator with an array on the left, and by array function."""
    v = Value(np.array([0.3, 1.2, -0.7]))
    result = NUMPY_CALLS[name](v)

    assert type(result) is Value
    assert result.requires_grad
    np.testing.assert_array_equal(result.data, NUMPY_CALLS[name](v.data))


def test_a_gradient_flows_through_numpys_functions():
    """The chain rule does not mind the spelling."""
    x = np.array([0.5, -1.0])
    by_numpy = opgrad.grad(lambda v: np.sum(np.tanh(v) * np.ones(2)))(x)

    np.testing.assert_allclose(by_numpy, 1.0 - np.tanh(x) ** 2)


def test_an_array_on_the_left_does_not_take_a_value_apart():
    """One node, not an object array of as many as there are entries."""
    v = Value(np.ones(3))

    assert (np.ones(3) * v).operands[1] is v


@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "true_divide"])
def test_writing_a_value_into_an_array_is_refused(op):
    """`array += v` would lose the gradient; the error says what to write."""
    array, v = np.ones(2), Value(np.ones(2))

    with pytest.raises(ConversionError, match=r"`array \+= v` does that too.*array = array \+ v"):
        getattr(np, op)(array, v, out=array)


def test_an_augmented_assignment_to_an_array_is_refused():
    """And leaves the array as it was."""
    array = np.ones(2)

    with pytest.raises(ConversionError):
        array += Value(np.ones(2))

    assert array.tolist() == [1.0, 1.0]


def test_an_augmented_assignment_to_a_value_makes_a_new_one():
    """`v += 1` is `v = v + 1`; the old one is untouched."""
    v = old = Value(1.0)
    v += 1.0

    assert (v.data, old.data, v.operands[0] is old) == (2.0, 1.0, True)


@pytest.mark.parametrize(
    "call",
    [
        np.spacing,
        np.linalg.eigvals,
        np.unwrap,
        np.subtract.reduce,
        np.maximum.accumulate,
        lambda v: np.add.at(np.ones(3), [0], v),
        np.modf,
        lambda v: np.interp(v, [0.0, 1.0], [0.0, 1.0]),
    ],
    ids=["ufunc", "linalg", "unwrap", "reduce", "accumulate", "at", "modf", "interp"],
)
def test_a_numpy_function_without_an_op_is_refused(call):
    """Never an object array, never a silent loss of the gradient."""
    with pytest.raises(UnknownOpError, match="has no op"):
        call(Value(np.array([0.1, 0.2, 0.3])))


def test_a_numpy_function_without_an_op_says_the_way_out():
    """Its name, why it is refused, and what works on plain data."""
    with pytest.raises(UnknownOpError, match=r"unwrap, so this call would lose .* v\.data"):
        np.unwrap(Value(np.ones(3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.tanh(v, where=np.array([True, False])),
        lambda v: np.tanh(v, dtype=np.float32),
        lambda v: np.sum(v, where=np.array([True, False])),
        lambda v: np.sum(v, out=np.ones(())),
        lambda v: np.max(v, initial=0.0),
    ],
    ids=["where", "dtype", "sum where", "out", "initial"],
)
def test_an_argument_of_numpy_that_the_op_does_not_take_is_refused(call):
    """Ignored it would change the result."""
    with pytest.raises(OpgradError):
        call(Value(np.ones(2)))


@pytest.mark.parametrize(("function", "answer"), [(np.shape, (2, 3)), (np.ndim, 2), (np.size, 6)])
def test_numpys_questions_about_the_shape_are_answered(function, answer):
    """There is no gradient in them to lose."""
    assert function(Value(np.ones((2, 3)))) == answer


# -- the namespaces -------------------------------------------------------------------------------


def test_floats_follow_ieee_where_python_raises():
    """The same on floats as on arrays: inf and nan, no exception."""
    x = Value(0.0)
    found = [(1.0 / x).data, x.log().data, (-1.0 / x).data, Value(1e3).exp().data, (x**-0.5).data]

    assert found == [math.inf, -math.inf, -math.inf, math.inf, math.inf]


def test_a_rule_gets_the_namespace_of_its_data():
    """Scalar maths for floats, NumPy for arrays."""
    seen = []

    @opgrad.op
    def spy(xp, x):
        seen.append(xp.__name__)
        return x

    spy(1.0)
    spy(np.ones(2))

    assert seen == ["opgrad.namespaces.scalar", "opgrad.namespaces.numpy"]


def test_a_call_on_floats_imports_no_array_library():
    """Nor does recording, nor the sweep."""
    program = (
        "import sys, opgrad; x = opgrad.Value(2.0); (x * x).tanh().backward();"
        "print('numpy' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

    assert done.stdout.strip() == b"False"


def test_an_unknown_op_is_refused_with_those_near():
    """As an attribute of `opgrad.ops`; `hasattr` and `getattr` with a default work."""
    with pytest.raises(UnknownOpError, match="provides op 'sinn'; did you mean"):
        _ = ops.sinn

    assert not hasattr(ops, "sinn")
