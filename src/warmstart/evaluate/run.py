"""From a system and a split to a report: fit where needed, ask, measure every slice, compare with the baselines."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from warmstart.data.popularity import long_tail, popularity_groups
from warmstart.data.split import Split
from warmstart.errors import DataError
from warmstart.evaluate import beyond
from warmstart.evaluate.ask import System, ask
from warmstart.evaluate.baselines import FLOOR, baseline_experts, fit_baseline
from warmstart.evaluate.beyond import DEEP, mean_known
from warmstart.evaluate.categories import category_matrix
from warmstart.evaluate.intervals import Paired, holm, intervals, paired
from warmstart.evaluate.memory import peak_memory_mb
from warmstart.evaluate.metrics import MEASURES, ranking
from warmstart.evaluate.report import EVERYBODY, Comparison, Measured, Report, Trust
from warmstart.evaluate.slices import is_quintile, query_slices, target_parts

__all__ = ["evaluate"]


@dataclass(frozen=True)
class Answer:
    """What one system listed, int32, shape (n_queries, at least k and ``DEEP``), and what it cost."""

    name: str
    ranked: np.ndarray
    costs: Mapping[str, float]


def evaluate(
    system: Any,
    split: Split,
    *,
    k: int = 10,
    baselines: bool = True,
    name: str = "warmstart",
    refit: bool | None = None,
    features: np.ndarray | None = None,
    trust: Trust | None = None,
    seed: int = 0,
    n_boot: int = 1000,
) -> Report:
    """Measure a system on a split, slice by slice, beside the baselines; full ranking, never sampled.

    Parameters
    ----------
    system
        An engine, an expert (fitted or not), or a function ``(histories, k, candidates) -> item codes``; or a dict of
        several by name, of which the first is the one compared with the rest.
    k
        Places of a list that count.
    baselines
        Whether EASE and, where there are features, content cosine are fitted and measured too; popularity always is.
    name
        What to call a system that comes without a name.
    refit
        True fits a copy on ``split.train`` first, False trusts that this was done. None fits whatever can be fitted and
        does not show, by ``data_fingerprint``, that it knows nothing but ``split.train``.
    features
        float32, shape (n_items, dim), for the content baseline; by default those attached to ``split.train``, else the
        ``features`` of the system.
    trust
        The fusion's trust as evidence grows, to be drawn in the HTML page.
    seed, n_boot
        Of the bootstrap.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> from warmstart.experts.popularity import Popularity
    >>> report = evaluate(Popularity(), last_n(example()), k=2, baselines=False, n_boot=20)
    >>> [s.name for s in report.systems], report.value("hit").n
    (['warmstart', 'popularity'], 3)
    """
    entrants = dict(system) if isinstance(system, Mapping) else {name: system}
    if FLOOR in entrants or not entrants:
        raise DataError(f"systems are called {list(entrants)}; give at least one, and none the name {FLOOR!r}")
    ready = {n: _fitted(s, split, refit) for n, s in entrants.items()}
    answers = [_answer(n, s, split, k, seconds) for n, (s, seconds) in ready.items()]
    if features is None:
        first, _ = next(iter(ready.values()))
        features = getattr(first, "features", None) if split.train.features is None else split.train.features
    answers += list(_baseline_answers(split, k, features, floor_only=not baselines))
    counts = split.train.interactions.item_counts()
    masks, parts = query_slices(split, seed), target_parts(split.targets, popularity_groups(counts))
    values = _populations(answers, split, k, masks, parts)
    measured = _measure(answers, split, k, values, seed, n_boot)
    return Report(
        split=split.name,
        k=k,
        sizes={"queries": len(split), "items": split.train.n_items, "train_events": len(split.train.interactions)},
        populations={p: int((~np.isnan(v[0][:, 0])).sum()) for p, v in values.items()},
        systems=tuple(measured),
        comparisons=_compare(values, [a.name for a in answers], seed, n_boot),
        trust=trust,
    )


def _answer(name: str, system: System, split: Split, k: int, fit_seconds: float) -> Answer:
    start = time.perf_counter()
    ranked = ask(system, split, max(k, DEEP))
    speed = len(split) / max(time.perf_counter() - start, 1e-9)
    costs = {"fit_seconds": fit_seconds, "queries_per_second": speed, "peak_memory_mb": peak_memory_mb()}
    return Answer(name, ranked, costs)


def _fitted(system: Any, split: Split, refit: bool | None) -> tuple[System, float]:
    """The system, fitted on the training data alone, and the seconds that took (NaN if it came fitted)."""
    if refit is None:
        refit = hasattr(system, "fit") and getattr(system, "data_fingerprint", None) != split.train.fingerprint()
    if not refit:
        ready: System = system
        return ready, float("nan")
    start = time.perf_counter()
    ready = copy.copy(system).fit(split.train)  # a copy: the caller's engine keeps what it learned
    return ready, time.perf_counter() - start


def _baseline_answers(split: Split, k: int, features: np.ndarray | None, *, floor_only: bool) -> Iterator[Answer]:
    for name, expert in baseline_experts(features).items():
        if name == FLOOR or not floor_only:
            start = time.perf_counter()
            fitted = fit_baseline(name, expert, split.train, features)
            seconds = time.perf_counter() - start
            yield _answer(name, fitted, split, k, seconds)


def _populations(
    answers: list[Answer], split: Split, k: int, masks: dict[str, np.ndarray], parts: dict[str, sp.csr_matrix]
) -> dict[str, list[np.ndarray]]:
    """By population, one array a system, shape (n_queries of it, n_measures), NaN = nothing to find."""
    lists = [a.ranked[:, :k] for a in answers]
    whole = [_stack(ranked, split.targets, k) for ranked in lists]
    out = {EVERYBODY: whole}
    out |= {name: [v[mask] for v in whole] for name, mask in masks.items()}
    return out | {f"items: {name}": [_stack(ranked, part, k) for ranked in lists] for name, part in parts.items()}


def _stack(ranked: np.ndarray, targets: sp.csr_matrix, k: int) -> np.ndarray:
    return np.column_stack(list(ranking(ranked, targets, k).values()))


def _measure(
    answers: list[Answer], split: Split, k: int, values: dict[str, list[np.ndarray]], seed: int, n_boot: int
) -> Iterator[Measured]:
    tables: list[dict[str, Any]] = [{} for _ in answers]
    for population, arrays in values.items():
        found = intervals(np.hstack(arrays), n_boot, seed=seed)  # one set of draws for all systems and measures
        for i, table in enumerate(tables):
            mine = found[i * len(MEASURES) : (i + 1) * len(MEASURES)]
            table[population] = dict(zip(MEASURES, mine, strict=True))
    for answer, table in zip(answers, tables, strict=True):
        yield Measured(answer.name, table, _beyond(answer.ranked, split, k), answer.costs)


def _beyond(deep: np.ndarray, split: Split, k: int) -> dict[str, float]:
    counts, ranked = split.train.interactions.item_counts(), deep[:, :k]
    tail = long_tail(counts)
    categories = category_matrix(split.train.catalog)
    out = beyond.of_lists(ranked, counts, split.candidates) | {
        "popularity_percentile": mean_known(beyond.popularity_percentile(ranked, counts)),
        "tail_recall": mean_known(beyond.tail_recall(ranked, split.targets, tail)),
        f"tail_recall_{DEEP}": mean_known(beyond.tail_recall(deep[:, :DEEP], split.targets, tail)),
    }
    if categories is not None:
        out["miscalibration"] = mean_known(beyond.miscalibration(ranked, split.queries.matrix(), categories))
    return out


def _compare(values: dict[str, list[np.ndarray]], names: list[str], seed: int, n_boot: int) -> tuple[Comparison, ...]:
    """The first system against the best other one of each population, on the first measure (NDCG).

    Holm's correction goes over the fifths by activity and taste, and over all other populations: a finer look at some
    queries makes nothing else less sure.
    """
    found: list[tuple[str, str, Paired]] = []
    for population, arrays in values.items():
        columns = [a[:, 0] for a in arrays]
        rival = 1 + int(np.argmax([mean_known(c) for c in columns[1:]]))
        found.append((population, names[rival], paired(columns[0], columns[rival], n_boot, seed=seed)))
    adjusted = np.empty(len(found))
    fifth = np.array([is_quintile(population) for population, _, _ in found])
    for family in (fifth, ~fifth):
        adjusted[family] = holm([found[i][2].p for i in np.flatnonzero(family)])
    return tuple(Comparison(p, rival, test, float(a)) for (p, rival, test), a in zip(found, adjusted, strict=True))
