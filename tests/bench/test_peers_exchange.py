"""What goes out to a system, what comes back, and that the one cannot be told from the other's secrets."""

import json

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import warmstart as ws
from warmstart.data.toy import clusters
from warmstart.errors import DataError
from warmstart.evaluate.ask import ask


@pytest.fixture(scope="module")
def splits():
    from peers.tasks import prepared, scenarios

    data = prepared(clusters(120, 80, 2, seed=1))
    return {s.name: s.splits(data) for s in scenarios()}


@pytest.mark.parametrize("name", ["warm", "cold-items", "cold-users", "sparse-25", "temporal"])
def test_a_task_comes_back_as_it_was(splits, name, tmp_path):
    from given import Train, read_questions
    from peers.exchange import length, write_task

    write_task(tmp_path, splits[name])
    train = Train.read(tmp_path / "train")
    asked = read_questions(tmp_path, train.n_items)
    for question, split in splits[name].items():
        x, (queries, long) = split.train.interactions, asked[question]
        assert np.array_equal(train.user, x.user)
        assert np.array_equal(train.item, x.item)
        assert np.array_equal(train.counts(), x.item_counts())
        assert np.array_equal(queries.user, split.users)
        assert np.array_equal(queries.matrix(), split.queries.matrix().toarray())
        assert [h.tolist() for h in queries.histories] == [split.queries.row(q).tolist() for q in range(len(split))]
        assert long == length(split)
        assert queries.allowed.sum() == (split.train.n_items if split.candidates is None else len(split.candidates))


def test_all_questions_of_a_scenario_leave_the_same_training_set(splits):
    for asked in splits.values():
        assert len({split.train.fingerprint() for split in asked.values()}) == 1
        assert len({split.validation().train.fingerprint() for split in asked.values()}) == 1


def test_no_file_of_a_task_tells_what_should_be_found(splits, tmp_path):
    from peers.exchange import write_task

    split = splits["warm"]["all"]
    write_task(tmp_path, {"all": split})
    events = pl.read_parquet(tmp_path / "train" / "interactions.parquet")
    known = set(zip(events["user"].to_list(), events["item"].to_list(), strict=True))
    wanted = split.targets.tocoo()
    assert not known & set(zip(split.users[wanted.row].tolist(), wanted.col.tolist(), strict=True))
    columns = {c for file in tmp_path.glob("*.parquet") for c in pl.read_parquet_schema(file)}
    assert columns == {"user", "history"}
    assert set(json.loads((tmp_path / "task.json").read_text("utf-8"))) == {"fingerprint", "questions"}


def test_the_order_of_the_items_tells_nothing_and_nothing_else_changes():
    from peers.tasks import prepared

    data = clusters(120, 80, 2, seed=1)
    moved = prepared(data, seed=3)
    names = [d.catalog.items.names(d.interactions.item.tolist()) for d in (data, moved)]
    pairs = [
        sorted(zip(d.interactions.user.tolist(), n, strict=True)) for d, n in zip((data, moved), names, strict=True)
    ]
    assert pairs[0] == pairs[1]
    assert data.catalog.items.ids != moved.catalog.items.ids
    assert sorted(data.catalog.table.rows()) == sorted(moved.catalog.table.rows())
    assert prepared(data, seed=3).fingerprint() == moved.fingerprint()


def test_a_task_is_written_once_and_anew_where_it_changed(splits, tmp_path):
    from peers.exchange import write_task

    first = write_task(tmp_path, splits["warm"])
    stamp = (tmp_path / "task.json").stat().st_mtime_ns
    assert write_task(tmp_path, splits["warm"]) == first
    assert (tmp_path / "task.json").stat().st_mtime_ns == stamp
    assert write_task(tmp_path, splits["temporal"]) != first


def test_columns_become_indicators_of_what_several_rows_share():
    from side import indicators

    genres = ["war|noir"] * 6 + ["war", None] * 3
    table = {"item_id": [str(i) for i in range(12)], "genres": genres, "text": [f"a film {i}" for i in range(12)]}
    made = indicators(pa.table(table | {"year": [*range(1990, 2001), None]}))
    assert made.shape == (12, 2)  # each fifth of the years has too few rows
    assert sorted(made.sum(axis=0).tolist()[0]) == [6, 9]
    assert made[7].nnz == 0


def lists_of(split, scores, file):
    """The lists of one score an item, written as a runner writes them."""
    from given import Queries
    from given import best as highest
    from measured import write

    histories = [split.queries.row(q) for q in range(len(split))]
    queries = Queries(split.users, histories, np.ones(split.train.n_items, bool))
    lists = highest(np.tile(scores, (len(split), 1)), queries, split.train.n_items)
    return write(file, lists, queries, split.train.interactions.item_counts())


@pytest.mark.parametrize("name", ["warm", "cold-users", "sparse-25"])
def test_popularity_from_a_file_is_measured_as_the_library_measures_it(splits, name, tmp_path):
    from peers.exchange import Replay

    for question, split in splits[name].items():
        counts = split.train.interactions.item_counts().astype(float)
        assert lists_of(split, counts, tmp_path / "lists.parquet") == 1.0
        report = ws.evaluate(Replay.read(tmp_path / "lists.parquet", split), split, baselines=False, n_boot=20)
        ours, floor = report.systems
        assert ours.values["all queries"]["ndcg"].mean == pytest.approx(floor.values["all queries"]["ndcg"].mean), (
            question
        )


def test_targets_in_a_file_are_a_perfect_list_and_history_is_refused(splits, tmp_path):
    from peers.exchange import Replay

    split = splits["warm"]["all"]
    rows = [(q, r + 1, i) for q in range(len(split)) for r, i in enumerate(split.targets[q].indices)]
    table = pl.DataFrame(rows, schema={"query": pl.Int32, "rank": pl.Int32, "item": pl.Int32}, orient="row")
    users, items = split.train.users.names(split.users.tolist()), split.train.catalog.items.ids
    report = ws.evaluate(Replay(users, items, table), split, baselines=False, n_boot=20)
    assert report.value("ndcg").mean == 1.0
    seen = pl.DataFrame({"query": [0], "rank": [1], "item": [int(split.queries.row(0)[0])]})
    with pytest.raises(DataError, match="history"):
        ask(Replay(users, items, seen), split, 10)


def test_who_has_no_answer_is_given_popularity_and_counted(splits, tmp_path):
    from given import Queries
    from measured import write

    split = splits["warm"]["all"]
    queries = Queries(
        split.users, [split.queries.row(q) for q in range(len(split))], np.ones(split.train.n_items, bool)
    )
    lists = np.full((len(split), 5), -1, np.int32)
    lists[0, 0] = next(i for i in range(split.train.n_items) if i not in split.queries.row(0))
    counts = split.train.interactions.item_counts()
    assert write(tmp_path / "lists.parquet", lists, queries, counts) == pytest.approx(1 / len(split))
    written = pl.read_parquet(tmp_path / "lists.parquet")
    assert written.filter(pl.col("query") == 0).height == 1
    second = written.filter(pl.col("query") == 1).sort("rank")["item"].to_list()
    unseen = [i for i in np.argsort(-counts, kind="stable").tolist() if i not in split.queries.row(1)]
    assert second == unseen[:5]
