"""Every sample of every op: SciPy's value, its dtype, and both modes of differentiation."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import special

import opgrad
from opgrad.testing import check_gradients

sp = opgrad.ops.scipy
OPS = [getattr(sp, name) for name in dir(sp)]
CASES = [
    pytest.param(op, sample, id=f"{op.name}-{i}")
    for op in OPS
    for i, sample in enumerate(op.samples)
]
# Operands whose derivative SciPy has no function for.
FIXED = {
    **dict.fromkeys(("jv", "yv", "iv", "kv", "ive", "kve"), ("v",)),
    **dict.fromkeys(("gammainc", "gammaincc"), ("a",)),
    **dict.fromkeys(("betainc", "betaincc"), ("a", "b")),
    "zeta": ("x",),
}


def operands_of(sample, dtype=np.float64):
    """Nested lists of a sample become arrays; numbers stay Python numbers."""
    return [np.asarray(x, dtype) if isinstance(x, list) else x for x in sample.operands]


def free(op):
    """The positions of the operands that can be differentiated by."""
    return [i for i, name in enumerate(op.operands) if name not in FIXED.get(op.name, ())]


def by_scipy(op, operands, attributes):
    """The value of SciPy's function of the same name, which is called in its own order."""
    function = getattr(special, op.name)
    if op.name in {"polygamma", "expn"}:
        return function(attributes["n"], *operands)

    return function(*operands, **attributes)


def parts(y):
    """The outputs of an op as a tuple."""
    return y if isinstance(y, tuple) else (y,)


def real(op, sample):
    """Whether the operands are real: the others are checked with both modes."""
    return not any(isinstance(x, complex) for x in sample.operands)


def plain(op, sample):
    """Whether SciPy has the same function: it has none of our derivatives and negative orders."""
    return "order" not in sample.attributes and not sample.attributes.get("n", 0) < 0


@pytest.mark.parametrize(("op", "sample"), [case for case in CASES if plain(*case.values)])
def test_value_is_scipys(op, sample):
    """To the last digits: nothing is computed twice in different ways."""
    operands = operands_of(sample)
    expected = parts(by_scipy(op, operands, sample.attributes))
    for got, part in zip(parts(op(*operands, **sample.attributes)), expected, strict=True):
        np.testing.assert_allclose(got, part, rtol=1e-14)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_both_modes_agree_with_central_differences(op, sample):
    """By opgrad's own check, and with each other."""
    function = functools.partial(op, **sample.attributes)
    report = check_gradients(function, *operands_of(sample), argnums=free(op))

    assert report.modes == ("reverse", "forward")


@pytest.mark.parametrize(("op", "sample"), [case for case in CASES if real(*case.values)])
def test_forward_over_reverse_is_reverse_over_reverse(op, sample):
    """The second derivative along one direction, by two ways."""
    operands = operands_of(sample)
    (position, *_) = free(op)

    def total(x):
        given = [x if i == position else o for i, o in enumerate(operands)]
        return sum(opgrad.ops.sum(y) for y in parts(op(*given, **sample.attributes)))

    x = operands[position]
    one = np.ones_like(x) if isinstance(x, np.ndarray) else 1.0
    _, tangent = opgrad.jvp(opgrad.grad(total), (x,), (one,))
    again = opgrad.grad(lambda x: opgrad.ops.sum(opgrad.grad(total)(x)))(x)

    np.testing.assert_allclose(tangent, again, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    "op", [op for op in OPS if op.name not in {"wofz", "lambertw"}], ids=lambda op: op.name
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda t: t.__name__)
def test_float_dtypes_are_kept(op, dtype):
    """By value, tangent and both gradients."""
    sample = next(s for s in op.samples if any(isinstance(o, list) for o in s.operands))
    operands = operands_of(sample, dtype)
    dtype = np.result_type(*[o for o in operands if isinstance(o, np.ndarray)])
    index = next(i for i in reversed(free(op)) if isinstance(operands[i], np.ndarray))

    def first(x):
        given = [x if i == index else o for i, o in enumerate(operands)]
        return parts(op(*given, **sample.attributes))[0]

    x = operands[index]
    gradient = opgrad.grad(lambda x: opgrad.ops.sum(first(x)))
    _, tangent = opgrad.jvp(first, (x,), (np.ones_like(x),))
    found = [first(x), tangent, gradient(x), opgrad.grad(lambda x: opgrad.ops.sum(gradient(x)))(x)]

    assert [part.dtype for part in found] == [dtype] * 4


@pytest.mark.parametrize(
    ("op", "before"),
    [
        *[(op, ()) for op in (sp.erfi, sp.wofz, sp.gamma, sp.loggamma, sp.lambertw)],
        *[(op, (1.5,)) for op in (sp.jv, sp.yv, sp.iv, sp.kv)],
    ],
    ids=lambda it: getattr(it, "name", ""),
)
def test_complex_operand_is_differentiated_along_both_axes(op, before):
    """On a number and an array, by central differences."""
    for z in (0.8 - 1.3j, np.asarray([0.8 - 1.3j, 2.0 + 0.5j])):
        report = check_gradients(functools.partial(op, *before), z)

        assert report.modes == ("reverse", "forward")


@pytest.mark.parametrize("op", [sp.wofz, sp.lambertw], ids=lambda op: op.name)
def test_complex_result_of_a_real_operand_has_a_real_gradient(op):
    """complex64 of float32; the gradient of the sum of real and imaginary part is float32."""
    x = np.asarray([0.5, 2.0], np.float32)

    def total(x):
        y = op(x)
        return opgrad.ops.sum(y.real + y.imag)

    gradient = opgrad.grad(total)(x)
    h = 1e-6
    forth, back = op(x.astype(float) + h), op(x.astype(float) - h)
    slope = (forth - back) / (2 * h)

    assert op(x).dtype == np.complex64
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, slope.real + slope.imag, rtol=1e-5)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_a_python_number_gives_a_python_number(op):
    """No NumPy scalar creeps in: neither as value nor as gradient."""
    sample = next(s for s in op.samples if not any(isinstance(o, list) for o in s.operands))
    (position, *_) = free(op)

    def first(*operands):
        return parts(op(*operands, **sample.attributes))[0]

    y = first(*sample.operands)
    _, pull = opgrad.vjp(first, *sample.operands) if not FIXED.get(op.name) else (y, None)
    gradient = pull(y)[position] if pull else None

    assert type(y) in (float, complex)
    assert type(gradient) in (float, complex, type(None))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_empty_and_0d_arrays_work(op):
    """The gradient has the shape of the operand."""
    sample = next(s for s in op.samples if not any(isinstance(o, list) for o in s.operands))
    (position, *_) = free(op)
    for shape in ((), (0,), (2, 0)):
        x = np.full(shape, sample.operands[position])

        def total(x):
            given = [x if i == position else o for i, o in enumerate(sample.operands)]
            y = parts(op(*given, **sample.attributes))[0]
            return opgrad.ops.sum(opgrad.ops.real(y))

        gradient = opgrad.grad(total)(x)

        assert gradient.shape == shape
