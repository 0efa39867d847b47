"""Why items are shown: the interest that carries each, and the parts of the experts that can be taken apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warmstart.data.histories import Histories
from warmstart.explain.because import Because, cite
from warmstart.explain.facts import Facts
from warmstart.explain.missing import spoken
from warmstart.explain.path_words import ToldPath
from warmstart.explain.paths import Path, varied
from warmstart.explain.reasons import Explainer
from warmstart.fitted import Fitted
from warmstart.fusion.leave_out import LeaveOut
from warmstart.interests.profile import newest_items

EVENTS = 64  # newest items of a history that are left out in turn, or whose paths are looked for
PATHS = 10  # that are told of one item


def reasons(f: Fitted, h: Histories, item: np.ndarray, allowed: np.ndarray) -> list[list[str]]:
    """Why each item shown is: sentences, query by query.

    Parameters
    ----------
    item
        int32, shape (n_queries, k): what is shown; -1 = no more.
    allowed
        bool, shape (n_queries, n_items): what could be.
    """
    by, told = explainer(f), []
    for q in range(len(h)):
        one, shown = h.take(np.array([q])), item[q, item[q] >= 0]
        for code, because in zip(shown.tolist(), by_interest(f, one, shown, allowed[q]), strict=True):
            told.append(spoken(because, by_paths(f, by, one, code), by.evidence(one, code)))
    return told


def by_paths(f: Fitted, by: Explainer, h: Histories, item: int) -> list[ToldPath]:
    """The best paths of the graph from one query's history to an item; see ``told_paths``.

    They start from the newest 64 items of the history. Nothing is told of an item that stands in it itself.
    """
    if f.facts is None or item in h.row(0):
        return []
    names, recent = f.catalog.items, newest_items(h.row(0), EVENTS)
    found = f.facts.between(names.names(recent[::-1].tolist()), names.ids[item]).found
    return told_paths(f.facts, by, h, item, varied(found, PATHS))


def told_paths(facts: Facts, by: Explainer, h: Histories, item: int, found: Sequence[Path]) -> list[ToldPath]:
    """Paths from one query's history to an item in words, with what each adds (``Explainer.effects``)."""
    items = facts.catalog.items
    asked = [(int(items.codes(path.nodes[:1])[0]), facts.tokens(path)) for path in found]
    effects, kinds = by.effects(h, item, asked), facts.kinds(h)
    return [facts.teller.told(p, kinds[p.nodes[0]], effect) for p, effect in zip(found, effects, strict=True)]


def by_interest(f: Fitted, h: Histories, item: np.ndarray, allowed: np.ndarray) -> list[Because | None]:
    """The interest that carries each item, where one does; for one query (``len(h) == 1``).

    An interest is named for an item that belongs to it, or to the concept that holds it. Whether its events carry the
    item is measured: each of the newest 64 items of the history is left out in turn (``LeaveOut``, ``cite``).
    Nothing is said of an item that stands in the history itself.

    Parameters
    ----------
    item
        int, shape (m,): the items, all of them allowed.
    allowed
        bool, shape (n_items,): what may be recommended.
    """
    found, row = f.concepts.of(h.row(0)), newest_items(h.row(0), EVENTS)
    groups = [np.flatnonzero(np.isin(row, one.evidence)) for one in found]
    if not len(item) or not any(len(group) for group in groups):
        return [None] * len(item)
    drop = LeaveOut(f.fusion, f.panel, f.support).drops(h, list(row[:, None]), item, allowed)
    told: list[Because | None] = []
    for m, code in enumerate(item.tolist()):
        near = [at for at, one in enumerate(found) if f.concepts.members.near(code, one.concept) and code not in h.item]
        best = cite(drop[:, m], [groups[at] for at in near])
        told.append(best and claim(f, found[near[best[0]]].concept, row[best[1]], drop[best[1], m]))
    return told


def claim(f: Fitted, concept: int, cited: np.ndarray, drop: np.ndarray) -> Because:
    """An interest and the items cited, by name."""
    titles = tuple(f.catalog.title(int(i)) for i in cited)
    ids = tuple(f.catalog.items.ids[i] for i in cited)
    return Because(concept, f.concepts.names[concept], ids, titles, tuple(drop.tolist()))


def explainer(f: Fitted) -> Explainer:
    """Takes the engine's experts apart."""
    return Explainer(f.panel, f.space.features, f.catalog, f.facts, f.counts)
