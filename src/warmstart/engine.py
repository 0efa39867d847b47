"""The engine: retrieve, fuse, explain; fitted on a dataset, asked by user, history or text, saved as a folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from warmstart import storage
from warmstart.answers import answered, explained, likened, told_interests
from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.readers import read_table
from warmstart.data.tables import shape_keyed
from warmstart.encoders import Encoders
from warmstart.errors import DataError, NotFitted
from warmstart.evaluate.report import Trust
from warmstart.experts.panel import Panel, Progress
from warmstart.experts.ratings.model import FittedRatings, RatingModel
from warmstart.explain.missing import UNKNOWN, Explanation
from warmstart.explain.trust import trust_of
from warmstart.fitted import Fitted
from warmstart.fitting import learned
from warmstart.interests.profile import ProfileSettings
from warmstart.interests.segments import told_segments
from warmstart.interests.steer import Steering, Wishes
from warmstart.pictures import pictured
from warmstart.query import Event, aligned, candidate_mask, count_queries, filter_mask, resolve_histories
from warmstart.ratings import Rated, predicted, questions, with_ratings
from warmstart.recipe import Recipe
from warmstart.rerank.order import Order
from warmstart.rerank.rated import LACKING
from warmstart.rerank.tail import Tail
from warmstart.text.choose import SavedEncoder

LOG = logging.getLogger(__name__)


class Engine:
    """Recommends for anybody: known, new, anonymous, or described in words.

    Parameters
    ----------
    recipe
        A ``Recipe``, the path of a TOML recipe, or None for the default one.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> engine = Engine(Recipe(encoder="tfidf")).fit(clusters(60, 40, 4, seed=1))
    >>> engine.recommend(histories=[[], ["i1"]], k=2).columns
    ['query', 'item_id', 'score', 'rank', 'source']
    """

    def __init__(self, recipe: Recipe | str | Path | None = None) -> None:
        self.recipe = recipe if isinstance(recipe, Recipe) else Recipe() if recipe is None else Recipe.load(recipe)
        self.data: Dataset | None = None
        self.encoders: Encoders | None = None
        self._fitted: Fitted | None = None

    def fit(self, data: Dataset, progress: Progress | None = None) -> Self:
        """Learn from all events, see ``fitting.learned``.

        With ``recipe.finetune`` the text encoder first learns from these events, and from nothing else.
        """
        self.encoders, self._fitted = learned(self.recipe, data, progress)
        self.data = data
        return self

    @property
    def encoder(self) -> SavedEncoder | None:
        """Who reads texts; None before ``fit``."""
        return None if self.encoders is None else self.encoders.encoder

    @property
    def judge(self) -> SavedEncoder | None:
        """The encoder that knows no event; None where ``encoder`` does not either."""
        return None if self.encoders is None else self.encoders.judge

    @property
    def finetuned(self) -> Path | None:
        """Folder of the encoder that learned in this fit, its run inside; None where none did."""
        return None if self.encoders is None else self.encoders.finetuned

    @property
    def fitted(self) -> Fitted:
        """What was learned.

        Raises
        ------
        NotFitted
            Before ``fit``.
        """
        if self._fitted is None:
            raise NotFitted("the engine has learned nothing yet; call fit(data) or warmstart.load(folder) first")
        return self._fitted

    @property
    def data_fingerprint(self) -> str | None:
        """Fingerprint of the dataset the engine was fitted on; None before ``fit``."""
        return None if self._fitted is None else self._fitted.fingerprint

    @property
    def features(self) -> np.ndarray:
        """Item features Z: float32, shape (n_items, dim)."""
        return self.fitted.space.z

    def recommend(  # noqa: PLR0913 - each is one word of the question
        self,
        users: Sequence[str] | None = None,
        histories: Sequence[Sequence[Event]] | None = None,
        texts: Sequence[str] | None = None,
        k: int = 10,
        candidates: Sequence[str] | None = None,
        exclude_seen: bool = True,
        filters: Mapping[str, object] | None = None,
        explain: bool = False,
        interest: int | str | None = None,
        steer: Steering | None = None,
        calibrate: float = 0.0,
        tail: Tail | None = None,
        objective: str | None = None,
    ) -> pl.DataFrame:
        """Best items for each query.

        Parameters
        ----------
        users
            User ids; unknown ones are new users. With ``histories``: only their attributes count.
        histories
            Item ids, oldest to newest, or pairs of an id and its rating, which lists by rating go by; unknown ids
            are left out and counted in the log.
        texts
            What is wanted, in words; alone or beside a history.
        k
            Items a query, >= 1; fewer come back where fewer are allowed.
        candidates
            Item ids that may be shown; None = the whole catalogue.
        exclude_seen
            Leave out the items of the history.
        filters
            Column and value(s) of the catalogue that must be met.
        explain
            Add ``reasons``.
        interest
            A concept, by its number or name (``concepts``), whose items alone are recommended.
        steer
            Concepts that are switched off, and those of which more is wanted; one in words goes into ``texts``.
        calibrate
            Weight, in [0, 1], of a list in proportion to the person's interests; 0 = by score alone, 0.5 is usual.
        tail
            How much of what is widely known is given for what is not; None = as the recipe says.
        objective
            ``"relevance"``, ``"rating"`` or ``"both"``: what lists are sorted by; None = as the recipe says. See
            ``Order``.

        Returns
        -------
        pl.DataFrame
            ``query`` (0-based position of the query), ``item_id``, ``score`` (higher is better, comparable within
            a query; by rating: the predicted one, in its unit), ``rank`` (from 1), ``source`` (the expert that ranks
            the item highest), ``reasons`` (list of str).
        """
        if k < 1:
            raise DataError(f"k={k}; ask for at least 1 item")
        order = self._order(objective, calibrate, tail)
        h = self._histories(users, histories, texts)
        pool = candidate_mask(self.fitted.catalog.items, candidates) & filter_mask(self.fitted.catalog, filters)
        if interest is not None:
            pool &= self.fitted.concepts.mask(interest)
        wishes = Wishes.of(self.fitted.concepts, steer or Steering())
        return answered(self.fitted, h, pool, k, exclude_seen, explain, wishes, order)

    def _order(self, objective: str | None, calibrate: float = 0.0, tail: Tail | None = None) -> Order:
        """What a list is sorted by; ratings are learned here where they have a say and were not yet."""
        order = Order(objective or self.recipe.objective, calibrate, tail or self.recipe.tail)
        if order.rated:
            _ = self._ratings
        return order

    def _histories(
        self, users: Sequence[str] | None, histories: Sequence[Sequence[Event]] | None, texts: Sequence[str] | None
    ) -> Histories:
        f, n = self.fitted, count_queries(users, histories, texts)
        scale = None if f.ratings is None else f.ratings.scale
        h = resolve_histories(self.data, f.catalog, users, histories, n, scale)
        if texts is None:
            return h
        assert self.encoders is not None
        return replace(h, vectors=self.encoders.typed(f.space, f.judged, [str(t) for t in texts]))

    def similar(self, items: Sequence[str], k: int = 10) -> pl.DataFrame:
        """Items nearest to each given item: the mean of how people and how content see them.

        Returns the columns of ``recommend``; ``score`` is a cosine in [-1, 1]. An unknown item has no rows.
        """
        if k < 1:
            raise DataError(f"k={k}; ask for at least 1 item")
        return likened(self.fitted, [str(i) for i in items], k)

    def explain(
        self,
        item: str,
        user: str | None = None,
        history: Sequence[Event] | None = None,
        text: str | None = None,
        k: int = 10,
        filters: Mapping[str, object] | None = None,
        objective: str | None = None,
    ) -> Explanation:
        """Why an item is shown, or is not, to a user, a history or a text (one of them, or none: a new user).

        History, filters and objective are those of the list that is explained: see ``recommend``.
        """
        order, f = self._order(objective), self.fitted
        code = int(f.catalog.items.codes([str(item)])[0])
        if code < 0:
            return Explanation(str(item), str(item), UNKNOWN, None, k, "", None)
        given = history if history is not None else None if user is not None else []
        h = self._histories(
            None if user is None else [user], None if given is None else [given], None if text is None else [text]
        )
        return explained(f, code, h, k, filters or {}, order)

    def predict_rating(
        self,
        users: Sequence[str] | None = None,
        items: Sequence[str] = (),
        histories: Sequence[Rated] | None = None,
    ) -> pl.DataFrame:
        """Ratings of pairs, one of ``items`` for each of ``users`` or ``histories``: see ``ratings.predicted``.

        Where the recipe has no table ``[ratings]`` the model is learned at the first question.

        Returns
        -------
        pl.DataFrame
            ``rating``, ``low``, ``high`` (an interval that holds ``Trust.level`` of such ratings, 90 % as it usually
            is), in the unit of the ratings; null for an unknown item.
        """
        return predicted(self._ratings, self.fitted.catalog, self.data, items, users, histories)

    def ask_ratings(self, history: Rated | None = None, k: int = 10, user: str | None = None) -> pl.DataFrame:
        """Items whose rating would tell most about somebody with these ratings, or a user: ``item_id``, ``gain``."""
        return questions(self._ratings, self.fitted.catalog, self.data, history, user, k)

    @property
    def _ratings(self) -> FittedRatings:
        """What predicts ratings; is learned here where it was not yet."""
        if self.fitted.ratings is None:
            if self.data is not None:
                LOG.warning("%s; until then they are learned at the first question after each load", LACKING)
            self._fitted = with_ratings(self.fitted, self.data, RatingModel())
        assert self.fitted.ratings is not None
        return self.fitted.ratings

    def concepts(self, level: int | None = None) -> pl.DataFrame:
        """What the catalogue is about: concepts named in words, a tree or overlapping ones; see ``Concepts.table``."""
        return self.fitted.concepts.table(self.fitted.catalog, level)

    def interests(
        self,
        users: Sequence[str] | None = None,
        histories: Sequence[Sequence[str]] | None = None,
        settings: ProfileSettings | None = None,
    ) -> pl.DataFrame:
        """What sets each person apart from everybody, with the events that show it; see ``Concepts.told``.

        Parameters
        ----------
        users, histories
            As in ``recommend``; somebody without events has no rows.
        settings
            Decay, number of interests, and when one rises.
        """
        return told_interests(self.fitted, self._histories(users, histories, None), settings)

    def segments(
        self, users: Sequence[str] | None = None, histories: Sequence[Sequence[str]] | None = None
    ) -> pl.DataFrame:
        """Segments of people in words; with ``users`` or ``histories`` those they belong to: see ``told_segments``."""
        f, asked = self.fitted, users is not None or histories is not None
        people = self._histories(users, histories, None) if asked else None
        return told_segments(f.segments, f.concepts, f.catalog, people)

    def interests_page(
        self, user: str | None = None, history: Sequence[str] | None = None, settings: ProfileSettings | None = None
    ) -> str:
        """A person's interests, or of nobody the concepts, as one HTML page with map and tree; see ``pictured``."""
        users, histories = ([user] if user is not None else None, [history] if history is not None else None)
        h = None if users is None and histories is None else self._histories(users, histories, None)
        return pictured(self.fitted, h, user, settings)

    def trust(self) -> Trust | None:
        """How the weight passes from content to people as an item gathers events; None without such an expert."""
        found = trust_of(self.fitted.panel, self.fitted.counts)
        return None if found is None else Trust(*found)

    def add_items(self, items: Any) -> int:
        """Make new items recommendable at once, from their text and attributes alone; returns how many.

        Parameters
        ----------
        items
            A table with ``item_id`` and the columns of the catalogue (path, frame, or list of dicts).
        """
        f = self.fitted
        assert self.encoders is not None
        rows = shape_keyed(read_table(items), "items").frame
        z, judged = self.encoders.items(f.space, f.judged, Catalog(rows), f.graph)
        self._fitted = f.grow(rows, z, judged)
        return len(z)

    def with_panel(self, panel: Panel) -> Self:
        """The same engine with other experts; this one is left alone."""
        other = type(self)(self.recipe)
        other.encoders, other.data, other._fitted = self.encoders, self.data, replace(self.fitted, panel=panel)
        return other

    def save(self, folder: str | Path) -> None:
        """Write a folder that ``warmstart.load`` reads without torch; holds no user data."""
        f = self.fitted
        assert self.encoders is not None
        known = (self.encoders.saved(), self.recipe.to_dict(), f.fingerprint)
        storage.save(Path(folder), f.parts(), f.catalog, f.graph, *known)

    @classmethod
    def load(cls, folder: str | Path, data: Dataset | str | Path | None = None) -> Self:
        """Read a saved engine; ``data`` (a dataset or its folder) brings the histories of known users."""
        saved = storage.load(Path(folder))
        engine = cls(Recipe.of(saved.recipe))
        engine.encoders = Encoders(saved.encoders["encoder"], saved.encoders.get("judge"))
        engine._fitted = Fitted(
            catalog=saved.catalog,
            graph=saved.graph,
            fingerprint=saved.fingerprint,
            relation_names=engine.recipe.words,
            **saved.parts,
        )
        if data is not None:
            engine.data = aligned(data if isinstance(data, Dataset) else Dataset.load(data), saved.catalog)
        return engine


def load(folder: str | Path, data: Dataset | str | Path | None = None) -> Engine:
    """Read a saved engine; see ``Engine.load``."""
    return Engine.load(folder, data)
