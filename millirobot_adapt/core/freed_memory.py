"""Let the C library keep memory that was freed: a tick asks for the same arrays again.

glibc gives freed memory back to the kernel, and every array of a tick that takes more than a few pages then costs page
faults, which take longer than the arithmetic. Real-time programs switch that off (man mallopt, M_TRIM_THRESHOLD).
"""

from __future__ import annotations

import ctypes
from functools import cache

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
"""Parameters of glibc's mallopt (malloc.h)."""
KEPT = 256 << 20
"""Freed memory that is kept, at most [bytes]."""
SHARED = 32 << 20
"""Larger arrays are mapped on their own, and given back when they are freed [bytes]; glibc takes no more than this."""
AT_ONCE = 4 << 20
"""The heap grows by so much at a time [bytes]."""


@cache
def keep_freed_memory() -> bool:
    """Set this once for the whole process; return whether the C library can do it (glibc can)."""
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    settings = {M_TRIM_THRESHOLD: KEPT, M_MMAP_THRESHOLD: SHARED, M_TOP_PAD: AT_ONCE}
    taken = [mallopt(name, value) == 1 for name, value in settings.items()]
    return all(taken)
