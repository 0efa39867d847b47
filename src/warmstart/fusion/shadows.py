"""Views by shadow encoders: fine-tuned like the engine's own, each on a world where some items were never met."""

from __future__ import annotations

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.experts.panel import Progress
from warmstart.experts.space import ItemSpace
from warmstart.fusion.views import View, fresh_items, without
from warmstart.learn.encoder import ONNX, Finetune, finetune_encoder, held_out_items
from warmstart.text.cache import CachedEncoder
from warmstart.text.onnx import OnnxEncoder
from warmstart.text.weights import cache_home


def shadow_views(
    data: Dataset, space: ItemSpace, settings: Finetune, features: np.ndarray, progress: Progress | None = None
) -> list[View]:
    """The views to simulate with when the encoder behind ``features`` learned from the events of ``data``.

    Without shadows the features are the engine's own, and the fresh items those that validation held out.
    """
    if not settings.shadows:
        return [View(features, held_out_items(data, settings, space.template))]
    groups = fresh_items(data, settings.shadows, settings.shadow_share, settings.training.seed)
    return [_view(data, space, settings, fresh, _named(progress, n + 1, len(groups))) for n, fresh in enumerate(groups)]


def _view(data: Dataset, space: ItemSpace, settings: Finetune, fresh: np.ndarray, progress: Progress | None) -> View:
    folder = finetune_encoder(without(data, fresh), settings, template=space.template, progress=progress)
    encoder = CachedEncoder(OnnxEncoder(folder / ONNX), cache_home())
    return View(space.fit(data.catalog, data.graph, encoder).z, fresh)


def _named(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Progress of one shadow of several, under a name of its own."""
    if progress is None:
        return None
    tell = progress
    return lambda stage, done, total: tell(f"{stage}, shadow {number} of {count}", done, total)
