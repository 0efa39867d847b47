import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from warmstart.errors import ArtefactError, ConfigError
from warmstart.learn.quantise import (
    BinaryVectors,
    FloatVectors,
    HammingVectors,
    Int8Vectors,
    RescoredVectors,
    overlap,
)
from warmstart.learn.vector_file import load_vectors, save_vectors
from warmstart.text.whiten import unit_rows


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    return unit_rows(rng.normal(size=(400, 64)) + rng.normal(size=64))


@given(arrays(np.float32, (5, 3), elements=st.floats(-100, 100, width=32)))
@example(np.full((5, 3), 1e-45, np.float32))  # too small to be divided by 127
def test_a_byte_is_off_by_half_a_step_at_most(x):
    stored = Int8Vectors.fit(x)
    assert (np.abs(stored.decoded() - x) <= stored.scale * 0.501 + 1e-6).all()


def test_scores_of_bytes_are_those_of_what_is_stored(vectors):
    stored, queries = Int8Vectors.fit(vectors), vectors[:7]
    np.testing.assert_allclose(stored.scores(queries), queries @ stored.decoded().T, atol=1e-5)


def test_bits_count_signs(vectors):
    stored, queries = BinaryVectors.fit(vectors), vectors[:5]
    signs, asked = vectors > vectors.mean(axis=0), queries > vectors.mean(axis=0)
    expected = (asked[:, None, :] != signs[None, :, :]).sum(axis=2)
    np.testing.assert_array_equal(stored.hamming(queries), expected)
    np.testing.assert_allclose(HammingVectors(stored).scores(queries), 1 - 2 * expected / 64, atol=1e-6)
    centred = queries - vectors.mean(axis=0)
    np.testing.assert_allclose(stored.scores(queries), centred @ np.where(signs, 1, -1).T / 8, atol=1e-5)


def test_what_costs_more_finds_more(vectors):
    queries = vectors[:100]
    found = [
        overlap(kind.fit(vectors).scores(queries), queries @ vectors.T)
        for kind in (HammingVectors, BinaryVectors, RescoredVectors, Int8Vectors)
    ]
    assert found == sorted(found)
    assert found[0] > 0.2
    assert found[2] > found[1] + 0.05
    assert found[3] > 0.95
    assert overlap(FloatVectors(vectors).scores(queries), queries @ vectors.T) == 1


def test_rescoring_puts_candidates_first_and_by_their_bytes(vectors):
    stored, queries = RescoredVectors.fit(vectors, candidates=20), vectors[:3]
    scores, bits, found = stored.scores(queries), stored.binary.scores(queries), stored.int8.scores(queries)
    for row in range(3):
        best = np.argsort(-scores[row])[:20]
        assert set(best) == set(np.argsort(-bits[row], kind="stable")[:20])
        np.testing.assert_allclose(scores[row, best], found[row, best], atol=1e-5)
    np.testing.assert_array_equal(RescoredVectors.fit(vectors, 400).scores(queries), found)


@pytest.mark.parametrize("kind", [FloatVectors, Int8Vectors, BinaryVectors, HammingVectors, RescoredVectors])
def test_taking_some_is_scoring_some(vectors, kind):
    stored = kind(vectors) if kind is FloatVectors else kind.fit(vectors)
    rows = np.array([5, 2, 9])
    part = stored.take(rows)
    assert len(part) == 3
    np.testing.assert_array_equal(part.decoded(), stored.decoded()[rows])
    if kind is not RescoredVectors:  # of three all are candidates
        np.testing.assert_allclose(part.scores(vectors[:4]), stored.scores(vectors[:4])[:, rows], atol=1e-5)


def test_memory_is_a_quarter_and_a_thirty_second(vectors):
    assert Int8Vectors.fit(vectors).codes.nbytes * 4 == vectors.nbytes
    assert BinaryVectors.fit(vectors).bits.nbytes * 32 == vectors.nbytes


def test_a_dimension_without_spread_does_no_harm():
    x = np.zeros((3, 9), np.float32)
    assert Int8Vectors.fit(x).scores(x).tolist() == np.zeros((3, 3)).tolist()
    assert BinaryVectors.fit(x).hamming(x).max() == 0


@pytest.mark.parametrize("kind", [Int8Vectors, BinaryVectors])
def test_vectors_come_back_from_a_file(vectors, kind, tmp_path):
    stored = kind.fit(vectors)
    save_vectors(tmp_path / "v.npz", stored, [f"i{i}" for i in range(400)], "print")
    again, ids, encoder = load_vectors(tmp_path / "v.npz")
    assert type(again) is kind
    assert (ids[7], encoder) == ("i7", "print")
    np.testing.assert_array_equal(again.scores(vectors[:2]), stored.scores(vectors[:2]))


def test_a_file_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "v.npz", a=np.ones(2))
    with pytest.raises(ArtefactError, match="no stored vectors"):
        load_vectors(tmp_path / "v.npz")


def test_candidates_are_one_at_least(vectors):
    with pytest.raises(ConfigError, match="candidates=0"):
        RescoredVectors.fit(vectors, candidates=0)


def test_overlap_of_equal_and_of_opposite_orders():
    scores = np.arange(12.0).reshape(2, 6)
    assert overlap(scores, scores * 2, 3) == 1
    assert overlap(scores, -scores, 3) == 0
