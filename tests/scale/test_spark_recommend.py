"""Lists of everybody from Spark are those of one machine, whatever dies on the way."""

import numpy as np
import polars as pl
import pytest

from warmstart.batch import Lists
from warmstart.data.ingest import read
from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.errors import ConfigError
from warmstart.recipe import Recipe
from warmstart.scale.spark_recommend import write_all
from warmstart.scale.spark_tables import SparkTables

QUICK = {
    "encoder": "tfidf",
    "fusion": {"queries": 50, "heads": {"ranker": False}},
    "experts": {
        "popularity": {"class": "Popularity"},
        "people": {"class": "PriorMeanEASE"},
        "content_map": {"class": "ContentMap"},
        "attributes": {"class": "UserAttributes"},
    },
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Raw tables in a folder, and an engine fitted on them."""
    folder = tmp_path_factory.mktemp("shop")
    made = clusters(300, 60, 4, seed=2)
    x = made.interactions
    users, items = made.users.names(x.user.tolist()), made.catalog.items.names(x.item.tolist())
    events = pl.DataFrame({"user_id": users, "item_id": items, "rating": x.rating, "time": x.time})
    (folder / "interactions").mkdir()
    events[:2000].write_parquet(folder / "interactions" / "part-00000.parquet")
    events[2000:].write_parquet(folder / "interactions" / "part-00001.parquet")
    made.catalog.table.write_parquet(folder / "items.parquet")
    people = made.user_table.insert_column(0, pl.Series("user_id", made.users.ids))
    new = pl.DataFrame({"user_id": ["new"], "age": [20], "city": ["Oslo"]}, schema=people.schema)
    people.vstack(new).write_parquet(folder / "users.parquet")
    data = read(folder)
    Engine(Recipe.of(QUICK)).fit(data).save(folder / "engine")
    data.save(folder / "data")
    return folder


@pytest.fixture(scope="module")
def expected(shop):
    data = read(shop)
    found = load(shop / "engine", data=data).recommend(users=list(data.users.ids), k=5)
    who = pl.Series("user_id", data.users.ids)[found["query"]]
    return found.insert_column(0, who).sort("user_id", "rank")


def check(folder, expected):
    found = pl.read_parquet(folder / "part-*.parquet").sort("user_id", "rank")
    assert found["user_id"].to_list() == expected["user_id"].to_list()
    assert found["item_id"].to_list() == expected["item_id"].to_list()
    assert found["source"].to_list() == expected["source"].to_list()
    assert np.allclose(found["score"].to_numpy(), expected["score"].to_numpy(), atol=1e-4)


@pytest.mark.parametrize("data", ["", "data"])
def test_everybody_gets_the_list_of_one_machine(spark, shop, expected, tmp_path, data):
    told = write_all(spark, shop / "engine", SparkTables(str(shop / data)), Lists(k=5), str(tmp_path / "lists"))
    assert told == (301, len(expected))
    check(tmp_path / "lists", expected)


def test_a_worker_that_dies_is_replaced_and_no_list_is_missing(spark, shop, expected, tmp_path):
    died = tmp_path / "died"

    class DiesOnce(Lists):
        def answer(self, engine, h):
            import os

            from pyspark import TaskContext

            task = TaskContext.get()  # None before the job
            if task is not None and task.partitionId() == 1 and task.attemptNumber() == 0:
                died.mkdir(exist_ok=True)
                os._exit(1)  # as a lost executor does: at once, in the middle of its work
            return Lists(self.k).answer(engine, h)

    told = write_all(spark, shop / "engine", SparkTables(str(shop)), DiesOnce(5), str(tmp_path / "lists"))
    assert died.is_dir()
    assert told == (301, len(expected))
    check(tmp_path / "lists", expected)


def test_what_cannot_be_asked_is_told_before_the_job(spark, shop, tmp_path):
    tables, out = SparkTables(str(shop)), str(tmp_path / "lists")
    with pytest.raises(ConfigError, match="predicts no ratings"):
        write_all(spark, shop / "engine", tables, Lists(objective="rating"), out)
