"""Lists that trade what is widely known for what is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.panel import Panel
from warmstart.fusion.fuse import FittedFusion, states_of, top_rows
from warmstart.fusion.price import LIFT, WAYS, fame, spreads
from warmstart.fusion.support import Support


@dataclass(frozen=True)
class Tail:
    """How much of the head is given for the tail; as it stands, nothing.

    The tail are the items outside the fifth of the catalogue with the most events.

    Parameters
    ----------
    correction
        b >= 0: scores become ``s_j - b d log(n_j + 1)`` with ``d`` the deviation of the query's 100 best scores and
        ``n_j`` the events of the item; 0 = none, 0.5 is much.
    lift
        c >= 0: items of the tail rise by ``c d``; 0 = none, 1 is much.
    loss
        The strength of ``way`` is the largest, by state, that in the simulated worlds costs at most this share of
        NDCG@10, in [0, 1], one standard error included; 0 = ``correction`` and ``lift`` say how large they are.
    head_loss
        The same for NDCG@10 over wanted items of the head (those with half of all events); with ``loss``, both hold.
    way
        ``"correction"`` or ``"lift"``: which of them ``loss`` and ``head_loss`` choose.
    floor
        Share of the places, in [0, 1], that go to the tail: of the first r places after ``keep`` at least
        ``floor r``, rounded down, if there are as many.
    keep
        Places at the top that the floor leaves alone.
    """

    correction: float = 0.0
    lift: float = 0.0
    loss: float = 0.0
    head_loss: float = 0.0
    way: str = LIFT
    floor: float = 0.0
    keep: int = 0

    def __post_init__(self) -> None:
        for name in WAYS:
            if getattr(self, name) < 0:
                raise ConfigError(f"tail {name}={getattr(self, name):g} is below 0; 0 is none, 0.3 is usual")
        if self.way not in WAYS:
            raise ConfigError(f"tail way={self.way!r} is none of {list(WAYS)}")
        for name in ("loss", "head_loss", "floor"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"tail {name}={getattr(self, name):g} is not a share between 0 and 1; 0 is none")
        if self.keep < 0:
            raise ConfigError(f"tail keep={self.keep} is below 0; 0 leaves no place alone")
        if (given := getattr(self, self.way)) and self.chosen:
            raise ConfigError(f"tail {self.way}={given:g} stands beside loss or head_loss, which choose it")

    @property
    def chosen(self) -> bool:
        """Whether what it costs decides how strong ``way`` is."""
        return max(self.loss, self.head_loss) > 0

    @property
    def acts(self) -> bool:
        """Whether lists are changed at all."""
        return self.chosen or max(self.correction, self.lift, self.floor) > 0

    def strength(self, way: str, fusion: FittedFusion, state: str) -> float:
        """How strong a way is for queries of a state; 0 where what it costs decides and was not learned."""
        if way != self.way or not self.chosen:
            return float(getattr(self, way))
        head = fusion.head(state)
        if head is None or way not in head.prices:
            return 0.0
        return head.prices[way].within(self.loss or None, self.head_loss or None)

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
        """The best ``depth`` items of each query, the known ones sunk; returns what ``FittedFusion.rank`` does.

        Each expert puts forward its best items of the tail besides its best of all.

        Parameters
        ----------
        k
            Items that will be shown.
        tail
            bool, shape (n_items,): items of the tail.
        """
        query, item, value, lead = fusion.weighed(panel, support, h, allowed, k, tail)
        states, unit = states_of(h, allowed, support), spreads(value, query, len(h))
        for way in WAYS:
            by_state = {state: self.strength(way, fusion, str(state)) for state in np.unique(states)}
            strength = np.array([by_state[state] for state in states])
            value = value - (strength * unit)[query] * fame(way, support.item[item, 0], tail[item])
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
