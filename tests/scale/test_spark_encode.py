"""Texts encoded on Spark have the vectors they have on one machine."""

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.recipe import Recipe
from warmstart.scale import spark_encode
from warmstart.scale.spark_encode import encode, fill, fill_for
from warmstart.text.cache import CachedEncoder
from warmstart.text.choose import encoder_from_name
from warmstart.text.tfidf import TfidfEncoder

TEXTS = ["space horror", "", "a quiet comedy", "流浪地球", "space horror"] * 3


@pytest.fixture(scope="module")
def onnx(tiny, tmp_path_factory):
    """A tiny transformer as int8 ONNX."""
    return encoder_from_name(str(tiny.save_encoder(tmp_path_factory.mktemp("small"))))


def test_vectors_of_an_onnx_encoder_are_the_same(spark, onnx):
    assert onnx.spec()["kind"] == "onnx"
    assert np.allclose(encode(spark, onnx, TEXTS), onnx.encode(TEXTS), atol=1e-6)


def test_vectors_of_tfidf_are_the_same(spark):
    encoder = TfidfEncoder.fit(TEXTS)
    assert np.allclose(encode(spark, encoder, TEXTS), encoder.encode(TEXTS), atol=1e-6)


def test_the_cache_is_filled_with_what_is_missing(spark, onnx, tmp_path, monkeypatch):
    cache = CachedEncoder(onnx, tmp_path)
    cache.encode(TEXTS[:1])
    monkeypatch.setattr(spark_encode, "AT_ONCE", 1)
    told = []
    assert fill(spark, cache, onnx, TEXTS, lambda *words: told.append(words)) == 2
    assert [words[1:] for words in told] == [(1, 2), (2, 2)]
    assert not cache.unknown(TEXTS)
    assert fill(spark, cache, onnx, TEXTS) == 0
    assert np.allclose(cache.encode(TEXTS), onnx.encode(TEXTS), atol=1e-6)


def test_what_a_fit_will_look_up_is_encoded(spark, onnx, tmp_path):
    onnx.save(tmp_path / "encoder")
    recipe = Recipe.of({"encoder": str(tmp_path / "encoder")})
    data = clusters(20, 12, 2, seed=0)
    assert fill_for(spark, recipe, data) == 12
    assert fill_for(spark, recipe, data) == 0
    assert fill_for(spark, Recipe.of({"encoder": "tfidf"}), data) == 0
