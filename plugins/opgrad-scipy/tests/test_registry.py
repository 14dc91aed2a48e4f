"""The plugin as opgrad sees it: found by its entry point, whole, cheap to import, documented."""

from __future__ import annotations

import subprocess
import sys

import pytest

import opgrad
import opgrad_scipy
from opgrad_scipy import FAMILIES

OPS = [getattr(opgrad.ops.scipy, name) for name in dir(opgrad.ops.scipy)]


def test_every_op_of_every_family_is_in_the_namespace():
    """An op that is written but not handed over would be missing here."""
    written = {
        name
        for family in FAMILIES
        for name, thing in vars(family).items()
        if type(thing) is type(opgrad_scipy.gammas.gamma)
    }

    assert set(dir(opgrad.ops.scipy)) == written


def test_the_op_in_the_namespace_is_the_one_in_the_module():
    """Importing it and looking it up are two ways to one object."""
    assert opgrad.ops.scipy.gammaln is opgrad_scipy.gammas.gammaln


def test_a_misspelled_name_gets_a_suggestion():
    """The error says which op was meant."""
    with pytest.raises(opgrad.errors.UnknownOpError, match=r"did you mean 'scipy\.gammaln'"):
        _ = opgrad.ops.scipy.gamaln


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_op_names_its_provider(op):
    """Errors and drawings can say whose op it is."""
    assert op.provider.distribution == "opgrad-scipy"
    assert op.qualname == f"scipy.{op.name}"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_op_states_formula_source_and_samples(op):
    """What a plugin owes its users, and the conformance checks."""
    assert op.documentation.startswith("Return ")
    assert "Source: " in op.documentation
    assert len(op.samples) >= 3


def test_import_needs_no_array_library():
    """Whoever only lists plugins does not pay for NumPy."""
    code = (
        "import sys, opgrad_scipy; print(sorted({'numpy', 'scipy', 'mpmath'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
