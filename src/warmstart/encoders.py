"""Who reads texts for an engine: one encoder, or a fine-tuned one and the one it began with, its judge."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.graph import KnowledgeGraph
from warmstart.experts.panel import Progress
from warmstart.experts.space import FittedItemSpace, ItemSpace
from warmstart.learn.encoder import ONNX, finetune_encoder
from warmstart.learn.runs import learned_from_events
from warmstart.recipe import Recipe
from warmstart.text.cache import CachedEncoder
from warmstart.text.choose import SavedEncoder, default_encoder, encoder_from_name, exported
from warmstart.text.templates import item_texts
from warmstart.text.weights import cache_home

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoders:
    """The encoders of an engine.

    Parameters
    ----------
    encoder
        Reads items and typed texts.
    judge
        An encoder that knows no event, where ``encoder`` learned from some (docs/decisions, 0011 and 0012).
    finetuned
        Folder of the encoder that learned in this fit, its run inside.
    """

    encoder: SavedEncoder
    judge: SavedEncoder | None = None
    finetuned: Path | None = None

    @classmethod
    def of(cls, recipe: Recipe, data: Dataset, progress: Progress | None = None) -> Encoders:
        """Those that a recipe names, fine-tunes, or leaves to be chosen."""
        name, template, finetune = recipe.encoder, recipe.space.template, recipe.finetune
        if finetune is not None:
            folder = finetune_encoder(data, finetune, template=template, progress=progress)
            return cls(encoder_from_name(str(folder / ONNX)), exported(finetune.model), folder)
        texts = item_texts(data.catalog, template)
        judge = encoder_from_name(recipe.judge, texts) if recipe.judge else None
        if judge is None and learned_from_events(name):
            LOG.warning(
                "encoder %s learned from events, and no judge stands beside it; content may be trusted too far with "
                "new items: name the encoder it began with, e.g. judge = 'minilm-onnx'",
                name,
            )
        if name != "auto":
            return cls(encoder_from_name(name, texts), judge)
        choice = default_encoder(texts)
        LOG.info("encoder %s", choice.reason)
        return cls(choice.encoder, judge)

    def spaces(
        self, settings: ItemSpace, catalog: Catalog, graph: KnowledgeGraph | None, progress: Progress | None = None
    ) -> tuple[FittedItemSpace, FittedItemSpace | None]:
        """The item space of the encoder, and that of the judge (None without one)."""
        told = None if progress is None else lambda done, total: progress("encoding texts", done, total)

        def cached(encoder: SavedEncoder) -> CachedEncoder:
            return CachedEncoder(encoder, cache_home(), told)

        space = settings.fit(catalog, graph, cached(self.encoder))
        return space, None if self.judge is None else settings.fit(catalog, graph, cached(self.judge))

    def items(
        self, space: FittedItemSpace, judged: FittedItemSpace | None, catalog: Catalog, graph: KnowledgeGraph | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Features of further items in either space: float32, shapes (n, dim of each)."""
        z = space.items(catalog, graph, self.encoder)
        return z, None if judged is None or self.judge is None else judged.items(catalog, graph, self.judge)

    def typed(self, space: FittedItemSpace, judged: FittedItemSpace | None, texts: list[str]) -> np.ndarray:
        """Features of texts as the experts want them: those of the judge, if there is one, before the others.

        Texts without a known word are zero, and counted in the log.
        """
        vectors = space.texts(texts, self.encoder)
        if judged is not None and self.judge is not None:
            vectors = np.hstack([judged.texts(texts, self.judge), vectors])
        mute = sum(bool(text.strip()) and not v.any() for text, v in zip(texts, vectors, strict=True))
        if mute:
            LOG.warning("%d texts hold no word the catalogue's encoder knows and were left out", mute)
        return vectors

    def saved(self) -> dict[str, SavedEncoder]:
        """By the names under which a folder keeps them."""
        return {"encoder": self.encoder} | ({} if self.judge is None else {"judge": self.judge})
