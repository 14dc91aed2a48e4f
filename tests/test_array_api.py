"""`opgrad.ops` as a namespace of the Array API standard, and Values as its arrays.

What the public conformance suite covers (names, dtypes, shapes, values, signatures) has a test here
for each thing that opgrad itself does, and derivatives have more: sums over products with zeros,
ties, every form of `einsum`. The samples of the ops go through `test_array_ops.py`.
"""

import inspect
import itertools
import subprocess
import sys

import array_api_strict
import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.errors import CallError, ConversionError, InPlaceError, OpgradError, UnknownOpError
from opgrad.value import Value

DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64", "complex64", "complex128",
]  # fmt: skip


ARITHMETIC = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift"
SPECIAL = (
    f"{ARITHMETIC} abs neg pos invert lt le eq ne gt ge getitem setitem bool int float complex "
    "index dlpack dlpack_device"
)


def fresh(program):
    """What another interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    return done.stdout.split()


# ------------------------------------------------------------------------------------------ names


def test_every_name_of_the_standard_is_there():
    """Functions, constants and dtypes; what is not of the standard itself is left out."""
    own = {name for name in array_api_strict.__all__ if "flags" in name.lower() or name == "Device"}
    names = set(array_api_strict.__all__) - own - {"__version__", "linalg", "fft"}

    assert {name for name in names if not hasattr(ops, name)} == set()


def test_every_method_and_attribute_of_an_array_is_there():
    """Operators with their reflected forms too; in-place ones are left to Python's rebinding."""
    array = vars(type(array_api_strict.ones(1)))
    names = {name for name in array if not name.startswith("_")} | {"__array_namespace__"}
    names |= {f"__{name}__" for name in SPECIAL.split()}
    names |= {f"__r{name}__" for name in ARITHMETIC.split()}

    assert {name for name in names if not hasattr(Value, name)} == set()


def test_dir_lists_ops_dtypes_constants_and_functions():
    """For completion in a notebook."""
    assert {"add", "float32", "pi", "zeros", "isdtype", "unique_all"} <= set(dir(ops))


def test_the_names_cost_no_numpy():
    """Constants, a list of all names and a misspelled one are had without it."""
    program = (
        "import sys, opgrad; ops = opgrad.ops; dir(ops); ops.pi; ops.add(1, 2); ops.newaxis\n"
        "print(hasattr(ops, 'sinn'), 'numpy' in sys.modules, ops.zeros(1).dtype)"
    )

    assert fresh(program) == ["False", "False", "float64"]


def test_without_numpy_an_array_says_what_to_install():
    """Instead of a missing module somewhere below."""
    program = (
        "import sys, opgrad; sys.modules['numpy'] = None\n"
        "try: opgrad.ops.zeros(2)\n"
        "except ImportError as error: print(error)"
    )

    assert "'opgrad[numpy]'" in fresh(program)


def test_an_unknown_name_is_still_an_unknown_op():
    """The nearest is named."""
    with pytest.raises(UnknownOpError, match="'sinh'"):
        _ = ops.sinhh


def test_a_plugin_cannot_take_a_name_of_the_standard():
    """`opgrad.ops.zeros` stays what it is."""
    with pytest.raises(OpgradError, match="reserved"):
        opgrad.load_plugin(object(), "zeros")


def test_ops_tell_their_signature():
    """Operands and attributes with their defaults, as help and editors show them."""
    assert list(inspect.signature(ops.sum).parameters) == ["x", "axis", "dtype", "keepdims"]


# ---------------------------------------------------------------------------------------- creation


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes_are_those_of_the_data(name):
    """`v.dtype == ops.float32`: they are NumPy's."""
    v = ops.zeros((2,), dtype=getattr(ops, name))

    assert v.dtype == getattr(ops, name)
    assert getattr(ops, name) is getattr(np, name)


CREATED = {
    "arange": (lambda xp: xp.arange(5), np.arange(5)),
    "arange-step": (
        lambda xp: xp.arange(1, 7, 2, dtype=xp.float32),
        np.arange(1, 7, 2, np.float32),
    ),
    "asarray": (lambda xp: xp.asarray([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]])),
    "asarray-dtype": (lambda xp: xp.asarray(2, dtype=xp.int8), np.array(2, np.int8)),
    "empty": (lambda xp: xp.empty((2, 0)), np.empty((2, 0))),
    "empty_like": (lambda xp: xp.empty_like(xp.zeros(0, dtype=xp.int8)), np.empty(0, np.int8)),
    "eye": (lambda xp: xp.eye(2, 3, k=1), np.eye(2, 3, k=1)),
    "full": (lambda xp: xp.full((2, 2), 7), np.full((2, 2), 7)),
    "full-dtype": (lambda xp: xp.full(3, 1, dtype=xp.complex64), np.full(3, 1, np.complex64)),
    "full_like": (lambda xp: xp.full_like(xp.ones(2), 3, dtype=xp.int8), np.full(2, 3, np.int8)),
    "linspace": (lambda xp: xp.linspace(0, 1, 5), np.linspace(0, 1, 5)),
    "linspace-open": (
        lambda xp: xp.linspace(0, 1, 4, endpoint=False, dtype=xp.float32),
        np.linspace(0, 1, 4, endpoint=False, dtype=np.float32),
    ),
    "ones": (lambda xp: xp.ones((2, 3), dtype=xp.uint8), np.ones((2, 3), np.uint8)),
    "ones_like": (lambda xp: xp.ones_like(xp.zeros(2), dtype=xp.bool), np.ones(2, bool)),
    "zeros": (lambda xp: xp.zeros(4), np.zeros(4)),
    "zeros_like": (lambda xp: xp.zeros_like(xp.ones(2), device="cpu"), np.zeros(2)),
}


@pytest.mark.parametrize(("make", "expected"), CREATED.values(), ids=CREATED.keys())
def test_what_is_made_is_a_constant_value_with_numpys_entries(make, expected):
    """Closed under the standard: functions of `ops` give arrays of `ops`, and no gradient."""
    v = make(ops)

    assert (type(v), v.requires_grad, v.dtype) == (Value, False, expected.dtype)
    np.testing.assert_array_equal(v.data, expected)


def test_lengths_may_be_constants():
    """As in `zeros(v.shape[0])` where a length was computed."""
    n = ops.count_nonzero(ops.asarray([1, 0, 2]))

    assert (ops.zeros((n, 1)).shape, ops.arange(n).shape) == ((2, 1), (2,))


def test_asarray_keeps_a_value():
    """Its history with it."""
    v = Value(np.ones(2))

    assert ops.asarray(v) is v
    assert ops.asarray(v, dtype=ops.float64, copy=False) is v


def test_asarray_of_a_value_in_another_dtype_is_differentiable():
    """A cast, as `astype`."""
    v = Value(np.array([1.0, 2.0]))
    ops.sum(ops.asarray(v, dtype=ops.float32) * 3.0).backward()

    assert (v.grad.dtype, v.grad.tolist()) == (np.float64, [3.0, 3.0])


def test_asarray_copies_where_it_is_told_to():
    """And not where it is not."""
    data = np.ones(2)
    shared, copied = ops.asarray(data), ops.asarray(data, copy=True)
    again = ops.asarray(shared, copy=True)
    data[0] = 5.0

    assert [v.data[0] for v in (shared, copied, again)] == [5.0, 1.0, 1.0]


@pytest.mark.parametrize("obj", [[1.0, 2.0], Value(np.ones(2))], ids=["list", "value"])
def test_asarray_that_may_not_copy_refuses_where_it_must(obj):
    """A list has no memory to share, another dtype neither."""
    with pytest.raises(ValueError, match="copy"):
        ops.asarray(obj, dtype=ops.float32, copy=False)


def test_asarray_of_values_in_lists_depends_on_them():
    """Numbers, arrays and plain numbers together."""

    def f(a, b):
        m = ops.asarray([[a, 2.0], [b[0], a * b[1]]])

        return ops.sum(m * np.array([[1.0, 10.0], [100.0, 1000.0]]))

    da, db = opgrad.grad(f, argnums=(0, 1))(3.0, np.array([4.0, 5.0]))

    assert (da, db.tolist()) == (5001.0, [100.0, 3000.0])


def test_asarray_of_constants_in_lists_is_a_constant():
    """Of their common dtype."""
    v = ops.asarray([ops.asarray(1, dtype=ops.int8), ops.asarray(2, dtype=ops.int8)])

    assert (v.dtype, v.data.tolist(), v.requires_grad) == (np.int8, [1, 2], False)


def test_asarray_of_a_python_number_that_is_a_value_keeps_its_gradient():
    """Also where it becomes an array."""
    d = opgrad.grad(lambda x: ops.sum(ops.asarray(x, dtype=ops.float32) * np.ones(3)))(2.0)

    assert d == 3.0


@pytest.mark.parametrize("fill", [2.0, np.array(2.0), np.float32(2.0)], ids=["float", "0-d", "np"])
def test_full_is_differentiable_in_what_fills_it(fill):
    """It stands in every entry."""
    y, d = opgrad.value_and_grad(lambda c: ops.sum(ops.full((2, 3), c)))(fill)

    assert (float(y), float(d), np.asarray(d).dtype) == (12.0, 6.0, np.asarray(fill).dtype)


def test_linspace_is_differentiable_in_its_ends():
    """Entry i moves by 1 - w with the start and w with the stop."""
    ends = opgrad.grad(lambda a, b: ops.linspace(a, b, 5)[1], argnums=(0, 1))(0.0, 1.0)
    rows = ops.linspace(Value(np.array([0.0, 1.0])), Value(np.array([4.0, 9.0])), 3)

    assert ends == (0.75, 0.25)
    assert rows.data.tolist() == [[0.0, 1.0], [2.0, 5.0], [4.0, 9.0]]


def test_arange_refuses_what_it_cannot_differentiate():
    """The length of an array is no smooth function."""
    with pytest.raises(ConversionError, match=r"arange.*stop_gradient"):
        ops.arange(0.0, Value(3.0))


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "arange", "asarray"])
def test_another_device_is_refused(name):
    """There is the CPU."""
    with pytest.raises(ValueError, match="'cpu', not on 'gpu'"):
        getattr(ops, name)(2, device="gpu")


# -------------------------------------------------------------------------------------- inspection


def test_result_type_is_numpys_with_weak_numbers():
    """Values, dtypes, arrays, Python numbers."""
    v = ops.zeros(2, dtype=ops.float32)

    assert ops.result_type(v, 2.0) == np.float32
    assert ops.result_type(v, ops.complex128) == np.complex128
    assert ops.result_type(np.zeros(1, np.int8), ops.uint8) == np.int16


def test_can_cast_isdtype_and_broadcast_shapes():
    """As in the standard; of arrays, their dtype counts."""
    assert ops.can_cast(ops.zeros(2, dtype=ops.int8), ops.int16)
    assert not ops.can_cast(ops.float64, ops.float32)
    assert ops.isdtype(ops.float32, ("integral", "real floating"))
    assert not ops.isdtype(ops.bool, "numeric")
    assert ops.broadcast_shapes((2, 1), (3,)) == (2, 3)


def test_limits_are_python_numbers():
    """The standard says so; NumPy gives its own."""
    info, integers = ops.finfo(ops.ones(1, dtype=ops.complex64)), ops.iinfo(ops.int8)

    assert [type(x) for x in info[:-1]] == [int, float, float, float, float]
    assert (info.dtype, info.eps, info.bits) == (np.float32, 2.0**-23, 32)
    assert (integers.min, integers.max, integers.bits, integers.dtype) == (-128, 127, 8, np.int8)


def test_the_namespace_describes_itself():
    """Devices, default dtypes, dtypes by kind."""
    info = ops.__array_namespace_info__()

    assert (info.devices(), info.default_device()) == (["cpu"], "cpu")
    assert info.default_dtypes()["real floating"] == ops.float64
    assert set(info.dtypes()) == set(DTYPES)
    assert set(info.dtypes(kind=("bool", "real floating"))) == {"bool", "float32", "float64"}
    assert len(info.dtypes(kind="integral")) == 8
    assert info.capabilities()["data-dependent shapes"]


# -------------------------------------------------------------------------------- the array object


def test_a_value_names_its_namespace():
    """The module itself, for this version of the standard and the older ones."""
    v = Value(2.0)

    assert v.__array_namespace__() is ops
    assert v.__array_namespace__(api_version="2022.12") is ops
    with pytest.raises(ValueError, match=r"'2030\.12'"):
        v.__array_namespace__(api_version="2030.12")


def test_device_and_to_device():
    """Numbers and NumPy arrays are on the CPU and stay there."""
    v = Value(np.ones(2))

    assert (v.device, Value(2.0).device, v.to_device("cpu") is v) == ("cpu", "cpu", True)
    with pytest.raises(ValueError, match="'gpu'"):
        v.to_device("gpu")
    with pytest.raises(ValueError, match="stream"):
        v.to_device("cpu", stream=1)


@pytest.mark.parametrize("data", [np.arange(3.0), np.float64(2.0)], ids=["array", "scalar"])
def test_constants_go_through_dlpack(data):
    """To other libraries and back."""
    v = ops.asarray(data)

    assert np.array_equal(np.from_dlpack(v), data)
    assert np.array_equal(ops.from_dlpack(v).data, data)
    assert v.__dlpack_device__()[0] == 1


def test_dlpack_of_a_value_that_wants_a_gradient_is_refused():
    """It would lose it."""
    with pytest.raises(ConversionError, match="stop_gradient"):
        np.from_dlpack(Value(np.ones(2)))


def test_operators_in_place_bind_the_name_anew():
    """The Value itself stays as it was, so its gradient is right."""
    v = w = Value(np.array([1.0, 2.0]))
    w += 1.0
    w *= 2.0
    w **= 2
    w @= np.array([1.0, 1.0])
    w.backward()

    assert (v.data.tolist(), float(w.data), v.grad.tolist()) == ([1.0, 2.0], 52.0, [16.0, 24.0])


def test_integers_shift_and_index():
    """`<<`, `>>`, and constants where Python wants an index."""
    v = ops.asarray([1, 2, 4])

    assert ((v << 1) >> 2).data.tolist() == [0, 1, 2]
    assert (1 << v).data.tolist() == [2, 4, 16]
    assert [10, 20, 30][v[1]] == 30


def test_entries_of_a_constant_can_be_assigned():
    """In a copy: no array outside changes, and no view of it."""
    data = np.zeros((2, 2))
    v = ops.asarray(data)
    row = v[0]
    v[0, 1] = 3.0
    v[v == 0.0] = ops.asarray(7.0)

    assert (data.tolist(), row.data.tolist()) == ([[0.0, 0.0]] * 2, [0.0, 0.0])
    assert v.data.tolist() == [[7.0, 3.0], [7.0, 7.0]]


def test_assigning_to_a_constant_that_was_used_is_seen_by_the_sweep():
    """No gradient of data that are gone."""
    x, c = Value(3.0), ops.asarray([2.0, 2.0])
    y = ops.sum(x * c)
    c[0] = 5.0

    with pytest.raises(InPlaceError):
        y.backward()


@pytest.mark.parametrize(
    ("v", "entry"),
    [(Value(np.ones(2)), 1.0), (ops.zeros(2), Value(1.0)), (Value(2.0, requires_grad=False), 1.0)],
    ids=["target", "entry", "number"],
)
def test_assigning_where_a_gradient_would_be_lost_is_refused(v, entry):
    """The message names the ops that do it."""
    with pytest.raises(ConversionError, match=r"opgrad\.ops\.where"):
        v[0] = entry


# ------------------------------------------------------------------------------------------ dtypes


@pytest.mark.parametrize("name", ["sum", "prod", "cumulative_sum", "cumulative_prod"])
def test_sums_and_products_take_the_dtype_of_the_result(name):
    """The gradient stays that of the operand; an integer result is a constant."""
    v = Value(np.array([1.5, 2.0], dtype=np.float32))
    op = getattr(ops, name)
    y = op(v, dtype=ops.float64)
    ops.sum(y).backward()

    assert (y.dtype, v.grad.dtype) == (np.float64, np.float32)
    assert not op(v, dtype=ops.int64).requires_grad
    assert op(np.array([1, 2], np.int8), dtype=np.int16).dtype == np.int16


def test_astype_shares_memory_where_it_may():
    """`copy=False` for the dtype that it has."""
    data = np.ones(2)

    assert ops.astype(ops.asarray(data), ops.float64, copy=False).data is data
    assert ops.astype(ops.asarray(data), ops.float64).data is not data


def test_reshape_copies_as_it_is_told():
    """What must share memory is refused where it cannot; derivatives are not bound by that."""
    x = np.arange(6.0).reshape(2, 3)
    with pytest.raises(ValueError, match="copy"):
        ops.reshape(Value(x.T), (6,), copy=False)

    def f(v):
        return ops.sum(ops.reshape(v, (6,), copy=False) * np.arange(6.0))

    _, tangent = opgrad.jvp(f, (x,), (np.ones((3, 2)).T,))

    assert float(tangent) == 15.0


# ---------------------------------------------------------------------------- sorting and searching


def test_sorting_sends_each_entry_its_own_gradient():
    """The second smallest, and so on."""
    weights = np.array([1.0, 10.0, 100.0])
    d = opgrad.grad(lambda v: ops.sum(ops.sort(v) * weights))(np.array([5.0, -1.0, 2.0]))
    down = opgrad.grad(lambda v: ops.sum(ops.sort(v, descending=True) * weights))(
        np.array([5.0, -1.0, 2.0])
    )

    assert (d.tolist(), down.tolist()) == ([100.0, 1.0, 10.0], [1.0, 100.0, 10.0])


def test_equal_entries_keep_their_order_in_both_directions():
    """Stable, in the indices as in the derivative."""
    x = np.array([2.0, 1.0, 2.0, 1.0])
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    d = opgrad.grad(lambda v: ops.sum(ops.sort(v, descending=True) * weights))(x)

    assert ops.argsort(x).tolist() == [1, 3, 0, 2]
    assert ops.argsort(x, descending=True).tolist() == [0, 2, 1, 3]
    assert d.tolist() == [1.0, 100.0, 10.0, 1000.0]


def test_the_median_by_sorting_has_the_gradient_of_the_middle():
    """Code as people write it."""
    d = opgrad.grad(lambda v: np.sort(v)[1])(np.array([3.0, 1.0, 2.0]))

    assert d.tolist() == [0.0, 0.0, 1.0]


def test_searchsorted_counts_from_either_side():
    """NumPy's order of arguments, and the names of the standard."""
    x, q = np.array([1.0, 2.0, 2.0, 3.0]), Value(np.array([2.0, 9.0]))
    shuffled, order = np.array([3.0, 1.0, 2.0]), np.array([1, 2, 0])

    assert ops.searchsorted(x, q).data.tolist() == [1, 4]
    assert np.searchsorted(x, q, "right").data.tolist() == [3, 4]
    assert ops.searchsorted(shuffled, q, sorter=order).data.tolist() == [1, 3]
    assert not ops.searchsorted(x, q).requires_grad


def test_unique_values_share_the_gradient_of_tied_entries():
    """As `max` does; the sum stays that of g."""
    x = np.array([[3.0, 1.0], [3.0, 3.0]])
    weights = np.array([1.0, 30.0])
    d = opgrad.grad(lambda v: ops.sum(ops.unique_values(v) * weights))(x)
    _, t = opgrad.jvp(ops.unique_values, (x,), (np.array([[1.0, 5.0], [2.0, 6.0]]),))

    assert (d.tolist(), t.tolist()) == ([[10.0, 1.0], [10.0, 10.0]], [5.0, 3.0])


def test_unique_functions_return_by_name():
    """Values that can be differentiated, places that are constants."""
    v = Value(np.array([3.0, 1.0, 3.0]))
    everything = ops.unique_all(v)
    counts, inverse = ops.unique_counts(v), ops.unique_inverse(v)

    assert everything._fields == ("values", "indices", "inverse_indices", "counts")
    assert [part.data.tolist() for part in everything] == [[1.0, 3.0], [1, 0], [1, 0, 1], [1, 2]]
    assert (counts.counts.data.tolist(), int(counts.counts[1])) == ([1, 2], 2)
    assert inverse.inverse_indices.data.tolist() == [1, 0, 1]
    assert (counts.values.requires_grad, counts.counts.requires_grad) == (True, False)


def test_nonzero_and_counts_are_constants():
    """A tuple with an array an axis."""
    v = Value(np.array([[0.0, 2.0], [3.0, 4.0]]))
    rows, columns = ops.nonzero(v)

    assert (rows.data.tolist(), columns.data.tolist()) == ([0, 1, 1], [1, 0, 1])
    assert (int(ops.count_nonzero(v)), rows.requires_grad) == (3, False)


# ------------------------------------------------------------------------------ running products


def brute_force(x, g):
    """The derivative of Σ gₖ·(x₀ … xₖ), each product without its factor i written out."""
    n = len(x)

    return np.array(
        [sum(g[k] * np.prod(np.delete(x[: k + 1], i)) for k in range(i, n)) for i in range(n)]
    )


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9])
@pytest.mark.parametrize("zeros", [(), (0,), (1, 2), (0, 3)], ids=str)
def test_running_products_are_differentiated_through_zeros(n, zeros):
    """No division: exact with any number of zeros, at any length."""
    generator = np.random.default_rng(n)
    x, g, t = generator.normal(size=(3, n))
    x[[i for i in zeros if i < n]] = 0.0
    expected = brute_force(x, g)
    d = opgrad.grad(lambda v: ops.sum(ops.cumulative_prod(v) * g))(x)
    _, tangent = opgrad.jvp(lambda v: ops.sum(ops.cumulative_prod(v) * g), (x,), (t,))

    np.testing.assert_allclose(d, expected, rtol=1e-12, atol=1e-14)
    assert float(tangent) == pytest.approx(expected @ t, rel=1e-12)


def test_second_derivatives_of_running_products_through_zeros():
    """d²(x₀x₁x₂)/dx₀dx₁ = x₂ and so on, all three factors being zero."""
    hessian = [
        opgrad.grad(lambda v, i=i: opgrad.grad(lambda w: ops.cumulative_prod(w)[3])(v)[i])(
            np.array([0.0, 0.0, 5.0, 7.0])
        ).tolist()
        for i in range(4)
    ]

    assert hessian == [[0.0, 35.0, 0.0, 0.0], [35.0, 0.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4]


def test_running_sums_of_floats_need_an_array():
    """A number has no axis to run along."""
    with pytest.raises(TypeError, match="needs array data"):
        ops.cumulative_sum(Value(2.0))


@pytest.mark.parametrize("axis", [2, -3])
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod", "diff", "sort", "flip"])
def test_an_axis_that_is_not_there_is_refused(name, axis):
    """Also one that would be there if counted twice from the end."""
    with pytest.raises(ValueError, match="axis"):
        getattr(ops, name)(Value(np.ones((2, 2))), axis=axis)


def test_differences_come_in_numpys_order():
    """`diff(x, 2, 0)`, and ends by name."""
    v = Value(np.array([[1.0, 4.0], [9.0, 16.0], [25.0, 36.0]]))

    assert np.diff(v, 2, 0).data.tolist() == np.diff(v.data, 2, 0).tolist()
    assert ops.diff(v[0], prepend=0.0, append=v[1]).data.tolist() == [1.0, 3.0, 5.0, 7.0]
    with pytest.raises(ValueError, match="n at least 0"):
        ops.diff(v, n=-1)


# ---------------------------------------------------------------------------- putting entries about

WIDTHS = {
    "number": 1,
    "pair": (1, 2),
    "one-pair": ((1, 2),),
    "pairs": ((1, 0), (2, 3)),
    "lists": [[1, 0], [2, 3]],
    "array": np.array([[1, 0], [2, 3]]),
    "single": (2,),
    "dict": {-1: (1, 2)},
}


@pytest.mark.parametrize("widths", WIDTHS.values(), ids=WIDTHS.keys())
def test_pad_takes_widths_in_every_form_of_numpys(widths):
    """One number, a pair, a pair an axis."""
    x = np.arange(6.0).reshape(2, 3)
    if isinstance(widths, dict) and np.lib.NumpyVersion(np.__version__) < "2.2.0":
        pytest.skip("NumPy takes no dict yet")
    expected = np.pad(x, widths, constant_values=4.0)

    assert np.array_equal(np.pad(Value(x), widths, constant_values=4.0).data, expected)


def test_pad_copies_gradients_back():
    """Each copy adds to the entry that it is of, in reverse and forward mode."""
    x = np.array([1.0, 2.0, 3.0])
    found = {
        mode: opgrad.grad(lambda v, mode=mode: ops.sum(ops.pad(v, (2, 1), mode)))(x).tolist()
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
    }

    assert found == {
        "constant": [1.0, 1.0, 1.0],
        "edge": [3.0, 1.0, 2.0],
        "reflect": [1.0, 3.0, 2.0],
        "symmetric": [2.0, 2.0, 2.0],
        "wrap": [2.0, 2.0, 2.0],
    }


def test_pad_refuses_what_it_does_not_differentiate():
    """A mode that computes, and a Value for the constant."""
    with pytest.raises(ValueError, match="'reflect'"):
        ops.pad(Value(np.ones(3)), 1, "mean")
    with pytest.raises(CallError, match="never differentiated"):
        ops.pad(Value(np.ones(3)), 1, constant_values=Value(1.0))


def test_repeat_takes_a_number_or_one_for_each():
    """As a method and from NumPy; a list will do."""
    v = Value(np.array([1.0, 2.0, 3.0]))
    y = v.repeat(2) + np.repeat(v, [1, 2, 3])
    ops.sum(y * np.arange(6.0)).backward()

    assert y.data.tolist() == [2.0, 3.0, 4.0, 5.0, 6.0, 6.0]
    assert v.grad.tolist() == [1.0, 8.0, 21.0]


def test_meshgrid_sums_over_the_axes_a_vector_does_not_vary_along():
    """In both orders."""
    a, b = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0])
    for indexing, weights in itertools.product(("xy", "ij"), (0, 1)):
        shape = (2, 3) if indexing == "xy" else (3, 2)
        w = np.arange(6.0).reshape(shape)

        def f(a, b, indexing=indexing, weights=weights, w=w):
            return ops.sum(ops.meshgrid(a, b, indexing=indexing)[weights] * w)

        da, db = opgrad.grad(f, argnums=(0, 1))(a, b)
        of_a, of_b = (0, 1) if indexing == "xy" else (1, 0)
        expected = [w.sum(of_a) * (weights == 0), w.sum(of_b) * (weights == 1)]

        assert [da.tolist(), db.tolist()] == [e.tolist() for e in expected]


def test_unstack_of_nothing_is_nothing():
    """And what stack puts together, unstack takes apart."""
    v = Value(np.arange(6.0).reshape(2, 3))
    a, b = ops.unstack(v)
    ops.sum(a * 2.0).backward()

    assert ops.unstack(Value(np.ones((0, 2)))) == ()
    assert (b.data.tolist(), v.grad.tolist()) == ([3.0, 4.0, 5.0], [[2.0] * 3, [0.0] * 3])


CALLS = {
    "flip": lambda v: np.flip(v, 0),
    "roll": lambda v: np.roll(v, 1, 0),
    "roll-axes": lambda v: np.roll(v, (1, 2), axis=(0, 1)),
    "tile": lambda v: np.tile(v, (2, 1)),
    "moveaxis": lambda v: np.moveaxis(v, 0, 1),
    "swapaxes": lambda v: np.swapaxes(v, 0, 1),
    "tril": lambda v: np.tril(v, -1),
    "triu": lambda v: np.triu(v, 1),
    "cumsum": lambda v: np.cumsum(v, 0),
    "cumsum-flat": np.cumsum,
    "cumprod": lambda v: np.cumprod(v, axis=1),
    "sort": lambda v: np.sort(v, 0),
    "pad": lambda v: np.pad(v, 1, "edge"),
    "einsum": lambda v: np.einsum("ij,kj->ik", v, v),
    "tensordot": lambda v: np.tensordot(v, v, ((0,), (0,))),
    "vecdot": lambda v: np.vecdot(v, v),
    "convolve": lambda v: np.convolve(v[0], v[1], "same"),
    "broadcast_arrays": lambda v: np.broadcast_arrays(v, np.ones((4, 1, 1)))[0],
    "meshgrid": lambda v: np.meshgrid(v[0], v[1])[1],
    "copysign": lambda v: np.copysign(v, -2.0),
    "nextafter": lambda v: np.nextafter(v, 9.0),
    "sum-dtype": lambda v: np.sum(v, 0, dtype=np.float64),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_numpys_own_calls_reach_these_ops(call):
    """On a Value the same numbers, and a gradient that can be checked."""
    x = np.random.default_rng(4).normal(size=(2, 3))
    v = Value(x)
    y = call(v)

    np.testing.assert_allclose(y.data, call(x))
    assert y.requires_grad
    opgrad.testing.check_gradients(lambda v: call(v) * 1.0, x, tolerance=1e-5)


# ------------------------------------------------------------------------------------- contractions


def test_einsum_takes_axes_after_each_array_too():
    """NumPy's other form; `...` in it as well."""
    a, b = np.ones((2, 3)), np.arange(3.0)

    assert np.array_equal(ops.einsum(a, [0, 1], b, [1], [0]), a @ b)
    assert np.array_equal(ops.einsum(a, [Ellipsis, 1], b, [1]), a @ b)


def test_einsum_plans_large_products():
    """The same numbers by BLAS, derivatives included."""
    generator = np.random.default_rng(0)
    a, b, c = (generator.normal(size=(30, 30)) for _ in range(3))

    def f(a, b, c, **settings):
        return ops.sum(ops.einsum("ij,jk,kl->il", a, b, c, **settings) * a)

    planned = opgrad.grad(f, argnums=(0, 1, 2))(a, b, c)
    plain = opgrad.grad(lambda *xs: f(*xs, optimize=False), argnums=(0, 1, 2))(a, b, c)

    for one, other in zip(planned, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_einsum_of_one_value_twice_adds_both_gradients():
    """d tr(A A)/dA = 2 Aᵀ."""
    a = np.array([[1.0, 2.0], [3.0, 4.0]])

    assert opgrad.grad(lambda v: ops.einsum("ij,ji->", v, v))(a).tolist() == (2.0 * a.T).tolist()


def test_numbers_in_a_contraction_promote_no_array():
    """Python numbers are weak, here as in arithmetic."""
    x = np.ones(2, dtype=np.float32)

    assert ops.einsum("i,->i", x, 2.0).dtype == np.float32
    assert ops.tensordot(x, 2.0, axes=0).dtype == np.float32
    assert ops.broadcast_arrays(x, 2.0)[1].dtype == np.float32


@pytest.mark.parametrize("subscripts", ["ij,jk->il", "ij->ij", "i,jk", "ijk,jk"])
def test_malformed_subscripts_are_refused_by_name(subscripts):
    """NumPy's message, and which op it was."""
    with pytest.raises(ValueError, match=r"subscript|operand|dimension") as caught:
        ops.einsum(subscripts, Value(np.ones((2, 3))), Value(np.ones((3, 2))))
    assert "core.einsum" in "".join(caught.value.__notes__)


def test_vecdot_conjugates_its_first_operand():
    """Both gradients in the convention of g·f'(z): conj(b), conj(a)."""
    a, b = np.array([1.0 + 2.0j, 3.0j]), np.array([2.0 - 1.0j, 1.0 + 1.0j])
    da, db = opgrad.grad(lambda a, b: ops.real(ops.vecdot(a, b)), argnums=(0, 1))(a, b)

    assert ops.vecdot(a, b) == np.vdot(a, b)
    np.testing.assert_allclose(da, b.conj())
    np.testing.assert_allclose(db, a.conj())


def test_vecdot_refuses_an_axis_that_is_two():
    """Counted from the front, axis 0 of a matrix and of a vector are not the same."""
    with pytest.raises(ValueError, match="from the end"):
        ops.vecdot(np.ones((3, 3)), np.ones(3), axis=0)


def test_convolve_takes_vectors():
    """Anything else is named with its shape."""
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        ops.convolve(Value(np.ones((2, 2))), np.ones(2))


# ------------------------------------------------------------------------------------- elementwise


def test_copysign_and_signbit_see_the_sign_of_zero():
    """-0.0 is negative; on numbers and arrays alike."""
    assert ops.copysign(3.0, -0.0) == -3.0
    assert (ops.signbit(-0.0), ops.signbit(0.0)) == (True, False)
    assert ops.signbit(np.array([-0.0, 1.0], np.float32)).tolist() == [True, False]
    assert opgrad.grad(ops.copysign)(0.0, -1.0) == 0.0


def test_nextafter_goes_one_step():
    """Its derivative is that of the identity."""
    assert ops.nextafter(1.0, 2.0) == np.nextafter(1.0, 2.0)
    assert opgrad.grad(ops.nextafter, argnums=(0, 1))(1.0, 2.0) == (1.0, 0.0)


def test_isin_asks_of_each_entry():
    """A constant; numbers of NumPy or Values."""
    v = Value(np.array([1.0, 2.0, 3.0]))

    assert ops.isin(v, np.array([2.0])).data.tolist() == [False, True, False]
    assert ops.isin(v, np.array([2.0]), invert=True).data.tolist() == [True, False, True]
