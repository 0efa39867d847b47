"""What a graph knows between a history and an item: paths with names, the kind of event, and what they add."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.histories import Histories
from warmstart.data.relation_names import ENGLISH, LANGUAGES, RelationNames, relation_names
from warmstart.explain.path_words import Teller
from warmstart.explain.paths import Path, Paths, PathSettings, paths

# ids of Freebase, Wikidata and blank nodes, numbers that are no years, digests: they name nothing
OPAQUE = "|".join(
    (
        r"^(?:/?[mg][./][0-9a-z_]{2,}",
        r"[qpl]\d+",
        r"\d{1,3}",
        r"[03-9]\d{3}",
        r"[\d.:_-]{5,}",
        r"_:.*",
        r"[0-9a-f]{16,}",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
    )
)
LAST = re.compile(r"^\w+://.*[/#]([^/#]+)[/#]*$")


@dataclass(frozen=True, eq=False)
class Facts:
    """A graph and a catalogue, ready to be asked for paths.

    Parameters
    ----------
    graph
        Facts; an entity that is an item carries the item's id.
    catalog
        The items; those that the graph lacks have no paths.
    relations
        Relations in words.

    Examples
    --------
    >>> rows = [("1", "directed_by", "m.0gs"), ("2", "directed_by", "m.0gs")]
    >>> triples = pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")
    >>> films = Catalog(pl.DataFrame({"item_id": ["1", "2"], "title": ["Alien", "Blade Runner"]}))
    >>> facts = Facts(KnowledgeGraph(triples), films)
    >>> facts.teller.text(facts.between(["1"], "2").found[0], "rate")
    'You rated Alien -> shares a director with Blade Runner'
    """

    graph: KnowledgeGraph
    catalog: Catalog
    relations: RelationNames = field(default_factory=relation_names)

    def between(self, history: Sequence[str], item: str, settings: PathSettings | None = None) -> Paths:
        """The best paths from items of a history to an item; see ``paths``. Of equal ones the newest item's is first.

        Parameters
        ----------
        history
            Item ids, oldest first; ids that are unknown have no paths.
        """
        return paths(self.graph.index, history[::-1], item, settings, self.named)

    @cached_property
    def teller(self) -> Teller:
        """Tells paths in words."""
        return Teller(self.relations, self.name)

    def name(self, entity: str, language: str = ENGLISH) -> str | None:
        """What an entity is called: an item's title, a label, or an id that can be read; None where there is none."""
        code = int(self.catalog.items.codes([entity])[0])
        title = self.catalog.title(code) if code >= 0 else None
        if title is not None and title != entity:
            return title
        label = self._labels[language].get(entity)
        if label is not None:
            return label
        last = LAST.sub(r"\1", entity)
        return None if re.match(OPAQUE, last, re.IGNORECASE) else last.replace("_", " ")

    @cached_property
    def named(self) -> np.ndarray:
        """Entities that have a name: bool, shape (n_entities,)."""
        entity = pl.Series("e", self.graph.index.entities.ids, dtype=pl.String)
        last = entity.str.replace(LAST.pattern, "$1")
        known = pl.Series(
            [*self._labels[ENGLISH], *self.catalog.table[ITEM_ID].cast(pl.String).to_list()], dtype=pl.String
        )
        return (~last.str.contains(f"(?i){OPAQUE}") | entity.is_in(known.implode())).to_numpy()

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        return {language: self.graph.names(language) for language in LANGUAGES}

    def tokens(self, path: Path) -> list[str]:
        """The path's last fact as ``features.fact_tokens`` tells it of the item, by all names it is told under."""
        relation, entity = path.relations[-1], path.nodes[-2]
        mark, turned = "<>" if path.forward[-1] else "><"
        twins = [f"{twin}{turned}{entity}" for twin in self.graph.index.told_as(relation)]
        return [f"{relation}{mark}{entity}", *twins]

    def describe(self, token: str) -> str | None:
        """A token of a fact in words; None where its other end has no name.

        Examples
        --------
        >>> empty = pl.DataFrame(schema=dict.fromkeys(("head", "relation", "tail"), pl.String))
        >>> facts = Facts(KnowledgeGraph(empty), Catalog(pl.DataFrame({"item_id": ["1"]})))
        >>> facts.describe("film.film.directed_by>Ridley Scott"), facts.describe("film.film.directed_by>m.06mn7")
        ('directed by Ridley Scott', None)
        """
        relation, mark, entity = re.split("([<>])", token, maxsplit=1)
        name, phrases = self.name(entity), self.relations(relation)
        return None if name is None else (phrases if mark == ">" else phrases.turned).forward.replace("{}", name)

    def kinds(self, h: Histories) -> dict[str, str]:
        """Kind of the newest event of each item, for one query: "rate" for a rating, "" = not known."""
        row = h.row(0)
        kind = [""] * len(row) if h.kind is None else [h.kinds[k] for k in h.kind.tolist()]
        if h.rating is not None:
            plain = zip(kind, np.isnan(h.rating).tolist(), strict=True)
            kind = ["rate" if k in ("", "interaction") and not missing else k for k, missing in plain]
        return dict(zip(self.catalog.items.names(row.tolist()), kind, strict=True))
