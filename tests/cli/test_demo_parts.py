"""Parts of the command line that need no engine."""

import io

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from warmstart.cli.demo_task import demo_split, shrink
from warmstart.cli.options import SplitKind, ids, make_split, pairs, read_ids
from warmstart.cli.screen import listing, progress
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError, DataError
from warmstart.evaluate.ask import check_lists


def test_the_task_of_the_demo_holds_out_what_it_says():
    data = clusters(300, 120, 4, seed=2)
    split = demo_split(data, "i4")
    train = split.train.interactions
    assert train.item_counts()[4] == 0
    assert split.targets.multiply(split.queries.matrix()).nnz == 0
    assert split.hidden.multiply(split.targets).nnz == 0
    new = train.user_counts()[split.users] == 0
    assert 0 < new.sum() < len(split)
    assert set(split.queries.lengths[new].tolist()) <= {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
    assert split.queries.lengths[new].min() == 0
    kept = {(u, i, t) for u, i, t in zip(train.user, train.item, train.time, strict=True)}
    x = data.interactions
    assert kept < {(u, i, t) for u, i, t in zip(x.user, x.item, x.time, strict=True)}
    check_lists(np.full((len(split), 1), -1), split)


def test_a_small_part_keeps_titles_and_events():
    data = clusters(100, 60, 4, seed=2)
    small = shrink(data, 30, 20)
    assert small.n_items == 20
    code = int(data.catalog.items.codes([small.catalog.items.ids[3]])[0])
    assert small.catalog.title(3) == data.catalog.title(code)
    assert small.interactions.has_time


@pytest.mark.parametrize("kind", SplitKind)
def test_every_split_has_its_name(kind):
    split = make_split(clusters(100, 60, 4, seed=2), kind, 0.2, 3, 50.0, 0)
    assert split.name.startswith(kind.value)


def test_pairs_and_ids(tmp_path):
    assert pairs(["a = b", "c=d=e"], "--map") == {"a": "b", "c": "d=e"}
    with pytest.raises(ConfigError, match="--map 'a' is no name=value"):
        pairs(["a"], "--map")
    assert ids(" a,,b ") == ["a", "b"]
    assert read_ids(None) is None
    (tmp_path / "ids").write_bytes(b"\xef\xbb\xbfa\r\n b \n")
    assert read_ids(tmp_path / "ids") == ["a", "b"]
    with pytest.raises(DataError, match="one id a line"):
        read_ids(tmp_path)


def test_cells_of_a_listing():
    rows = pl.DataFrame({"n": [1], "x": [0.5], "why": [["[b]one", "two"]], "none": [None]})
    console = Console(file=io.StringIO(), width=60)
    console.print(listing(rows, "title"))
    said = console.file.getvalue()
    assert "0.5000" in said
    assert "[b]one" in said
    assert "None" not in said


def test_stages_are_told_one_after_the_other(capsys):
    with progress() as tell:
        tell("one", 0, 2)
        tell("one", 1, 2)
        tell("two", 0, 0)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("100%") == 2
