"""A graph out of the texts of a catalogue: key phrases, named entities, names that are known already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.language import item_texts as text_columns
from warmstart.data.names import name_key
from warmstart.errors import ConfigError
from warmstart.text import key_phrases as phrases
from warmstart.text import mentions, named_entities
from warmstart.text.base import TextEncoder
from warmstart.text.kept_entities import kept_entities
from warmstart.text.templates import item_texts
from warmstart.text.weights import cache_home

PHRASE, WORK = "key_phrase", "mentions_work"
WAYS = ("phrases", "entities", "mentions")
SCHEMA = {
    "head": pl.String,
    "relation": pl.String,
    "tail": pl.String,
    "confidence": pl.Float32,
    "source": pl.String,
}
Tell = Callable[[str, int, int], None]  # stage, done, total
Row = tuple[str, str, str, float, str]


@dataclass(frozen=True)
class TextGraphSettings:
    """What is taken out of texts, and how.

    Parameters
    ----------
    ways
        Of ``"phrases"`` (KeyBERT), ``"entities"`` (spaCy, rjieba), ``"mentions"`` (names the graph knows).
    phrases
        Which phrases.
    model
        The spaCy pipeline.
    template
        Text of an item (``templates.item_texts``); None = its title and description alone.
    least_items
        Items that must share a named entity: what one item alone names ties it to nothing.
    """

    ways: tuple[str, ...] = WAYS
    phrases: phrases.PhraseSettings = field(default_factory=phrases.PhraseSettings)
    model: str = named_entities.MODEL
    template: str | None = None
    least_items: int = 2

    def __post_init__(self) -> None:
        strange = [way for way in self.ways if way not in WAYS]
        if strange or not self.ways:
            raise ConfigError(f"ways={','.join(self.ways)!r} is none of {', '.join(WAYS)}; give one or several of them")


def graph_from_text(
    catalog: Catalog,
    encoder: TextEncoder | None = None,
    known: Mapping[str, str] | None = None,
    settings: TextGraphSettings | None = None,
    tell: Tell | None = None,
) -> tuple[KnowledgeGraph, dict[str, int]]:
    """Triples item, ``key_phrase`` or ``mentions...``, name, each with ``confidence`` in (0, 1] and ``source``.

    The source is ``text:`` and the library: keybert, spacy, rjieba, ahocorasick. What is written as the name of a known
    entity becomes that one. Work that was broken off is taken up again from the cache.

    Parameters
    ----------
    catalog
        Whose texts are read.
    encoder
        For key phrases; needed if they are wanted.
    known
        Entity -> name of what the graph has already, items included.
    settings
        None = the defaults.
    tell
        Progress by stage.

    Returns
    -------
    tuple[KnowledgeGraph, dict[str, int]]
        The graph, and what else is worth knowing, with counts.

    Raises
    ------
    ConfigError
        If key phrases are wanted and there is no encoder.
    MissingExtra
        If a library that is needed is not installed.
    """
    settings, known = settings or TextGraphSettings(), known or {}
    texts, ids = item_texts(catalog, settings.template) if settings.template else written(catalog), catalog.items.ids
    told: Counter[str] = Counter()
    rows: list[Row] = []
    if "entities" in settings.ways:
        named = kept_entities(texts, cache_home() / "graph", settings.model, _stage(tell, "named entities"))
        rows += _resolved(
            [(item, *m) for item, row in zip(ids, named, strict=True) for m in row], known, ids, settings, told
        )
    if "phrases" in settings.ways:
        one = _by_key({**{tail: tail for _, _, tail, _, _ in rows}, **known}, ids)
        found = _phrases(texts, encoder, settings, tell)
        source = f"text:{phrases.LIBRARY}"
        pairs = [(item, *hit) for item, row in zip(ids, found, strict=True) for hit in row]
        rows += [(item, PHRASE, one.get(name_key(phrase), phrase), sure, source) for item, phrase, sure in pairs]
    if "mentions" in settings.ways and known:
        seen, passed = mentions.find_mentions(texts, known, _stage(tell, "known names"))
        told["names that two entities have, looked for in no text"] = passed
        source = f"text:{mentions.LIBRARY}"
        pairs = [(item, *hit) for item, row in zip(ids, seen, strict=True) for hit in row]
        rows += [(item, mentions.RELATION, entity, sure, source) for item, entity, sure in pairs if entity != item]
    return _graph(rows, set(ids)), dict(+told)


def _phrases(
    texts: Sequence[str], encoder: TextEncoder | None, settings: TextGraphSettings, tell: Tell | None
) -> list[list[tuple[str, float]]]:
    if encoder is None:
        raise ConfigError("key phrases need an encoder; give one, or leave phrases out of the ways")
    return phrases.key_phrases(texts, encoder, settings.phrases, _stage(tell, "key phrases"))


def _by_key(names: Mapping[str, str], items: Sequence[str]) -> dict[str, str]:
    """Key of a name -> the entity that has it, items left out."""
    own = set(items)
    return {name_key(name): entity for entity, name in names.items() if entity not in own}


def written(catalog: Catalog) -> list[str]:
    """Title, description and the like of each item, ``""`` where there is none; other columns are facts already."""
    return text_columns(catalog.table).fill_null("").to_list()


def _resolved(
    mentions_: list[tuple[str, str, str, float, str]],
    known: Mapping[str, str],
    ids: Sequence[str],
    settings: TextGraphSettings,
    told: Counter[str],
) -> list[Row]:
    """Named entities under the id of a known one of the same name; new ones only where several items share them.

    Names of one word are never taken for known ones, and titles only where a work is meant: Paris is mostly the city.
    """
    items = set(ids)
    entity = {name_key(name): id_ for id_, name in known.items() if " " in name}
    shared = Counter(name_key(name) for _, _, name, _, _ in mentions_)
    spelled: dict[str, str] = {}
    rows: list[Row] = []
    for item, relation, name, sure, library in mentions_:
        key = name_key(name)
        if key in entity and (entity[key] not in items or relation == WORK):
            if entity[key] != item:
                rows.append((item, relation, entity[key], sure, f"text:{library}"))
        elif shared[key] >= settings.least_items:
            rows.append((item, relation, spelled.setdefault(key, name), sure, f"text:{library}"))
        else:
            told[f"named entities that fewer than {settings.least_items} items share, left out"] += 1
    return rows


def _graph(rows: list[Row], items: set[str]) -> KnowledgeGraph:
    """Each triple once, by the surest source; a phrase that an item has as its id is named with its relation."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    new = ~pl.col("source").eq(f"text:{mentions.LIBRARY}") & pl.col("tail").is_in(list(items))
    phrase = new & (pl.col("relation") == PHRASE)
    frame = frame.with_columns(
        pl.when(phrase).then(pl.col("relation") + ":" + pl.col("tail")).otherwise("tail").alias("tail")
    )
    best = frame.sort("confidence", descending=True, maintain_order=True)
    return KnowledgeGraph(best.unique(["head", "relation", "tail"], keep="first", maintain_order=True))


def _stage(tell: Tell | None, name: str) -> Callable[[int, int], None] | None:
    return None if tell is None else lambda done, total: tell(name, done, total)
