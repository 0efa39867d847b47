"""Draws of a factorisation machine as tables of items, and what they say of a history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.ratings.posterior import Asked, Belief, Ladder, believed, expected
from warmstart.experts.ratings.rated import Known, Rated
from warmstart.experts.ratings.sides import PeopleFacts, even, taken_by

PEOPLE = 512  # histories that are looked at at once


class Part(NamedTuple):
    """One draw: ``w0``, w (n_features,), v (n_features, rank); of each group mean and precision; noise; cut points."""

    w0: float
    w: np.ndarray
    v: np.ndarray
    mean_w: np.ndarray
    precision_w: np.ndarray
    mean_v: np.ndarray
    precision_v: np.ndarray
    noise: float
    cuts: np.ndarray


@dataclass(frozen=True, eq=False)
class World:
    """Blocks of features: of the person (who, what was rated, attributes), and of the item (which, by whom, facts)."""

    person: tuple[sp.csr_matrix, ...]
    item: tuple[sp.csr_matrix, ...]
    groups: list[int]

    @classmethod
    def of(cls, data: Dataset, rated: Rated, people: PeopleFacts) -> Self:
        """Of the ratings and the table of users; what describes an item is added by ``shown``."""
        taken = taken_by(rated)
        said = people.rows(data.user_table, rated.n_users)
        person = (sp.identity(rated.n_users, format="csr"), even(taken), said)
        item = (sp.identity(rated.n_items, format="csr"), even(sp.csr_matrix(taken.T)))
        return cls(person, item, [rated.n_users, rated.n_items, *people.widths, *(b.shape[1] for b in item)])

    def shown(self, *facts: sp.csr_matrix, heard: bool = True) -> Self:
        """With more blocks that describe an item, and with or without what a person has rated: see ``Chain``."""
        who, rated, said = self.person
        groups = self.groups if heard else [self.groups[0], *self.groups[2:]]
        person = (who, rated if heard else rated[:, :0], said)
        return type(self)(person, (*self.item, *facts), [*groups, *(block.shape[1] for block in facts)])


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of one run, by item: all float32, S draws of rank d.

    Parameters
    ----------
    w0, noise
        Shape (S,): constant, and precision of the noise.
    item
        Shape (S, n_items, 1 + d): what an item adds by itself, and its factors.
    heard, said
        Shapes (S, n_items, 1 + d) and (S, n_attributes, 1 + d): weight and factors of having rated an item, and of an
        attribute of the person.
    mean, precision
        Shape (S, 1 + d): where a person's own weight and factors come from.
    cuts
        Shape (S, n_levels - 1): cut points of the ladder; none where ratings are numbers.
    """

    w0: np.ndarray
    noise: np.ndarray
    item: np.ndarray
    heard: np.ndarray
    said: np.ndarray
    mean: np.ndarray
    precision: np.ndarray
    cuts: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[Part], world: World) -> Self:
        """Tables from draws of all features; a person's own features are not kept, only where they come from."""
        n, m, facts = (block.shape[1] for block in world.person)
        item = sp.csr_matrix(sp.hstack(world.item))

        def stacked(rows: list[np.ndarray]) -> np.ndarray:
            return np.stack(rows).astype(np.float32)

        both = [np.column_stack([part.w, part.v]) for part in parts]
        return cls(
            stacked([np.array(part.w0) for part in parts]),
            stacked([np.array(part.noise) for part in parts]),
            stacked([summed(item, one[n + m + facts :]) for one in both]),
            stacked([one[n : n + m] for one in both]),
            stacked([one[n + m : n + m + facts] for one in both]),
            stacked([np.append(part.mean_w[0], part.mean_v[0]) for part in parts]),
            stacked([np.append(part.precision_w[0], part.precision_v[0]) for part in parts]),
            stacked([part.cuts for part in parts]),
        )

    def before(self, rows: sp.csr_matrix, facts: sp.csr_matrix) -> np.ndarray:
        """What rated items and attributes say of people, before the ratings: float64, shape (S, n_queries, 1 + d).

        ``rows`` is CSR (n_queries, n_items) at ``1 / sqrt(n)``, ``facts`` CSR (n_queries, n_attributes).
        """
        both = sp.csr_matrix(sp.hstack([rows[:, : self.heard.shape[1]], facts]))
        return np.stack([summed(both, np.vstack([h, s])) for h, s in zip(self.heard, self.said, strict=True)])

    def met(
        self, before: np.ndarray, rated: np.ndarray, values: np.ndarray, item: np.ndarray, levels: np.ndarray
    ) -> Met:
        """What ratings say of a person, and what is then asked about some items.

        ``before`` is float64 (S, 1 + d); ``rated``, ``values`` the ratings given; ``levels`` as in ``FittedMachine``.
        """
        ladder = Ladder(self.cuts.astype(np.float64), levels) if self.cuts.shape[1] else None
        noise, w0 = self.noise.astype(np.float64), self.w0.astype(np.float64)
        known, asked = (Asked.of(w0, before, self.item[:, codes].astype(np.float64)) for codes in (rated, item))
        prior = self.mean.astype(np.float64), self.precision.astype(np.float64)
        return Met(asked, believed(known, values, *prior, noise, ladder), noise, ladder)

    def few(self, n: int) -> Self:
        """The first n draws alone."""
        return type(self)(*(getattr(self, part.name)[:n] for part in fields(self)))

    def grown(self, n: int) -> Self:
        """With items nobody has rated: as the mean of the others."""
        item = np.concatenate([self.item, np.repeat(self.item.mean(1, keepdims=True), n, axis=1)], axis=1)
        heard = np.zeros((len(self.heard), n if self.heard.shape[1] else 0, self.heard.shape[2]), np.float32)
        return replace(self, item=item, heard=np.concatenate([self.heard, heard], axis=1))


class Met(NamedTuple):
    """Items asked about, what draws believe of the person, and noise and ladder of the draws; see ``expected``."""

    asked: Asked
    belief: Belief
    noise: np.ndarray
    ladder: Ladder | None


def summed(x: sp.csr_matrix, both: np.ndarray) -> np.ndarray:
    """``w x + sum_{a<b} <v_a, v_b> x_a x_b`` and ``V' x`` of each row x: float64, shape (n, 1 + d).

    Examples
    --------
    >>> summed(sp.csr_matrix([[1.0, 2.0]]), np.array([[0.5, 3.0], [0.25, 1.0]])).tolist()
    [[7.0, 5.0]]
    """
    w, v = both[:, 0].astype(np.float64), both[:, 1:].astype(np.float64)
    factors = np.asarray(x @ v)
    alone = x @ w + 0.5 * ((factors**2).sum(1) - x.multiply(x) @ (v**2).sum(1))
    return np.column_stack([alone, factors])


@dataclass(frozen=True, eq=False)
class FittedMachine:
    """Draws of all runs, and how attributes of people are read.

    Parameters
    ----------
    levels
        float64, shape (n_levels,): values of the scale, where a run takes them as steps.
    heard
        bool, shape (n_runs,): which of the runs describe a person by what was rated.
    """

    draws: tuple[Draws, ...]
    people: PeopleFacts
    levels: np.ndarray
    heard: np.ndarray

    def predict(self, histories: Histories, query: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Expected ratings: float64, shape (n_pairs,)."""
        return self.distribution(histories, query, item)[0]

    def distribution(
        self, histories: Histories, query: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean and variance of the rating of each pair, and the mean by runs that do not look at what was rated.

        All are float64, shape (n_pairs,). The first two are by the other runs; where all are of one kind, by all.

        Parameters
        ----------
        histories
            Rated events; a person's own weight and factors follow from them in closed form, draw by draw.
        query, item
            Row of ``histories`` and item code of each pair: int, shape (n_pairs,).
        """
        rows, seen, found = Known.of(histories), self.seen(histories), np.empty((3, len(query)))
        order = np.argsort(query, kind="stable")
        bounds = np.searchsorted(query[order], np.arange(len(histories) + 1))
        for start in range(0, len(histories), PEOPLE):
            stop = min(start + PEOPLE, len(histories))
            before = self.before(*(block[start:stop] for block in seen))
            for q in range(start, stop):
                at = order[bounds[q] : bounds[q + 1]]
                if len(at):
                    own = [b[:, q - start] for b in before]
                    found[:, at] = self._of_one(own, *row_of(rows, q), item[at])
        return found[0], found[1], found[2]

    def seen(self, histories: Histories) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        """Rated items and attributes of people, as ``Draws.before`` takes them."""
        rows = Known.of(histories)
        return even(rows.matrix(np.ones(len(rows.value)))), self.people.rows(histories.attributes, len(histories))

    def before(self, rated: sp.csr_matrix, facts: sp.csr_matrix) -> list[np.ndarray]:
        """What rated items and attributes say of people, by run: see ``Draws.before``."""
        return [one.before(rated, facts) for one in self.draws]

    def _of_one(self, before: list[np.ndarray], rated: np.ndarray, values: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Mean, variance, and mean of runs that do not look at what was rated, for one person: (3, n_items)."""
        pairs = zip(self.draws, before, strict=True)
        runs = [expected(*one.met(own, rated, values, item, self.levels)) for one, own in pairs]
        kinds = [
            [run for run, heard in zip(runs, self.heard.tolist(), strict=True) if heard == kind] for kind in (1, 0)
        ]
        means, alone = (np.concatenate([m for m, _ in kind or runs]) for kind in kinds)
        variance = np.concatenate([v for _, v in kinds[0] or runs]).mean(0) + means.var(0)
        return np.stack([means.mean(0), variance, alone.mean(0)])

    def grow(self, n: int) -> Self:
        """With n new items, of which nothing is known."""
        return replace(self, draws=tuple(one.grown(n) for one in self.draws))


def row_of(rows: Known, q: int) -> tuple[np.ndarray, np.ndarray]:
    """Item codes and values of one row.

    Examples
    --------
    >>> [part.tolist() for part in row_of(Known(np.array([0, 1, 3]), np.array([4, 1, 2]), np.array([5, 3, 1]), 5), 1)]
    [[1, 2], [3, 1]]
    """
    at = slice(rows.indptr[q], rows.indptr[q + 1])
    return rows.item[at], rows.value[at]
