"""How good mined interests are: what they foresee, beside topics and counts, and whether they hold together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError
from warmstart.evaluate.coherence import label_coherence, word_coherence
from warmstart.evaluate.foreseen import Contender, Entry, Questions, Window, as_told, compete, label_shares, questions
from warmstart.evaluate.interest_checks import agreement, coverage, rankings, removal
from warmstart.evaluate.interest_report import Coherence, InterestQuality, entered, ratio
from warmstart.evaluate.intervals import intervals
from warmstart.evaluate.labels import Labels, Telling
from warmstart.evaluate.topics import Topics, counted, everything, topics_of, word_counts
from warmstart.interests.concepts import Concepts, ConceptSettings
from warmstart.interests.names import concept_terms, words
from warmstart.interests.predict import PredictSettings, closeness
from warmstart.interests.profile import ProfileSettings
from warmstart.text.templates import item_texts

Tell = Callable[[str, int, int], None]
OURS, TOLD, LDA, COUNTS, FLOOR, OPEN = (
    "interests",
    "the eight told",
    "LDA topics",
    "genre counts",
    "popularity",
    "labels, not hidden",
)
SHOWN = 10  # words, and items, by which the coherence of a concept is judged


@dataclass(frozen=True)
class InterestTask:
    """What is asked of the interests.

    Parameters
    ----------
    share
        Newest share of everybody's own events that is their future, in (0, 1).
    least
        New items that a future must hold.
    topics
        Numbers of topics from which LDA's is chosen.
    seeds
        Seeds over which agreement is measured.
    seed
        The first of them; also of LDA and of the intervals.
    telling
        Which labels are the truth.
    concepts
        How concepts are found.
    template
        Text of an item; must name no hidden column.
    """

    share: float = 0.2
    least: int = 10
    topics: tuple[int, ...] = (20, 50, 100, 200, 400)
    seeds: int = 3
    seed: int = 0
    telling: Telling = field(default_factory=Telling)
    concepts: ConceptSettings = field(default_factory=ConceptSettings)
    template: str | None = None

    def __post_init__(self) -> None:
        if not (0 < self.share < 1 and self.least >= 1 and self.seeds >= 1 and self.topics and min(self.topics) >= 1):
            raise ConfigError(
                f"share={self.share:g}, least={self.least}, seeds={self.seeds}, topics={self.topics}: between 0 and 1, "
                "1 or more, 1 or more, numbers of 1 or more; 0.2, 10, 3 and 20,50,100,200,400 are usual"
            )


@dataclass(frozen=True, eq=False)
class Mined:
    """Concepts of a window's events, and how much each item belongs to the finest of them."""

    concepts: Concepts
    vectors: np.ndarray
    belongs: sp.csr_matrix

    @classmethod
    def of(cls, window: Window, asked: InterestTask) -> Mined:
        """Fit on the window's training events alone."""
        data = window.train
        assert data.features is not None
        concepts = Concepts.fit(data, asked.template, asked.concepts)
        vectors = concepts.vectors(data.features)
        return cls(concepts, vectors, closeness(vectors, concepts.members))


def judge_interests(
    data: Dataset, labels: Labels, counts: Labels | None, asked: InterestTask | None = None, tell: Tell | None = None
) -> InterestQuality:
    """Measure interests that are mined without the labels, beside peers, by the labels.

    Concepts and settings of everybody are fitted on what precedes the future. Settings (half life, the map from one
    part of a history to the next, the number of topics) are chosen for each contender by F1 on an earlier window: the
    last ``share`` of what precedes the future. Topics are found in the same texts, counts are those of labels in the
    open, popularity is a single concept that holds everything; "labels, not hidden" counts the truth's own labels in
    the history and shows what can be reached by remembering.

    Parameters
    ----------
    data
        With features that know none of the labels, and a catalogue without their columns.
    labels
        The truth.
    counts
        What the peer counts, e.g. genres; None = there is no such peer.
    asked
        The task.
    tell
        Told of stages done.

    Raises
    ------
    DataError
        If nobody has a future that is long enough, or an earlier window that is.
    """
    asked, told = asked or InterestTask(), tell or (lambda stage, done, total: None)
    told("mining concepts", 0, 1)
    before, now, past, truth = _posed(data, labels, asked)
    final = truth.window
    texts = [words(text) for text in item_texts(data.catalog, asked.template)]
    ours = compete(Contender(OURS, before.belongs, now.belongs), past, truth)
    topics, found = _best_topics(texts, past, truth, asked, told)
    entries = [ours, _told(before, now, past, truth), found, *_peers(labels, counts, past, truth, told)]
    told("coherence", 0, 1)
    coherence = _coherence(now, topics, labels, texts)
    told("ranking by interests alone", 0, 1)
    ranked = rankings(now.belongs, final, ours.chosen)
    covered = coverage(now.concepts, now.belongs, final, ours.chosen).shares
    cut = removal(now.concepts, now.belongs, final, ours.chosen)
    told("agreement of seeds", 0, 1)
    agreed = agreement(final.train, asked.concepts, asked.seeds, asked.seed)
    return InterestQuality(
        people=len(final.users),
        labels=len(labels.names),
        concepts=tuple(len(now.concepts.members.at(level)) for level in range(now.concepts.members.levels)),
        entries=entered(entries, asked.seed),
        ratios={
            e.name: {k: ratio(ours.marks[k]["f1"], e.marks[k]["f1"], asked.seed) for k in e.marks} for e in entries[1:]
        },
        coherence=coherence,
        coverage={name: tuple(intervals(rows.T, seed=asked.seed)) for name, rows in covered.items()},
        agreement=agreed,
        ndcg=dict(zip(ranked, intervals(np.stack(list(ranked.values()), axis=1), seed=asked.seed), strict=True)),
        removal=cut,
    )


def _posed(data: Dataset, labels: Labels, asked: InterestTask) -> tuple[Mined, Mined, Questions, Questions]:
    """Concepts and questions of the earlier window, where settings are chosen, and of the one that counts."""
    final = Window.of(data, asked.share, asked.least)
    earlier = Window.of(final.train, asked.share, max(1, round(asked.least * (1 - asked.share))))
    past = questions(earlier, labels, asked.telling)
    truth = questions(final, labels, asked.telling, {kind: q.bar for kind, q in past.by_kind.items()})
    return Mined.of(earlier, asked), Mined.of(final, asked), past, truth


def _told(before: Mined, now: Mined, past: Questions, truth: Questions) -> Entry:
    """What the eight interests foresee that a person is told of; they have no settings to choose."""
    marks = []
    for mined, asked in ((before, past), (now, truth)):
        likely = as_told(mined.concepts, asked.window.train.interactions)
        marks.append(asked.marks(label_shares(likely, asked.window, asked.labels)))
    chosen = PredictSettings(ProfileSettings().half_life, own=1)
    validation = float(np.nanmean(next(iter(marks[0].values()))["f1"]))
    return Entry(TOLD, len(now.concepts.members), chosen, validation, marks[1])


def _best_topics(
    texts: Sequence[Sequence[str]], past: Questions, truth: Questions, asked: InterestTask, told: Tell
) -> tuple[Topics, Entry]:
    """The number of topics that foresees most on the earlier window, and what it foresees on the one that counts."""
    tried = list[tuple[Topics, Entry]]()
    for done, number in enumerate(asked.topics):
        told("LDA topics", done, len(asked.topics))
        topics = topics_of(texts, number, asked.seed, SHOWN)
        tried.append((topics, compete(Contender(LDA, topics.mixture, topics.mixture), past, truth)))
    return max(tried, key=lambda one: one[1].validation)


def _peers(labels: Labels, counts: Labels | None, past: Questions, truth: Questions, told: Tell) -> list[Entry]:
    one, own = everything(labels.matrix.shape[0]), counted(labels.matrix)
    peers: Mapping[str, sp.csr_matrix] = ({} if counts is None else {COUNTS: counted(counts.matrix)}) | {
        FLOOR: one,
        OPEN: own,
    }
    entries = []
    for done, (name, belongs) in enumerate(peers.items()):
        told("peers", done, len(peers))
        entries.append(compete(Contender(name, belongs, belongs), past, truth))
    return entries


def _coherence(mined: Mined, topics: Topics, labels: Labels, texts: Sequence[Sequence[str]]) -> tuple[Coherence, ...]:
    """NPMI of each level's concepts and of the topics: of their words in the texts, of their items' labels."""
    counts, vocabulary = word_counts(texts)
    held, number = counts.sign(), {word: at for at, word in enumerate(vocabulary)}
    weight, terms = concept_terms(mined.concepts.members.weights, texts)
    out = []
    for level in range(mined.concepts.members.levels):
        at = mined.concepts.members.at(level)
        best = [[number[terms[i]] for i in _first(weight[c]) if terms[i] in number][:SHOWN] for c in at]
        items = [mined.concepts.members.typical(mined.vectors, int(c), SHOWN) for c in at]
        out.append(
            Coherence.of(f"concepts, level {level}", word_coherence(held, best), label_coherence(labels.matrix, items))
        )
    best = [[number[word] for word in row] for row in topics.words]
    mixture = sp.csc_matrix(topics.mixture)
    items = [np.argsort(-mixture[:, [t]].toarray().ravel(), kind="stable")[:SHOWN] for t in range(mixture.shape[1])]
    out.append(Coherence.of(LDA, word_coherence(held, best), label_coherence(labels.matrix, items)))
    return tuple(out)


def _first(row: sp.csr_matrix) -> np.ndarray:
    order: np.ndarray = row.indices[np.argsort(-row.data, kind="stable")]
    return order
