from dataclasses import replace

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.learn.people import item_titles, person_texts, profile_texts

TITLES = ["Alien (1979)", "Jaws", "Heat", ""]


def shopper(**columns):
    x = Interactions.of(
        np.zeros(4, int), np.arange(4), 1, 4, kind=np.array([1, 0, 1, 1]), kinds=("view", "buy"), **columns
    )
    return Histories.of_users(x, np.array([0, -1]))


def test_events_by_kind_the_newest_first():
    assert person_texts(shopper(), TITLES) == ["bought: Heat, Alien (1979); viewed: Jaws.", "new user"]


def test_ratings_are_told():
    rated = shopper(rating=np.array([4, np.nan, 2.5, 1]))
    assert person_texts(rated, TITLES)[0] == "bought: Heat (rated 2.5), Alien (1979) (rated 4); viewed: Jaws."


def test_who_a_person_is_comes_first():
    table = pl.DataFrame({"age": [23, None], "sex": ["M", None], "job": ["student", "writer"], "user_url": ["a", "b"]})
    told = person_texts(replace(shopper(), attributes=table), TITLES)
    assert told == ["age 23, sex M, student. bought: Heat, Alien (1979); viewed: Jaws.", "writer."]


def test_chinese_titles_have_chinese_words():
    titles = ["三体", "流浪地球", "霸王别姬", "无间道"]
    x = Interactions.of(np.zeros(2, int), np.arange(2), 1, 4, rating=np.array([5, np.nan]))
    assert person_texts(Histories.of_users(x, np.array([0])), titles) == ["历史：流浪地球、三体（评分5）。"]
    table = pl.DataFrame({"职业": ["学生会主席"]})
    assert person_texts(replace(Histories.of([[]], 4), attributes=table), titles) == ["学生会主席。"]


def test_a_kind_without_words_is_told_by_its_name():
    x = Interactions.of(np.zeros(1, int), np.zeros(1, int), 1, 4, kinds=("wishlisted",))
    assert person_texts(Histories.of_users(x, np.array([0])), TITLES) == ["wishlisted: Alien (1979)."]


def test_histories_without_kinds_are_read():
    assert person_texts(Histories.of([[0], [3]], 4), TITLES) == ["history: Alien (1979).", "new user"]


def test_nobody_is_described_without_a_table():
    assert profile_texts(Histories.of([[0], []], 4)) == ["", ""]


def test_an_item_without_title_is_called_by_its_text():
    catalog = Catalog(pl.DataFrame({"item_id": ["1", "2"], "name": ["Heat", None]}))
    assert item_titles(catalog, ["Heat. Drama.", "word " * 40]) == ["Heat", " ".join(["word"] * 16)]
