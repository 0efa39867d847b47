"""Measuring any system on any split: metrics, slices, intervals, tests, reports."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warmstart.evaluate.report import Report


class _Callable(ModuleType):
    """Lets ``warmstart.evaluate`` be called, though importing anything below it binds that name to this package."""

    def __call__(self, *args: Any, **settings: Any) -> Report:
        from warmstart.evaluate.run import evaluate

        return evaluate(*args, **settings)


sys.modules[__name__].__class__ = _Callable
