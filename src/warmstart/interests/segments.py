"""Segments of people in words: what each takes more often than everybody does, and to which a person belongs."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import DataError
from warmstart.experts.panel import Panel
from warmstart.experts.segments import FittedSegments, Segments
from warmstart.interests.concepts import Concepts
from warmstart.interests.profile import apart

TOLD = 3  # concepts that describe a segment
HEARD = 32  # best ones from which they are taken
WORDS = 2  # of each concept, in the name of a segment
TYPICAL = 5
CLEAR = 1.5  # times everybody's part, from which on a concept sets a segment apart
SURE = 0.05  # a segment less likely than that is not told
ALIKE = "like everybody"


def segments_of(panel: Panel, data: Dataset) -> FittedSegments | None:
    """The segments an engine tells: those of its expert, where it has one; None of fewer than five people."""
    own = (expert for expert in panel.experts.values() if isinstance(expert, FittedSegments))
    return next(own, None) or Segments().fit(data)


def telling(segments: FittedSegments, concepts: Concepts) -> tuple[list[np.ndarray], np.ndarray]:
    """Concepts that set each segment apart, those that tell most first, at most three; and how far.

    A concept tells ``s log(s / p)``: s its part of what is expected of the segment's people, p the same of everybody.
    Those of which the segment takes less than 1.5 times as much as everybody are left out.

    Returns
    -------
    tuple
        A list of int64 arrays of concepts; and ``s / p``: float64, shape (n_concepts, k).
    """
    weights = concepts.members.weights
    everybody = segments.rates @ (segments.events / segments.events.sum())
    share, common = weights.T @ segments.rates, weights.T @ everybody
    times = share / np.maximum(common, 1e-12)[:, None]
    told = np.where(times >= CLEAR, share * np.log(np.maximum(times, 1e-12)), 0.0)
    columns, out = sp.csc_matrix(weights), []
    for own in told.T:
        best = np.argsort(-own, kind="stable")[:HEARD]
        out.append(best[apart(own[best], columns[:, best].toarray() > 0, TOLD)])
    return out, times


def segment_names(telling: list[np.ndarray], concepts: Concepts) -> list[str]:
    """A name for each segment: two words of each concept that sets it apart; "like everybody" where none does."""
    return ["; ".join(", ".join(concepts.names[c].split(", ")[:WORDS]) for c in told) or ALIKE for told in telling]


def typical_items(segments: FittedSegments) -> np.ndarray:
    """Items that tell a segment best, by ``s log(s / p)`` of their rates: int64, shape (k, at most 5), best first."""
    everybody = segments.rates @ (segments.events / segments.events.sum())
    told = segments.rates * np.log(segments.rates / everybody[:, None])
    best: np.ndarray = np.argsort(-told, axis=0, kind="stable")[:TYPICAL].T
    return best


def told_segments(
    segments: FittedSegments | None, concepts: Concepts, catalog: Catalog, histories: Histories | None
) -> pl.DataFrame:
    """The table of an engine's segments, or, of people, those they belong to.

    Raises
    ------
    DataError
        If it has none.
    """
    if segments is None:
        raise DataError("this engine knows no segments: a segment needs five people; fit it on more of them")
    if histories is None:
        return segment_table(segments, concepts, catalog)
    return belonging(segments, concepts, histories)


def segment_table(segments: FittedSegments, concepts: Concepts, catalog: Catalog) -> pl.DataFrame:
    """One row a segment, largest first.

    Returns
    -------
    pl.DataFrame
        ``segment``, ``name``, ``people`` (5 or more), ``share`` (of everybody's events, in [0, 1]), ``concepts`` (names
        of those that set it apart, at most three), ``times`` (how many times everybody's part of its events each
        has), ``typical`` (titles).
    """
    told, times = telling(segments, concepts)
    items = typical_items(segments)
    columns = {
        "segment": pl.Series(range(len(told)), dtype=pl.Int64),
        "name": pl.Series(segment_names(told, concepts), dtype=pl.String),
        "people": pl.Series(segments.people, dtype=pl.Int64),
        "share": pl.Series(segments.events / segments.events.sum(), dtype=pl.Float64),
        "concepts": pl.Series([[concepts.names[c] for c in own] for own in told], dtype=pl.List(pl.String)),
        "times": pl.Series([times[own, s].round(2).tolist() for s, own in enumerate(told)], dtype=pl.List(pl.Float64)),
        "typical": pl.Series([[catalog.title(int(i)) for i in row] for row in items], dtype=pl.List(pl.String)),
    }
    return pl.DataFrame(columns).sort("people", descending=True, maintain_order=True)


def belonging(segments: FittedSegments, concepts: Concepts, histories: Histories) -> pl.DataFrame:
    """Segments that people belong to, by their histories alone.

    Returns
    -------
    pl.DataFrame
        ``query``, ``segment``, ``name``, ``probability``: the likeliest first, that one and those of 0.05 or more.
        Somebody without events has no rows.
    """
    names = segment_names(telling(segments, concepts)[0], concepts)
    likely = segments.posterior(histories)
    best = np.argsort(-likely, axis=1, kind="stable")
    sure = np.take_along_axis(likely, best, axis=1) >= SURE
    sure[:, 0] = True
    query, place = np.nonzero(sure & (histories.lengths > 0)[:, None])
    order = best[query, place]
    return pl.DataFrame(
        {
            "query": pl.Series(query, dtype=pl.Int64),
            "segment": pl.Series(order, dtype=pl.Int64),
            "name": pl.Series([names[s] for s in order], dtype=pl.String),
            "probability": pl.Series(likely[query, order], dtype=pl.Float64),
        }
    )
