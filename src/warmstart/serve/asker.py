"""Who asks: what the store and the request know of them, as the experts understand it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from warmstart.data.clean import MAX_KINDS
from warmstart.data.histories import Histories
from warmstart.data.vocab import Vocabulary
from warmstart.engine import Engine
from warmstart.fitted import Fitted
from warmstart.serve.schemas import Slice
from warmstart.store.rows import Event

UNSEEN = frozenset({"impression"})  # kinds of event after which an item is as new as before
RETRACTED = "retract"  # takes back all that was done with an item before
DISLIKED = frozenset({"dislike", "skip", RETRACTED})
RATING = "rate"


def digest(said: object) -> bytes:
    """16 bytes that differ where the ``repr`` does."""
    return hashlib.blake2b(repr(said).encode(errors="surrogatepass"), digest_size=16).digest()


def ratings_of(events: Sequence[Event]) -> dict[str, float]:
    """The last rating of each item by events from old to new; one that was retracted is none.

    Examples
    --------
    >>> told = [("a", "rate", 4.0), ("b", "rate", 2.0), ("a", "view", None), ("b", "retract", None)]
    >>> ratings_of([Event("", "u", item, kind, 0, value) for item, kind, value in told])
    {'a': 4.0}
    """
    rated: dict[str, float] = {}
    for event in events:
        if event.kind == RATING and event.value is not None:
            rated[event.item_id] = event.value
        elif event.kind == RETRACTED:
            rated.pop(event.item_id, None)
    return rated


@dataclass(frozen=True)
class Asker:
    """Somebody who asks.

    Parameters
    ----------
    user_id
        None = anonymous.
    taste
        Events that speak of taste, oldest first, the newest of each item alone.
    seen
        Ids of items that are known to them, liked or not.
    attributes
        What is known beside the events.
    text
        What is wanted, in words; empty = not said.
    rated
        The last rating of each item, whatever was done with it since.
    """

    user_id: str | None = None
    taste: tuple[Event, ...] = ()
    seen: frozenset[str] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    rated: Mapping[str, float] = field(default_factory=dict)
    _heard: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        user_id: str | None,
        events: Sequence[Event],
        attributes: Mapping[str, Any],
        text: str,
        weights: Mapping[str, float],
    ) -> Asker:
        """From events in any order; those whose weight is 0 say what was seen, and a dislike takes a liking back.

        Examples
        --------
        >>> told = [("1", "a", "view", 9), ("2", "b", "dislike", 5), ("3", "c", "view", 2)]
        >>> rows = [Event(name, "u", item, kind, time) for name, item, kind, time in told]
        >>> asker = Asker.of("u", rows, {}, "", {"dislike": 0.0})
        >>> [e.item_id for e in asker.taste], sorted(asker.seen)
        (['c', 'a'], ['a', 'b', 'c'])
        """
        liked: dict[str, Event] = {}
        seen = set[str]()
        events = sorted(events, key=lambda e: (e.time, e.seq))
        for event in events:
            weight = weights.get(event.kind, 1.0) if event.weight is None else event.weight
            weight = 0.0 if event.kind in DISLIKED else weight
            if event.kind == RETRACTED:
                seen.discard(event.item_id)
            elif event.kind not in UNSEEN:
                seen.add(event.item_id)
            if weight > 0 or event.kind in DISLIKED:
                liked.pop(event.item_id, None)
            if weight > 0:
                liked[event.item_id] = replace(event, weight=weight)
        return cls(user_id, tuple(liked.values()), frozenset(seen), attributes, text, ratings_of(events))

    @cached_property
    def key(self) -> bytes:
        """Equal for askers who are answered alike; short, as many are remembered, some of a thousand events."""
        taste = [(e.item_id, e.kind, e.time, e.value, e.weight) for e in self.taste]
        known = (sorted(self.attributes.items()), self.text, sorted(self.rated.items()))
        return digest((taste, sorted(self.seen), *known))

    def slice(self, known: int, few_shot: int) -> Slice:
        """cold, few_shot or warm, by how many events of items in the catalogue are known.

        Examples
        --------
        >>> [Asker().slice(n, 10) for n in (0, 10, 11)]
        ['cold', 'few_shot', 'warm']
        """
        return "cold" if not known else "few_shot" if known <= few_shot else "warm"

    def histories(self, engine: Engine, f: Fitted) -> Histories:
        """The one query of this asker; events of items that the catalogue lacks are left out."""
        codes = f.catalog.items.codes([e.item_id for e in self.taste])
        known = [e for e, code in zip(self.taste, codes.tolist(), strict=True) if code >= 0]
        kinds = Vocabulary([*dict.fromkeys(e.kind for e in reversed(known))][:MAX_KINDS])
        kind = kinds.codes([e.kind for e in known])
        h = replace(
            Histories.of([codes[codes >= 0]], len(f.catalog)),
            weight=np.array([e.weight for e in known], np.float32),
            kind=np.where(kind < 0, len(kinds) - 1, kind).astype(np.int8),  # of very many kinds, those of long ago
            kinds=kinds.ids,
            rating=np.array([self.rated.get(e.item_id, np.nan) for e in known], np.float32),
            time=np.array([e.time for e in known], np.int64),
        )
        if self.attributes:
            h = replace(h, attributes=self._attributes())
        return replace(h, vectors=self.vectors(engine, f)) if self.text else h

    def ratings(self, f: Fitted) -> Histories:
        """The ratings of this asker, of liked and disliked items alike, and the attributes: one query."""
        codes = f.catalog.items.codes(list(self.rated))
        value = np.array(list(self.rated.values()), np.float32)
        h = replace(Histories.of([codes[codes >= 0]], len(f.catalog)), rating=value[codes >= 0])
        return replace(h, attributes=self._attributes()) if self.attributes else h

    def _attributes(self) -> pl.DataFrame:
        return pl.DataFrame([dict(self.attributes)], strict=False)

    def vectors(self, engine: Engine, f: Fitted) -> np.ndarray:
        """What the text says, read once: float32, shape (1, dim); zero where no word of it is known."""
        place = id(engine)
        if place not in self._heard:
            assert engine.encoders is not None
            self._heard[place] = engine.encoders.typed(f.space, f.judged, [self.text])
        return self._heard[place]
