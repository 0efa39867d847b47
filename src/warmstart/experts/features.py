"""Item features Z: what is known of an item before anybody meets it.

Blocks, each with rows of unit length and then scaled: whitened language-model text, attributes of the
catalogue (idf-weighted multi-hot), facts of the graph (idf-weighted one-hop, see ``graph_features``), year, and a
constant (it carries the popularity that content predicts). A block's rows are zero where nothing is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.errors import ConfigError
from warmstart.experts.graph_features import FittedGraphSpace, GraphSpace, fact_tokens
from warmstart.experts.tokens import TokenMap

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
        Scale of each block: text, attributes, facts of the graph, year, constant.
    columns
        Columns of the catalogue that are read as attributes, and of which the default text is made; empty = all.
    graph
        What is made of a graph.
    """

    dim: int = 64
    min_count: int = 2
    max_share: float = 0.5
    year_width: float = 5.0
    scales: tuple[float, float, float, float, float] = (1.0, 0.7, 1.4, 0.5, 0.5)
    columns: tuple[str, ...] = ()
    graph: GraphSpace = field(default_factory=GraphSpace)

    def fit(self, catalog: Catalog, text: np.ndarray, graph: KnowledgeGraph | None = None) -> FittedFeatures:
        """Learn the blocks; ``text`` is float32 (n_items, d), whitened, zero rows = no text."""
        if missing := [name for name in self.columns if name not in catalog.table.columns]:
            raise ConfigError(f"space.features.columns names {missing[0]!r}; the catalogue has {catalog.table.columns}")
        table = read_columns(catalog.table, self.columns)
        attribute = TokenMap.fit(attribute_tokens(table), self.dim, self.min_count, self.max_share)
        facts = self.graph.fit(catalog, graph, text)
        years = year_column(table)
        known = years[~np.isnan(years)]
        centres = np.empty(0)
        if len(known):
            low, high = np.quantile(known, [0.02, 0.98])
            centres = np.arange(low, high + self.year_width, self.year_width)
        return FittedFeatures(self.scales, self.year_width, centres.astype(np.float32), attribute, facts, self.columns)


@dataclass(frozen=True)
class FittedFeatures:
    """Turns catalogue rows (old or new) and typed texts into rows of Z."""

    scales: tuple[float, float, float, float, float]
    year_width: float
    centres: np.ndarray
    attribute: TokenMap
    graph: FittedGraphSpace
    columns: tuple[str, ...] = ()

    @property
    def facts(self) -> TokenMap:
        """Facts of the graph as tokens."""
        return self.graph.facts

    def items(self, catalog: Catalog, text: np.ndarray, graph: KnowledgeGraph | None = None) -> np.ndarray:
        """Features Z of all items of a catalogue: float32, shape (n_items, dim)."""
        table, rows = read_columns(catalog.table, self.columns), fact_tokens(catalog, graph)
        years = year_column(table)
        bumps = np.exp(-0.5 * ((years[:, None] - self.centres[None, :]) / self.year_width) ** 2)
        blocks = (
            (self.scales[0], text),
            (1.0, self.graph.besides(rows, text)),
            (self.scales[1], self.attribute.apply(attribute_tokens(table))),
            (self.scales[2], self.facts.apply(rows)),
            (self.scales[3], unit(np.nan_to_num(bumps))),
            (self.scales[4], np.ones((len(catalog), 1))),
        )
        out, start = np.empty((len(catalog), text.shape[1] + sum(self.widths)), np.float32), 0
        for scale, block in blocks:
            np.multiply(scale, block, out=out[:, start : start + block.shape[1]], casting="same_kind")
            start += block.shape[1]
        return out

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Columns after the text: of the graph beside its facts, attributes, facts, and year with the constant."""
        return self.graph.width, self.attribute.basis.shape[1], self.facts.basis.shape[1], len(self.centres) + 1

    def of_graph(self, dim: int) -> np.ndarray:
        """Which columns of Z a graph gave: bool, shape (dim,)."""
        return np.repeat((False, True, False, True, False), (dim - sum(self.widths), *self.widths))

    def texts(self, text: np.ndarray) -> np.ndarray:
        """Typed texts in the space of Z: the text block filled, the others zero."""
        return np.hstack([self.scales[0] * text, np.zeros((len(text), sum(self.widths)))]).astype(np.float32)


def read_columns(table: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """The id and the named columns, in the table's order; all of them where none is named."""
    return table.select(n for n in table.columns if n == ITEM_ID or n in columns) if columns else table


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
