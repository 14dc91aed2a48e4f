"""`keep_freed_memory`: large arrays on memory that was used before."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # <malloc.h> of glibc


def keep_freed_memory(limit: int = 1 << 30) -> bool:
    """Let the C library keep what is freed, up to `limit` bytes, instead of giving it back.

    A fresh page costs more than the arithmetic on it: with arrays of some hundred KiB and more,
    a training step may run twice as fast. It is a setting of the whole process, and the process
    stays as large as it ever was. glibc alone has it; elsewhere nothing happens.

    Args:
        limit: Bytes; blocks larger than this are still given back (at most 2**31 - 1).

    Returns:
        Whether it was set.

    Examples:
        >>> isinstance(keep_freed_memory(), bool)
        True
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False

    return bool(mallopt(_M_MMAP_THRESHOLD, limit)) and bool(mallopt(_M_TRIM_THRESHOLD, limit))
