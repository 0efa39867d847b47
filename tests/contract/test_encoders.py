"""What every text encoder must do, whichever it is."""

import numpy as np
import pytest

from warmstart.text.base import TextEncoder
from warmstart.text.cache import CachedEncoder
from warmstart.text.choose import encoder_from_name, encoder_from_spec

CORPUS = [
    "Alien (1979). Horror, Sci-Fi.",
    "Aliens (1986). Action, Horror, Sci-Fi. The crew goes back to the moon where the first of them met their end.",
    "Toy Story (1995). Animation, Children, Comedy.",
    "流浪地球（2019）。类型：科幻、冒险。",
    "霸王别姬（1993）。类型：剧情、爱情。",
    "Wooden railway set with 60 pieces.",
]
NAMES = ["minilm-onnx", "minilm", "wordllama", "use-multilingual", "tfidf", "cached"]


@pytest.fixture(scope="module", params=NAMES)
def encoder(request, tmp_path_factory):
    if request.param == "cached":
        return CachedEncoder(encoder_from_name("wordllama"), tmp_path_factory.mktemp("vectors"))
    return encoder_from_name(request.param, texts=CORPUS)


@pytest.fixture(scope="module")
def vectors(encoder):
    return encoder.encode(CORPUS)


def test_is_a_text_encoder(encoder):
    assert isinstance(encoder, TextEncoder)


def test_unit_rows_of_float32(encoder, vectors):
    assert vectors.shape == (len(CORPUS), encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_same_text_same_vector(encoder, vectors):
    np.testing.assert_array_equal(encoder.encode(CORPUS), vectors)


def test_neighbours_do_not_matter(encoder, vectors):
    alone = np.vstack([encoder.encode([text]) for text in CORPUS])
    np.testing.assert_allclose(alone, vectors, atol=1e-5)


def test_order_does_not_matter(encoder, vectors):
    np.testing.assert_allclose(encoder.encode(CORPUS[::-1])[::-1], vectors, atol=1e-5)


def test_empty_texts_are_zero(encoder, vectors):
    z = encoder.encode(["", CORPUS[0], "  \n"])
    assert not z[[0, 2]].any()
    np.testing.assert_allclose(z[1], vectors[0], atol=1e-5)


def test_no_texts(encoder):
    z = encoder.encode([])
    assert z.shape == (0, encoder.dim)
    assert z.dtype == np.float32


def test_very_long_and_odd_texts(encoder):
    z = encoder.encode(["Horror " * 100_000, "🎬 \u0000 \u200b Horror", "科幻" * 3000])
    assert np.isfinite(z).all()
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-5)


def test_like_is_near(encoder, vectors):
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[5]


def test_saved_and_back(encoder, vectors, tmp_path):
    encoder.save(tmp_path)
    again = encoder_from_spec(encoder.spec(), tmp_path)
    assert again.fingerprint == encoder.fingerprint
    np.testing.assert_allclose(again.encode(CORPUS), vectors, atol=1e-6)


def test_fingerprints_differ():
    prints = {encoder_from_name(name, texts=CORPUS).fingerprint for name in NAMES[:-1]}
    assert len(prints) == len(NAMES) - 1
    assert encoder_from_name("tfidf", texts=CORPUS[:3]).fingerprint not in prints
