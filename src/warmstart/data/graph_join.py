"""Several graphs as one: what is the same is told once, and by the surest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from warmstart.data.graph import LABEL, TRIPLE, KnowledgeGraph
from warmstart.data.names import name_key

OPTIONAL = {"confidence": pl.Float32, "source": pl.String}


def join_graphs(graphs: Sequence[KnowledgeGraph]) -> KnowledgeGraph:
    """All triples, each once: a stated fact before one with a confidence, the higher confidence before the lower.

    Examples
    --------
    >>> rows = {"head": ["i1"], "relation": ["by"], "tail": ["Lem"]}
    >>> guess = pl.DataFrame(rows | {"confidence": [0.5]})
    >>> join_graphs([KnowledgeGraph(guess), KnowledgeGraph(pl.DataFrame(rows))]).triples.rows()
    [('i1', 'by', 'Lem', None, None)]
    """
    frames = [_with_optional(graph.triples) for graph in graphs]
    order = pl.col("confidence").fill_null(2.0)
    triples = pl.concat(frames).sort(order, descending=True, maintain_order=True)
    labels = [_with_language(graph.labels) for graph in graphs if graph.labels is not None]
    return KnowledgeGraph(
        triples.unique(TRIPLE, keep="first", maintain_order=True),
        pl.concat(labels).unique(maintain_order=True) if labels else None,
    )


def known_by_name(graph: KnowledgeGraph, names: Mapping[str, str]) -> tuple[KnowledgeGraph, int]:
    """A graph whose entities go under the ids that others have for the same name, and how many were renamed.

    Only entities that are called by their name, in two words or more, are looked at, and only names that one id has.

    Parameters
    ----------
    graph
        With names for ids, as ``graph_from_columns`` makes it.
    names
        Id -> name, of another graph.

    Examples
    --------
    >>> rows = {"head": ["i1"], "relation": ["by"], "tail": ["Ridley Scott"]}
    >>> known_by_name(KnowledgeGraph(pl.DataFrame(rows)), {"m.1": "ridley scott"})[0].triples.rows()
    [('i1', 'by', 'm.1')]
    """
    keys = {id_: name_key(name) for id_, name in names.items() if " " in name}
    met = Counter(keys.values())
    single = {key: id_ for id_, key in keys.items() if met[key] == 1}
    own = graph.entities().to_list()
    new = {name: id_ for name in own if " " in name and (id_ := single.get(name_key(name), name)) != name}
    if not new:
        return graph, 0
    renamed = graph.triples.with_columns(pl.col("head", "tail").replace(new))
    labels = None if graph.labels is None else graph.labels.with_columns(pl.col("entity").replace(new))
    return KnowledgeGraph(renamed, labels), len(new)


def _with_optional(triples: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, kind).alias(name) for name, kind in OPTIONAL.items() if name not in triples.columns]
    return triples.with_columns(missing).select(*TRIPLE, *OPTIONAL).cast({"confidence": pl.Float32})


def _with_language(labels: pl.DataFrame) -> pl.DataFrame:
    missing = [] if "language" in labels.columns else [pl.lit(None, pl.String).alias("language")]
    return labels.with_columns(missing).select(*LABEL, "language")
