"""The health of the catalogue: what nobody has met, what says nothing of itself, what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.language import item_texts, languages
from warmstart.serve.live import Snapshot
from warmstart.serve.pages.charts import Chart, Series
from warmstart.serve.pages.figures import count
from warmstart.serve.pages.views.listing import Named, names_of
from warmstart.serve.pages.words import Words
from warmstart.serve.service import Service

STEPS = ((0, 0), (1, 1), (2, 5), (6, 20), (21, 100), (101, 1_000), (1_001, None))  # events an item has
SHOWN = 50  # items told by name
EXAMPLE = 60  # characters


@dataclass(frozen=True)
class ColumnHealth:
    """One column: its type, how much of it is filled, how many values, an example."""

    name: str
    kind: str
    filled: float
    values: int
    example: str


@dataclass(frozen=True)
class CatalogueView:
    """What the page shows.

    Parameters
    ----------
    cold
        Items that nobody had met when the model was fitted, and nobody has since.
    added
        Items that came after the fit.
    covered
        Share of items with a text.
    thin
        Items that are cold and have no text either: nothing speaks for them.
    """

    model: str
    items: int
    cold: int
    added: int
    hidden: int
    covered: float
    characters: float
    languages: dict[str, float]
    thin: Sequence[Named]
    cold_items: Sequence[Named]
    hidden_items: Sequence[Named]
    columns: Sequence[ColumnHealth]
    chart: Chart


def catalogue_view(service: Service, t: Words) -> CatalogueView:
    """Look the catalogue over, as it stands now."""
    moment = service.moment()
    snapshot, names = moment.snapshot, names_of(moment.snapshot)
    catalog, met = snapshot.fitted.catalog, events_of(service, moment.live.version, snapshot)
    texts = item_texts(catalog.table)
    silent = texts.is_null().to_numpy()
    cold = np.flatnonzero((met == 0) & snapshot.shown)
    bounds = [(low, np.inf if high is None else high) for low, high in STEPS]
    sizes = [float(((met >= low) & (met <= high)).sum()) for low, high in bounds]
    labels = [
        f"{low:,}+" if high is None else f"{low:,}" if low == high else f"{low:,}–{high:,}" for low, high in STEPS
    ]
    return CatalogueView(
        model=moment.live.version,
        items=len(catalog),
        cold=len(cold),
        added=len(catalog) - len(moment.live.engine.fitted.catalog),
        hidden=int((~snapshot.shown).sum()),
        covered=1.0 - float(silent.mean()) if len(silent) else 0.0,
        characters=float(texts.drop_nulls().str.len_chars().median() or 0),  # type: ignore[arg-type]
        languages=languages(texts),
        thin=[names[c] for c in cold[silent[cold]][:SHOWN].tolist()],
        cold_items=[names[c] for c in cold[:SHOWN].tolist()],
        hidden_items=[names[c] for c in np.flatnonzero(~snapshot.shown)[:SHOWN].tolist()],
        columns=columns_of(catalog),
        chart=Chart(
            t("catalogue.chart"),
            t("catalogue.events"),
            labels,
            [Series(t("page.catalogue"), sizes, "s0")],
            count,
            stacked=True,
        ),
    )


def events_of(service: Service, version: str, snapshot: Snapshot) -> np.ndarray:
    """How often each item was met: people when the model was fitted, and events since; int64, shape (n_items,)."""
    row = service.store.model(version)
    counts, _ = service.store.item_counts(0 if row is None else row.until)
    met = snapshot.fitted.counts.astype(np.int64)
    codes = snapshot.fitted.catalog.items.codes(list(counts))
    np.add.at(met, codes[codes >= 0], np.array(list(counts.values()), np.int64)[codes >= 0])
    return met


def columns_of(catalog: Catalog) -> list[ColumnHealth]:
    """The columns, the emptiest last."""
    found = []
    for name in catalog.table.columns:
        if name == ITEM_ID:
            continue
        column = catalog.table[name]
        known = column.drop_nulls()
        if column.dtype == pl.String:
            known = known.filter(known != "")
        flat = known.cast(pl.List(pl.String)).list.join(", ") if column.dtype == pl.List else known.cast(pl.String)
        example = str(flat[0]) if len(flat) else ""
        kind = "list" if column.dtype == pl.List else "number" if column.dtype.is_numeric() else "text"
        shortened = example if len(example) <= EXAMPLE else example[: EXAMPLE - 1] + "…"
        found.append(ColumnHealth(name, kind, len(known) / max(len(column), 1), flat.n_unique(), shortened))
    return sorted(found, key=lambda c: -c.filled)
