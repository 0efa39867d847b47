"""RDF files -> triples of plain names: N-Triples by lines, Turtle and JSON-LD by rdflib."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from warmstart.data.decode import decode, unpack
from warmstart.data.ntriples import read_lines
from warmstart.data.rdf_names import short_names
from warmstart.data.table import Table
from warmstart.errors import DataError, require

RDF = {".nt": "N-Triples", ".ttl": "Turtle", ".jsonld": "JSON-LD"}
LABELLED_BY = tuple(
    base + name
    for base, name in (
        ("http://www.w3.org/2000/01/rdf-schema#", "label"),
        ("http://schema.org/", "name"),
        ("https://schema.org/", "name"),
        ("http://xmlns.com/foaf/0.1/", "name"),
        ("http://www.w3.org/2004/02/skos/core#", "prefLabel"),
    )
)
SCHEMA_ORG = ("http://schema.org", "https://schema.org")
LONG = 80  # characters of a literal: longer ones are texts, not values that items share
TERMS = {
    "subject": pl.String,
    "predicate": pl.String,
    "object": pl.String,
    "literal": pl.Boolean,
    "language": pl.String,
}


@dataclass(frozen=True)
class Triples(Table):
    """A table of triples with what else its file says of entities.

    Parameters
    ----------
    labels
        ``entity``, ``label``, ``language``; or None.
    iris
        ``iri`` and the ``entity`` it became, so that links may name either; or None.
    """

    labels: pl.DataFrame | None = None
    iris: pl.DataFrame | None = None


def read_rdf(raw: bytes, name: str) -> Triples:
    r"""Triples of an RDF file, by its suffix.

    Relations and entities are called by the last part of their IRI; where two would be called alike, or nothing but a
    number is left, by more of it, up to the whole. ``rdfs:label``, ``schema:name``, ``foaf:name`` and
    ``skos:prefLabel`` become labels, not triples. Other literals become entities in quotes, with their language
    (``"Drama"@en``), so that no value can be taken for an item; those of more than 80 characters are texts and are left
    out. Blank nodes are entities of their own (``_:name``).

    Raises
    ------
    DataError
        If the file cannot be read, holds no triple, or its JSON-LD refers to a context elsewhere: nothing is fetched.
    MissingExtra
        If rdflib is not installed (Turtle and JSON-LD).

    Examples
    --------
    >>> read_rdf(b'<http://x.org/Alien> <http://x.org/director> <http://x.org/Scott> .\n', "a.nt").frame.rows()
    [('Alien', 'director', 'Scott')]
    """
    suffix = next(s for s in RDF if name.lower().removesuffix(".gz").endswith(s))
    got = decode(unpack(raw, name), name)
    refused = None
    if suffix == ".nt":
        terms, refused = read_lines(got.text)
    else:
        terms = pl.DataFrame(list(_parsed(got.text, suffix, name)), schema=TERMS, orient="row")
    if not terms.height:
        raise DataError(f"{name} holds no triple of {RDF[suffix]}; check that its suffix tells its format")
    repairs = {"characters that could not be read": got.replaced} if got.replaced else {}
    table = _named(terms, name, repairs)
    return table if refused is None else Triples(table.frame, name, table.repairs, refused, table.labels, table.iris)


def _named(terms: pl.DataFrame, origin: str, repairs: dict[str, int]) -> Triples:
    """Terms under short names; labels and long literals apart."""
    is_label = pl.col("predicate").is_in(LABELLED_BY) & pl.col("literal")
    is_long = pl.col("literal") & (pl.col("object").str.len_chars() > LONG)
    is_blank = pl.col("object").str.starts_with("_:") & ~pl.col("literal")
    said = terms.filter(is_label)
    facts = terms.filter(~is_label & ~is_long)
    told = {
        "labels of entities": said.height,
        f"literals of more than {LONG} characters, left out": terms.filter(~is_label & is_long).height,
        "blank nodes, kept as entities of their own": facts.filter(is_blank)["object"].n_unique(),
    }
    entities = short_names(
        pl.concat([terms["subject"], facts.filter(~pl.col("literal"))["object"]]).unique(maintain_order=True)
    )
    relations = short_names(facts["predicate"].unique(maintain_order=True))
    quoted = pl.lit('"') + pl.col("object") + '"' + pl.coalesce(pl.lit("@") + pl.col("language"), pl.lit(""))
    short, named = entities.rename({"iri": "object", "name": "tail"}), relations.rename({"iri": "predicate"})
    frame = (
        facts.join(entities.rename({"iri": "subject", "name": "head"}), on="subject", how="left", maintain_order="left")
        .join(named.rename({"name": "relation"}), on="predicate", how="left", maintain_order="left")
        .join(short, on="object", how="left", maintain_order="left")
        .select(
            "head", "relation", pl.when("literal").then(quoted).otherwise("tail").alias("tail"), "object", "literal"
        )
    )
    values = frame.filter("literal").select(entity="tail", label="object", language=pl.lit(None, pl.String))
    own = said.join(entities, left_on="subject", right_on="iri").select(
        entity="name", label="object", language="language"
    )
    plain = entities.filter(pl.col("name").str.contains("_", literal=True) & ~pl.col("name").str.starts_with("_:"))
    words = plain.select(
        entity="name", label=pl.col("name").str.replace_all("_", " "), language=pl.lit(None, pl.String)
    ).join(own, on="entity", how="anti")
    labels = pl.concat([own, words, values]).unique(maintain_order=True)
    known = entities.select("iri", entity="name").filter(pl.col("iri") != pl.col("entity"))
    repairs = repairs | {what: n for what, n in told.items() if n}
    return Triples(frame.select("head", "relation", "tail"), origin, repairs, labels=labels, iris=known)


def _parsed(text: str, suffix: str, name: str) -> Iterator[tuple[str, str, str, bool, str | None]]:
    """Terms by rdflib; blank nodes are numbered in the order in which they come."""
    rdflib = require("rdflib", extra="graph")
    logging.getLogger("rdflib.term").setLevel(logging.ERROR)  # a literal that is no date is kept as its text
    data = json.dumps(_without_remote(_json(text, name), name)) if suffix == ".jsonld" else text
    told, store = _recorder()
    graph = rdflib.Graph(store=store)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # rdflib's, of its own classes
            graph.parse(data=data, format="json-ld" if suffix == ".jsonld" else "turtle", publicID="")
    except Exception as error:  # rdflib and its readers raise errors of many kinds
        why = " ".join(str(error).split())[:160]
        raise DataError(f"{name} is no {RDF[suffix]} ({why}); correct it, or write it again") from error
    blank: dict[Any, str] = {}
    for subject, predicate, thing in told:
        ends = [
            blank.setdefault(term, f"_:b{len(blank)}") if isinstance(term, rdflib.BNode) else str(term)
            for term in (subject, thing)
        ]
        language = thing.language if isinstance(thing, rdflib.Literal) else None
        yield ends[0], str(predicate), ends[1], isinstance(thing, rdflib.Literal), language


def _recorder() -> tuple[list[tuple[Any, Any, Any]], Any]:
    """A list of triples in the order of the file, and the store of rdflib that fills it: it keeps no index."""
    told: list[tuple[Any, Any, Any]] = []
    memory = require("rdflib.plugins.stores.memory", extra="graph").Memory

    class Recorder(memory):  # type: ignore[misc, valid-type]
        """Notes what is added, in order."""

        def add(self, triple: tuple[Any, Any, Any], context: Any, quoted: bool = False) -> None:
            told.append(triple)

    return told, Recorder()


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"{name} is no JSON-LD ({error}); correct it, or write it again") from error


def _without_remote(value: Any, name: str) -> Any:
    """The document with the context of schema.org written out; any other that would have to be fetched is refused."""
    if isinstance(value, list):
        return [_without_remote(part, name) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _context(part, name) if key == "@context" else _without_remote(part, name) for key, part in value.items()
    }


def _context(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_context(part, name) for part in value]
    if isinstance(value, str):
        if value.rstrip("/") in SCHEMA_ORG:
            return {"@vocab": f"{value.rstrip('/')}/"}
        raise DataError(
            f"{name} refers to the context {value!r}, which is not fetched; write that context into the file"
        )
    if isinstance(value, dict) and "@import" in value:
        raise DataError(
            f"{name} imports the context {value['@import']!r}, which is not fetched; write it into the file"
        )
    return _without_remote(value, name)
