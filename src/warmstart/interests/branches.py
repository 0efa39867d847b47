"""The tree of concepts as nested lists that open, with what a person and everybody take of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from warmstart.interests.shown import Shown

KNOWN = 3  # titles told of each concept
BETWEEN = " &middot; "  # titles may hold commas


def branches(shown: Shown) -> str:
    """A row a concept, coarse to fine; the coarse ones that hold an interest of the person are open.

    The bar is what the person takes (of nobody: what everybody takes), the line across it what everybody takes. All
    bars have one scale, so that those of a branch add up to that of the concept that holds them.
    """
    parent, common = shown.concepts.members.parent, shown.concepts.common
    mine = common if shown.person is None else shown.person.share
    below: dict[int, list[int]] = {}
    for c in np.lexsort((-common, -mine)).tolist():
        below.setdefault(int(parent[c]), []).append(c)
    interests = () if shown.person is None else shown.person.interests
    opened = frozenset(int(parent[i.concept]) for i in interests) | {shown.coarse(i.concept) for i in interests}
    tree = Tree(shown, mine, float(max(common.max(initial=0), mine.max(initial=0), 1e-9)), below, opened)
    who, key = "everybody", ""
    if shown.person is not None:
        who, key = "person / everybody", "bar: this person, line: everybody"
    what = "<span>concept, and its best-known items</span>"
    head = f'<p class="row head">{what}<span>{key}</span><span class="amount">{who}</span></p>'
    return f'<div class="tree">{head}{tree.level(below.get(-1, ()))}</div>'


@dataclass(frozen=True, eq=False)
class Tree:
    """The rows of a tree.

    Parameters
    ----------
    shown
        Concepts, names and titles.
    mine
        float64, shape (n_concepts,): lengths of the bars.
    whole
        Share that fills a bar.
    below
        Concepts within each, in the order of the page; -1 = the first level.
    opened
        Concepts whose rows are unfolded.
    """

    shown: Shown
    mine: np.ndarray
    whole: float
    below: Mapping[int, Sequence[int]]
    opened: frozenset[int]

    def level(self, concepts: Sequence[int]) -> str:
        """The concepts of one branch."""
        return f"<ul>{''.join(f'<li>{self.branch(c)}</li>' for c in concepts)}</ul>"

    def branch(self, concept: int) -> str:
        """A concept and what it holds."""
        within = self.below.get(concept, ())
        if not within:
            return f'<div class="row">{self.row(concept)}</div>'
        unfolded = " open" if concept in self.opened else ""
        return f'<details{unfolded}><summary class="row">{self.row(concept)}</summary>{self.level(within)}</details>'

    def row(self, concept: int) -> str:
        """Sign, number, name and best-known items; bar; figures."""
        shown, share, common = self.shown, float(self.mine[concept]), float(self.shown.concepts.common[concept])
        titles = BETWEEN.join(escape(shown.catalog.title(i)) for i in shown.known(concept, KNOWN))
        line, figures = "", percent(share)
        if shown.person is not None:
            line, figures = f'<i class="all" style="left:{self._width(common)}"></i>', f"{figures} / {percent(common)}"
        return (
            f'<span class="what" id="c{concept}">{shown.glyph(concept)}<b>{concept}</b> '
            f'<span class="name">{escape(shown.concepts.names[concept])}</span><small>{titles}</small></span>'
            f'<span class="bar {shown.colour(concept)}" aria-hidden="true">'
            f'<i style="width:{self._width(share)}"></i>{line}</span><span class="amount">{figures}</span>'
        )

    def _width(self, share: float) -> str:
        return f"{100 * share / self.whole:.1f}%"


def percent(share: float) -> str:
    """A share for reading.

    Examples
    --------
    >>> percent(0.1234), percent(0.0004), percent(0.0)
    ('12.3 %', '&lt;0.1 %', '0 %')
    """
    if share <= 0:
        return "0 %"
    return "&lt;0.1 %" if share < 0.0005 else f"{100 * share:.1f} %"
