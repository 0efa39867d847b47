"""What came of answers, added up by the database: clicks, conversions, dwell, ratings and satisfaction, by anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select

from warmstart.store.answers import answer_of
from warmstart.store.part import Part
from warmstart.store.rows import Answer
from warmstart.store.shown import ANSWER_KEYS, PERSON, PLACE_KEYS, Within, places, reactions
from warmstart.store.tables import ANSWERS, EVENTS

IMPRESSION = "impression"
RATES = ("click", "buy")
MEANS = ("dwell", "rate", "satisfaction")


class Sums(NamedTuple):
    """Over the people of a group: how many, sums of y and x, of squares and products."""

    n: int
    y: float
    x: float
    yy: float
    xy: float
    xx: float


@dataclass(frozen=True)
class Outcome:
    """What came of one group of places.

    Parameters
    ----------
    key
        Values of what is grouped by, in its order; a day as days since the epoch.
    places
        How many were shown.
    people
        To how many; an answer to nobody known counts as a person.
    heaviest
        Places shown to the person with the most.
    rates
        By kind of event: y = places with one, x = places.
    means
        By kind of event: y = sum of values, x = places with one; people without are left out.
    """

    key: tuple[str | int, ...]
    places: int
    people: int
    heaviest: int
    rates: Mapping[str, Sums] = field(default_factory=dict)
    means: Mapping[str, Sums] = field(default_factory=dict)


class Outcomes(Part):
    """Outcomes of answers."""

    def outcomes(
        self,
        by: Sequence[str] = (),
        within: Within | None = None,
        rates: Sequence[str] = RATES,
        means: Sequence[str] = MEANS,
        only_seen: bool = False,
    ) -> list[Outcome]:
        """Add up outcomes by groups, in the order of their keys.

        Parameters
        ----------
        by
            Some of ``shown.KEYS``; none = all together.
        rates, means
            Kinds of event.
        only_seen
            Leave out places without any event, which were perhaps never looked at; else all places count as shown.
        """
        people = _people(self.database.postgres, by, within or Within(), rates, means, only_seen)
        keys = [people.c[name] for name in by]
        x = people.c.x
        sums: list[ColumnElement] = [func.count(), func.sum(x), func.max(x), func.sum(x * x)]
        for i in range(len(rates)):
            y = people.c[f"y_{i}"]
            sums += [func.sum(y), func.sum(y * y), func.sum(y * x)]
        for i in range(len(means)):
            sums += _six(people.c[f"s_{i}"], people.c[f"c_{i}"])
        with self.database.read() as connection:
            rows = connection.execute(select(*keys, *sums).group_by(*keys).order_by(*keys)).all()
        return [_outcome(tuple(row), len(by), rates, means) for row in rows if row[len(by)]]

    def answer_counts(self, by: Sequence[str] = (), within: Within | None = None) -> dict[tuple[str | int, ...], int]:
        """Answers by groups; ``by`` of what an answer has as a whole."""
        keys = [ANSWER_KEYS[name] for name in by]
        asked = select(*keys, func.count()).where(*(within or Within()).conditions()).group_by(*keys)
        with self.database.read() as connection:
            return {tuple(row[:-1]): row[-1] for row in connection.execute(asked)}

    def tells_impressions(self, within: Within | None = None) -> bool:
        """Whether any impression of these answers was sent: then those without were not seen."""
        joined = ANSWERS.join(EVENTS, EVENTS.c.recommendation_id == ANSWERS.c.recommendation_id)
        conditions = (*(within or Within()).conditions(), EVENTS.c.kind == IMPRESSION)
        with self.database.read() as connection:
            return connection.execute(select(1).select_from(joined).where(*conditions).limit(1)).first() is not None

    def people_by_variant(self, experiment: str) -> tuple[dict[str, int], int]:
        """How many people saw each variant, and how many saw more than one."""
        seen = (
            select(PERSON.label("person"), ANSWERS.c.variant)
            .where(ANSWERS.c.experiment == experiment, ANSWERS.c.variant.is_not(None))
            .distinct()
            .subquery()
        )
        often = select(seen.c.person).group_by(seen.c.person).having(func.count() > 1).subquery()
        with self.database.read() as connection:
            rows = connection.execute(select(seen.c.variant, func.count()).group_by(seen.c.variant)).all()
            crossed: int = connection.execute(select(func.count()).select_from(often)).scalar_one()
        return {variant: count for variant, count in rows}, crossed

    def preferences(self, experiment: str, a: str, b: str, kind: str = "click") -> tuple[int, int, int]:
        """Of mixed lists: people whose events of a kind favour a, favour b, and neither.

        A list is won by the variant with more such places; a person by the variant that won more lists.
        """
        within = Within(experiment=experiment)
        place, reaction = places(self.database.postgres, within, ()).subquery(), reactions(within, (kind,), ())
        owed = case((place.c.owner == a, 1), (place.c.owner == b, -1), else_=0)
        balance = func.sum(owed * func.coalesce(reaction.c.flag_0, 0))
        lists = (
            select(place.c.person, _sign(balance).label("won"))
            .select_from(place.join(reaction, _same(place, reaction), isouter=True))
            .where(place.c.owner.is_not(None))
            .group_by(place.c.person, place.c.answer)
            .subquery()
        )
        people = select(_sign(func.sum(lists.c.won)).label("won")).group_by(lists.c.person).subquery()
        with self.database.read() as connection:
            rows = connection.execute(select(people.c.won, func.count()).group_by(people.c.won)).all()
        counts: dict[int, int] = {won: count for won, count in rows}
        return counts.get(1, 0), counts.get(-1, 0), counts.get(0, 0)

    def reacted(self, within: Within, kind: str = "click") -> set[tuple[str, str]]:
        """Answer and item of all places with an event of a kind; items that the answer does not hold among them."""
        reaction = reactions(within, (kind,), ())
        asked = select(reaction.c.answer, reaction.c.item_id).where(reaction.c.flag_0 == 1)
        with self.database.read() as connection:
            return {(answer, item) for answer, item in connection.execute(asked)}

    def newest_answers(self, within: Within, limit: int = 1000) -> list[Answer]:
        """The newest answers, newest first."""
        asked = select(ANSWERS).where(*within.conditions()).order_by(ANSWERS.c.time.desc()).limit(limit)
        with self.database.read() as connection:
            return [answer_of(row) for row in connection.execute(asked)]


def _people(
    postgres: bool, by: Sequence[str], within: Within, rates: Sequence[str], means: Sequence[str], only_seen: bool
) -> Subquery:
    """By group and person: places x; places with an event of each kind y; sums s and numbers c of values."""
    place = places(postgres, within, by).subquery("place")
    reaction = reactions(within, rates, means, (IMPRESSION,) if only_seen else ())
    counted = _counted(reaction, len(rates), len(means), only_seen)
    own = [func.min(place.c[name]).label(name) for name in ("person", *by) if name not in PLACE_KEYS]
    parts = [place.c[name] for name in by if name in PLACE_KEYS]
    answer = (  # a step that saves time: what is an answer's own is the same in all its places
        select(*own, *parts, *(sums.label(name) for name, sums in counted.items()))
        .select_from(place.join(reaction, _same(place, reaction), isouter=True))
        .group_by(place.c.answer, *parts)
        .subquery("answer")
    )
    keys = [answer.c[name] for name in by]
    added = [func.sum(answer.c[name]).label(name) for name in counted]
    people = select(*keys, *added).group_by(*keys, answer.c.person)
    return people.having(func.sum(answer.c.x) > 0).subquery("people")


def _counted(reaction: Subquery, rates: int, means: int, only_seen: bool) -> dict[str, ColumnElement]:
    """What is counted of places beside their reactions."""
    counted: dict[str, ColumnElement] = {"x": func.count(reaction.c.answer) if only_seen else func.count()}
    for i in range(rates):
        counted[f"y_{i}"] = func.sum(func.coalesce(reaction.c[f"flag_{i}"], 0))
    for i in range(means):
        counted[f"s_{i}"] = func.coalesce(func.sum(reaction.c[f"mean_{i}"]), 0.0)
        counted[f"c_{i}"] = func.count(reaction.c[f"mean_{i}"])
    return counted


def _same(place: Subquery, reaction: Subquery) -> ColumnElement[bool]:
    # in this order SQLite makes its index by answer first, whose rows then lie together
    return and_(reaction.c.answer == place.c.answer, reaction.c.item_id == place.c.item_id)


def _sign(value: ColumnElement) -> ColumnElement[int]:
    return case((value > 0, 1), (value < 0, -1), else_=0)


def _six(y: ColumnElement, x: ColumnElement) -> list[ColumnElement]:
    """In the order of ``Sums``; people with x = 0 count in none."""
    return [
        func.sum(case((x > 0, 1), else_=0)),
        func.sum(y),
        func.sum(x),
        func.sum(y * y),
        func.sum(y * x),
        func.sum(x * x),
    ]


def _outcome(row: tuple, width: int, rates: Sequence[str], means: Sequence[str]) -> Outcome:
    n, x, heaviest, xx = row[width : width + 4]
    at, by_rate, by_mean = width + 4, dict[str, Sums](), dict[str, Sums]()
    for kind in rates:
        y, yy, xy = (float(value) for value in row[at : at + 3])
        by_rate[kind] = Sums(n, y, float(x), yy, xy, float(xx))
        at += 3
    for kind in means:
        by_mean[kind] = Sums(int(row[at]), *(float(value) for value in row[at + 1 : at + 6]))
        at += 6
    return Outcome(row[:width], int(x), n, int(heaviest), by_rate, by_mean)
