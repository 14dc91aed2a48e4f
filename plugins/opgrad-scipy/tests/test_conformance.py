"""Every op of the plugin passes the conformance checks."""

import opgrad.testing

test_conformance = opgrad.testing.conformance("scipy")
