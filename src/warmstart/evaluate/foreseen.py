"""Who foresees the labels of a person's next events: interests, topics, counts, each asked the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import DataError
from warmstart.evaluate.labels import Labels, Telling
from warmstart.evaluate.metrics import average_precision, f1, find_hits, precision, recall
from warmstart.interests.concepts import Concepts
from warmstart.interests.predict import NextShares, PredictSettings

PEOPLE = 256  # whose chances of every item are held at once
MEASURES = ("accuracy", "precision", "recall", "f1", "map")
Likely = Callable[[Histories], np.ndarray]  # P(item) of the next events: (n_queries, n_items)
CHOICES = tuple(PredictSettings(half_life, own) for half_life, own in product((0.0, 0.5, 0.2), (1.0, 0.5)))


@dataclass(frozen=True, eq=False)
class Window:
    """What is known of people until some day, and what they did afterwards.

    Parameters
    ----------
    train
        Everybody's events until then; those of people with too few as a whole.
    users
        int64 codes, shape (n_people,): those whose future is asked for.
    queries
        Their histories.
    future
        float64 CSR of ones, shape (n_people, n_items): what they did later, without items of their history.
    """

    train: Dataset
    users: np.ndarray
    queries: Histories
    future: sp.csr_matrix

    @classmethod
    def of(cls, data: Dataset, share: float = 0.2, least: int = 10) -> Window:
        """The newest ``share`` of everybody's own events is their future, where that is ``least`` new items or more.

        Raises
        ------
        DataError
            If that is the case for nobody.
        """
        x = data.interactions
        counts = x.user_counts()
        later = x.position() >= (counts - np.round(counts * share).astype(np.int64))[x.user]
        after, before = x.select(later).matrix(), x.select(~later).matrix()
        new = sp.csr_matrix(after - after.multiply(before))
        new.eliminate_zeros()
        users = np.flatnonzero(np.diff(new.indptr) >= least)
        if not len(users):
            raise DataError(f"nobody has {least} new items in the last {share:.0%} of their events; ask for fewer")
        kept = data.with_interactions(x.select(~(later & np.isin(x.user, users))))
        return cls(kept, users, kept.histories(users), sp.csr_matrix(new[users], dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Question:
    """Which labels will set people's next events apart, and the answer.

    Parameters
    ----------
    mask
        bool, shape (n_labels,): labels that are asked for.
    truth
        CSR of ones, shape (n_people, n_labels).
    bar
        What a label must usually tell to be among them.
    """

    mask: np.ndarray
    truth: sp.csr_matrix
    bar: float


def questions(window: Window, labels: Labels, telling: Telling, bars: Mapping[str, float] | None = None) -> Questions:
    """The questions of a window, by kind of label; bars of an earlier window, so that none is read off the answer."""
    n = np.diff(window.future.indptr)
    common = common_labels(window.train, labels)
    told = telling.told(np.asarray((window.future @ labels.matrix).todense()), n.astype(np.float64), common)
    by_kind = {
        kind: Question(
            mask,
            telling.truth(told * mask),
            telling.usual_bar((told * mask)[(told * mask).any(1)]) if bars is None else bars[kind],
        )
        for kind, mask in labels.kinds.items()
    }
    return Questions(window, labels, telling, common, n, by_kind)


@dataclass(frozen=True, eq=False)
class Questions:
    """All questions of a window.

    Parameters
    ----------
    common
        float64, shape (n_labels,): share of everybody's earlier events that have each label.
    n
        int64, shape (n_people,): events that are asked about.
    by_kind
        A question a kind of label; all together first.
    """

    window: Window
    labels: Labels
    telling: Telling
    common: np.ndarray
    n: np.ndarray
    by_kind: Mapping[str, Question]

    def marks(self, shares: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """How good foreseen shares of labels are: by kind, then measure, float64, shape (n_people,), NaN = no truth.

        The labels likeliest to tell are the answer. ``accuracy``: whether the first of them is right; ``precision``,
        ``recall`` and ``f1`` of the first five; ``map``: average precision over all of them.
        """
        return {kind: self._marked(question, shares) for kind, question in self.by_kind.items()}

    def _marked(self, asked: Question, shares: np.ndarray) -> dict[str, np.ndarray]:
        at = np.flatnonzero(asked.mask)
        chance = self.telling.chance(shares[:, at], self.n, self.common[at], asked.bar)
        ranked = np.argsort(-chance, axis=1, kind="stable")
        hits, k = find_hits(ranked, sp.csr_matrix(asked.truth[:, at])), self.telling.most
        relevant, first = asked.truth.getnnz(axis=1), np.zeros((len(ranked), k), bool)
        first[:, : hits.shape[1]] = hits[:, :k]
        values = (
            precision(first[:, :1], relevant),
            precision(first, relevant),
            recall(first, relevant),
            f1(first, relevant),
            average_precision(hits, relevant),
        )
        return dict(zip(MEASURES, values, strict=True))


def common_labels(data: Dataset, labels: Labels) -> np.ndarray:
    """Share of everybody's events that have each label, an item nobody met counting as half an event: (n_labels,)."""
    events = np.maximum(data.interactions.item_counts(), 0.5)
    share: np.ndarray = (labels.matrix.T @ events) / events.sum()
    return share


def label_shares(likely: Likely, window: Window, labels: Labels) -> np.ndarray:
    """Shares of the next events that will have each label: float64, shape (n_people, n_labels), in [0, 1].

    ``s_l(u) = sum_j P_u(j) y_jl``, ``P_u(j)`` proportional to ``sum_c q_c(u) P(j | c)`` over the items that u has not
    taken yet: labels are used to read what concepts foresee, never to find them. ``likely`` gives the sum over c.
    """
    out = np.empty((len(window.users), labels.matrix.shape[1]))
    for start in range(0, len(out), PEOPLE):
        rows = np.arange(start, min(start + PEOPLE, len(out)))
        h = window.queries.take(rows)
        chance = likely(h)
        chance[h.matrix().nonzero()] = 0.0
        chance /= np.maximum(chance.sum(1, keepdims=True), 1e-300)
        out[rows] = (labels.matrix.T @ chance.T).T
    return out


@dataclass(frozen=True, eq=False)
class Contender:
    """Concepts that compete, on the window where settings are chosen and on the one that counts.

    Parameters
    ----------
    name
        As it stands in the tables.
    earlier, final
        float64 CSR, shape (n_items, n_concepts): how much each item belongs to each; rows sum to 1 or 0.
    choices
        Settings it may choose from.
    """

    name: str
    earlier: sp.csr_matrix
    final: sp.csr_matrix
    choices: Sequence[PredictSettings] = CHOICES


@dataclass(frozen=True, eq=False)
class Entry:
    """A contender's best on the earlier window, and what it does with these settings on the one that counts.

    Parameters
    ----------
    chosen
        Its settings.
    validation
        Mean F1 of the first kind of label on the earlier window.
    marks
        By kind, then measure: float64, shape (n_people,).
    """

    name: str
    concepts: int
    chosen: PredictSettings
    validation: float
    marks: Mapping[str, Mapping[str, np.ndarray]]


def compete(contender: Contender, earlier: Questions, final: Questions) -> Entry:
    """Choose settings on the earlier window, by F1 over all labels, and answer the questions that count with them."""
    kind = next(iter(earlier.by_kind))
    scored = []
    for settings in contender.choices:
        foresees = NextShares.fit(earlier.window.train.interactions, contender.earlier, settings)
        found = earlier.marks(label_shares(foresees.likely, earlier.window, earlier.labels))
        scored.append(float(np.nanmean(found[kind]["f1"])))
    best = int(np.argmax(scored))
    foresees = NextShares.fit(final.window.train.interactions, contender.final, contender.choices[best])
    marks = final.marks(label_shares(foresees.likely, final.window, final.labels))
    return Entry(contender.name, contender.final.shape[1], contender.choices[best], scored[best], marks)


def as_told(concepts: Concepts, x: Interactions) -> Likely:
    """What the interests make likely that a person is told of, at most eight of whatever level, by their weights."""
    all_levels = NextShares.fit(x, concepts.members.weights, PredictSettings(own=1))

    def likely(h: Histories) -> np.ndarray:
        shares = np.zeros((len(h), len(concepts.members)))
        for q in range(len(h)):
            told = concepts.of(h.row(q))
            shares[q, [i.concept for i in told]] = [i.weight for i in told]
        shares[~shares.any(1)] = all_levels.common
        return all_levels.items(shares)

    return likely
