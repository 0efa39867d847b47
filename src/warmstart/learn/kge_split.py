"""Triples held out to judge a graph embedding by, so that nothing in training gives them away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from warmstart.errors import ConfigError, DataError

TRIPLE = ["head", "relation", "tail"]


@dataclass(frozen=True)
class HeldOut:
    """Triples to learn from and triples to judge by; no pair of entities occurs in both.

    Parameters
    ----------
    train, test
        Columns ``head``, ``relation``, ``tail``.
    """

    train: pl.DataFrame
    test: pl.DataFrame


def told_once(triples: pl.DataFrame, same: Mapping[str, tuple[str, bool]]) -> pl.DataFrame:
    """Distinct triples, each in the words of the relation that is kept.

    Parameters
    ----------
    triples
        Columns ``head``, ``relation``, ``tail``.
    same
        As ``graph_relations.same_relations`` finds it.

    Examples
    --------
    >>> rows = [("film", "by", "ann"), ("ann", "directed", "film")]
    >>> told_once(pl.DataFrame(rows, schema=TRIPLE, orient="row"), {"directed": ("by", True)}).rows()
    [('film', 'by', 'ann')]
    """
    turned = pl.col("relation").is_in([name for name, (_, swapped) in same.items() if swapped])
    return triples.select(
        pl.when(turned).then("tail").otherwise("head").alias("head"),
        pl.col("relation").replace({name: kept for name, (kept, _) in same.items()}),
        pl.when(turned).then("head").otherwise("tail").alias("tail"),
    ).unique(maintain_order=True)


def hold_out(triples: pl.DataFrame, share: float, seed: int = 0) -> HeldOut:
    """Draw triples to judge by.

    Pairs of entities are drawn, and all triples of a pair, whatever their relation and direction, go to one side: a
    relation of the same meaning, told from either end, would give the answer away. (Toutanova and Chen 2015 clean
    FB15k of such triples in the same manner.) A pair stays in training if it has the last triple of an entity or a
    relation, so all that is asked for has been met.

    Parameters
    ----------
    triples
        Columns ``head``, ``relation``, ``tail``.
    share
        Share of the triples held out, in [0, 1); fewer where too few can be.
    seed
        Fixes the draw.

    Raises
    ------
    ConfigError
        If the share is not in [0, 1).
    DataError
        If no triple can be held out.

    Examples
    --------
    >>> ring = pl.DataFrame({"head": list("abcdef"), "relation": ["next"] * 6, "tail": list("bcdefa")})
    >>> held = hold_out(ring, 0.2)
    >>> len(held.train), len(held.test)
    (4, 2)
    """
    if not 0 <= share < 1:
        raise ConfigError(f"test_share={share} is not in [0, 1); 0.1 is usual")
    triples = triples.select(TRIPLE).unique(maintain_order=True)
    wanted = int(np.ceil(share * triples.height))
    if not wanted:
        return HeldOut(triples, triples.clear())
    held = pl.Series(_drawn(triples, wanted, np.random.default_rng([seed, 41])))
    if not held.any():
        raise DataError(
            f"none of {triples.height} triples can be held out: each has the only fact of an entity or a relation; "
            "give test_share=0"
        )
    return HeldOut(triples.filter(~held), triples.filter(held))


def _drawn(triples: pl.DataFrame, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Which triples are held out: bool, shape (n,)."""
    names = np.stack([triples["head"].to_numpy(), triples["tail"].to_numpy()]).astype(str)
    entity = np.unique(names, return_inverse=True)[1].reshape(2, -1)
    relation = np.unique(triples["relation"].to_numpy().astype(str), return_inverse=True)[1]
    pair = np.unique(np.sort(entity, axis=0), axis=1, return_inverse=True)[1].ravel()
    order = np.argsort(pair, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(pair[order])) + 1)
    facts, uses = np.bincount(entity.ravel()), np.bincount(relation)
    held, count = np.zeros(len(pair), bool), 0
    for at in rng.permutation(len(groups)):
        group = groups[at]
        ends, mine = np.unique(entity[:, group], return_counts=True)
        kinds, used = np.unique(relation[group], return_counts=True)
        if (facts[ends] > mine).all() and (uses[kinds] > used).all():
            facts[ends] -= mine
            uses[kinds] -= used
            held[group] = True
            count += len(group)
        if count >= wanted:
            break
    return held
