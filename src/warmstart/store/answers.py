"""Answers as they were given, with what was shown at each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from warmstart.store.erased import without_erased
from warmstart.store.part import Part
from warmstart.store.rows import Answer, Shown
from warmstart.store.tables import ANSWERS
from warmstart.store.upsert import add_rows

_ONE = select(ANSWERS).where(ANSWERS.c.recommendation_id == bindparam("which"))
_BETWEEN = (
    select(ANSWERS)
    .where(ANSWERS.c.time >= bindparam("since"), ANSWERS.c.time < bindparam("until"))
    .order_by(ANSWERS.c.time, ANSWERS.c.recommendation_id)
    .limit(bindparam("most"))
)


class Answers(Part):
    """Answers."""

    def add_answers(self, answers: Sequence[Answer]) -> int:
        """Keep answers whose id is not there yet; how many those are."""
        with self.database.write() as connection:
            return keep(connection, answers)

    def answer(self, recommendation_id: str) -> Answer | None:
        """One answer; None if it is not known, or no longer kept."""
        with self.database.read() as connection:
            row = connection.execute(_ONE, {"which": recommendation_id}).one_or_none()
            return None if row is None else answer_of(row)

    def answers(self, since: int, until: int, limit: int = 1000) -> list[Answer]:
        """Answers of ``since <= time < until``, oldest first."""
        with self.database.read() as connection:
            values = {"since": since, "until": until, "most": limit}
            return [answer_of(row) for row in connection.execute(_BETWEEN, values)]


def keep(connection: Connection, answers: Sequence[Answer]) -> int:
    """Keep answers within the caller's transaction, but those of persons erased since; how many are new."""
    return add_rows(connection, ANSWERS, [_row(answer) for answer in without_erased(connection, answers)])


def answer_of(row: Row) -> Answer:
    """An answer from all columns of its table."""
    columns = dict(row._mapping)
    return Answer(**{**columns, "items": tuple(_shown(place) for place in columns["items"])})


def _row(answer: Answer) -> dict[str, object]:
    return {
        "recommendation_id": answer.recommendation_id,
        "user_id": answer.user_id,
        "time": answer.time,
        "model": answer.model,
        "scenario": answer.scenario,
        "slice": answer.slice,
        "items": [_place(shown) for shown in answer.items],
        "fallback": answer.fallback,
        "experiment": answer.experiment,
        "variant": answer.variant,
        "request": dict(answer.request),
        "milliseconds": answer.milliseconds,
    }


def _place(shown: Shown) -> dict[str, object]:
    """Short, as there are many: what is as usual is left out."""
    place: dict[str, object] = {"item_id": shown.item_id, "score": float(shown.score), "source": shown.source}
    if shown.propensity != 1.0:
        place["propensity"] = float(shown.propensity)
    if shown.variant is not None:
        place["variant"] = shown.variant
    return place | ({"explored": True} if shown.explored else {})


def _shown(place: Mapping[str, Any]) -> Shown:
    score = place["score"]
    return Shown(
        place["item_id"],
        float("nan") if score is None else score,
        place["source"],
        place.get("propensity", 1.0),
        place.get("explored", False),
        place.get("variant"),
    )
