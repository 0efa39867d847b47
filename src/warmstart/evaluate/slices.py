"""Who was asked, and for what: slices of the queries, and parts of the targets by how well known an item is."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from warmstart.data.histories import Histories
from warmstart.data.popularity import GROUPS
from warmstart.data.split import Split

LENGTHS = (("0", 0, 0), ("1-2", 1, 2), ("3-5", 3, 5), ("6-10", 6, 10), ("11-50", 11, 50), (">50", 51, None))
FIFTHS, ACTIVITY, NICHE = 5, "activity", "niche"


def by_length(queries: Histories) -> dict[str, np.ndarray]:
    """Queries by number of events in the history: masks, shape (n_queries,), only where there are any.

    Examples
    --------
    >>> {name: mask.tolist() for name, mask in by_length(Histories.of([[], [1, 0]], 2)).items()}
    {'history 0': [True, False], 'history 1-2': [False, True]}
    """
    n = queries.lengths
    masks = {f"history {name}": (n >= low) & (n <= (n.max() if high is None else high)) for name, low, high in LENGTHS}
    return {name: mask for name, mask in masks.items() if mask.any()}


def lowest_third(values: np.ndarray, seed: int) -> np.ndarray:
    """Mask of the lowest third (ties drawn at random, NaN last); all False if every value is the same.

    Examples
    --------
    >>> lowest_third(np.array([5.0, 1.0, 3.0]), seed=0).tolist()
    [False, True, False]
    """
    mask = np.zeros(len(values), bool)
    filled = np.where(np.isnan(values), np.inf, values)
    if len(values) and (filled != filled[0]).any():
        order = np.lexsort((np.random.default_rng(seed).random(len(values)), filled))
        mask[order[: len(values) // 3]] = True
    return mask


def quintiles(values: np.ndarray, name: str, seed: int) -> dict[str, np.ndarray]:
    """Fifths of the queries by ascending value, ``"<name> 1/5"`` first: masks, shape (n_queries,); NaN is in none.

    Ties are drawn at random. Empty where fewer than five queries have a value, or all have the same one.

    Examples
    --------
    >>> {n: m.nonzero()[0].tolist() for n, m in quintiles(np.array([5.0, 1, 4, 2, 3]), "age", seed=0).items()}
    {'age 1/5': [1], 'age 2/5': [3], 'age 3/5': [4], 'age 4/5': [2], 'age 5/5': [0]}
    """
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < FIFTHS or (values[known] == values[known[0]]).all():
        return {}
    order = known[np.lexsort((np.random.default_rng(seed).random(len(known)), values[known]))]
    masks = {}
    for fifth, members in enumerate(np.array_split(order, FIFTHS), 1):
        mask = np.zeros(len(values), bool)
        mask[members] = True
        masks[f"{name} {fifth}/{FIFTHS}"] = mask
    return masks


def is_quintile(population: str) -> bool:
    """Whether a population is one of the fifths by activity or by taste.

    Examples
    --------
    >>> is_quintile("activity 1/5"), is_quintile("new users")
    (True, False)
    """
    return population.startswith((ACTIVITY, NICHE)) and population.endswith(f"/{FIFTHS}")


def query_slices(split: Split, seed: int = 0) -> dict[str, np.ndarray]:
    """All slices of the queries that are neither empty nor everybody (lengths: not empty).

    By history length; the least active third; the most niche third (lowest mean popularity of the
    history); new users (no event in training) and known ones; fifths by activity (``"activity 1/5"``: fewest events)
    and by taste (``"niche 1/5"``: most niche).

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> sorted(query_slices(last_n(example())))
    ['history 3-5']
    """
    trained = split.train.interactions
    known = trained.user_counts()[split.users] > 0
    history = split.queries.matrix()
    size = np.maximum(history.getnnz(axis=1), 1)
    taste = np.where(split.queries.lengths > 0, (history @ trained.item_counts()) / size, np.nan)
    masks = {
        "least active third": lowest_third(split.queries.lengths.astype(float), seed),
        "most niche third": lowest_third(taste, seed),
        "new users": ~known,
        "known users": known,
    }
    kept = {name: m for name, m in masks.items() if m.any() and not m.all()}
    fifths = quintiles(split.queries.lengths.astype(float), ACTIVITY, seed) | quintiles(taste, NICHE, seed)
    return by_length(split.queries) | kept | fifths


def target_parts(targets: sp.csr_matrix, groups: np.ndarray) -> dict[str, sp.csr_matrix]:
    """The targets of each popularity group alone: CSR of the same shape, only groups that are asked for.

    Examples
    --------
    >>> parts = target_parts(sp.csr_matrix([[1.0, 1.0, 0.0]]), np.array([0, 3, 2], np.int8))
    >>> {name: part.indices.tolist() for name, part in parts.items()}
    {'head': [0], 'never seen': [1]}
    """
    parts = {}
    for code, name in enumerate(GROUPS):
        part = sp.csr_matrix(targets.multiply(groups == code))
        part.eliminate_zeros()
        if part.nnz:
            parts[name] = part
    return parts
