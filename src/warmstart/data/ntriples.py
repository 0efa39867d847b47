"""N-Triples, line by line: millions of triples without a store of RDF terms in memory."""

from __future__ import annotations

import re

import polars as pl

LINE = (
    r"^[ \t]*(?:<(?P<s_iri>[^<>\x22{}|^`\x00-\x20]*)>|(?P<s_blank>_:[^\s<>\x22]+))"
    r"[ \t]*<(?P<p_iri>[^<>\x22{}|^`\x00-\x20]*)>"
    r"[ \t]*(?:<(?P<o_iri>[^<>\x22{}|^`\x00-\x20]*)>|(?P<o_blank>_:[^\s<>\x22]+?)"
    r"|\x22(?P<o_text>(?:[^\x22\\\n\r]|\\.)*)\x22(?:@(?P<language>[A-Za-z]+(?:-[A-Za-z0-9]+)*)|\^\^<[^<>]*>)?)"
    r"[ \t]*\.[ \t]*(?:#.*)?$"
)
ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
PLAIN = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
SHOWN = 200  # characters of a refused line that are kept


def read_lines(text: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    r"""Terms of every line, and the lines that are no triple.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        ``subject``, ``predicate``, ``object`` (IRIs, ``_:name``, or a literal's text), ``literal`` (whether the object
        is one) and ``language`` (null = none); and ``row`` (the line's number), ``reason``, ``text``.

    Examples
    --------
    >>> read_lines('<x:a> <x:title> "Alien"@en .\nnonsense\n')[0].rows()
    [('x:a', 'x:title', 'Alien', True, 'en')]
    """
    lines = pl.DataFrame({"line": [text]}).select(pl.col("line").str.split("\n").explode().str.strip_suffix("\r"))
    lines = lines.with_row_index("row", offset=1)
    lines = lines.filter(~pl.col("line").str.contains(r"^\s*(#.*)?$"))
    found = lines.select("row", "line", pl.col("line").str.extract_groups(LINE).alias("term")).unnest("term")
    wrong = found.filter(pl.col("p_iri").is_null())
    right = found.filter(pl.col("p_iri").is_not_null()).select(
        pl.coalesce("s_iri", "s_blank").alias("subject"),
        pl.col("p_iri").alias("predicate"),
        pl.coalesce("o_iri", "o_blank", "o_text").alias("object"),
        pl.col("o_text").is_not_null().alias("literal"),
        pl.col("language").str.to_lowercase(),
    )
    refused = wrong.select(
        pl.col("row").cast(pl.Int64),
        pl.lit("the line is no triple of N-Triples").alias("reason"),
        pl.col("line").str.slice(0, SHOWN).alias("text"),
    )
    return right.with_columns(_plain(right[name]) for name in ("subject", "predicate", "object")), refused


def _plain(column: pl.Series) -> pl.Series:
    r"""Escapes such as ``\u00e9`` and ``\"`` as the characters they mean."""
    escaped = column.str.contains("\\", literal=True)
    if not escaped.any():
        return column
    repaired = pl.Series(column.name, [ESCAPE.sub(_meant, text) for text in column.filter(escaped)], dtype=pl.String)
    return column.scatter(escaped.arg_true(), repaired)


def _meant(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    if number:
        code = int(number, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return PLAIN.get(found[3], found[3])
