"""The price of lists in proportion, on lists that are known to be right, and known to be wrong."""

import numpy as np
import pytest
import scipy.sparse as sp

from warmstart.data.split import cold_users
from warmstart.data.toy import clusters
from warmstart.evaluate.proportions import prices


def test_the_price_is_measured_against_lists_by_score():
    split = cold_users(clusters(40, 20, 2, seed=1), share=0.5)
    shares = np.eye(2)[np.arange(20) % 2]
    first = np.array([split.targets[q].indices[0] for q in range(len(split))])
    right, wrong = (np.column_stack([c, (c + 2) % 20]) for c in (first, (first + 1) % 20))
    told = prices({0.0: right, 0.5: wrong}, split, sp.csr_matrix(shares))
    assert [p.weight for p in told] == [0.0, 0.5]
    assert told[0].change.difference == 0
    assert told[1].change.difference == pytest.approx(told[1].ndcg.mean - told[0].ndcg.mean)
    assert told[1].to_dict()["ndcg"]["mean"] < told[0].ndcg.mean
