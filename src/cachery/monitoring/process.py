"""How much memory this process has, asked of the system where that costs some microseconds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["resident_megabytes"]

_MEGABYTE = 1024 * 1024
_STATM = Path("/proc/self/statm")


def resident_megabytes() -> float:
    """Return the memory of this process, in MiB.

    On Linux what it has in memory now; on other systems the most it ever had; 0.0 where nothing tells.

    >>> resident_megabytes() > 1
    True
    """
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return _peak_megabytes()
    return pages * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE


def _peak_megabytes() -> float:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MEGABYTE if sys.platform == "darwin" else peak / 1024
