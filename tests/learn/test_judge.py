"""The encoder that knows no event judges whom to trust; the fine-tuned one scores."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.engine import Engine, load
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.learn.encoder import Finetune
from warmstart.learn.retrieval import Retrieval
from warmstart.learn.settings import Training
from warmstart.recipe import Recipe
from warmstart.text.onnx_export import cached_export

PLAIN = Recipe(
    experts={"popularity": Popularity(), "content_map": ContentMap()},
    fusion=Fusion(queries=60, heads=HeadLearner(ranker=None)),
)
TRAINING = Training(steps=4, batch=48, learning_rate=5e-3, validate_every=4, checkpoint_every=0)


@pytest.fixture(scope="module")
def tuned(puzzle, encoder_folder):
    finetune = Finetune(
        model=str(encoder_folder), characters=0, epochs=0, training=TRAINING, retrieval=Retrieval(held_out=0.2)
    )
    return Engine(replace(PLAIN, finetune=finetune)).fit(puzzle)


@pytest.fixture(scope="module")
def frozen(puzzle, encoder_folder):
    return Engine(replace(PLAIN, encoder=str(cached_export(str(encoder_folder))))).fit(puzzle)


def gram(z):
    return z @ z.T  # spaces differ in their number of directions


def test_trust_is_that_of_the_frozen_engine_and_scores_are_not(tuned, frozen):
    f, g = tuned.fitted, frozen.fitted
    assert frozen.judge is None
    assert g.judged is None
    np.testing.assert_array_equal(f.judged.z, g.space.z)
    np.testing.assert_array_equal(f.support.directions.z, g.support.directions.z)
    np.testing.assert_array_equal(f.support.directions.inverse, g.support.directions.inverse)
    for state, head in g.fusion.heads.items():
        np.testing.assert_array_equal(f.fusion.heads[state].gate.weight, head.gate.weight)
    assert not np.allclose(gram(f.space.z), gram(g.space.z), atol=1e-3)


def test_items_that_were_met_are_scored_without_it(tuned, frozen, puzzle):
    assert (puzzle.interactions.item_counts() > 0).all()
    asked = {"histories": [["i1", "i2"], [], ["i7"]], "k": 30}
    assert tuned.recommend(**asked).equals(frozen.recommend(**asked))


def test_a_recipe_may_name_the_judge(tuned, puzzle, encoder_folder):
    recipe = replace(PLAIN, encoder=str(tuned.finetuned / "onnx"), judge=str(cached_export(str(encoder_folder))))
    named = Engine(Recipe.of(recipe.to_dict())).fit(puzzle)
    np.testing.assert_array_equal(named.fitted.judged.z, tuned.fitted.judged.z)
    assert named.recommend(histories=[["i1", "i2"]]).equals(tuned.recommend(histories=[["i1", "i2"]]))


def test_both_encoders_are_saved_and_new_items_read_by_both(tuned, tmp_path):
    tuned.save(tmp_path / "engine")
    engine = load(tmp_path / "engine")
    new = [{"item_id": "new", "title": "alien robot red green old", "genre": "g1"}]
    assert engine.add_items(new) == 1
    f = engine.fitted
    assert f.panel.new[-1]
    assert len(f.space.z) == len(f.judged.z) == len(f.support.directions.z) == len(f.catalog)
    expected = f.judged.items(f.catalog, f.graph, engine.judge)
    np.testing.assert_allclose(f.judged.z[-1], expected[-1], atol=1e-5)
    assert not np.allclose(gram(f.judged.z)[-1], gram(f.space.z)[-1], atol=1e-3)
    assert "new" in engine.recommend(histories=[["i1"]], k=200)["item_id"].to_list()


PEOPLE = replace(PLAIN, experts={**PLAIN.experts, "people": PriorMeanEASE()})
NEW = [{"item_id": "new", "title": "alien robot red green old", "genre": "g1"}]
ASKED = "space ship alien"


@pytest.fixture(scope="module")
def half_new(puzzle, tuned, encoder_folder):
    """An engine whose last ten items nobody met, its encoder fine-tuned, its judge the one it began with."""
    x = puzzle.interactions
    data = puzzle.with_interactions(x.select(x.item < puzzle.n_items - 10))
    recipe = replace(PEOPLE, encoder=str(tuned.finetuned / "onnx"), judge=str(cached_export(str(encoder_folder))))
    return data, Engine(recipe).fit(data)


def expected_scores(engine, data, h, typed):
    """Scores by experts fitted on either encoder's features alone, put together by hand."""
    f, new = engine.fitted, engine.fitted.counts == 0
    both = []
    for space, encoder in ((f.judged, engine.judge), (f.space, engine.encoder)):
        panel = Panel.fit(PEOPLE.experts, data.with_features(space.z[: data.n_items]))
        panel = panel.grow(space.z[data.n_items :])
        both.append(panel.score(replace(h, vectors=space.texts(typed, encoder))))
    return {name: np.where(new, both[1][name], both[0][name]) for name in both[0]}


@pytest.mark.parametrize("state", ["fitted", "grown", "loaded"])
def test_new_items_are_scored_by_the_fine_tuned_encoder_and_others_by_the_judge(half_new, tmp_path, state):
    data, engine = half_new
    if state != "fitted":
        engine.save(tmp_path / "engine")
        engine = load(tmp_path / "engine")
        assert engine.add_items(NEW) == 1
    if state == "loaded":
        engine.save(tmp_path / "grown")
        engine = load(tmp_path / "grown")
    h = engine._histories(None, [["i1", "i2"], []], [ASKED, ASKED])
    scores, expected = engine.fitted.panel.score(h), expected_scores(engine, data, h, [ASKED, ASKED])
    new = engine.fitted.counts == 0
    assert new.sum() == 10 + (state != "fitted")
    for name in PEOPLE.experts:
        np.testing.assert_allclose(scores[name], expected[name], atol=1e-4, err_msg=name)


def test_a_new_item_is_explained_by_whoever_scores_it(half_new):
    data, engine = half_new
    f, item = engine.fitted, data.n_items - 1
    told = engine.explain(f"i{item}", history=["i1", "i2"]).evidence
    z, w = f.space.z, f.panel.unmet.experts["people"].w
    expected = (z[f.catalog.items.codes(["i1", "i2"])] @ w) @ z[item]
    assert sorted(c.content for c in told.contributions) == pytest.approx(sorted(expected.tolist()), abs=1e-5)
    assert [c.data for c in told.contributions] == [0.0, 0.0]


def test_likeness_is_that_of_the_fine_tuned_encoder(tuned):
    z = tuned.fitted.space.z
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    people = tuned.fitted.support.people[0].toarray().ravel()
    best = tuned.similar(["i0"], k=1)
    code = int(tuned.fitted.catalog.items.codes(best["item_id"].to_list())[0])
    assert best["score"][0] == pytest.approx(0.5 * float(unit[0] @ unit[code]) + 0.5 * float(people[code]), abs=1e-5)
