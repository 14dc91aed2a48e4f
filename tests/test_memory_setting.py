"""`opgrad.keep_freed_memory`."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
import opgrad

def faults(count=40, size=1 << 20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        np.ones(size // 8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

fresh = faults()
assert opgrad.keep_freed_memory() is True
faults(2)
print(fresh, faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_freed_memory_is_used_again():
    """Arrays of 1 MiB meet fresh pages each time before, and hardly any afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    fresh, kept = map(int, done.stdout.split())

    assert kept < fresh / 10
