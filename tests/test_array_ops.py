"""The built-in array ops: reductions, linear algebra, manipulation, indexing, sorting, sums.

Every sample of every op goes through the same checks, beside NumPy and finite differences; the
edges that `docs` promise (ties, zeros, infinities, empties, repeated indices) have their own.
"""

import math

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.ops import (
    contractions,
    cumulative,
    indexing,
    linear_algebra,
    manipulation,
    rearranging,
    reductions,
    sorting,
)
from opgrad.value import Value

FAMILIES = (
    reductions,
    linear_algebra,
    manipulation,
    indexing,
    sorting,
    cumulative,
    rearranging,
    contractions,
)
ARRAY_OPS = [op for family in FAMILIES for op in family.opgrad_ops()]


@attrs.frozen(eq=False)
class Case:
    """One sample of one op, as functions of flat vectors: what finite differences need."""

    op: object
    operands: tuple
    attributes: dict
    name: str

    @property
    def places(self):
        """Where the differentiable operands are."""
        names = self.op.operands or (self.op.variadic,) * len(self.operands)

        return [
            i
            for i, (name, x) in enumerate(zip(names, self.operands, strict=False))
            if name not in self.op.nondiff and np.asarray(x).dtype.kind == "f"
        ]

    @property
    def points(self):
        """The differentiable operands."""
        return tuple(self.operands[i] for i in self.places)

    def __call__(self, *points):
        """The outputs, as a tuple, for these differentiable operands."""
        operands = list(self.operands)
        for place, point in zip(self.places, points, strict=True):
            operands[place] = point
        outputs = self.op(*operands, **self.attributes)

        return outputs if isinstance(outputs, tuple) else (outputs,)

    def projected(self, *points):
        """The outputs as one number: each times fixed random weights, summed."""
        generator = np.random.default_rng(7)
        total = 0.0
        for output in self(*points):
            weights = generator.normal(size=ops_shape(output))
            weighted = output * (weights if ops_shape(output) else float(weights))
            total = total + ops.sum(weighted)

        return total


def ops_shape(x):
    """The shape of data or of a Value; () for a float."""
    return getattr(x, "shape", ())


def as_data(operand):
    """Nested lists as arrays: an empty one holds floats."""
    return np.array(operand, dtype=None if operand else float) if type(operand) is list else operand


def cases(op):
    """One case for each sample."""
    return [
        Case(op, tuple(map(as_data, s.operands)), dict(s.attributes), f"{op.name}-{number}")
        for number, s in enumerate(op.samples)
    ]


ALL_CASES = [case for op in ARRAY_OPS for case in cases(op)]


def is_smooth(case):
    """Whether a finite difference is a derivative there."""
    repeated = len(np.unique(case.operands[0])) < np.size(case.operands[0])
    tied = case.op.name in {"max", "min", "unique_values"} and repeated

    return not tied


DIFFERENTIABLE = [c for c in ALL_CASES if c.op.differentiable and c.places and is_smooth(c)]
TWICE = [c for c in DIFFERENTIABLE if c.op.name != "std" or c.name != "std-4"]


def by_name(all_cases):
    """Run a test for each case, under its name."""
    return pytest.mark.parametrize("case", all_cases, ids=[c.name for c in all_cases])


def direction(points, seed=3):
    """Random directions, one for each point."""
    generator = np.random.default_rng(seed)

    return tuple(
        generator.normal(size=x.shape) if isinstance(x, np.ndarray) else float(generator.normal())
        for x in points
    )


def moved(points, directions, step):
    """The points, a step along the directions."""
    return tuple(x + step * d for x, d in zip(points, directions, strict=True))


def inner(left, right):
    """The inner product of two tuples of arrays."""
    return sum(float(np.sum(np.asarray(a) * b)) for a, b in zip(left, right, strict=True))


def gradients(f, points):
    """The gradient in each argument."""
    return opgrad.grad(f, argnums=tuple(range(len(points))))(*points)


def slope(f, points, directions, step=1e-5):
    """The central difference of a number along a direction."""
    ahead = f(*moved(points, directions, step))
    behind = f(*moved(points, directions, -step))

    return float(ahead - behind) / (2.0 * step)


# ------------------------------------------------------------------------- for every op and sample

REFERENCES = {
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "var": np.var,
    "std": np.std,
    "all": np.all,
    "any": np.any,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "matmul": np.matmul,
    "outer": np.outer,
    "matrix_transpose": lambda x: np.swapaxes(x, -1, -2),
    "permute_dims": np.transpose,
    "transpose": np.transpose,
    "reshape": np.reshape,
    "ravel": np.ravel,
    "expand_dims": np.expand_dims,
    "squeeze": np.squeeze,
    "broadcast_to": np.broadcast_to,
    "concat": lambda *xs, axis=0: np.concatenate(xs, axis=axis),
    "stack": lambda *xs, axis=0: np.stack(xs, axis=axis),
    "split": lambda x, sections, axis=0: np.split(x, sections, axis=axis),
    "zeros_like": np.zeros_like,
    "ones_like": np.ones_like,
    "full_like": np.full_like,
    "take": np.take,
    "take_along_axis": np.take_along_axis,
    "unique_values": np.unique,
    "isin": np.isin,
    "nonzero": lambda x: list(np.nonzero(x)),
    "count_nonzero": np.count_nonzero,
    "flip": np.flip,
    "roll": np.roll,
    "moveaxis": np.moveaxis,
    "swapaxes": np.swapaxes,
    "repeat": np.repeat,
    "pad": np.pad,
    "tril": np.tril,
    "triu": np.triu,
    "unstack": lambda x, axis=0: list(np.unstack(x, axis=axis)),
    "broadcast_arrays": lambda *xs: list(np.broadcast_arrays(*xs)),
    "meshgrid": lambda *xs, indexing="xy": list(np.meshgrid(*xs, indexing=indexing)),
    "vecdot": np.vecdot,
    "tensordot": np.tensordot,
    "einsum": lambda *xs, subscripts: np.einsum(subscripts, *xs),
    "convolve": np.convolve,
}


def reference_logsumexp(x, *, axis=None, keepdims=False):
    """The formula itself, with a shift where it would overflow."""
    with np.errstate(over="ignore", divide="ignore"):
        naive = np.log(np.sum(np.exp(x - 700.0), axis=axis, keepdims=keepdims)) + 700.0
        small = np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))

    return np.where(np.isfinite(small), small, naive)


def reference_getitem(x, *arrays, key):
    """NumPy's own indexing."""
    template = [
        arrays[part.number] if isinstance(part, indexing.IndexArray) else part for part in key
    ]

    return x[tuple(template)]


def reference_sort(x, *, axis=-1, descending=False, stable=True):
    """Falling is rising, read from behind."""
    y = np.sort(x, axis=axis, stable=stable)

    return np.flip(y, axis=axis) if descending else y


def reference_argsort(x, *, axis=-1, descending=False, stable=True):
    """Falling is rising of the negative numbers."""
    return np.argsort(-x if descending else x, axis=axis, stable=stable)


def reference_searchsorted(x1, x2, sorter=None, *, side="left"):
    """NumPy's, which takes the sorter last."""
    return np.searchsorted(x1, x2, side, sorter)


def reference_diff(x, prepend=None, append=None, *, n=1, axis=-1):
    """NumPy's, which tells None from nothing."""
    given = {"prepend": prepend, "append": append}

    return np.diff(x, n, axis, **{name: end for name, end in given.items() if end is not None})


def reference_tile(x, *, repetitions):
    """NumPy's, by place."""
    return np.tile(x, repetitions)


def reference_unique_places(x):
    """The last three of NumPy's four."""
    return list(np.unique_all(x)[1:])


def run(accumulate, initial):
    """A running sum or product by NumPy's own, the initial entry set before it."""

    def reference(x, *, axis=None, include_initial=False):
        y = accumulate(x, axis=axis)
        if include_initial:
            axis = 0 if axis is None else axis
            shape = tuple(1 if i == axis % y.ndim else n for i, n in enumerate(y.shape))
            y = np.concatenate([np.full(shape, initial), y], axis=axis)

        return y

    return reference


REFERENCES |= {
    "logsumexp": reference_logsumexp,
    "getitem": reference_getitem,
    "sort": reference_sort,
    "argsort": reference_argsort,
    "searchsorted": reference_searchsorted,
    "diff": reference_diff,
    "tile": reference_tile,
    "unique_places": reference_unique_places,
    "cumulative_sum": run(np.cumsum, 0.0),
    "cumulative_prod": run(np.cumprod, 1.0),
}
TESTED_ELSEWHERE = {"astype", "logsumexp_weights", "getitem_transpose", "take_along_axis_transpose"}


def test_every_array_op_has_a_reference_or_a_test_of_its_own():
    """None slips through the checks below for want of an entry."""
    names = {op.name for op in ARRAY_OPS}

    assert names == set(REFERENCES) | TESTED_ELSEWHERE


def test_every_array_op_ships_samples():
    """An op without samples would be checked by nothing."""
    assert [op.name for op in ARRAY_OPS if not op.samples] == []


@by_name([c for c in ALL_CASES if c.op.name in REFERENCES])
def test_value_is_that_of_numpy(case):
    """Same numbers, same shape, on plain arrays and floats."""
    expected = REFERENCES[case.op.name](*case.operands, **case.attributes)
    actual = case.op(*case.operands, **case.attributes)

    if not isinstance(expected, list):
        expected, actual = [expected], [actual]
    for want, got in zip(expected, actual, strict=True):
        assert np.shape(want) == np.shape(got)
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=0)


@by_name(ALL_CASES)
def test_values_give_the_same_as_plain_data(case):
    """Recording changes no number."""
    plain = case.op(*case.operands, **case.attributes)
    wrapped = case.op(
        *(Value(x) if i in case.places else x for i, x in enumerate(case.operands)),
        **case.attributes,
    )

    plain, wrapped = (o if isinstance(o, tuple) else (o,) for o in (plain, wrapped))
    for want, got in zip(plain, wrapped, strict=True):
        assert np.array_equal(got.data if type(got) is Value else got, want)


@by_name(DIFFERENTIABLE)
def test_gradient_is_the_finite_difference(case):
    """Along a random direction, in all operands at once."""
    directions = direction(case.points)
    actual = inner(gradients(case.projected, case.points), directions)

    assert actual == pytest.approx(slope(case.projected, case.points, directions), abs=1e-8)


@by_name(DIFFERENTIABLE)
def test_gradient_has_the_shape_and_type_of_its_operand(case):
    """Floats get floats, arrays get arrays of their shape."""
    found = gradients(case.projected, case.points)

    for x, d in zip(case.points, found, strict=True):
        assert np.shape(d) == np.shape(x)
        assert np.asarray(d).dtype == np.asarray(x).dtype


@by_name(DIFFERENTIABLE)
def test_tangent_is_the_finite_difference(case):
    """Forward mode, along a random direction, in all operands at once."""
    directions = direction(case.points)
    _, actual = opgrad.jvp(case.projected, case.points, directions)

    assert float(actual) == pytest.approx(slope(case.projected, case.points, directions), abs=1e-8)


@by_name(DIFFERENTIABLE)
def test_forward_and_backward_mode_agree(case):
    """To the last digits: <gradient, direction> is the tangent."""
    directions = direction(case.points)
    _, tangent = opgrad.jvp(case.projected, case.points, directions)
    backward = inner(gradients(case.projected, case.points), directions)

    assert float(tangent) == pytest.approx(backward, rel=1e-12, abs=1e-13)


@by_name(TWICE)
def test_second_derivative_is_the_finite_difference_of_the_first(case):
    """Reverse over reverse: the gradient of a random projection of the gradient."""
    weights = direction(case.points, seed=5)

    def along(*points):
        found = gradients(lambda *xs: curved(case, *xs), points)

        return sum((ops.sum(d * w) for d, w in zip(found, weights, strict=True)), start=0.0)

    directions = direction(case.points, seed=6)
    actual = inner(gradients(along, case.points), directions)

    assert actual == pytest.approx(slope(along, case.points, directions), rel=1e-6, abs=1e-7)


@by_name(TWICE)
def test_second_derivative_is_the_same_in_every_mixture_of_modes(case):
    """Forward over reverse, reverse over forward, forward over forward: all agree."""
    first, second = direction(case.points, seed=5), direction(case.points, seed=6)

    def f(*points):
        return curved(case, *points)

    def pulled(*points):
        found = gradients(f, points)

        return sum((ops.sum(d * w) for d, w in zip(found, first, strict=True)), start=0.0)

    def pushed(*points):
        return opgrad.jvp(f, points, first)[1]

    expected = inner(gradients(pulled, case.points), second)
    mixtures = [
        opgrad.jvp(pulled, case.points, second)[1],
        inner(gradients(pushed, case.points), second),
        opgrad.jvp(pushed, case.points, second)[1],
    ]

    assert [float(m) for m in mixtures] == pytest.approx([expected] * 3, rel=1e-11, abs=1e-11)


COMPLEX = [
    case
    for family in (cumulative, rearranging, contractions)
    for op in family.opgrad_ops()
    for case in cases(op)
    if case.places and all(isinstance(x, np.ndarray) and x.size for x in case.points)
]


def turned(points, seed):
    """The points as complex numbers, with random imaginary parts."""
    return tuple(x + 1j * y for x, y in zip(points, direction(points, seed), strict=True))


@by_name(COMPLEX)
def test_complex_gradient_is_the_finite_difference(case):
    """Re Σ g·d is the slope of a real number along d: the convention of `numerics`."""
    points = turned(case.points, 11)
    directions = turned(direction(points, 12), 13)

    def real_part(*points):
        return ops.real(case.projected(*points))

    found = gradients(real_part, points)
    actual = sum(float(np.sum((g * d).real)) for g, d in zip(found, directions, strict=True))
    _, tangent = opgrad.jvp(real_part, points, directions)
    expected = slope(real_part, points, directions)

    assert all(g.dtype == np.complex128 for g in found)
    assert [actual, float(tangent)] == pytest.approx([expected] * 2, abs=1e-7)


def curved(case, *points):
    """A number that is curved in the outputs, so that linear ops have second derivatives."""
    generator = np.random.default_rng(8)
    total = 0.0
    for output in case(*points):
        weights = generator.normal(size=ops_shape(output))
        weighted = output * (weights if ops_shape(output) else float(weights))
        total = total + ops.sum(weighted * weighted * 0.5 + weighted)

    return total


@by_name(
    [
        c
        for c in DIFFERENTIABLE
        if any(isinstance(x, np.ndarray) for x in c.points) and "dtype" not in c.attributes
    ]
)
def test_float32_stays_float32(case):
    """Outputs and gradients; nothing in a rule promotes, but where a dtype is asked for."""
    points = tuple(x.astype(np.float32) if isinstance(x, np.ndarray) else x for x in case.points)
    operands = [
        x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x
        for x in case.operands
    ]
    single = attrs.evolve(case, operands=tuple(operands))
    values = tuple(Value(x) for x in points)
    outputs = single(*values)
    total = sum((ops.sum(y) for y in outputs[1:]), start=ops.sum(outputs[0]))
    total.backward()

    assert {np.asarray(y.data).dtype for y in outputs} == {np.dtype(np.float32)}
    assert all(v.grad.dtype == np.float32 for v in values if isinstance(v.data, np.ndarray))


def test_nondifferentiable_ops_give_constants():
    """What has no derivative records nothing."""
    x = Value(np.array([[1.0, 2.0], [0.0, 3.0]]))
    results = [ops.argmax(x), ops.argmin(x, axis=0), x.any(), ops.all(x), ops.zeros_like(x)]

    assert not any(r.requires_grad for r in results)


# -------------------------------------------------------------------------------------- reductions


def grad_of(f, x):
    """The gradient at x, as nested lists."""
    return opgrad.grad(f)(np.array(x)).tolist()


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
        ([0.0, 0.0, 4.0], [0.0, 0.0, 0.0]),
        ([2.0, -math.inf], [-math.inf, 2.0]),
        ([5.0], [1.0]),
        ([], []),
    ],
)
def test_gradient_of_prod_is_the_product_of_the_others(x, expected):
    """Found without dividing, so zeros are entries like any other."""
    assert grad_of(ops.prod, x) == expected


def test_second_derivative_of_prod_is_right_with_zeros():
    """d²(xyz)/dydz = x, and so on, at (2, 0, 0)."""
    hessian = [
        grad_of(lambda x, i=i: opgrad.grad(ops.prod)(x)[i], [2.0, 0.0, 0.0]) for i in range(3)
    ]

    assert hessian == [[0.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 2.0, 0.0]]


@pytest.mark.parametrize("op", [ops.max, ops.min], ids=["max", "min"])
def test_ties_share_the_gradient_equally(op):
    """Per reduced slice; it sums to that of the output."""
    x = [[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]]

    assert grad_of(lambda v: ops.sum(op(v, axis=1)), x) == [[1 / 3] * 3] * 2


def test_entry_that_is_not_the_largest_gets_zero_from_an_infinite_gradient():
    """0 · inf does not arise: the derivative is exactly 0."""
    assert grad_of(lambda v: math.inf * ops.max(v), [1.0, 3.0]) == [0.0, math.inf]


def test_max_over_two_axes_shares_among_all_tied():
    """Ties are counted over all the axes that are reduced."""
    x = [[[3.0, 0.0], [3.0, 3.0]], [[1.0, 2.0], [0.0, 0.0]]]

    assert grad_of(lambda v: ops.sum(ops.max(v, axis=(1, 2))), x) == [
        [[1 / 3, 0.0], [1 / 3, 1 / 3]],
        [[0.0, 1.0], [0.0, 0.0]],
    ]


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([0.0, 0.0], [0.5, 0.5]),
        ([1000.0, 1000.0], [0.5, 0.5]),
        ([-1000.0, -1000.0], [0.5, 0.5]),
        ([0.0, -math.inf], [1.0, 0.0]),
        ([-math.inf, -math.inf], [0.5, 0.5]),
        ([0.0, math.inf], [0.0, 1.0]),
        ([math.inf, -math.inf, math.inf], [0.5, 0.0, 0.5]),
        ([3.0], [1.0]),
    ],
)
def test_gradient_of_logsumexp_sums_to_one_also_at_infinities(x, expected):
    """The finite limit where the formula has inf - inf."""
    assert grad_of(ops.logsumexp, x) == expected


def test_second_derivative_of_logsumexp_is_finite_beside_a_masked_entry():
    """-inf is how entries are masked: no NaN comes from them."""
    hessian = [
        grad_of(lambda x, i=i: opgrad.grad(ops.logsumexp)(x)[i], [0.0, -math.inf, 0.0])
        for i in range(3)
    ]

    assert hessian == [[0.25, 0.0, -0.25], [0.0, 0.0, 0.0], [-0.25, 0.0, 0.25]]


def test_logsumexp_does_not_overflow():
    """log(2·e^1000) = 1000 + log 2."""
    assert ops.logsumexp(np.array([1000.0, 1000.0])) == 1000.0 + math.log(2.0)


def test_std_at_zero_variance_has_gradient_zero():
    """A minimum, as a norm at 0; other columns are as they are."""
    x = [[2.0, 1.0], [2.0, 3.0]]

    assert grad_of(lambda v: ops.sum(ops.std(v, axis=0)), x) == [[0.0, -0.5], [0.0, 0.5]]


@pytest.mark.parametrize("op", [ops.var, ops.std], ids=["var", "std"])
def test_gradient_of_the_spread_of_complex_numbers_is_the_conjugate_one(op):
    """The convention of JAX for |z|²: df/d(real) - i·df/d(imaginary); forward mode agrees."""
    z, t = np.array([1.0 + 2.0j, 3.0 - 1.0j]), np.array([0.5 - 1.0j, 2.0j])
    d = opgrad.grad(op)(z)
    _, tangent = opgrad.jvp(op, (z,), (t,))
    step = 1e-6

    assert np.sum(d * t).real == pytest.approx(
        float(op(z + step * t) - op(z - step * t)) / (2.0 * step)
    )
    assert float(tangent) == pytest.approx(np.sum(d * t).real)


def test_variance_of_too_few_entries_is_nan_and_so_is_its_gradient():
    """One entry says nothing of the spread of others: correction 1 leaves 0 / 0."""
    with pytest.warns(RuntimeWarning):
        y, d = opgrad.value_and_grad(lambda v: ops.var(v, correction=1.0))(np.array([2.0]))

    assert math.isnan(y)
    assert math.isnan(d[0])


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "logsumexp"])
def test_python_float_reduces_to_itself_with_slope_one(name):
    """No array library is needed."""
    op = getattr(ops, name)

    assert opgrad.value_and_grad(op)(1.5) == (1.5, 1.0)


@pytest.mark.parametrize("name", ["var", "std"])
def test_python_float_has_no_spread(name):
    """One entry does not vary."""
    op = getattr(ops, name)

    assert opgrad.value_and_grad(op)(1.5) == (0.0, 0.0)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "logsumexp"])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_entry_in_any_shape_reduces_with_slope_one(name, shape):
    """0-d and size-1 arrays; the gradient keeps their shape."""
    d = opgrad.grad(getattr(ops, name))(np.full(shape, 1.5))

    assert (np.shape(d), float(np.sum(d))) == (shape, 1.0)


@pytest.mark.parametrize(("name", "identity"), [("sum", 0.0), ("prod", 1.0)])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_array_reduces_to_the_identity_with_an_empty_gradient(name, identity, shape):
    """There is nothing to add or multiply, and nothing to differentiate."""
    y, d = opgrad.value_and_grad(getattr(ops, name))(np.zeros(shape))

    assert (y, d.shape) == (identity, shape)


def test_reduction_over_no_axis_is_the_identity():
    """axis=() reduces nothing."""
    x = [[1.0, 2.0], [3.0, 4.0]]

    assert grad_of(lambda v: ops.sum(ops.sum(v, axis=()) * v), x) == [[2.0, 4.0], [6.0, 8.0]]


def test_reductions_are_methods_of_values():
    """v.sum(0), v.mean(axis=1), v.max(), ... as on arrays."""
    data = np.array([[1.0, 5.0], [2.0, 3.0]])
    v = Value(data)
    names = ["sum", "mean", "prod", "max", "min", "var", "std", "all", "any", "argmax", "argmin"]

    assert [getattr(v, n)(0).data.tolist() for n in names] == [
        getattr(data, n)(0).tolist() for n in names
    ]


# ---------------------------------------------------------------------------------- linear algebra


def test_gradient_of_a_matrix_product_is_the_textbook_one():
    """d tr(Gᵀ A B) = G Bᵀ and Aᵀ G."""
    generator = np.random.default_rng(0)
    a, b, g = (generator.normal(size=s) for s in ((2, 3), (3, 4), (2, 4)))
    da, db = opgrad.grad(lambda a, b: ops.sum(g * (a @ b)), argnums=(0, 1))(a, b)

    np.testing.assert_allclose(da, g @ b.T)
    np.testing.assert_allclose(db, a.T @ g)


@pytest.mark.parametrize("empty", [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,))])
def test_products_of_empty_matrices_have_gradients_of_their_shapes(empty):
    """A sum over nothing is 0."""
    a, b = map(np.zeros, empty)
    da, db = opgrad.grad(lambda a, b: ops.sum(a @ b), argnums=(0, 1))(a, b)

    assert (da.shape, db.shape) == empty


def test_plain_array_times_value_is_recorded():
    """The reflected operator: NumPy hands over to the Value."""
    w = Value(np.array([1.0, 2.0]))
    y = np.array([[3.0, 4.0]]) @ w
    y.backward(np.array([1.0]))

    assert w.grad.tolist() == [3.0, 4.0]


def test_transposes_are_properties_of_values():
    """v.T reverses all axes, v.mT exchanges the last two; a vector is its own transpose."""
    cube = Value(np.zeros((2, 3, 4)))
    vector = Value(np.zeros(3))

    assert (cube.T.shape, cube.mT.shape, vector.T.shape) == ((4, 3, 2), (2, 4, 3), (3,))


def test_transpose_takes_axes_one_by_one_or_as_a_tuple():
    """As arrays of NumPy do."""
    v = Value(np.zeros((2, 3, 4)))
    shapes = [v.transpose(1, 2, 0).shape, v.transpose((1, 2, 0)).shape, v.transpose().shape]

    assert shapes == [(3, 4, 2), (3, 4, 2), (4, 3, 2)]


# ------------------------------------------------------------------------------------ manipulation


def test_reshape_takes_lengths_one_by_one_or_as_a_tuple():
    """v.reshape(2, 3), v.reshape((2, 3)), v.reshape(-1)."""
    v = Value(np.arange(6.0))
    shapes = [v.reshape(2, 3).shape, v.reshape((3, 2)).shape, v.reshape([6, 1]).shape]

    assert [*shapes, v.reshape(2, -1).reshape(-1).shape] == [(2, 3), (3, 2), (6, 1), (6,)]


def test_concat_and_stack_take_a_list_of_arrays_and_values():
    """Plain arrays among them are constants."""
    v = Value(np.array([1.0, 2.0]))
    y = ops.sum(ops.concat([v, np.ones(1), v * 2.0]) * 3.0)
    z = ops.sum(ops.stack((v, v), axis=1)[:, 1])
    (y + z).backward()

    assert v.grad.tolist() == [10.0, 10.0]


def test_concat_of_one_array_that_is_no_list_is_refused():
    """NumPy would join its rows, another reader its entries: nobody can know."""
    with pytest.raises(opgrad.errors.CallError, match=r"concat.*list"):
        ops.concat(np.ones((2, 3)))


def test_concat_of_two_types_gives_each_its_own_gradient_type():
    """float32 stays float32 beside float64."""
    a, b = Value(np.ones(2, dtype=np.float32)), Value(np.ones(2))
    ops.sum(ops.concat([a, b])).backward()

    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)


def test_parts_of_a_split_that_are_not_used_count_as_zero():
    """Their gradients are filled with zeros of their shape."""
    assert grad_of(lambda v: ops.sum(ops.split(v, 3)[1]), [1.0, 2.0, 3.0]) == [0.0, 1.0, 0.0]


def test_split_and_concat_undo_each_other():
    """At any indices, empty parts included."""
    x = [1.0, 2.0, 3.0, 4.0]

    def there_and_back(v):
        return ops.sum(ops.concat(ops.split(v, (1, 1, 3))) * v)

    assert grad_of(there_and_back, x) == [2.0, 4.0, 6.0, 8.0]


def test_broadcast_gradient_is_summed_to_the_shape_it_came_from():
    """Every copy contributes."""
    assert grad_of(lambda v: ops.sum(ops.broadcast_to(v, (4, 2, 3))), [[1.0], [2.0]]) == [
        [12.0],
        [12.0],
    ]


def test_astype_gives_the_gradient_in_the_type_of_the_operand():
    """A float32 result of a float64 array has a float64 gradient."""
    v = Value(np.array([1.0, 2.0]))
    y = v.astype(np.float32)
    ops.sum(y * y).backward()

    assert (y.dtype, v.grad.dtype, v.grad.tolist()) == (np.float32, np.float64, [2.0, 4.0])


def test_full_like_differentiates_its_fill_value():
    """It stands in every entry."""
    d = opgrad.grad(lambda c: ops.sum(ops.full_like(np.zeros((2, 3)), c)))(2.0)

    assert d == 6.0


# ---------------------------------------------------------------------------------------- indexing

KEYS = {
    "int": 1,
    "negative": -1,
    "numpy-int": np.int64(1),
    "slice": slice(1, None),
    "step": slice(None, None, -2),
    "tuple": (1, 2),
    "none": (None, 1, Ellipsis),
    "ellipsis": (Ellipsis, 0),
    "array": np.array([0, 2, 2]),
    "two-arrays": (np.array([[0], [1]]), np.array([1, 3])),
    "apart": (np.array([0, 1]), slice(None), np.array([1, 1])),
    "list": [0, 0, 1],
    "list-in-tuple": (slice(None), [1, 1]),
    "mask": np.arange(24).reshape(3, 4, 2) % 5 == 0,
    "mask-of-rows": np.array([True, False, True]),
    "bool-list": [True, False, True],
    "mask-and-ints": (np.array([True, False, True]), np.array([1, 1])),
    "empty-array": np.array([], dtype=int),
    "nothing": (),
    "true": True,
    "0-d": np.array(2),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_any_key_of_numpy_picks_the_same_and_sends_gradients_back(key):
    """The gradient is the sum of the weights over the places that were picked."""
    data = np.random.default_rng(1).normal(size=(3, 4, 2))
    weights = np.random.default_rng(2).normal(size=data[key].shape)
    expected = np.zeros_like(data)
    np.add.at(expected, key, weights)
    v = Value(data)
    ops.sum(v[key] * weights).backward()

    assert np.array_equal(v[key].data, data[key])
    np.testing.assert_allclose(v.grad, expected)


def test_repeated_index_accumulates():
    """Picked three times: three times the gradient."""
    assert grad_of(lambda v: ops.sum(v[np.array([0, 1, 1, 1])]), [5.0, 6.0]) == [1.0, 3.0]


def test_repeated_index_accumulates_in_the_second_derivative():
    """Σ xᵢ³ over (0, 1, 1): second derivatives 6x and 12x."""
    index = np.array([0, 1, 1])

    def slopes(v):
        return opgrad.grad(lambda x: ops.sum(x[index] * x[index] * x[index]))(v)

    assert grad_of(lambda v: ops.sum(slopes(v)), [2.0, 3.0]) == [12.0, 36.0]


def test_index_may_be_a_constant_value():
    """What argmax gives is one."""
    v = Value(np.array([1.0, 7.0, 2.0]))
    v[ops.argmax(v)].backward()

    assert v.grad.tolist() == [0.0, 1.0, 0.0]


def test_mask_may_be_a_comparison():
    """v[v > 0] sums the positive entries."""
    assert grad_of(lambda v: ops.sum(v[v > 0.0]), [1.0, -2.0, 3.0]) == [1.0, 0.0, 1.0]


def test_true_and_one_are_different_keys():
    """Python holds True == 1; a template must not."""
    v = Value(np.arange(3.0))

    assert (v[True].shape, v[1].shape) == ((1, 3), ())


def test_key_by_keyword_is_the_same_key():
    """Arrays in it become operands too."""
    x = np.arange(6.0).reshape(3, 2)

    assert ops.getitem(x, key=(np.array([2, 0]), 1)).tolist() == [5.0, 1.0]


def test_new_axis_is_a_key():
    """v[None] is not a missing key."""
    assert Value(np.arange(3.0))[None].shape == (1, 3)


def test_template_is_hashable_and_prints():
    """Attributes are plain: a graph can be drawn, compared and exported."""
    y = Value(np.arange(6.0).reshape(2, 3))[:, np.array([0, 0])]
    key = y.attributes["key"]

    assert hash(key) == hash((indexing.Slice(), indexing.IndexArray(0)))
    assert len([o for o in y.operands if o is not None]) == 2


def test_take_along_axis_gathers_what_argmax_points_at():
    """max by hand: the same gradient as that of `max`."""
    x = [[1.0, 4.0], [3.0, 2.0]]

    def largest(v):
        places = ops.argmax(v, axis=1, keepdims=True)

        return ops.sum(ops.take_along_axis(v, places, axis=1))

    assert grad_of(largest, x) == [[0.0, 1.0], [1.0, 0.0]]


# --------------------------------------------------------------------------------- misuse is named

MISUSE = {
    "axis-too-large": (lambda v: ops.sum(v, axis=2), "core.sum"),
    "axis-twice": (lambda v: v.mean(axis=(0, 0)), "core.mean"),
    "inner-lengths": (lambda v: v @ np.ones((2, 2)), "core.matmul"),
    "reshape-size": (lambda v: v.reshape(4, 2), "core.reshape"),
    "broadcast": (lambda v: ops.broadcast_to(v, (2, 4)), "core.broadcast_to"),
    "squeeze": (lambda v: v.squeeze(axis=0), "core.squeeze"),
    "concat-ranks": (lambda v: ops.concat([v, np.ones(2)]), "core.concat"),
    "stack-shapes": (lambda v: ops.stack([v, np.ones(2)]), "core.stack"),
    "split-uneven": (lambda v: ops.split(v, 2, axis=1), "core.split"),
    "permutation": (lambda v: v.permute_dims((0, 0)), "core.permute_dims"),
    "index": (lambda v: v[5], "core.getitem"),
    "too-many-indices": (lambda v: v[0, 0, 0], "core.getitem"),
    "float-index": (lambda v: v[1.5], "core.getitem"),
    "string-index": (lambda v: v["a"], "core.getitem"),
    "five-arrays": (lambda v: v[(np.array([0]),) * 5], "four index arrays"),
    "take": (lambda v: ops.take(v, np.array([9]), axis=0), "core.take"),
    "axis-of-float": (lambda _: ops.sum(Value(2.0), axis=0), "core.sum"),
    "matmul-of-floats": (lambda _: Value(2.0) @ Value(3.0), "core.matmul"),
    "index-of-float": (lambda _: Value(2.0)[0], "core.getitem"),
    "axis-is-a-word": (lambda v: ops.sum(v, axis="x"), "core.sum"),
}


@pytest.mark.parametrize(("misuse", "told"), MISUSE.values(), ids=MISUSE.keys())
def test_misuse_names_the_op(misuse, told):
    """The error, with its notes, says which op refused."""
    v = Value(np.ones((2, 3)))

    with pytest.raises((TypeError, ValueError, IndexError)) as caught:
        misuse(v)
    assert told in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
