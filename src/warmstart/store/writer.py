"""One thread that writes for all: what arrives together is kept by one commit."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from warmstart.errors import Busy, DataError, StoreUnavailable
from warmstart.store.answers import keep
from warmstart.store.append import append, rows_of
from warmstart.store.erased import DAY
from warmstart.store.rows import Answer, Event
from warmstart.store.store import Store

GATHER = 0.05  # seconds for answers to gather, where nobody waits
RETRY = 0.5  # seconds until answers that could not be written are tried again


@dataclass
class _Job:
    """Rows of one call, and whom to tell; without rows, when all that was given before has had its turn."""

    events: list[dict[str, object]] = field(default_factory=list)
    answers: Sequence[Answer] = ()
    done: Future[int] = field(default_factory=Future)
    given: float = field(default_factory=time.monotonic)

    def __len__(self) -> int:
        return len(self.events) + sum(1 + len(answer.items) for answer in self.answers)


class Writer:
    """Group commit: a thread takes all calls that wait and writes them in one transaction.

    A commit waits for the disk; sharing it lets many small calls be as quick as one large one. Events are acknowledged
    when they are on the disk. Answers are not waited for: while the database is away they are kept in memory, for a day
    at most and as many as ``capacity`` allows, and written when it is back. An answer counts as a row and one more for
    each of its places, for long answers take more memory than short ones.

    Parameters
    ----------
    store
        Where to write; stays open when the writer is closed.
    capacity
        Rows that may wait.
    group
        Rows a transaction takes at most, if more than one call waits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Store.open(f"{folder}/store.db") as store:
    ...     with Writer(store) as writer:
    ...         writer.events([Event("e1", "ann", "alien", "click", 1_700_000_000)])
    1
    """

    def __init__(self, store: Store, capacity: int = 200_000, group: int = 20_000) -> None:
        self.store, self.capacity, self.group = store, capacity, group
        self.lost = 0  # answers that could not be written within a day, or before the writer was closed
        self._waiting: deque[_Job] = deque()
        self._rows = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="warmstart-writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Rows that wait."""
        return self._rows

    def events(self, events: Sequence[Event]) -> int:
        """Append events, and wait until they are on the disk; how many are new.

        Raises
        ------
        Busy
            If too many rows wait already; nothing was taken.
        StoreUnavailable
            If the database cannot write; nothing was kept.
        DataError
            If one of them can never be stored; nothing of this call was kept.
        """
        return self.submit(events).result()

    def submit(self, events: Sequence[Event]) -> Future[int]:
        """As ``events``, for those who wait in another way: the future ends when the events are on the disk."""
        return self._put(_Job(events=rows_of(events))).done

    def answers(self, answers: Sequence[Answer]) -> None:
        """Keep answers soon, without waiting.

        Raises
        ------
        Busy
            If too many rows wait already; nothing was taken.
        """
        self._put(_Job(answers=tuple(answers)))

    def flush(self) -> None:
        """Wait until all that was given before is written, was refused, or could not be written now.

        What others give meanwhile is not waited for, nor a database that is away: answers go on waiting for it.
        """
        with suppress(StoreUnavailable, DataError):
            self._put(_Job()).done.result()

    def close(self) -> None:
        """Write what waits, and stop. Answers are tried once more; those that still fail are counted in ``lost``."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _put(self, job: _Job) -> _Job:
        with self._changed:
            if self._closed:
                raise Busy("the writer is closed; the service is shutting down: send it again when it is back")
            if len(job) and self._rows and self._rows + len(job) > self.capacity:
                raise Busy(f"{self._rows:,} rows wait to be written already; send them again in a second, or fewer")
            self._waiting.append(job)
            self._rows += len(job)
            if not job.answers or len(self._waiting) == 1:
                self._changed.notify_all()
        return job

    def _run(self) -> None:
        while jobs := self._take():
            again = self._write(jobs)
            with self._changed:
                self._put_back(again)
                self._rows -= sum(len(job) for job in jobs) - sum(len(job) for job in again)
                self._changed.notify_all()
            if again:
                self._pause()

    def _put_back(self, again: list[_Job]) -> None:
        """Answers to be tried again: before the others, and behind the events that came meanwhile, whose senders wait.

        Who flushes is told: the database is away.
        """
        if not again:
            return
        events = [job for job in self._waiting if job.events]
        answers = [job for job in self._waiting if job.answers]
        for job in self._waiting:
            if not len(job):
                job.done.set_result(0)
        self._waiting = deque([*events, *again, *answers])

    def _take(self) -> list[_Job]:
        """The calls of the next transaction; none when the writer is closed and all is written.

        Answers, for which nobody waits, are let gather for a moment: whoever asked has theirs sooner.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._changed.wait_for(self._urgent, GATHER)
            jobs: list[_Job] = []
            rows = 0
            while self._waiting and (not jobs or rows + len(self._waiting[0]) <= self.group):
                jobs.append(self._waiting.popleft())
                rows += len(jobs[-1])
            return jobs

    def _urgent(self) -> bool:
        return self._closed or any(not job.answers for job in self._waiting)

    def _write(self, jobs: list[_Job]) -> list[_Job]:
        """Write calls, and say to each how it went; those to try again."""
        try:
            with self.store.database.write() as connection:
                counts = [append(connection, job.events) for job in jobs]
                keep(connection, [answer for job in jobs for answer in job.answers])
        except DataError as error:
            if len(jobs) > 1:  # one of them spoils the others: each by itself
                return [again for job in jobs for again in self._write([job])]
            return self._failed(jobs, error)
        except Exception as error:  # whoever waits must hear of it
            return self._failed(jobs, error)
        for job, count in zip(jobs, counts, strict=True):
            job.done.set_result(count)
        return []

    def _failed(self, jobs: list[_Job], error: Exception) -> list[_Job]:
        retried = isinstance(error, StoreUnavailable) and not self._closed
        since = time.monotonic() - DAY  # longer it is not remembered whose answers must not be written any more
        again = [job for job in jobs if job.answers and retried and job.given > since]
        for job in jobs:
            if job.answers and job not in again:
                self.lost += len(job.answers)
            if job not in again:
                job.done.set_exception(error)
        return again

    def _pause(self) -> None:
        """Until it is time to try again, or somebody waits, who must hear at once."""
        with self._changed:
            self._changed.wait_for(self._urgent, RETRY)
