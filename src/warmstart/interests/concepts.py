"""The concepts of a catalogue, as an engine keeps and tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError, DataError
from warmstart.experts.panel import Progress
from warmstart.interests.label import label_concepts
from warmstart.interests.members import Membership
from warmstart.interests.names import item_terms, name_concepts
from warmstart.interests.profile import Interest, ProfileSettings, common_shares, interests_of
from warmstart.interests.sparse import SparseCoder, SparseSettings, build_dictionary
from warmstart.interests.tree import Centres, TreeSettings, build_tree
from warmstart.interests.vectors import FusedSpace

TYPICAL = 5
TREE, SPARSE = "tree", "sparse"
DIGITS = 10  # of a concept's number, at most


@dataclass(frozen=True)
class ConceptSettings:
    """How concepts are found and named.

    Parameters
    ----------
    kind
        "tree": from coarse to fine, each within another. "sparse": one level, on which an item belongs to several.
    tree, sparse
        Settings of either.
    label
        A decoder that writes short names (folder, GGUF file or model name, see ``label_concepts``); "" = none: words
        and attributes are the names.
    """

    kind: str = TREE
    tree: TreeSettings = field(default_factory=TreeSettings)
    sparse: SparseSettings = field(default_factory=SparseSettings)
    label: str = ""

    def __post_init__(self) -> None:
        if self.kind not in (TREE, SPARSE):
            raise ConfigError(f"kind={self.kind!r} of concepts is unknown; it is {TREE!r} or {SPARSE!r}")

    def build(self, vectors: np.ndarray) -> tuple[Membership, Centres | SparseCoder]:
        """The concepts of items with these vectors, and what places further ones."""
        if self.kind == TREE:
            return build_tree(vectors, self.tree)
        return build_dictionary(vectors, self.sparse)


@dataclass(frozen=True, eq=False)
class Concepts:
    """Named concepts over the items, and how much of everybody's events each holds.

    Parameters
    ----------
    members
        The concepts, and which items belong to each.
    coder
        Which of them a vector belongs to.
    space
        Vectors of new items.
    names
        One a concept: what a language model calls it, if one was asked; else its telling words, with commas between;
        "items like X" where no word tells.
    typical
        int32, shape (n_concepts, 5): codes of items in the middle of each; -1 = it has fewer.
    common
        float64, shape (n_concepts,): share of everybody's events on its level.
    taken
        float32, shape (n_items, dim): the half of the items' vectors that tells who takes them; the other half comes
        from their features (``vectors``).
    """

    members: Membership
    coder: Centres | SparseCoder
    space: FusedSpace
    names: tuple[str, ...]
    typical: np.ndarray
    common: np.ndarray
    taken: np.ndarray

    @classmethod
    def fit(
        cls,
        data: Dataset,
        template: str | None = None,
        settings: ConceptSettings | None = None,
        progress: Progress | None = None,
    ) -> Concepts:
        """Find and name concepts, from what items are about and who takes them.

        Parameters
        ----------
        data
            With item features.
        template
            Text of an item from its columns, whose words may name concepts (see ``item_texts``).
        settings
            A tree or a dictionary, its size, and who names them.
        progress
            Called with ("finding concepts" or "naming concepts", done, total).
        """
        if progress:
            progress("finding concepts", 0, 1)
        asked, (space, vectors) = settings or ConceptSettings(), FusedSpace.fit(data)
        members, coder = asked.build(vectors)
        middle = np.full((len(members), TYPICAL), -1, np.int32)
        for concept in range(len(members)):
            items = members.typical(vectors, concept, TYPICAL)
            middle[concept, : len(items)] = items
        words = name_concepts(members.weights, item_terms(data.catalog, template))
        titles = [[data.catalog.title(int(i)) for i in row if i >= 0] for row in middle]
        given = label_concepts(asked.label, words, titles, progress) if asked.label else [""] * len(words)
        names = [
            name or ", ".join(terms) or f"items like {near[0]}"
            for name, terms, near in zip(given, words, titles, strict=True)
        ]
        common, taken = common_shares(members, data.interactions.item_counts()), vectors[:, len(space.centre) :].copy()
        return cls(members, coder, space, tuple(names), middle, common, taken)

    def grow(self, features: np.ndarray) -> Concepts:
        """With new items placed where their features put them; names stay."""
        placed = self.space.place(features)
        taken = np.vstack([self.taken, placed[:, len(self.space.centre) :]])
        return replace(self, members=self.members.grow(self.coder.place(placed)), taken=taken)

    def vectors(self, features: np.ndarray, items: np.ndarray | None = None) -> np.ndarray:
        """Fused vectors of these items, or of all, by the catalogue's features: float32, (n, d + dim)."""
        at = slice(None) if items is None else items
        return np.hstack([self.space.content(features[at]), self.taken[at]])

    def of(self, row: np.ndarray, settings: ProfileSettings | None = None) -> list[Interest]:
        """Interests of a history of item codes, oldest first."""
        return interests_of(row, self.members, self.common, settings)

    def find(self, asked: int | str) -> int:
        """A concept by its number, or by its name.

        Raises
        ------
        DataError
            If there is none, or a name belongs to several.
        """
        text = str(asked)
        if text.isdecimal() and len(text) < DIGITS:
            if int(text) < len(self.members):
                return int(text)
            raise DataError(f"concept {text} is unknown; the concepts are 0 to {len(self.members) - 1}")
        found = [c for c, name in enumerate(self.names) if name.casefold() == text.casefold()]
        if len(found) != 1:
            some = f"{len(found)} concepts are called {text!r}" if found else f"no concept is called {text!r}"
            raise DataError(f"{some}; give the number of one, as `warmstart concepts` lists them")
        return found[0]

    def mask(self, asked: int | str) -> np.ndarray:
        """Which items belong to a concept that ``find`` finds: bool, shape (n_items,)."""
        inside = np.zeros(self.members.weights.shape[0], bool)
        inside[self.members.items(self.find(asked))] = True
        return inside

    def table(self, catalog: Catalog, level: int | None = None) -> pl.DataFrame:
        """One row a concept.

        Returns
        -------
        pl.DataFrame
            ``concept``, ``level`` (0 = coarse), ``parent`` (null on the first level), ``name``, ``items`` (their
            number), ``share`` (of everybody's events, in [0, 1]), ``typical`` (titles).

        Raises
        ------
        ConfigError
            If there is no such level.
        """
        depth = self.members.levels
        if level is not None and not 0 <= level < depth:
            raise ConfigError(f"level={level} is unknown; the levels are 0 to {depth - 1}, coarse to fine")
        asked = np.arange(len(self.members)) if level is None else self.members.at(level)
        return pl.DataFrame(
            {
                "concept": pl.Series(asked, dtype=pl.Int64),
                "level": pl.Series(self.members.level[asked], dtype=pl.Int64),
                "parent": pl.Series([int(p) if p >= 0 else None for p in self.members.parent[asked]], dtype=pl.Int64),
                "name": pl.Series([self.names[c] for c in asked], dtype=pl.String),
                "items": pl.Series([len(self.members.items(int(c))) for c in asked], dtype=pl.Int64),
                "share": pl.Series(self.common[asked], dtype=pl.Float64),
                "typical": pl.Series(
                    [[catalog.title(int(i)) for i in self.typical[c] if i >= 0] for c in asked],
                    dtype=pl.List(pl.String),
                ),
            }
        )

    def told(self, query: int, interests: Sequence[Interest], catalog: Catalog) -> pl.DataFrame:
        """Interests as a table.

        Returns
        -------
        pl.DataFrame
            ``query``, ``concept``, ``level``, ``name``, ``weight`` (they sum to 1), ``share`` (of the history, newer
            events weighing more), ``common`` (of everybody's events), ``trend``, ``evidence`` (titles of the history,
            newest first).
        """
        at = [i.concept for i in interests]
        return pl.DataFrame(
            {
                "query": pl.Series([query] * len(at), dtype=pl.Int64),
                "concept": pl.Series(at, dtype=pl.Int64),
                "level": pl.Series(self.members.level[np.array(at, np.int64)], dtype=pl.Int64),
                "name": pl.Series([self.names[c] for c in at], dtype=pl.String),
                "weight": pl.Series([i.weight for i in interests], dtype=pl.Float64),
                "share": pl.Series([i.share for i in interests], dtype=pl.Float64),
                "common": pl.Series([i.common for i in interests], dtype=pl.Float64),
                "trend": pl.Series([i.trend for i in interests], dtype=pl.String),
                "evidence": pl.Series(
                    [[catalog.title(e) for e in i.evidence] for i in interests], dtype=pl.List(pl.String)
                ),
            }
        )
