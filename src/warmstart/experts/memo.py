"""What several experts build on is fitted once: results kept for the data at hand, and only for those."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.set_sums import sums

GRAM = "gram"  # kind of the keys of Gram matrices
T = TypeVar("T")
Known = tuple[tuple[weakref.ref[Any], ...], dict[Hashable, Any]]
_LAST: list[Known] = [((), {})]


def remembered(data: Dataset, key: Hashable, make: Callable[[], T]) -> T:
    """The result of ``make`` for this key (an expert with its settings) and these events, features, graph and sums.

    Nothing is kept beyond the next data, or beyond the life of these. Threads that fit different data at once may
    do a part twice; they never see each other's.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data, made = checkerboard(4, 4), []
    >>> [remembered(data, "k", lambda: made.append(1) or len(made)) for _ in range(3)]
    [1, 1, 1]
    """
    parts = tuple(p for p in (data.interactions, data.features, data.graph, data.gram) if p is not None)
    refs, known = _LAST[0]
    if len(refs) != len(parts) or any(r() is not p for r, p in zip(refs, parts, strict=False)):
        known = {}
        _LAST[0] = (tuple(weakref.ref(p, forget) for p in parts), known)
    if key not in known:
        known[key] = make()
    return cast(T, known[key])


def let_go(kind: str) -> None:
    """Forget what is remembered under keys ``(kind, ...)``: large, and of no use once all experts are fitted.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data, made = checkerboard(4, 4), []
    >>> for _ in range(2):
    ...     known = remembered(data, ("sums", 1), lambda: made.append(1) or len(made))
    ...     let_go("sums")
    >>> known
    2
    """
    known = _LAST[0][1]
    for key in [key for key in known if isinstance(key, tuple) and key and key[0] == kind]:
        del known[key]


def once(histories: Histories, owner: object, make: Callable[[], T]) -> T:
    """The result of ``make`` for this owner (a fitted expert) and these queries; kept as long as they live.

    Examples
    --------
    >>> h, made = Histories.of([[0]], 1), []
    >>> [once(h, "who", lambda: made.append(1) or len(made)) for _ in range(3)]
    [1, 1, 1]
    """
    known: dict[int, tuple[object, Any]] = histories.__dict__.setdefault("_found", {})
    if id(owner) not in known:
        known[id(owner)] = owner, make()  # held, so that no other takes its number
    return cast(T, known[id(owner)][1])


def summed(histories: Histories, z: np.ndarray) -> np.ndarray:
    """Sum of the features of each history's items, found once for all experts that share them: (n_queries, d)."""
    return once(histories, z, lambda: sums(histories.sets, z))


def forget(gone: weakref.ref[Any], last: list[Known] = _LAST) -> None:
    """Let go of what was made of data that are no more; also while Python ends, when modules are empty already."""
    if any(gone is ref for ref in last[0][0]):
        last[0] = ((), {})
