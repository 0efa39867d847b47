"""Whether what a concept holds belongs together."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from warmstart.evaluate.coherence import label_coherence, npmi, word_coherence

# labels 0 and 1 always together (items 0, 1), label 2 apart (items 2, 3)
LABELS = sp.csr_matrix(np.array([[1.0, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]))


def test_independent_terms_have_none():
    held = sp.csr_matrix(np.array([[1.0, 1], [1, 0], [0, 1], [0, 0]]))
    assert npmi(held)[0, 1] == pytest.approx(0)


def test_words_that_are_met_together_cohere():
    together, apart, alone = word_coherence(LABELS, [[0, 1], [0, 2], [0]])
    assert (together, apart) == (pytest.approx(1), -1)
    assert np.isnan(alone)


def test_a_concept_of_like_items_coheres():
    like, mixed, unlike, one = label_coherence(LABELS, [np.array([0, 1, 4]), np.array([0, 1, 2]), [0, 2], [0]])
    assert (like, unlike) == (pytest.approx(1), -1)
    assert mixed == pytest.approx((1 - 1 - 1) / 3)
    assert np.isnan(one)


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=12))
def test_it_is_symmetric_and_lies_between_minus_one_and_one(rows):
    values = npmi(sp.csr_matrix(np.array(rows, float)))
    assert np.array_equal(values, values.T)
    assert ((values >= -1) & (values <= 1)).all()
