"""What a history's events do for an item: its standing with them, and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.panel import Panel
from warmstart.fusion.fuse import FittedFusion
from warmstart.fusion.samples import blocks
from warmstart.fusion.support import Support

SILENT = -1e6  # what a head gives where nobody can say anything


@dataclass(frozen=True)
class LeaveOut:
    """Asks a fitted fusion what it would say without some events."""

    fusion: FittedFusion
    panel: Panel
    support: Support

    def standings(
        self, h: Histories, left_out: Sequence[np.ndarray], item: np.ndarray, allowed: np.ndarray
    ) -> np.ndarray:
        """How items stand among their rivals when events are taken out of one history.

        ``(s_j - mean s) / std s`` over the rivals: the candidates of the whole history, which stay the same whatever is
        left out. Fused scores themselves do not compare between histories: a head is learned listwise, so that a
        constant added to all its scores changes nothing, and a shorter history may have another head, on another scale.

        Parameters
        ----------
        h
            One query.
        left_out
            Item codes whose events are taken out: one set a row of the answer; an empty one takes nothing out.
        item
            int, shape (m,): codes of the items asked about.
        allowed
            bool, shape (n_items,): what may be recommended, the items asked about among it.

        Returns
        -------
        float64, shape (len(left_out), m).
        """
        panel = self.panel
        _, rivals = self.fusion.asking.scores(panel, h, allowed[None]).candidates(self.fusion.asking.top)
        rivals = np.union1d(rivals, item)
        at, out = np.searchsorted(rivals, item), np.empty((len(left_out), len(item)))
        for block in blocks(len(left_out), h.n_items, self.fusion.asking.tables(panel, allowed)):
            part = thinned(h, [left_out[b] for b in block])
            query, rival = np.repeat(np.arange(len(block)), len(rivals)), np.tile(rivals, len(block))
            wide = np.broadcast_to(allowed, (len(block), len(allowed)))
            scores = self.fusion.asking.scores(panel, part, wide)
            value, _ = self.fusion.judged(scores, panel.flat, self.support, part, query, rival, wide)
            out[block] = standardised(value.reshape(len(block), -1))[:, at]
        return out

    def drops(self, h: Histories, left_out: Sequence[np.ndarray], item: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """How far items fall when events are taken out, as ``standings``: above 0 where they spoke for the item."""
        stand = self.standings(h, [np.empty(0, np.int64), *left_out], item, allowed)
        fallen: np.ndarray = stand[0] - stand[1:]
        return fallen


def thinned(h: Histories, left_out: Sequence[np.ndarray]) -> Histories:
    """One history many times, each without the events of some items.

    Examples
    --------
    >>> made = thinned(Histories.of([[2, 0, 2, 1]], n_items=3), [np.array([2]), np.array([], int)])
    >>> [made.row(q).tolist() for q in range(2)]
    [[0, 1], [2, 0, 2, 1]]
    """
    row = h.row(0)
    kept = np.concatenate([~np.isin(row, items) for items in left_out])
    return h.take(np.zeros(len(left_out), np.int64)).keep(kept)


def standardised(value: np.ndarray) -> np.ndarray:
    """Each row less its mean, over its deviation; who has no score stands with the last of the others.

    Examples
    --------
    >>> standardised(np.array([[3.0, 1.0, SILENT], [SILENT] * 3])).round(2).tolist()
    [[1.41, -0.71, -0.71], [0.0, 0.0, 0.0]]
    """
    known = value > SILENT
    least = np.where(known, value, np.inf).min(1, keepdims=True, initial=np.inf)
    filled = np.where(known, value, np.where(np.isfinite(least), least, 0.0))
    spread = filled.std(1, keepdims=True)
    out: np.ndarray = (filled - filled.mean(1, keepdims=True)) / np.where(spread > 1e-12, spread, 1.0)
    return out
