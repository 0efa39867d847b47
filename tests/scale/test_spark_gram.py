"""The Gram matrix and neighbours of Spark are those of one machine."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.scale.cooccurrence import CHUNK, gathered, gram_rows, strongest
from warmstart.scale.spark_gram import gram, neighbours


@pytest.fixture(scope="module")
def data():
    return clusters(150, 70, 4, seed=3)


@pytest.fixture(scope="module")
def events(spark, data):
    import pyarrow as pa

    x = data.interactions
    twice = np.concatenate([x.user, x.user[:50]]), np.concatenate([x.item, x.item[:50]])
    return spark.createDataFrame(pa.table({"user": twice[0], "item": twice[1]})).repartition(3).cache()


def test_the_gram_matrix_is_that_of_one_machine(events, data):
    x = data.interactions.matrix()
    found = gram(events, data.n_items)
    assert (found != x.T @ x).nnz == 0
    assert found.dtype == np.float32


def test_neighbours_are_those_of_one_machine(events, data):
    x = data.interactions.matrix()
    row, other, people = strongest((x.T @ x).tocsr(), np.arange(data.n_items), 5)
    expected = pl.DataFrame({"item": row, "other": other, "people": people})
    found = pl.DataFrame(pl.from_arrow(neighbours(events, data.n_items, 5).toArrow()))
    found = found.sort("item", "people", "other", descending=[False, True, False])
    assert found.rows() == expected.rows()
    with pytest.raises(ConfigError, match="n=0"):
        neighbours(events, 5, 0)


def test_rows_are_summed_over_parts_of_any_size(data):
    x = data.interactions.matrix()
    halves = [(part.indptr.astype(np.int64), part.indices) for part in (x[:60], x[60:])]
    whole = (x.T @ x).toarray()
    for block in range(3):
        assert np.array_equal(gram_rows(halves, block, 3, data.n_items).toarray(), whole[block::3])
    assert [len(item) for _, item in gathered(halves, least=1)] == [x[:60].nnz, x[60:].nnz]
    assert x.nnz < CHUNK
