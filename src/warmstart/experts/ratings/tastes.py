"""Tastes: what the text and the kind of an item say of its ratings, and how each person's taste moves that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError
from warmstart.experts.ratings.liking import Directions, Liking, regressors
from warmstart.experts.ratings.rated import Rated
from warmstart.experts.ratings.tasted import PEOPLE, Attributes, FittedTastes, TastePrior

SAME = 100.0  # people: what holds the mean taste of those who share an attribute near 0
NOISE = 0.7  # of a rating, to begin with: its variance in that of all ratings


@dataclass(frozen=True)
class Tastes:
    """``r = a_i + x_i t_u + noise``, ``a_i = w_i b + e_i``: ridges whose strengths come from the data.

    w_i holds 1, how often item i was rated, and leading directions of its features; x_i holds 1 and the first of these
    directions. ``b`` and ``e_i`` are normal (see ``Liking``), and so is a person's taste: ``t_u ~ N(G'd_u, S)``, with
    d_u the attributes. All variances are found by expectation-maximisation; S is held near a small one (inverse
    Wishart). A history gives t_u in closed form; an item that nobody rated is left to w_i b.

    Parameters
    ----------
    person, item
        Directions of the item features that tastes are made of, and that say how well liked an item is.
    held
        In people: weight of the prior of S.
    level, tilt
        The prior variances of t_u, in variances of the ratings: of kindness, and of each direction.
    rounds
        Of expectation-maximisation.

    References
    ----------
    A. Gelman, J. Hill, Data Analysis Using Regression and Multilevel/Hierarchical Models, 2007, chapter 13;
    D. MacKay, Bayesian Interpolation, Neural Computation 1992, section 4.4.

    Examples
    --------
    >>> from warmstart.data.histories import Histories
    >>> from warmstart.data.toy import checkerboard
    >>> toy = checkerboard(20, 10)
    >>> x = replace(toy.interactions, rating=(3 + toy.interactions.item % 2).astype(np.float32))
    >>> fitted = Tastes().fit(toy.with_interactions(x), Rated.of(x))
    >>> fitted.predict(Histories.of([[]], 10), np.zeros(2, int), np.array([0, 1])).round(1).tolist()
    [3.2, 3.8]
    """

    person: int = 16
    item: int = 256
    held: float = 200.0
    level: float = 0.1
    tilt: float = 0.003
    rounds: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.person <= self.item:
            raise ConfigError(f"tastes of person={self.person} directions, item={self.item}: take 1 <= person <= item")
        if not (min(self.held, self.level, self.tilt) > 0 and self.rounds >= 1):
            raise ConfigError(
                f"tastes held={self.held:g}, level={self.level:g}, tilt={self.tilt:g}, rounds={self.rounds}: "
                "take numbers above 0, e.g. 200, 0.1, 0.003 and 20"
            )

    def fit(self, data: Dataset, rated: Rated) -> FittedTastes:
        """Learn from ratings, the table of users and the item features, as far as there are any.

        ``rated`` holds one rating at least.
        """
        directions, attributes = Directions.fit(data, self.item, self.person), Attributes.fit(data.user_table)
        z = directions.of(data.features, rated.n_items)
        rows = np.column_stack([np.ones(rated.n_items), z[:, : self.person]])
        w = regressors(np.bincount(rated.item, minlength=rated.n_items), z)
        centre, unit = float(rated.value.mean()), float(rated.value.std()) or 1.0
        known = attributes.rows(data.user_table, rated.n_users)
        learning = Learning(replace(rated, value=(rated.value - centre) / unit), rows, w, known, self)
        prior, liking = learning.done()
        weights = unit * liking.weights
        weights[0] += centre
        item, variance = centre + unit * liking.item, unit**2 * liking.variance
        return FittedTastes(directions, attributes, prior.times(unit), item, variance, rows, weights)


@dataclass(frozen=True, eq=False)
class Learning:
    """Ratings of mean 0 and variance 1, x and w of all items, attributes of all people: what rounds learn from."""

    rated: Rated
    rows: np.ndarray
    w: np.ndarray
    attributes: np.ndarray
    settings: Tastes

    def done(self) -> tuple[TastePrior, Liking]:
        """After all rounds: tastes by what items leave, items by what tastes leave, then all variances."""
        prior = TastePrior(self._start(), np.zeros((self.attributes.shape[1], self.rows.shape[1])), NOISE)
        liking = Liking.start(self.w)
        for _ in range(self.settings.rounds):
            tastes, scatter, own, unsure = self._tastes(prior, liking)
            r = self.rated
            liking = liking.next(self.w, r.item, r.value - own, prior.noise)
            off = r.value - own - liking.item[r.item]
            noise = float((off**2 + unsure + liking.variance[r.item]).mean())
            prior = self._prior(tastes, scatter, max(noise, 1e-4))
        return prior, liking

    def _start(self) -> np.ndarray:
        """The prior's S: float64, shape (d, d)."""
        return np.diag(np.append(self.settings.level, np.full(self.rows.shape[1] - 1, self.settings.tilt)))

    def _tastes(self, prior: TastePrior, liking: Liking) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Means (n_users, d), the sum of the covariances of all who rated, and ``x t`` of each rating with variance."""
        r, ends = self.rated, self.rated.known().indptr
        tastes, scatter = np.zeros((r.n_users, self.rows.shape[1])), np.zeros_like(prior.covariance)
        own, unsure = np.empty(len(r)), np.empty(len(r))
        for first in range(0, r.n_users, PEOPLE):
            last = min(first + PEOPLE, r.n_users)
            at, near = slice(ends[first], ends[last]), ends[first : last + 1] - ends[first]
            item, shape = r.item[at], (last - first, r.n_items)
            left = sp.csr_matrix((r.value[at] - liking.item[item], item, near), shape)
            taste = prior.given(left, self.rows, self.attributes[first:last])
            own[at], unsure[at] = taste.of(self.rows, item, r.user[at] - first)
            tastes[first:last], scatter = taste.mean, scatter + taste.covariance[np.diff(near) > 0].sum(0)
        return tastes, scatter, own, unsure

    def _prior(self, tastes: np.ndarray, scatter: np.ndarray, noise: float) -> TastePrior:
        """The prior under which such tastes are likeliest."""
        met = np.bincount(self.rated.user, minlength=self.rated.n_users) > 0
        known, mean = self.attributes[met], tastes[met]
        by_attribute = np.linalg.solve(known.T @ known + SAME * np.eye(known.shape[1]), known.T @ mean)
        off = mean - known @ by_attribute
        covariance = (scatter + off.T @ off + self.settings.held * self._start()) / (len(mean) + self.settings.held)
        return TastePrior(covariance, by_attribute, noise)
