"""Items of the store as rows of an engine's catalogue, and back; what does not fit a column is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.store.rows import Item

BETWEEN = "|"  # between the values of a cell


def stored(catalog: Catalog) -> list[Item]:
    """The items of a catalogue as the store keeps them.

    Examples
    --------
    >>> stored(Catalog(pl.DataFrame({"item_id": ["a"], "title": ["Alien"], "year": [None]})))[0].fields
    {'title': 'Alien'}
    """
    rows = catalog.table.to_dicts()
    return [
        Item(str(r[ITEM_ID]), {c: v for c, v in r.items() if c != ITEM_ID and v not in (None, "", [])}) for r in rows
    ]


def misfit(fields: Mapping[str, Any], schema: Mapping[str, pl.DataType]) -> tuple[str, str] | None:
    """The first column whose value the catalogue cannot hold, and why; None where all fit.

    Examples
    --------
    >>> misfit({"title": "Alien", "year": "soon"}, {"title": pl.String(), "year": pl.Int64()})
    ('year', "'soon' is no number, and the catalogue's 'year' holds numbers; give a number or leave it out")
    """
    for column, value in fields.items():
        kind = schema.get(column)
        if kind is not None and kind.is_numeric() and _number(value) is None and value is not None:
            why = f"{value!r:.60} is no number, and the catalogue's {column!r} holds numbers; "
            return column, why + "give a number or leave it out"
    return None


def _number(value: object) -> float | None:
    """None also for what is not finite: no column of whole numbers holds it, and no score survives it."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _cell(value: Any, kind: pl.DataType | None) -> Any:
    if value is None or isinstance(kind, pl.List):
        return value if value is None or isinstance(value, list | tuple) else [str(value)]
    if isinstance(value, list | tuple):
        value = BETWEEN.join(str(v) for v in value)
    if kind is None or kind == pl.String:
        return value if kind is None else str(value)
    if kind.is_numeric():
        number = _number(value)
        return int(number) if number is not None and kind.is_integer() else number
    return str(value)


def cells(item: Item, schema: Mapping[str, pl.DataType]) -> dict[str, Any]:
    """The columns of an item as a catalogue of this schema writes them; columns it lacks are kept as they are.

    Examples
    --------
    >>> cells(Item("a", {"genres": ["SF", "Horror"], "year": 1979.0}), {"genres": pl.String(), "year": pl.Int64()})
    {'item_id': 'a', 'genres': 'SF|Horror', 'year': 1979}
    """
    return {ITEM_ID: item.item_id} | {c: _cell(v, schema.get(c)) for c, v in item.fields.items() if c != ITEM_ID}


def table(items: Sequence[Item], catalog: Catalog) -> pl.DataFrame:
    """Rows for ``Catalog.extended``: known columns have the catalogue's types, others the type of their values."""
    schema = catalog.table.schema
    rows = [cells(item, schema) for item in items]
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = []
    for name in names:
        values, known = [row.get(name) for row in rows], schema.get(name)
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values if v is not None)
        kind = known if known is not None else pl.Float64() if numbers else pl.String()
        told = values if known is not None or numbers else [None if v is None else str(v) for v in values]
        columns.append(pl.Series(name, told, dtype=kind, strict=False))
    return pl.DataFrame(columns)


def changed(items: Iterable[Item], catalog: Catalog) -> list[Item]:
    """Those of the items that the catalogue holds otherwise; it must hold all of them."""
    found, schema, columns = [], catalog.table.schema, [c for c in catalog.table.columns if c != ITEM_ID]
    rows = {r[ITEM_ID]: r for r in catalog.table.to_dicts()}
    for item in items:
        new, old = cells(item, schema), rows[item.item_id]
        if any((new.get(c) or None) != (old[c] or None) for c in columns) or any(c not in old for c in new):
            found.append(item)
    return found


def updated(items: Sequence[Item], catalog: Catalog) -> Catalog:
    """With other cells, and further columns, for items it holds; what a model read of them before stays as it was."""
    if not items:
        return catalog
    rows = table(items, catalog)
    further = [pl.lit(None, dtype=t).alias(c) for c, t in rows.schema.items() if c not in catalog.table.columns]
    catalog = Catalog(catalog.table.with_columns(further)) if further else catalog
    missing = [pl.lit(None, dtype=t).alias(c) for c, t in catalog.table.schema.items() if c not in rows.columns]
    rows = rows.with_columns(missing).select(catalog.table.columns)
    return Catalog(catalog.table.update(rows, on=ITEM_ID, how="left", include_nulls=True))
