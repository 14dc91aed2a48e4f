"""NumPy's own functions on Values: the value of NumPy, the gradient of finite differences."""

import functools
import math

import numpy as np
import pytest
from numpy.testing.overrides import get_overridable_numpy_array_functions

import opgrad
from opgrad import Value
from opgrad.errors import CallError, ConversionError, OpgradError, UnknownOpError

special = pytest.importorskip("scipy.special")

V = np.array([0.7, -1.3, 2.1, 0.4])
W = np.array([1.5, 0.6, -0.8, 2.2])
P = np.array([0.7, 1.3, 2.1, 0.4])
M = np.array([[0.5, -1.2, 2.0], [1.4, 0.7, -0.6]])
N = np.array([[1.1, 0.3, -0.9], [0.2, -1.7, 0.8]])
S = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.5, -0.5, 2.0]])
Q = np.array([[2.0, 0.3, -0.4], [0.1, 1.5, 0.6], [-0.7, 0.2, 1.2]])
C = np.arange(24.0).reshape(2, 3, 4) / 7.0 - np.sin(np.arange(24.0)).reshape(2, 3, 4)
HOLES = np.array([[0.5, np.nan, 2.0], [1.4, 0.7, np.nan]])
MASK = np.array([True, False, True, False])
COLUMNS = np.array([0.4, 0.9, 1.7])


def loss_of(f):
    """Make one number of all that `f` returns: a sum with weights, of real and imaginary parts."""

    def loss(*args):
        found = f(*args)
        total = 0.0
        for k, part in enumerate(found if isinstance(found, tuple | list) else [found]):
            weights = np.cos(np.arange(float(np.size(part))) + k).reshape(np.shape(part))
            total = total + np.sum(np.real(part) * weights)
            if np.iscomplexobj(part):
                total = total + np.sum(np.imag(part) * np.sin(weights + 1.0))
        return total

    return loss


def difference(loss, args, which, h=1e-6):
    """Return the central finite difference of `loss` by one of its arguments."""
    x = np.asarray(args[which])
    slopes = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[index] += sign * h
            ends.append(loss(*args[:which], moved, *args[which + 1 :]))
        slopes[index] = (ends[0] - ends[1]) / (2.0 * h)
    return slopes


def assert_right(f, *args, tolerance=2e-6):
    """Compare `f` on Values with `f` on plain arrays: the value, and the gradient by each one."""
    expected = f(*args)
    found = f(*map(Value, args))
    several = isinstance(expected, tuple | list)
    for a, b in zip(*((found, expected) if several else ([found], [expected])), strict=True):
        assert type(a) is Value
        assert np.asarray(a.data).dtype != object
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a.data, b, rtol=1e-12, atol=1e-14)
    loss = loss_of(f)
    gradients = opgrad.grad(loss, argnums=tuple(range(len(args))))(*args)
    for which, gradient in enumerate(gradients):
        slopes = difference(loss, args, which)
        np.testing.assert_allclose(gradient, slopes, rtol=tolerance, atol=tolerance)


def words(text):
    """Return the words of a text."""
    return text.split()


def cases(*rows):
    """Make a parameter of each row: a function by its text, and its arguments."""
    return [
        pytest.param(eval(f"lambda {text}"), args, id=f"{i} {text.partition(': ')[2]}")  # noqa: S307 -- the text is the name
        for i, (text, *args) in enumerate(rows)
    ]


FUNCTIONS = cases(
    # sums and statistics, with NumPy's orders and names of arguments
    ("a: np.sum(a)", M),
    ("a: np.sum(a, 0)", M),
    ("a: np.sum(a, -1, None, None, True)", M),
    ("a: np.sum(a, axis=(0, 2), keepdims=True)", C),
    ("a: np.sum(a=a, axis=1, dtype=np.float64, out=None)", M),
    ("a: np.sum(a, dtype=np.complex128)", M),
    ("a: np.prod(a, 1)", M),
    ("a: np.prod(a, axis=0, keepdims=True)", M),
    ("a: np.mean(a)", M),
    ("a: np.mean(a, axis=0, keepdims=True)", M),
    ("a: np.mean(a, (0, 1))", C),
    ("a: np.var(a)", M),
    ("a: np.var(a, 1, ddof=1)", M),
    ("a: np.var(a, axis=0, correction=1)", M),
    ("a: np.std(a, axis=1, ddof=1, keepdims=True)", M),
    ("a: np.std(a, 1, None, None, 1)", M),
    ("a: np.max(a)", M),
    ("a: np.max(a, axis=1)", M),
    ("a: np.amax(a, 0)", M),
    ("a: np.min(a, axis=0, keepdims=True)", M),
    ("a: np.amin(a)", M),
    ("a: np.ptp(a, axis=1)", M),
    ("a: np.median(a)", V),
    ("a: np.median(a, axis=1)", M),
    ("a: np.median(a, axis=0, keepdims=True)", M),
    ("a: np.quantile(a, 0.3)", V),
    ("a: np.quantile(a, [0.1, 0.5, 1.0], axis=1)", M),
    ("a: np.quantile(a, [0.1, 0.5], axis=1, keepdims=True)", C),
    ("a: np.percentile(a, 80, axis=1)", M),
    ("a: np.average(a)", M),
    ("a, w: np.average(a, weights=w)", V, P),
    ("a, w: np.average(a, axis=1, weights=w)", M, COLUMNS),
    ("a, w: np.average(a, 0, w, True)", M, np.array([0.4, 1.1])),
    ("a: np.average(a, axis=0, keepdims=True)", M),
    ("a: np.cov(a)", C[0]),
    ("a, b: np.cov(a, b, ddof=0)", V, W),
    ("a: np.cov(a, rowvar=False, bias=True)", C[0]),
    ("a: np.corrcoef(a)", C[0]),
    ("a: np.cumsum(a)", M),
    ("a: np.cumsum(a, 1)", M),
    ("a: np.cumprod(a, axis=0)", M),
    ("a: np.cumprod(a)", M),
    ("a: np.cumulative_sum(a, include_initial=True)", V),
    ("a: np.diff(a)", V),
    ("a: np.diff(a, 2, 0, prepend=0.0)", V),
    ("a: np.diff(a, n=1, axis=0)", M),
    ("a, b: np.trapezoid(a, b)", V, np.cumsum(P)),
    ("a: np.trapezoid(a, dx=0.5, axis=0)", M),
    # products
    ("a, b: np.dot(a, b)", V, W),
    ("a, b: np.dot(a, b)", M, COLUMNS),
    ("a, b: np.dot(a, b)", M, Q),
    ("a, b: np.dot(a, b)", M, np.moveaxis(C, 2, 0)[:, :, :].transpose(1, 2, 0)),
    ("a, b: np.dot(a, b)", 1.7, V),
    ("a, b: np.inner(a, b)", V, W),
    ("a, b: np.inner(a, b)", M, N),
    ("a, b: np.inner(a, b)", C, W),
    ("a, b: np.outer(a, b)", M, V),
    ("a, b: np.vdot(a, b)", M, N),
    ("a, b: np.matmul(a, b)", M, Q),
    ("a, b: np.kron(a, b)", M, V),
    ("a, b: np.tensordot(a, b)", M, N),
    ("a, b: np.tensordot(a, b, axes=([0, 1], [1, 0]))", M, N.T.copy()),
    ("a, b: np.tensordot(a, b, 0)", V, W),
    ("a, b: np.einsum('ij,kj->ik', a, b)", M, N),
    ("a, b: np.einsum('ij,j', a, b, optimize=True)", M, COLUMNS),
    ("a, b: np.einsum(a, [0, 1], b, [2, 1], [0, 2])", M, N),
    ("a: np.einsum('ii->i', a)", S),
    ("a, b: np.cross(a, b)", M, N),
    ("a, b: np.cross(a, b, axis=0)", M.T.copy(), N.T.copy()),
    ("a, b: np.convolve(a, b)", V, W),
    ("a, b: np.convolve(a, b, 'same')", V, W[:3]),
    ("a, b: np.convolve(a, v=b, mode='valid')", V, W[:2]),
    ("a, b: np.correlate(a, b)", V, W[:2]),
    ("a, b: np.correlate(a, b, mode='full')", V, W[:3]),
    ("a, b: np.correlate(a, b, 'same')", V[:2], W),
    ("a: np.polyval([1.0, -2.0, 0.5], a)", V),
    ("a: np.polyval(a, 1.5)", V),
    ("a: np.trace(a)", S),
    ("a: np.trace(a, 1, axis1=1, axis2=2)", C),
    ("a: np.diagonal(a)", C),
    ("a: np.diagonal(a, offset=-1)", S),
    ("a: np.diag(a)", V),
    ("a: np.diag(a, -2)", V),
    ("a: np.diag(a, k=1)", S),
    ("a: np.diagflat(a)", M),
    ("a: np.tril(a)", S),
    ("a: np.triu(a, 1)", S),
    # entry by entry
    ("a: np.clip(a, -0.5, 1.0)", V),
    ("a: np.clip(a, a_min=-0.5, a_max=None)", V),
    ("a: np.clip(a, min=0.1, max=1.0)", V),
    ("a, b: np.where(MASK, a, b)", V, W),
    ("a: np.where(a > 0.5, a, 0.0)", V),
    ("a, b: np.select([a > 1.0, a < 0.0], [a * b, b], 3.0)", V, W),
    ("a: np.nan_to_num(a)", V),
    ("a: np.real(a)", V),
    ("a: np.angle(a + 1j)", V),
    ("a: np.angle(a + 1j, deg=True)", V),
    ("a: np.sinc(a)", V),
    # shape and place
    ("a: np.transpose(a)", M),
    ("a: np.transpose(a, (2, 0, 1))", C),
    ("a: np.transpose(a, axes=[1, 0, 2])", C),
    ("a: np.permute_dims(a, (2, 0, 1))", C),
    ("a: np.matrix_transpose(a)", C),
    ("a: np.swapaxes(a, 0, -1)", C),
    ("a: np.moveaxis(a, 0, -1)", C),
    ("a: np.moveaxis(a, [0, 1], [-1, 0])", C),
    ("a: np.rollaxis(a, 2)", C),
    ("a: np.rollaxis(a, 0, 3)", C),
    ("a: np.squeeze(a)", M[None]),
    ("a: np.squeeze(a, axis=0)", M[None]),
    ("a: np.expand_dims(a, 1)", M),
    ("a: np.reshape(a, (3, 2))", M),
    ("a: np.reshape(a, -1)", M),
    ("a: np.reshape(a, shape=[3, -1])", M),
    ("a: np.reshape(a, (3, 2), order='F')", M),
    ("a: np.reshape(a, np.array([3, 2]))", M),
    ("a: np.ravel(a)", M),
    ("a: np.ravel(a, order='F')", M),
    ("a: np.ravel(a, 'C')", M),
    ("a: np.broadcast_to(a, (2, 4))", V),
    ("a, b: np.broadcast_arrays(a, b)", M, COLUMNS),
    ("a, b: np.concatenate([a, b])", M, N),
    ("a, b: np.concatenate((a, b), axis=1)", M, N),
    ("a, b: np.concatenate([a, [[1.0, 2.0, 3.0]], b], 0)", M, N),
    ("a, b: np.concatenate([a, b], axis=None)", M, V),
    ("a, b: np.concat([a, b], axis=1)", M, N),
    ("a, b: np.stack([a, b])", V, W),
    ("a, b: np.stack((a, b), axis=-1)", M, N),
    ("a: np.stack([a[0], 2.0, a[1] * a[2]])", V),
    ("a, b: np.vstack([a, b])", M, COLUMNS),
    ("a, b: np.hstack([a, b])", V, W),
    ("a, b: np.hstack((a, b))", M, N),
    ("a, b: np.dstack([a, b])", M, N),
    ("a, b: np.column_stack([a, b])", V, W),
    ("a, b: np.column_stack([a, b])", M, np.array([0.2, 0.9])),
    ("a, b: np.block([[a, b], [b, a]])", M, N),
    ("a, b: np.block([a, b])", V, W),
    ("a: np.atleast_1d(a)", np.array(0.3)),
    ("a, b: np.atleast_1d(a, b)", V, np.array(0.3)),
    ("a: np.atleast_2d(a)", V),
    ("a: np.atleast_3d(a)", M),
    ("a: np.split(a, 2)", V),
    ("a: np.split(a, [1, 3])", V),
    ("a: np.split(a, 3, axis=1)", M),
    ("a: np.array_split(a, 3)", V),
    ("a: np.array_split(a, 2, axis=1)", M),
    ("a: np.array_split(a, [1, 2])", V),
    ("a: np.hsplit(a, 3)", M),
    ("a: np.vsplit(a, 2)", M),
    ("a: np.dsplit(a, 2)", C),
    ("a: np.unstack(a)", M),
    ("a, b: np.append(a, b)", M, V),
    ("a, b: np.append(a, b, axis=0)", M, N),
    ("a: np.append(a, 3.0)", V),
    ("a: np.delete(a, 1)", V),
    ("a: np.delete(a, [0, 2], axis=1)", M),
    ("a: np.flip(a)", M),
    ("a: np.flip(a, 1)", M),
    ("a: np.fliplr(a)", M),
    ("a: np.flipud(a)", M),
    ("a: np.rot90(a)", M),
    ("a: np.rot90(a, 3)", M),
    ("a: np.rot90(a, k=2, axes=(1, 2))", C),
    ("a: np.roll(a, 1)", M),
    ("a: np.roll(a, (1, -1), axis=(0, 1))", M),
    ("a: np.repeat(a, 2)", M),
    ("a: np.repeat(a, [1, 3], axis=0)", M),
    ("a: np.tile(a, 2)", M),
    ("a: np.tile(a, (2, 1, 3))", M),
    ("a: np.pad(a, 1)", V),
    ("a: np.pad(a, ((1, 0), (0, 2)), 'constant', constant_values=2.0)", M),
    ("a: np.pad(a, (2, 1), mode='reflect')", V),
    ("a: np.take(a, [2, 0, 2])", V),
    ("a: np.take(a, np.array([2, 0]), axis=1)", M),
    ("a: np.take_along_axis(a, np.argsort(a, axis=1), axis=1)", M),
    ("a: np.sort(a)", M),
    ("a: np.sort(a, axis=0, kind='stable')", M),
    ("a: np.sort(a, axis=None)", M),
    ("a: np.unique(a)", V),
    ("a, b: np.meshgrid(a, b)", V, COLUMNS),
    ("a, b: np.meshgrid(a, b, indexing='ij')", V, COLUMNS),
    ("a: np.copy(a) * a", V),
    ("a: np.full_like(a, a[1])", V),
    ("a, b: np.linspace(a, b, 5)", np.array(0.5), np.array(2.0)),
    ("a, b: np.linspace(a, b, 3, endpoint=False)", V, W),
    # numpy.linalg
    ("a, b: np.linalg.solve(a, b)", Q, COLUMNS),
    ("a, b: np.linalg.solve(a, b)", Q, M.T.copy()),
    ("a: np.linalg.inv(a)", Q),
    ("a: np.linalg.det(a)", Q),
    ("a: np.linalg.slogdet(a)[1]", Q),
    ("a: np.linalg.slogdet(a).logabsdet", Q),
    ("a: np.linalg.cholesky(a @ a.T + 2.0 * np.eye(3))", Q),
    ("a: np.linalg.cholesky(a @ a.T + np.eye(3), upper=True)", Q),
    ("a: np.linalg.eigvalsh(a + a.T)", Q),
    ("a: np.linalg.eigvalsh(a + a.T, UPLO='U')", Q),
    ("a: np.linalg.eigh(a + a.T).eigenvalues", Q),
    ("a: np.abs(np.linalg.eigh(a + a.T)[1])", Q),
    ("a: np.linalg.svd(a, compute_uv=False)", M),
    ("a: np.linalg.svd(a, full_matrices=False).S", M),
    ("a: np.abs(np.linalg.svd(a, full_matrices=False)[2])", M),
    ("a: np.linalg.svdvals(a)", M),
    ("a: np.linalg.pinv(a)", M),
    ("a: np.linalg.pinv(a, rcond=1e-10)", M),
    ("a: np.abs(np.linalg.qr(a)[1])", Q),
    ("a: np.abs(np.linalg.qr(a, mode='r'))", Q),
    ("a: np.abs(np.linalg.qr(a).Q)", Q),
    ("a: np.linalg.norm(a)", M),
    ("a: np.linalg.norm(a, 1)", V),
    ("a: np.linalg.norm(a, np.inf)", V),
    ("a: np.linalg.norm(a, 3, axis=1, keepdims=True)", M),
    ("a: np.linalg.norm(a, axis=0)", M),
    ("a: np.linalg.norm(a, ord='fro')", M),
    ("a: np.linalg.norm(a, 'nuc')", M),
    ("a: np.linalg.norm(a, 2)", M),
    ("a: np.linalg.norm(a, 1, axis=(0, 1))", M),
    ("a: np.linalg.vector_norm(a, axis=1, ord=3)", M),
    ("a: np.linalg.matrix_norm(a)", M),
    ("a: np.linalg.matrix_norm(a, ord=2, keepdims=True)", M),
    ("a: np.linalg.matrix_power(a, 3)", Q),
    ("a: np.linalg.matrix_power(a, n=-2)", Q),
    ("a: np.linalg.cond(a)", Q),
    ("a: np.linalg.cond(a, 1)", Q),
    ("a, b: np.linalg.lstsq(a, b)[0]", M.T.copy(), COLUMNS),
    ("a, b: np.linalg.lstsq(a, b, rcond=None)[1]", M.T.copy(), COLUMNS),
    ("a, b, c: np.linalg.multi_dot([a, b, c])", M, Q, COLUMNS),
    ("a: np.linalg.trace(a)", S),
    ("a: np.linalg.diagonal(a, offset=1)", C),
    ("a, b: np.linalg.cross(a, b)", M, N),
    ("a, b: np.linalg.outer(a, b)", V, W),
    ("a, b: np.linalg.vecdot(a, b)", M, N),
    ("a, b: np.linalg.tensordot(a, b, axes=1)", M, Q),
    ("a, b: np.linalg.matmul(a, b)", M, Q),
    ("a: np.linalg.matrix_transpose(a)", C),
    # numpy.fft
    ("a: np.fft.fft(a)", V),
    ("a: np.fft.fft(a, 6, norm='ortho')", V),
    ("a: np.fft.ifft(a, axis=0)", M),
    ("a: np.fft.rfft(a)", V),
    ("a: np.fft.irfft(np.fft.rfft(a) * (1 + 1j), n=4)", V),
    ("a: np.fft.fft2(a)", M),
    ("a: np.fft.ifft2(a)", M),
    ("a: np.fft.rfft2(a)", M),
    ("a: np.fft.irfft2(np.fft.rfft2(a), s=(2, 3))", M),
    ("a: np.fft.fftn(a, axes=(0, 2))", C),
    ("a: np.fft.fftshift(a)", M),
    ("a: np.fft.ifftshift(a, axes=1)", M),
    ("a: np.abs(np.fft.fft(a)) ** 2", V),
)

UFUNCS = cases(
    *((f"a: np.{name}(a)", V) for name in words(
            """
            negative positive absolute fabs square exp expm1 exp2 sin cos tan sinh cosh tanh
            arctan arcsinh cbrt reciprocal deg2rad radians rad2deg degrees conjugate sign
            """
        )),
    *((f"a: np.{name}(a)", P) for name in words(
            """
            sqrt log log2 log10 log1p
            """
        )),
    *((f"a: np.{name}(a)", V / 3.0) for name in ["arcsin", "arccos", "arctanh"]),
    ("a: np.arccosh(a)", P + 1.0),
    *((f"a, b: np.{name}(a, b)", V, W) for name in words(
            """
            add subtract multiply divide true_divide maximum minimum fmax fmin hypot arctan2
            logaddexp logaddexp2 copysign remainder mod floor_divide vecdot heaviside
            """
        )),
    ("a, b: np.power(a, b)", P, W),
    ("a, b: np.float_power(a, b)", P, W),
    ("a, b: np.divmod(a, b)", V, W),
    *(  # NumPy 2.2
        [("a, b: np.matvec(a, b)", M, COLUMNS), ("a, b: np.vecmat(a, b)", COLUMNS, Q)]
        if hasattr(np, "matvec")
        else []
    ),
    ("a, b: np.vecdot(a, b, axis=0)", M, N),
    ("a: np.add([1.0, 2.0, 3.0, 4.0], a)", V),
    ("a: np.multiply(a, (1.0, 2.0, 3.0, 4.0))", V),
    ("a: np.exp(a, where=True, out=None)", V),
    # methods
    ("a: np.add.reduce(a)", M),
    ("a: np.add.reduce(a, axis=1, keepdims=True)", M),
    ("a: np.add.reduce(a, None)", M),
    ("a: np.add.reduce(a, (0, 1))", C),
    ("a: np.multiply.reduce(a, 1)", M),
    ("a: np.maximum.reduce(a)", M),
    ("a: np.minimum.reduce(a, axis=-1)", M),
    ("a: np.logaddexp.reduce(a, axis=1)", M),
    ("a: np.add.accumulate(a)", M),
    ("a: np.add.accumulate(a, axis=1)", M),
    ("a: np.multiply.accumulate(a, 1)", M),
    ("a, b: np.subtract.outer(a, b)", V, COLUMNS),
    ("a, b: np.multiply.outer(a, b)", M, V),
    # an array at the left
    ("a: W + a", V),
    ("a: M @ a", COLUMNS),
    ("a: P ** a", V),
    ("a: np.float64(2.0) / a", V),
)  # fmt: skip


@pytest.mark.parametrize(("f", "args"), FUNCTIONS)
def test_function_has_the_value_of_numpy_and_the_gradient_of_differences(f, args):
    """Each form of call that NumPy has."""
    assert_right(f, *args)


@pytest.mark.parametrize(("f", "args"), UFUNCS)
def test_ufunc_has_the_value_of_numpy_and_the_gradient_of_differences(f, args):
    """Called, with keywords, and by its methods."""
    assert_right(f, *args)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (np.nanmax, [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]),
        (np.nanmin, [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        (np.nansum, [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]),
        (np.nanmean, [[0.25, 0.0, 0.25], [0.25, 0.25, 0.0]]),
        (np.nanprod, [[1.96, 0.0, 0.49], [0.7, 1.4, 0.0]]),
        (lambda a: np.sum(np.nan_to_num(a, nan=5.0)), [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]),
    ],
)
def test_nan_functions_give_no_gradient_to_nan(f, expected):
    """The others share it as if NaN were not there."""
    assert f(Value(HOLES)).data == pytest.approx(f(HOLES))
    np.testing.assert_allclose(opgrad.grad(f)(HOLES), expected, rtol=1e-12)


NUMBERS = cases(
    ("a, b: np.stack([a * b, b, 1.0])", 0.5, 2.0),
    ("a, b: np.hstack([a, b, V])", 0.5, 2.0),
    ("a: np.append(V, a)", 0.5),
    ("a: np.atleast_1d(a) * np.atleast_2d(a)", 0.5),
    ("a: np.broadcast_to(a, (2, 3))", 0.5),
    ("a: np.reshape(a, (1, 1))", 0.5),
    ("a: np.ravel(a)", 0.5),
    ("a: np.expand_dims(a, 0)", 0.5),
    ("a: np.tile(a, 3)", 0.5),
    ("a: np.repeat(a, 3)", 0.5),
    ("a: np.full_like(V, 1.0) * a", 0.5),
    ("a: np.sum(a) + np.mean(a)", 0.5),
    ("a, b: np.kron(a, V) + np.dot(b, V)", 0.5, 2.0),
    ("a, b: np.where(MASK, a, b)", 0.5, 2.0),
    ("a, b: np.linspace(a, b, 4)", 0.5, 2.0),
    ("a: np.clip(V, a, 2.0)", 0.5),
    ("a: np.maximum(a, V)", 0.5),
)


@pytest.mark.parametrize(("f", "args"), NUMBERS)
def test_python_numbers_are_taken_where_numpy_takes_them(f, args):
    """As arrays without axes; their gradients are Python numbers again."""
    assert_right(f, *args)
    assert type(opgrad.grad(loss_of(f))(*args)) is float


CONSTANT = words(
    """
    np.argmax(v) np.argmax(v,axis=1,keepdims=True) np.argmin(v,0)
    np.argsort(v,axis=0,kind='stable') np.all(v>0) np.any(v>1,axis=0) np.count_nonzero(v)
    np.nonzero(v)[0] np.where(v>0)[1] np.searchsorted(v[0],[1.0]) np.isin(v,[0.5]) np.isnan(v)
    np.isfinite(v) np.isclose(v,v+1e-12) np.allclose(v,v) np.array_equal(v,v) np.signbit(v)
    np.greater(v,0.0) np.logical_and(v>0,v<1) np.logical_or.reduce(v>0)
    np.logical_and.reduce(v>0,axis=None) np.zeros_like(v) np.ones_like(v,dtype=np.float32)
    np.empty_like(v).shape np.full_like(v,2.0) np.shape(v) np.ndim(v) np.size(v) np.size(v,0)
    np.iscomplexobj(v) np.isrealobj(v) np.result_type(v,np.float32) np.argwhere(v>0)
    np.flatnonzero(v>0) np.linalg.matrix_rank(v) np.digitize(v,[0.0,1.0]) np.isposinf(v)
    np.nanargmax(v) np.nanargmin(v,axis=1) np.argsort(v,axis=None) np.array_str(v) np.floor(v)
    np.ceil(v) np.rint(v) np.round(v,1) np.around(v) np.trunc(v) np.fix(v)
    np.unique(v,return_inverse=True,return_counts=True)[1] np.triu_indices_from(v)[0]
    """
)


@pytest.mark.parametrize("text", CONSTANT)
def test_what_has_no_derivative_has_the_value_of_numpy(text):
    """Indices, comparisons, shapes, rounded numbers."""
    found = eval(text, {"np": np, "v": Value(M)})  # noqa: S307 -- the text is the name of the test
    expected = eval(text, {"np": np, "v": M})  # noqa: S307 -- as above
    found = found.data if type(found) is Value else found

    np.testing.assert_array_equal(found, expected)


REFUSED = [
    ("np.interp(v, [0.0, 1.0], [1.0, 2.0])", UnknownOpError, r"numpy\.interp"),
    ("np.gradient(v)", UnknownOpError, r"numpy\.gradient"),
    ("np.i0(v)", UnknownOpError, r"i0"),
    ("np.linalg.eig(s)", UnknownOpError, r"numpy\.linalg\.eig"),
    ("np.linalg.tensorinv(s)", UnknownOpError, r"numpy\.linalg\.tensorinv"),
    ("np.lib.scimath.sqrt(v)", UnknownOpError, r"numpy\.lib\.scimath's sqrt"),
    ("np.frexp(v)", UnknownOpError, r"numpy\.frexp"),
    ("np.add.at(v, 0, 1.0)", UnknownOpError, r"numpy\.add\.at"),
    ("np.add.reduceat(v, [0, 1])", UnknownOpError, r"numpy\.add\.reduceat"),
    ("np.subtract.reduce(v)", UnknownOpError, r"numpy\.subtract\.reduce"),
    ("np.maximum.accumulate(v)", UnknownOpError, r"numpy\.maximum\.accumulate"),
    ("np.exp(v, out=np.zeros(4))", ConversionError, r"'out' of numpy\.exp"),
    ("np.exp(v, where=MASK)", CallError, r"'where' of numpy\.exp"),
    ("np.exp(v, dtype=np.float32)", CallError, r"'dtype' of numpy\.exp"),
    ("np.sum(v, out=np.zeros(()))", ConversionError, r"'out' of numpy\.sum"),
    ("np.sum(v, 0, None, np.zeros(()))", ConversionError, r"'out' of numpy\.sum"),
    ("np.sum(v, where=MASK)", CallError, r"'where' of numpy\.sum"),
    ("np.sum(v, initial=3.0)", CallError, r"'initial' of numpy\.sum"),
    ("np.max(v, initial=3.0)", CallError, r"'initial' of numpy\.max"),
    ("np.add.reduce(v, where=MASK)", CallError, r"'where' of numpy\.add\.reduce"),
    ("np.median(v, out=np.zeros(()))", ConversionError, r"'out' of numpy\.median"),
    ("np.quantile(v, 0.5, method='nearest')", CallError, r"'method' of numpy\.quantile"),
    ("np.concatenate([v, v], dtype=np.float32)", CallError, r"'dtype' of numpy\.concatenate"),
    ("np.reshape(v, (2, 2), order='A')", CallError, r"'A'"),
    ("np.copyto(np.zeros(4), v)", UnknownOpError, r"numpy\.copyto"),
    ("np.full(3, v[0])", ConversionError, r"lose the gradient"),
    ("np.full_like(MASK, v[0])", UnknownOpError, r"copyto, which writes into an array"),
    ("np.array([v[0], v[1]])", ConversionError, r"lose the gradient"),
    ("np.array([v, v])", ConversionError, r"lose the gradient"),
    ("np.sum([v, v])", ConversionError, r"lose the gradient"),
    ("np.ones((2, 4)).dot(v)", ConversionError, r"lose the gradient"),
    ("np.asarray(v)", ConversionError, r"numpy\.asarray"),
    ("np.vectorize(math.sin)(v)", OpgradError, r"vectorize|lose"),
    ("math.sin(v[0])", ConversionError, r"float\(v\)"),
    ("np.zeros(4).__setitem__(0, v[0])", ValueError, r"array element"),
    ("np.zeros(4).__iadd__(v)", ConversionError, r"array = array \+ v"),
    ("np.frompyfunc(math.sin, 1, 1)(v)", UnknownOpError, r"sin"),
]


@pytest.mark.parametrize(("text", "kind", "match"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_has_no_op_is_refused_by_name(text, kind, match):
    """No object array, no gradient lost."""
    names = {"np": np, "math": math, "v": Value(V), "s": Value(S), "MASK": MASK}
    with pytest.raises(kind, match=match):
        eval(text, names)  # noqa: S307 -- the text is the name of the test


HANDED_OVER = {
    f"{f.__module__}.{f.__name__}": f
    for f in sorted(
        get_overridable_numpy_array_functions(), key=lambda f: (f.__name__, f.__module__)
    )
    if f.__module__ in {"numpy", "numpy.linalg", "numpy.lib.scimath", "numpy.lib.stride_tricks"}
}


@pytest.mark.parametrize("function", HANDED_OVER.values(), ids=list(HANDED_OVER))
def test_every_function_that_numpy_hands_over_runs_or_is_refused(function):
    """Called as one could, each gives Values or constants, or an error; data are never written."""
    for v in (Value(S.copy()), Value(V.copy())):
        for args in ((v,), (v, v), ([v, v],), (v, 1), (v > 0, v), (v, v, v)):
            before = v.data.copy()
            try:
                with np.errstate(all="ignore"):
                    found = function(*args)
            except (OpgradError, TypeError, ValueError, IndexError, AttributeError):
                continue
            except np.linalg.LinAlgError:
                continue
            parts = found if isinstance(found, tuple | list) else [found]
            for part in parts:
                data = part.data if type(part) is Value else part
                assert getattr(data, "dtype", None) != np.dtype(object)
            np.testing.assert_array_equal(v.data, before)


def test_function_of_a_strangers_that_has_numpys_name_is_not_numpys():
    """`tanh` of another library may mean anything, so its name decides nothing."""

    def doubled(x):
        return 2.0 * x

    doubled.__name__ = "tanh"
    stranger = np.frompyfunc(doubled, 1, 1)

    with pytest.raises(UnknownOpError, match="tanh"):
        stranger(Value(V))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_dtypes_are_those_of_numpy(dtype):
    """float32 stays float32, and so does its gradient."""
    x = V.astype(dtype)
    for f in (np.tanh, np.cumsum, np.mean, np.std, np.sort, np.linalg.norm, np.fft.fft, np.diag):
        assert f(Value(x)).data.dtype == f(x).dtype
        if dtype is not np.complex128 and f is not np.fft.fft:
            assert opgrad.grad(lambda a, f=f: np.sum(f(a)))(x).dtype == dtype


def test_plugin_that_declares_a_name_of_numpys_is_reached():
    """And forgotten with the plugin: what was found before is not kept."""

    @opgrad.elementwise(numpy=("spacing",))
    def halved(x):
        return 0.5 * x

    @halved.derivative
    def halved_derivative(x):
        return 0.0 * x + 0.5

    class Plugin:
        @staticmethod
        @opgrad.hookimpl
        def opgrad_ops():
            return (halved,)

    with pytest.raises(UnknownOpError):
        np.spacing(Value(V))
    opgrad.load_plugin(Plugin, "halvers")
    try:
        assert np.array_equal(np.spacing(Value(V)).data, 0.5 * V)
    finally:
        opgrad.plugins.PLUGINS.forget("halvers")
    with pytest.raises(UnknownOpError):
        np.spacing(Value(V))


# -- scipy.special --------------------------------------------------------------------------------

SPECIAL = cases(
    *((f"a: special.{name}(a)", P) for name in words(
            """
            gammaln loggamma gamma psi rgamma erf erfc erfcx dawsn expit log_expit ndtr
            log_ndtr entr j0 j1 y0 y1 i0 i1 i0e i1e k0 k1 exp1 expi expm1 log1p cbrt exp2
            exprel cosm1 spence
            """
        )),
    *((f"a: special.{name}(a)", P / 3.0) for name in ["logit", "ndtri", "erfinv"]),
    *((f"a, b: special.{name}(a, b)", P, P[::-1].copy()) for name in words(
            """
            xlogy xlog1py rel_entr kl_div beta betaln
            """
        )),
    ("a: special.jv(1.5, a)", P),
    ("a: special.iv(2, a)", P),
    ("a: special.zeta(2.5, a)", P),
    ("a: special.gammainc(2.0, a)", P),
)  # fmt: skip


@pytest.mark.parametrize(("f", "args"), SPECIAL)
def test_function_of_scipy_special_finds_the_op_of_the_plugin(f, args):
    """By the name of the library; nobody imports the plugin."""
    pytest.importorskip("opgrad_scipy")

    assert_right(f, *args, tolerance=1e-5)


def test_function_of_scipy_special_without_an_op_is_refused():
    """Naming the library and the function."""
    with pytest.raises(UnknownOpError, match="scipy's ellipk"):
        special.ellipk(Value(0.5))


# -- code that was not written for opgrad ---------------------------------------------------------


def lorenz(start, parameters, steps=40, dt=0.01):
    """Return where the Lorenz system is after some steps of RK4."""
    sigma, rho, beta = parameters

    def velocity(p):
        x, y, z = p
        return np.stack([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])

    p = start
    for _ in range(steps):
        k1 = velocity(p)
        k2 = velocity(p + dt / 2 * k1)
        k3 = velocity(p + dt / 2 * k2)
        k4 = velocity(p + dt * k3)
        p = p + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return p


def reconstruction_error(x, k=1):
    """Return what the first principal components leave of the variance."""
    x = x - np.mean(x, axis=0)
    _, _, vt = np.linalg.svd(x, full_matrices=False)
    kept = np.dot(np.dot(x, vt[:k].T), vt[:k])
    return np.linalg.norm(x - kept) ** 2 / len(x)


def kalman_log_likelihood(transition, noise, observed):
    """Return the log-likelihood of a series under a local linear trend."""
    state, spread = np.zeros(2), np.eye(2)
    h = np.array([[1.0, 0.0]])
    total = 0.0
    for y in observed:
        state = transition @ state
        spread = transition @ spread @ transition.T + np.diag(np.exp(noise[:2]))
        s = (h @ spread @ h.T)[0, 0] + np.exp(noise[2])
        gain = spread @ h[0] / s
        residual = y - state[0]
        total = total - 0.5 * (np.log(2 * np.pi * s) + residual**2 / s)
        state = state + gain * residual
        spread = spread - np.outer(gain, h[0] @ spread)
    return total


def softmax_loss(weights, bias, x, labels):
    """Return the cross-entropy of a softmax regression."""
    scores = np.dot(x, weights) + bias
    scores = scores - scores.max(axis=1, keepdims=True)
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(labels)), labels]) + 0.1 * np.sum(weights**2)


def black_scholes(spot, strike, rate, volatility, years):
    """Return the price of a European call."""
    root = volatility * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / root
    return spot * special.ndtr(d1) - strike * np.exp(-rate * years) * special.ndtr(d1 - root)


def power_iteration(a, steps=200):
    """Return the largest eigenvalue of a symmetric matrix."""
    x = np.ones(len(a)) / np.sqrt(len(a))
    for _ in range(steps):
        x = a @ x
        x = x / np.linalg.norm(x)
    return x @ a @ x


def wave_energy(field):
    """Return the energy of a periodic field, its slope taken by Fourier transforms."""
    k = 2j * np.pi * np.fft.fftfreq(len(field))
    slope = np.real(np.fft.ifft(k * np.fft.fft(field)))
    return 0.5 * np.mean(slope**2) + 0.25 * np.mean((1 - field**2) ** 2)


def mixture_log_likelihood(means, logits, x):
    """Return the log-likelihood of a mixture of normals of width one."""
    log_w = logits - np.logaddexp.reduce(logits)
    each = -0.5 * np.square(np.subtract.outer(x, means)) - 0.5 * np.log(2 * np.pi)
    return np.sum(np.logaddexp.reduce(each + log_w, axis=1))


SNIPPETS = [
    (lorenz, (np.array([1.0, 2.0, 20.0]), np.array([10.0, 28.0, 8.0 / 3.0]))),
    (reconstruction_error, (C[0] @ C[1].T + np.diag([0.3, 1.0, 2.0]),)),
    (
        functools.partial(kalman_log_likelihood, observed=[0.3, 0.8, 1.1, 1.9]),
        (np.array([[1.0, 1.0], [0.0, 0.9]]), np.array([-1.0, -2.0, -0.5])),
    ),
    (
        functools.partial(softmax_loss, x=C.reshape(8, 3), labels=[0, 1, 2, 1, 1, 0, 2, 0]),
        (Q, COLUMNS),
    ),
    (black_scholes, tuple(map(np.array, (100.0, 105.0, 0.03, 0.2, 0.5)))),
    (power_iteration, (S,)),
    (wave_energy, (np.sin(np.arange(8.0)),)),
    (mixture_log_likelihood, (COLUMNS, np.array([0.1, 0.5, -0.2]), V)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("f", "args"), SNIPPETS, ids=lambda f: getattr(getattr(f, "func", f), "__name__", "on")
)
def test_numpy_code_written_without_opgrad_has_right_gradients(f, args):
    """Handed Values instead of arrays, and nothing else changed."""
    assert_right(f, *args, tolerance=1e-5)


def test_gradients_of_numpy_code_are_what_the_textbook_says():
    """Black-Scholes delta and gamma; the derivative of an eigenvalue is the vector's square."""
    spot, *rest = 100.0, 105.0, 0.03, 0.2, 0.5
    root = 0.2 * math.sqrt(0.5)
    d1 = (math.log(100 / 105) + (0.03 + 0.02) * 0.5) / root
    density = math.exp(-0.5 * d1**2) / math.sqrt(2 * math.pi)
    delta = opgrad.grad(black_scholes)
    _, vectors = np.linalg.eigh(S)

    assert delta(spot, *rest) == pytest.approx(special.ndtr(d1), rel=1e-13)
    assert opgrad.grad(delta)(spot, *rest) == pytest.approx(density / (100 * root), rel=1e-12)
    np.testing.assert_allclose(
        opgrad.grad(power_iteration)(S), np.outer(vectors[:, 2], vectors[:, 2]), atol=1e-12
    )
