"""Ratings by themselves, without an engine: fit, predict, ask, save, load."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from warmstart import __version__
from warmstart.artefact import load_arrays, open_sealed, pack, save_arrays, seal, unpack
from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.graph_users import impersonal
from warmstart.encoders import Encoders
from warmstart.errors import NotFitted
from warmstart.experts.link_test import believed
from warmstart.experts.panel import Progress
from warmstart.experts.ratings.model import FittedRatings, RatingModel
from warmstart.ratings import Rated, predicted, questions
from warmstart.recipe import Recipe
from warmstart.storage import CLASSES

FORMAT = 3


class Rater:
    """Predicts what somebody would rate, from the ratings this person gave, with an interval (90 % as it usually is).

    Parameters
    ----------
    model
        Hyper-parameters; None = the usual ones.
    recipe
        Whose encoder and item space describe the items; None = the default one.

    Examples
    --------
    >>> import warmstart as ws
    >>> from warmstart.experts.ratings.machine import Chain, FactorisationMachine
    >>> pairs = [(u, i) for u in range(9) for i in range(6)]
    >>> rows = [{"user_id": f"u{u}", "item_id": f"i{i}", "rating": 2 + (u + i) % 2 * 2} for u, i in pairs]
    >>> small = FactorisationMachine((Chain(),), rank=2, steps=20, dropped=5, kept=5)
    >>> rater = Rater(RatingModel(machine=small), Recipe(encoder="tfidf")).fit(ws.read(rows))
    >>> rater.predict(users=["u1", "u1"], items=["i0", "i1"]).columns
    ['rating', 'low', 'high']
    """

    def __init__(self, model: RatingModel | None = None, recipe: Recipe | None = None) -> None:
        self.model, self.recipe = model or RatingModel(), recipe or Recipe()
        self.data: Dataset | None = None
        self._fitted: tuple[FittedRatings, Catalog] | None = None

    def fit(self, data: Dataset, progress: Progress | None = None) -> Self:
        """Learn from the ratings of ``data``; items are described by their text and columns.

        Raises
        ------
        DataError
            If there are no ratings, or all are the same.
        MissingExtra
            If ``warmstart[ratings]`` is not installed.
        """
        known = believed(impersonal(data), doubtful=self.recipe.doubtful_graph)
        space, _ = Encoders.of(self.recipe, known, progress).spaces(
            self.recipe.space, known.catalog, known.graph, progress
        )
        self._fitted = (self.model.fit(space.describe(known), progress), data.catalog)
        self.data = data
        return self

    @property
    def fitted(self) -> tuple[FittedRatings, Catalog]:
        """What was learned, and of which items.

        Raises
        ------
        NotFitted
            Before ``fit``.
        """
        if self._fitted is None:
            raise NotFitted("the rater has learned nothing yet; call fit(data) or Rater.load(folder) first")
        return self._fitted

    def predict(
        self,
        users: Sequence[str] | None = None,
        items: Sequence[str] = (),
        histories: Sequence[Rated] | None = None,
    ) -> pl.DataFrame:
        """Ratings of pairs: ``rating``, ``low``, ``high``, one row for each of ``items``; see ``ratings.predicted``."""
        ratings, catalog = self.fitted
        return predicted(ratings, catalog, self.data, items, users, histories)

    def ask(self, history: Rated | None = None, k: int = 10, user: str | None = None) -> pl.DataFrame:
        """Items whose rating would tell most about somebody with these ratings, or a user: ``item_id``, ``gain``."""
        ratings, catalog = self.fitted
        return questions(ratings, catalog, self.data, history, user, k)

    def save(self, folder: str | Path) -> None:
        """Write a folder that ``Rater.load`` reads without myfm; it holds no user's ratings."""
        path, (ratings, catalog) = Path(folder), self.fitted
        path.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, np.ndarray] = {}
        described = pack(ratings, CLASSES, arrays, "ratings")
        save_arrays(path / "arrays", arrays)
        (path / "parts.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
        catalog.table.write_parquet(path / "items.parquet")
        seal(path, {"format": FORMAT, "warmstart": __version__, "kind": "rater"})

    @classmethod
    def load(cls, folder: str | Path, data: Dataset | None = None) -> Self:
        """Read a saved rater; ``data`` brings the ratings of known users."""
        path, rater = Path(folder), cls()
        open_sealed(path, FORMAT, "rater")
        described = json.loads((path / "parts.json").read_text(encoding="utf-8"))
        fitted = unpack(described, CLASSES, load_arrays(path / "arrays"))
        rater._fitted, rater.data = (fitted, Catalog(pl.read_parquet(path / "items.parquet"))), data
        return rater
