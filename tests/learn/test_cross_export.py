import json
import shutil
import time
from itertools import count

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.errors import ArtefactError, ConfigError
from warmstart.learn import cross
from warmstart.learn.cross import CARD, CrossModel
from warmstart.learn.cross_export import cached_cross, export_cross
from warmstart.learn.finetune import MODEL, Finetuning, Source, finetune
from warmstart.learn.heads import HeadSettings
from warmstart.learn.interest import Interest
from warmstart.learn.pairs import Pairing
from warmstart.learn.people import person_texts
from warmstart.learn.predictor import FineTuned
from warmstart.learn.ranking import Ranking
from warmstart.learn.settings import Training, Tuning

QUICK = Training(steps=2, batch=8, validate_every=0, checkpoint_every=0)


@pytest.fixture(scope="module")
def data():
    return clusters(seed=0)


@pytest.fixture(scope="module")
def whole(cross_folder, tmp_path_factory):
    """The graph in float32."""
    return export_cross(cross_folder, tmp_path_factory.mktemp("whole") / "graph", int8=False)


def asked(data, cross_folder):
    """Pairs of texts, and what the model itself scores them."""
    tuned = FineTuned.load(cross_folder, data.catalog)
    h = data.histories(np.array([0, 5, 9, -1]))
    items = np.arange(0, 40)
    people = person_texts(h.newest(tuned.model.plan.history), tuned.model.titles)
    return [(p, tuned.model.texts[i]) for p in people for i in items], tuned.score(h, items).ravel()


def test_the_graph_scores_as_the_model_does(data, cross_folder, whole):
    pairs, own = asked(data, cross_folder)
    np.testing.assert_allclose(CrossModel.read(whole).scores(pairs), own, atol=1e-4)


def test_int8_scores_much_the_same(data, cross_folder):
    pairs, own = asked(data, cross_folder)
    small = cached_cross(cross_folder).scores(pairs)
    assert np.corrcoef(small, own)[0, 1] > 0.97


def test_an_export_is_kept_and_may_be_named_itself(cross_folder, whole, monkeypatch):
    one = cached_cross(cross_folder)
    monkeypatch.setattr("warmstart.learn.cross_export.export_cross", None)  # not called again
    np.testing.assert_array_equal(cached_cross(str(cross_folder)).graph, one.graph)
    np.testing.assert_array_equal(cached_cross(whole).graph, CrossModel.read(whole).graph)


def test_long_empty_and_chinese_texts_are_read(whole):
    model = CrossModel.read(whole)
    pairs = [("new user", ""), ("新用户", "流浪地球（2019）。"), ("a " * 9000, "b " * 9000), ("", "")]
    assert np.isfinite(model.scores(pairs)).all()
    assert model.scores([]).shape == (0,)


class Clock:
    """A second passes with every look at it."""

    perf_counter = staticmethod(time.perf_counter)

    def __init__(self):
        self.seconds = count()

    def monotonic(self):
        return next(self.seconds)


def test_no_pair_is_begun_after_the_time(whole, monkeypatch):
    model = CrossModel.read(whole)
    pairs = [("new user", "space ship")] * 100
    assert not np.isnan(model.scores(pairs)).any()
    assert model.seconds_a_pair(pairs) > 0
    monkeypatch.setattr(cross, "time", Clock())
    late = np.isnan(model.scores(pairs, seconds=30))
    assert (~late).sum() == 30
    assert late[40:].all()
    assert not np.isnan(model.scores(pairs[:10], seconds=30)).any()
    assert model.seconds_a_pair([]) == 0


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", CARD])
def test_changed_missing_and_newer_files_are_refused(whole, tmp_path, file):
    folder = shutil.copytree(whole, tmp_path / "copy")
    (folder / file).write_bytes((folder / file).read_bytes()[:-3])
    with pytest.raises(ArtefactError, match=r"was changed|cannot be read"):
        CrossModel.read(folder)
    (folder / file).unlink()
    with pytest.raises(ArtefactError, match=r"missing|cannot be read"):
        CrossModel.read(folder)
    card = json.loads((whole / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | {"format": 99}))
    with pytest.raises(ArtefactError, match="upgrade warmstart"):
        CrossModel.read(folder)


def test_what_is_no_cross_encoder_is_refused(data, encoder_folder, tmp_path):
    for name in ("", str(encoder_folder)):
        with pytest.raises(ConfigError, match="is no cross-encoder; give model/ of a run"):
            cached_cross(name)
    apart = Finetuning(Source(str(encoder_folder)), Tuning("frozen"), QUICK, HeadSettings("linear", "apart"))
    made = finetune(data, Interest(), tmp_path / "apart", apart).folder / MODEL
    with pytest.raises(ConfigError, match="reads apart for interest; fine-tune with --reads together"):
        export_cross(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_decoder_is_exported_too(data, decoder_folder, tmp_path):
    settings = Finetuning(
        Source(str(decoder_folder), 48), Tuning("full"), QUICK, HeadSettings("linear", "together"), Pairing(history=3)
    )
    made = finetune(data, Ranking(negatives=2), tmp_path / "run", settings).folder / MODEL
    pairs, own = asked(data, made)
    graph = CrossModel.read(export_cross(made, tmp_path / "out", int8=False))
    np.testing.assert_allclose(graph.scores(pairs), own, atol=1e-4)
