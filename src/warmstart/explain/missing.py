"""Why an item is shown or is not: the answer to both questions in one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warmstart.explain.because import Because
from warmstart.explain.path_words import ToldPath
from warmstart.explain.reasons import Evidence

SHOWN, BELOW, SEEN, FILTERED, UNKNOWN = "shown", "below the cut", "already seen", "filtered", "unknown"


@dataclass(frozen=True)
class Explanation:
    """What became of an item in a ranking.

    Parameters
    ----------
    item_id, title
        The item asked about.
    status
        ``shown``, ``below the cut``, ``already seen``, ``filtered`` or ``unknown``.
    rank
        Its rank among all allowed items, 1 = best; None where it was not ranked.
    k
        Length of the list.
    detail
        Which filter, for ``filtered``.
    evidence
        What speaks for it; None for an unknown item.
    because
        The interest that carries it; None where none does.
    paths
        Paths of the graph from the history to it, best first; see ``paths.paths``.
    """

    item_id: str
    title: str
    status: str
    rank: int | None
    k: int
    detail: str
    evidence: Evidence | None
    because: Because | None = None
    paths: tuple[ToldPath, ...] = ()

    @property
    def text(self) -> str:
        """One short paragraph."""
        head = {
            SHOWN: f"{self.title} is shown at rank {self.rank}",
            BELOW: f"{self.title} is not among the first {self.k}: it stands at rank {self.rank}",
            SEEN: f"{self.title} is not shown: it is already in the history",
            FILTERED: f"{self.title} is not shown: {self.detail}",
            UNKNOWN: f"item {self.item_id!r} is not in the catalogue; add it with add_items",
        }[self.status]
        reasons = spoken(self.because, self.paths, self.evidence)
        return head + (". " + "; ".join(reasons) + "." if reasons else ".")

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        return {
            "item_id": self.item_id,
            "title": self.title,
            "status": self.status,
            "rank": self.rank,
            "k": self.k,
            "detail": self.detail,
            "evidence": None if self.evidence is None else self.evidence.to_dict(),
            "because": None if self.because is None else self.because.to_dict(),
            "paths": [path.to_dict() for path in self.paths],
            "text": self.text,
        }


def spoken(because: Because | None, paths: Sequence[ToldPath], evidence: Evidence | None) -> list[str]:
    """Reasons in words: the interest, the best path that adds to the score, then whatever else speaks for the item."""
    first = [because.sentence] if because else []
    said = [path.text for path in paths if path.effect is not None and path.effect > 0][:1]
    return first + said + (evidence.sentences(said=said) if evidence else [])
