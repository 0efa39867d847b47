"""The whole way from a system and a split to a report."""

import numpy as np
import pytest

from warmstart.data import split
from warmstart.data.popularity import long_tail
from warmstart.errors import DataError
from warmstart.evaluate.beyond import tail_recall
from warmstart.evaluate.control import shuffle_texts, shuffled_text_control
from warmstart.evaluate.intervals import holm
from warmstart.evaluate.metrics import ranking
from warmstart.evaluate.report import EVERYBODY
from warmstart.evaluate.run import evaluate
from warmstart.evaluate.slices import is_quintile
from warmstart.experts.content import ContentCosine


@pytest.fixture(scope="module")
def task(make_planted):
    return split.last_n(make_planted(), share=0.3)


@pytest.fixture(scope="module")
def report(task, engine_class):
    return evaluate(engine_class(), task, k=5, n_boot=100)


def test_numbers_are_those_of_the_lists(task, report, ranker_class):
    values = ranking(ranker_class(task.train)(task.queries, 5), task.targets, 5)
    for name, per_query in values.items():
        assert report.value(name).mean == pytest.approx(np.nanmean(per_query))
        assert report.value(name).low <= report.value(name).mean <= report.value(name).high


def test_the_baselines_stand_beside_it(report):
    assert [s.name for s in report.systems] == ["warmstart", "popularity", "EASE", "content"]
    first = report.comparisons[0]
    assert (first.population, first.test.n) == (EVERYBODY, report.populations[EVERYBODY])
    assert report.value().mean > report.value(system="popularity").mean
    assert report.systems[0].costs["fit_seconds"] >= 0
    assert report.systems[0].costs["queries_per_second"] > 0
    assert report.systems[0].beyond["miscalibration"] == pytest.approx(0, abs=1e-9)


def test_the_long_tail_is_sought_among_fifty(task, report, ranker_class):
    tail = long_tail(task.train.interactions.item_counts())
    found = tail_recall(ranker_class(task.train)(task.queries, 50), task.targets, tail)
    for system in report.systems:
        assert system.beyond["tail_recall_50"] >= system.beyond["tail_recall"]
    assert report.systems[0].beyond["tail_recall_50"] == pytest.approx(np.nanmean(found))


def test_fifths_are_corrected_for_apart(report):
    fifths = [c for c in report.comparisons if is_quintile(c.population)]
    others = [c for c in report.comparisons if not is_quintile(c.population)]
    assert len(fifths) >= 5  # everybody of this task may have as many events as the others
    for family in (fifths, others):
        assert [c.adjusted for c in family] == holm([c.test.p for c in family])


def test_popularity_is_in_every_table(task, ranker_class):
    alone = evaluate(ranker_class(task.train), task, baselines=False, n_boot=10)
    assert [s.name for s in alone.systems] == ["warmstart", "popularity"]
    assert np.isnan(alone.systems[0].costs["fit_seconds"])
    with pytest.raises(DataError, match="popularity"):
        evaluate({"popularity": ranker_class(task.train)}, task)


def test_an_engine_that_knows_too_much_is_fitted_anew_and_kept(task, make_planted, engine_class):
    everything = make_planted()
    engine = engine_class(everything)
    honest = evaluate(engine, task, k=5, baselines=False, n_boot=10)
    assert honest.systems[0].costs["fit_seconds"] >= 0
    assert engine.data is everything
    knowing = engine_class(task.train)
    trusted = evaluate(knowing, task, k=5, baselines=False, n_boot=10)
    assert np.isnan(trusted.systems[0].costs["fit_seconds"])
    assert trusted.value().mean == honest.value().mean


def test_several_systems_share_a_table(task, ranker_class):
    both = {"a": ranker_class(task.train), "b": ContentCosine()}
    assert [s.name for s in evaluate(both, task, baselines=False, n_boot=10).systems] == ["a", "b", "popularity"]


def test_equal_seeds_give_equal_reports(task, report, engine_class):
    again = evaluate(engine_class(), task, k=5, n_boot=100)
    assert again.comparisons == report.comparisons
    assert again.systems[0].values == report.systems[0].values


@pytest.mark.parametrize(
    "make",
    [
        split.temporal,
        lambda d: split.cold_items(d, candidates="cold"),
        split.cold_items,
        lambda d: split.cold_users(d, reveal=0),
        lambda d: split.few_shot(d, k=1, after=6),
        lambda d: split.sparse(d, 20),
    ],
)
def test_every_kind_of_split_is_measured(make, make_planted, engine_class):
    report = evaluate(engine_class(), make(make_planted()), n_boot=20)
    assert 0 < report.value("hit").mean <= 1


def test_cold_items_count_as_never_seen(make_planted, engine_class):
    report = evaluate(engine_class(), split.cold_items(make_planted(), candidates="cold"), n_boot=20)
    assert [p for p in report.populations if p.startswith("items")] == ["items: never seen"]


def test_shuffled_texts_keep_ids_and_events(make_planted):
    data = make_planted()
    shuffled = shuffle_texts(data, seed=1)
    assert shuffled.catalog.items == data.catalog.items
    assert shuffled.interactions is data.interactions
    moved = (shuffled.catalog.table["genres"] != data.catalog.table["genres"]).to_numpy()
    assert moved.any()
    assert (shuffled.features.argmax(1) != data.features.argmax(1)).tolist() == moved.tolist()


def test_a_system_that_reads_texts_loses_without_them(task, ranker_class):
    control = shuffled_text_control(ranker_class, task, n_boot=200)
    assert control.lost
    assert control.shuffled.mean < control.intact.mean
