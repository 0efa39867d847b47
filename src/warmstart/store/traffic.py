"""How much was asked and done, over time: answers, how long they took, events."""

from __future__ import annotations

from sqlalchemy import func, select

from warmstart.errors import DataError
from warmstart.store.part import Part
from warmstart.store.tables import ANSWERS, EVENTS

GROUPS = ("slice", "fallback", "model", "scenario")


class Traffic(Part):
    """Counts of answers and events."""

    def answers_over_time(self, since: int, until: int, step: int) -> dict[tuple[int, str], int]:
        """Answers of ``since <= time < until`` by step (from 0, each ``step`` seconds long) and slice."""
        at = (ANSWERS.c.time - since) // step
        asked = select(at, ANSWERS.c.slice, func.count())
        asked = asked.where(ANSWERS.c.time >= since, ANSWERS.c.time < until).group_by(at, ANSWERS.c.slice)
        with self.database.read() as connection:
            return {(int(row[0]), row[1]): row[2] for row in connection.execute(asked)}

    def answer_groups(self, since: int, until: int, by: str) -> dict[str, int]:
        """Answers by slice, fallback (empty = none), model or scenario, the most first."""
        if by not in GROUPS:
            raise DataError(f"answers are not counted by {by!r}; give one of {', '.join(GROUPS)}")
        key = func.coalesce(ANSWERS.c[by], "")
        asked = select(key, func.count()).where(ANSWERS.c.time >= since, ANSWERS.c.time < until)
        with self.database.read() as connection:
            rows = connection.execute(asked.group_by(key).order_by(func.count().desc(), key))
            return {row[0]: row[1] for row in rows}

    def time_of_newest(self, n: int) -> int:
        """When the n-th newest answer was given; 0 where there are fewer."""
        asked = select(ANSWERS.c.time).order_by(ANSWERS.c.time.desc()).offset(n - 1).limit(1)
        with self.database.read() as connection:
            return connection.execute(asked).scalar_one_or_none() or 0

    def durations(self, since: int, until: int, limit: int) -> list[tuple[int, float]]:
        """Time and milliseconds of the newest answers, newest first, at most so many."""
        asked = select(ANSWERS.c.time, ANSWERS.c.milliseconds)
        asked = asked.where(ANSWERS.c.time >= since, ANSWERS.c.time < until).order_by(ANSWERS.c.time.desc())
        with self.database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(asked.limit(limit))]

    def events_over_time(self, since: int, until: int, step: int) -> dict[tuple[int, str], int]:
        """Events of ``since <= time < until`` by step and kind."""
        at = (EVENTS.c.time - since) // step
        asked = select(at, EVENTS.c.kind, func.count())
        asked = asked.where(EVENTS.c.time >= since, EVENTS.c.time < until).group_by(at, EVENTS.c.kind)
        with self.database.read() as connection:
            return {(int(row[0]), row[1]): row[2] for row in connection.execute(asked)}
