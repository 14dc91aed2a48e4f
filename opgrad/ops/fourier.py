"""Built-in Fourier transforms, `opgrad.ops.fft`: fft, rfft, their inverses, fftn, and so on.

All are linear, and the matrix of a transform is symmetric: its transpose is the same transform,
cut or filled to the length of the input. Formulas leave out the scale that `norm` sets.
"""

from __future__ import annotations

from opgrad.define import composite, op
from opgrad.errors import CallError
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops.arithmetic import is_complex
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_REAL = [0.5, -1.25, 2.0, 1.5, 0.75]
_COMPLEX = [[1.0 + 2.0j, 0.5, -1.0j, 2.0 - 1.0j], [0.0, 1.0j, 1.5, -2.0 + 0.5j]]
_HALF = [1.5, 0.5 - 1.0j, -2.0 + 0.25j, 1.0]
_CUBE = uniform((2, 4, 3))
_FROM_ANY = (
    sample(_REAL),
    sample(_COMPLEX),
    sample(_COMPLEX, n=3),
    sample(_COMPLEX, n=6, norm="ortho"),
    sample(_CUBE, axis=1, norm="forward"),
    sample(_REAL, n=1),
)
_FROM_REAL = (
    sample(_REAL),
    sample(_CUBE, axis=1),
    sample(_CUBE, axis=-2, n=3, norm="ortho"),
    sample(_REAL, n=8, norm="forward"),
    sample(_REAL, n=1),
)
_FROM_HALF = (
    sample(_HALF),
    sample(_HALF, n=7, norm="ortho"),
    sample(_HALF, n=4, norm="forward"),
    sample(_HALF, n=12),
    sample(_COMPLEX, axis=0, n=3),
    sample(_HALF, n=1),
    sample(_CUBE, axis=1),
)


_TAKES_REAL = {
    "array-api": "real data are taken too, as NumPy does; the standard wants complex ones"
}

# -------------------------------------------------------------------------------- along one axis


@op(linear=True, numpy=("fft",), symbol="F", samples=_FROM_ANY, expected_failures=_TAKES_REAL)
def fft(xp, x, *, n=None, axis=-1, norm="backward"):
    """yₖ = Σⱼ xⱼ e^(-2πi·jk/n) along `axis`, of x cut or filled with zeros to length n.

    The result is multiplied by 1, 1/√n or 1/n for norm "backward", "ortho" or "forward".
    """
    return xp.fft.fft(x, n=n, axis=axis, norm=norm)


@fft.backward("x")
def fft_backward(xp, g, x, axis, norm):
    """The same transform of g."""
    return _fitted(xp, xp.fft.fft(g, axis=axis, norm=norm), x, axis)


@op(linear=True, numpy=("ifft",), symbol="F⁻¹", samples=_FROM_ANY, expected_failures=_TAKES_REAL)
def ifft(xp, x, *, n=None, axis=-1, norm="backward"):
    """yⱼ = Σₖ xₖ e^(2πi·jk/n) along `axis`, of x cut or filled with zeros to length n.

    The result is multiplied by 1/n, 1/√n or 1 for norm "backward", "ortho" or "forward".
    """
    return xp.fft.ifft(x, n=n, axis=axis, norm=norm)


@ifft.backward("x")
def ifft_backward(xp, g, x, axis, norm):
    """The same transform of g."""
    return _fitted(xp, xp.fft.ifft(g, axis=axis, norm=norm), x, axis)


@op(linear=True, numpy=("rfft",), symbol="F", samples=_FROM_REAL)
def rfft(xp, x, *, n=None, axis=-1, norm="backward"):
    """The first n//2 + 1 entries of `fft` of a real x: the others are their conjugates."""
    return xp.fft.rfft(x, n=n, axis=axis, norm=norm)


@rfft.backward("x")
def rfft_backward(xp, g, x, n, axis, norm):
    """Re `fft` of g filled with zeros to length n."""
    length = shape_of(x)[axis] if n is None else n

    return _fitted(xp, xp.real(xp.fft.fft(g, n=length, axis=axis, norm=norm)), x, axis)


@op(linear=True, numpy=("irfft",), symbol="F⁻¹", samples=_FROM_HALF, expected_failures=_TAKES_REAL)
def irfft(xp, x, *, n=None, axis=-1, norm="backward"):
    """The real y of length n with the half spectrum x: `ifft` of x and the conjugates it implies.

    n is 2·(m - 1) for x of length m, unless given. The imaginary part of x₀, and for even n that of
    the last entry, is not used.
    """
    return xp.fft.irfft(x, n=n, axis=axis, norm=norm)


@irfft.backward("x")
def irfft_backward(xp, g, x, axis, norm):
    """conj `rfft` of g; twice that for entries that stand for two. Of a real x its real part."""
    d = xp.conj(xp.fft.rfft(g, axis=axis, norm=_inverse(norm)))
    before = (slice(None),) * (axis % len(shape_of(d)))
    end = (shape_of(g)[axis] + 1) // 2
    parts = [
        d[(*before, slice(0, 1), ...)],
        d[(*before, slice(1, end), ...)] * 2.0,
        d[(*before, slice(max(end, 1), None), ...)],
    ]

    d = xp.concat(parts, axis=axis)

    return _fitted(xp, d if is_complex(x) else xp.real(d), x, axis)


@composite(linear=True, numpy=("hfft",), samples=_FROM_HALF, expected_failures=_TAKES_REAL)
def hfft(xp, x, *, n=None, axis=-1, norm="backward"):
    """The real `fft` of the Hermitian signal whose first half is x: `irfft` of conj(x), scaled."""
    return xp.fft.irfft(xp.conj(x), n=n, axis=axis, norm=_inverse(norm))


@composite(linear=True, numpy=("ihfft",), samples=_FROM_REAL)
def ihfft(xp, x, *, n=None, axis=-1, norm="backward"):
    """The first half of the Hermitian `ifft` of a real x: conj `rfft` of x, scaled."""
    return xp.conj(xp.fft.rfft(x, n=n, axis=axis, norm=_inverse(norm)))


_INVERSES = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _inverse(norm):
    """The scale of the inverse transform as one of the transform itself."""
    if norm not in _INVERSES:
        message = f"norm is 'backward', 'ortho' or 'forward', not {norm!r}"
        raise CallError(message)

    return _INVERSES[norm]


def _fitted(xp, d, x, axis):
    """The gradient d in the length of x: cut, or filled with zeros for entries that were cut."""
    before = (slice(None),) * (axis % len(shape_of(x)))
    found, wanted = shape_of(d)[axis], shape_of(x)[axis]
    if found > wanted:
        return d[(*before, slice(0, wanted), ...)]
    if found < wanted:
        cut = xp.zeros_like(x[(*before, slice(found, None), ...)])
        return xp.concat([d, cut], axis=axis)

    return d


# --------------------------------------------------------------------------- along several axes


_SEVERAL = (
    sample(_CUBE),
    sample(_CUBE, axes=(0, 2), norm="ortho"),
    sample(_CUBE, s=(3, 4), axes=(1, 2)),
    sample(_CUBE, s=(2, 6)),
    sample(_COMPLEX, s=(3, 4), axes=(0, 1), norm="forward"),
)
_SEVERAL_REAL = _SEVERAL[:-1]


@composite(
    linear=True, numpy=("fftn",), symbol="F", samples=_SEVERAL, expected_failures=_TAKES_REAL
)
def fftn(xp, x, *, s=None, axes=None, norm="backward"):
    """`fft` along each of `axes` (all of them, or the last ones that `s` has lengths for)."""
    for n, axis in _plan(x, s, axes):
        x = xp.fft.fft(x, n=n, axis=axis, norm=norm)

    return x


@composite(
    linear=True, numpy=("ifftn",), symbol="F⁻¹", samples=_SEVERAL, expected_failures=_TAKES_REAL
)
def ifftn(xp, x, *, s=None, axes=None, norm="backward"):
    """`ifft` along each of `axes` (all of them, or the last ones that `s` has lengths for)."""
    for n, axis in _plan(x, s, axes):
        x = xp.fft.ifft(x, n=n, axis=axis, norm=norm)

    return x


@composite(linear=True, numpy=("rfftn",), symbol="F", samples=_SEVERAL_REAL)
def rfftn(xp, x, *, s=None, axes=None, norm="backward"):
    """`rfft` of a real x along the last of `axes`, then `fft` along the others."""
    (n, axis), *others = _plan(x, s, axes)
    x = xp.fft.rfft(x, n=n, axis=axis, norm=norm)
    for n, axis in others:
        x = xp.fft.fft(x, n=n, axis=axis, norm=norm)

    return x


@composite(
    linear=True,
    numpy=("irfftn",),
    symbol="F⁻¹",
    samples=_SEVERAL,
    expected_failures={
        **_TAKES_REAL,
        "float16": "there is no half of a complex number: what went through one is float32",
    },
)
def irfftn(xp, x, *, s=None, axes=None, norm="backward"):
    """`ifft` along all of `axes` but the last, then `irfft` along that one: the real result."""
    last, *others = _plan(x, s, axes)
    for n, axis in others:
        x = xp.fft.ifft(x, n=n, axis=axis, norm=norm)
    n, axis = last
    if s is None:
        n = None  # 2·(m - 1), as `irfft` has it

    return xp.fft.irfft(x, n=n, axis=axis, norm=norm)


def _plan(x, s, axes):
    """(length, axis) for each transform, the last axis first; a length of -1 is that of x."""
    shape = shape_of(x)
    if axes is None:
        count = len(shape) if s is None else len(s)
        axes = range(len(shape) - count, len(shape))
    places = [axis % len(shape) for axis in axes if -len(shape) <= axis < len(shape)]
    if len(set(places)) != len(axes) or (s is not None and len(s) != len(axes)):
        message = f"axes {tuple(axes)} and lengths {s} of an array with {len(shape)} axes: each \
axis comes once, with one length"
        raise CallError(message)
    lengths = [-1] * len(places) if s is None else s

    return [
        (shape[axis] if n == -1 else n, axis)
        for n, axis in zip(reversed(lengths), reversed(places), strict=True)
    ]


@op(
    linear=True,
    numpy=("fftshift",),
    samples=(sample(_REAL), sample(_CUBE), sample(_CUBE, axes=(0, 2)), sample(_COMPLEX, axes=1)),
)
def fftshift(xp, x, *, axes=None):
    """x rolled so that the zero frequency is in the middle of `axes` (all of them unless given)."""
    return xp.fft.fftshift(x, axes=axes)


@fftshift.backward("x")
def fftshift_backward(xp, g, axes):
    """Rolled back."""
    return xp.fft.ifftshift(g, axes=axes)


@op(linear=True, numpy=("ifftshift",), samples=fftshift.samples)
def ifftshift(xp, x, *, axes=None):
    """The inverse of `fftshift`: they differ for odd lengths."""
    return xp.fft.ifftshift(x, axes=axes)


@ifftshift.backward("x")
def ifftshift_backward(xp, g, axes):
    """Rolled back."""
    return xp.fft.fftshift(g, axes=axes)


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the Fourier transforms."""
    return (
        fft,
        ifft,
        rfft,
        irfft,
        hfft,
        ihfft,
        fftn,
        ifftn,
        rfftn,
        irfftn,
        fftshift,
        ifftshift,
    )
