"""What cannot be differentiated, or called, raises and says which operand or attribute it is."""

from __future__ import annotations

import numpy as np
import pytest

import opgrad
from opgrad.errors import CallError, MissingRuleError

sp = opgrad.ops.scipy

UNAVAILABLE = [
    *[(op, 0, (1.5, 2.0), "v") for op in (sp.jv, sp.yv, sp.iv, sp.kv, sp.ive, sp.kve)],
    *[(op, 0, (1.5, 2.0), "a") for op in (sp.gammainc, sp.gammaincc)],
    *[(op, 0, (1.5, 2.0, 0.3), "a") for op in (sp.betainc, sp.betaincc)],
    *[(op, 1, (1.5, 2.0, 0.3), "b") for op in (sp.betainc, sp.betaincc)],
    (sp.zeta, 0, (2.5, 1.5), "x"),
]
UNAVAILABLE = [pytest.param(*case, id=f"{case[0].name}-{case[-1]}") for case in UNAVAILABLE]


@pytest.mark.parametrize(("op", "position", "operands", "name"), UNAVAILABLE)
def test_derivative_that_scipy_has_no_function_for_raises(op, position, operands, name):
    """In reverse and forward mode; the error names op and operand, and the way out."""
    message = rf"scipy\.{op.name} has no derivative with respect to '{name}'.*stop_gradient"
    with pytest.raises(MissingRuleError, match=message):
        opgrad.grad(op, argnums=position)(*operands)
    with pytest.raises(MissingRuleError, match=message):
        opgrad.jvp(
            lambda x: op(*operands[:position], x, *operands[position + 1 :]),
            (operands[position],),
            (1.0,),
        )


@pytest.mark.parametrize(("op", "position", "operands", "name"), UNAVAILABLE)
def test_the_other_operands_do_not_need_it(op, position, operands, name):
    """What nobody asks for is never computed: the last operand is differentiable."""
    last = len(operands) - 1
    held = list(operands)
    held[position] = opgrad.stop_gradient(opgrad.Value(held[position]))

    assert opgrad.grad(op, argnums=last)(*held) == opgrad.grad(op, argnums=last)(*operands)


def test_riemanns_zeta_has_no_derivative():
    """Without q too."""
    with pytest.raises(MissingRuleError, match=r"with respect to 'x'"):
        opgrad.grad(sp.zeta)(2.0)


REAL_ONLY = [
    (sp.erfcx, ()),
    (sp.dawsn, ()),
    (sp.ndtr, ()),
    (sp.log_ndtr, ()),
    (sp.rgamma, ()),
    (sp.expi, ()),
    (sp.exp1, ()),
    (sp.spence, ()),
    (sp.ive, (1.0,)),
    (sp.kve, (1.0,)),
    (sp.xlog1py, (1.0,)),
]


@pytest.mark.parametrize(("op", "before"), REAL_ONLY, ids=lambda it: getattr(it, "name", ""))
@pytest.mark.parametrize("z", [1.0 + 2.0j, np.asarray([1.0 + 2.0j])], ids=["number", "array"])
def test_complex_operand_is_refused_where_the_rule_is_real(op, before, z):
    """SciPy would take it, and the derivative would be wrong."""
    with pytest.raises(CallError, match=rf"scipy\.{op.name} takes real operands"):
        op(*before, z)


def test_derivative_of_complex_digamma_is_refused():
    """polygamma is a function of real operands in SciPy."""
    with pytest.raises(CallError, match=r"scipy\.zeta takes real operands"):
        opgrad.grad(lambda z: sp.digamma(z).real)(1.0 + 2.0j)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sp.polygamma(-1, 2.0), r"polygamma: n must be a whole number, at least 0, got -1"),
        (lambda: sp.polygamma(1.5, 2.0), r"polygamma: n must be a whole number, at least 0"),
        (lambda: sp.polygamma(True, 2.0), r"polygamma: n must be a whole number"),  # noqa: FBT003 -- refused
        (lambda: sp.polygamma(opgrad.Value(1.0), 2.0), r"never differentiated"),
        (lambda: sp.polygamma(1), r"needs the attribute 'n': polygamma\(x, \*, n\)"),
        (lambda: sp.expn(1), r"needs the attribute 'n'"),
        (lambda: sp.multigammaln(2.0, 0), r"multigammaln: d must be a whole number, at least 1"),
        (lambda: sp.multigammaln(2.0), r"needs the attribute 'd'"),
        (lambda: sp.expn(1.5, 2.0), r"expn: n must be a whole number, got 1.5"),
        (lambda: sp.erfcx(2.0, order=-1), r"erfcx: order must be a whole number, at least 0"),
        (lambda: sp.dawsn(2.0, order=0.5), r"dawsn: order must be a whole number, at least 0"),
        (lambda: sp.exprel(2.0, order=-1), r"exprel: order must be a whole number, at least 0"),
    ],
)
def test_attribute_that_means_nothing_is_refused(call, message):
    """Before anything is computed."""
    with pytest.raises(CallError, match=message):
        call()


def test_both_orders_of_arguments_are_taken():
    """SciPy's, and operand first with the attribute by name."""
    assert sp.polygamma(1, 2.0) == sp.polygamma(2.0, n=1)
    assert sp.expn(2, 1.5) == sp.expn(1.5, n=2)
    assert sp.multigammaln(2.5, 3) == sp.multigammaln(2.5, d=3)
