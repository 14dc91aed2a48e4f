"""The gradient check: what it lets pass, what it refuses, and what it says then."""

import functools
import math
import pickle
import subprocess
import sys
import textwrap
from collections import namedtuple

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.errors import CallError, NotDifferentiableError, OpgradError
from opgrad.testing import (
    GradientMismatch,
    central_difference,
    check_gradients,
    forward_difference,
)

INF, NAN = math.inf, math.nan


def refused(f, *args, **options):
    """The error of a check that must not pass."""
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(f, *args, **options)

    return caught.value


def unary(forward, derivative):
    """An elementwise op with this derivative."""
    op = opgrad.elementwise(name="it")(forward)
    op.derivative(derivative)

    return op


def with_backward(forward, backward):
    """An op with one backward rule for all operands."""
    op = opgrad.op(name="it")(forward)
    op.backward(backward)

    return op


# -- what passes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [
        0.5,
        3,
        1.0 + 2.0j,
        np.float32(0.5),
        np.float64(0.5),
        np.array(0.5),
        np.array([[0.5, -1.25], [2.0, 1e-9]]),
        np.array([0.5, -1.25], dtype=np.float32),
        np.array([0.5, -1.25], dtype=np.float16),
        np.array([1.0 + 2.0j, -0.5j]),
        np.array([1.0 + 2.0j, -0.5j], dtype=np.complex64),
        opgrad.Value(0.5),
    ],
    ids=repr,
)
def test_a_right_rule_passes_on_every_kind_of_number(x):
    """The step and the tolerance follow the dtype."""
    report = check_gradients(lambda x: ops.sin(x) * x, x)

    assert report.modes == ("reverse", "forward")


def test_every_entry_of_every_argument_is_compared():
    """Two of x, one of y, four of z; nothing is left out."""
    x, z = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])

    report = check_gradients(lambda x, y, z: ops.sum(x @ z) * y, x, 0.5, z)

    assert report.entries == 7


def test_a_complex_entry_is_moved_along_both_axes():
    """Its real and its imaginary part count as two."""
    report = check_gradients(ops.exp, 0.5 + 1.0j)

    assert report.entries == 2


def test_nested_containers_of_every_kind_are_entered():
    """Dicts, lists, tuples, named tuples and attrs classes; what is no number passes through."""
    pair = namedtuple("pair", "u v")  # noqa: PYI024 -- the kind of container in question
    layer = attrs.make_class("layer", ["w", "name"], frozen=True)
    tree = {"a": [1.0, (2.0, None)], "b": pair(3.0, "text"), "c": layer(np.array([4.0]), "tanh")}

    def f(tree):
        one, (two, nothing) = tree["a"]
        assert (nothing, tree["b"].v, tree["c"].name) == (None, "text", "tanh")
        return one * two * tree["b"].u * ops.sum(tree["c"].w)

    report = check_gradients(f, tree)

    assert report.entries == 4


def test_a_function_that_returns_a_container_is_checked_in_all_of_it():
    """A fault in the second output alone is found."""
    square = unary(lambda x: x * x, lambda x: 3.0 * x)

    error = refused(lambda x: [x, {"s": square(x)}], 2.0)

    assert error.report.worst.output == "output[1]"


def test_methods_and_indexing_work_in_the_function():
    """It gets Values, as under `grad`."""
    report = check_gradients(lambda x: (x[0] * x.sum()).tanh(), np.array([0.1, 0.2]))

    assert report.entries == 2


def test_the_gradient_of_a_gradient_is_checked_like_any_other_function():
    """Second derivatives: no other check is needed for them."""
    report = check_gradients(opgrad.grad(lambda x: ops.tanh(x) * x), 0.7)

    assert report.modes == ("reverse", "forward")


def test_an_operand_without_derivative_is_left_alone():
    """`where` is checked in its two branches, and the condition keeps its dtype."""
    report = check_gradients(ops.where, np.array([True, False]), np.ones(2), np.ones(2))

    assert report.entries == 4


def test_argnums_chooses_what_is_checked():
    """The others reach the function as they are: a whole number stays one."""
    report = check_gradients(lambda x, n: x[n] * x[n], np.array([1.0, 2.0]), 1, argnums=0)

    assert report.entries == 2


def test_an_op_with_attributes_is_checked_as_a_partial_function():
    """Its operands keep their names."""
    softmax = functools.partial(ops.logsumexp, axis=1)

    report = check_gradients(softmax, np.array([[0.1, 0.2], [0.3, -0.4]]))

    assert report.worst.argument == "x"


def test_the_arguments_are_not_written_to():
    """Read-only arrays do, and nobody's array changes."""
    x = np.array([1.0, 2.0])
    x.flags.writeable = False

    check_gradients(lambda x: ops.sum(x * x), x)

    assert x.tolist() == [1.0, 2.0]


def test_variables_of_the_function_keep_their_gradients():
    """A check leaves no mark on Values that the function closes over."""
    w = opgrad.Value(3.0)

    check_gradients(lambda x: w * x, 2.0)

    assert w.grad == 0.0


@pytest.mark.parametrize("x", [1e-12, 1e-8, 1e-3, 1.0, 1e8, 1e300])
def test_the_step_fits_the_size_of_the_entry(x):
    """The logarithm is right from next to nothing to next to everything."""
    report = check_gradients(ops.log, x)

    assert report.worst.error < 1e-6


def test_strong_curvature_is_no_fault():
    """A wave a thousand times shorter than the step is found out by smaller steps."""
    report = check_gradients(lambda x: ops.sin(1e6 * x), 0.3)

    assert report.worst.error < 1e-6


def test_a_large_constant_in_one_output_does_not_blur_the_others():
    """Only what changes brings its rounding errors."""
    error = refused(
        lambda x: ops.concat([1e12 + 0.0 * x, unary(lambda x: x * x, lambda x: x)(x)]),
        np.array([3.0]),
    )

    assert "output[1]" in str(error)


# -- kinks, jumps and edges -----------------------------------------------------------------------


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
def test_any_slope_between_those_of_the_two_sides_is_accepted_at_a_kink(slope):
    """And the report says where the kink is, and what the two slopes are."""
    ramp = unary(lambda xp, x: xp.relu(x), lambda xp, x: xp.where(x == 0.0, slope, x > 0.0) * 1.0)

    report = check_gradients(ramp, np.array([-1.0, 0.0, 1.0]))

    assert [(e.where, round(abs(e.left - e.right), 1) > 0.0) for e in report.kinks] == [
        ("x[1]", True)
    ]


@pytest.mark.parametrize("slope", [-0.25, 1.25, INF, NAN])
def test_a_slope_outside_those_of_the_two_sides_is_refused_at_a_kink(slope):
    """The error shows both."""
    ramp = unary(lambda xp, x: xp.relu(x), lambda: slope)

    error = refused(ramp, 0.0)

    assert "slopes          0 on the left, 1 on the right: a kink" in str(error)


def test_a_kink_is_reported_also_where_the_central_difference_agrees():
    """abs at 0 has the slope 0 of its central difference."""
    report = check_gradients(ops.abs, 0.0)

    assert [(e.left, e.right) for e in report.kinks] == [(-1.0, 1.0)]


@pytest.mark.parametrize("x", [1e-5, 1e-6, 1e-7, 1e-9, -1e-6, -1e-9])
def test_next_to_a_kink_the_slope_of_the_right_side_is_wanted(x):
    """The kink lies within the first step; smaller ones tell the sides apart."""
    wrong = unary(lambda xp, x: xp.relu(x), lambda xp, x: xp.where(x < 0.0, 1.0, 0.0))

    error = refused(wrong, x)

    assert error.report.worst.wanted == pytest.approx(float(x > 0.0), abs=1e-9)


def test_kinks_of_several_outputs_at_once_are_each_looked_at():
    """Each derivative lies between its slopes, while their weighted sum need not."""
    x = np.zeros(3)

    report = check_gradients(lambda x: [ops.clip(x, 0.0, 1.0), ops.relu(x), -ops.abs(x)], x)

    assert [e.where for e in report.kinks] == ["x[0]", "x[1]", "x[2]"]


@pytest.mark.parametrize(
    "f",
    [lambda x: x * x, lambda x: x**4, lambda x: x**3, lambda x: ops.cos(x + math.pi)],
    ids=["x^2", "x^4", "x^3", "cos"],
)
def test_curvature_at_a_flat_place_is_no_kink(f):
    """The slopes of the two sides differ there too, but less and less."""
    assert check_gradients(f, 0.0).kinks == ()


@pytest.mark.parametrize(("f", "x"), [(ops.sqrt, 0.0), (ops.log, 0.0), (ops.cbrt, 0.0)])
def test_an_infinite_derivative_is_accepted_where_slopes_have_no_bound(f, x):
    """As `numerics.md` has it for roots and logarithms at 0."""
    assert check_gradients(f, x).worst.got == INF


def test_an_infinite_derivative_is_refused_where_slopes_are_bounded():
    """The slope of x is 1, also at 0."""
    identity = unary(lambda x: x + 0.0, lambda: INF)

    assert refused(identity, 0.0).report.worst.wanted == pytest.approx(1.0)


def test_at_the_edge_of_a_domain_the_slope_inside_counts():
    """x ** 1.5 is nan below 0, and flat at 0."""
    report = check_gradients(lambda x: x**1.5, np.array([0.0, 1.0]))

    assert math.isnan(report.kinks[0].left)


def test_a_wrong_slope_at_the_edge_of_a_domain_is_refused():
    """The error says that it is an edge."""
    power = unary(lambda xp, x: xp.pow(x, 1.5), lambda: 0.5)

    assert "nan on the left, 0 on the right: the edge of the domain" in str(refused(power, 0.0))


def test_the_flat_side_of_a_jump_is_accepted():
    """The floor of a whole number is flat on the right, as its rule says."""
    assert check_gradients(ops.floor, 2.0).worst.got == 0.0


def test_a_slope_of_neither_side_of_a_jump_is_refused():
    """`sign` at 0 jumps on both sides."""
    assert "inf on the left, inf on the right: f jumps" in str(refused(ops.sign, 0.0))


def test_an_entry_that_is_infinite_cannot_be_moved_and_says_so():
    """logsumexp takes -inf; the other entries are checked."""
    report = check_gradients(ops.logsumexp, np.array([0.0, -INF, 1.0]))

    assert (report.entries, report.unseen) == (3, 1)


# -- wrong rules ----------------------------------------------------------------------------------

WRONG_DERIVATIVES = {
    "sign": lambda xp, x: -(xp.cos(x) - xp.sin(x) * x),
    "missing term": lambda xp, x: xp.cos(x),
    "forgotten factor": lambda xp, x: xp.cos(x) - xp.sin(x),
    "factor of two": lambda xp, x: 2.0 * (xp.cos(x) - xp.sin(x) * x),
    "zero": lambda xp, x: 0.0 * x,
    "off by one in a million": lambda xp, x: (1.0 + 1e-6) * (xp.cos(x) - xp.sin(x) * x),
    "nan": lambda xp, x: NAN * x,
    "infinite": lambda xp, x: INF + 0.0 * x,
    "wrong at one entry": lambda xp, x: xp.where(x == 2.5, xp.cos(x), xp.cos(x) - xp.sin(x) * x),
}


@pytest.mark.parametrize("x", [2.5, np.array([0.5, 2.5, -1.5])], ids=["float", "array"])
@pytest.mark.parametrize("kind", WRONG_DERIVATIVES)
def test_a_wrong_derivative_is_refused(kind, x):
    """Each kind of fault, as a number and at every size of array."""
    wrong = unary(lambda xp, x: xp.cos(x) * x, WRONG_DERIVATIVES[kind])

    assert refused(wrong, x).report.worst.mode == "reverse"


@pytest.mark.parametrize("kind", ["sign", "missing term", "factor of two", "wrong at one entry"])
def test_a_wrong_derivative_is_refused_in_single_precision(kind):
    """What is off by a hundredth or more is found in float32."""
    wrong = unary(lambda xp, x: xp.cos(x) * x, WRONG_DERIVATIVES[kind])

    assert refused(wrong, np.array([0.5, 2.5], dtype=np.float32))


def test_a_fault_at_one_entry_of_many_is_named():
    """Argument, index, and both values of that entry, not of the weighted sum."""
    wrong = unary(lambda x: x * x, lambda xp, x: xp.where(x == 7.0, 0.0, 2.0 * x))

    worst = refused(wrong, np.arange(12.0).reshape(3, 4)).report.worst

    assert (worst.where, worst.output, worst.got, round(worst.wanted, 6)) == (
        "x[1, 3]", "output[1, 3]", 0.0, 14.0,
    )  # fmt: skip


WRONG_BACKWARDS = {
    "forgets the gradient of the output": lambda x: 2.0 * x,
    "takes the size of the gradient": lambda xp, g, x: xp.abs(g) * 2.0 * x,
    "uses the gradient twice": lambda g, x: g * g * 2.0 * x,
    "adds a constant": lambda g, x: g * 2.0 * x + 1.0,
    "clips the gradient": lambda xp, g, x: xp.clip(g, -1.0, 1.0) * 2.0 * x,
}


@pytest.mark.parametrize("x", [3.0, np.array([3.0, -1.0])], ids=["float", "array"])
@pytest.mark.parametrize("kind", WRONG_BACKWARDS)
def test_a_backward_rule_that_is_not_linear_in_its_cotangent_is_refused(kind, x):
    """A cotangent of 1 alone would let it pass."""
    wrong = with_backward(lambda x: x * x, WRONG_BACKWARDS[kind])

    assert refused(wrong, x)


def test_operands_taken_for_one_another_are_found():
    """The gradients of x and of y in each other's place."""
    wrong = with_backward(lambda a, b: a * b, lambda g, a, b: (g * a, g * b))

    error = refused(wrong, 2.0, 3.0)

    assert "2 of 2 entries" in str(error)


def test_a_forgotten_transpose_is_found():
    """Of square matrices, where no shape gives it away."""
    wrong = with_backward(lambda xp, a, b: xp.matmul(a, b), lambda g, a, b: (g @ b, a @ g))
    generator = np.random.default_rng(0)

    error = refused(wrong, generator.normal(size=(3, 3)), generator.normal(size=(3, 3)))

    assert "18 of 18 entries" in str(error)


def test_an_op_right_in_reverse_and_wrong_forward_is_refused():
    """The two modes are held against each other, then against differences."""
    wrong = with_backward(lambda x: x * x, lambda g, x: g * 2.0 * x)
    wrong.jvp(lambda t, x: t * x)

    worst = refused(wrong, 3.0).report.worst

    assert (worst.mode, worst.got, round(worst.wanted, 6)) == ("forward", 3.0, 6.0)


def test_a_forward_rule_wrong_at_one_entry_is_refused():
    """One of a hundred, by its index."""
    right = opgrad.elementwise(name="it")(lambda x: x * x)
    right.backward(lambda g, x: g * 2.0 * x)
    right.jvp(lambda xp, t, x: xp.where(x == 42.0, 0.0, t * 2.0 * x))

    worst = refused(right, np.arange(100.0)).report.worst

    assert (worst.mode, worst.where) == ("forward", "x[42]")


def test_a_gradient_that_leaves_out_a_dependency_is_refused():
    """`stop_gradient` and `.data` on the way hide part of the slope."""
    error = refused(lambda x: x * opgrad.stop_gradient(x), 3.0)

    assert (error.report.worst.got, round(error.report.worst.wanted, 6)) == (3.0, 6.0)


def test_broadcasting_left_to_the_rule_and_forgotten_is_refused():
    """A rule that gives the gradient of the first entry alone."""
    wrong = opgrad.op(name="it")(lambda a, b: a * b)
    wrong.backward("a")(lambda g, b: g * b)
    wrong.backward("b")(lambda g, a: g[0] * a[0])

    assert refused(wrong, np.array([1.0, 2.0]), 3.0).report.worst.argument == "b"


def test_the_gradient_must_not_be_complex_conjugated():
    """The convention: d(Re f) = Re(gradient · dz)."""
    wrong = unary(lambda z: z * z, lambda xp, z: xp.conj(2.0 * z))

    assert refused(wrong, 1.0 + 2.0j).report.worst.part == "imag"


# -- nothing to check -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (ops.relu, (np.zeros(0),)),
        (ops.sum, (np.arange(3),)),
        (lambda: 1.0, ()),
        (lambda text: 1.0, ("text",)),
        (lambda x: x > 0.0, (1.0,)),
        (lambda x: None, (1.0,)),
        (lambda x: x[2:], (np.ones(2),)),
    ],
    ids=["empty", "integers", "no argument", "text", "truth", "None", "empty output"],
)
def test_a_check_without_an_entry_does_not_pass(f, args):
    """No argument or no output that carries a derivative: an error, not silence."""
    with pytest.raises(CallError, match="there is nothing to check"):
        check_gradients(f, *args)


@pytest.mark.parametrize(
    "f",
    [lambda x: 1e12 + x, lambda x: ops.tanh(x) + 1e11, lambda x: ops.tanh(x + 16.0)],
    ids=["large constant", "and something small", "saturation"],
)
def test_a_slope_that_drowns_in_rounding_does_not_pass(f):
    """Differences cannot see it, so nothing was checked."""
    assert "nothing could be checked" in str(refused(f, 1.0))


def test_entries_too_flat_to_be_seen_are_counted():
    """Beside one that is seen; the report says how many."""
    report = check_gradients(ops.tanh, np.array([0.5, 17.0]))

    assert "1 too flat to be seen" in str(report)


def test_argnums_beyond_the_arguments_are_refused():
    """Naming the number asked for."""
    with pytest.raises(CallError, match=r"got 1 argument\(s\); there is no number 3"):
        check_gradients(ops.sin, 1.0, argnums=3)


def test_an_op_without_a_backward_rule_says_so():
    """The error of `grad` reaches the caller."""
    half = opgrad.op(name="it")(lambda x: x * x)

    with pytest.raises(opgrad.errors.MissingRuleError, match="no backward rule for 'x'"):
        check_gradients(half, 1.0)


# -- what is said ---------------------------------------------------------------------------------


def test_the_message_has_function_place_both_values_and_both_slopes():
    """All that one needs to find the fault."""
    ramp = unary(lambda xp, x: xp.relu(x), lambda: -1.0)
    message = str(refused(ramp, np.array([[0.0, 0.0]]))).splitlines()

    assert [line.strip() for line in message[:4]] == [
        "the gradient of local.it (defined here, not in a plugin) is wrong at 2 of 2 entries",
        "worst           d output[0, 0] / d x[0, 0], reverse mode",
        "got             -1",
        "wanted          0.5",
    ]


def test_the_path_into_a_container_is_that_of_python():
    """One can paste it."""
    wrong = unary(lambda x: x * x, lambda x: x)

    worst = refused(lambda params: wrong(params["layers"][1]), {"layers": [1.0, 2.0]}).report.worst

    assert worst.where == "params['layers'][1]"


def test_arguments_behind_a_star_are_numbered():
    """`xs[1]`, by the name they have there."""
    wrong = unary(lambda x: x * x, lambda x: x)

    assert refused(lambda *xs: xs[0] + wrong(xs[1]), 1.0, 2.0).report.worst.where == "xs[1]"


def test_the_error_is_an_assertion_error_and_one_of_opgrad():
    """pytest shows it as a failure, and `except OpgradError` catches it."""
    assert issubclass(GradientMismatch, AssertionError)
    assert issubclass(GradientMismatch, OpgradError)


def test_the_error_survives_pickling():
    """pytest-xdist and multiprocessing send it between processes."""
    error = refused(unary(lambda x: x * x, lambda x: x), 1.0)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes

    assert (str(again), again.report) == (str(error), error.report)


def test_the_report_reads_as_a_sentence():
    """On an interactive prompt."""
    report = check_gradients(ops.relu, 0.0)

    assert repr(report) == (
        f"<1 entry of {ops.relu.described} checked in reverse and forward mode; worst x: got 0, "
        "slope 0 on the left and 1 on the right; kinks or edges at x>"
    )


def test_the_report_is_frozen():
    """What was found does not change."""
    report = check_gradients(ops.sin, 1.0)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        report.entries = 0


def test_the_same_check_finds_the_same():
    """The random weights have a fixed seed."""
    one, other = (check_gradients(ops.sin, np.ones(3)) for _ in range(2))

    assert one == other


def test_a_tolerance_of_ones_own_is_obeyed():
    """Here a fault of a thousandth is let pass."""
    nearly = unary(lambda x: x * x, lambda x: 2.002 * x)

    assert check_gradients(nearly, 1.0, tolerance=0.01).worst.error == pytest.approx(1e-3, rel=0.01)


def test_floats_are_checked_without_numpy():
    """Neither import nor check loads an array library."""
    program = """
        import sys
        import opgrad
        from opgrad.testing import check_gradients, forward_difference
        check_gradients(lambda p: opgrad.ops.tanh(p["a"]) * p["b"][0], {"a": 1.0, "b": [2.0]})
        forward_difference(opgrad.ops.sin, 1.0)
        print("numpy" in sys.modules)
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], check=True, capture_output=True, text=True
    )

    assert done.stdout == "False\n"


# -- differences ----------------------------------------------------------------------------------


def test_the_forward_difference_is_that_of_the_tutorials():
    """(f(x + h) - f(x)) / h, to the last digit."""
    f, x, h = (lambda x: 3 * x**2 - 4 * x + 5), 3.0, 1e-3

    assert forward_difference(f, x) == (f(x + h) - f(x)) / h


def test_the_central_difference_is_exact_for_a_parabola():
    """Its error is of third order."""
    assert central_difference(lambda x: 3 * x**2 - 4 * x + 5, 3.0, h=0.5) == 14.0


@pytest.mark.parametrize("difference", [forward_difference, central_difference])
def test_a_difference_moves_one_entry_of_an_array_after_the_other(difference):
    """The slopes have the shape of the array."""
    x = np.array([[1.0, 2.0], [3.0, 4.0]])

    slopes = difference(lambda x: (x * x).sum(), x)

    np.testing.assert_allclose(slopes, 2 * x, atol=2e-3)


def test_a_difference_of_an_array_valued_function_is_its_jacobian():
    """Axes of the output first, then those of the argument."""
    matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    slopes = forward_difference(lambda x: matrix @ x, np.array([1.0, -1.0]))

    np.testing.assert_allclose(slopes, matrix, rtol=1e-9)


def test_a_difference_takes_values_for_their_data():
    """A tutorial may have made one already, and the function may return one."""
    slope = forward_difference(lambda x: opgrad.Value(x) * 2.0, opgrad.Value(3.0))

    assert slope == pytest.approx(2.0)


@pytest.mark.parametrize("x", [np.arange(3), [1.0, 2.0], "text", True])
def test_a_difference_of_what_cannot_be_moved_is_refused(x):
    """An integer array would swallow the step."""
    with pytest.raises(NotDifferentiableError, match="a difference needs a number or an array"):
        forward_difference(lambda x: 0.0, x)
