"""Items by their titles, and one item: what is stored of it, what is like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from warmstart.serve import verbs
from warmstart.serve.api_data import known_item
from warmstart.serve.pages.views.catalogue import events_of
from warmstart.serve.pages.views.listing import Named, names_of
from warmstart.serve.schemas import Placed, SimilarRequest
from warmstart.serve.service import Service
from warmstart.store.rows import Item

LIKE, HITS = 8, 50


@dataclass(frozen=True)
class ItemView:
    """What the page shows; ``met`` counts people at the fit and events since."""

    item: Item
    title: str
    fields: Sequence[tuple[str, Any]]
    met: int
    like: Sequence[Placed]


@dataclass(frozen=True)
class FoundView:
    """Items whose titles hold some words."""

    title: str
    items: Sequence[Named]


def found_items(service: Service, title: str) -> FoundView:
    """Look for words in titles; the first hits."""
    return FoundView(title, names_of(service.moment().snapshot).search(title, HITS))


def item_view(service: Service, item_id: str) -> ItemView:
    """An item by its id.

    Raises
    ------
    Problem
        404 if it is not stored.
    """
    item, moment = known_item(service, item_id), service.moment()
    catalog = moment.snapshot.fitted.catalog
    code = int(catalog.items.codes([item_id])[0])
    told = [(name, ", ".join(value) if isinstance(value, list) else value) for name, value in item.fields.items()]
    if code < 0:
        return ItemView(item, item_id, told, 0, [])
    met = int(events_of(service, moment.live.version, moment.snapshot)[code])
    like = verbs.similar(service, SimilarRequest(item_id=item_id, k=LIKE)).items
    return ItemView(item, catalog.title(code), told, met, like)
