"""Peers of mined concepts: topics of the item texts, labels counted as they stand, and one concept for everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from warmstart.errors import DataError

PASSES = 20


@dataclass(frozen=True, eq=False)
class Topics:
    """Topics of texts.

    Parameters
    ----------
    mixture
        float64 CSR, shape (n_items, n_topics): rows sum to 1, or to 0 where a text holds no word that is known.
    words
        Words of each topic, the likeliest first.
    """

    mixture: sp.csr_matrix
    words: tuple[tuple[str, ...], ...]


def word_counts(rows: Sequence[Sequence[str]], least: int = 2) -> tuple[sp.csr_matrix, list[str]]:
    """How often each text holds each word: CSR, shape (n_texts, n_words), and the words, each in ``least`` texts.

    Raises
    ------
    DataError
        If no word stands in so many texts.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    held = CountVectorizer(analyzer=list, min_df=least)
    try:
        counts = held.fit_transform(rows)
    except ValueError:
        raise DataError(f"no word stands in {least} texts; there are no topics to find") from None
    return sp.csr_matrix(counts), held.get_feature_names_out().tolist()


def topics_of(rows: Sequence[Sequence[str]], n_topics: int, seed: int = 0, shown: int = 10) -> Topics:
    """Latent Dirichlet allocation (Blei, Ng & Jordan, JMLR 2003; scikit-learn's, variational, twenty passes).

    Parameters
    ----------
    rows
        Words of each item's text.
    n_topics
        Number of topics.
    seed
        Of the first guess.
    shown
        Words a topic that are told.
    """
    from sklearn.decomposition import LatentDirichletAllocation

    counts, words = word_counts(rows)
    model = LatentDirichletAllocation(n_topics, max_iter=PASSES, learning_method="batch", random_state=seed)
    mixture = model.fit_transform(counts)
    mixture[np.diff(counts.indptr) == 0] = 0.0
    first = np.argsort(-model.components_, axis=1, kind="stable")[:, :shown]
    return Topics(sp.csr_matrix(mixture), tuple(tuple(words[w] for w in row) for row in first))


def counted(labels: sp.csr_matrix) -> sp.csr_matrix:
    """Labels as concepts: an item's weight is divided among its labels; float64 CSR, shape (n_items, n_labels).

    Examples
    --------
    >>> counted(sp.csr_matrix([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])).toarray().tolist()
    [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0]]
    """
    total = np.asarray(labels.sum(1)).ravel()
    return sp.csr_matrix(sp.diags(1 / np.maximum(total, 1.0)) @ labels, dtype=np.float64)


def everything(n_items: int) -> sp.csr_matrix:
    """A single concept that holds every item: whoever is asked about, what everybody takes is foreseen."""
    return sp.csr_matrix(np.ones((n_items, 1)))
