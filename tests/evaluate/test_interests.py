"""How good mined interests are, on planted themes."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from warmstart.data.catalog import Catalog
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.evaluate.foreseen import Window
from warmstart.evaluate.interest_checks import agreement, coverage, rankings, removal, top
from warmstart.evaluate.interest_report import ratio
from warmstart.evaluate.interests import COUNTS, FLOOR, LDA, OPEN, OURS, TOLD, InterestTask, Mined, judge_interests
from warmstart.evaluate.labels import Labels, hidden_tokens
from warmstart.interests.concepts import ConceptSettings
from warmstart.interests.predict import PredictSettings
from warmstart.interests.sparse import SparseSettings

ASKED = InterestTask(least=3, topics=(2, 4), seeds=2)
PLAIN = PredictSettings(half_life=0, own=1)


@pytest.fixture(scope="module")
def hidden():
    """Planted themes without the genres, with features that know the theme of most items; and the genres."""
    data = clusters(150, 80, 4, noise=0.1, seed=1)
    labels = Labels.of(hidden_tokens(data.catalog, ["genre"]))
    rng = np.random.default_rng(0)
    features = np.eye(4, dtype=np.float32)[np.arange(80) % 4] + 0.3 * rng.standard_normal((80, 4)).astype(np.float32)
    return replace(data, catalog=Catalog(data.catalog.table.drop("genre"))).with_features(features), labels


@pytest.fixture(scope="module")
def mined(hidden):
    window = Window.of(hidden[0], least=3)
    return window, Mined.of(window, ASKED)


@pytest.fixture(scope="module")
def found(hidden):
    return judge_interests(*hidden, hidden[1], ASKED)


def test_planted_themes_are_foreseen_better_than_by_popularity(found):
    right = {e.name: e.values["genre"]["accuracy"].mean for e in found.entries}
    assert next(iter(right)) == OURS
    assert set(right) == {OURS, TOLD, LDA, COUNTS, FLOOR, OPEN}
    assert min(right[OURS], right[TOLD]) > 0.9
    assert right[FLOOR] < 0.5  # of four themes everybody's first is a fourth of the people's
    f1 = {e.name: e.values["genre"]["f1"].mean for e in found.entries}
    assert found.ratios[FLOOR]["genre"].mean == pytest.approx(f1[OURS] / f1[FLOOR])


def test_planted_themes_cohere_and_are_enough_to_rank_by(found):
    assert found.coherence[0].labels > 0.5
    assert found.ndcg["interests"].mean > found.ndcg["popularity"].mean
    assert found.sufficiency > 0.85
    assert found.agreement.same
    assert found.agreement.seeds == (1.0,) * 3


def test_the_same_seed_gives_the_same_answer(hidden, found):
    again = judge_interests(*hidden, hidden[1], ASKED)
    assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())


def test_tables_name_everybody(found):
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(*found.tables())
    said = console.export_text()
    assert all(word in said for word in ("f1@5", OURS, LDA, FLOOR, "NPMI", "cut by", "halved"))


def test_coverage_grows_with_the_interests_and_beats_everybodys(mined):
    window, one = mined
    shares = coverage(one.concepts, one.belongs, window, PLAIN).shares
    means = {name: rows.mean(1) for name, rows in shares.items()}
    first, told, foreseen, both = means.values()
    assert first[0] <= told[0] <= both[0]
    assert foreseen[0] <= both[0] <= 1
    assert foreseen[0] > foreseen[1] + 0.2  # of four themes a person takes one


def test_removing_an_interest_takes_its_items_out_of_the_list(mined):
    window, one = mined
    cut = removal(one.concepts, one.belongs, window, PLAIN)
    assert cut.people > 0
    assert cut.before > 0.3
    assert cut.cut > 0.5
    assert 0 <= cut.halved <= 1


def test_lists_hold_nothing_that_was_taken(mined):
    window, _ = mined
    listed = top(lambda h: np.zeros((len(h), h.n_items)), window.queries, 80)
    for q in range(len(window.users)):
        row = listed[q][listed[q] >= 0]
        assert not set(row.tolist()) & set(window.queries.row(q).tolist())
        assert len(row) == 80 - len(set(window.queries.row(q).tolist()))


def test_rankers_are_asked_alike(mined):
    window, one = mined
    ranked = rankings(one.belongs, window, PLAIN)
    assert list(ranked) == ["interests", "content map", "content cosine", "popularity"]
    assert all(values.shape == (len(window.users),) for values in ranked.values())


def test_a_dictionary_of_overlapping_concepts_is_measured_as_well(hidden):
    sparse = ConceptSettings("sparse", sparse=SparseSettings(size=8, steps=50))
    found = agreement(hidden[0], sparse, seeds=2)
    assert found.same
    assert len(found.seeds) == len(found.events) == 1
    assert -0.2 < found.events[0] <= 1


def test_one_seed_agrees_with_nobody(hidden):
    assert np.isnan(agreement(hidden[0], ConceptSettings(), seeds=1).seeds).all()


def test_a_ratio_leaves_out_people_without_truth():
    measured = ratio(np.array([0.4, 0.2, np.nan]), np.array([0.2, 0.1, 0.5]))
    assert (measured.mean, measured.n) == (pytest.approx(2), 2)
    assert ratio(np.array([np.nan]), np.array([1.0])).n == 0
    assert ratio(np.array([1.0]), np.array([0.0])).n == 0


@pytest.mark.parametrize("bad", [{"share": 1.0}, {"least": 0}, {"topics": ()}, {"topics": (0,)}, {"seeds": 0}])
def test_tasks_out_of_range_are_refused(bad):
    with pytest.raises(ConfigError, match="are usual"):
        InterestTask(**bad)
