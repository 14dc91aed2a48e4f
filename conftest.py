"""Keeps BLAS to one thread in the tests, before anything imports NumPy."""

import os

# Two pytest-xdist workers with two BLAS threads each wait for one another on a two-core machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
