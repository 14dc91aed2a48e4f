"""The built-in ops of `opgrad.ops.fft`, beside NumPy, beside finite differences, and both modes."""

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import ops
from opgrad.ops import fourier
from opgrad.value import Value

FFT_OPS = fourier.opgrad_ops()


@attrs.frozen(eq=False)
class Case:
    """One sample of one op."""

    op: object
    x: np.ndarray
    attributes: dict
    name: str

    def __call__(self, x):
        """The transform of any x."""
        return self.op(x, **self.attributes)

    def projected(self, x):
        """The transform as one real number, curved in it: fixed random weights, summed."""
        y = self(x)
        weighted = y * random_like(y)

        return ops.sum(ops.real(weighted * weighted * 0.5 + weighted))


CASES = [
    Case(op, np.array(*s.operands), dict(s.attributes), f"{op.name}-{number}")
    for op in FFT_OPS
    for number, s in enumerate(op.samples)
]
by_name = pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])


def random_like(x, seed=3):
    """Random numbers of the shape of x, complex where x is."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=x.shape)

    return numbers + 1j * generator.normal(size=x.shape) if x.dtype.kind == "c" else numbers


def inner(gradient, direction):
    """Re Σ of products: how far a gradient goes along a direction."""
    return float(np.sum(gradient * direction).real)


def slope(f, x, direction, step=1e-5):
    """The central difference of a number along a direction."""
    return float(f(x + step * direction) - f(x - step * direction)) / (2.0 * step)


def test_the_array_api_is_there():
    """All of `fft` of the 2024.12 standard that is linear in an array."""
    names = ["fft", "ifft", "fftn", "ifftn", "rfft", "irfft", "rfftn", "irfftn", "hfft", "ihfft"]

    assert [op.name for op in FFT_OPS] == [
        *["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn"],
        *["fftshift", "ifftshift"],
    ]
    assert all(getattr(ops.fft, name) in FFT_OPS for name in names)


@by_name
def test_value_is_that_of_numpy(case):
    """Same numbers, shape and type, on plain arrays and on Values."""
    attributes = dict(case.attributes)
    if attributes.get("s") and "axes" not in attributes:  # NumPy wants them spelled out
        attributes["axes"] = tuple(range(-len(attributes["s"]), 0))
    expected = getattr(np.fft, case.op.name)(case.x, **attributes)

    for actual in (case(case.x), case(Value(case.x)).data):
        assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-14)


@by_name
def test_gradient_is_the_finite_difference(case):
    """Along a random direction, complex where x is; of its shape and type."""
    direction = random_like(case.x)
    d = opgrad.grad(case.projected)(case.x)

    assert (d.shape, d.dtype) == (case.x.shape, case.x.dtype)
    assert inner(d, direction) == pytest.approx(
        slope(case.projected, case.x, direction), rel=1e-8, abs=1e-8
    )


@by_name
def test_forward_and_backward_mode_agree(case):
    """To the last digits: <gradient, direction> is the tangent."""
    direction = random_like(case.x)
    _, tangent = opgrad.jvp(case.projected, (case.x,), (direction,))
    backward = inner(opgrad.grad(case.projected)(case.x), direction)

    assert float(tangent) == pytest.approx(backward, rel=1e-12, abs=1e-13)


@by_name
def test_tangent_is_the_transform_of_the_tangent(case):
    """They are linear."""
    direction = random_like(case.x)
    _, tangent = opgrad.jvp(case, (case.x,), (direction,))

    np.testing.assert_allclose(tangent, case(direction), rtol=1e-13, atol=1e-14)


@by_name
def test_second_derivative_is_the_same_in_every_mixture_of_modes(case):
    """And it is the finite difference of the gradient."""
    first, second = random_like(case.x, seed=5), random_like(case.x, seed=6)

    def pulled(x):
        return ops.sum(ops.real(opgrad.grad(case.projected)(x) * first))

    def pushed(x):
        return opgrad.jvp(case.projected, (x,), (first,))[1]

    mixtures = [
        inner(opgrad.grad(pulled)(case.x), second),
        opgrad.jvp(pulled, (case.x,), (second,))[1],
        inner(opgrad.grad(pushed)(case.x), second),
        opgrad.jvp(pushed, (case.x,), (second,))[1],
    ]

    assert [float(m) for m in mixtures] == pytest.approx(
        [slope(pulled, case.x, second)] * 4, rel=1e-7, abs=1e-7
    )


@by_name
def test_single_precision_stays_single(case):
    """float32 gives complex64, and gradients come back in the type of x."""
    x = case.x.astype(np.complex64 if case.x.dtype.kind == "c" else np.float32)
    y, pull = opgrad.vjp(case, x)
    (d,) = pull(y)

    assert y.dtype in (np.complex64, np.float32)
    assert d.dtype == x.dtype


@pytest.mark.parametrize("op", FFT_OPS, ids=[op.name for op in FFT_OPS])
def test_batches_of_nothing_have_gradients_of_their_shape(op):
    """A sum over nothing. Transforms of several axes are told which; NumPy has none of length 0."""
    attributes = {"axes": (1, 2)} if "axes" in op.attributes else {}
    x = np.zeros((0, 3, 4))
    d = opgrad.grad(lambda x: ops.sum(ops.real(op(x, **attributes))))(x)

    assert d.shape == x.shape


def test_entries_that_are_cut_have_gradient_zero():
    """n = 2 of 4 entries: the last two are not in the result."""
    d = opgrad.grad(lambda x: ops.sum(abs(ops.fft.fft(x, n=2)) ** 2))(np.array([1.0, 2, 3, 4]))

    np.testing.assert_allclose(d, [4.0, 8.0, 0.0, 0.0])


def test_gradient_of_the_power_spectrum_is_by_parseval_that_of_the_signal():
    """Σ |F x|² = n Σ x²; of the half spectrum with "ortho", entries count by their multiplicity."""
    x = np.random.default_rng(0).normal(size=7)
    d = opgrad.grad(lambda x: ops.sum(abs(ops.fft.fft(x)) ** 2))(x)

    np.testing.assert_allclose(d, 2.0 * 7 * x)


def test_convolution_by_fft_has_the_gradient_of_the_convolution():
    """As signal processing does it."""
    generator = np.random.default_rng(1)
    a, b, weights = generator.normal(size=5), generator.normal(size=4), generator.normal(size=8)

    def by_fft(a, b):
        product = ops.fft.rfft(a, n=8) * ops.fft.rfft(b, n=8)

        return ops.sum(ops.fft.irfft(product, n=8) * weights)

    da, db = opgrad.grad(by_fft, argnums=(0, 1))(a, b)

    np.testing.assert_allclose(da, np.correlate(weights, b, mode="valid"))
    np.testing.assert_allclose(db, np.correlate(weights, a, mode="valid"))


@pytest.mark.parametrize("n", range(1, 8))
def test_there_and_back_is_the_identity(n):
    """irfft undoes rfft for odd and even lengths, and the gradients know."""
    x = np.random.default_rng(n).normal(size=n)
    d = opgrad.grad(lambda x: ops.sum(ops.fft.irfft(ops.fft.rfft(x), n=n) * np.arange(n)))(x)

    np.testing.assert_allclose(d, np.arange(n), atol=1e-13)


def test_imaginary_part_that_is_not_used_has_no_gradient():
    """That of the zero frequency, and for even lengths of the highest one."""
    x = np.array([1.0 + 1.0j, 2.0 - 1.0j, 3.0 + 2.0j])
    d = opgrad.grad(lambda x: ops.sum(ops.fft.irfft(x) * np.arange(4.0)))(x)

    assert (d[0].imag, d[2].imag) == (0.0, 0.0)
    assert d[1].imag != 0.0


MISUSE = {
    "float": (lambda _: ops.fft.fft(Value(2.0)), "fft.fft"),
    "axis": (lambda v: ops.fft.fft(v, axis=3), "fft.fft"),
    "length": (lambda v: ops.fft.rfft(v, n=0), "fft.rfft"),
    "norm": (lambda v: ops.fft.ifft(v, norm="forwards"), "fft.ifft"),
    "norm-of-hfft": (lambda v: ops.fft.hfft(v, norm="forwards"), "not 'forwards'"),
    "complex": (lambda v: ops.fft.rfft(v * 1j), "fft.rfft"),
    "axis-twice": (lambda v: ops.fft.fftn(v, axes=(0, -2)), "each axis comes once"),
    "axis-out-of-range": (lambda v: ops.fft.rfftn(v, axes=(0, 2)), "each axis comes once"),
    "too-few-lengths": (lambda v: ops.fft.ifftn(v, s=(2,), axes=(0, 1)), "with one length"),
    "no-axis": (lambda v: ops.fft.irfftn(v, axes=()), "fft.irfftn"),
    "out": (lambda v: ops.fft.fft(v, out=np.zeros(3)), "fft.fft"),
}


@pytest.mark.parametrize(("misuse", "told"), MISUSE.values(), ids=MISUSE.keys())
def test_misuse_names_the_op(misuse, told):
    """The error, with its notes, says which op refused."""
    v = Value(np.ones((2, 3)))

    with pytest.raises((TypeError, ValueError, IndexError, AttributeError)) as caught:
        misuse(v)
    assert told in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
