"""Who foresees the labels of a person's next events."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary
from warmstart.errors import DataError
from warmstart.evaluate.foreseen import Contender, Window, compete, label_shares, questions
from warmstart.evaluate.labels import ALL, Labels, Telling
from warmstart.evaluate.topics import counted, everything
from warmstart.interests.predict import NextShares, PredictSettings

PLAIN = PredictSettings(half_life=0, own=1)


def world(rows, n_items):
    user = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    x = Interactions.of(user, np.concatenate(rows).astype(int), len(rows), n_items, time=np.arange(len(user)))
    catalog = Catalog(pl.DataFrame({"item_id": [f"i{i}" for i in range(n_items)]}))
    return Dataset(x, catalog, Vocabulary(f"u{u}" for u in range(len(rows))))


def halves(n_people=40, n_items=24):
    """Even people take items of the first half, odd ones of the second, each in an order of their own."""
    rng, half = np.random.default_rng(0), n_items // 2
    rows = [rng.permutation(half)[:10] + half * (u % 2) for u in range(n_people)]
    labels = Labels.of([["theme=first" if i < half else "theme=second"] for i in range(n_items)])
    return world(rows, n_items), labels


def test_the_newest_events_are_the_future_of_those_who_have_enough():
    data = world([np.arange(10), [0, 1, 2], [3, 4, 5, 6, 7, 8, 9, 3, 3, 4]], 10)
    window = Window.of(data, share=0.2, least=2)
    assert window.users.tolist() == [0]
    assert window.queries.row(0).tolist() == list(range(8))
    assert window.future.indices.tolist() == [8, 9]
    assert len(window.train.interactions) == 21  # those without a new item keep their last events
    with pytest.raises(DataError, match="nobody has 3 new items in the last 20%"):
        Window.of(data, share=0.2, least=3)


def test_items_that_were_taken_are_not_foreseen_again():
    data = world([[0, 1, 2, 3, 4], [0, 1]], 5)
    window = Window.of(data, share=0.2, least=1)
    labels = Labels.of([["l=a"], ["l=a"], ["l=a"], ["l=b"], ["l=c"]], least=1)
    foresees = NextShares.fit(window.train.interactions, everything(5), PLAIN)
    assert label_shares(foresees.likely, window, labels).tolist() == [[0, 0, 1]]  # of five items, four are taken


def test_labels_are_read_from_the_items_that_concepts_make_likely():
    data = world([[0, 1, 2, 3, 4], [5, 5, 5, 6]], 7)
    window = Window.of(data, share=0.2, least=1)
    labels = Labels.of([[], [], [], [], ["l=a"], ["l=a"], ["l=b"]], least=1)
    belongs = sp.csr_matrix(np.array([[1.0, 0]] * 4 + [[0, 1.0]] * 3))
    foresees = NextShares.fit(window.train.interactions, belongs, PLAIN)
    (first, *_) = label_shares(foresees.likely, window, labels)
    assert first.tolist() == [0, 0]  # all that is likely was taken: nothing is foreseen


def test_marks_are_those_of_the_labels_that_tell():
    data, labels = halves()
    asked = questions(Window.of(data, least=2), labels, Telling())
    theme = asked.window.users % 2
    right = np.stack([theme == 0, theme == 1], axis=1).astype(float)
    (found,) = asked.marks(right).values()
    assert found["accuracy"].tolist() == [1.0] * len(theme)
    assert found["map"].tolist() == [1.0] * len(theme)
    assert found["recall"].tolist() == [1.0] * len(theme)
    assert found["precision"] == pytest.approx(np.full(len(theme), 0.2))  # one label of five places
    assert found["f1"] == pytest.approx(np.full(len(theme), 2 / 6))
    (wrong,) = asked.marks(1 - right).values()
    assert not wrong["accuracy"].any()


def test_whom_nothing_sets_apart_has_no_truth():
    data = world([np.arange(10), np.arange(10)[::-1]], 10)
    labels = Labels.of([["l=all"]] * 10)
    (found,) = questions(Window.of(data, least=2), labels, Telling()).marks(np.ones((2, 1))).values()
    assert np.isnan(found["f1"]).all()


def test_bars_come_from_the_earlier_window():
    data, labels = halves()
    window = Window.of(data, least=2)
    assert questions(window, labels, Telling(), {"theme": 0.25}).by_kind["theme"].bar == 0.25
    assert ALL not in questions(window, labels, Telling()).by_kind


def test_concepts_that_know_the_themes_win_over_one_that_knows_nothing():
    data, labels = halves()
    final = Window.of(data, least=2)
    past, truth = (questions(w, labels, Telling()) for w in (Window.of(final.train, least=2), final))
    themes, nothing = counted(labels.matrix), everything(24)
    choices = (PLAIN, PredictSettings(half_life=0.5, own=1))
    known = compete(Contender("themes", themes, themes, choices), past, truth)
    floor = compete(Contender("nothing", nothing, nothing, choices), past, truth)
    assert known.marks["theme"]["accuracy"].mean() == 1
    assert floor.marks["theme"]["accuracy"].mean() < 1
    assert (known.concepts, floor.concepts) == (2, 1)
    assert known.chosen == PLAIN  # equal on the earlier window: the first stays
