"""The item space: texts are encoded, whitened and joined with attributes, facts and years."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.graph import KnowledgeGraph
from warmstart.experts.features import FeatureSpace, FittedFeatures, read_columns
from warmstart.text.base import TextEncoder
from warmstart.text.templates import item_texts
from warmstart.text.whiten import Whitening


@dataclass(frozen=True)
class ItemSpace:
    """Hyper-parameters of the item space.

    Parameters
    ----------
    text_dim
        Directions kept of the language model's vectors.
    relax
        Exponent of the whitening: 0 = rotation only, 1 = full.
    template
        Text of an item from its columns, e.g. ``"{title} by {author}"``; None = the default template.
    """

    text_dim: int = 256
    relax: float = 0.5
    template: str | None = None
    features: FeatureSpace = field(default_factory=FeatureSpace)

    def fit(self, catalog: Catalog, graph: KnowledgeGraph | None, encoder: TextEncoder) -> FittedItemSpace:
        """Encode the catalogue and learn whitening and feature blocks from it."""
        vectors = encoder.encode(item_texts(read_of(catalog, self.features.columns), self.template))
        whitening = Whitening.fit(vectors, dim=self.text_dim, relax=self.relax)
        text = whitening.apply(vectors)
        fitted = self.features.fit(catalog, text, graph)
        return FittedItemSpace(self.template, whitening, fitted, fitted.items(catalog, text, graph))


@dataclass(frozen=True)
class FittedItemSpace:
    """Maps items and typed texts to rows of Z.

    Parameters
    ----------
    z
        float32, shape (n_items, dim): the catalogue's features.
    """

    template: str | None
    whitening: Whitening
    features: FittedFeatures
    z: np.ndarray

    def describe(self, data: Dataset) -> Dataset:
        """The same data with these features attached, and which of them a graph gave."""
        return data.with_features(self.z, self.features.of_graph(self.z.shape[1]))

    def items(self, catalog: Catalog, graph: KnowledgeGraph | None, encoder: TextEncoder) -> np.ndarray:
        """Features of a catalogue's items: float32, shape (n_items, dim)."""
        read = read_of(catalog, self.features.columns)
        text = self.whitening.apply(encoder.encode(item_texts(read, self.template)))
        return self.features.items(catalog, text, graph)

    def texts(self, texts: list[str], encoder: TextEncoder) -> np.ndarray:
        """Features of typed texts: float32, shape (n, dim); zero rows for empty texts."""
        vectors = encoder.encode(texts)
        out = self.features.texts(self.whitening.apply(vectors))
        out[~vectors.any(1)] = 0.0
        return out


def read_of(catalog: Catalog, columns: tuple[str, ...]) -> Catalog:
    """The catalogue as far as it is read: the named columns; all where none is named."""
    return Catalog(read_columns(catalog.table, columns)) if columns else catalog
