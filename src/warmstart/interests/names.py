"""Names of concepts: words and attributes that are frequent within and rare elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.experts.features import attribute_tokens
from warmstart.text.templates import item_texts

LEAST = 2  # items that must hold a term
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


def stop_words() -> frozenset[str]:
    """Words that name nothing: those of scikit-learn, and what is left of their short forms."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | {"don", "doesn", "isn", "his", "her", "one", "two", "new", "gets", "finds"}


def concept_terms(
    paths: np.ndarray, n_concepts: int, terms: Sequence[Sequence[str]]
) -> tuple[sp.csr_matrix, list[str]]:
    """Weight of every term in every concept: ``tf_tc log(1 + A / f_t)``, c-TF-IDF.

    tf = items of the concept that hold the term over items of the concept, f = items of the catalogue that hold it over
    their number, A = mean of f. Source: Grootendorst, BERTopic, 2022, arXiv:2203.05794, eq. 2, with items in the
    place of words, so that a long text counts no more than a short one.

    Returns
    -------
    tuple
        float32 CSR, shape (n_concepts, n_terms), and the terms.
    """
    held = Counter(t for row in terms for t in set(row))
    most = max(LEAST, MOST * len(terms))
    kept = sorted(t for t, n in held.items() if LEAST <= n <= most) or sorted(held)
    number = {t: i for i, t in enumerate(kept)}
    item, term = [], []
    for code, row in enumerate(terms):
        mine = sorted({number[t] for t in row if t in number})
        item += [code] * len(mine)
        term += mine
    x = sp.csr_matrix((np.ones(len(item), np.float32), (item, term)), shape=(len(terms), len(kept)))
    member = sp.csr_matrix(
        (np.ones(paths.size, np.float32), (paths.ravel(), np.repeat(np.arange(len(paths)), paths.shape[1]))),
        shape=(n_concepts, len(paths)),
    )
    size = np.maximum(np.asarray(member.sum(1)).ravel(), 1)
    often = np.asarray(x.sum(0)).ravel() / max(1, len(terms))
    rare = np.log1p(often.mean() / np.maximum(often, 1e-9)) if len(often) else often
    return sp.csr_matrix(sp.diags(1 / size) @ (member @ x) @ sp.diags(rare), dtype=np.float32), kept


def name_concepts(paths: np.ndarray, n_concepts: int, terms: Sequence[Sequence[str]], k: int = 4) -> list[list[str]]:
    """The k best terms of every concept, best first; fewer where it has fewer.

    Examples
    --------
    >>> rows = [["space", "alien"], ["space", "ship"], ["love", "letter"], ["love", "ring"], ["tea"]]
    >>> name_concepts(np.array([[0], [0], [1], [1], [2]]), 3, rows, k=1)
    [['space'], ['love'], []]
    """
    weight, kept = concept_terms(paths, n_concepts, terms)
    out = []
    for concept in range(n_concepts):
        row = weight[concept]
        best = np.argsort(-row.data, kind="stable")[:k]
        out.append([kept[i] for i in row.indices[best]])
    return out
