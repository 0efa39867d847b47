"""The machine in one line, for readers of times."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> str:
    """Processor, cores, memory, how busy it was when this was written, Python.

    >>> machine().endswith(".")
    True
    """
    parts = [processor(), f"{os.cpu_count()} cores", memory(), f"load {load()} when this was written"]
    return ", ".join(filter(None, parts)) + f", {platform.system()}, Python {platform.python_version()} (driver)."


def processor() -> str:
    """Name of the processor."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def memory() -> str:
    """Physical memory in GB; "" where the system does not tell."""
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names:
        return ""
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB"


def load() -> str:
    """Mean number of running processes over a quarter of an hour."""
    return f"{os.getloadavg()[2]:.1f}" if hasattr(os, "getloadavg") else "unknown"
