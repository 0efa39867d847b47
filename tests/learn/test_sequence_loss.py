"""Losses over drawn negatives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.learn.sequence_loss import equal_pairs, gbce, sampled_softmax


def test_with_all_items_drawn_it_is_the_softmax():
    scores, taken = torch.randn(7, 20), torch.arange(7)
    positive, negative = scores[torch.arange(7), taken], scores.clone()
    negative[torch.arange(7), taken] = -torch.inf
    assert float(sampled_softmax(positive, negative)) == pytest.approx(
        float(torch.nn.functional.cross_entropy(scores, taken)), rel=1e-5
    )


def test_the_correction_undoes_that_frequent_items_are_drawn_more_often():
    rng = np.random.default_rng(0)
    often = np.array([0.5, 0.3, 0.15, 0.05])
    scores = torch.tensor([1.0, 0.5, -0.5, 0.2])
    drawn = rng.choice(4, 20_000, p=often)
    log = torch.tensor(np.log(often * 20_000), dtype=torch.float32)
    negative = scores[drawn][None].masked_fill(torch.tensor(drawn == 3)[None], -torch.inf)
    # against the others at their true weight: exp(s_j) of each, the taken one at 1 / its expected draws
    expected = torch.logsumexp(torch.cat([(scores[3] - log[3])[None], scores[:3]]), 0) - (scores[3] - log[3])
    found = sampled_softmax(scores[3:] - log[3:], negative - log[torch.tensor(drawn)])
    assert float(found) == pytest.approx(float(expected), rel=0.02)


def test_gbce_without_calibration_is_binary_cross_entropy():
    positive, negative = torch.randn(5), torch.randn(5, 3)
    logits = torch.cat([positive[:, None], negative], 1)
    labels = torch.zeros(5, 4)
    labels[:, 0] = 1
    plain = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").sum(1).mean()
    assert float(gbce(positive, negative, 0.2, 0.0)) == pytest.approx(float(plain), rel=1e-5)
    calm = gbce(positive, negative, 0.2, 1.0)
    assert float(plain - calm) == pytest.approx(0.8 * float(torch.nn.functional.softplus(-positive).mean()), rel=1e-4)


some = st.lists(st.integers(0, 5), max_size=12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(a=some, b=some)
def test_equal_pairs_are_those_of_the_table(a, b):
    table = np.zeros((len(a), len(b)), bool)
    table[equal_pairs(np.array(a, int), np.array(b, int))] = True
    np.testing.assert_array_equal(table, np.array(a, int)[:, None] == np.array(b, int))
