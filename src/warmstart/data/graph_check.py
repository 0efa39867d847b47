"""What may go wrong with a graph, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import polars as pl

from warmstart.data.adjacency import Adjacency
from warmstart.data.catalog import Catalog
from warmstart.data.graph import TRIPLE, KnowledgeGraph
from warmstart.data.graph_cycles import cycles
from warmstart.data.graph_relations import duplicate_pairs, inverse_pairs
from warmstart.data.graph_stats import GraphStats, graph_stats
from warmstart.data.health import Finding, Severity, disagreement
from warmstart.data.link_agreement import link_agreement
from warmstart.data.names import near_duplicates, same_spelling
from warmstart.data.path_count import HUB

SHOWN = 3  # examples a finding names
FEW_LINKED = 0.5  # share of items with facts under which a graph helps little
MANY_NAMES = 300_000  # names that are compared with each other at most: beyond, it takes minutes


@dataclass(frozen=True)
class GraphReport:
    """Numbers and findings about a graph.

    Parameters
    ----------
    stats
        Counts; see ``graph_stats``.
    findings
        Worst first.
    """

    stats: GraphStats
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Severity:
        """The highest severity among the findings."""
        return self.findings[0].severity if self.findings else "info"

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return self.stats.to_dict() | {"findings": [asdict(f) for f in self.findings], "worst": self.worst}


@dataclass(frozen=True)
class _View:
    """What the checks look at."""

    graph: KnowledgeGraph
    stats: GraphStats
    index: Adjacency
    items: pl.Series | None
    refused: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    catalog: Catalog | None = None

    def called(self, entities: list[str]) -> str:
        """Some entities by name, for a text."""
        names = self.graph.names()
        shown = ", ".join(names.get(entity, entity) for entity in entities[:SHOWN])
        return f"{shown} ..." if len(entities) > SHOWN else shown


def check_graph(
    graph: KnowledgeGraph,
    items: pl.Series | None = None,
    *,
    catalog: Catalog | None = None,
    refused: Mapping[str, int] | None = None,
    repairs: Mapping[str, int] | None = None,
) -> GraphReport:
    """Look a graph over.

    Parameters
    ----------
    graph
        Any graph.
    items
        Ids of the catalogue; without them nothing is said of links.
    catalog
        The catalogue itself, whose columns are held against what the graph ties; see ``link_agreement``.
    refused, repairs
        The account of its tables, by reason: ``"graph: triple occurs before"``.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters()
    >>> check_graph(data.graph, pl.Series(["x1", "x2"])).findings[0].name
    'no_item'
    """
    index = Adjacency.of(graph.triples)
    view = _View(graph, graph_stats(graph, items, index), index, items, refused or {}, repairs or {}, catalog)
    found = [finding for look in CHECKS for finding in look(view)]
    order = ("problem", "warning", "advice", "info")
    return GraphReport(view.stats, tuple(sorted(found, key=lambda f: order.index(f.severity))))


def _look_rows(v: _View) -> Iterator[Finding]:
    """Triples that say nothing: as refused while reading, or still there."""
    rows = v.graph.triples.select(TRIPLE)
    if not rows.height:
        yield Finding("no_triple", "problem", "the graph has no triple", "look at the rows refused, or leave it out")
        return
    seen = {
        "head, relation or tail is missing": int(rows.select(pl.any_horizontal(pl.all().is_null()).sum()).item()),
        "triple occurs before": rows.height - rows.n_unique(),
        "head is the tail": rows.filter(pl.col("head") == pl.col("tail")).height,
    }
    for reason, n in {**{k: n for k, n in v.refused.items() if n}, **{k: n for k, n in seen.items() if n}}.items():
        many = n > 0.1 * (rows.height + n)
        told = f"{n:,} rows left out: {reason}" if reason in v.refused else f"{n:,} triples say nothing: {reason}"
        yield Finding(
            "refused", "warning" if many else "info", told, "correct them where they are made" if many else ""
        )
    for what, n in v.repairs.items():
        warn = what.split(": ")[-1].startswith(("links of", "links to", "entities with", "items linked"))
        advice = "check the table of links: ids must be written alike in both" if warn else ""
        yield Finding("repair", "advice" if warn else "info", f"{what}: {n:,}", advice)


def _look_items(v: _View) -> Iterator[Finding]:
    n = v.stats.numbers
    if "items" not in n or v.items is None:
        return
    if not n["items_linked"]:
        some = v.called(v.graph.entities().head(SHOWN + 1).to_list())
        text = f"none of {n['entities']:,.0f} entities ({some}) is an item ({', '.join(v.items.head(SHOWN))} ...)"
        yield Finding("no_item", "problem", text, "link entities to items: --links FILE with item_id, entity_id")
    elif n["items_linked"] < n["items"]:
        without = v.items.filter(~v.items.is_in(list(v.index.entities.ids)))
        share = n["share_items_linked"]
        shown = ", ".join(without.head(SHOWN)) + (" ..." if len(without) > SHOWN else "")
        text = f"{len(without):,} of {n['items']:,.0f} items have no fact ({shown})"
        level: Severity = "warning" if share < FEW_LINKED else "advice"
        yield Finding("items_without_facts", level, text, "add facts of their own columns: graph build --from-columns")


def _look_links(v: _View) -> Iterator[Finding]:
    if v.catalog is not None and v.graph.triples.height:
        yield from disagreement(link_agreement(v.graph, v.catalog))


def _look_hubs(v: _View) -> Iterator[Finding]:
    item = np.zeros(len(v.index.entities), dtype=bool)
    if v.items is not None:
        codes = v.index.entities.codes(v.items.to_list())
        item[codes[codes >= 0]] = True
    hubs = np.flatnonzero((v.index.degree > HUB) & ~item)
    hubs = hubs[np.argsort(-v.index.degree[hubs], kind="stable")]
    if len(hubs):
        names = v.called(v.index.entities.names(hubs))
        text = f"{len(hubs):,} {'entity has' if len(hubs) == 1 else 'entities have'} more than {HUB} facts ({names}), "
        text += f"up to {v.index.degree[hubs[0]]:,}"
        advice = "each says little of anybody: left out of paths and walks; nothing to do unless one is a mistake"
        yield Finding("hubs", "advice", text, advice)


def _look_components(v: _View) -> Iterator[Finding]:
    n, sizes = v.stats.numbers, v.stats.components
    if n["components"] > 1:
        share = sizes[0] / n["entities"]
        text = f"{n['components']:,.0f} components; the largest has {share:.0%} of the entities"
        advice = "items of small ones share nothing with others: add relations that many have" if share < 0.5 else ""
        yield Finding("components", "advice" if share < 0.5 else "info", text, advice)


def _look_relations(v: _View) -> Iterator[Finding]:
    single = v.stats.relations.filter((pl.col("tails") == 1) & (pl.col("heads") > 1))["relation"].to_list()
    if single:
        text = f"{len(single):,} relations have one tail only ({v.called(single)}): they tell nothing apart"
        yield Finding("one_tail", "advice", text, "leave them out")
    for one, other, share in duplicate_pairs(v.graph.triples).rows():
        text = f"relations {one!r} and {other!r} hold of the same pairs ({share:.0%})"
        yield Finding("duplicate_relations", "advice", text, "keep one: facts told twice weigh twice")
    pairs = inverse_pairs(v.graph.triples)
    if pairs.height:
        shown = ", ".join(f"{a} / {b}" for a, b, _ in pairs.head(SHOWN).rows())
        more = " ..." if pairs.height > SHOWN else ""
        text = f"{pairs.height:,} pairs of relations are each other's inverse ({shown}{more})"
        yield Finding("inverses", "info", text)


def _look_cycles(v: _View) -> Iterator[Finding]:
    for relation, members, ring in cycles(v.graph.triples):
        text = (
            f"relation {relation!r} looks like an order, but {members:,} entities lie on cycles ({' -> '.join(ring)})"
        )
        yield Finding("cycle", "warning", text, "one of these triples is turned round; correct it")


def _look_names(v: _View) -> Iterator[Finding]:
    names, own = v.graph.names(), set() if v.items is None else set(v.items.to_list())
    facts = dict(zip(v.index.entities.ids, v.index.degree.tolist(), strict=True))
    counts: dict[str, int] = {}
    for entity, n in facts.items():
        name = names.get(entity, entity)
        if entity not in own and (" " in name or not any(c.isdigit() for c in name)):  # else it is an id
            counts[name] = counts.get(name, 0) + n
    if len(counts) > MANY_NAMES:
        yield Finding("names_not_compared", "info", f"{len(counts):,} names are too many to compare")
        return
    kept, same = same_spelling(counts)
    left = {name: n for name, n in counts.items() if kept[name] == name}
    merges = [*same, *near_duplicates(left)]
    if merges:
        shown = "; ".join(f"{m.merged} / {m.kept}" for m in merges[:SHOWN])
        text = f"{len(merges):,} names are nearly those of others ({shown}{' ...' if len(merges) > SHOWN else ''})"
        yield Finding("near_duplicates", "advice", text, "if they mean the same, give them one id")


CHECKS: tuple[Callable[[_View], Iterator[Finding]], ...] = (
    _look_rows,
    _look_items,
    _look_links,
    _look_hubs,
    _look_components,
    _look_relations,
    _look_cycles,
    _look_names,
)
