"""A new model beside the one that serves: the same queries, the same items, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from warmstart.answers import answered
from warmstart.data.histories import Histories
from warmstart.data.popularity import long_tail
from warmstart.data.split import Split
from warmstart.data.vocab import Vocabulary
from warmstart.evaluate.ask import Ranker, System, ask, codes_of
from warmstart.evaluate.baselines import FLOOR, baseline_experts, fit_baseline
from warmstart.evaluate.intervals import Interval, Paired, intervals, paired
from warmstart.evaluate.metrics import ranking
from warmstart.evaluate.report import plain_values
from warmstart.experts.panel import Progress
from warmstart.interests.steer import Steering, Wishes
from warmstart.serve.live import Live

K, DRAWS, SURE = 10, 1_000, 0.05
NEW, SERVING = "candidate", "serving"
ALL = "all"
Fate = Literal["held", "unsure", "fell"]


@dataclass(frozen=True)
class Part:
    """One slice of the comparison; all values are NDCG@10, means over its queries with 95 % intervals.

    Parameters
    ----------
    name
        ``all``, the users ``cold``, ``few_shot``, ``warm``, or the wanted ``new items``, ``long tail``.
    values
        By system: candidate, serving, popularity.
    test
        Candidate less serving, paired, with the interval of 90 %: its lower end is passed upwards with 95 %.
    changed
        Queries whose value differs between the two.
    fate
        What the rule says of it, see ``fate_of``.
    """

    name: str
    values: Mapping[str, Interval]
    test: Paired
    changed: int
    fate: Fate

    @property
    def change(self) -> float:
        """The difference as a share of the serving model's value; NaN where that is 0."""
        before = self.values[SERVING].mean
        return self.test.difference / before if before > 0 else float("nan")

    def __str__(self) -> str:
        low, high = f"{self.test.low:+.4f}", f"{self.test.high:+.4f}"
        values = f"{self.values[NEW].mean:.4f} from {self.values[SERVING].mean:.4f}"
        told = f"NDCG@{K} {values}, difference {low} to {high}, {self.test.n:,} queries"
        return f"{self.name!r} by {-self.change:.1%} ({told})"


def fate_of(before: float, test: Paired, changed: int, margin: float) -> Fate:
    """Whether a slice fell.

    It ``fell`` if by the best estimate it lost more than the margin, and it is sure (95 %, one-sided) that it lost at
    all: the difference d has ``mean(d) < -margin * before`` and the 90 % interval of d lies below 0. Where the estimate
    is as low and the interval reaches 0 it is ``unsure``: a small slice, where chance alone loses as much; that is
    told, and refuses nothing. So is one where fewer than five queries changed: four coins fall alike by chance more
    often than once in twenty times, whatever a bootstrap of them says.

    Parameters
    ----------
    before
        The serving model's value.
    test
        Of candidate less serving, with an interval of 90 %.
    changed
        Queries whose value differs.
    margin
        A share of ``before``, in [0, 1].

    Examples
    --------
    >>> fate_of(0.2, Paired(-0.01, -0.02, -0.001, 0.04, 300), 90, margin=0.02)
    'fell'
    >>> fate_of(0.2, Paired(-0.01, -0.05, 0.03, 0.6, 20), 9, margin=0.02)
    'unsure'
    >>> fate_of(0.2, Paired(-0.003, -0.004, -0.002, 0.01, 9_000), 800, margin=0.02)
    'held'
    """
    if not test.n or test.difference >= -margin * before:
        return "held"
    return "fell" if test.high < 0 and 0.5**changed < SURE else "unsure"


@dataclass(frozen=True)
class Judgement:
    """What the comparison found.

    Parameters
    ----------
    parts
        Everybody first, then the slices that have queries.
    margin
        Share that a slice may lose.
    """

    parts: tuple[Part, ...]
    margin: float

    @property
    def fallen(self) -> tuple[Part, ...]:
        """Slices that lost more than the margin."""
        return tuple(part for part in self.parts if part.fate == "fell")

    @property
    def passed(self) -> bool:
        """Whether none did."""
        return not self.fallen

    @property
    def reason(self) -> str:
        """In one sentence."""
        if self.fallen:
            return f"fell: {'; '.join(map(str, self.fallen))}; at most {self.margin:.1%} is allowed"
        unsure = [part.name for part in self.parts if part.fate == "unsure"]
        told = f"; too few queries to tell of {', '.join(unsure)}" if unsure else ""
        return f"no slice fell by more than {self.margin:.1%}{told}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        parts = [asdict(part) | {"change": part.change} for part in self.parts]
        told = {"measure": f"ndcg@{K}", "margin": self.margin, "passed": self.passed, "comparison": self.reason}
        plain: dict[str, Any] = plain_values(told | {"slices": parts})
        return plain


def ranker(live: Live, items: Vocabulary) -> Ranker:
    """A model as it answers now, asked in the item codes of ``items``."""
    snapshot = live.snapshot
    f, own = snapshot.fitted, snapshot.fitted.catalog.items
    to = own.codes(list(items.ids))
    wishes = Wishes.of(f.concepts, Steering())

    def rank(histories: Histories, k: int, candidates: np.ndarray | None) -> np.ndarray:
        pool = np.zeros(len(own), bool)
        among = to if candidates is None else to[candidates]
        pool[among[among >= 0]] = True
        h = translated(histories, to, len(own))
        table = answered(f, h, pool & snapshot.shown, k, True, False, wishes, live.engine.recipe.order)
        return codes_of(table, items, len(h), k)

    return rank


def translated(h: Histories, to: np.ndarray, n_items: int) -> Histories:
    """Histories in other item codes; events of items without one are left out.

    Parameters
    ----------
    to
        int, shape (h.n_items,): the other code of each item, -1 = none.
    n_items
        Size of the other catalogue.

    Examples
    --------
    >>> h = translated(Histories.of([[0, 1], [1]], 2), np.array([7, -1]), 9)
    >>> h.item.tolist(), h.lengths.tolist()
    ([7], [1, 0])
    """
    code = to[h.item]
    kept = code >= 0
    return replace(
        h,
        indptr=np.concatenate([[0], np.cumsum(kept)])[h.indptr],
        item=code[kept].astype(np.int32),
        n_items=n_items,
        weight=h.weight[kept],
        kind=None if h.kind is None else h.kind[kept],
        rating=None if h.rating is None else h.rating[kept],
        time=None if h.time is None else h.time[kept],
    )


def slices(split: Split, few_shot: int) -> dict[str, tuple[np.ndarray, sp.csr_matrix]]:
    """By name the queries (bool mask) and what is wanted of them (CSR); only those where something is.

    New items are those without an event before the cut; the long tail is what lies outside the best-known fifth of the
    catalogue and has events.
    """
    known, counts = split.queries.lengths, split.train.interactions.item_counts()
    everybody = np.ones(len(split), bool)
    few = (known > 0) & (known <= few_shot)
    people = {ALL: everybody, "cold": known == 0, "few_shot": few, "warm": known > few_shot}
    items = {"new items": counts == 0, "long tail": long_tail(counts) & (counts > 0)}
    wanted = {name: sp.csr_matrix(split.targets.multiply(mask[None])) for name, mask in items.items()}
    found = {name: (mask, split.targets) for name, mask in people.items() if mask.any()}
    for name, targets in wanted.items():
        targets.eliminate_zeros()
        if targets.nnz:
            found[name] = (everybody, targets)
    return found


def judge(
    candidate: Live,
    serving: Live,
    split: Split,
    few_shot: int,
    margin: float,
    progress: Progress | None = None,
    seed: int = 0,
) -> Judgement:
    """Compare two models as they answer now, beside popularity of the events before the cut.

    Parameters
    ----------
    few_shot
        Events up to which somebody counts as few_shot.
    margin
        Share of the serving model's NDCG@10 that a slice may lose.
    seed
        Of the bootstrap.
    """
    items = split.train.catalog.items
    floor = fit_baseline(FLOOR, baseline_experts(None)[FLOOR], split.train, None)
    systems: dict[str, System] = {NEW: ranker(candidate, items), SERVING: ranker(serving, items), FLOOR: floor}
    lists = {}
    for done, (name, system) in enumerate(systems.items()):
        if progress:
            progress("judging", done, len(systems))
        lists[name] = ask(system, split, K)
    parts = [_part(name, lists, mask, to, margin, seed) for name, (mask, to) in slices(split, few_shot).items()]
    return Judgement(tuple(parts), margin)


def _part(
    name: str, lists: Mapping[str, np.ndarray], mask: np.ndarray, targets: sp.csr_matrix, margin: float, seed: int
) -> Part:
    gains = {system: ranking(ranked[mask], targets[mask], K)["ndcg"] for system, ranked in lists.items()}
    told = intervals(np.column_stack(list(gains.values())), DRAWS, seed=seed)
    test = paired(gains[NEW], gains[SERVING], DRAWS, level=1 - 2 * SURE, seed=seed)
    values = dict(zip(gains, told, strict=True))
    changed = int(np.count_nonzero(np.nan_to_num(gains[NEW] - gains[SERVING])))
    return Part(name, values, test, changed, fate_of(values[SERVING].mean, test, changed, margin))
