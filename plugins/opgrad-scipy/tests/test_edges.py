"""Poles, ends of domains, zeros and infinities: what the docstrings say of them."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

import opgrad

sp = opgrad.ops.scipy
INF = math.inf


def at(name, *operands):
    """The op along its last operand, the ones before it held."""
    return functools.partial(getattr(sp, name), *operands)


def along_first(name, *others):
    """The op along its first operand."""
    return lambda x: getattr(sp, name)(x, *others)


# name, function, point, value, derivative (None: nan)
EDGES = [
    ("erfinv at -1", at("erfinv"), -1.0, -INF, INF),
    ("erfinv at 1", at("erfinv"), 1.0, INF, INF),
    ("erfinv outside", at("erfinv"), 1.5, None, None),
    ("erfcinv at 0", at("erfcinv"), 0.0, INF, -INF),
    ("erfcinv at 2", at("erfcinv"), 2.0, -INF, -INF),
    ("erfcx far below", at("erfcx"), -30.0, INF, -INF),
    ("erfcx at inf", at("erfcx"), INF, 0.0, 0.0),
    ("dawsn at inf", at("dawsn"), INF, 0.0, 0.0),
    ("ndtri at 0", at("ndtri"), 0.0, -INF, INF),
    ("ndtri at 1", at("ndtri"), 1.0, INF, INF),
    ("ndtri_exp at 0", at("ndtri_exp"), 0.0, INF, INF),
    ("log_ndtr far below", at("log_ndtr"), -1e10, -5e19, 1e10),
    ("log_ndtr at -inf", at("log_ndtr"), -INF, -INF, INF),
    ("log_ndtr far above", at("log_ndtr"), 40.0, 0.0, 0.0),
    ("expit far below", at("expit"), -1e3, 0.0, 0.0),
    ("logit at 0", at("logit"), 0.0, -INF, INF),
    ("logit at 1", at("logit"), 1.0, INF, INF),
    ("log_expit far below", at("log_expit"), -1e3, -1e3, 1.0),
    ("gamma at 0", at("gamma"), 0.0, INF, -INF),
    ("gamma at -1", at("gamma"), -1.0, None, None),
    ("gammaln at 0", at("gammaln"), 0.0, INF, -INF),
    ("gammaln at -1", at("gammaln"), -1.0, INF, None),
    ("gammaln at inf", at("gammaln"), INF, INF, INF),
    ("rgamma at 0", at("rgamma"), 0.0, 0.0, 1.0),
    ("rgamma at -1", at("rgamma"), -1.0, 0.0, -1.0),
    ("rgamma at -4", at("rgamma"), -4.0, 0.0, 24.0),
    ("digamma at 0", at("digamma"), 0.0, -INF, INF),
    ("zeta at q = 0", at("zeta", 2.0), 0.0, INF, -INF),
    ("gammainc at 0, a = 1/2", at("gammainc", 0.5), 0.0, 0.0, INF),
    ("gammainc at 0, a = 1", at("gammainc", 1.0), 0.0, 0.0, 1.0),
    ("gammainc at 0, a = 20", at("gammainc", 20.0), 0.0, 0.0, 0.0),
    ("betainc at 0, a = 1/2", at("betainc", 0.5, 0.5), 0.0, 0.0, INF),
    ("betainc at 0, a = 1", at("betainc", 1.0, 2.0), 0.0, 0.0, 2.0),
    ("betainc at 1, b = 2", at("betainc", 1.0, 2.0), 1.0, 1.0, 0.0),
    ("xlogy(0, 0)", at("xlogy", 0.0), 0.0, 0.0, 0.0),
    ("xlog1py(0, -1) in b", at("xlog1py", 0.0), -1.0, 0.0, 0.0),
    ("xlog1py(0, -1) in a", along_first("xlog1py", -1.0), 0.0, 0.0, 0.0),
    ("entr at 0", at("entr"), 0.0, 0.0, INF),
    ("entr below 0", at("entr"), -1.0, -INF, None),
    ("rel_entr(0, 2) in a", along_first("rel_entr", 2.0), 0.0, 0.0, -INF),
    ("rel_entr(0, 0) in a", along_first("rel_entr", 0.0), 0.0, 0.0, 0.0),
    ("rel_entr(0, 0) in b", at("rel_entr", 0.0), 0.0, 0.0, 0.0),
    ("rel_entr, huge ratio", along_first("rel_entr", 1e300), 1e-300, None, -1380.5510557964274),
    ("kl_div(0, 2) in a", along_first("kl_div", 2.0), 0.0, 2.0, -INF),
    ("kl_div(0, 0) in a", along_first("kl_div", 0.0), 0.0, 0.0, 0.0),
    ("kl_div(0, 0) in b", at("kl_div", 0.0), 0.0, 0.0, 1.0),
    ("huber on the edge", at("huber", 1.0), -1.0, 0.5, -1.0),
    ("huber with delta = 0", at("huber", 0.0), 2.0, 0.0, 0.0),
    ("pseudo_huber at r = 0", at("pseudo_huber", 1.0), 0.0, 0.0, 0.0),
    ("pseudo_huber, both 0, in r", at("pseudo_huber", 0.0), 0.0, 0.0, 0.0),
    ("pseudo_huber, both 0, in delta", along_first("pseudo_huber", 0.0), 0.0, 0.0, 0.0),
    ("pseudo_huber at delta = 0", along_first("pseudo_huber", 2.0), 0.0, 0.0, 2.0),
    ("jv at 0, v = 0", at("jv", 0.0), 0.0, 1.0, 0.0),
    ("jv at 0, v = 1", at("jv", 1.0), 0.0, 0.0, 0.5),
    ("jv at 0, v = 1/2", at("jv", 0.5), 0.0, 0.0, INF),
    ("j1 at 0", at("j1"), 0.0, 0.0, 0.5),
    ("y0 at 0", at("y0"), 0.0, -INF, INF),
    ("y1 at 0", at("y1"), 0.0, -INF, INF),
    ("yv at 0", at("yv", 2.0), 0.0, -INF, INF),
    ("yv out of range", at("yv", 2.0), 1e-200, -INF, INF),
    ("i1 at 0", at("i1"), 0.0, 0.0, 0.5),
    ("i0e at 0", at("i0e"), 0.0, 1.0, 0.0),
    ("i1e at 0", at("i1e"), 0.0, 0.0, 0.5),
    ("ive at 0", at("ive", 0.0), 0.0, 1.0, 0.0),
    ("k0 at 0", at("k0"), 0.0, INF, -INF),
    ("k1 at 0", at("k1"), 0.0, INF, -INF),
    ("kv at 0", at("kv", 2.0), 0.0, INF, -INF),
    ("kve at 0", at("kve", 2.0), 0.0, INF, -INF),
    ("expi at 0", at("expi"), 0.0, -INF, INF),
    ("expi before it overflows", at("expi"), 712.0, None, math.exp(700.0) / 712.0 * math.exp(12.0)),
    ("exp1 at 0", at("exp1"), 0.0, INF, -INF),
    ("exp1 at inf", at("exp1"), INF, 0.0, 0.0),
    ("spence at 0", at("spence"), 0.0, math.pi**2 / 6.0, -INF),
    ("spence at 1", at("spence"), 1.0, 0.0, -1.0),
    ("exprel at 0", at("exprel"), 0.0, 1.0, 0.5),
    ("exprel at -inf", at("exprel"), -INF, 0.0, 0.0),
    ("exprel at inf", at("exprel"), INF, INF, INF),
    ("Si at 0", lambda x: sp.sici(x)[0], 0.0, 0.0, 1.0),
    ("Ci at 0", lambda x: sp.sici(x)[1], 0.0, -INF, INF),
    ("Shi at 0", lambda x: sp.shichi(x)[0], 0.0, 0.0, 1.0),
    ("Chi at 0", lambda x: sp.shichi(x)[1], 0.0, -INF, INF),
    ("lambertw at 0", lambda x: sp.lambertw(x).real, 0.0, 0.0, 1.0),
    ("multigammaln outside", lambda a: sp.multigammaln(a, 3), 0.7, None, None),
]


@pytest.mark.parametrize(
    ("f", "x", "value", "slope"), [pytest.param(*rest, id=name) for name, *rest in EDGES]
)
def test_value_and_derivative_at_an_edge(f, x, value, slope):
    """On floats and arrays alike, without a warning."""
    gradient = opgrad.grad(f)(x)
    on_array = opgrad.grad(lambda x: opgrad.ops.sum(f(x)))(np.asarray([x, x]))

    if value is not None:
        assert f(x) == pytest.approx(value, rel=1e-13, abs=0.0)
    if slope is None and value is None:
        assert np.isnan(f(x))
    elif slope is None:
        assert np.isnan(gradient)
    else:
        assert gradient == pytest.approx(slope, rel=1e-13, abs=1e-300)
        np.testing.assert_array_equal(on_array, [gradient, gradient])


SECOND = [
    ("rgamma at -1", at("rgamma"), -1.0, 2.0 * (1.0 - np.euler_gamma)),
    ("logit at 0", at("logit"), 0.0, -INF),
    ("y1 at 0", at("y1"), 0.0, -INF),
    ("kve at 0", at("kve", 2.0), 0.0, INF),
    ("gammainc at 0, a = 20", at("gammainc", 20.0), 0.0, 0.0),
    ("spence at 1", at("spence"), 1.0, 0.5),
    ("huber on the edge", at("huber", 1.0), 1.0, 1.0),
    ("pseudo_huber at r = 0", at("pseudo_huber", 2.0), 0.0, 1.0),
    ("exprel at 0", at("exprel"), 0.0, 1.0 / 3.0),
    ("erfcx at 0", at("erfcx"), 0.0, 2.0),
    ("i0e far out", at("i0e"), 1e6, 0.75 * math.sqrt(0.5 / math.pi) * 1e-15),
]


@pytest.mark.parametrize(
    ("f", "x", "expected"), [pytest.param(*rest, id=name) for name, *rest in SECOND]
)
def test_second_derivative_at_an_edge(f, x, expected):
    """Where the form of a rule could have made a nan or a zero of it."""
    assert opgrad.grad(opgrad.grad(f))(x) == pytest.approx(expected, rel=1e-5)


UNARY = [
    op
    for op in (getattr(sp, name) for name in dir(sp))
    if op.elementwise and len(op.operands) == 1 and not {"n", "d"} & set(op.attributes)
]


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_nan_is_not_hidden(op):
    """A nan that comes in goes out, as value and as derivative."""
    with np.errstate(invalid="ignore"):
        found = [op(math.nan), opgrad.grad(lambda x: opgrad.ops.real(op(x)))(math.nan)]

    assert np.isnan(found).all()


def test_a_branch_that_is_not_taken_leaves_no_trace():
    """The poles of gammaln are cut out by where, and contribute exactly zero."""
    x = np.asarray([-1.0, 2.0])
    gradient = opgrad.grad(lambda x: opgrad.ops.sum(opgrad.ops.where(x > 0.0, sp.gammaln(x), 0.0)))(
        x
    )

    np.testing.assert_allclose(gradient, [0.0, 1.0 - np.euler_gamma])
