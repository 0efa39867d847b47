"""What the store holds, one frozen row class a table; times are int seconds since the epoch, UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warmstart.errors import ConfigError


@dataclass(frozen=True)
class Item:
    """An item of the catalogue.

    Parameters
    ----------
    item_id
        Its id.
    fields
        Columns of the catalogue by name: strings, numbers, or lists of strings.
    hidden
        Kept, but not recommended.
    added_at, updated_at
        0 = now, as the store sees it when the row is written.
    """

    item_id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False
    added_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True)
class User:
    """Somebody, with what is known beside the events."""

    user_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    added_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True)
class Event:
    """What somebody did; appended once, known by ``event_id``.

    Parameters
    ----------
    event_id
        Writing an id twice keeps the first row.
    user_id, item_id
        Who and what; the item need not be in the catalogue.
    kind
        impression, view, click, cart, buy, rate, like, dislike, dwell, satisfaction, or any other word.
    time
        When it happened.
    value
        Of a rating, seconds of a dwell, a satisfaction, an amount; None = none.
    weight
        How strong a sign of interest; None = as the settings weigh its kind.
    recommendation_id
        The answer that led to it; None = none known.
    seq
        Its place in the order of arrival, given by the store; 0 = not stored yet.
    """

    event_id: str
    user_id: str
    item_id: str
    kind: str
    time: int
    value: float | None = None
    weight: float | None = None
    recommendation_id: str | None = None
    seq: int = 0


@dataclass(frozen=True)
class Shown:
    """One place of an answer; ``propensity`` is the chance that this item stood there, in (0, 1].

    ``variant`` says whose place it is, in a list that mixes two variants of an experiment.
    """

    item_id: str
    score: float
    source: str
    propensity: float = 1.0
    explored: bool = False
    variant: str | None = None


@dataclass(frozen=True)
class Answer:
    """What was recommended, to whom, and by what.

    Parameters
    ----------
    recommendation_id
        Its id; events name it.
    user_id
        None = anonymous.
    time
        When it was given.
    model
        Version of the model that ranked.
    scenario
        Where it is shown, e.g. ``home``; empty = not said.
    slice
        cold, few_shot or warm.
    fallback
        Why it is less than it could be; None = it is not.
    experiment, variant
        Where one was running.
    items
        Best first.
    request
        What was asked, for the next page of it; holds no secret.
    milliseconds
        How long it took.
    """

    recommendation_id: str
    user_id: str | None
    time: int
    model: str
    scenario: str
    slice: str
    items: Sequence[Shown]
    fallback: str | None = None
    experiment: str | None = None
    variant: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    milliseconds: float = 0.0


@dataclass(frozen=True)
class Model:
    """A saved engine that serves, served, or may.

    ``status`` is candidate, serving, retired, refused, or removed (its folder was deleted); ``until`` the last
    ``Event.seq`` it was fitted on. ``promoted_at`` is later than that of every promotion before, even if the clock went
    back in between: it tells their order.
    """

    version: str
    folder: str
    status: str = "candidate"
    created_at: int = 0
    promoted_at: int = 0
    until: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """Variants beside each other; ``status`` is running or stopped.

    ``kind`` is ``ab`` (each person sees one variant) or ``interleave`` (each list mixes two). A variant is a mapping:
    name, share, and any of model, calibrate, diversity, explore.
    """

    name: str
    variants: Sequence[Mapping[str, Any]]
    kind: str = "ab"
    scenario: str = ""
    metric: str = "click"
    status: str = "running"
    created_at: int = 0
    stopped_at: int = 0


@dataclass(frozen=True)
class Key:
    """A key of the API: its hash, never itself; ``scopes`` of read, write, admin."""

    key_id: str
    name: str
    digest: str
    scopes: Sequence[str]
    created_at: int = 0
    revoked_at: int = 0


@dataclass(frozen=True)
class Receipt:
    """That somebody was erased; does not say who, but ``erase.is_of`` tells of an id whether it was that one.

    Parameters
    ----------
    receipt_id
        Its id.
    erased_at
        When.
    salt, digest
        Random bytes, and the scrypt hash of the person's id with them, both in hex.
    counts
        Rows removed, by table.
    models
        Versions that were fitted when the person's events were there, and may have learned from them.
    """

    receipt_id: str
    erased_at: int
    salt: str
    digest: str
    counts: Mapping[str, int]
    models: Sequence[str]


@dataclass(frozen=True)
class Retention:
    """How many days rows are kept; 0 = for ever.

    Parameters
    ----------
    events
        What people did, impressions aside; what refits learn from.
    answers
        What was shown, and events of the kind ``impression``: outcomes and counterfactual evaluation reach back so far.

    Raises
    ------
    ConfigError
        If a number is negative.
    """

    events: float = 0.0
    answers: float = 0.0

    def __post_init__(self) -> None:
        for name, days in (("events", self.events), ("answers", self.answers)):
            if not days >= 0:
                raise ConfigError(f"retention of {name} is {days} days; give 0 for ever, or a number of days")
