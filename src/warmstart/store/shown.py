"""Places of answers as rows, each beside what came of it: the ground of all outcomes.

What counts, once for all: an event belongs to a place if it names the ``recommendation_id`` of the answer and an item
the answer holds. However many events of a kind there are, a place has been clicked or has not. Events that name no
answer, or an item it does not hold, count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, ColumnElement, Select, String, Subquery, case, func, literal, select, true
from sqlalchemy.sql.selectable import TableValuedAlias

from warmstart.errors import DataError
from warmstart.store.tables import ANSWERS, EVENTS

FOREVER = 2**62
DAY = 86_400
ANONYMOUS = "\x1f"  # before the id of an answer to nobody known, so that it is no user's id
PLACE_KEYS = ("explored", "chance", "position")


@dataclass(frozen=True)
class Within:
    """Which answers are meant: those given in ``since <= time < until`` that have all that is not None."""

    since: int = 0
    until: int = FOREVER
    model: str | None = None
    scenario: str | None = None
    slice: str | None = None
    experiment: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a WHERE."""
        named = ("model", "scenario", "slice", "experiment")
        equal = [ANSWERS.c[name] == value for name in named if (value := getattr(self, name)) is not None]
        return [ANSWERS.c.time >= self.since, ANSWERS.c.time < self.until, *equal]


ANSWER_KEYS: dict[str, ColumnElement] = {
    "model": ANSWERS.c.model,
    "scenario": ANSWERS.c.scenario,
    "slice": ANSWERS.c.slice,
    "day": ANSWERS.c.time // DAY,
    "fallback": func.coalesce(ANSWERS.c.fallback, ""),
    "experiment": func.coalesce(ANSWERS.c.experiment, ""),
    "variant": func.coalesce(ANSWERS.c.variant, ""),
}
KEYS = (*ANSWER_KEYS, *PLACE_KEYS)
PERSON = func.coalesce(ANSWERS.c.user_id, literal(ANONYMOUS) + ANSWERS.c.recommendation_id)


def places(postgres: bool, within: Within, by: Sequence[str]) -> Select:
    """Places: ``answer``, ``person``, ``item_id``, ``owner`` (whose place it is in a mixed list), and the keys.

    An answer to nobody known is a person by itself. Of a place, ``explored`` = 1 where something new was tried,
    ``chance`` = 1 where the chance that its item stands there was logged (below 1, and not in a mixed list, whose coins
    change it), ``position`` from 0.

    Raises
    ------
    DataError
        If a key is none of ``KEYS``.
    """
    if unknown := [key for key in by if key not in KEYS]:
        raise DataError(f"outcomes by {unknown[0]!r} are not kept; give some of {', '.join(KEYS)}")
    each = _each(postgres)
    position = each.c.key - 1 if postgres else each.c.key
    explored, chance, owned = (
        _written(_member(each, name, postgres)) for name in ("explored", "propensity", "variant")
    )
    keys = ANSWER_KEYS | {"explored": explored, "chance": chance * (1 - owned), "position": position}
    return (
        select(
            ANSWERS.c.recommendation_id.label("answer"),
            PERSON.label("person"),
            _member(each, "item_id", postgres).label("item_id"),
            _member(each, "variant", postgres).label("owner"),
            *(keys[key].label(key) for key in by),
        )
        .select_from(ANSWERS.join(each, true()))
        .where(*within.conditions())
    )


def reactions(within: Within, flags: Sequence[str], means: Sequence[str], others: Sequence[str] = ()) -> Subquery:
    """What came of answers, by ``answer`` and ``item_id``: ``flag_i`` = 1 if there is an event of kind i, else 0.

    ``mean_i`` is the mean value of the events of kind i; null if there is none with a value. Events of ``others`` make
    a row, too.
    """
    flagged = [func.max(case((EVENTS.c.kind == kind, 1), else_=0)).label(f"flag_{i}") for i, kind in enumerate(flags)]
    averaged = [
        func.avg(case((EVENTS.c.kind == kind, EVENTS.c.value))).label(f"mean_{i}") for i, kind in enumerate(means)
    ]
    answer, item = EVENTS.c.recommendation_id, EVENTS.c.item_id
    return (
        select(answer.label("answer"), item.label("item_id"), *flagged, *averaged)
        .select_from(ANSWERS.join(EVENTS, answer == ANSWERS.c.recommendation_id))
        .where(*within.conditions(), EVENTS.c.kind.in_(sorted({*flags, *means, *others})))
        .group_by(answer, item)
        .subquery("reaction")
    )


def _each(postgres: bool) -> TableValuedAlias:
    """The places of an answer, numbered by ``key``: from 0 by SQLite, from 1 by PostgreSQL."""
    if not postgres:
        return func.json_each(ANSWERS.c["items"]).table_valued("key", "value", name="each")
    elements = func.json_array_elements(ANSWERS.c["items"], type_=JSON)
    return elements.table_valued("value", with_ordinality="key", name="each").render_derived()


def _member(each: TableValuedAlias, name: str, postgres: bool) -> ColumnElement:
    """A member of a place, as text or number; null where it is not written."""
    if postgres:
        return each.c.value.op("->>", return_type=String())(name)
    return func.json_extract(each.c.value, f"$.{name}")


def _written(member: ColumnElement) -> ColumnElement[int]:
    """1 where a member is written; what is as usual is not (``answers``)."""
    return case((member.is_not(None), 1), else_=0)
