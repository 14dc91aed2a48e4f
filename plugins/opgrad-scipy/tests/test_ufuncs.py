"""`scipy.special`'s own functions on Values reach the ops of this plugin, loaded or not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import special

import opgrad
from opgrad.errors import CallError, ConversionError, UnknownOpError

sp = opgrad.ops.scipy
UFUNCS = [name for name in dir(sp) if isinstance(getattr(special, name), np.ufunc)]
WRAPPED = {"polygamma", "multigammaln", "zeta", "lambertw"}  # Python functions in SciPy


def fresh(code):
    """What a new process prints: one in which nothing of the plugin is loaded."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    return done.stdout.strip()


def test_every_op_is_a_function_of_scipy():
    """Under its own name; all but four of them are ufuncs."""
    assert set(dir(sp)) - set(UFUNCS) == WRAPPED


@pytest.mark.parametrize("name", UFUNCS)
def test_ufunc_on_a_value_is_the_op(name):
    """The value is recorded with the op of this name (opgrad's own, where it has one)."""
    op = getattr(sp, name)
    sample = next(s for s in op.samples if "order" not in s.attributes)
    operands = [np.asarray(o) if isinstance(o, list) else o for o in sample.operands]
    if name == "expn":
        operands = [sample.attributes["n"], *operands]
    operands[-1] = opgrad.Value(operands[-1])
    y = getattr(special, name)(*operands)
    y = y[0].operands[0] if isinstance(y, tuple) else y

    assert y.op.name in {name, {"expit": "sigmoid"}.get(name, name)}


def test_ufunc_names_that_differ_are_known():
    """psi is digamma; zeta and lambertw hide their ufuncs behind underscores."""
    v = opgrad.Value(2.5)

    assert special.psi(v).op is sp.digamma
    assert special.digamma(v).op is sp.digamma
    assert special.zeta(3.0, v).op is sp.zeta
    assert special.zeta(v).op is sp.zeta
    assert special.lambertw(v).op is sp.lambertw
    assert special.lambertw(v, k=-1).data == special.lambertw(2.5, k=-1)
    assert special.jn(1, v).op is sp.jv


def test_gradient_through_scipys_own_functions():
    """A log-likelihood as written for SciPy."""

    def log_density(a, b, x):
        return special.xlogy(a - 1.0, x) + special.xlog1py(b - 1.0, -x) - special.betaln(a, b)

    found = opgrad.grad(log_density, argnums=(0, 1, 2))(2.0, 3.0, 0.25)
    rate = special.digamma(5.0)

    assert found == pytest.approx(
        (
            np.log(0.25) - special.digamma(2.0) + rate,
            np.log(0.75) - special.digamma(3.0) + rate,
            1.0 / 0.25 - 2.0 / 0.75,
        )
    )


def test_plugin_need_not_be_loaded_before():
    """Neither imported nor named: the ufunc itself brings it in."""
    code = (
        "import sys, opgrad; from scipy import special\n"
        "before = 'opgrad_scipy' in sys.modules\n"
        "print(before, opgrad.grad(special.gammaln)(1.5), special.psi(1.5))"
    )
    before, gradient, expected = fresh(code).split()

    assert before == "False"
    assert gradient == expected


def test_other_functions_do_not_depend_on_it():
    """NumPy has an i0 too, and no op of its own for it, whatever is loaded."""
    code = (
        "import numpy as np, opgrad; from scipy import special\n"
        "def said():\n"
        "    try: return np.i0(opgrad.Value(1.0))\n"
        "    except opgrad.errors.UnknownOpError as error: return str(error)\n"
        "before = said(); opgrad.ops.scipy.i0; print(before == said(), before)"
    )

    assert fresh(code).startswith("True opgrad has no op for ")


def test_ufunc_of_the_same_name_from_elsewhere_is_not_taken_for_scipys():
    """What somebody else calls gammaln need not be that function."""

    def gammaln(x):
        return x

    v = opgrad.Value(1.0)
    with pytest.raises(UnknownOpError, match="opgrad has no op"):
        v.__array_ufunc__(gammaln, "__call__", v)


def test_ufunc_without_an_op_raises_and_names_it():
    """Never an object array."""
    with pytest.raises(UnknownOpError, match="opgrad has no op for scipy's hyp1f1"):
        special.hyp1f1(1.0, 2.0, opgrad.Value(0.5))


def test_python_function_of_scipy_refuses_a_value():
    """Those convert their arguments first, which would lose the gradient: call the op."""
    with pytest.raises(ConversionError, match="would lose the gradient"):
        special.polygamma(1, opgrad.Value(0.5))


def test_keyword_of_a_ufunc_is_refused():
    """An op has no `where=` and no `dtype=`."""
    with pytest.raises(CallError, match="'where'"):
        special.gammaln(opgrad.Value(0.5), where=np.asarray(True))  # noqa: FBT003 -- NumPy's keyword
