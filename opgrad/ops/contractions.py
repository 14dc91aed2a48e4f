"""Sums of products over shared axes: vecdot, tensordot, einsum, convolve."""

from __future__ import annotations

from opgrad.define import op
from opgrad.hookspecs import hookimpl
from opgrad.op import Op
from opgrad.ops.rearranging import as_arrays
from opgrad.samples import sample, uniform
from opgrad.types import shape as shape_of

_MATRIX_2_3 = uniform((2, 3))
_CUBE = uniform((2, 3, 4))
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LARGE = 10_000
"""Products from which it pays that `einsum` plans an order and calls BLAS; planning costs 20 µs."""


# ------------------------------------------------------------------------------------------- vecdot


@op(
    linear=True,
    broadcasts=True,
    samples=(
        sample([1.0, -2.0], [0.5, 3.0]),
        sample(_MATRIX_2_3, uniform((3,))),
        sample(uniform((3,)), _MATRIX_2_3),
        sample(uniform((2, 3, 1)), uniform((3, 4)), axis=-2),
        sample(_CUBE, uniform((2, 1, 4)), axis=-1),
    ),
)
def vecdot(xp, a, b, *, axis=-1):
    """Σᵢ conj(aᵢ)·bᵢ over `axis`, counted from the end; the other axes broadcast."""
    if axis >= 0 and len(shape_of(a)) != len(shape_of(b)):
        message = f"axis {axis} is another one of each array; count it from the end"
        raise ValueError(message)

    return xp.vecdot(a, b, axis=axis)


@vecdot.backward("a")
def vecdot_backward_a(xp, g, b, axis):
    """conj(g·b) along the axis."""
    return xp.conj(xp.expand_dims(g, axis=axis) * b)


@vecdot.backward("b")
def vecdot_backward_b(xp, g, a, axis):
    """g·conj(a) along the axis."""
    return xp.expand_dims(g, axis=axis) * xp.conj(a)


# ---------------------------------------------------------------------------------------- tensordot


@op(
    linear=True,
    samples=(
        sample(_CUBE, uniform((3, 4, 2))),
        sample(_MATRIX_2_3, uniform((3, 2)), axes=1),
        sample([1.0, -2.0], [0.5, 3.0, 2.0], axes=0),
        sample(_CUBE, uniform((4, 5, 3)), axes=((2, 1), (0, 2))),
        sample(_CUBE, uniform((3, 2)), axes=((-2,), (0,))),
        sample(_MATRIX_2_3, _MATRIX_2_3, axes=2),
    ),
)
def tensordot(xp, a, b, *, axes):
    """Σ of a·b over `axes`: a number n (the last n of a, the first n of b), or the axes of each.

    The result has the other axes of a, then those of b. `axes` is 2 unless given.
    """
    return xp.tensordot(*as_arrays(xp, (a, b)), axes=axes)


@tensordot.arguments
def tensordot_arguments(a, b, axes=2):
    """A number of axes is kept as the axes themselves."""
    if hasattr(axes, "__index__"):
        axes = (range(-axes, 0), range(axes))
    pair = [(of,) if hasattr(of, "__index__") else tuple(of) for of in axes]

    return (a, b), {"axes": tuple(pair)}


@tensordot.backward("a")
def tensordot_backward_a(xp, g, a, b, axes):
    """g·b over the free axes of b."""
    of_a, of_b = _counted(axes[0], a), _counted(axes[1], b)
    free_a, free_b = _free(a, of_a), _free(b, of_b)
    d = xp.tensordot(g, b, axes=(tuple(range(len(free_a), len(free_a + free_b))), free_b))
    partners = [i for _, i in sorted(zip(of_b, of_a, strict=True))]

    return xp.permute_dims(d, _inverse((*free_a, *partners)))


@tensordot.backward("b")
def tensordot_backward_b(xp, g, a, b, axes):
    """a·g over the free axes of a."""
    of_a, of_b = _counted(axes[0], a), _counted(axes[1], b)
    free_a, free_b = _free(a, of_a), _free(b, of_b)
    d = xp.tensordot(a, g, axes=(free_a, tuple(range(len(free_a)))))
    partners = [i for _, i in sorted(zip(of_a, of_b, strict=True))]

    return xp.permute_dims(d, _inverse((*partners, *free_b)))


def _counted(axes, x):
    """The axes, counted from the front."""
    return tuple(i % len(shape_of(x)) for i in axes)


def _free(x, contracted):
    """The axes of x that are not contracted."""
    return tuple(i for i in range(len(shape_of(x))) if i not in contracted)


def _inverse(order):
    """The permutation that undoes `order`."""
    return tuple(order.index(i) for i in range(len(order)))


# ------------------------------------------------------------------------------------------- einsum


@op(
    broadcasts=True,
    samples=(
        sample(_MATRIX_2_3, uniform((3, 4)), subscripts="ij,jk->ik"),
        sample(_MATRIX_2_3, uniform((3, 4)), subscripts="ij,jk"),
        sample(_MATRIX_2_3, uniform((3, 4)), uniform((4,)), subscripts="ab,bc,c->a"),
        sample(_MATRIX_2_3, subscripts="ij->"),
        sample(_MATRIX_2_3, subscripts="ji"),
        sample(_CUBE, subscripts="ijk->ki"),
        sample(uniform((3, 3)), subscripts="ii"),
        sample(uniform((3, 3)), subscripts="ii->i"),
        sample(uniform((3, 3, 3)), uniform((3,)), subscripts="iii,i->i"),
        sample(uniform((3, 2, 3, 2)), subscripts="ijij->j"),
        sample(uniform((2, 3, 4)), uniform((4, 5)), subscripts="...j,jk->...k"),
        sample(uniform((2, 3, 4)), uniform((3, 4)), subscripts="...,..."),
        sample(uniform((2, 1, 4)), uniform((3, 4)), subscripts="...i,...i->..."),
        sample(uniform((3, 2, 3)), uniform((2,)), subscripts="i...i,...->i..."),
        sample(uniform((1, 3)), uniform((2, 3)), subscripts="ij,ij->i"),
        sample(uniform((3,)), uniform((1,)), subscripts="i,i->"),
        sample([1.0, 2.0], [3.0, 4.0, 5.0], 2.0, subscripts="i,j,->ij"),
        sample([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], subscripts="i,i,i,j->i"),
    ),
)
def einsum(xp, *arrays, subscripts, optimize=None):
    """Σ of the product of the arrays by Einstein's rule: `einsum("ij,jk->ik", a, b)`.

    Each letter names an axis; axes of one letter go together, and those that the result does not
    name are summed over. Letters twice in one term take a diagonal, `...` stands for the axes not
    named, which broadcast. With no `->` the result has the letters that occur once, in their order.

    `optimize` is NumPy's; unless given, products of many entries are planned.
    """
    if optimize is None:
        optimize = _work(subscripts, arrays) > _LARGE

    return xp.einsum(subscripts, *as_arrays(xp, arrays), optimize=optimize)


@einsum.arguments
def einsum_arguments(*arrays, subscripts=None, optimize=None):
    """The subscripts come first: a text, or (as NumPy takes it too) axes after each array."""
    if subscripts is None and isinstance(arrays[0], str):
        subscripts, arrays = arrays[0], arrays[1:]
    elif subscripts is None:
        subscripts, arrays = _from_axes(arrays)

    return arrays, {"subscripts": subscripts, "optimize": optimize}


@einsum.backward
def einsum_backward(xp, g, arrays, subscripts, optimize):
    """Of each array: the sum of g times the other arrays, over what that array does not name."""
    terms, result = _spelt_out(subscripts, [len(shape_of(x)) for x in arrays])

    return tuple(
        _gradient(xp, g, arrays, i, terms, result, optimize=optimize) for i in range(len(arrays))
    )


@einsum.jvp
def einsum_jvp(xp, t, arrays, subscripts, optimize):
    """The sum over the arrays of the same sum with the tangent in place of the array."""
    total = None
    for i, tangent in enumerate(t):
        if tangent is not None:
            moved = (*arrays[:i], tangent, *arrays[i + 1 :])
            part = xp.einsum(subscripts, *moved, optimize=optimize)
            total = part if total is None else total + part

    return total


def _gradient(xp, g, arrays, i, terms, result, *, optimize):
    x, term = arrays[i], terms[i]
    others = (*terms[:i], *terms[i + 1 :])
    named = set(result).union(*others)
    letters = "".join(dict.fromkeys(term))
    kept = "".join(c for c in letters if c in named)
    inputs = ",".join((result, *others))
    d = xp.einsum(f"{inputs}->{kept}", g, *arrays[:i], *arrays[i + 1 :], optimize=optimize)
    lengths = dict(zip(term, shape_of(x), strict=True))
    found = dict(zip(kept, shape_of(d), strict=True))
    # What only this array names was summed over: each of its entries receives the same.
    d = xp.reshape(d, tuple(found.get(c, 1) for c in letters))
    d = xp.broadcast_to(d, tuple(lengths[c] if found.get(c, 1) == 1 else found[c] for c in letters))
    if letters == term:
        return d

    return _on_diagonals(xp, d, letters, term)


def _on_diagonals(xp, d, letters, term):
    """The entries of d where the axes of one letter have one index, zeros elsewhere."""
    unused = iter(c for c in _LETTERS if c not in term)
    lengths = dict(zip(letters, shape_of(d), strict=True))
    seen, spread, deltas, names = set(), "", [], []
    for c in term:
        if c in seen:
            new = next(unused)
            names.append(c + new)
            deltas.append(xp.eye(lengths[c], dtype=d.dtype))
        else:
            new = c
        seen.add(c)
        spread += new

    return xp.einsum(f"{','.join([letters, *names])}->{spread}", d, *deltas)


def _spelt_out(subscripts, ranks):
    """The letters of each term and of the result, with letters for what `...` stands for."""
    text = subscripts.replace(" ", "")
    before, arrow, result = text.partition("->")
    terms = before.split(",")
    hidden = [
        rank - len(term.replace("...", "")) if "..." in term else 0
        for term, rank in zip(terms, ranks, strict=True)
    ]
    most = max(hidden)
    unused = "".join(c for c in _LETTERS if c not in text)[:most]
    spelt = [term.replace("...", unused[most - n :]) for term, n in zip(terms, hidden, strict=True)]
    if not arrow:
        letters = before.replace(",", "").replace("...", "")
        result = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))

    return spelt, result.replace("...", unused)


def _work(subscripts, arrays):
    """How many products the sum has."""
    if subscripts.count(",") != len(arrays) - 1:
        return 0  # malformed: for `xp.einsum` to refuse
    terms, _ = _spelt_out(subscripts, [len(shape_of(x)) for x in arrays])
    lengths: dict[str, int] = {}
    for term, x in zip(terms, arrays, strict=True):
        for c, n in zip(term, shape_of(x), strict=False):
            lengths[c] = max(n, lengths.get(c, 1))
    work = 1
    for n in lengths.values():
        work *= n

    return work


def _from_axes(given):
    """Subscripts in letters, and the arrays, of `(a, axes of a, b, axes of b, axes of result)`."""
    arrays, axes = given[: len(given) // 2 * 2 : 2], list(given[1::2])
    result = [given[-1]] if len(given) % 2 else []
    numbers = sorted({i for term in [*axes, *result] for i in term if i is not Ellipsis})
    letter = dict(zip(numbers, _LETTERS, strict=False))
    texts = ["".join("..." if i is Ellipsis else letter[i] for i in t) for t in [*axes, *result]]
    subscripts = ",".join(texts[: len(axes)])

    return (f"{subscripts}->{texts[-1]}" if result else subscripts), arrays


# ----------------------------------------------------------------------------------------- convolve


@op(
    linear=True,
    samples=(
        sample([1.0, -2.0, 3.0], [0.5, 1.5]),
        sample([1.0, -2.0, 3.0, 4.0], [0.5, 1.5, -1.0], mode="same"),
        sample([1.0, -2.0, 3.0, 4.0], [0.5, 1.5], mode="same"),
        sample([0.5, 1.5], [1.0, -2.0, 3.0, 4.0], mode="same"),
        sample([1.0, -2.0, 3.0, 4.0], [0.5, 1.5, -1.0], mode="valid"),
        sample([0.5, 1.5], [1.0, -2.0, 3.0, 4.0], mode="valid"),
        sample([2.0], [3.0]),
    ),
)
def convolve(xp, a, b, *, mode="full"):
    """yₖ = Σᵢ aᵢ·bₖ₋ᵢ of two vectors.

    All of it ("full"), its middle, as long as the longer vector ("same"), or only where the shorter
    one overlaps wholly ("valid").
    """
    if len(shape_of(a)) != 1 or len(shape_of(b)) != 1:
        message = f"convolve takes two vectors, not shapes {shape_of(a)} and {shape_of(b)}"
        raise ValueError(message)

    return xp.convolve(a, b, mode=mode)


@convolve.backward("a")
def convolve_backward_a(xp, g, a, b, mode):
    """The correlation of g with b."""
    return xp.convolve(_in_full(xp, g, a, b, mode), xp.flip(b), mode="valid")


@convolve.backward("b")
def convolve_backward_b(xp, g, a, b, mode):
    """The correlation of g with a."""
    return xp.convolve(_in_full(xp, g, a, b, mode), xp.flip(a), mode="valid")


def _in_full(xp, g, a, b, mode):
    """g between zeros, at its place in the full convolution."""
    (n,), (m,), (length,) = shape_of(a), shape_of(b), shape_of(g)
    start = {"full": 0, "same": (min(n, m) - 1) // 2, "valid": min(n, m) - 1}[mode]

    return xp.pad(g, ((start, n + m - 1 - length - start),))


@hookimpl
def opgrad_ops() -> tuple[Op, ...]:
    """Return the ops that sum products."""
    return (vecdot, tensordot, einsum, convolve)
