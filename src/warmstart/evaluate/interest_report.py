"""What was measured of mined interests, as numbers and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warmstart.evaluate.foreseen import MEASURES, Entry
from warmstart.evaluate.interest_checks import Agreement, Removal
from warmstart.evaluate.intervals import Interval, intervals, resample
from warmstart.evaluate.report import plain_values

if TYPE_CHECKING:
    from rich.table import Table

CONTENT = ("content map", "content cosine")


@dataclass(frozen=True)
class Entered:
    """A contender's figures.

    Parameters
    ----------
    concepts
        How many it has.
    half_life, own
        Its settings, chosen on the earlier window; see ``PredictSettings``.
    validation
        F1 on that window.
    values
        By kind of label, then measure.
    """

    name: str
    concepts: int
    half_life: float
    own: float
    validation: float
    values: Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True)
class Coherence:
    """Mean NPMI of concepts: of ten words of each in the texts, of the hidden labels of ten typical items of each."""

    name: str
    words: float
    labels: float

    @classmethod
    def of(cls, name: str, words: np.ndarray, labels: np.ndarray) -> Coherence:
        """Means over concepts; NaN where it is defined for none."""
        return cls(name, *(float(np.nanmean(v)) if (~np.isnan(v)).any() else float("nan") for v in (words, labels)))


@dataclass(frozen=True)
class InterestQuality:
    """How good mined interests are.

    Parameters
    ----------
    people, labels
        Whose future is asked for; labels in the truth.
    concepts
        Number on each level, coarse first.
    entries
        The interests first, then peers, a floor, and the labels themselves.
    ratios
        F1 of the interests over that of each of the others, by kind of label.
    coherence
        Levels of the concepts, then the topics.
    coverage
        By set of interests: share of future events that belong to one of them, and that of everybody's earlier events.
    agreement
        Between seeds.
    ndcg
        NDCG@10 of the future events, by ranker.
    removal
        Of everybody's first interest.
    """

    people: int
    labels: int
    concepts: tuple[int, ...]
    entries: tuple[Entered, ...]
    ratios: Mapping[str, Mapping[str, Interval]]
    coherence: tuple[Coherence, ...]
    coverage: Mapping[str, tuple[Interval, ...]]
    agreement: Agreement
    ndcg: Mapping[str, Interval]
    removal: Removal

    @property
    def sufficiency(self) -> float:
        """NDCG@10 of ranking by interests alone over that of the better content expert; NaN if that is 0."""
        peer = max(self.ndcg[name].mean for name in CONTENT)
        return self.ndcg["interests"].mean / peer if peer else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        plain = asdict(self) | {"sufficiency": self.sufficiency}
        plain["removal"]["cut"] = self.removal.cut
        cleaned: dict[str, Any] = plain_values(plain)
        return cleaned

    def tables(self) -> list[Table]:
        """What is foreseen by kind of label, then the rest (for rich)."""
        foreseen = [self._foreseen(kind) for kind in self.entries[0].values]
        return [*foreseen, self._held(), self._agreed()]

    def _foreseen(self, kind: str) -> Table:
        n = self.entries[0].values[kind]["f1"].n
        table = _table(
            f"What sets people's future apart, foreseen - {kind} ({n:,} people)",
            (
                "foreseen by",
                "concepts",
                *(m if m in ("accuracy", "map") else f"{m}@5" for m in MEASURES),
                "interests / it",
            ),
        )
        for e in self.entries:
            r = self.ratios.get(e.name, {}).get(kind)
            told = "" if r is None else f"{r.mean:.2f} [{r.low:.2f}, {r.high:.2f}]"
            cells = (
                f"{v.mean:.3f} [{v.low:.3f}, {v.high:.3f}]" if m == "f1" else f"{v.mean:.3f}"
                for m, v in e.values[kind].items()
            )
            table.add_row(e.name, str(e.concepts), *cells, told)
        return table

    def _held(self) -> Table:
        table = _table("Enough to rank by, and whether they cover what comes", ("measure", "value"))
        for name, value in self.ndcg.items():
            table.add_row(f"NDCG@10, {name}", str(value))
        table.add_row("interests / better content expert", f"{self.sufficiency:.2f}")
        for name, (covered, everybody) in self.coverage.items():
            table.add_row(f"future events within interests: {name}", f"{covered} (of everybody's {everybody.mean:.4f})")
        r = self.removal
        table.add_row("first interest's part of the first 20", f"{r.before:.3f} -> {r.after:.3f} (cut by {r.cut:.0%})")
        table.add_row("people for whom it is halved at least", f"{r.halved:.1%} of {r.people:,}")
        return table

    def _agreed(self) -> Table:
        table = _table(
            "Concepts: coherence (NPMI) and agreement (AMI)", ("", "of words", "of labels", "seeds", "events")
        )
        for at, c in enumerate(self.coherence):
            level = at < len(self.agreement.seeds)
            agreed = (self.agreement.seeds[at], self.agreement.events[at]) if level else ()
            table.add_row(c.name, *(f"{v:.3f}" for v in (c.words, c.labels, *agreed)))
        return table


def entered(entries: Sequence[Entry], seed: int = 0) -> tuple[Entered, ...]:
    """Means and intervals over people."""
    return tuple(
        Entered(
            e.name,
            e.concepts,
            e.chosen.half_life,
            e.chosen.own,
            e.validation,
            {
                kind: dict(zip(found, intervals(np.stack(list(found.values()), axis=1), seed=seed), strict=True))
                for kind, found in e.marks.items()
            },
        )
        for e in entries
    )


def ratio(a: np.ndarray, b: np.ndarray, seed: int = 0, n_boot: int = 1000) -> Interval:
    """Mean of a over mean of b on the same people, with its bootstrap interval; people without either are left out.

    Examples
    --------
    >>> print(ratio(np.array([0.2, 0.4, np.nan]), np.array([0.1, 0.2, 0.3])))
    2.0000 [2.0000, 2.0000]
    """
    both = ~(np.isnan(a) | np.isnan(b))
    if not both.any() or not b[both].any():
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    values = np.stack([a[both], b[both]], axis=1)
    draws = resample(values, n_boot, seed)
    drawn = draws[:, 0] / np.maximum(draws[:, 1], 1e-12)
    low, high = (float(v) for v in np.quantile(drawn, [0.025, 0.975]))
    return Interval(float(values[:, 0].mean() / values[:, 1].mean()), low, high, int(both.sum()))


def _table(title: str, columns: Sequence[str]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at else "left")
    return table
