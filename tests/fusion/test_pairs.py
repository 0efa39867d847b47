"""How candidates lie to a history, by hand; numbers found among others, by a table or without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.fusion.evidence import GRAPH, SUPPORT, evidence
from warmstart.fusion.pairs import found_among
from warmstart.fusion.scores import Whole

AT = {name: i for i, name in enumerate(SUPPORT)}
some = settings(max_examples=40, deadline=None, derandomize=True)


def test_how_a_candidate_lies_to_a_history(data, support):
    rows, item = [[0, 4, 9], []], np.array([8, 20, 8])
    h = Histories.of(rows, data.n_items)
    query = np.array([0, 0, 1])
    found = evidence(Whole({}, np.ones((2, data.n_items), bool)), (), support, h, query, item)
    assert found.shape == (3, len(SUPPORT + GRAPH))
    assert found.dtype == np.float32
    unit = support.directions.rows(np.arange(data.n_items))
    sims = unit[item[:2]] @ unit[rows[0]].T
    people = support.people.toarray()[rows[0]][:, item[:2]]
    expected = {
        "length": np.log1p([3, 3]),
        "history_popularity": [support.item[rows[0], 0].mean()] * 2,
        "nearest_content": sims.max(1),
        "mean_content": sims.mean(1),
        "nearest_people": people.max(0),
        "links": (people > 0).sum(0),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[:2, AT[name]], values, atol=1e-5, err_msg=name)
    assert found[2, AT["length"]] == 0
    assert np.isnan(found[2, [AT[n] for n in expected if n != "length"]]).all()


@some
@given(seed=st.integers(0, 10_000), m=st.integers(0, 9), w=st.integers(0, 9))
@pytest.mark.parametrize("n", [40, 1_000_000])
def test_numbers_are_found_by_a_table_or_by_halving(n, seed, m, w):
    rng = np.random.default_rng(seed)
    among, wanted = rng.permutation(40)[:m], rng.integers(0, 40, w)
    expected = [int(np.flatnonzero(among == one)[0]) if one in among else -1 for one in wanted]
    assert found_among(among, wanted, n).tolist() == expected
