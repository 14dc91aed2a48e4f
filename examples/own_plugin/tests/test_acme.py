"""softplus2 as its users meet it: by its name, after installation."""

import math

import opgrad
import opgrad.testing

test_conformance = opgrad.testing.conformance("acme")


def test_value_at_zero_is_one():
    """log2(1 + 2^0) = log2(2)."""
    assert math.isclose(opgrad.ops.acme.softplus2(0.0), 1.0, rel_tol=1e-15)


def test_far_from_zero_it_is_relu():
    """Neither side overflows."""
    assert [opgrad.ops.acme.softplus2(x) for x in (-2e3, 2e3)] == [0.0, 2e3]
