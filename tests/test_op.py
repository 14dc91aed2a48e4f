"""Definitions: what the decorators make, and every malformed one refused where it is written."""

import functools
import inspect
import math
import re

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.errors import CallError, MissingRuleError, NotDifferentiableError, OpDefinitionError


def unary(x):
    """A forward of one operand."""
    return 2.0 * x


def binary(a, b):
    """A forward of two operands."""
    return a * b


def attributed(xp, x, *, beta=1.0, mode="soft"):
    """A forward with attributes."""
    return beta * x if mode == "soft" else x


def variadic(*xs):
    """A forward of many operands."""
    return sum(xs[1:], start=xs[0])


def refuses(make, *fragments):
    """Assert that a definition is refused, and what its error says; return the text."""
    with pytest.raises(OpDefinitionError) as caught:
        make()
    text = str(caught.value)
    for fragment in fragments:
        assert fragment in text, text

    return text


def function(source):
    """A function from its source, for heads that must not stand in this file."""
    scope = {}
    exec(f"{source}\n    return 0.0", scope)  # noqa: S102 -- our own text

    return scope["f"]


# -- what is made ---------------------------------------------------------------------------------


def test_an_op_is_named_for_its_function():
    """One trailing underscore is taken off: `round_` makes the op `round`."""

    @opgrad.op
    def round_(x):
        return x

    assert round_.name == "round"


def test_a_name_may_be_given():
    """For a lambda it must be."""
    assert opgrad.op(name="twice")(lambda x: 2.0 * x).name == "twice"


def test_positional_parameters_are_operands_and_keyword_only_ones_attributes():
    """`xp` is neither."""
    op = opgrad.op(attributed)

    assert (op.operands, dict(op.attributes)) == (("x",), {"beta": 1.0, "mode": "soft"})


def test_an_operand_with_the_default_none_may_be_left_out():
    """The forward then gets None."""

    @opgrad.op
    def scale(x, factor=None):
        return x if factor is None else factor * x

    assert (scale(3.0), scale(3.0, 2.0)) == (3.0, 6.0)


def test_a_rule_decorator_returns_the_rule_itself():
    """So that it can be called and tested like any function."""
    op = opgrad.elementwise(unary)

    @op.derivative
    def unary_derivative():
        return 2.0

    assert unary_derivative() == 2.0


def test_a_rule_gets_what_it_asks_for_by_name_in_any_order():
    """Attributes positionally or behind the star."""
    op = opgrad.op(attributed)
    seen = {}

    @op.backward
    def attributed_backward(beta, g, y, xp, x, *, mode):
        seen.update(beta=beta, g=g, y=y, x=x, mode=mode, sin=xp.sin(0.0))
        return g * beta

    opgrad.grad(op)(3.0, beta=2.0)

    assert seen == {"beta": 2.0, "g": 1.0, "y": 6.0, "x": 3.0, "mode": "soft", "sin": 0.0}


def test_only_the_rules_that_are_needed_run():
    """One rule an operand: the gradient of a constant is never computed."""
    op = opgrad.op(binary)
    ran = []

    @op.backward("a")
    def binary_backward_a(g, b):
        ran.append("a")
        return g * b

    @op.backward("b")
    def binary_backward_b(g, a):
        ran.append("b")
        return g * a

    opgrad.grad(op)(2.0, 3.0)

    assert ran == ["a"]


def test_a_rule_that_branches_on_an_attribute_is_right_for_each_value():
    """What one branch hands back says nothing of the other."""

    @opgrad.op
    def scale(x, *, keep=True):
        return x if keep else 2.0 * x

    @scale.backward
    def scale_backward(g, *, keep):
        if keep:
            return g
        return 2.0 * g

    assert [opgrad.grad(scale)(1.0, keep=keep) for keep in (True, False)] == [1.0, 2.0]


def test_a_rule_that_branches_on_an_operand_left_out_is_right_for_both():
    """An optional operand is there or None."""

    @opgrad.op
    def scale(x, factor=None):
        return x if factor is None else factor * x

    @scale.backward("x")
    def scale_backward_x(g, factor):
        if factor is not None:
            return factor
        return g

    assert [opgrad.grad(scale)(1.0, *more) for more in ((), (3.0,))] == [1.0, 3.0]


def test_one_derivative_serves_both_modes():
    """The engine multiplies by the cotangent or the tangent."""
    op = opgrad.elementwise(name="cube")(lambda x: x * x * x)
    op.derivative(lambda x: 3.0 * x * x)

    assert (opgrad.grad(op)(2.0), opgrad.jvp(op, (2.0,), (1.0,))[1]) == (12.0, 12.0)


def test_an_op_can_be_used_before_its_rules_are_added():
    """What was compiled for the call is compiled anew."""
    op = opgrad.op(unary)
    with pytest.raises(MissingRuleError):
        opgrad.grad(op)(1.0)

    op.backward(lambda g: 2.0 * g)

    assert opgrad.grad(op)(1.0) == 2.0


# -- saves, outputs, nondiff, linear, composite ---------------------------------------------------


def saving():
    """x ** 2, whose rule uses what the forward saved."""

    @opgrad.op(saves=True)
    def square(x):
        return x * x, {"twice": 2.0 * x}

    @square.backward
    def square_backward(g, saved):
        return g * saved["twice"]

    return square


def test_what_a_forward_saves_reaches_its_rules_and_nobody_else():
    """The call returns y alone, on plain data and on Values."""
    square = saving()

    assert (square(3.0), square(opgrad.Value(3.0)).data, opgrad.grad(square)(3.0)) == (9, 9, 6)


def test_an_op_that_saves_is_differentiable_once():
    """What it saved has no history: a second derivative would be silently wrong."""
    with pytest.raises(
        NotDifferentiableError, match=r"local\.square .* can be differentiated once"
    ):
        opgrad.grad(opgrad.grad(saving()))(3.0)


def test_a_rule_may_ask_for_saved_only_where_the_forward_saves():
    """Else there is nothing to ask for."""
    op = opgrad.op(unary)

    def rule(g, saved):
        return g

    refuses(lambda: op.backward(rule), "asks for 'saved'", "Names that exist: xp, y, g, x")


def polar():
    """Two outputs of two operands."""

    @opgrad.op(outputs=2)
    def polar(xp, a, b):
        return xp.hypot(a, b), xp.atan2(b, a)

    @polar.backward
    def polar_backward(g, a, b, y):
        along, around = g
        r = y[0]
        return (
            along * a / r - around * b / (r * r),
            along * b / r + around * a / (r * r),
        )

    return polar


def test_an_op_with_several_outputs_returns_a_tuple():
    """Of plain data or of Values, each of which can be differentiated by itself."""
    r, angle = polar()(opgrad.Value(3.0), 4.0)
    r.backward()

    assert (r.data, round(angle.data, 6), polar()(3.0, 4.0)[0]) == (5.0, 0.927295, 5.0)


def test_the_gradients_of_several_outputs_arrive_together_zeros_filled_in():
    """d r / da = a / r and d angle / da = -b / r²."""
    r = opgrad.grad(lambda a, b: polar()(a, b)[0])(3.0, 4.0)
    angle = opgrad.grad(lambda a, b: polar()(a, b)[1])(3.0, 4.0)

    assert (r, angle) == (pytest.approx(0.6), pytest.approx(-0.16))


def test_several_outputs_take_one_rule_for_all_operands():
    """A rule for one alone could not share the work."""
    op = opgrad.op(outputs=2, name="pair")(lambda a, b: (a, b))

    refuses(lambda: op.backward("a"), "pair has several outputs", "@pair.backward")


def test_an_operand_declared_nondiff_gets_no_gradient():
    """Its gradient is zeros, and its rule is neither there nor missed."""

    @opgrad.op(nondiff="mask")
    def masked(x, mask):
        return x * mask

    @masked.backward("x")
    def masked_backward(g, mask):
        return g * mask

    assert opgrad.grad(masked, argnums=(0, 1))(2.0, 3.0) == (3.0, 0.0)


def test_nondiff_true_makes_the_result_a_constant():
    """As that of comparisons."""
    op = opgrad.op(nondiff=True)(unary)

    assert not op(opgrad.Value(2.0)).requires_grad


def test_nondiff_false_declares_nothing():
    """The opposite of True is not an error from inside."""
    assert opgrad.op(nondiff=False)(unary).nondiff == frozenset()


def test_linear_in_each_operand_needs_no_forward_rule():
    """A product: the tangent is t·b + a·t', by the forward itself."""
    op = opgrad.op(linear=True)(binary)

    assert opgrad.jvp(op, (2.0, 3.0), (1.0, 10.0)) == (6.0, 23.0)


def test_jointly_linear_needs_no_forward_rule():
    """A difference: the tangent is t - t'."""
    op = opgrad.op(linear="jointly", name="minus")(lambda a, b: a - b)

    assert opgrad.jvp(op, (2.0, 3.0), (1.0, 10.0)) == (-1.0, -9.0)


def test_a_misspelled_kind_of_linearity_is_refused():
    """`"joint"` taken for True would give silently wrong tangents."""
    refuses(lambda: opgrad.op(linear="joint")(binary), "'joint'", "jointly")


def test_a_composite_needs_no_rule_in_either_mode_at_any_order():
    """The forward runs on opgrad's own ops."""
    op = opgrad.composite(name="square_of_sine")(lambda xp, x: xp.sin(x) * xp.sin(x))

    assert (
        opgrad.grad(op)(0.5),
        opgrad.jvp(op, (0.5,), (1.0,))[1],
        opgrad.grad(opgrad.grad(op))(0.5),
    ) == (
        pytest.approx(math.sin(1.0)),
        pytest.approx(math.sin(1.0)),
        pytest.approx(2.0 * math.cos(1.0)),
    )


def test_a_rule_given_to_a_composite_takes_the_place_of_what_would_be_found():
    """For its operand; the other's gradient is still found."""
    op = opgrad.composite(binary)
    op.backward("a")(lambda g: 100.0 * g)

    assert opgrad.grad(op, argnums=(0, 1))(2.0, 3.0) == (100.0, 2.0)


@pytest.mark.parametrize(
    ("declarations", "forward"),
    [({"saves": True}, unary), ({"outputs": 2}, binary)],
    ids=["saves", "outputs"],
)
def test_what_a_composite_cannot_be_is_refused(declarations, forward):
    """It has one output, and saves nothing."""
    refuses(lambda: opgrad.composite(**declarations)(forward), "composite", forward.__name__)


def test_many_operands_take_one_rule_for_all():
    """It asks for them by their name and returns a tuple."""
    op = opgrad.op(variadic)

    @op.backward
    def variadic_backward(g, xs):
        return tuple(g for _ in xs)

    assert opgrad.grad(op, argnums=(0, 2))(1.0, 2.0, 3.0) == (1.0, 1.0)


def test_an_op_without_rules_says_so_when_differentiated():
    """Nothing is taken as zero; the error names op, operand and what to write."""
    with pytest.raises(
        MissingRuleError,
        match=re.escape("""local.unary (defined here, not in a plugin) has no backward rule for"""),
    ):
        opgrad.grad(opgrad.op(unary))(1.0)


# -- malformed forwards ---------------------------------------------------------------------------


class Callable:
    """Neither a function nor a lambda."""

    def __call__(self, x):
        """Do what a function does."""
        return x


@pytest.mark.parametrize(
    "thing",
    [abs, int, functools.partial(unary), Callable(), "name", 3],
    ids=["builtin", "class", "partial", "callable", "text", "number"],
)
def test_only_python_functions_make_ops(thing):
    """The names of their parameters are read."""
    refuses(lambda: opgrad.op(thing), repr(thing), "is not a Python function")


def test_an_op_does_not_make_an_op():
    """The decorator was written twice."""
    refuses(lambda: opgrad.op(opgrad.op(unary)), "local.unary", "is not a Python function")


def test_a_lambda_needs_a_name():
    """Its own is no identifier; the error has the place."""
    refuses(lambda: opgrad.op(lambda x: x), "'<lambda>'", "test_op.py")


@pytest.mark.parametrize("name", ["two words", "", "3d", "a.b", "lambda", "_hidden", 3])
def test_a_name_that_cannot_be_reached_as_an_attribute_is_refused(name):
    """`opgrad.ops.<name>` must be Python; names with an underscore in front are private."""
    refuses(lambda: opgrad.op(name=name)(unary), repr(name))


@pytest.mark.parametrize("name", ["g", "t", "y", "saved"])
@pytest.mark.parametrize("head", ["{0}", "xp, x, {0}", "x, *, {0}=1.0", "*{0}"])
def test_names_that_mean_something_in_rules_are_reserved(head, name):
    """As operand, as attribute and behind the star; the error lists them all."""
    forward = function(f"def f({head.format(name)}):")

    refuses(lambda: opgrad.op(forward), repr(name), "g, saved, t, xp, y")


@pytest.mark.parametrize("head", ["x, xp", "x, *, xp", "*xp"])
def test_xp_comes_first_or_not_at_all(head):
    """Anywhere else it would be taken for an operand."""
    refuses(lambda: opgrad.op(function(f"def f({head}):")), "'xp'", "xp comes first")


@pytest.mark.parametrize("head", ["", "xp", "*, beta=1.0"])
def test_an_op_without_operands_is_refused(head):
    """There is nothing to differentiate."""
    refuses(lambda: opgrad.op(function(f"def f({head}):")), "has no operand")


def test_an_operand_with_a_default_is_refused():
    """A setting with a default is an attribute: the error says where it goes."""
    forward = function("def f(x, beta=1.0):")

    refuses(lambda: opgrad.op(forward), "'beta'", "an attribute: put it behind `*`")


def test_keyword_catch_alls_are_refused():
    """Each attribute has a name, so that it can be checked."""
    forward = function("def f(x, **options):")

    refuses(lambda: opgrad.op(forward), "**keywords", "name each attribute")


def test_operands_beside_a_star_are_refused():
    """Either fixed ones or many."""
    refuses(lambda: opgrad.op(function("def f(x, *xs):")), "*xs", "no other operands")


@pytest.mark.parametrize("default", ["[]", "{}", "set()"])
def test_an_attribute_default_that_cannot_be_hashed_is_refused(default):
    """Attributes are plain and hashable, their defaults too."""
    refuses(lambda: opgrad.op(function(f"def f(x, *, axes={default}):")), "'axes'")


@pytest.mark.parametrize("kind", ["async def", "generator"])
def test_a_forward_that_does_not_return_a_result_is_refused(kind):
    """Coroutines and generators are no data."""
    if kind == "generator":
        forward = function("def f(x):\n    yield x")
    else:
        forward = function("async def f(x):")

    refuses(lambda: opgrad.op(forward), "f()")


# -- malformed declarations -----------------------------------------------------------------------


def test_an_unknown_declaration_is_refused_with_the_nearest():
    """And with all that exist."""
    refuses(
        lambda: opgrad.op(nondif="x")(unary), "no declaration 'nondif'; did you mean 'nondiff'?",
        "broadcasts, composite, domain",
    )  # fmt: skip


def test_the_declarations_that_exist_are_a_sentence_of_their_own():
    """Also where none is near."""
    text = refuses(lambda: opgrad.op(colour="red")(unary), "'colour'")

    assert re.search(r"'colour'[;.] Declarations that exist", text)


@pytest.mark.parametrize("nondiff", ["z", ("x", "z")])
def test_nondiff_of_an_operand_that_does_not_exist_is_refused(nondiff):
    """With those that do."""
    refuses(lambda: opgrad.op(nondiff=nondiff)(unary), "'z'", "x")


@pytest.mark.parametrize(
    "declarations",
    [
        {"nondiff": 3},
        {"outputs": "lots"},
        {"outputs": 0},
        {"outputs": -1},
        {"saves": "yes"},
        {"linear": 3},
        {"methods": 3},
        {"methods": ("two words",)},
        {"properties": ("3d",)},
        {"kinks": "0"},
        {"kinks": 0.0},
        {"kinks": (True,)},
        {"kinks": {0.0: "half"}},
        {"expected_failures": ("backward",)},
        {"expected_failures": {"backward": ""}},
        {"symbol": 3},
        {"samples": (1.0,)},
        {"samples": opgrad.sample(1.0)},
        {"domain": (1.0, -1.0)},
        {"domain": (1.0,)},
        {"domain": {"z": (0.0, 1.0)}},
    ],
    ids=repr,
)
def test_a_declaration_of_the_wrong_kind_is_refused(declarations):
    """Naming the declaration, not from somewhere inside."""
    (name,) = declarations

    refuses(lambda: opgrad.op(**declarations)(unary), name)


def test_kinks_are_points_with_the_derivative_there_where_it_is_stated():
    """A bare list of points states none."""
    assert opgrad.elementwise(kinks=(0.0, 6.0))(unary).kinks == {0.0: None, 6.0: None}
    assert opgrad.elementwise(kinks={0.0: 0.5})(unary).kinks == {0.0: 0.5}


def test_a_bare_domain_needs_a_single_operand():
    """Of several it says nothing about which."""
    refuses(lambda: opgrad.op(domain=(0.0, 1.0))(binary), "domain")


@pytest.mark.parametrize(
    "sample",
    [opgrad.sample(1.0, 2.0, "soft", 4.0), opgrad.sample(), opgrad.sample(1.0, gamma=2.0)],
    ids=["too many", "too few", "unknown attribute"],
)
def test_a_sample_that_does_not_fit_the_op_is_refused(sample):
    """Its checks would fail far from where the fault is."""
    refuses(lambda: opgrad.op(samples=(sample,))(attributed), "sample")


@pytest.mark.parametrize(
    ("operator", "forward"),
    [
        ("<>", binary),
        ("<>", unary),
        ("*", unary),
        ("~", binary),
        ("+", variadic),
        ("+", lambda a, b, c: a),
    ],
    ids=["unknown binary", "unknown unary", "binary of one", "unary of two", "many", "three"],
)
def test_an_operator_that_does_not_fit_the_operands_is_refused(operator, forward):
    """With those that exist for that many."""
    refuses(lambda: opgrad.op(operator=operator, name="it")(forward), repr(operator))


# -- malformed rules ------------------------------------------------------------------------------


def test_a_rule_that_asks_for_a_name_that_does_not_exist_is_refused():
    """With the nearest, with all names, and with the place of the rule."""
    op = opgrad.op(attributed)

    def rule(g, x, bet):
        return g

    refuses(
        lambda: op.backward(rule), "asks for 'bet'", "did you mean 'beta'?",
        "xp, y, g, x, beta, mode", "test_op.py",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name"),
    [("derivative", "g"), ("derivative", "t"), ("backward", "t"), ("jvp", "g")],
)
def test_cotangents_and_tangents_are_those_of_their_mode(kind, name):
    """A derivative has neither; the engine multiplies."""
    op = opgrad.elementwise(unary)
    rule = function(f"def f({name}, x):")

    refuses(lambda: getattr(op, kind)(rule), f"a {kind} rule of unary", f"asks for {name!r}")


@pytest.mark.parametrize("kind", ["derivative", "backward", "jvp"])
def test_a_rule_given_twice_is_refused(kind):
    """Both places are named."""
    op = opgrad.elementwise(unary)
    getattr(op, kind)(function("def f():"))

    refuses(
        lambda: getattr(op, kind)(function("def f(x):")),
        f"unary already has a {kind} rule for 'x'", "the second one is f()",
    )  # fmt: skip


@pytest.mark.parametrize("joint_first", [True, False])
def test_a_rule_for_all_operands_beside_one_for_one_is_refused(joint_first):
    """One of them would be silently ignored."""
    op = opgrad.op(binary)
    steps = [lambda: op.backward(lambda g: (g, g)), lambda: op.backward("a")(lambda g: g)]
    first, second = steps if joint_first else reversed(steps)
    first()

    refuses(second, "binary already has a backward rule")


def test_a_derivative_of_an_op_that_is_not_elementwise_is_refused():
    """With what to write instead."""
    op = opgrad.op(unary)

    refuses(lambda: op.derivative(unary), "not elementwise", "`.backward`", "@opgrad.elementwise")


def test_a_derivative_of_several_operands_says_of_which():
    """The error shows how."""
    op = opgrad.elementwise(binary)

    refuses(lambda: op.derivative(unary), "(a, b)", '@binary.derivative("a")')


def test_a_rule_for_an_operand_that_does_not_exist_is_refused():
    """With those that do; an attribute is none."""
    op = opgrad.op(attributed)

    refuses(lambda: op.backward("beta"), "no operand 'beta'", "its operands are x")


def test_a_rule_for_an_operand_declared_nondiff_is_refused():
    """It would never run."""
    op = opgrad.op(nondiff="b")(binary)

    refuses(lambda: op.backward("b"), "'b'", "declared nondiff")


def test_a_rule_for_one_of_many_operands_is_refused():
    """And told what to write: one rule for all."""
    op = opgrad.op(variadic)

    refuses(lambda: op.backward("xs"), "*xs", "@variadic.backward")


@pytest.mark.parametrize("rule", [3, None, abs, functools.partial(unary)])
def test_a_rule_is_a_python_function(rule):
    """As a forward is."""
    refuses(lambda: opgrad.op(unary).backward(rule), "is not a Python function")


def test_a_rule_with_a_keyword_catch_all_is_refused():
    """It asks by name for what it needs."""
    op = opgrad.op(unary)

    refuses(lambda: op.backward(function("def f(g, **rest):")), "**keywords")


def test_a_rule_cannot_be_added_to_a_registered_op():
    """Nobody changes `sin` for everybody; the error names who brought it."""
    refuses(lambda: ops.sin.jvp(function("def f(t, x):")), ops.sin.described, "is registered")


def test_arguments_are_given_once():
    """As every part of a definition."""
    op = opgrad.op(unary)
    op.arguments(lambda x: ((x,), {}))

    refuses(lambda: op.arguments(lambda x: ((x,), {})), "unary already has its arguments")


def test_an_op_is_frozen():
    """What is known of it does not change under its users."""
    with pytest.raises(attrs.exceptions.FrozenAttributeError):
        ops.sin.name = "cos"


# -- calls ----------------------------------------------------------------------------------------


def test_attributes_are_taken_by_keyword_and_by_place():
    """Positional ones follow the operands, in the order of the head."""
    op = opgrad.op(attributed)

    assert (op(2.0, beta=3.0), op(2.0, 3.0), op(2.0, 3.0, "hard")) == (6.0, 6.0, 2.0)


def test_operands_are_taken_by_keyword():
    """In any order."""
    assert opgrad.op(name="minus")(lambda a, b: a - b)(b=1.0, a=3.0) == 2.0


def test_a_list_given_as_attribute_becomes_a_tuple():
    """Attributes are hashable, and the caller's list may change."""

    @opgrad.op
    def keep(x, *, axes=()):
        return x

    y = keep(opgrad.Value(1.0), axes=[0, 1])

    assert y.attributes["axes"] == (0, 1)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("a", "float"), (True, "float"), (None, "float"), (1.0j, "float")],
)
def test_an_attribute_of_the_wrong_type_is_refused(value, kind):
    """Its default says which type it has."""
    op = opgrad.op(attributed)

    with pytest.raises(CallError, match=f"attribute 'beta' of local.attributed .* is a {kind}"):
        op(1.0, beta=value)


@pytest.mark.parametrize("value", [2, 2.0, np.float64(2.0), np.float32(2.0), np.int64(2)], ids=repr)
def test_any_real_number_fits_an_attribute_whose_default_is_one(value):
    """Whole numbers and NumPy's scalars: what `len`, `mean` and `argmax` return."""
    assert opgrad.op(attributed)(3.0, beta=value) == 6.0


def test_a_value_as_attribute_is_refused():
    """Attributes are never differentiated; the error says so."""
    with pytest.raises(CallError, match=r"attributes are .* never differentiated"):
        opgrad.op(attributed)(1.0, beta=opgrad.Value(2.0))


def test_an_attribute_without_default_is_required():
    """The error shows the whole call."""
    op = opgrad.op(name="power")(lambda x, *, n: x**n)

    with pytest.raises(CallError, match=re.escape("needs the attribute 'n': power(x, *, n)")):
        op(2.0)


def test_an_adapter_turns_any_call_into_operands_and_attributes():
    """Where a call's arguments are not that already."""
    op = opgrad.op(linear="jointly", name="total")(lambda *xs, times=1.0: times * sum(xs))

    @op.arguments
    def total_arguments(values, times=1):
        return tuple(values), {"times": times}

    assert op([1.0, 2.0], 3) == 9.0


def test_the_attributes_an_adapter_returns_are_checked_too():
    """They are attributes like any other."""
    op = opgrad.op(name="scale")(lambda x, *, beta=1.0: beta * x)
    op.arguments(lambda x, beta: ((x,), {"beta": beta}))

    with pytest.raises(CallError, match="attribute 'beta'"):
        op(1.0, "two")


# -- what an op says of itself --------------------------------------------------------------------


def test_repr_has_name_provider_and_place():
    """Here: it was defined in this file, and no plugin brought it."""
    text = repr(opgrad.op(unary))

    assert re.fullmatch(
        r"<op local\.unary \(defined here, not in a plugin\) at .*test_op\.py:\d+>", text
    )


def test_repr_of_a_registered_op_has_distribution_and_version():
    """Provenance, as in every error."""
    assert f"<op core.sin (opgrad {opgrad.__version__}) at " in repr(ops.sin)


def test_the_signature_is_the_call_as_one_writes_it():
    """For people, and for `inspect`, which `grad` by name reads."""
    op = opgrad.op(attributed)

    assert op.signature == "attributed(x, *, beta=1.0, mode='soft')"
    assert list(inspect.signature(op).parameters) == ["x", "beta", "mode"]


def test_the_docstring_is_that_of_the_forward():
    """Formula and source."""
    assert opgrad.op(unary).documentation == "A forward of one operand."


def test_documentation_of_several_lines_has_no_indentation_of_the_code():
    """`opgrad show` prints it as it is."""

    def cube(x):
        """x^3.

        Source: Euclid.
        """
        return x * x * x

    assert opgrad.op(cube).documentation == "x^3.\n\nSource: Euclid."


def test_the_symbol_is_the_operator_or_the_name():
    """Unless one is given."""
    found = [opgrad.op(**k)(binary).symbol for k in ({}, {"operator": "*"}, {"symbol": "times"})]

    assert found == ["binary", "*", "times"]


def test_an_op_is_hashed_and_compared_by_identity():
    """Two of one name are two ops."""
    one, other = opgrad.op(unary), opgrad.op(unary)

    assert len({one, other, one}) == 2


# -- samples --------------------------------------------------------------------------------------


def test_a_sample_keeps_operands_and_attributes():
    """Lists stand for arrays, so that no array library is needed."""
    sample = opgrad.sample([1.0, 2.0], 3.0, axis=0)

    assert (sample.operands, sample.attributes) == (([1.0, 2.0], 3.0), {"axis": 0})


def test_uniform_fills_a_shape_with_numbers_of_an_interval():
    """As nested lists."""
    table = np.array(opgrad.uniform((3, 4), low=1.0, high=2.0))

    assert table.shape == (3, 4)
    assert 1.0 <= table.min() <= table.max() < 2.0


def test_uniform_gives_the_same_in_every_run():
    """And something else for another seed."""
    assert opgrad.uniform((2,)) == opgrad.uniform((2,)) != opgrad.uniform((2,), seed=1)


def test_uniform_of_no_axes_is_a_number():
    """And of an empty shape an empty list."""
    assert (type(opgrad.uniform(())), opgrad.uniform((0, 3))) == (float, [])
