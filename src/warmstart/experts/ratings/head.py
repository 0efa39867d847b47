"""What the text of an item says of its ratings, by a fine-tuned language model: one more voice among the ratings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.experts.panel import Progress
from warmstart.experts.ratings.bias import Bias, FittedBias
from warmstart.experts.ratings.rated import Rated
from warmstart.learn.worth import Worth, worth
from warmstart.text.templates import item_texts

STAGE = "reading texts for ratings"


@dataclass(frozen=True)
class TextHead:
    """``r = mean + b_u + b_i + s g(text_i)``: biases, held near what a fine-tuned language model reads of an item.

    ``g`` is a regression head on a language model, fine-tuned on what a mean and the biases of people leave of the
    ratings of an item, each by its mean and with the weight ``n_i / (n_i + item_ridge)``. Every item is told by a model
    that did not learn from its ratings (``worth``), and ``s`` is the slope at which such answers are right. Biases are
    then fitted to what ``s g`` leaves, so that an item nobody rated is as its text says. Only ``g`` of each item is
    kept: nothing is read when ratings are predicted.

    Parameters
    ----------
    worth
        Which language model, and how it learns.
    bias
        The biases, before and after.
    template
        Of the items' texts, see ``item_texts``; "" = the usual one.
    """

    worth: Worth = field(default_factory=Worth)
    bias: Bias = field(default_factory=Bias)
    template: str = ""

    def fit(self, data: Dataset, rated: Rated, progress: Progress | None = None) -> FittedBias:
        """Fine-tune, and fit the biases to what the texts leave.

        Raises
        ------
        DataError
            If there is no rating, or hardly an item with a text and ratings.
        MissingExtra
            If torch or transformers is not installed.
        """

        def watch(stage: str, done: int, total: int, _figures: dict[str, float]) -> None:
            if progress is not None and stage == "training":
                progress(STAGE, done, total)

        plain, known = self.bias.fit(rated), rated.known()
        left = rated.value - plain.mean - plain.people(known)[rated.user]
        n = np.bincount(rated.item, minlength=rated.n_items)
        value, weight = np.bincount(rated.item, left, rated.n_items) / np.maximum(n, 1), n / (n + self.bias.item_ridge)
        read = worth(item_texts(data.catalog, self.template or None), value, weight, self.worth, watch)
        told = slope(read, value, weight) * read
        fitted = self.bias.fit(replace(rated, value=rated.value - told[rated.item]))
        return replace(fitted, item=fitted.item + told)


def slope(read: np.ndarray, value: np.ndarray, weight: np.ndarray) -> float:
    """Of the weighted regression of ``value`` on ``read``, both centred; at least 0, and 0 where all read alike.

    Examples
    --------
    >>> slope(np.array([0.0, 2.0, 9.0]), np.array([1.0, 2.0, 0.0]), np.array([1.0, 1.0, 0.0]))
    0.5
    """
    x, y = (a - np.average(a, weights=weight) for a in (read, value))
    below = float((weight * x * x).sum())
    return max(0.0, float((weight * x * y).sum()) / below) if below > 0 else 0.0
