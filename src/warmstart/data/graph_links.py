"""Which entity of a graph is which item; what does not fit is counted, never decided in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from warmstart.data.columns import Columns, map_columns
from warmstart.data.ids import id_text
from warmstart.data.table import Table

NOT_LINKED = "entity:"  # before an entity that has an item's id by chance


@dataclass(frozen=True)
class Links:
    """Entities that are items.

    Parameters
    ----------
    pairs
        ``entity_id`` (each once) and ``item_id``.
    refused
        ``row`` (1-based) and ``reason``.
    repairs
        What else was seen, with counts.
    """

    pairs: pl.DataFrame
    refused: pl.DataFrame
    repairs: Mapping[str, int] = field(default_factory=dict)


def read_links(table: Table, columns: Columns | None = None) -> Links:
    """Links of a table; of an entity that is linked to two items the first link counts, and the others are refused.

    An item linked to several entities is taken for all of them: their triples become its own.

    Examples
    --------
    >>> rows = {"item_id": [7, 8, 7, None], "entity_id": ["m.1", "m.1", "m.2", "m.3"]}
    >>> links = read_links(Table(pl.DataFrame(rows), "links.csv"))
    >>> links.pairs.rows(), links.refused.rows()
    ([('m.1', '7'), ('m.2', '7')], [(2, 'entity is linked to another item before'), (4, 'item or entity is missing')])
    """
    names = map_columns(table, "links", columns)
    pairs = pl.DataFrame([id_text(table.frame[names[name]]).alias(name) for name in ("entity_id", "item_id")])
    wrong = pairs.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"),
        pl.when(pl.any_horizontal(pl.all().is_null()))
        .then(pl.lit("item or entity is missing"))
        .when(~pl.struct("entity_id", "item_id").is_first_distinct())
        .then(pl.lit("link occurs before"))
        .when(~pl.col("entity_id").is_first_distinct())
        .then(pl.lit("entity is linked to another item before"))
        .alias("reason"),
    )
    kept = pairs.filter(wrong["reason"].is_null())
    several = kept.group_by("item_id").len().filter(pl.col("len") > 1).height
    told = {"items linked to two entities or more, whose facts they share": several} if several else {}
    return Links(kept, wrong.drop_nulls("reason"), told)


def work_in(
    triples: pl.DataFrame, links: Links, items: pl.Series | None = None, iris: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Triples whose linked entities carry their item's id.

    An entity that has the id of an item without being linked to it is not that item: it is renamed ``entity:ID``,
    provided the links name entities of this graph at all.

    Parameters
    ----------
    triples
        ``head``, ``relation``, ``tail``.
    links
        As read.
    items
        Ids of the catalogue, or None where it is not known.
    iris
        ``iri`` and ``entity``: links may name an entity by either.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]
        The triples; ``entity_id`` and ``name`` of every entity renamed; counts of what was done and what did not fit.

    Examples
    --------
    >>> kg = pl.DataFrame({"head": ["m.1"], "relation": ["by"], "tail": ["7"]})
    >>> links = read_links(Table(pl.DataFrame({"item_id": [7], "entity_id": ["m.1"]}), "links.csv"))
    >>> work_in(kg, links, pl.Series(["7"]))[0].rows()
    [('7', 'by', 'entity:7')]
    """
    pairs = links.pairs
    if iris is not None and iris.height:
        short = pairs.join(iris, left_on="entity_id", right_on="iri", how="left", maintain_order="left")
        pairs = short.select(pl.coalesce("entity", "entity_id").alias("entity_id"), "item_id").unique(
            "entity_id", keep="first", maintain_order=True
        )
    entities = pl.concat([triples["head"], triples["tail"]]).drop_nulls().unique().to_frame("entity_id")
    used = pairs.join(entities, on="entity_id", how="semi", maintain_order="left")
    told = {
        "entities that are items": used.height,
        "links of entities that are not in the graph": pairs.height - used.height,
    }
    names = used.rename({"item_id": "name"})
    if items is not None:
        ids = items.unique().to_frame("item_id")
        told["links to items that are not in the catalogue"] = used.join(ids, on="item_id", how="anti").height
        if used.height:
            chance = entities.join(ids, left_on="entity_id", right_on="item_id", how="semi")
            chance = chance.join(used, on="entity_id", how="anti").sort("entity_id")
            told["entities with an item's id but no link to it, renamed entity:ID"] = chance.height
            names = pl.concat([names, chance.with_columns(name=pl.lit(NOT_LINKED) + pl.col("entity_id"))])
    renamed = triples
    for end in ("head", "tail"):
        renamed = renamed.with_columns(_renamed(renamed[end], names))
    return renamed, names, {what: n for what, n in told.items() if n}


def _renamed(column: pl.Series, names: pl.DataFrame) -> pl.Series:
    return column.replace(names["entity_id"], names["name"]) if names.height else column
