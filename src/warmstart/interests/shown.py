"""What the pictures of concepts have in common: the person they are about, and the sign of each concept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.interests.concepts import Concepts
from warmstart.interests.profile import Interest, ProfileSettings, event_weights

COLOURS = 7  # of page.css, told apart with any kind of colour vision
SHAPES = 3
GREY = "kx"


@dataclass(frozen=True, eq=False)
class Person:
    """Whose interests are shown.

    Parameters
    ----------
    name
        Plain text.
    row
        int, shape (n_events,): item codes, oldest first.
    interests
        Most telling first.
    share
        float64, shape (n_concepts,): part of the history that each concept holds, newer events weighing more.
    """

    name: str
    row: np.ndarray
    interests: tuple[Interest, ...]
    share: np.ndarray

    @classmethod
    def of(cls, name: str, row: np.ndarray, concepts: Concepts, settings: ProfileSettings | None = None) -> Person:
        """Somebody with this history."""
        asked = settings or ProfileSettings()
        weights = event_weights(len(row), asked.half_life)
        share = concepts.members.weights[row].T @ (weights / max(float(weights.sum()), 1e-9))
        return cls(name, row, tuple(concepts.of(row, asked)), np.asarray(share, np.float64))


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page is about.

    Parameters
    ----------
    concepts, catalog
        Of an engine.
    counts
        int, shape (n_items,): how many people took each item.
    person
        None = the catalogue alone.
    """

    concepts: Concepts
    catalog: Catalog
    counts: np.ndarray
    person: Person | None = None

    @cached_property
    def signed(self) -> dict[int, int]:
        """Coarse concepts that have a colour and a shape of their own, with the number of these.

        At most 21: where there are more, those that hold most of the person's events, then of everybody's.
        """
        coarse = self.concepts.members.at(0)
        mine = np.zeros(len(coarse)) if self.person is None else self.person.share[coarse]
        first = coarse[np.lexsort((-self.concepts.common[coarse], -mine))][: COLOURS * SHAPES]
        return {int(c): i for i, c in enumerate(np.sort(first))}

    def coarse(self, concept: int) -> int:
        """The concept of the first level that holds this one."""
        while self.concepts.members.parent[concept] >= 0:
            concept = int(self.concepts.members.parent[concept])
        return concept

    def known(self, concept: int, k: int) -> list[int]:
        """The k items of a concept that most people took, most first."""
        items = self.concepts.members.items(concept)
        first = np.argsort(-self.counts[items], kind="stable")[:k]
        return [int(i) for i in items[first]]

    def colour(self, concept: int) -> str:
        """Class of the style sheet: that of its coarse concept."""
        sign = self.signed.get(self.coarse(concept))
        return GREY if sign is None else f"k{sign % COLOURS}"

    def mark(self, concept: int, x: float, y: float, r: float) -> str:
        """Path of a circle, square or triangle of radius r at (x, y), by the coarse concept."""
        return mark(self.signed.get(self.coarse(concept), 0) // COLOURS, x, y, r)

    def glyph(self, concept: int) -> str:
        """Its sign as a small drawing, for lists."""
        return (
            f'<svg class="glyph {self.colour(concept)}" viewBox="0 0 12 12" aria-hidden="true">'
            f'<path d="{self.mark(concept, 6, 6, 5)}"/></svg>'
        )


def mark(shape: int, x: float, y: float, r: float) -> str:
    """SVG path of a circle (0), square (1) or triangle (2) of about the same area.

    Examples
    --------
    >>> mark(1, 10, 20, 4)
    'M10.0 20.0m-3.5-3.5h7v7h-7z'
    """
    start = f"M{x:.1f} {y:.1f}"
    if shape == 0:
        return f"{start}m-{r:g} 0a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0-{2 * r:g} 0z"
    if shape == 1:
        h = round(0.875 * r, 2)
        return f"{start}m-{h:g}-{h:g}h{2 * h:g}v{2 * h:g}h-{2 * h:g}z"
    h = round(1.25 * r, 2)
    return f"{start}m0-{h:g}l{h:g} {round(1.8 * h, 2):g}h-{2 * h:g}z"
