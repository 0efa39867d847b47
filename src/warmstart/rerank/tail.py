"""Lists that trade what is widely known for what is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.panel import Panel
from warmstart.fusion.evidence import Support
from warmstart.fusion.fuse import FittedFusion, states_of, top_rows
from warmstart.fusion.price import corrected


@dataclass(frozen=True)
class Tail:
    """How much of the head is given for the tail; as it stands, nothing.

    The tail are the items outside the fifth of the catalogue with the most events.

    Parameters
    ----------
    correction
        b >= 0: scores become ``s_j - b d log(n_j + 1)`` with ``d`` the deviation of the query's best scores and ``n_j``
        the events of the item; 0 = none, 0.5 is much.
    loss
        The correction is the largest, by state, that in the simulated worlds costs at most this share of NDCG@10, in
        [0, 1]; 0 = ``correction`` says how large. It is at most 1.5.
    head_loss
        The same for NDCG@10 over wanted items of the head (those with half of all events); with ``loss``, both hold.
    floor
        Share of the places, in [0, 1], that go to the tail: of the first r places after ``keep`` at least
        ``floor r``, rounded down, if there are as many.
    keep
        Places at the top that the floor leaves alone.
    """

    correction: float = 0.0
    loss: float = 0.0
    head_loss: float = 0.0
    floor: float = 0.0
    keep: int = 0

    def __post_init__(self) -> None:
        if self.correction < 0:
            raise ConfigError(f"tail correction={self.correction:g} is below 0; 0 is none, 0.3 is usual")
        for name in ("loss", "head_loss", "floor"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"tail {name}={getattr(self, name):g} is not a share between 0 and 1; 0 is none")
        if self.keep < 0:
            raise ConfigError(f"tail keep={self.keep} is below 0; 0 leaves no place alone")
        if self.correction and (self.loss or self.head_loss):
            raise ConfigError(f"tail correction={self.correction:g} stands beside loss or head_loss, which choose it")

    @property
    def corrects(self) -> bool:
        """Whether scores are changed."""
        return max(self.correction, self.loss, self.head_loss) > 0

    @property
    def acts(self) -> bool:
        """Whether lists are changed at all."""
        return self.corrects or self.floor > 0

    def strength(self, fusion: FittedFusion, state: str) -> float:
        """The correction of queries of a state; 0 where what it costs is asked for and was not learned."""
        if not (self.loss or self.head_loss):
            return self.correction
        head = fusion.head(state)
        if head is None or head.price is None:
            return 0.0
        return head.price.within(self.loss or None, self.head_loss or None)

    def ranked(
        self,
        fusion: FittedFusion,
        panel: Panel,
        support: Support,
        h: Histories,
        allowed: np.ndarray,
        k: int,
        depth: int,
        tail: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The best ``depth`` items of each query after the correction; returns what ``FittedFusion.rank`` does.

        Each expert puts forward its best items of the tail besides its best of all.

        Parameters
        ----------
        k
            Items that will be shown.
        tail
            bool, shape (n_items,): items of the tail.
        """
        query, item, value, lead = fusion.weighed(panel, support, h, allowed, k, tail)
        if self.corrects:
            states = states_of(h, allowed, support)
            strengths = {str(s): self.strength(fusion, str(s)) for s in np.unique(states)}
            strength = np.array([strengths[str(s)] for s in states])
            value = corrected(value, query, support.item[item, 0], strength)
        return top_rows(len(h), depth, query, item, value, lead)

    def floored(self, tail: np.ndarray, k: int) -> np.ndarray:
        """The first k places, with at least the asked share of them for the tail.

        Place by place the best item left is taken; where the tail is behind its share, the best of it.

        Parameters
        ----------
        tail
            bool, shape (m,): of the items of a query, best first, which are of the tail.

        Returns
        -------
        int64, shape (min(k, m),): positions in the order they are shown.

        Examples
        --------
        >>> Tail(floor=0.5).floored(np.array([False, False, False, True, True]), 4).tolist()
        [0, 3, 1, 4]
        """
        known, rare = np.flatnonzero(~tail), np.flatnonzero(tail)
        chosen: list[int] = []
        a = b = counted = 0
        for place in range(1, min(k, len(tail)) + 1):
            owed = counted < int(self.floor * (place - self.keep) + 1e-9)
            if a == len(known) or (b < len(rare) and (owed or rare[b] < known[a])):
                chosen.append(int(rare[b]))
                b += 1
                counted += place > self.keep
            else:
                chosen.append(int(known[a]))
                a += 1
        return np.array(chosen, np.int64)

    def placed(self, item: np.ndarray, tail: np.ndarray, k: int) -> np.ndarray:
        """``floored`` for many queries.

        Parameters
        ----------
        item
            int32, shape (n_queries, m): best first; -1 = none left.
        tail
            bool, shape (n_items,): items of the tail.

        Returns
        -------
        int64, shape (n_queries, min(k, m)): columns of ``item``.
        """
        order = np.tile(np.arange(min(k, item.shape[1])), (len(item), 1))
        for row, shown in zip(order, item, strict=True):
            chosen = self.floored(tail[shown[shown >= 0]], k)
            row[: len(chosen)] = chosen
        return order
