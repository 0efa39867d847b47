"""The item space with an encoder of fifteen lines."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.toy import clusters
from warmstart.experts.space import ItemSpace


class Letters:
    """Counts letters; the empty text is the zero row."""

    dim = 26
    fingerprint = "letters"

    def encode(self, texts):
        out = np.zeros((len(texts), 26), np.float32)
        for row, text in zip(out, texts, strict=True):
            for c in text.lower():
                if "a" <= c <= "z":
                    row[ord(c) - 97] += 1.0
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


@pytest.fixture(scope="module")
def toy():
    return clusters(seed=0)


@pytest.fixture(scope="module")
def space(toy):
    return ItemSpace(text_dim=8).fit(toy.catalog, toy.graph, Letters())


def test_features_of_the_catalogue_are_those_of_its_items(toy, space):
    assert space.z.dtype == np.float32
    assert len(space.z) == toy.n_items
    assert np.isfinite(space.z).all()
    np.testing.assert_allclose(space.items(toy.catalog, toy.graph, Letters()), space.z, atol=1e-5)


def test_some_items_alone_have_the_same_features(toy, space):
    some = Catalog(toy.catalog.table[10:13])
    np.testing.assert_allclose(space.items(some, toy.graph, Letters()), space.z[10:13], atol=1e-5)


def test_typed_texts_live_in_the_same_space(space):
    z = space.texts(["orbit of a rocket", "", "orbit of a rocket"], Letters())
    assert z.shape == (3, space.z.shape[1])
    assert z.dtype == np.float32
    np.testing.assert_allclose(z[0], z[2], atol=1e-6)
    assert z[0].any()
    assert not z[1].any()


def test_the_template_decides_what_is_read():
    table = pl.DataFrame({"item_id": ["a", "b", "c"], "title": ["same"] * 3, "plot": ["war", "love", "war"]})
    read = ItemSpace(template="{plot}", text_dim=2).fit(Catalog(table), None, Letters())
    near, far = read.z[0] @ read.z[2], read.z[0] @ read.z[1]
    assert near > far
