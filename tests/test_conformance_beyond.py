# ruff: noqa: D103 -- the texts beside the ops say what is wrong of them
"""The conformance suite where no sample leads: what it finds there, and what it must not blame.

The samples are the author's, and so is what they forget. Every wrong op below is right at each of
its samples. The right ones are hard to tell from wrong ones by differences: steep, wild, flat, full
of jumps, with poles, or of a domain that no interval describes.
"""

import math

import pytest

import opgrad
from opgrad import sample, shape, uniform
from opgrad.testing import check_op
from opgrad.testing.checks.coverage import COVERAGE
from opgrad.testing.outcomes import FAILED, PASSED, SKIPPED
from opgrad.testing.slopes import judge

SQUARE = uniform((3, 3))
MATRIX = uniform((2, 3))


def found(op):
    """The checks that an op fails; `pickling` apart, which wants it at the top of a module."""
    return {it.check for it in check_op(op).outcomes if it.status == FAILED} - {"pickling"}


SAMPLES = (sample(0.5), sample(-3.0), sample(MATRIX))


def elementwise(forward, *derivatives, samples=SAMPLES, **more):
    """An op of a forward and a derivative for each of its operands."""
    op = opgrad.elementwise(name="tried", samples=samples, **more)(forward)
    for operand, derivative in zip(op.operands, derivatives, strict=True):
        op.derivative(operand)(derivative)

    return op


def whole(forward, backward, *samples, **more):
    """An op of a forward and a backward for all of its operands."""
    op = opgrad.op(name="tried", samples=samples, **more)(forward)
    op.backward(backward)

    return op


# -- wrong, but not at a sample -------------------------------------------------------------------


def far(xp, x):
    return xp.where(x > 5.0, xp.divide(2.0, x), xp.divide(2.0 * x, 1.0 + x * x))


def at_zero(xp, x):
    return xp.cos(x) + xp.where(x == 0.0, xp.ones_like(x), xp.zeros_like(x))


def within(xp, x):
    return xp.where((x > 3.2) & (x < 4.7), xp.sin(x), xp.cos(x))


def no_logarithm(xp, x):
    return xp.divide(1.0, x + 1e-12)


def not_beside_a_kink(xp, x):
    return xp.where(x > 1.0, xp.ones_like(x), xp.where(x == 1.0, 2.0, xp.zeros_like(x)))


def nan_between(xp, x):
    return xp.where(xp.abs(x - 4.0) < 1.0, math.nan, xp.cos(x))


ELEMENTWISE = {
    "far out": elementwise(lambda xp, x: xp.log1p(x * x), far),
    "at 0": elementwise(lambda xp, x: xp.sin(x), at_zero),
    "in between": elementwise(lambda xp, x: xp.sin(x), within),
    "NaN in between": elementwise(lambda xp, x: xp.sin(x), nan_between),
    "beside the edge": elementwise(
        lambda xp, x: xp.log(x),
        no_logarithm,
        domain=(0.0, math.inf),
        samples=(sample(0.5), sample(3.0)),
    ),
    "at a kink that is not declared": elementwise(
        lambda xp, x: xp.maximum(x, 1.0), not_beside_a_kink
    ),
    "where both are negative": elementwise(
        lambda a, b: a * b * b,
        lambda b: b * b,
        lambda xp, a, b: 2.0 * xp.abs(a) * b,
        samples=(sample(0.5, 2.0), sample([1.0, 2.0], -0.5)),
    ),
    "where they are equal": elementwise(
        lambda a, b: (a - b) ** 3,
        lambda xp, a, b: 3.0 * (a - b) ** 2 + xp.where(a == b, xp.ones_like(a - b), 0.0 * (a - b)),
        lambda a, b: -3.0 * (a - b) ** 2,
        samples=(sample(0.5, 2.0), sample([1.0, 2.0], [3.0, -1.0])),
    ),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_derivative_that_is_wrong_away_from_the_samples_is_found(name):
    """All over the domain, along each operand, wherever the others are."""
    assert "domain" in found(ELEMENTWISE[name])
    assert not {"backward", "forward"} & found(ELEMENTWISE[name])


def rows_for_columns(xp, g, x):
    return xp.ones_like(x) * g / float(shape(x)[1])


def counted_from_the_front(xp, g, x, *, axis):
    return 2.0 * x * xp.expand_dims(g, axis=max(axis, 0))


def kept_axes_turned(xp, g, x, *, axis, keepdims):
    return 2.0 * x * (xp.matrix_transpose(g) if keepdims else xp.expand_dims(g, axis=axis))


def last_axis_alone(xp, g, y):
    return y * (g - xp.sum(g * y, axis=-1, keepdims=True))


def softmax(xp, x, *, axis=-1):
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return e / xp.sum(e, axis=axis, keepdims=True)


def mean_of_all(*xs):
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    return total / float(len(xs))


def weighted(xp, x, w=None):
    return xp.sum(x * x) if w is None else xp.sum(w * x * x)


def weighted_backward(g, x, w):
    if w is None:
        return g * x, None
    return 2.0 * g * w * x, g * x * x


def second_axis(xp, g):
    return g - xp.mean(g, axis=min(1, len(shape(g)) - 1), keepdims=True)


def not_for_one(xp, g, x):
    return x * g[0] if shape(g) == (1,) else 2.0 * x * xp.expand_dims(g, axis=1)


def by_division(xp, g, x, y):
    return xp.flip(xp.cumulative_sum(xp.flip(g * y))) / x


def fails_on_nothing(xp, g, x):
    return 2.0 * g * x + 0.0 * xp.max(x)


def any_mask(g, x):
    return 2.0 * g * x


def at_its_place(xp, g, x, i):
    return xp.stack([g if k == i else 0.0 * g for k in range(shape(x)[0])]), None


def first_of_a_batch(xp, g, a, x):
    row = x[0] if len(shape(x)) == 2 else x
    return xp.expand_dims(g, axis=-1) * row, xp.sum(xp.expand_dims(g, axis=-1) * a, axis=-2)


CALLS = {
    "a square alone": whole(
        lambda xp, x: xp.mean(x, axis=0), rows_for_columns, sample(SQUARE), sample(uniform((2, 2)))
    ),
    "an axis from the front alone": whole(
        lambda xp, x, *, axis=0: xp.sum(x * x, axis=axis),
        counted_from_the_front,
        sample(SQUARE, axis=0),
        sample(SQUARE, axis=1),
    ),
    "axes that go alone": whole(
        lambda xp, x, *, axis=-1, keepdims=False: xp.sum(x * x, axis=axis, keepdims=keepdims),
        kept_axes_turned,
        sample(SQUARE, axis=0),
        sample(SQUARE),
    ),
    "the axis that is the default": whole(softmax, last_axis_alone, sample(SQUARE), sample(MATRIX)),
    "three operands": whole(
        mean_of_all,
        lambda g, xs: (g / 3.0,) * len(xs),
        sample([1.0, 2.0], [2.0, 1.0], [0.5, 0.25]),
    ),
    "no operand left out": whole(weighted, weighted_backward, sample([1.0, 2.0], [0.5, 3.0])),
    "two axes": whole(
        lambda xp, x: x - xp.mean(x, axis=-1, keepdims=True),
        second_axis,
        sample(MATRIX),
        sample(uniform((4, 2))),
    ),
    "more than one row": whole(
        lambda xp, x: xp.sum(x * x, axis=1), not_for_one, sample(MATRIX), sample(uniform((4, 2)))
    ),
    "a number that is the default": whole(
        lambda xp, x, *, scale=1.0: xp.tanh(scale * x),
        lambda g, y: g * (1.0 - y * y),
        sample([0.5, -3.0]),
    ),
    "no number that is 0": whole(
        lambda xp, x: xp.cumulative_prod(x), by_division, sample([1.0, -2.0, 0.5])
    ),
    "something": whole(lambda xp, x: xp.sum(x * x), fails_on_nothing, sample([1.0, 2.0])),
    "a mask that is true": whole(
        lambda xp, x, mask: xp.where(mask, x * x, x),
        lambda g, x: (2.0 * g * x, None),
        sample([1.0, 2.0], [True, True]),
        nondiff="mask",
    ),
    "an index from the front": whole(
        lambda x, i: x[i],
        lambda xp, g, x, i: (
            xp.stack([g if k == i else 0.0 * g for k in range(shape(x)[0])]),
            None,
        ),
        sample([1.0, 2.0, 4.0], 1),
        nondiff="i",
        linear=True,
    ),
    "a start from the front": whole(
        lambda x, *, start=0: x[start:],
        lambda xp, g, x, *, start: xp.concat(
            [xp.zeros_like(x)[: max(start, 0)], g, xp.zeros_like(x)[max(start, 0) + shape(g)[0] :]]
        ),
        sample([1.0, 2.0, 4.0], start=1),
        linear=True,
    ),
    "the first of a batch": whole(
        lambda xp, a, x: xp.sum(a * xp.expand_dims(x, axis=-2), axis=-1),
        first_of_a_batch,
        sample(MATRIX, [1.0, -2.0, 0.5]),
        broadcasts=True,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_gradient_that_is_right_for_what_the_samples_are_alone_is_found(name):
    """The forward takes other axes, lengths, counts and numbers, too."""
    assert found(CALLS[name]) == {"calls"}


def test_what_is_wrong_at_a_sample_is_told_once():
    """By `backward`: nothing is learnt from the same elsewhere."""
    op = elementwise(lambda xp, x, *, k=1.0: xp.sin(k * x), lambda xp, x: 2.0 * xp.cos(x))
    outcomes = [it for it in check_op(op).outcomes if it.check in {"domain", "calls"}]

    assert "backward" in found(op)
    assert [it.status for it in outcomes] == [SKIPPED, SKIPPED]
    assert {it.reason for it in outcomes} == {
        "at a sample the derivative is wrong already: see `backward` and `forward`"
    }


def test_a_call_that_is_refused_is_none():
    """By the forward; or by a rule, for what the op does not offer."""

    def vector(xp, x):
        if len(shape(x)) != 1:
            raise ValueError("a vector is wanted")
        return xp.sum(x * x)

    def pairs(g, x):
        if shape(x)[0] % 2:
            raise ValueError("an even number of entries is wanted")
        return 2.0 * g * x

    assert found(whole(vector, lambda g, x: 2.0 * g * x, sample([1.0, 2.0]))) == set()
    assert found(whole(lambda xp, x: xp.sum(x * x), pairs, sample([1.0, 2.0]))) == set()


# -- what no sample tries -------------------------------------------------------------------------


def test_an_attribute_of_one_value_alone_is_named():
    """A flag, a word, a whole number: what it does to the derivative is not known."""

    def run(xp, x, *, reverse=False, power=2, axis=-1, scale=1.0):
        y = scale * xp.cumulative_sum(x**power, axis=axis)
        return -y if reverse else y

    op = opgrad.composite(name="tried", samples=(sample([1.0, 2.0]), sample(MATRIX)))(run)
    (outcome,) = [it for it in check_op(op).outcomes if it.check == COVERAGE]

    assert outcome.status == SKIPPED
    assert outcome.reason == (
        "no sample has another value than reverse=False, power=2: of others nothing is known"
    )


def test_attributes_that_the_samples_vary_are_covered():
    """By the default and another, or by two others where there is no default."""

    def picked(xp, x, *, n, reverse=False):
        return xp.flip(x)[:n] if reverse else x[:n]

    samples = (sample([1.0, 2.0], n=1), sample([1.0, 2.0], n=2, reverse=True))
    op = opgrad.composite(name="tried", samples=samples)(picked)

    assert [it.status for it in check_op(op).outcomes if it.check == COVERAGE] == [PASSED]


# -- right, and hard to tell ----------------------------------------------------------------------

RIGHT = {
    "steep": elementwise(
        lambda xp, x: xp.tanh(1e4 * x),
        lambda y: 1e4 * (1.0 - y * y),
        samples=(sample(0.5), sample(1e-4), sample([-1e-5, 0.0, 2e-4])),
    ),
    "fast": elementwise(
        lambda xp, x: xp.sin(1000.0 * x), lambda xp, x: 1000.0 * xp.cos(1000.0 * x)
    ),
    "ever faster": elementwise(
        lambda xp, x: xp.sin(x**3), lambda xp, x: 3.0 * x * x * xp.cos(x**3)
    ),
    "faster than numbers are": elementwise(
        lambda xp, x: xp.sin(xp.exp(x)),
        lambda xp, x: xp.exp(x) * xp.cos(xp.exp(x)),
        domain=(-math.inf, 11.0),
    ),
    "wild at the edge": elementwise(
        lambda xp, x: x * xp.sin(xp.divide(1.0, x)),
        lambda xp, x: xp.sin(xp.divide(1.0, x)) - xp.divide(xp.cos(xp.divide(1.0, x)), x),
        domain=(0.0, math.inf),
        samples=(sample(0.5), sample([0.1, 2.0])),
    ),
    "nearly flat": elementwise(
        lambda xp, x: 1e-7 * xp.tanh(x), lambda xp, x: 1e-7 * (1.0 - xp.tanh(x) ** 2)
    ),
    "nearly flat, high up": elementwise(
        lambda xp, x: 1e3 + 1e-4 * xp.sin(x), lambda xp, x: 1e-4 * xp.cos(x)
    ),
    "large": elementwise(lambda x: 1e100 * x * x, lambda x: 2e100 * x),
    "a jump everywhere": elementwise(
        lambda xp, x: x - xp.floor(x),
        lambda xp, x: xp.ones_like(x),
        samples=(sample(0.5), sample(-3.3)),
    ),
    "a kink everywhere": elementwise(
        lambda xp, x: xp.abs(x - 2.0 * xp.round(x / 2.0)),
        lambda xp, x: xp.sign(x - 2.0 * xp.round(x / 2.0)),
        samples=(sample(0.3), sample(4.2)),
    ),
    "a step": elementwise(
        lambda xp, x: xp.where(x > 0.0, xp.ones_like(x), xp.zeros_like(x)),
        lambda xp, x: xp.zeros_like(x),
    ),
    "a pole": elementwise(
        lambda xp, x: xp.divide(1.0, x - 1.0),
        lambda y: -y * y,
        samples=(sample(0.5), sample(-3.0)),
    ),
    "a wall": elementwise(
        lambda xp, x: xp.cbrt(x),
        lambda xp, y: xp.divide(1.0, 3.0 * y * y),
        samples=(sample(0.5), sample(-8.0)),
    ),
    "a slow wall": elementwise(
        lambda xp, x: xp.xlogy(x, xp.abs(x)),
        lambda xp, x: 1.0 + xp.log(xp.abs(x)),
        samples=(sample(0.5), sample(-8.0)),
    ),
    "digits lost in the value": elementwise(
        lambda xp, x: 1.0 - xp.cos(x),
        lambda xp, x: xp.sin(x),
        samples=(sample(0.5), sample(1e-5)),
        expected_failures={"float32": "the value loses its digits"},
    ),
    "a domain of both": elementwise(
        lambda xp, a, b: xp.sqrt(a - b),
        lambda xp, y: xp.divide(0.5, y),
        lambda xp, y: xp.divide(-0.5, y),
        samples=(sample(5.0, 1.5), sample([4.0, 3.0], [1.0, -2.0])),
    ),
    "a domain by an attribute": elementwise(
        lambda xp, x, *, shift=0.0: xp.log(x + shift),
        lambda xp, x, *, shift: xp.divide(1.0, x + shift),
        domain=(0.0, math.inf),
        samples=(sample(0.5), sample(4.0, shift=-1.0)),
    ),
    "a scale that may be tiny": elementwise(
        lambda xp, x, s: xp.exp(-0.5 * xp.divide(x, s) ** 2),
        lambda xp, x, s, y: xp.divide(-y * xp.divide(x, s), s),
        lambda xp, x, s, y: xp.divide(y * xp.divide(x, s) ** 2, s),
        domain={"s": (0.0, math.inf)},
        samples=(sample(0.5, 1.0), sample([1.0, -2.0], 2.0)),
        expected_failures={"edges": "at a scale of 0 the derivative is 0/0"},
    ),
    "an order among the operands": elementwise(
        lambda xp, x, low, high: xp.minimum(xp.maximum(x, low), high),
        lambda xp, x, low, high: _ones(xp, (x >= low) & (x <= high), x + low + high),
        lambda xp, x, low, high: _ones(xp, (x < low) & (low <= high), x + low + high),
        lambda xp, x, low, high: _ones(xp, (x > high) | (low > high), x + low + high),
        samples=(sample(0.5, -1.0, 1.0), sample([3.0, -2.0, 0.1], -1.0, 1.0)),
    ),
    "a median": opgrad.composite(name="tried", samples=(sample([3.0, 1.0, 2.0]),))(
        lambda xp, x: xp.sort(x, axis=0)[1]
    ),
    "a symmetric matrix": whole(
        lambda xp, x, a: xp.sum(x * xp.matmul(a, x)),
        lambda xp, g, x, a: (2.0 * g * xp.matmul(a, x), g * xp.expand_dims(x, axis=-1) * x),
        sample([1.0, -2.0], [[2.0, 1.0], [1.0, 3.0]]),
    ),
    "a window": opgrad.composite(name="tried", samples=(sample([1.0, 2.0, -1.0], [0.5, 1.0]),))(
        lambda xp, x, k: xp.stack([xp.sum(x[:2] * k), xp.sum(x[1:3] * k)])
    ),
}


def _ones(xp, where, like):
    return xp.where(where, xp.ones_like(like), xp.zeros_like(like))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_op_that_is_hard_to_tell_is_not_blamed(name):
    """No check says more than it can see."""
    assert found(RIGHT[name]) == set()


def test_a_slope_below_the_rounding_of_what_it_was_computed_from_is_not_seen():
    """`log(1 + e^x)` far below 0 stands still, or moves by steps of the spacing at 1."""

    def line(distance):
        change = math.log(1.0 + math.exp(-30.0 + distance)) - math.log(1.0 + math.exp(-30.0))
        return distance, change, math.exp(-30.0)

    right = judge(math.exp(-30.0), line, at=-30.0, eps=2.2e-16, tolerance=1e-7)
    wrong = judge(1e-9, line, at=-30.0, eps=2.2e-16, tolerance=1e-7)

    assert (right.fits, right.seen) == (True, False)
    assert not wrong.fits


def test_a_small_slope_is_seen_where_the_function_is_as_small():
    """Twice the derivative of 1e-12 tanh x is no rounding error."""

    def line(distance):
        change = 1e-12 * (math.tanh(0.5 + distance) - math.tanh(0.5))
        return distance, change, 1e-12

    slope = 1e-12 * (1.0 - math.tanh(0.5) ** 2)

    assert judge(slope, line, at=0.5, eps=2.2e-16, tolerance=1e-7).fits
    assert not judge(2.0 * slope, line, at=0.5, eps=2.2e-16, tolerance=1e-7).fits
