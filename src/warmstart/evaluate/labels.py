"""Labels of items as the truth about interests: which ones set a person's future apart from everybody's events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.errors import ConfigError, DataError
from warmstart.experts.features import attribute_tokens

ALL = "all labels"


@dataclass(frozen=True, eq=False)
class Labels:
    """Which item has which label.

    Parameters
    ----------
    matrix
        float64 CSR of ones, shape (n_items, n_labels).
    names
        ``column=value`` of each, ascending.
    """

    matrix: sp.csr_matrix
    names: tuple[str, ...]

    @classmethod
    def of(cls, tokens: Sequence[Sequence[str]], least: int = 5) -> Labels:
        """From ``column=value`` tokens of every item; labels of fewer items than ``least`` are left out.

        Raises
        ------
        DataError
            If none is left.

        Examples
        --------
        >>> labels = Labels.of([["genre=war"], ["genre=war", "genre=tea"]], least=2)
        >>> labels.names, labels.matrix.toarray().tolist()
        (('genre=war',), [[1.0], [1.0]])
        """
        held = Counter(t for row in tokens for t in set(row))
        names = sorted(t for t, n in held.items() if n >= least)
        if not names:
            raise DataError(f"no label stands on {least} items or more; hide other columns, or lower --least-items")
        number = {t: i for i, t in enumerate(names)}
        rows = [sorted({number[t] for t in row if t in number}) for row in tokens]
        ptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
        at = np.array([i for r in rows for i in r], np.int64)
        return cls(sp.csr_matrix((np.ones(len(at)), at, ptr), shape=(len(rows), len(names))), tuple(names))

    @property
    def kinds(self) -> dict[str, np.ndarray]:
        """Labels by column: bool masks, shape (n_labels,); all of them together where there are several columns."""
        column = np.array([name.split("=", 1)[0] for name in self.names])
        masks = {str(kind): column == kind for kind in np.unique(column)}
        return masks if len(masks) == 1 else {ALL: np.ones(len(column), bool)} | masks


def hidden_tokens(catalog: Catalog, columns: Sequence[str], tags: pl.DataFrame | None = None) -> list[list[str]]:
    """``column=value`` tokens of columns that are hidden from the miner, and ``tag=value`` of a table of tags.

    Parameters
    ----------
    catalog
        The items, with these columns.
    columns
        Their names.
    tags
        A row a tag: ``item_id`` and one other column; tags of items that are unknown are left out.

    Raises
    ------
    DataError
        If a column is not there.
    """
    missing = [c for c in columns if c not in catalog.table.columns]
    if missing:
        raise DataError(f"the items have no column {missing[0]!r} to hide; they have {catalog.table.columns}")
    rows = attribute_tokens(catalog.table.select([ITEM_ID, *columns]))
    if tags is None:
        return rows
    values = [c for c in tags.columns if c != ITEM_ID]
    if ITEM_ID not in tags.columns or not values:
        raise DataError(f"the tags have columns {tags.columns}; give item_id and one with the tag")
    codes = catalog.items.codes([str(i) for i in tags[ITEM_ID].to_list()])
    for code, tag in zip(codes.tolist(), tags[values[0]].to_list(), strict=True):
        if code >= 0 and tag is not None:
            rows[code].append(f"tag={str(tag).strip().lower()}")
    return rows


@dataclass(frozen=True)
class Telling:
    """Which labels tell of a person's events.

    A label l tells ``s_l log(s_l / p_l)``, its part of what sets the events apart: ``s_l = (c_l + prior p_l) / (n +
    prior)``, c_l of the n events have the label, and p_l of everybody's. What everybody takes tells nothing. It is the
    formula of interest profiles, in the vocabulary of the labels.

    Parameters
    ----------
    prior
        Events of everybody's taste that are added.
    least
        Events that must have a label.
    most
        Labels a person at most: the five that tell most.
    """

    prior: float = 3.0
    least: int = 2
    most: int = 5

    def __post_init__(self) -> None:
        if not (self.prior > 0 and self.least >= 1 and self.most >= 1):
            raise ConfigError(
                f"prior={self.prior:g}, least={self.least}, most={self.most}: above 0, 1 or more, 1 or more; "
                "3, 2 and 5 are usual"
            )

    def told(self, counts: np.ndarray, n: np.ndarray, common: np.ndarray) -> np.ndarray:
        """What every label tells; 0 where too few events have it, or no more than everybody's.

        Parameters
        ----------
        counts
            float64, shape (n_people, n_labels): events with each label.
        n
            float64, shape (n_people,): events.
        common
            float64, shape (n_labels,): p, in (0, 1].
        """
        share = (counts + self.prior * common) / (n[:, None] + self.prior)
        told = share * np.log(np.maximum(share, 1e-12) / np.maximum(common, 1e-12))
        return np.where((counts >= self.least) & (told > 0), told, 0.0)

    def truth(self, told: np.ndarray) -> sp.csr_matrix:
        """The labels that tell most, at most ``most`` a person: CSR of ones, shape (n_people, n_labels)."""
        first = np.argsort(-told, axis=1, kind="stable")[:, : self.most]
        chosen = np.zeros(told.shape, bool)
        np.put_along_axis(chosen, first, True, axis=1)
        return sp.csr_matrix((chosen & (told > 0)).astype(np.float64))

    def chance(self, shares: np.ndarray, n: np.ndarray, common: np.ndarray, bar: float) -> np.ndarray:
        """How likely each label is to be among those that tell of n further events: float64, in [0, 1].

        ``P(Binomial(n, s_l) >= c_l)``, c_l the least number of events with which the label tells ``bar``. A rare label
        that is only expected often enough to be met once is no good answer, nor is one that everybody meets.

        Parameters
        ----------
        shares
            float64, shape (n_people, n_labels): foreseen shares s of events with each label.
        n
            int64, shape (n_people,): events asked for.
        common
            float64, shape (n_labels,).
        bar
            What a label must tell, of ``usual_bar``.
        """
        from scipy.stats import binom

        out = np.empty(shares.shape)
        for size in np.unique(n):
            counts = np.arange(size + 1, dtype=np.float64)[:, None] * np.ones(len(common))
            enough = self.told(counts, np.full(size + 1, float(size)), common) > max(bar, 0.0)
            needed = np.where(enough.any(0), enough.argmax(0), size + 1)
            rows = n == size
            out[rows] = binom.sf(needed - 1, size, np.clip(shares[rows], 0.0, 1.0))
        return out

    def usual_bar(self, told: np.ndarray) -> float:
        """What the last label of the truth tells, median over people: the bar a label must usually pass."""
        return float(np.median(np.sort(told, axis=1)[:, -min(self.most, told.shape[1])])) if len(told) else 0.0
