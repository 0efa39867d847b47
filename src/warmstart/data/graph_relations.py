"""Relations that say what another says: the same pairs again, or the same pairs from the other end."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from rapidfuzz import process

from warmstart.errors import DataError

ALIKE = 0.95  # share of the pairs of either relation that the other has, from which they are taken for one


def inverse_pairs(triples: pl.DataFrame, share: float = ALIKE) -> pl.DataFrame:
    """Relations r and r' where (a, r, b) nearly always comes with (b, r', a); a symmetric relation is its own inverse.

    Parameters
    ----------
    triples
        Columns ``head``, ``relation``, ``tail``.
    share
        Of the pairs of the larger relation that must be found swapped in the other, in (0, 1].

    Returns
    -------
    pl.DataFrame
        ``relation``, ``inverse`` (each pair once, sorted) and ``share``, in [share, 1].

    Examples
    --------
    >>> rows = [("film", "directed_by", "ann"), ("ann", "directed", "film"), ("film", "genre", "crime")]
    >>> inverse_pairs(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")).rows()
    [('directed', 'directed_by', 1.0)]
    """
    swapped = triples.select(pl.col("tail").alias("head"), pl.col("relation").alias("other"), tail="head")
    return _alike(triples, swapped, share).rename({"other": "inverse"})


def duplicate_pairs(triples: pl.DataFrame, share: float = ALIKE) -> pl.DataFrame:
    """Different relations that hold of nearly the same pairs in the same direction.

    Returns
    -------
    pl.DataFrame
        ``relation``, ``duplicate`` (each pair once, sorted) and ``share``, in [share, 1].

    Examples
    --------
    >>> rows = [("film", "director", "ann"), ("film", "directed_by", "ann"), ("film", "writer", "bob")]
    >>> duplicate_pairs(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")).rows()
    [('directed_by', 'director', 1.0)]
    """
    same = triples.select("head", pl.col("relation").alias("other"), "tail")
    found = _alike(triples, same, share).filter(pl.col("relation") != pl.col("other"))
    return found.rename({"other": "duplicate"})


def of_relations(triples: pl.DataFrame, relations: Sequence[str]) -> pl.DataFrame:
    """The triples of some relations.

    Raises
    ------
    DataError
        If a relation is not there; the nearest names are told.

    Examples
    --------
    >>> triples = pl.DataFrame({"head": ["a", "a"], "relation": ["by", "genre"], "tail": ["x", "war"]})
    >>> of_relations(triples, ["by"]).rows()
    [('a', 'by', 'x')]
    """
    known = triples["relation"].drop_nulls().unique().sort().to_list()
    for name in relations:
        if name not in known:
            near = [found for found, _, _ in process.extract(name, known, limit=3, score_cutoff=50)]
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(known[:10])}"
            raise DataError(f"the graph has no relation {name!r}; {hint}")
    return triples.filter(pl.col("relation").is_in(list(relations)))


def same_relations(triples: pl.DataFrame) -> dict[str, tuple[str, bool]]:
    """Relations that say what another one says, with that one and whether head and tail change places.

    Chains end at one relation: what is told three times is kept once.

    Examples
    --------
    >>> rows = [("film", "directed_by", "ann"), ("ann", "directed", "film"), ("film", "genre", "crime")]
    >>> same_relations(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    {'directed_by': ('directed', True)}
    """
    inverse = [(a, b, True) for a, b, _ in inverse_pairs(triples).rows()]
    duplicate = [(a, b, False) for a, b, _ in duplicate_pairs(triples).rows()]
    told: dict[str, tuple[str, bool]] = {}
    for first, second, swapped in sorted(inverse + duplicate):
        kept, turned = told.get(first, (first, False))
        if kept != second and second not in told:
            told[second] = (kept, turned != swapped)
    return told


def _alike(triples: pl.DataFrame, others: pl.DataFrame, share: float) -> pl.DataFrame:
    """Pairs of relations by the share of common (head, tail) among those of the larger; loops do not count."""
    pairs = triples.select("head", "relation", "tail").filter(pl.col("head") != pl.col("tail")).unique()
    sizes = pairs.group_by("relation").len("size")
    common = pairs.join(others.unique(), on=["head", "tail"]).group_by("relation", "other").len("common")
    known = common.join(sizes, on="relation").join(
        sizes.rename({"relation": "other", "size": "other_size"}), on="other"
    )
    part = pl.col("common") / pl.max_horizontal("size", "other_size")
    return (
        known.select("relation", "other", part.alias("share"))
        .filter((pl.col("share") >= share) & (pl.col("relation") <= pl.col("other")))
        .sort("relation", "other")
    )
