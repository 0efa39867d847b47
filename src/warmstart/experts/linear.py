"""SPR: prior-mean EASE. Every item's column shrinks to its content prediction instead of to zero."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.base import EVERY
from warmstart.experts.beside import Entries, entry_sums
from warmstart.experts.columns import assemble, prune
from warmstart.experts.content import ContentMap
from warmstart.experts.graph_laplacian import laplacian
from warmstart.experts.inverse import dense_gram, few_people, inverse_gram
from warmstart.experts.memo import GRAM, once, remembered, summed
from warmstart.experts.products import appended, projected, widened
from warmstart.experts.row_parts import parted, places
from warmstart.experts.set_sums import sums

DENSE_LIMIT = 4000  # items of a block up to which all its entries are kept


@dataclass(frozen=True)
class PriorMeanEASE:
    """SPR: ``B_j = argmin ||X_j - X b||^2 + (b - kappa M_j)' L_j (b - kappa M_j)`` with ``b_j = 0``.

    ``L_j = lambda_j I + p/(1-p) diag(G)`` and ``lambda_j = lambda (n_j + tau)/n_j``, so an item without
    events keeps exactly its content column ``kappa M_j = kappa Z W z_j`` and a well-known one becomes
    EDLAE (``kappa = 0``: EASE). Columns are solved in buckets of similar ``n_j``: with ``P = (G + L)^-1``,
    ``B = -P diag(s) + kappa (P L Z W) Z'`` off the diagonal.

    With a graph and ``laplacian`` above 0, ``laplacian lambda_j Lap`` is added to ``L_j`` (Lap: see
    ``graph_laplacian``): history items that lie close in the graph differ alike from what content says of them.

    Parameters
    ----------
    strength
        ``lambda`` in units of the event-weighted mean item count ``sum n_j^2 / sum n_j`` of the items solved.
    dropout
        ``p``, the share of a history assumed missing.
    tau
        Events at which data and content weigh the same.
    kappa
        How far the content prediction is believed where there are events.
    buckets
        Number of different ``lambda_j``; 1 inverse each.
    keep
        Entries kept per column where the catalogue is too large for a dense array.
    head
        Items solved at most, those with the most events; the others keep their content column (0 without content).
        Memory and time of the fit grow with its square and its cube.
    laplacian
        Weight of the graph's Laplacian beside the ridge (see ``graph_laplacian``), at least 0.
    content
        The content map that predicts columns.

    References
    ----------
    H. Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019, eq. 8;
    H. Steck, Autoencoders that don't overfit towards the Identity, NeurIPS 2020, eq. 9.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(6, 6)
    >>> scores = PriorMeanEASE(kappa=0.0).fit(data).score(data.histories(np.array([0])))
    >>> int(np.argmax(scores[0]))
    0
    """

    strength: float = 1.0
    dropout: float = 0.33
    tau: float = 10.0
    kappa: float = 0.7
    buckets: int = 1
    keep: int = 256
    head: int = 20_000
    laplacian: float = 0.0
    content: ContentMap = field(default_factory=ContentMap)

    def __post_init__(self) -> None:
        if self.head < 1:
            raise ConfigError(f"head={self.head} solves no item; take 1 at least, 20000 is usual")
        if not self.laplacian >= 0:
            raise ConfigError(f"laplacian={self.laplacian:g} is not at least 0; 0.3 is a moderate one, 0 takes none")

    def fit(self, data: Dataset) -> FittedPriorMeanEASE:
        """Solve the columns of all items with events; the others keep their content column."""
        return remembered(data, self, lambda: self._fit(data))

    def fit_content(self, data: Dataset) -> FittedPriorMeanEASE:
        """What content says alone: every item has the column of an item without events."""
        (z, w), n = self._prior(data), data.n_items
        nothing, rows = sp.csr_matrix((n, n), dtype=np.float32), np.empty((0, 0, z.shape[1]), np.float32)
        return FittedPriorMeanEASE(nothing, np.empty(0, np.int32), rows, z, w, np.zeros(n, np.int8))

    def _prior(self, data: Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Features, and ``kappa W``; without width where content has no say."""
        if data.features is None or self.kappa == 0:
            return np.empty((data.n_items, 0), np.float32), np.empty((0, 0), np.float32)
        prior = self.content.fit(data)
        return prior.z, np.float32(self.kappa) * prior.w

    def _fit(self, data: Dataset) -> FittedPriorMeanEASE:
        x, n = data.interactions.matrix(), data.n_items
        z, w = self._prior(data)
        counts = np.asarray(x.sum(0)).ravel() if data.gram is None else data.gram.diagonal()
        active = remembered(data, ("solved", self.head), lambda: most_met(counts, self.head))
        bucket = np.full(n, self.buckets, np.int8)
        bucket[active] = buckets_of(counts[active], self.buckets)
        own = z[active]
        semantic = np.repeat((own @ w)[None], self.buckets, axis=0)
        graph = laplacian(data) if self.laplacian else None
        near = None if graph is None else self.laplacian * graph[active][:, active]
        within = x[:, active]
        known, blocks = Known(within, own, own @ w, counts[active], near, self._gram(data, within, active)), []
        for b in range(self.buckets):
            mine = np.flatnonzero(bucket[active] == b)
            if len(mine):
                data_part, semantic[b] = self._solve(known, mine)
                blocks.append((active[mine], data_part))
        return FittedPriorMeanEASE(assemble(blocks, active, n), active, semantic, z, w, bucket)

    def _gram(self, data: Dataset, x: sp.csr_matrix, active: np.ndarray) -> np.ndarray | None:
        """``X'X`` of these items, made once for all strengths: float32; None where inverses do without."""
        gram = data.gram
        if gram is not None:
            return remembered(
                data, (GRAM, self.head), lambda: np.asarray(gram[active][:, active].toarray(order="F"), np.float32)
            )
        if few_people(x) and not self.laplacian:
            return None
        return remembered(data, (GRAM, self.head), lambda: dense_gram(x))

    def _solve(self, known: Known, mine: np.ndarray) -> tuple[np.ndarray | sp.csc_matrix, np.ndarray]:
        """Columns ``mine`` of ``I - P L - P diag(t / P_jj)``, shape (n, len(mine)), and ``kappa P L Z W``, (n, d)."""
        counts = known.counts
        scale = float((counts**2).sum() / counts.sum())
        lam = self.strength * scale * (1.0 + self.tau / float(counts[mine].mean()))
        ridge = lam + self.dropout / (1.0 - self.dropout) * counts
        graph = None if known.graph is None else sp.csr_matrix(lam * known.graph)
        p = inverse_gram(known.x, ridge, graph, known.gram)
        pulled = None if graph is None else np.asarray((graph[mine] @ p).T, np.float32)
        prior = ridge[:, None] * known.raw + (0.0 if graph is None else graph @ known.raw)
        semantic = (p @ prior.astype(np.float32)).astype(np.float32)
        diagonal, at = p.diagonal()[mine].astype(np.float64), np.arange(len(mine))
        own = diagonal * ridge[mine] + (0.0 if pulled is None else pulled[mine, at])
        t = 1.0 - own + np.einsum("ij,ij->i", semantic[mine], known.z[mine])
        columns = p if len(mine) == len(p) else p[:, mine]
        columns *= -(ridge[mine] + t / diagonal).astype(np.float32)
        if pulled is not None:
            columns -= pulled
        columns[mine, at] += 1.0
        return (columns if len(p) <= DENSE_LIMIT else prune(columns, mine, self.keep)), semantic


@dataclass(frozen=True, eq=False)
class Known:
    """Of the m items with events: events (n_users, m), features, ``Z kappa W``, counts; L of the graph; all's X'X."""

    x: sp.csr_matrix
    z: np.ndarray
    raw: np.ndarray
    counts: np.ndarray
    graph: sp.csr_matrix | None
    gram: np.ndarray | None


def most_met(counts: np.ndarray, most: int) -> np.ndarray:
    """Positions, ascending, of items with events: of more than ``most`` of them those that have the most.

    Examples
    --------
    >>> most_met(np.array([5, 0, 1, 9]), 3).tolist(), most_met(np.array([5, 0, 1, 9]), 2).tolist()
    ([0, 2, 3], [0, 3])
    """
    met = np.flatnonzero(counts > 0).astype(np.int32)
    if len(met) <= most:
        return met
    return np.sort(met[np.argsort(-counts[met], kind="stable")[:most]])


def buckets_of(counts: np.ndarray, buckets: int) -> np.ndarray:
    """Bucket of each count: int8; buckets hold about equally many items, rare ones first.

    Examples
    --------
    >>> buckets_of(np.array([1, 9, 2, 30]), 2).tolist()
    [0, 1, 0, 1]
    """
    edges = np.quantile(counts, np.linspace(0, 1, buckets + 1)[1:-1]) if buckets > 1 and len(counts) else np.empty(0)
    return np.searchsorted(edges, counts, side="left").astype(np.int8)


@dataclass(frozen=True)
class FittedPriorMeanEASE:
    """``B = data + semantic Z'``: what people did, and what content says.

    Parameters
    ----------
    data
        float32, shape (m, m), m <= n, dense or CSR: the part learned from events; zero columns for unmet items, and
        nothing for items added later.
    solved
        int32, shape (a,), ascending: items whose columns were solved.
    semantic
        float32, shape (buckets, a, d): their rows of ``kappa P L Z W`` per bucket. The rows of all other items, and all
        rows of the last bucket, are ``kappa Z W``, made when they are asked for.
    z
        float32, shape (n, d): item features; d = 0 without content.
    w
        float32, shape (d, d): ``kappa W``.
    bucket
        int8, shape (n,): which ``semantic`` a column uses; ``buckets`` = the plain ``kappa Z W``.
    """

    seeks: ClassVar[bool] = False

    data: np.ndarray | sp.csr_matrix
    solved: np.ndarray
    semantic: np.ndarray
    z: np.ndarray
    w: np.ndarray
    bucket: np.ndarray

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        return self.heard(histories, projected(self.said(histories), self.z), self.beside(histories))

    def said(self, histories: Histories) -> np.ndarray:
        """What histories say in feature space to the columns of each bucket: float32, (buckets + 1, n_queries, d)."""
        solved, others = once(histories, self.solved, lambda: parted(histories.sets, self.solved, self._place))
        rest = sums(others, self.z) @ self.w if others.nnz else np.float32(0.0)
        plain = summed(histories, self.z) @ self.w
        return np.stack([*(np.asarray(sums(solved, rows) + rest, np.float32) for rows in self.semantic), plain])

    @cached_property
    def _place(self) -> np.ndarray:
        return places(self.solved, len(self.z))

    def beside(self, histories: Histories) -> np.ndarray:
        """What people did: float32, shape (n_queries, n_items)."""
        return widened(sums(histories.sets_of(self.data.shape[0]), self.data), len(self.z))

    def entries(self, histories: Histories) -> Entries | None:
        """The same of solved items alone, for it is zero of the others; None of a table that is kept with all zeros."""
        if isinstance(self.data, np.ndarray):
            return None
        among = self.solved, self._place
        return entry_sums(histories.sets_of(self.data.shape[0]), self.data, len(self.z), among)

    def heard(
        self, histories: Histories, found: np.ndarray, beside: np.ndarray, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Scores: what content says to each column's bucket, and what people did."""
        out, bucket = found[-1], self.bucket[items]
        for b, scores in enumerate(found[:-1]):
            np.copyto(out, scores, where=bucket == b)
        out += beside
        out[histories.lengths == 0] = np.nan
        return np.asarray(out)

    def weights(self, rows: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
        """What each history item (codes ``rows``) adds to an item: from data, and from content."""
        data, m = np.zeros(len(rows), np.float32), self.data.shape[0]
        if column < m:
            learned = self.data[rows[rows < m], column]
            data[rows < m] = learned.toarray().ravel() if sp.issparse(learned) else learned
        bucket, content = self.bucket[column], np.empty((len(rows), self.z.shape[1]), np.float32)
        own = (self._place[rows] >= 0) & (bucket < len(self.semantic))
        if own.any():
            content[own] = self.semantic[bucket][self._place[rows[own]]]
        content[~own] = self.z[rows[~own]] @ self.w
        return data, content @ self.z[column]

    def grow(self, features: np.ndarray) -> Self:
        """New items have a content column, a content row made when it is asked for, and no data."""
        m, last = len(features), len(self.semantic)
        known = np.asarray(features, np.float32) if self.z.shape[1] else np.empty((m, 0), np.float32)
        bucket = np.append(self.bucket, np.full(m, last, np.int8))
        return replace(self, z=appended(self.z, known), bucket=bucket)
