"""Labels as the truth about interests."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from warmstart.data.catalog import Catalog
from warmstart.errors import ConfigError, DataError
from warmstart.evaluate.labels import ALL, Labels, Telling, hidden_tokens

CATALOG = Catalog(
    pl.DataFrame({"item_id": ["a", "b", "c"], "title": ["A", "B", "C"], "genre": ["War|Tea", "War", None]})
)
COMMON = np.array([0.5, 0.1, 0.1])


def told(counts, n, **settings):
    return Telling(**settings).told(np.array([counts], float), np.array([n], float), COMMON)[0]


def test_tokens_come_from_hidden_columns_and_from_tags():
    tags = pl.DataFrame({"item_id": ["c", "zz", "a"], "tag": [" Quiet", "lost", None]})
    assert hidden_tokens(CATALOG, ["genre"], tags) == [["genre=war", "genre=tea"], ["genre=war"], ["tag=quiet"]]


def test_labels_of_too_few_items_are_left_out_and_kinds_are_columns():
    labels = Labels.of([["genre=war", "tag=x"], ["genre=war"], ["tag=x", "tag=y"]], least=2)
    assert labels.names == ("genre=war", "tag=x")
    assert {k: m.tolist() for k, m in labels.kinds.items()} == {
        ALL: [True, True],
        "genre": [True, False],
        "tag": [False, True],
    }
    assert list(Labels.of([["genre=war"]], least=1).kinds) == ["genre"]


def test_what_cannot_be_a_truth_is_refused():
    with pytest.raises(DataError, match="no column 'mood' to hide"):
        hidden_tokens(CATALOG, ["mood"])
    with pytest.raises(DataError, match="give item_id and one with the tag"):
        hidden_tokens(CATALOG, ["genre"], pl.DataFrame({"item_id": ["a"]}))
    with pytest.raises(DataError, match="no label stands on 5 items"):
        Labels.of([["genre=war"]])
    with pytest.raises(ConfigError, match="3, 2 and 5 are usual"):
        Telling(prior=0)


def test_what_everybody_takes_tells_nothing():
    assert told([5, 4, 1], 10, prior=1e-9) == pytest.approx([0, 0.4 * np.log(4), 0])


def test_a_label_of_one_event_is_no_truth_and_three_common_events_are_added():
    assert told([0, 1, 2], 3, prior=3)[:2].tolist() == [0, 0]
    share = (2 + 0.3) / 6
    assert told([0, 1, 2], 3, prior=3)[2] == pytest.approx(share * np.log(share / 0.1))


def test_the_truth_is_the_few_labels_that_tell_most():
    chosen = Telling(most=2).truth(np.array([[0.1, 0.3, 0.2], [0, 0, 0.4], [0, 0, 0]]))
    assert chosen.toarray().tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]


def test_the_chance_is_that_of_so_many_events():
    telling, bar = Telling(prior=1e-9), 0.4 * np.log(4) - 1e-9  # of ten events a rare label needs four
    chance = telling.chance(np.array([[0.5, 0.3, 0.0]]), np.array([10]), COMMON, bar)[0]
    assert chance[1] == pytest.approx(binom.sf(3, 10, 0.3))
    assert chance[2] == 0
    needed = next(c for c in range(11) if c / 10 * np.log(max(c, 1) / 5) > bar)
    assert chance[0] == pytest.approx(binom.sf(needed - 1, 10, 0.5))


def test_the_bar_is_what_the_last_label_tells():
    values = np.array([[5.0, 1, 4, 3, 2, 9], [5, 0, 0, 0, 0, 0], [6, 7, 8, 9, 3, 1]])
    assert Telling().usual_bar(values) == 2  # fifth largest: 2, 0, 3
    assert Telling().usual_bar(values[:0]) == 0
