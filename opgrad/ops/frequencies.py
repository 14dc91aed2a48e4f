"""The frequencies that the entries of a Fourier transform stand for: constants."""

from __future__ import annotations

from typing import Any

from opgrad.ops.inspection import check_device, library
from opgrad.value import Value, constant

__all__ = ["fftfreq", "rfftfreq"]


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Value:
    """The frequencies of `fft` of n samples, d apart: 0, 1, …, and then the negative, by n·d."""
    check_device(device)

    return constant(_typed(library().fft.fftfreq(n, d=d), dtype))


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Value:
    """The frequencies of `rfft` of n samples, d apart: 0, 1, …, n // 2, by n·d."""
    check_device(device)

    return constant(_typed(library().fft.rfftfreq(n, d=d), dtype))


def _typed(frequencies: Any, dtype: Any) -> Any:
    return frequencies if dtype is None else frequencies.astype(dtype)
