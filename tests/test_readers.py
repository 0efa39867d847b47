"""Who reads texts for an engine."""

import numpy as np

from warmstart.data.toy import clusters
from warmstart.experts.space import ItemSpace
from warmstart.readers import Readers
from warmstart.recipe import Recipe


def spaces(recipe, data):
    readers = Readers.of(recipe, data)
    return readers, *readers.spaces(ItemSpace(), data.catalog, data.graph)


def test_one_encoder_reads_alone():
    data = clusters(60, 40, 4, seed=1)
    readers, space, judged = spaces(Recipe(encoder="tfidf"), data)
    assert judged is None
    assert list(readers.saved()) == ["encoder"]
    texts = ["alien robot", ""]
    np.testing.assert_array_equal(readers.typed(space, None, texts), space.texts(texts, readers.encoder))
    z, other = readers.items(space, None, data.catalog, data.graph)
    np.testing.assert_allclose(z, space.z, atol=1e-6)
    assert other is None


def test_a_judge_reads_what_the_encoder_reads():
    data = clusters(60, 40, 4, seed=1)
    readers, space, judged = spaces(Recipe(encoder="tfidf", judge="tfidf"), data)
    assert list(readers.saved()) == ["encoder", "judge"]
    alone = ItemSpace().fit(data.catalog, data.graph, readers.judge)
    np.testing.assert_array_equal(judged.z, alone.z)
    typed = readers.typed(space, judged, data.catalog.table["title"].to_list()[:3])
    assert typed.shape == (3, judged.z.shape[1] + space.z.shape[1])
    np.testing.assert_array_equal(
        typed[:, : judged.z.shape[1]], judged.texts(data.catalog.table["title"].to_list()[:3], readers.judge)
    )
    z, other = readers.items(space, judged, data.catalog, data.graph)
    np.testing.assert_allclose(other, judged.z, atol=1e-6)
    np.testing.assert_allclose(z, space.z, atol=1e-6)
