"""In what order candidates are shown: by relevance, by the rating that is predicted for them, or by both."""

from __future__ import annotations

from dataclasses import dataclass, field

from warmstart.errors import ConfigError
from warmstart.rerank.calibrated import check_weight
from warmstart.rerank.tail import Tail

RELEVANCE, RATING, BOTH = "relevance", "rating", "both"
OBJECTIVES = (RELEVANCE, RATING, BOTH)
DEPTH, LEAST = 10, 200  # candidates that may change places: so many times k, and so many at least


@dataclass(frozen=True)
class Order:
    """What decides the order of a list.

    Parameters
    ----------
    objective
        ``"relevance"``: what the fusion says; ``"rating"``: of the candidates that the fusion puts first, what this
        person is predicted to rate highest; ``"both"``: of these, what is high in both, see ``by_rating``.
    calibrate
        Weight, in [0, 1], of a list in proportion to the person's interests; 0 = by score alone.
    tail
        What is given of the head for the tail. Where the objective is the rating alone, its correction and its lift
        change who the candidates are, and its floor their places.

    Examples
    --------
    >>> Order().depth(10), Order(objective="rating").depth(10), Order(calibrate=0.5).depth(30)
    (10, 200, 300)
    """

    objective: str = RELEVANCE
    calibrate: float = 0.0
    tail: Tail = field(default_factory=Tail)

    def __post_init__(self) -> None:
        check_weight(self.calibrate)
        if self.objective not in OBJECTIVES:
            raise ConfigError(f"objective={self.objective!r} is none of {list(OBJECTIVES)}")

    @property
    def rated(self) -> bool:
        """Whether predicted ratings have a say."""
        return self.objective != RELEVANCE

    @property
    def by_rating(self) -> bool:
        """Whether they alone are the sort key."""
        return self.objective == RATING

    def depth(self, k: int, *, moved: bool = False) -> int:
        """Candidates that are looked at for a list of k; ``moved`` = whether they change places for another reason."""
        if moved or self.calibrate > 0 or self.tail.floor:
            return max(DEPTH * k, LEAST)
        return max(k, LEAST) if self.rated else k
