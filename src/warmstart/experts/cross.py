"""A language model that reads person and item together, asked about the few items that a cheap score puts first."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.content import ContentMap, FittedContentMap
from warmstart.experts.popularity import FittedPopularity, Popularity
from warmstart.learn.cross import CrossModel
from warmstart.learn.cross_export import cached_cross
from warmstart.learn.people import item_titles, person_texts
from warmstart.text.templates import item_texts

LOG = logging.getLogger(__name__)
TRIED = 8  # pairs by which the time for one is measured


@dataclass(frozen=True)
class CrossEncoder:
    """Reranks by a fine-tuned cross-encoder the items that a cheap score puts first; NaN for all others.

    The model is not trained here, nor anew in simulated worlds: train it on older events, or on other people's, than
    the engine is fitted on, or it will be trusted for what it has seen. Simulated questions are asked about ``most``
    items whatever it takes, so that a fit depends on no clock; ``fusion.queries`` bounds their number. Source:
    Nogueira and Cho, Passage re-ranking with BERT, 2019, arXiv:1901.04085.

    Parameters
    ----------
    model
        ``model`` of a run of ``warmstart finetune --reads together``, or what ``export_cross`` made of it.
    budget_ms
        Milliseconds a query, above 0, after which an engine that answers asks about no more items; inf = no stop.
    most
        Items asked about, >= 1; fewer where time runs out. ``fit`` warns where the budget will not suffice for them.
    content_map, popularity
        The cheap score is the sum of both, standardised over the items.
    """

    model: str = ""
    budget_ms: float = 50.0
    most: int = 10
    content_map: ContentMap = field(default_factory=ContentMap)
    popularity: Popularity = field(default_factory=lambda: Popularity(tau=16.0))

    def __post_init__(self) -> None:
        if not (self.budget_ms > 0 and self.most >= 1):
            raise ConfigError(f"budget_ms={self.budget_ms:g} and most={self.most} must be above 0; 50 and 10 are usual")

    def fit(self, data: Dataset) -> FittedCrossEncoder | None:
        """Export the model if that was not done yet, fit the cheap score, measure whether the budget suffices.

        Raises
        ------
        ConfigError
            If ``model`` names no cross-encoder.
        NotFitted
            If the data carry no features.
        """
        cheap, popular = self.content_map.fit(data), self.popularity.fit(data)
        model = cached_cross(self.model)
        made = FittedCrossEncoder(model, cheap, popular, self.most, self.budget_ms, *_described(data.catalog, model))
        if self.budget_ms < math.inf:
            self._warn(model, [(made.texts[i], made.titles[i]) for i in made.told[:TRIED]])
        return made

    def unhurried(self) -> CrossEncoder:
        """Without a budget, for simulated worlds."""
        return replace(self, budget_ms=math.inf)

    def _warn(self, model: CrossModel, pairs: list[tuple[str, str]]) -> None:
        """Say so where the budget is too small on this machine; nothing else depends on what is measured."""
        pace = 1000 * model.seconds_a_pair(pairs)
        if pace * self.most > self.budget_ms:
            LOG.warning(
                f"most={self.most} items take about {pace * self.most:.0f} ms here, budget_ms={self.budget_ms:g}; "
                f"raise it, or give most={max(1, int(self.budget_ms / pace))}"
            )


@dataclass(frozen=True, eq=False)
class FittedCrossEncoder:
    """The model, the cheap score, and the words of the catalogue.

    Parameters
    ----------
    model
        Scores pairs of texts.
    cheap, popular
        Decide which items it is asked about.
    asked
        Items a query.
    budget_ms
        Milliseconds a query after which it is asked about no more.
    words, names
        uint8: texts and titles of the items, a list of strings in JSON.
    """

    model: CrossModel
    cheap: FittedContentMap
    popular: FittedPopularity
    asked: int
    budget_ms: float
    words: np.ndarray
    names: np.ndarray

    @cached_property
    def texts(self) -> list[str]:
        """One an item, "" where nothing is known of it."""
        return _strings(self.words)

    @cached_property
    def titles(self) -> list[str]:
        """One an item, as they stand in the text of a person."""
        return _strings(self.names)

    @cached_property
    def told(self) -> np.ndarray:
        """Items that have a text: int64 codes."""
        return np.flatnonzero([bool(text) for text in self.texts])

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for all but the items asked about, best by the cheap score.

        An item of the history, or without a text, is not asked about. Of a typed text alone the model says nothing.
        """
        scores = np.full((len(histories), len(self.texts)), np.nan, np.float32)
        people = person_texts(histories.newest(self.model.history), self.titles)
        typed = np.zeros(len(people), bool) if histories.vectors is None else histories.vectors.any(1)
        for query in np.flatnonzero(~typed | (histories.lengths > 0)).tolist():
            items = self.candidates(histories.take(np.array([query])))
            pairs = [(people[query], self.texts[item]) for item in items]
            scores[query, items] = self.model.scores(pairs, self.budget_ms / 1000)
        return scores

    def candidates(self, one: Histories) -> np.ndarray:
        """Items to ask about for a single query: int64 codes, the best by the cheap score first."""
        voices = (expert.score(one)[0, self.told] for expert in (self.cheap, self.popular))
        best = self.told[np.argsort(-sum(map(_standard, voices)), kind="stable")]
        return best[~np.isin(best, one.item)][: self.asked]

    def grow(self, features: np.ndarray) -> Self:
        """New items are not asked about before their texts are known; see ``described``."""
        n = len(features)
        more = (_bytes([*self.texts, *[""] * n]), _bytes([*self.titles, *[""] * n]))
        return replace(
            self, cheap=self.cheap.grow(features), popular=self.popular.grow(features), words=more[0], names=more[1]
        )

    def described(self, catalog: Catalog) -> Self:
        """With the texts of a catalogue of as many items."""
        words, names = _described(catalog, self.model)
        return replace(self, words=words, names=names)


def _described(catalog: Catalog, model: CrossModel) -> tuple[np.ndarray, np.ndarray]:
    texts = item_texts(catalog, model.template)
    return _bytes(texts), _bytes(item_titles(catalog, texts))


def _bytes(texts: list[str]) -> np.ndarray:
    return np.frombuffer(json.dumps(texts, ensure_ascii=False).encode("utf-8", "surrogatepass"), np.uint8)


def _strings(array: np.ndarray) -> list[str]:
    texts: list[str] = json.loads(array.tobytes().decode("utf-8", "surrogatepass"))
    return texts


def _standard(score: np.ndarray) -> np.ndarray:
    """With mean 0 and deviation 1; zeros where all are alike, or nothing can be said."""
    score = np.nan_to_num(score)
    spread = float(score.std())
    standard: np.ndarray = (score - score.mean()) / spread if spread > 0 else np.zeros_like(score)
    return standard
