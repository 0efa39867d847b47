"""What an experiment shows, in figures and in words."""

from __future__ import annotations

from dataclasses import dataclass

from warmstart.evaluate.interleaving import Preference, preference_of
from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.rates import RateDifference, rate_difference, rate_interval
from warmstart.evaluate.sample_ratio import SampleRatio, sample_ratio
from warmstart.evaluate.sequential import LEVEL
from warmstart.serve.experiments import INTERLEAVE
from warmstart.serve.outcomes import ALL, SEEN, tally_of
from warmstart.store.rows import Experiment
from warmstart.store.shown import Within
from warmstart.store.store import Store

EARLY = "too few people yet"


@dataclass(frozen=True)
class Arm:
    """One variant: whom it was shown to, what came of it, and how that differs from the first variant.

    ``against_first`` is None of the first; with several others, their intervals hold all together.
    """

    name: str
    people: int
    rate: Interval
    against_first: RateDifference | None


@dataclass(frozen=True)
class Result:
    """What an experiment shows now; it may be looked at, and stopped, at any time.

    Parameters
    ----------
    arms
        Empty where lists are mixed.
    ratio
        Whether people were shared out as they should be; None where lists are mixed.
    crossed
        People who saw more than one variant, e.g. since they came with two ids; they count in each.
    preference
        Whose places are taken in mixed lists; None in an A/B test.
    verdict
        In words.
    counted
        What counted as shown.
    """

    arms: tuple[Arm, ...]
    ratio: SampleRatio | None
    crossed: int
    preference: Preference | None
    verdict: str
    counted: str


def result_of(store: Store, experiment: Experiment, level: float = LEVEL) -> Result:
    """Judge an experiment by its metric: the kind of event that counts.

    Examples
    --------
    >>> import tempfile
    >>> test = Experiment("covers", [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}])
    >>> with tempfile.TemporaryDirectory() as folder, Store.open(f"{folder}/store.db") as store:
    ...     result_of(store, test).verdict
    'too few people yet'
    """
    return _mixed(store, experiment, level) if experiment.kind == INTERLEAVE else _beside(store, experiment, level)


def _beside(store: Store, experiment: Experiment, level: float) -> Result:
    within, names = Within(experiment=experiment.name), [str(v["name"]) for v in experiment.variants]
    seen = store.tells_impressions(within)
    rows = {row.key[0]: row for row in store.outcomes(("variant",), within, (experiment.metric,), (), seen)}
    tallies = [tally_of(rows.get(name), experiment.metric) for name in names]
    people, crossed = store.people_by_variant(experiment.name)
    counts = [people.get(name, 0) for name in names]
    ratio = sample_ratio(counts, [float(v["share"]) for v in experiment.variants])
    strict = 1 - (1 - level) / (len(names) - 1)  # Bonferroni: all comparisons hold together
    gaps = [None, *(rate_difference(tally, tallies[0], strict) for tally in tallies[1:])]
    rows_of = zip(names, counts, tallies, gaps, strict=True)
    arms = tuple(Arm(name, n, rate_interval(tally, level), gap) for name, n, tally, gap in rows_of)
    verdict = _verdict(arms, ratio, experiment.metric, level)
    return Result(arms, ratio, crossed, None, verdict, SEEN if seen else ALL)


def _mixed(store: Store, experiment: Experiment, level: float) -> Result:
    a, b = (str(variant["name"]) for variant in experiment.variants)
    found = preference_of(*store.preferences(experiment.name, a, b, experiment.metric), level)
    return Result(
        (), None, 0, found, _preferred(found, a, b, level), "of each mixed list: whose places were taken more"
    )


def _verdict(arms: tuple[Arm, ...], ratio: SampleRatio, metric: str, level: float) -> str:
    if ratio.mismatch:
        counts = " to ".join(str(n) for n in ratio.observed)
        return f"do not trust this: people are {counts}, which their shares do not give; find out who is lost first"
    return "; ".join(_compared(arm, arms[0].name, metric, level) for arm in arms[1:])


def _compared(arm: Arm, first: str, metric: str, level: float) -> str:
    gap = arm.against_first
    if gap is None or gap.n == 0:
        return EARLY
    limits = f"{_points(gap.low)} to {_points(gap.high)} points of the {metric} rate, {level:.0%} sure at every look"
    if gap.low > 0:
        return f"{arm.name} is better than {first}: {limits}"
    if gap.high < 0:
        return f"{arm.name} is worse than {first}: {limits}"
    return f"no difference between {arm.name} and {first} is shown yet: {limits}"


def _preferred(found: Preference, a: str, b: str, level: float) -> str:
    decided = found.wins_a + found.wins_b
    if not decided:
        return EARLY
    counts = f"{found.wins_a} people prefer {a}, {found.wins_b} prefer {b}, {found.ties} neither"
    if found.margin.low > 0:
        return f"{a} is better than {b}: {counts}; {level:.0%} sure at every look"
    if found.margin.high < 0:
        return f"{b} is better than {a}: {counts}; {level:.0%} sure at every look"
    return f"no preference is shown yet: {counts}"


def _points(share: float) -> str:
    return f"{100 * share:+.2f}"
