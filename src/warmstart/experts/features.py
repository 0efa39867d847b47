"""Item features Z: what is known of an item before anybody meets it.

Blocks, each with rows of unit length and then scaled: whitened language-model text, attributes of the
catalogue (idf-weighted multi-hot), facts of the graph (idf-weighted one-hop), year, and a constant
(it carries the popularity that content predicts). A block's rows are zero where nothing is known.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.graph import KnowledgeGraph

SKIP = {ITEM_ID, "title", "name", "description", "text", "url", "image", "year", "release_year"}
YEAR_COLUMNS = ("year", "release_year")
SEPARATOR = re.compile(r"\s*[|;,]\s*")
NOTHING = {"", "nan", "none", "null", "(no genres listed)", "unknown"}


@dataclass(frozen=True)
class FeatureSpace:
    """How tokens of attributes and graph, texts and years become Z; frozen at fit.

    Parameters
    ----------
    dim
        Largest number of singular directions kept of the tokens.
    min_count
        Tokens on fewer items than this are left out.
    max_share
        Tokens on a larger share of the items than this are left out.
    year_width
        Width of a year bump, in years.
    scales
        Scale of each block: text, attributes, graph, year, constant.
    """

    dim: int = 64
    min_count: int = 2
    max_share: float = 0.5
    year_width: float = 5.0
    scales: tuple[float, float, float, float, float] = (1.0, 0.7, 0.7, 0.5, 0.5)

    def fit(self, catalog: Catalog, text: np.ndarray, graph: KnowledgeGraph | None = None) -> FittedFeatures:
        """Learn the blocks; ``text`` is float32 (n_items, d), whitened, zero rows = no text."""
        attribute = TokenMap.fit(attribute_tokens(catalog.table), self.dim, self.min_count, self.max_share)
        facts = TokenMap.fit(fact_tokens(catalog, graph), self.dim, self.min_count, self.max_share)
        years = year_column(catalog.table)
        known = years[~np.isnan(years)]
        centres = np.empty(0)
        if len(known):
            low, high = np.quantile(known, [0.02, 0.98])
            centres = np.arange(low, high + self.year_width, self.year_width)
        return FittedFeatures(self.scales, self.year_width, centres.astype(np.float32), attribute, facts)


@dataclass(frozen=True)
class TokenMap:
    """Tokens to a dense vector: idf weights, then right singular vectors of the training rows."""

    tokens: dict[str, int]
    idf: np.ndarray
    basis: np.ndarray

    @classmethod
    def fit(cls, rows: list[list[str]], dim: int, min_count: int, max_share: float) -> TokenMap:
        """Learn idf and directions from one list of tokens an item."""
        count = Counter(t for row in rows for t in set(row))
        top = max_share * max(len(rows), 1)
        tokens = {
            t: i for i, t in enumerate(sorted(t for t, c in count.items() if min_count <= c <= max(top, min_count)))
        }
        idf = np.array([np.log(len(rows) / count[t]) + 1.0 for t in tokens], dtype=np.float32)
        empty = cls(tokens, idf, np.empty((len(tokens), 0), np.float32))
        if not tokens:
            return empty
        a = empty.sparse(rows)
        k = min(dim, len(tokens), max(int((np.diff(a.indptr) > 0).sum()), 1))
        if k >= min(a.shape):
            _, s, vt = np.linalg.svd(a.toarray(), full_matrices=False)
            vt = vt[: min(k, int((s > 1e-6).sum()))]
        else:
            from sklearn.utils.extmath import randomized_svd

            _, _, vt = randomized_svd(a, k, n_iter=4, random_state=0)
        return cls(tokens, idf, np.ascontiguousarray(vt.T, dtype=np.float32))

    def sparse(self, rows: list[list[str]]) -> sp.csr_matrix:
        """Idf-weighted multi-hot rows of unit length; unknown tokens are left out."""
        ptr, at = [0], []
        for row in rows:
            at.extend(sorted({self.tokens[t] for t in row if t in self.tokens}))
            ptr.append(len(at))
        index = np.array(at, dtype=np.int64)
        a = sp.csr_matrix(
            (self.idf[index] if len(index) else np.empty(0, np.float32), index, ptr),
            shape=(len(rows), len(self.tokens)),
            dtype=np.float32,
        )
        norm = np.sqrt(np.asarray(a.multiply(a).sum(1)).ravel())
        return sp.csr_matrix(sp.diags(1.0 / np.maximum(norm, 1e-9)) @ a, dtype=np.float32)

    def apply(self, rows: list[list[str]]) -> np.ndarray:
        """Unit rows, float32 (n, dim); zero where no token is known."""
        return unit(np.asarray(self.sparse(rows) @ self.basis, dtype=np.float32))


@dataclass(frozen=True)
class FittedFeatures:
    """Turns catalogue rows (old or new) and typed texts into rows of Z."""

    scales: tuple[float, float, float, float, float]
    year_width: float
    centres: np.ndarray
    attribute: TokenMap
    facts: TokenMap

    def items(self, catalog: Catalog, text: np.ndarray, graph: KnowledgeGraph | None = None) -> np.ndarray:
        """Features Z of all items of a catalogue: float32, shape (n_items, dim)."""
        years = year_column(catalog.table)
        bumps = np.exp(-0.5 * ((years[:, None] - self.centres[None, :]) / self.year_width) ** 2)
        blocks = (
            text,
            self.attribute.apply(attribute_tokens(catalog.table)),
            self.facts.apply(fact_tokens(catalog, graph)),
            unit(np.nan_to_num(bumps)),
            np.ones((len(catalog), 1)),
        )
        return np.hstack([s * b for s, b in zip(self.scales, blocks, strict=True)]).astype(np.float32)

    def texts(self, text: np.ndarray) -> np.ndarray:
        """Typed texts in the space of Z: the text block filled, the others zero."""
        rest = self.attribute.basis.shape[1] + self.facts.basis.shape[1] + len(self.centres) + 1
        return np.hstack([self.scales[0] * text, np.zeros((len(text), rest))]).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; zero rows stay zero.

    Examples
    --------
    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = rows / np.where(norm > 0, norm, 1.0)
    return scaled


def year_column(table: pl.DataFrame) -> np.ndarray:
    """Year of each item, from a year column or the end of the title: float64, shape (n_items,), NaN = unknown.

    Examples
    --------
    >>> year_column(pl.DataFrame({"title": ["Heat (1995)", "Heat"]})).tolist()
    [1995.0, nan]
    """
    for name in YEAR_COLUMNS:
        if name in table.columns:
            year = table[name].cast(pl.String).str.extract(r"(\d{4})").cast(pl.Float64, strict=False)
            return year.fill_null(np.nan).to_numpy()
    if "title" in table.columns:
        year = table["title"].cast(pl.String).str.extract(r"\((\d{4})\)\s*$").cast(pl.Float64, strict=False)
        return year.fill_null(np.nan).to_numpy()
    return np.full(table.height, np.nan)


def attribute_tokens(table: pl.DataFrame) -> list[list[str]]:
    """``column=value`` tokens of every item, multi-valued cells split on ``|``, ``;`` and ``,``.

    Examples
    --------
    >>> attribute_tokens(pl.DataFrame({"item_id": ["a", "b"], "genre": ["Drama|Crime", None]}))
    [['genre=drama', 'genre=crime'], []]
    """
    rows: list[list[str]] = [[] for _ in range(table.height)]
    for column in table.columns:
        if column in SKIP or column.endswith(("_id", "_uri", "_url")):
            continue
        cells = table[column]
        if cells.dtype == pl.List:
            cells = cells.cast(pl.List(pl.String)).list.join("|")
        values = cells.cast(pl.String, strict=False).to_list()
        for row, value in zip(rows, values, strict=True):
            if value:
                row.extend(
                    f"{column}={v.strip().lower()}" for v in SEPARATOR.split(value) if v.strip().lower() not in NOTHING
                )
    return rows


def fact_tokens(catalog: Catalog, graph: KnowledgeGraph | None) -> list[list[str]]:
    """``relation>tail`` and ``relation<head`` tokens of every item.

    Examples
    --------
    >>> graph = KnowledgeGraph(pl.DataFrame({"head": ["a"], "relation": ["by"], "tail": ["ann"]}))
    >>> fact_tokens(Catalog(pl.DataFrame({"item_id": ["a", "b"], "title": ["A", "B"]})), graph)
    [['by>ann'], []]
    """
    rows: list[list[str]] = [[] for _ in range(len(catalog))]
    if graph is None:
        return rows
    facts = graph.facts()
    codes = catalog.items.codes(facts["entity"].to_list())
    texts = facts["fact"].to_list()
    for at in np.flatnonzero(codes >= 0):
        rows[codes[at]].append(texts[at])
    return rows
