"""An engine as a folder: manifest, arrays, LightGBM text, items, encoder. No pickle, no user."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from warmstart import __version__
from warmstart.artefact import load_arrays, open_sealed, pack, save_arrays, seal, unpack
from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_users import without_users
from warmstart.data.path_count import PathCount
from warmstart.experts.attributes import FittedUserAttributes
from warmstart.experts.centred import Centred
from warmstart.experts.content import FittedContentCosine, FittedContentMap
from warmstart.experts.cross import FittedCrossEncoder
from warmstart.experts.factors import FittedFactors
from warmstart.experts.features import FittedFeatures
from warmstart.experts.graph import FittedPageRank
from warmstart.experts.graph_features import Carried, Degrees, FittedGraphSpace
from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.low_rank import FittedELSA
from warmstart.experts.nearest import Neighbours
from warmstart.experts.panel import Panel
from warmstart.experts.people_table import AttributeEncoder
from warmstart.experts.popularity import FittedPopularity
from warmstart.experts.ratings.bias import FittedBias
from warmstart.experts.ratings.liking import Directions
from warmstart.experts.ratings.model import FittedRatings
from warmstart.experts.ratings.neighbours import FittedNeighbours
from warmstart.experts.ratings.scale import RatingScale
from warmstart.experts.ratings.sides import PeopleFacts
from warmstart.experts.ratings.tables import Draws, FittedMachine
from warmstart.experts.ratings.tasted import Attributes, FittedTastes, TastePrior
from warmstart.experts.ratings.trust import FittedTrust
from warmstart.experts.segments import FittedSegments
from warmstart.experts.sequence import FittedSequence
from warmstart.experts.smoothed import FittedSmoothedEASE
from warmstart.experts.space import FittedItemSpace
from warmstart.experts.split import SplitPanel
from warmstart.experts.tokens import TokenMap
from warmstart.experts.transitions import FittedTransitions
from warmstart.fusion.asking import Asking
from warmstart.fusion.floor import Cell
from warmstart.fusion.fuse import FittedFusion
from warmstart.fusion.gate import Gate
from warmstart.fusion.heads import Head
from warmstart.fusion.price import Price
from warmstart.fusion.ranker import FittedRanker
from warmstart.fusion.support import Support
from warmstart.interests.concepts import Concepts
from warmstart.interests.members import Membership
from warmstart.interests.sparse import SparseCoder
from warmstart.interests.tree import Centres
from warmstart.interests.vectors import FusedSpace
from warmstart.learn.cross import CrossModel
from warmstart.learn.sequence_events import EventFacts
from warmstart.text.choose import SavedEncoder, encoder_from_spec
from warmstart.text.whiten import Whitening

FORMAT = 14
CLASSES: dict[str, type] = {
    c.__name__: c
    for c in (
        Panel,
        SplitPanel,
        FittedPopularity,
        FittedContentMap,
        FittedContentCosine,
        Centred,
        FittedPriorMeanEASE,
        FittedSmoothedEASE,
        FittedFactors,
        FittedELSA,
        FittedTransitions,
        FittedPageRank,
        FittedSequence,
        FittedSegments,
        EventFacts,
        FittedUserAttributes,
        AttributeEncoder,
        FittedCrossEncoder,
        CrossModel,
        FittedItemSpace,
        FittedFeatures,
        TokenMap,
        FittedGraphSpace,
        Degrees,
        Carried,
        Whitening,
        Support,
        PathCount,
        FittedFusion,
        Asking,
        Neighbours,
        Head,
        Gate,
        Price,
        Cell,
        FittedRanker,
        Concepts,
        Membership,
        Centres,
        SparseCoder,
        FusedSpace,
        FittedRatings,
        RatingScale,
        FittedMachine,
        Draws,
        PeopleFacts,
        FittedNeighbours,
        FittedBias,
        FittedTrust,
        FittedTastes,
        TastePrior,
        Attributes,
        Directions,
    )
}


@dataclass(frozen=True)
class Saved:
    """What a folder holds."""

    parts: dict[str, Any]
    catalog: Catalog
    graph: KnowledgeGraph | None
    encoders: dict[str, SavedEncoder]
    recipe: dict[str, Any]
    fingerprint: str


def save(
    folder: Path,
    parts: Mapping[str, Any],
    catalog: Catalog,
    graph: KnowledgeGraph | None,
    encoders: Mapping[str, SavedEncoder],
    recipe: dict[str, Any],
    fingerprint: str,
) -> None:
    """Write all parts, then the manifest with their checksums."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    described = {name: pack(part, CLASSES, arrays, name) for name, part in parts.items()}
    save_arrays(folder / "arrays", arrays)
    (folder / "parts.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    catalog.table.write_parquet(folder / "items.parquet")
    if graph is not None:
        without_users(graph).save(folder)
    for name, encoder in encoders.items():
        (folder / name).mkdir(exist_ok=True)
        encoder.save(folder / name)
    seal(
        folder,
        {
            "format": FORMAT,
            "warmstart": __version__,
            "fingerprint": fingerprint,
            "encoders": {name: encoder.spec() for name, encoder in encoders.items()},
            "graph": graph is not None,
            "recipe": recipe,
            "recall": None if (graph_of := parts.get("neighbours")) is None else graph_of.recall,
        },
    )


def load(folder: Path) -> Saved:
    """Read a folder after comparing its checksums; needs no torch."""
    manifest = open_sealed(folder, FORMAT)
    loaded = load_arrays(folder / "arrays")
    described = json.loads((folder / "parts.json").read_text(encoding="utf-8"))
    return Saved(
        {name: unpack(part, CLASSES, loaded) for name, part in described.items()},
        Catalog(pl.read_parquet(folder / "items.parquet")),
        KnowledgeGraph.load(folder) if manifest["graph"] else None,
        {name: encoder_from_spec(spec, folder / name) for name, spec in manifest["encoders"].items()},
        manifest["recipe"],
        manifest["fingerprint"],
    )
