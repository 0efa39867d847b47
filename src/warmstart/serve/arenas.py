"""How the C library keeps memory for threads."""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = 2  # Python's lock lets one thread allocate at a time; a second is for those that compute without it
M_ARENA_MAX = -8  # of <malloc.h>


def few_arenas(most: int = ARENAS) -> bool:
    """Let all threads share ``most`` arenas of glibc's ``malloc``, whose default is eight a core; whether it was done.

    A thread that ranks once leaves its arena as large as its tables were; with 64 threads in turn, all arenas grow to
    that, which is memory that nobody uses. Nothing is done where ``MALLOC_ARENA_MAX`` says otherwise, or elsewhere
    than on glibc. Source: mallopt(3), M_ARENA_MAX.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return False
    return bool(mallopt(M_ARENA_MAX, most))
