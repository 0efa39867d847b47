"""Peers of mined concepts."""

import numpy as np
import pytest

from warmstart.errors import DataError
from warmstart.evaluate.topics import everything, topics_of, word_counts

ROWS = [["space", "ship"], ["space", "star"], ["ship", "star"], ["love", "tea"], ["love", "ring"], ["tea", "ring"]] * 5


def test_topics_part_texts_that_share_no_word():
    topics = topics_of([*ROWS, []], 2, seed=0, shown=3)
    mixture = topics.mixture.toarray()
    assert {frozenset(words) for words in topics.words} == {
        frozenset({"space", "ship", "star"}),
        frozenset({"love", "tea", "ring"}),
    }
    first = mixture[:30].argmax(1).reshape(-1, 6)
    assert (first == first[0, [0, 0, 0, 3, 3, 3]]).all()
    assert mixture[:30].sum(1) == pytest.approx(np.ones(30))
    assert not mixture[30].any()  # no word, nothing known
    assert np.array_equal(mixture, topics_of([*ROWS, []], 2, seed=0).mixture.toarray())


def test_words_of_a_single_text_are_left_out():
    counts, words = word_counts([["a", "b", "b"], ["b"]])
    assert (words, counts.toarray().tolist()) == (["b"], [[2], [1]])
    with pytest.raises(DataError, match="no word stands in 2 texts"):
        word_counts([["a"], ["b"]])


def test_everything_is_one_concept():
    assert everything(2).toarray().tolist() == [[1], [1]]
