"""What another model would have earned with the people who were answered, from the chances that were logged.

Only places left to chance tell of anything but what was shown: exploration makes them. Where the other model shows what
never had a chance, its estimate says which share of it the logs do not tell of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.errors import DataError
from warmstart.evaluate.counterfactual import Estimate, Logged, doubly_robust, ips, snips
from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.rates import rate_interval
from warmstart.rerank.order import BOTH, RATING
from warmstart.serve.asker import Asker
from warmstart.serve.batch import Job, ranked
from warmstart.serve.lines import chosen
from warmstart.serve.plan import DEEPER, LEAST
from warmstart.serve.recommend import wanted_of
from warmstart.serve.schemas import RecommendRequest
from warmstart.serve.service import Service
from warmstart.store.rows import Answer
from warmstart.store.shown import Within

PRIOR = 5.0  # clicks expected of an item, at and above which its own rate outweighs that of all
Lists = Callable[[Answer], Sequence[str] | None]


@dataclass(frozen=True)
class Counterfactual:
    """What was earned, three estimates of what the model in question would have, and from how many answers.

    Parameters
    ----------
    shown
        What the shown places earned in truth.
    ips, snips, doubly_robust
        Of the model in question; the last rests on a simple reward model (``expected_rewards``).
    answers
        How many could be asked again.
    left_out
        How many could not: anonymous ones without a text, mixed lists, those the model has learned from, and lists by
        rating where it predicts none.
    """

    shown: Interval
    ips: Estimate
    snips: Estimate
    doubly_robust: Estimate
    answers: int
    left_out: int


def without_exploration(answer: Answer) -> Sequence[str]:
    """The list an answer would have been with nothing tried; what gave way is not known, and stays empty.

    Examples
    --------
    >>> from warmstart.store.rows import Shown
    >>> shown = [Shown("a", 1.0, "content"), Shown("new", 0.5, "popularity", 0.01, explored=True)]
    >>> without_exploration(Answer("r", None, 0, "m", "", "cold", shown))
    ['a', '']
    """
    return ["" if shown.explored else shown.item_id for shown in answer.items]


def asked_again(service: Service, version: str) -> Lists:
    """The lists of another model for the same people at the same moment, from what was known of them then.

    The catalogue and the attributes are those of now. Answers before the end of the model's training are left out: it
    has learned from their clicks.

    Raises
    ------
    DataError
        If the version is unknown.
    """
    live = service.models.loaded(version)
    row = service.store.model(version)
    learned = service.store.events(max(row.until - 1, 0), 1) if row is not None and row.until else []
    since = learned[0].time if learned else 0

    def lists(answer: Answer) -> Sequence[str] | None:
        if answer.time <= since or not (answer.user_id or answer.request.get("text")):
            return None
        ask = RecommendRequest(**{**answer.request, "user_id": answer.user_id, "k": max(len(answer.items), 1)})
        if ask.objective in (RATING, BOTH) and live.snapshot.fitted.ratings is None:
            return None
        asker = as_of(service, ask, answer.time)
        wanted, snapshot = wanted_of(ask), live.snapshot
        deep = max(DEEPER * wanted.k, LEAST) if wanted.diversity else wanted.k
        (lines,) = ranked([Job(live, snapshot, asker, wanted, deep)])
        return [line.item_id for line in chosen(snapshot, lines, wanted)]

    return lists


def as_of(service: Service, ask: RecommendRequest, time: int) -> Asker:
    """Who asks, as they were known before that second."""
    if ask.user_id is None:
        return Asker(text=ask.text.strip())
    known, most = service.store.user(ask.user_id), service.settings.history_limit
    events = service.store.history(ask.user_id, most, impressions=False)
    attributes = {} if known is None else known.attributes
    weights = service.settings.event_weights
    return Asker.of(ask.user_id, [e for e in events if e.time < time], attributes, ask.text.strip(), weights)


def counterfactual(
    service: Service, within: Within, lists: Lists, kind: str = "click", most: int = 1000, clip: float | None = None
) -> Counterfactual:
    """Estimate what a model would have earned per place, from the newest answers.

    Parameters
    ----------
    lists
        The list of the model in question for an answer, place by place; None = it cannot be asked.
    kind
        Of event that counts as earned.
    most
        Answers at most.
    clip
        Largest weight; None = none is cut.

    Raises
    ------
    DataError
        If there is no answer it could be asked for.
    """
    answers = service.store.newest_answers(within, most)
    told = [answer for answer in answers if answer.items and all(shown.variant is None for shown in answer.items)]
    asked = [(answer, found) for answer in told if (found := lists(answer)) is not None]
    if not asked:
        raise DataError("no answer could be asked again; choose a longer time, or a model that learned before it")
    first = min(answer.time for answer, _ in asked)
    logged, place = _logged(asked, service.store.reacted(replace(within, since=max(within.since, first)), kind))
    expected, target = expected_rewards(logged, *place)
    logged = replace(logged, expected=expected, expected_target=target)
    shown = rate_interval(logged.ratio(logged.reward, np.ones(len(logged.reward))))
    estimates = ips(logged, clip), snips(logged, clip), doubly_robust(logged, clip)
    return Counterfactual(shown, *estimates, len(asked), len(answers) - len(asked))


def _logged(
    asked: Sequence[tuple[Answer, Sequence[str]]], taken: set[tuple[str, str]]
) -> tuple[Logged, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Places with their rewards; and of each its position, its item, and the item the model in question puts there."""
    rows = [
        (
            float((answer.recommendation_id, shown.item_id) in taken),
            shown.propensity,
            float(at < len(found) and found[at] == shown.item_id),
            answer.user_id or answer.recommendation_id,
            at,
            shown.item_id,
            found[at] if at < len(found) else "",
        )
        for answer, found in asked
        for at, shown in enumerate(answer.items)
    ]
    reward, propensity, target, people, position, item, wanted = zip(*rows, strict=True)
    _, group = np.unique(np.array(people), return_inverse=True)
    _, codes = np.unique(np.array([*item, *wanted]), return_inverse=True)
    logged = Logged(np.array(reward), np.array(propensity), np.array(target), group)
    return logged, (np.array(position), codes[: len(rows)], codes[len(rows) :])


def expected_rewards(
    logged: Logged, position: np.ndarray, item: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What a place earns: the rate of its position, times how the item does elsewhere.

    ``q = r_p (c_i + m) / (e_i + m)`` with r_p the rate of position p, c_i and e_i the rewards of item i and those its
    positions let expect, m = ``PRIOR``. Learned from half of the people for the other half, so that no reward is told
    of by itself.

    Returns
    -------
    Of the item shown, and of the item wanted; float64, shape (n,).
    """
    shown, target = np.zeros(len(item)), np.zeros(len(item))
    half = logged.group % 2 if logged.group is not None else np.arange(len(item)) % 2
    for part in (0, 1):
        learn, tell = half != part, half == part
        reward, at, what = logged.reward[learn], position[learn], item[learn]
        size, width = int(position.max()) + 1, int(max(item.max(), wanted.max())) + 1
        counted = np.bincount(at, minlength=size)
        rate = np.bincount(at, reward, size) / np.maximum(counted, 1)
        ratio = (np.bincount(what, reward, width) + PRIOR) / (np.bincount(what, rate[at], width) + PRIOR)
        shown[tell], target[tell] = (rate[position[tell]] * ratio[which[tell]] for which in (item, wanted))
    return shown, target
