"""Peak memory of the process, from the operating system."""

from __future__ import annotations

import sys


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
