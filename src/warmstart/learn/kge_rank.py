"""Link prediction: at which place the right entity stands among all, both ends asked, other right ones left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

HITS = (1, 3, 10)
BLOCK = 128  # questions that are scored at once

Tell = Callable[[str, int, int], None]
Scores = Callable[[np.ndarray, np.ndarray], np.ndarray]


def both_ends(triples: np.ndarray, n_relations: int) -> np.ndarray:
    """Questions (entity, relation, answer) of triples: for the tail, then by the reciprocal relation for the head.

    Parameters
    ----------
    triples
        int64, shape (n, 3): codes of head, relation, tail.
    n_relations
        The reciprocal of relation r is ``r + n_relations``.

    Examples
    --------
    >>> both_ends(np.array([[5, 0, 7]]), 2).tolist()
    [[5, 0, 7], [7, 2, 5]]
    """
    turned = triples[:, ::-1] + np.array([0, n_relations, 0])
    return np.concatenate([triples, turned])


def rank(scores: np.ndarray, answer: np.ndarray, others: sp.csr_matrix) -> np.ndarray:
    """Place of each answer, from 1; other right answers are left out ("filtered"; Bordes et al. 2013, section 4).

    Where scores are equal, the place is the mean of the best and the worst it could be ("realistic"; Berrendorf et al.
    2020, arXiv:2002.06914), so that a model that says the same of all gets the middle and not the top.

    Parameters
    ----------
    scores
        Shape (n, entities); NaN counts as higher than any: a model that has broken down gets no places for it.
    answer
        int64, shape (n,): the entity that is looked for.
    others
        Shape (n, entities): not 0 where an entity is right, too, or is the answer.

    Returns
    -------
    np.ndarray
        float64, shape (n,), in [1, entities].

    Examples
    --------
    >>> scores = np.array([[0.9, 0.5, 0.5, 0.1]])
    >>> rank(scores, np.array([1]), sp.csr_matrix((1, 4))).tolist()
    [2.5]
    >>> rank(scores, np.array([1]), sp.csr_matrix(np.array([[1, 0, 0, 0]]))).tolist()
    [1.5]
    """
    rows = np.arange(len(scores))
    wanted = np.asarray(scores, np.float64)[rows, answer][:, None]
    rivals = np.array(scores, np.float64)
    rivals[np.isnan(rivals)] = np.inf
    known = others.tocoo()
    rivals[known.row, known.col] = -np.inf
    rivals[rows, answer] = -np.inf
    wanted = np.where(np.isnan(wanted), np.finfo(np.float64).min, wanted)
    above, equal = (rivals > wanted).sum(1), (rivals == wanted).sum(1)
    places: np.ndarray = 1.0 + above + equal / 2
    return places


def ranks(
    questions: np.ndarray, known: np.ndarray, n_entities: int, scores: Scores, tell: Tell | None = None
) -> np.ndarray:
    """Filtered places of the answers of all questions.

    Parameters
    ----------
    questions
        int64, shape (n, 3): entity, relation, answer, as ``both_ends`` makes them.
    known
        The same of all triples that are true, those asked for among them.
    n_entities
        Entities there are.
    scores
        Entities (n,) and relations (n,) to scores of all entities (n, n_entities).
    tell
        Told of the progress.

    Returns
    -------
    np.ndarray
        float64, shape (n,).
    """
    width = int(max(questions[:, 1].max(initial=0), known[:, 1].max(initial=0))) + 1
    key = known[:, 0] * width + known[:, 1]
    found, row = np.unique(key, return_inverse=True)
    right = sp.csr_matrix((np.ones(len(known), np.int8), (row.ravel(), known[:, 2])), (len(found) + 1, n_entities))
    places = np.empty(len(questions))
    for start in range(0, len(questions), BLOCK):
        part = questions[start : start + BLOCK]
        wanted = part[:, 0] * width + part[:, 1]
        at = np.searchsorted(found, wanted).clip(max=max(0, len(found) - 1))
        at = np.where(found[at] == wanted, at, len(found)) if len(found) else np.zeros(len(part), np.int64)
        places[start : start + BLOCK] = rank(scores(part[:, 0], part[:, 1]), part[:, 2], right[at])
        if tell:
            tell("ranking", start + len(part), len(questions))
    return places


def figures(places: np.ndarray) -> dict[str, float]:
    """Mean reciprocal rank and the share of answers among the first k; NaN where nothing was asked.

    Examples
    --------
    >>> figures(np.array([1.0, 4.0]))
    {'mrr': 0.625, 'hits@1': 0.5, 'hits@3': 0.5, 'hits@10': 1.0}
    """
    if not len(places):
        return {"mrr": float("nan"), **{f"hits@{k}": float("nan") for k in HITS}}
    return {"mrr": float((1 / places).mean()), **{f"hits@{k}": float((places <= k).mean()) for k in HITS}}
