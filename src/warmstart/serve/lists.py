"""The lists a service makes: remembered until anything they depend on changes."""

from __future__ import annotations

import sys
import threading
from array import array
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from warmstart.serve.asker import Asker, digest
from warmstart.serve.batch import Batches
from warmstart.serve.lines import Line, Wanted
from warmstart.serve.live import Live, Snapshot

LINES = 20  # of a usual list; longer ones count as several


@dataclass(frozen=True)
class Packed:
    """A list as it is remembered, in a tenth of the memory; of one snapshot.

    Parameters
    ----------
    code
        int32 numbers: the items.
    score
        float64 numbers.
    source
        Experts' names, shared by all lists.
    """

    code: array[int]
    score: array[float]
    source: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Packed:
        """Of lines."""
        names = tuple(sys.intern(line.source) for line in lines)
        return cls(array("i", [line.code for line in lines]), array("d", [line.score for line in lines]), names)

    def __len__(self) -> int:
        """Lines."""
        return len(self.code)

    def lines(self, snapshot: Snapshot) -> tuple[Line, ...]:
        """The lines, as they were."""
        ids = snapshot.fitted.catalog.items.ids
        rows = zip(self.code, self.score, self.source, strict=True)
        return tuple(Line(code, ids[code], score, source) for code, score, source in rows)


class Lists:
    """Lists, and a memory of the newest of them.

    A list is remembered under all it depends on: the snapshot, what is known of the asker, what is wanted. So nothing
    has to be forgotten when an event comes, an item is added or a model changes.

    Parameters
    ----------
    size
        Lists of ``LINES`` lines that are remembered, or so many lines in longer ones; 0 = none.
    """

    def __init__(self, size: int) -> None:
        self.size, self.hits, self.misses, self.batches = size, 0, 0, Batches()
        self._kept: OrderedDict[Hashable, Packed] = OrderedDict()
        self._lines = 0
        self._lock = threading.Lock()

    def listed(
        self, live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted, deep: int | None = None
    ) -> tuple[Line, ...]:
        """The best ``deep`` items (None = ``wanted.k``) by score; fewer where fewer may be shown."""
        deep = deep or wanted.k
        rest = replace(wanted, k=deep, diversity=0.0, exclude=frozenset())
        key = (snapshot.number, asker.key, digest((sorted(wanted.exclude), rest)))
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                self.hits += 1
                return known.lines(snapshot)
            self.misses += 1
        made = self.batches.ranked(live, snapshot, asker, wanted, deep)
        with self._lock:
            self._lines += len(made) - len(self._kept.pop(key, ()))
            self._kept[key] = Packed.of(made)
            while len(self._kept) > self.size or self._lines > LINES * self.size:
                self._lines -= len(self._kept.popitem(last=False)[1])
        return made

    def forget(self) -> None:
        """Drop everything, as after an erasure."""
        with self._lock:
            self._kept.clear()
            self._lines = 0
