"""Learned vectors of entities and relations: scores, vectors of new entities from their facts, files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from warmstart.artefact import MANIFEST, load_arrays, open_sealed, save_arrays, seal
from warmstart.errors import ArtefactError, DataError, require
from warmstart.learn.kge_models import MODELS, ScoreFunction
from warmstart.learn.kge_place import placed
from warmstart.learn.kge_rank import Tell, both_ends, figures, ranks
from warmstart.learn.kge_split import TRIPLE, told_once

FORMAT = 1
NAMES = "names.json"


@dataclass(frozen=True)
class GraphVectors:
    """Vectors of a knowledge graph.

    Parameters
    ----------
    model
        A name of ``kge_models.MODELS``.
    entities, relations
        Their names, in the order of the rows.
    same
        Relations that were learned as another one, maybe with head and tail swapped, as
        ``graph_relations.same_relations`` finds them.
    entity
        float32, shape (entities, width); complex numbers as real parts, then imaginary parts.
    relation
        float32, shape (2 relations, width of a relation): relations, then their reciprocals, which lead back.
    level
        float32, shape (2 relations,): mean score of the facts learned from.
    """

    model: str
    entities: tuple[str, ...]
    relations: tuple[str, ...]
    same: Mapping[str, tuple[str, bool]]
    entity: np.ndarray
    relation: np.ndarray
    level: np.ndarray

    @property
    def function(self) -> ScoreFunction:
        """The score function."""
        return MODELS[self.model]

    @cached_property
    def entity_codes(self) -> dict[str, int]:
        """Entity -> row."""
        return {name: row for row, name in enumerate(self.entities)}

    @cached_property
    def relation_codes(self) -> dict[str, int]:
        """Relation -> row; only of those with vectors of their own."""
        return {name: row for row, name in enumerate(self.relations)}

    def vectors(self, entities: Sequence[str]) -> np.ndarray:
        """Vectors of entities that were learned: float32, shape (n, width).

        Raises
        ------
        DataError
            If one is unknown.
        """
        for name in entities:
            if name not in self.entity_codes:
                raise DataError(f"entity {name!r} was not in the graph learned from; give its facts to place()")
        return self.entity[[self.entity_codes[name] for name in entities]]

    def place(self, facts: pl.DataFrame) -> tuple[tuple[str, ...], np.ndarray]:
        """Vectors of entities that are new, from their facts; nothing is learned again.

        The tables stay as they are, and each fact with a known entity at its other end says where the new one should
        be; see ``kge_place.placed``. Facts of two new entities and of unknown relations say nothing.

        Parameters
        ----------
        facts
            Columns ``head``, ``relation``, ``tail``.

        Returns
        -------
        tuple
            The new entities in order of appearance, and float32, shape (n, width); NaN where no fact says anything.

        Raises
        ------
        DataError
            If the facts have no such columns.
        """
        if missing := [c for c in TRIPLE if c not in facts.columns]:
            raise DataError(f"the facts have no column {missing[0]!r}; they have {facts.columns}; map one to it")
        triples = told_once(facts, self.same)
        ends = pl.concat([triples["head"], triples["tail"]]).unique(maintain_order=True)
        new = tuple(name for name in ends if name not in self.entity_codes)
        rows = {name: at for at, name in enumerate(new)}
        edges: list[tuple[int, int, int]] = []
        for head, relation, tail in triples.rows():
            r = self.relation_codes.get(relation)
            if r is not None and head in rows and tail in self.entity_codes:
                edges.append((rows[head], r, self.entity_codes[tail]))
            elif r is not None and tail in rows and head in self.entity_codes:
                edges.append((rows[tail], r + len(self.relations), self.entity_codes[head]))
        found = np.array(edges, np.int64).reshape(-1, 3)
        return new, placed(self.function, self.entity, self.relation, self.level, found, len(new))

    def scores(self, entities: np.ndarray, relations: np.ndarray) -> np.ndarray:
        """Of all entities as the other end: codes (n,) of entities and relations to float32, shape (n, entities)."""
        torch = require("torch", extra="lm")
        with torch.no_grad():
            points = self.function.reach(_rows(self.entity[entities]), _rows(self.relation[relations]))
            out: np.ndarray = self.function.against(points, _rows(self.entity)).numpy()
        return out

    def judge(self, test: pl.DataFrame, known: pl.DataFrame, tell: Tell | None = None) -> dict[str, float]:
        """Filtered MRR and hits@1, 3, 10 over both ends of held-out triples.

        Parameters
        ----------
        test, known
            Triples asked for, and all others that are true; their entities and relations must have vectors.
        tell
            Told of the progress.

        Raises
        ------
        DataError
            If an entity or a relation has no vector.
        """
        n = len(self.relations)
        asked, true = both_ends(self.codes(test), n), both_ends(self.codes(pl.concat([test, known])), n)
        return figures(ranks(asked, true, len(self.entities), self.scores, tell))

    def codes(self, triples: pl.DataFrame) -> np.ndarray:
        """Rows of heads, relations and tails: int64, shape (n, 3).

        Raises
        ------
        DataError
            If one of them has no vector.
        """
        tables = {"head": self.entity_codes, "relation": self.relation_codes, "tail": self.entity_codes}
        once = told_once(triples, self.same)
        for name, table in tables.items():
            if lost := [v for v in once[name].unique() if v not in table]:
                raise DataError(f"{name} {min(lost)!r} was not in the graph learned from; leave such triples out")
        return np.stack([[table[v] for v in once[name]] for name, table in tables.items()], 1).astype(np.int64)

    def save(self, folder: str | Path) -> None:
        """Write the arrays as ``.npy``, the names as JSON, and checksums of both."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        save_arrays(path, {"entity": self.entity, "relation": self.relation, "level": self.level})
        names = {"entities": self.entities, "relations": self.relations, "same": dict(self.same)}
        (path / NAMES).write_text(json.dumps(names, ensure_ascii=False) + "\n", encoding="utf-8")
        seal(path, {"format": FORMAT, "kind": "graph vectors", "model": self.model})

    @classmethod
    def load(cls, folder: str | Path) -> GraphVectors:
        """Read what ``save`` wrote.

        Raises
        ------
        ArtefactError
            If the folder holds something else, or a file is missing or was changed.
        """
        path = Path(folder)
        if not (path / NAMES).is_file() or not (path / MANIFEST).is_file():
            raise ArtefactError(f"{path} holds no graph vectors (no {NAMES}); make them with warmstart graph embed")
        manifest = open_sealed(path, FORMAT, "graph vectors")
        if manifest["model"] not in MODELS:
            raise ArtefactError(f"{path} was learned by model {manifest['model']!r}; upgrade warmstart")
        names = json.loads((path / NAMES).read_text(encoding="utf-8"))
        same = {name: (kept, swapped) for name, (kept, swapped) in names["same"].items()}
        arrays = load_arrays(path)
        tables = (arrays[name] for name in ("entity", "relation", "level"))
        return cls(manifest["model"], tuple(names["entities"]), tuple(names["relations"]), same, *tables)


def _rows(array: np.ndarray) -> Any:
    # a mapped array is read-only, of which torch would warn
    return require("torch", extra="lm").from_numpy(array if array.flags.writeable else np.array(array))
