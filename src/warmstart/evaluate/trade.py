"""What more of the long tail costs: lists made with an option beside those made without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from warmstart.data.popularity import long_tail, popularity_groups
from warmstart.data.split import Split
from warmstart.errors import DataError
from warmstart.evaluate import beyond
from warmstart.evaluate.beyond import DEEP
from warmstart.evaluate.intervals import Interval, Paired, intervals, paired
from warmstart.evaluate.metrics import find_hits, ndcg, recall
from warmstart.evaluate.report import plain_values
from warmstart.evaluate.slices import target_parts

NDCG, TAIL_RECALL = "ndcg", "tail_recall_50"


@dataclass(frozen=True)
class Line:
    """What the lists of one option, or of a peer, are worth.

    Parameters
    ----------
    name, kind
        The option, and of which sort it is (``"correction"``, ``"floor"`` ...); sorts are drawn as lines of their own.
    peer
        Whether it is another system, to compare with and not to choose.
    values
        Mean and interval over queries of ``ndcg``, of ``head``, ``mid`` and ``tail`` (NDCG over wanted items of that
        group alone), ``recall_50`` and ``tail_recall_50``.
    changes
        The same less what the lists without any option have, paired by query.
    lists
        ``coverage``, ``gini`` and ``novelty`` of the first k places.
    """

    name: str
    kind: str
    peer: bool
    values: Mapping[str, Interval]
    changes: Mapping[str, Paired]
    lists: Mapping[str, float]

    def loss(self, measure: str = NDCG) -> float:
        """Share of a measure that is lost; below 0 where it is gained, NaN where there was none."""
        change = self.changes[measure].difference
        before = self.values[measure].mean - change
        return -change / before if before > 0 else float("nan")


@dataclass(frozen=True)
class Trade:
    """Lines, the first without any option; ``allowed`` is the share of NDCG that an option may cost."""

    split: str
    k: int
    allowed: float
    lines: tuple[Line, ...]

    @property
    def chosen(self) -> Line:
        """The option with the most tail recall among those that cost no more than is allowed."""
        fine = [line for line in self.lines if not line.peer and line.loss() <= self.allowed]
        return max(fine or self.lines[:1], key=lambda line: line.values[TAIL_RECALL].mean)

    @property
    def best_peer(self) -> Line | None:
        """The peer with the most tail recall; None without peers."""
        peers = [line for line in self.lines if line.peer]
        return max(peers, key=lambda line: line.values[TAIL_RECALL].mean, default=None)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the losses; NaN becomes None."""
        lines = [asdict(line) | {"loss": line.loss(), "chosen": line == self.chosen} for line in self.lines]
        plain: dict[str, Any] = plain_values(asdict(self) | {"lines": lines})
        return plain


def trade(
    lists: Mapping[str, np.ndarray],
    kinds: Mapping[str, str],
    split: Split,
    k: int = 10,
    allowed: float = 0.01,
    seed: int = 0,
    n_boot: int = 1000,
) -> Trade:
    """Price every option.

    Parameters
    ----------
    lists
        By name, int32 item codes, shape (n_queries, at least k and 50), best first, -1 = no item; the first are the
        lists without any option.
    kinds
        The sort of each; ``"peer"`` marks other systems.

    Raises
    ------
    DataError
        If there are no lists.
    """
    if not lists:
        raise DataError("there are no lists to price; give those without any option first")
    values = {name: measures(ranked, split, k) for name, ranked in lists.items()}
    names = list(next(iter(values.values())))
    means = intervals(np.column_stack([v for one in values.values() for v in one.values()]), n_boot, seed=seed)
    first, lines = next(iter(values.values())), []
    for i, (name, ranked) in enumerate(lists.items()):
        found = dict(zip(names, means[i * len(names) : (i + 1) * len(names)], strict=True))
        shown = beyond.of_lists(ranked[:, :k], split.train.interactions.item_counts(), split.candidates)
        changes = {m: paired(values[name][m], first[m], n_boot, seed=seed) for m in names}
        lines.append(Line(name, kinds[name], kinds[name] == "peer", found, changes, shown))
    return Trade(split.name, k, allowed, tuple(lines))


def measures(ranked: np.ndarray, split: Split, k: int) -> dict[str, np.ndarray]:
    """Measures per query: float64, shape (n_queries,), NaN = nothing to find.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> split = last_n(example())
    >>> list(measures(np.full((len(split), 2), -1), split, 2))
    ['ndcg', 'head', 'mid', 'tail', 'recall_50', 'tail_recall_50']
    """
    counts, wanted = split.train.interactions.item_counts(), split.targets
    parts = target_parts(wanted, popularity_groups(counts))
    of_parts = dict.fromkeys(("head", "mid", "tail"), np.full(len(ranked), np.nan))
    for name in of_parts.keys() & parts.keys():
        of_parts[name] = ndcg(find_hits(ranked[:, :k], parts[name]), parts[name].getnnz(axis=1))
    hits, relevant = find_hits(ranked[:, :DEEP], wanted), wanted.getnnz(axis=1)
    return {
        NDCG: ndcg(hits[:, :k], relevant),
        **of_parts,
        "recall_50": recall(hits, relevant),
        TAIL_RECALL: beyond.tail_recall(ranked[:, :DEEP], wanted, long_tail(counts)),
    }
