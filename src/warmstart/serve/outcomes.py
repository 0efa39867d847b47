"""What came of answers, with intervals that hold at every look, and what exploration costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.rates import RateDifference, Tally, rate_difference, rate_interval
from warmstart.evaluate.sequential import LEVEL, confidence_sequence
from warmstart.store.outcomes import MEANS, RATES, Outcome
from warmstart.store.shown import ANSWER_KEYS, DAY, Within
from warmstart.store.store import Store

HEAVY = 0.1  # share of a group's places shown to one person, above which it is told: perhaps a machine
SEEN = "impressions are sent: places without any event count as not seen"
ALL = "no impressions are sent: every place of every answer counts as shown; send them to know what was seen"


@dataclass(frozen=True)
class Group:
    """Outcomes of one group.

    Parameters
    ----------
    key
        Value by name of what is grouped by; days as ISO dates.
    answers
        None where groups are parts of answers.
    places, people
        Shown, and to how many.
    rates
        By kind of event: places that have one, of those shown.
    means
        By kind of event: the mean value; ``n`` are people who gave any.
    remarks
        What makes them doubtful.
    """

    key: Mapping[str, str | int]
    answers: int | None
    places: int
    people: int
    rates: Mapping[str, Interval]
    means: Mapping[str, Interval]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class OutcomeTable:
    """Groups, and what counted as shown."""

    groups: tuple[Group, ...]
    only_seen: bool
    counted: str


@dataclass(frozen=True)
class ExplorationCost:
    """What trying new items costs: places that tried against those that could have, and did not.

    Parameters
    ----------
    tried, otherwise
        The rates of both.
    difference
        Its interval takes both for different people's; they are the same people's, so that it is rather too wide.
    places
        How many tried.
    lost
        ``-difference * places``: outcomes that were given away; below 0 = gained.
    counted
        What counted as shown.
    """

    tried: Interval
    otherwise: Interval
    difference: RateDifference
    places: int
    lost: float
    counted: str


def outcome_table(
    store: Store,
    by: Sequence[str] = (),
    within: Within | None = None,
    rates: Sequence[str] = RATES,
    means: Sequence[str] = MEANS,
    only_seen: bool | None = None,
) -> OutcomeTable:
    """Rates and means of groups of places.

    Parameters
    ----------
    by
        Of ``store.shown.KEYS``.
    only_seen
        Whether places without any event count as not seen; None = if any impression was sent.
    """
    seen = store.tells_impressions(within) if only_seen is None else only_seen
    counts = store.answer_counts(by, within) if set(by) <= set(ANSWER_KEYS) else {}
    rows = store.outcomes(by, within, rates, means, seen)
    return OutcomeTable(tuple(_group(row, by, counts.get(row.key)) for row in rows), seen, SEEN if seen else ALL)


def exploration_cost(store: Store, within: Within | None = None, kind: str = "click") -> ExplorationCost:
    """Compare tried places with others left to chance; both lie at the same places, as chance chose which.

    Raised or lowered in between, the share of exploration mixes times: then ask for each time by itself.
    """
    seen = store.tells_impressions(within)
    rows = {row.key: row for row in store.outcomes(("explored", "chance"), within, (kind,), (), seen)}
    tried, otherwise = (tally_of(rows.get(key), kind) for key in ((1, 1), (0, 1)))
    gap = rate_difference(tried, otherwise)
    lost = -gap.difference * tried.x if tried.x and otherwise.x else 0.0
    return ExplorationCost(
        rate_interval(tried), rate_interval(otherwise), gap, int(tried.x), lost, SEEN if seen else ALL
    )


def tally_of(row: Outcome | None, kind: str) -> Tally:
    """Sums of a kind of event; nothing, where there is no row."""
    return Tally(*row.rates[kind]) if row is not None else Tally(0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _group(row: Outcome, by: Sequence[str], answers: int | None) -> Group:
    key = {name: _day(value) if name == "day" else value for name, value in zip(by, row.key, strict=True)}
    rates = {kind: rate_interval(Tally(*sums)) for kind, sums in row.rates.items()}
    means = {kind: confidence_sequence(Tally(*sums).sample, LEVEL) for kind, sums in row.means.items()}
    return Group(key, answers, row.places, row.people, rates, means, tuple(_remarks(row)))


def _remarks(row: Outcome) -> list[str]:
    share = row.heaviest / row.places
    if row.people > 1 / HEAVY and share > HEAVY:
        return [f"one of {row.people} people saw {share:.0%} of the places: perhaps a machine"]
    return []


def _day(days: str | int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(days)).isoformat()


def days_before(days: float, now: datetime | None = None) -> int:
    """Seconds since the epoch of so many days ago.

    Examples
    --------
    >>> days_before(1, datetime(1970, 1, 3, tzinfo=UTC))
    86400
    """
    return int((now or datetime.now(UTC)).timestamp() - days * DAY)
