"""Who reads texts for an engine."""

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.encoders import Encoders
from warmstart.errors import ConfigError
from warmstart.experts.space import ItemSpace
from warmstart.learn.encoder import Finetune
from warmstart.learn.run import Run
from warmstart.recipe import Recipe
from warmstart.text.templates import item_texts
from warmstart.text.tfidf import TfidfEncoder

TYPED = ["Item 3 alien robot", "", "title of nothing"]


@pytest.fixture(scope="module")
def data():
    return clusters(60, 40, 4, seed=1)


def test_one_encoder_reads_alone(data):
    encoders = Encoders.of(Recipe(encoder="tfidf"), data)
    space, judged = encoders.spaces(ItemSpace(), data.catalog, data.graph)
    assert judged is None
    assert list(encoders.saved()) == ["encoder"]
    np.testing.assert_array_equal(encoders.typed(space, None, TYPED), space.texts(TYPED, encoders.encoder))
    z, other = encoders.items(space, None, data.catalog, data.graph)
    np.testing.assert_allclose(z, space.z, atol=1e-6)
    assert other is None


def test_a_judge_reads_the_same_in_its_own_way_and_comes_first(data):
    texts = item_texts(data.catalog)
    mine, judge = TfidfEncoder.fit(texts), TfidfEncoder.fit([*texts[:20], *TYPED])
    encoders = Encoders(mine, judge)
    assert encoders.saved() == {"encoder": mine, "judge": judge}
    space, judged = encoders.spaces(ItemSpace(), data.catalog, data.graph)
    typed = encoders.typed(space, judged, TYPED)
    expected = np.hstack([judged.texts(TYPED, judge), space.texts(TYPED, mine)])
    np.testing.assert_array_equal(typed, expected)
    z, other = encoders.items(space, judged, data.catalog, data.graph)
    np.testing.assert_allclose(z, space.z, atol=1e-6)
    np.testing.assert_allclose(other, judged.z, atol=1e-6)
    assert z.shape != other.shape or not np.allclose(z, other)


def test_a_recipe_names_the_judge(data):
    encoders = Encoders.of(Recipe(encoder="tfidf", judge="tfidf"), data)
    assert list(encoders.saved()) == ["encoder", "judge"]


@pytest.mark.parametrize(
    ("kind", "settings", "warned"),
    [
        ("finetune retrieval", {}, True),
        ("pretrain", {"pretraining": {"method": "contrast"}}, True),
        ("pretrain", {"pretraining": {"method": "masked"}}, False),
    ],
)
def test_a_model_that_learned_from_events_wants_a_judge(data, tiny, tmp_path, caplog, kind, settings, warned):
    folder = tiny.save_encoder(tmp_path / "run" / "model")
    Run.begin(tmp_path / "run", kind, settings, "data").end("done", {})
    Encoders.of(Recipe(encoder=str(folder)), data)
    assert ("no judge stands beside it" in caplog.text) == warned
    caplog.clear()
    Encoders.of(Recipe(encoder=str(folder), judge="tfidf"), data)
    assert not caplog.text


def test_a_judge_beside_fine_tuning_is_refused():
    with pytest.raises(ConfigError, match="judge='tfidf' stands beside"):
        Recipe(judge="tfidf", finetune=Finetune())
