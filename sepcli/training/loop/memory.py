"""How freed memory is kept for the next tensor instead of being given back to the system.

glibc maps large blocks afresh and gives them back when they are freed, so that every large tensor
begins with thousands of page faults. A network whose tensors are the same at every step spends up
to a third of its time on them. Kept, the memory is that of the largest step, all the time.
"""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt(3).
M_TRIM_THRESHOLD, NEVER = -1, -1
M_MMAP_MAX, NONE = -4, 0


def keep_freed_memory() -> bool:
    """Let this process keep what it frees.

    Returns:
        whether the system's C library can be told so: glibc can.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, NONE) and mallopt(M_TRIM_THRESHOLD, NEVER))
