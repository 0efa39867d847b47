"""Cycles where there should be an order: a film before its own prequel, a part that holds its whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import polars as pl
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

ORDERLY = 0.1  # share of a relation's entities on cycles, up to which it is taken for an order with a mistake in it
CHAIN = 0.05  # share of tails that are heads, too, from which a relation makes chains


def cycles(triples: pl.DataFrame) -> Iterator[tuple[str, int, list[str]]]:
    """Relations that make chains, as a hierarchy or a series does, and run in circles in a few places.

    A relation that runs in circles nearly everywhere (similar to, married to) means no order and is passed over, unless
    its name says that it is one (``part_of``, ``parent``, ``sequel`` ...). Loops of one entity are not looked at.

    Yields
    ------
    tuple[str, int, list[str]]
        Relation, entities on cycles, and the shortest cycle through one of them, its start told again at the end.

    Examples
    --------
    >>> rows = [("a", "sequel", "b"), ("b", "sequel", "c"), ("c", "sequel", "a"), ("c", "sequel", "d")]
    >>> list(cycles(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")))
    [('sequel', 3, ['a', 'b', 'c', 'a'])]
    """
    pairs = (
        triples.select("head", "relation", "tail").filter(pl.col("head") != pl.col("tail")).unique(maintain_order=True)
    )
    for part in pairs.partition_by("relation", maintain_order=True):
        relation = part["relation"][0]
        names = pl.concat([part["head"], part["tail"]]).unique(maintain_order=True)
        chained = part["tail"].is_in(part["head"].implode()).mean()
        if not isinstance(chained, float) or chained < CHAIN:
            continue
        links = _matrix(part, names)
        _, which = connected_components(links, directed=True, connection="strong")
        on_cycle = np.bincount(which)[which] > 1
        few = on_cycle.mean() <= ORDERLY or any(word in relation.lower() for word in ORDERS)
        if on_cycle.any() and few:
            start = int(np.flatnonzero(on_cycle)[0])
            ring = [names[at] for at in _ring(links, start, which == which[start])]
            yield relation, int(on_cycle.sum()), ring


ORDERS = (
    "part_of",
    "parent",
    "child",
    "sequel",
    "prequel",
    "follow",
    "preced",
    "subclass",
    "broader",
    "narrower",
    "series",
)


def _matrix(part: pl.DataFrame, names: pl.Series) -> sp.csr_matrix:
    codes = pl.Series(range(len(names)), dtype=pl.Int32)
    head, tail = (part[end].replace_strict(names, codes, return_dtype=pl.Int32).to_numpy() for end in ("head", "tail"))
    return sp.csr_matrix((np.ones(len(head), np.int8), (head, tail)), shape=(len(names), len(names)))


def _ring(links: sp.csr_matrix, start: int, inside: np.ndarray) -> list[int]:
    """The shortest way from a place back to it, within its component."""
    before = {start: -1}
    queue = deque([start])
    while queue:
        at = queue.popleft()
        for there in links.indices[links.indptr[at] : links.indptr[at + 1]].tolist():
            if there == start:
                return [start, *_back(before, at)[::-1][1:], start] if at != start else [start, start]
            if inside[there] and there not in before:
                before[there] = at
                queue.append(there)
    return [start]


def _back(before: dict[int, int], at: int) -> list[int]:
    """Places from one back to the start, both included."""
    found = []
    while at != -1:
        found.append(at)
        at = before[at]
    return found
