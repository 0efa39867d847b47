"""Names of concepts."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.interests.members import of_paths
from warmstart.interests.names import concept_terms, item_terms, name_concepts, words


def test_terms_are_words_and_attributes_in_english_and_chinese():
    table = pl.DataFrame(
        {"item_id": ["a", "b"], "title": ["The Cowboys", "流浪地球是一部科幻电影"], "genre": ["Western|Drama", None]}
    )
    rows = item_terms(Catalog(table))
    assert {"cowboys", "western", "drama"} <= set(rows[0])
    assert {"流浪", "地球", "科幻电影"} <= set(rows[1])
    assert not {"the", "是", "genre=western"} & {*rows[0], *rows[1]}


def test_short_words_and_numbers_are_no_names():
    assert words("In 1995 an ox of Oz") == []


def test_weight_is_frequency_within_times_rarity_elsewhere():
    rows = [["red", "ship"], ["red", "sea"], ["red", "sea"], ["tea"], *([f"once {n}"] for n in range(8))]
    weight, kept = concept_terms(of_paths(np.array([[0], [0], [1], [1], *[[2]] * 8]), 3), rows)
    assert kept == ["red", "sea"]  # held by two items at least
    tf = (2 + 3 * 3 / 12) / (2 + 3)  # both items, and three of the mean that a quarter holds
    assert weight[0, 0] == pytest.approx(tf * np.log(tf / (3 / 12)), rel=1e-6)
    assert weight.nnz == 1  # one item of two is no word for both


def test_items_count_by_their_weight():
    rows = [["space", "tea"], ["space", "tea"], ["love", "tea"], ["love", "war"], *([["war"]] * 10)]
    weights = np.zeros((14, 2), np.float32)
    weights[:4, 0], weights[4:, 1] = [0.8, 0.8, 0.2, 0.2], 1
    name, even = (name_concepts(sp.csr_matrix(w), rows, k=9)[0] for w in (weights, (weights > 0).astype(np.float32)))
    assert name == ["space", "tea"]  # items that hold "love" weigh less than two together
    assert set(even) == {"space", "tea", "love"}


def test_what_is_everywhere_names_nothing():
    rows = [["film", "war"]] * 5 + [["film", "love"]] * 15
    names = name_concepts(of_paths(np.array([[0]] * 5 + [[1]] * 15), 2), rows)
    assert names[0] == ["war"]
    assert "film" not in names[1]


def test_every_level_is_named():
    rows = [["space", "alien"]] * 3 + [["space", "ship"]] * 3 + [["love"]] * 14
    paths = np.array([[0, 2]] * 3 + [[0, 3]] * 3 + [[1, 4]] * 14)
    names = name_concepts(of_paths(paths, 5), rows, k=1)
    assert names[0] == ["space"]
    assert names[2:4] == [["alien"], ["ship"]]


@pytest.mark.parametrize("rows", [[], [[]], [["once"]]])
def test_little_to_name_with(rows):
    assert len(name_concepts(of_paths(np.zeros((len(rows), 1), int), min(1, len(rows))), rows)) == min(1, len(rows))
