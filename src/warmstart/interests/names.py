"""Names of concepts: words and attributes that are frequent within and rare elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.experts.features import attribute_tokens
from warmstart.text.templates import item_texts

LEAST = 2  # items that must hold a term
PRIOR = 3.0  # items of the catalogue's mean that are added to a concept
MOST = 0.3  # share of the items beyond which a term names nothing
_WORDS = re.compile(r"[^\W\d_\u3400-\u9fff]{3,}|[\u3400-\u9fff]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def item_terms(catalog: Catalog, template: str | None = None) -> list[list[str]]:
    """What may name each item: its words (Chinese text is segmented), and its attributes."""
    attributes = [[plain_attribute(token) for token in row] for row in attribute_tokens(catalog.table)]
    return [[*words(text), *row] for text, row in zip(item_texts(catalog, template), attributes, strict=True)]


def plain_attribute(token: str) -> str:
    """An attribute without its column.

    Examples
    --------
    >>> plain_attribute("genres=Film-Noir")
    'Film-Noir'
    """
    return token.split("=", 1)[-1]


def words(text: str) -> list[str]:
    """Lower-case words of three letters or more; of Chinese, words of two characters or more.

    Examples
    --------
    >>> words("A cowboy doll, in 1995: 科幻电影")
    ['cowboy', 'doll', '科幻电影']
    """
    out: list[str] = []
    for run in _WORDS.findall(text.lower()):
        if _CHINESE.match(run):
            import rjieba  # a dictionary of its own, read where there is Chinese alone

            out += [word for word in rjieba.cut(run) if len(word) > 1]
        else:
            out.append(run)
    return [word for word in out if word not in stop_words()]


@cache
def stop_words() -> frozenset[str]:
    """Words that name nothing: those of scikit-learn, and what is left of their short forms."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | {"don", "doesn", "isn", "his", "her", "one", "two", "new", "gets", "finds"}


def concept_terms(weights: sp.csr_matrix, terms: Sequence[Sequence[str]]) -> tuple[sp.csr_matrix, list[str]]:
    """Weight of every term in every concept: ``tf_tc log(tf_tc / tf_t)``, where that is above 0.

    tf_tc = items of the concept that hold the term over its items, with ``PRIOR`` items of the catalogue's mean added
    to both; tf_t = the same over the whole catalogue. Class-based TF-IDF (Grootendorst, BERTopic, 2022,
    arXiv:2203.05794, eq. 2) with items in the place of words, so that a long text counts no more than a short one, and
    with an idf that asks how much rarer a term is elsewhere: under ``log(1 + A / f)`` coarse concepts were all called
    by the catalogue's commonest words.

    Parameters
    ----------
    weights
        Of a ``Membership``: CSR, shape (n_items, n_concepts). An item counts as much as its weight is of the concept's
        largest; of a concept that overlaps others the terms of its strongest items count most.
    terms
        Terms of each item.

    Returns
    -------
    tuple
        float32 CSR, shape (n_concepts, n_terms), and the terms. A term that fewer than two items of a larger concept
        hold has no weight there.
    """
    x, kept = held_terms(terms)
    heaviest = np.zeros(weights.shape[1], np.float32)
    np.maximum.at(heaviest, weights.indices, weights.data)
    parts = (weights.data / heaviest[weights.indices], weights.indices, weights.indptr)
    member = sp.csr_matrix(parts, shape=weights.shape).T
    size, often = np.asarray(member.sum(1)).ravel(), np.asarray(x.sum(0)).ravel() / max(1, len(terms))
    within = sp.coo_matrix(member @ x)
    n, p = size[within.row], often[within.col]
    share = (within.data + PRIOR * p) / (n + PRIOR)
    told = np.where(within.data >= np.minimum(LEAST, n), share * np.log(share / np.maximum(p, 1e-12)), 0.0)
    weight = sp.csr_matrix((np.maximum(told, 0.0).astype(np.float32), (within.row, within.col)), shape=within.shape)
    weight.eliminate_zeros()
    return weight, kept


def held_terms(terms: Sequence[Sequence[str]]) -> tuple[sp.csr_matrix, list[str]]:
    """Which item holds which term: float32 CSR of ones, shape (n_items, n_terms), and the terms.

    Terms of a single item, or of more than three items in ten, are left out; where none is left, none is.
    """
    held = Counter(t for row in terms for t in set(row))
    most = max(LEAST, MOST * len(terms))
    kept = sorted(t for t, n in held.items() if LEAST <= n <= most) or sorted(held)
    number = {t: i for i, t in enumerate(kept)}
    rows = [sorted({number[t] for t in row if t in number}) for row in terms]
    ptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    index = np.array([t for row in rows for t in row], np.int64)
    return sp.csr_matrix((np.ones(len(index), np.float32), index, ptr), shape=(len(terms), len(kept))), kept


def name_concepts(weights: sp.csr_matrix, terms: Sequence[Sequence[str]], k: int = 4) -> list[list[str]]:
    """The k best terms of every concept, best first; fewer where it has fewer.

    Examples
    --------
    >>> rows = [["space", "alien"], ["space", "ship"], ["love", "letter"], ["love", "ring"], ["tea"], ["tea"], ["tea"]]
    >>> name_concepts(sp.csr_matrix(np.eye(3)[[0, 0, 1, 1, 2, 2, 2]]), rows, k=1)  # "tea" is too frequent
    [['space'], ['love'], []]
    """
    weight, kept = concept_terms(weights, terms)
    out = []
    for concept in range(weight.shape[0]):
        row = weight[concept]
        out.append(distinct((kept[i] for i in row.indices[np.argsort(-row.data, kind="stable")]), k))
    return out


def distinct(terms: Iterable[str], k: int) -> list[str]:
    """The first k terms of which none is a word, or the beginning, of another.

    Examples
    --------
    >>> distinct(["sci", "sci-fi", "hepburn", "audrey hepburn", "war", "tea"], 3)
    ['sci-fi', 'audrey hepburn', 'war']
    """
    chosen: list[str] = []
    for term in terms:
        longer = [n for n, other in enumerate(chosen) if other in _parts(term)]
        if any(term in _parts(other) for other in chosen):
            continue
        if longer:
            chosen[longer[0]] = term
        elif len(chosen) < k:
            chosen.append(term)
        else:
            break
    return chosen


def _parts(term: str) -> set[str]:
    return set(re.split(r"[\s\-]+", term)) - {term}
