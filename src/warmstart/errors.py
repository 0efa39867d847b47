"""Every error a user can meet, as one tree.

WarmstartError
├── DataError        a table, a column or a value cannot be used
├── ConfigError      a setting or a recipe is wrong
├── NotFitted        something was asked of an engine before ``fit``
├── MissingExtra     an optional dependency is not installed
├── TrainingError    a model could not go on learning; what it had learned is kept
├── StoreUnavailable the database cannot be reached, or cannot write
│   └── Busy         too much waits to be written already
└── ArtefactError    a saved folder is incomplete, changed or too new

Messages say the value, its place and the remedy, in that order, on one line.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType


class WarmstartError(Exception):
    """Base of all errors raised on purpose; the command line prints it and exits with 2."""


class DataError(WarmstartError, ValueError):
    """A table, a column or a value cannot be used."""


class ConfigError(WarmstartError, ValueError):
    """A setting or a recipe is wrong."""


class NotFitted(WarmstartError, RuntimeError):
    """Something was asked of an engine before ``fit``."""


class MissingExtra(WarmstartError, ImportError):
    """An optional dependency is not installed."""


class TrainingError(WarmstartError, RuntimeError):
    """A model could not go on learning; what it had learned is kept."""


class StoreUnavailable(WarmstartError, ConnectionError):
    """The database cannot be reached, or cannot write; what was acknowledged before is safe."""


class Busy(StoreUnavailable):
    """Too much waits to be written already; nothing was taken, send it again later."""


class ArtefactError(WarmstartError):
    """A saved folder is incomplete, changed or of a newer format."""


def installed(*modules: str) -> bool:
    """Whether all of these optional modules can be imported; none is imported for it.

    Examples
    --------
    >>> installed("math"), installed("math", "no_such_module")
    (True, False)
    """
    return all(importlib.util.find_spec(module) is not None for module in modules)


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module or say how to install it.

    Raises
    ------
    MissingExtra
        If the module is not installed.

    Examples
    --------
    >>> require("math", extra="lm").sqrt(9)
    3.0
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"'{module}' is not installed; it is needed here: pip install 'warmstart[{extra}]'"
        ) from error
