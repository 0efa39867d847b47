"""Memory of the process, from the operating system."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def peak_memory_mb() -> float:
    """Largest resident size so far, in MB (10^6 bytes); NaN where the system does not tell (Windows).

    Examples
    --------
    >>> peak_memory_mb() > 1
    True
    """
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def memory_mb() -> float:
    """Resident size now, in MB; the largest so far where the system tells that alone, 0 where it tells nothing.

    Examples
    --------
    >>> 1 < memory_mb() <= peak_memory_mb() + 1
    True
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        peak = peak_memory_mb()
        return peak if peak == peak else 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
