"""Good recommendations from the first second, where data is sparse.

>>> import warmstart as ws
>>> sorted(set(ws.__all__) - {"__version__"})
['Engine', 'Rater', 'Recipe', 'evaluate', 'load', 'read', 'split']
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Imported at first use, so that ``import warmstart`` stays fast.
_PLACES = {
    "Engine": "warmstart.engine:Engine",
    "Rater": "warmstart.rater:Rater",
    "Recipe": "warmstart.recipe:Recipe",
    "evaluate": "warmstart.evaluate.run:evaluate",
    "load": "warmstart.engine:load",
    "read": "warmstart.data.ingest:read",
    "split": "warmstart.data:split",
}

__all__ = ["Engine", "Rater", "Recipe", "__version__", "evaluate", "load", "read", "split"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'warmstart' has no attribute {name!r}; it has {__all__}")
    module, attribute = _PLACES[name].split(":")
    if attribute == "split":
        value: Any = import_module("warmstart.data.split")
    else:
        value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
