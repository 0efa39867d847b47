"""A graph out of a catalogue's own columns: an entity a value, a relation a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl
from rapidfuzz import fuzz, process

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.cells import cell_texts, cut_names, find_separator, split_cell
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_ranges import range_facts, ties
from warmstart.data.names import Merge, near_duplicates, same_spelling
from warmstart.errors import ConfigError, DataError

ACROSS = "across columns"  # the column that merges between columns are told under
MERGE_COLUMNS = {
    "column": pl.String,
    "kept": pl.String,
    "merged": pl.String,
    "why": pl.String,
    "score": pl.Float64,
    "kept_count": pl.Int64,
    "merged_count": pl.Int64,
}


@dataclass(frozen=True)
class ColumnSettings:
    """How cells become entities.

    Parameters
    ----------
    separators
        Column -> what separates its values, where that is not to be found out; ``""`` = each cell is one value.
    merge
        Whether rarer names that are near a commoner one of the column become that one (``names.near_duplicates``).
        Spellings that differ in case, accents or punctuation become one either way.
    threshold
        Least likeness for that, 50..100 (``rapidfuzz.fuzz.ratio``).
    repair_cut
        Whether names cut off at the end of a cell are completed, or dropped where several could be meant.
    inverses
        Whether every triple is told from its tail, too, as ``inverse:COLUMN``.
    ranges
        Ranges with about as many items each, one of which every number is told as besides (``COLUMN_range``); 0 = none.
    ties
        Ranges of how many other items an item's values are values of, told for every column of text (``COLUMN_ties``):
        whose people are known from other items is itself better known; 0 = none.
    """

    separators: Mapping[str, str] = field(default_factory=dict)
    merge: bool = True
    threshold: float = 90.0
    repair_cut: bool = True
    inverses: bool = False
    ranges: int = 0
    ties: int = 0

    def __post_init__(self) -> None:
        if min(self.ranges, self.ties) < 0 or 1 in (self.ranges, self.ties):
            raise ConfigError(f"ranges={self.ranges}, ties={self.ties}: take 2 ranges or more of each, or 0 for none")
        if not 50 <= self.threshold <= 100:
            raise ConfigError(f"threshold={self.threshold:g} is not within 50 to 100; 90 lets one slip a word pass")

    @property
    def made(self) -> tuple[str, ...]:
        """What relations of ranges are called after their column."""
        return ("range",) * bool(self.ranges) + ("ties",) * bool(self.ties)


@dataclass(frozen=True)
class BuiltGraph:
    """A graph, and what was done to get it.

    Parameters
    ----------
    graph
        The triples, with ``source``, and labels where an entity's id is not its name.
    merges
        Every merge: ``column``, ``kept``, ``merged``, ``why`` (``"spelling"``, ``"near"``, ``"cut"``; a cut name that
        could be several has ``kept`` null and was dropped), ``score`` (0..100), ``kept_count``, ``merged_count``.
    separators
        Column -> what separated its values, null where each cell was one.
    told
        What else is worth knowing, with counts.
    """

    graph: KnowledgeGraph
    merges: pl.DataFrame
    separators: Mapping[str, str | None] = field(default_factory=dict)
    told: Mapping[str, int] = field(default_factory=dict)


def graph_from_columns(
    items: Catalog | pl.DataFrame, columns: Sequence[str], settings: ColumnSettings | None = None
) -> BuiltGraph:
    """Triples item, column, value out of a catalogue's own columns.

    Multi-valued cells are split (``cells.find_separator``), names tidied (Unicode NFKC, blanks) and joined where they
    mean the same. The same name in two columns is one entity: who directs and acts is one person. A number is named
    with its column (``year:1995``), and so is a name that an item has as its id; labels keep the plain value.

    Parameters
    ----------
    items
        A catalogue, or a frame with ``item_id``.
    columns
        Whose values become entities; the relation is called as the column.
    settings
        None = the defaults.

    Raises
    ------
    DataError
        If a column is not there or holds no value; the nearest names are told.

    Examples
    --------
    >>> films = pl.DataFrame({"item_id": ["a", "b"], "genre": ["Drama|Crime", "crime"], "year": [1995, None]})
    >>> graph_from_columns(films, ["genre", "year"]).graph.triples.drop("source").rows()
    [('a', 'genre', 'Drama'), ('a', 'genre', 'Crime'), ('b', 'genre', 'Crime'), ('a', 'year', 'year:1995')]
    """
    table = items.table if isinstance(items, Catalog) else items
    settings = settings or ColumnSettings()
    _check(table, columns, settings)
    read = [_Column.of(table, name, settings) for name in dict.fromkeys(columns)]
    spelled, across = _across(read)
    graph, clashes = _named(table[ITEM_ID].to_list(), read, spelled)
    graph = _ranged(graph, table, read, spelled, settings)
    told = Counter({"names that are an item's id, named with their column": clashes})
    for column in read:
        told.update(column.told)
    merges = pl.concat([*(column.merges for column in read), across])
    marks = {column.name: column.separator for column in read}
    return BuiltGraph(graph.with_inverses() if settings.inverses else graph, merges, marks, +told)


def _named(items: Sequence[str], read: Sequence[_Column], spelled: Mapping[str, str]) -> tuple[KnowledgeGraph, int]:
    """Triples of all columns, and how many names had to be told from an item's id."""
    ids = set(items)
    rows: list[tuple[str, str, str]] = []
    labels: dict[str, str] = {}
    for column in read:
        for item, names in zip(items, column.values, strict=True):
            for name in dict.fromkeys(spelled[name] for name in names):
                entity = f"{column.name}:{name}" if column.numeric or name in ids else name
                if entity != name:
                    labels[entity] = name
                rows.append((item, column.name, entity))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("head", "relation", "tail"), pl.String), orient="row")
    frame = frame.with_columns(source=pl.concat_str(pl.lit("column:"), pl.col("relation"))).unique(maintain_order=True)
    named = pl.DataFrame({"entity": list(labels), "label": list(labels.values())}) if labels else None
    return KnowledgeGraph(frame, named), sum(name in ids for name in labels.values())


def _ranged(
    graph: KnowledgeGraph,
    table: pl.DataFrame,
    read: Sequence[_Column],
    spelled: Mapping[str, str],
    settings: ColumnSettings,
) -> KnowledgeGraph:
    """With numbers told as ranges, and with how many others the values of a text column tie an item to."""
    items, found = table[ITEM_ID].to_list(), []
    for column in read:
        if column.numeric and settings.ranges:
            values = table[column.name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
            if table[column.name].drop_nulls().n_unique() > settings.ranges:  # fewer are ranges of their own
                found.append(range_facts(items, column.name, "range", values, settings.ranges))
        elif settings.ties and not column.numeric:
            others = ties([[spelled[value] for value in row] for row in column.values])
            found.append(range_facts(items, column.name, "ties", others, settings.ties))
    if not found:
        return graph
    labels = [] if graph.labels is None else [graph.labels]
    return replace(
        graph,
        triples=pl.concat([graph.triples, *(facts for facts, _ in found)]),
        labels=pl.concat([*labels, *(names for _, names in found)]),
    )


@dataclass(frozen=True)
class _Column:
    """The values of one column, row by row, with what was merged."""

    name: str
    values: list[list[str]]
    numeric: bool
    separator: str | None
    merges: pl.DataFrame
    told: Mapping[str, int]

    @classmethod
    def of(cls, table: pl.DataFrame, name: str, settings: ColumnSettings) -> _Column:
        cells, mark = cell_texts(table[name])
        numeric = table[name].dtype.is_numeric()
        if not numeric:
            given = settings.separators.get(name)
            mark = (given or None) if given is not None else mark or find_separator(cells)
        values = [split_cell(cell, mark) for cell in cells]
        if not any(values):
            raise DataError(f"column {name!r} holds no value; leave it out")
        cut = cut_names(cells, values) if settings.repair_cut and mark else {}
        counts = Counter(value for row in values for value in row)
        values = [[whole for value in row if (whole := cut.get(value, value)) is not None] for row in values]
        kept, merges = _joined(Counter(value for row in values for value in row), settings, numeric)
        values = [[kept[value] for value in row] for row in values]
        repaired = [_cut(name, short, whole, counts) for short, whole in cut.items()]
        frame = pl.DataFrame([*_rows(name, merges), *repaired], schema=MERGE_COLUMNS, orient="row")
        dropped = sum(counts[short] for short, whole in cut.items() if whole is None)
        return cls(name, values, numeric, mark, frame, {f"{name}: names cut off at a cell's end, dropped": dropped})


def _joined(counts: Mapping[str, int], settings: ColumnSettings, numeric: bool) -> tuple[dict[str, str], list[Merge]]:
    """Name -> the name it becomes within its column."""
    if numeric:
        return {name: name for name in counts}, []
    kept, merges = same_spelling(counts)
    if settings.merge:
        left: Counter[str] = Counter()
        for name, n in counts.items():
            left[kept[name]] += n
        near = near_duplicates(left, settings.threshold)
        into = {merge.merged: merge.kept for merge in near}
        kept = {name: into.get(best, best) for name, best in kept.items()}
        merges = [*merges, *near]
    return kept, merges


def _across(columns: Sequence[_Column]) -> tuple[dict[str, str], pl.DataFrame]:
    """Name -> its commonest spelling among all columns of text, and what that merged."""
    counts = Counter(value for column in columns if not column.numeric for row in column.values for value in row)
    same, merges = same_spelling(counts)
    numbers = {value: value for column in columns if column.numeric for row in column.values for value in row}
    return numbers | same, pl.DataFrame(_rows(ACROSS, merges), schema=MERGE_COLUMNS, orient="row")


def _rows(column: str, merges: Sequence[Merge]) -> list[tuple[str, str, str, str, float, int, int]]:
    return [(column, m.kept, m.merged, m.why, round(m.score, 1), m.kept_count, m.merged_count) for m in merges]


def _cut(
    column: str, short: str, whole: str | None, counts: Mapping[str, int]
) -> tuple[str, str | None, str, str, float | None, int, int]:
    score = None if whole is None else round(float(fuzz.ratio(short, whole)), 1)
    return column, whole, short, "cut", score, 0 if whole is None else counts[whole], counts[short]


def _check(table: pl.DataFrame, columns: Sequence[str], settings: ColumnSettings) -> None:
    if ITEM_ID not in table.columns:
        raise DataError(f"the table of items has no column {ITEM_ID!r}; it has {table.columns[:20]}; rename one")
    if not columns:
        raise DataError("no column was named; name those whose values are to be entities, e.g. directors,genres")
    made = {f"{name}_{kind}" for name in columns for kind in settings.made}
    if clash := made & set(columns):
        raise DataError(f"column {min(clash)!r} is called as a relation of ranges would be; rename it, or ask for none")
    for name in (*columns, *settings.separators):
        if name not in table.columns or name == ITEM_ID:
            near = [found for found, _, _ in process.extract(name, table.columns, limit=3, score_cutoff=50)]
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {table.columns[:20]}"
            raise DataError(f"the table of items has no column {name!r} to make entities of; {hint}")
