"""What an engine learned, and how it takes up new items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.path_count import PathCount
from warmstart.data.relation_names import RelationNames, relation_names
from warmstart.data.vocab import Vocabulary
from warmstart.experts.nearest import Neighbours, attach
from warmstart.experts.panel import Panel
from warmstart.experts.products import appended
from warmstart.experts.ratings.model import FittedRatings
from warmstart.experts.segments import FittedSegments
from warmstart.experts.space import FittedItemSpace
from warmstart.explain.facts import Facts
from warmstart.fusion.fuse import FittedFusion
from warmstart.fusion.support import Support
from warmstart.interests.concepts import Concepts

APART = ("catalog", "graph", "fingerprint", "relation_names")  # fields that a folder keeps otherwise


@dataclass(frozen=True)
class Fitted:
    """All that an engine learned; holds no user.

    Parameters
    ----------
    catalog, graph
        The items, and facts about them.
    space
        How items and texts become features.
    judged
        The same by the judge alone, an encoder that knows no event, where that of ``space`` learned from them: in it
        the fusion learned whom to trust. None = ``space`` itself.
    panel
        The experts, fitted on all events; with a judge a ``SplitPanel``.
    support
        What is known of every item.
    fusion
        Whom to trust, when.
    concepts
        What the items are about, from coarse to fine, in words.
    segments
        People who take alike; None of fewer than five.
    counts
        int64, shape (n_items,): distinct users of each item.
    fingerprint
        Of the dataset it was fitted on.
    ratings
        Predicts ratings; None where nobody asked for it.
    relation_names
        Relations of the graph in words.
    neighbours
        Finds items of a very large catalogue by their features; None where all are gone over.
    """

    catalog: Catalog
    graph: KnowledgeGraph | None
    space: FittedItemSpace
    judged: FittedItemSpace | None
    panel: Panel
    support: Support
    fusion: FittedFusion
    concepts: Concepts
    segments: FittedSegments | None
    counts: np.ndarray
    fingerprint: str
    relation_names: RelationNames = field(default_factory=relation_names)
    ratings: FittedRatings | None = None
    neighbours: Neighbours | None = None

    def __post_init__(self) -> None:
        if self.neighbours is not None:
            attach(self.space.z, self.neighbours)

    @cached_property
    def facts(self) -> Facts | None:
        """The graph, ready to be asked for paths; None where there is none. Its index is made once."""
        return None if self.graph is None else Facts(self.graph, self.catalog, self.relation_names)

    def parts(self) -> dict[str, Any]:
        """What a folder keeps beside catalogue, graph and fingerprint, by field."""
        kept = (f.name for f in fields(self) if f.name not in APART)
        return {name: getattr(self, name) for name in kept}

    def grow(self, rows: pl.DataFrame, z: np.ndarray, judged: np.ndarray | None) -> Fitted:
        """With new items appended.

        Parameters
        ----------
        rows
            Their table, shaped like the catalogue's.
        z, judged
            Their features in ``space`` and in that of the judge: float32, shapes (n_new, dim of each).
        """
        catalog = self.catalog.extended(rows)
        both, seen = (z, z) if judged is None else (np.hstack([judged, z]), judged)
        return replace(
            self,
            catalog=catalog,
            space=replace(self.space, z=appended(self.space.z, np.asarray(z, np.float32))),
            judged=None
            if self.judged is None
            else replace(self.judged, z=appended(self.judged.z, np.asarray(seen, np.float32))),
            panel=self.panel.grow(both, catalog),
            support=self.support.grow(seen, self._told(catalog.items.ids[len(self.catalog) :])),
            concepts=self.concepts.grow(z),
            segments=None if self.segments is None else self.segments.grow(seen),
            counts=np.append(self.counts, np.zeros(len(z), np.int64)),
            ratings=None if self.ratings is None else self.ratings.grow(seen),
        )

    def _told(self, ids: Sequence[str]) -> PathCount | None:
        """What the graph says of new items; None where it has no say."""
        if self.graph is None or self.support.paths is None:
            return None
        return PathCount.of(self.graph.index, Vocabulary(ids))

    def moved(self, item: np.ndarray, time: np.ndarray) -> Fitted:
        """With events that came after the fit: popularity follows them, all else stays as it was learned.

        Parameters
        ----------
        item, time
            Codes and seconds since the epoch, int64, shape (n_events,).
        """
        moved = replace(self, panel=self.panel.moved(item, time))
        moved.__dict__["facts"] = self.facts  # of the same graph and catalogue: names are looked up once
        return moved
