"""Where triples come from: any table, an RDF file, or a folder that ``warmstart graph build`` wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from warmstart.data.graph import LABEL
from warmstart.data.ids import id_text
from warmstart.data.rdf import RDF, Triples, read_rdf
from warmstart.data.readers import File, Source, read_table
from warmstart.data.table import Table
from warmstart.errors import DataError

STEMS = ("graph", "kg", "triples")
SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".csv.gz", *RDF, ".kg")
BESIDE = "_labels"  # graph_labels.csv beside graph.csv names its entities


def read_triples(source: Source) -> Table:
    """A table of triples: whatever ``read_table`` takes, RDF (.nt, .ttl, .jsonld, also .gz), or a folder with a graph.

    A file ``NAME_labels`` of the same kind beside the triples (columns ``entity``, ``label``, maybe ``language``) names
    their entities.

    Raises
    ------
    DataError
        If there is no such file, or it is not what its name says.

    Examples
    --------
    >>> read_triples({"head": ["i1"], "relation": ["by"], "tail": ["Lem"]}).frame.rows()
    [('i1', 'by', 'Lem')]
    """
    path = source.path if isinstance(source, File) else source
    if not isinstance(path, str | Path) or (isinstance(path, str) and path.startswith("sql:")):
        return read_table(source)
    place = Path(path)
    if place.is_dir():
        place = _inside(place)
    if place.name.lower().removesuffix(".gz").endswith(tuple(RDF)):
        return _read_rdf(place)
    table = read_table(replace(source, path=place) if isinstance(source, File) else place)
    stem, dot, suffix = place.name.partition(".")
    beside = place.with_name(f"{stem}{BESIDE}{dot}{suffix}")
    return table if not beside.is_file() else _with_labels(table, read_table(beside))


def _read_rdf(path: Path) -> Triples:
    if not path.is_file():
        raise DataError(f"there is no file '{path}'; check the path")
    try:
        return read_rdf(path.read_bytes(), path.name)
    except OSError as error:
        raise DataError(f"'{path}' cannot be read ({error.strerror}); check its permissions") from error


def _inside(folder: Path) -> Path:
    found = [path for stem in STEMS for suffix in SUFFIXES if (path := folder / (stem + suffix)).is_file()]
    if not found:
        raise DataError(f"'{folder}' holds no graph (graph.parquet, kg.csv ...); give the file of triples itself")
    return found[0]


def _with_labels(table: Table, labels: Table) -> Triples:
    missing = [name for name in LABEL if name not in labels.frame.columns]
    if missing:
        raise DataError(f"{labels.origin} has no column {missing[0]!r}; it has {labels.frame.columns}; rename one")
    frame = labels.frame.with_columns(id_text(labels.frame["entity"]), pl.col("label").cast(pl.String))
    language = pl.col("language").cast(pl.String) if "language" in frame.columns else pl.lit(None, pl.String)
    kept = frame.select(*LABEL, language.alias("language")).drop_nulls(LABEL)
    return Triples(table.frame, table.origin, table.repairs, table.refused, labels=kept)
