"""A list as a page shows it: titles, sources, reasons, and how each place moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from weakref import WeakKeyDictionary

import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.serve.asker import Asker
from warmstart.serve.lines import Line, told
from warmstart.serve.live import Snapshot
from warmstart.serve.pages.views.trial import Trial
from warmstart.serve.plan import placed
from warmstart.serve.service import Moment, Service

SHORT = 60  # characters of a column's cells, in the mean, up to which they are told beside titles
FACTS = 3  # of them
CODES = ("id", "uri", "url")  # how names of columns end that say nothing to people


@dataclass(frozen=True)
class Named:
    """An item in words."""

    item_id: str
    title: str
    facts: str = ""


@dataclass(frozen=True)
class Row:
    """A place of a list.

    Parameters
    ----------
    moved
        Places it rose since the change before (negative: fell); None = it was not there.
    compared
        Whether there was a change to compare with.
    """

    rank: int
    item: Named
    source: str
    score: float
    reasons: tuple[str, ...]
    moved: int | None
    compared: bool


def listed(service: Service, moment: Moment, trial: Trial) -> tuple[Asker, tuple[Line, ...]]:
    """Who asks, and their list; nothing is logged or kept."""
    asker, _ = service.asker(trial.question, moment.fallback is None)
    places = placed(service, moment.live, moment.snapshot, asker, trial.wanted, 0.0)
    return asker, tuple(place.line for place in places)


def rows(service: Service, moment: Moment, trial: Trial, asker: Asker, lines: Sequence[Line]) -> list[Row]:
    """The lines in words, and how they moved since ``trial.before``."""
    was = {}
    if trial.before is not None:
        _, old = listed(service, moment, trial.before)
        was = {line.item_id: rank for rank, line in enumerate(old)}
    names, compared = names_of(moment.snapshot), trial.before is not None
    found = []
    reasons = told(moment.live, moment.snapshot, asker, lines)
    for rank, (line, why) in enumerate(zip(lines, reasons, strict=True), start=1):
        moved = was[line.item_id] + 1 - rank if line.item_id in was else None
        found.append(Row(rank, names[line.code], line.source, line.score, why, moved, compared))
    return found


class Names:
    """Items of a snapshot in words."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self.columns = catalog, telling(catalog)

    def __getitem__(self, code: int) -> Named:
        """An item by its code."""
        cells = [self.catalog.table[name][code] for name in self.columns]
        told = [", ".join(map(str, c)) if isinstance(c, pl.Series) else str(c).replace("|", ", ") for c in cells if c]
        return Named(self.catalog.items.ids[code], self.catalog.title(code), " · ".join(told))

    def of(self, item_id: str) -> Named:
        """An item by its id; the id alone where the catalogue lacks it."""
        code = int(self.catalog.items.codes([item_id])[0])
        return self[code] if code >= 0 else Named(item_id, item_id)

    def search(self, words: str, most: int = 8) -> list[Named]:
        """Items whose title holds these words in any case, or whose id they are."""
        asked = words.strip().casefold()
        if not asked:
            return []
        places = zip(self.catalog.titles, self.catalog.items.ids, strict=True)
        hits = (
            code for code, (title, name) in enumerate(places) if asked in title.casefold() or asked == name.casefold()
        )
        return [self[code] for code in islice(hits, most)]


KNOWN: WeakKeyDictionary[Snapshot, Names] = WeakKeyDictionary()


def names_of(snapshot: Snapshot) -> Names:
    """The names of a snapshot, made once."""
    if snapshot not in KNOWN:
        KNOWN[snapshot] = Names(snapshot.fitted.catalog)
    return KNOWN[snapshot]


def telling(catalog: Catalog) -> tuple[str, ...]:
    """Columns that are short and speak to people, those with the fewest values first.

    Examples
    --------
    >>> table = {"item_id": ["a", "b"], "title": ["Alien", "Jaws"], "year": [1979, 1975], "imdb_id": ["t1", "t2"]}
    >>> telling(Catalog(pl.DataFrame(table)))
    ('year',)
    """
    found = []
    for name in catalog.table.columns:
        if name in (ITEM_ID, "title") or name.lower().endswith(CODES):
            continue
        column = catalog.table[name]
        texts = column.cast(pl.List(pl.String)).list.join(", ") if column.dtype == pl.List else column.cast(pl.String)
        mean = texts.str.len_chars().mean()
        if isinstance(mean, float) and 0 < mean <= SHORT:
            found.append((texts.n_unique(), name))
    return tuple(name for _, name in sorted(found)[:FACTS])
