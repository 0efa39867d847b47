from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from warmstart.errors import ConfigError, DataError
from warmstart.learn.augment import Augmentation
from warmstart.learn.backbone import Backbone
from warmstart.learn.fewshot import FewShot, draw_world
from warmstart.learn.fewshot_classify import ClassifyObjective
from warmstart.learn.fewshot_contrast import ContrastObjective, pairs_by_label, pairs_by_user
from warmstart.learn.fewshot_curve import pair_curve
from warmstart.learn.fewshot_labelled import draw_pairs
from warmstart.learn.fewshot_pair_methods import TunedPairs, cosine, pair_methods, popularity, ridge
from warmstart.learn.fewshot_tuned import Tuned
from warmstart.learn.loop import learn
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts

QUICK = Training(steps=30, batch=24, learning_rate=5e-3, validate_every=10, checkpoint_every=0)


@pytest.fixture(scope="module")
def world(puzzle, encoder_folder):
    texts = item_texts(puzzle.catalog)
    vectors = Backbone(encoder_folder).encode(texts)
    return draw_world(puzzle, texts, vectors, FewShot((6,), part="all"), 6, 0)


def run_of(folder):
    return Run.begin(folder, "fewshot", {}, "labels")


def test_pairs_of_a_user_are_his_and_others_are_nobodys(world):
    pairs, targets = pairs_by_user(world.shown, 200, seed=1)
    together = (world.shown.T @ world.shown).toarray()[pairs[:, 0], pairs[:, 1]] > 0
    assert (together == (targets == 1)).all()
    assert targets.mean() == pytest.approx(0.5, abs=0.05)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert (pairs_by_user(world.shown, 200, seed=1)[0] == pairs).all()


def test_classes_with_one_example_are_refused():
    with pytest.raises(DataError, match="class 2 has one example; give it a second one, or leave the class out"):
        pairs_by_label(np.array([0, 0, 1, 1, 2]), 8)
    with pytest.raises(DataError, match="two classes or more"):
        pairs_by_label(np.zeros(4, int), 8)
    with pytest.raises(DataError, match="no user has two labelled events"):
        pairs_by_user(sp.csr_matrix(np.eye(3)), 8)
    with pytest.raises(DataError, match="there is no pair to tell apart"):
        pairs_by_user(sp.csr_matrix(np.ones((2, 3))), 8)


def test_a_classifier_refuses_a_class_with_one_example(encoder_folder):
    with pytest.raises(DataError, match=r"classes have \[3, 1\] examples"):
        ClassifyObjective(Backbone(encoder_folder), ["a", "b", "c", "d"], np.array([0, 0, 0, 1]))


def test_empty_texts_and_too_few_pairs_are_refused(encoder_folder):
    pairs, targets = pairs_by_label(np.array([0, 0, 1, 1]), 8)
    with pytest.raises(DataError, match="has no text"):
        ContrastObjective(Backbone(encoder_folder), ["a", "", "c", "d"], pairs, targets)
    with pytest.raises(DataError, match="4 pairs are too few"):
        ContrastObjective(Backbone(encoder_folder), ["a", "b", "c", "d"], pairs[:4], targets[:4])


@pytest.mark.parametrize("augmentation", [None, Augmentation(deletion=0.1, mixup=0.2)], ids=["plain", "augmented"])
def test_contrast_brings_texts_of_a_label_together(encoder_folder, tmp_path, augmentation):
    rng = np.random.default_rng(0)
    telling = ["space alien ship", "cowboy west war"]
    labels = np.arange(16) % 2
    texts = [f"{rng.choice(['red', 'blue', 'old'])} {telling[c]} film" for c in labels]
    pairs, targets = pairs_by_label(labels, 80)
    objective = ContrastObjective(Backbone(encoder_folder), texts, pairs, targets, 0, augmentation)
    out = learn(objective, QUICK, run_of(tmp_path))
    assert out.best["pair_error"] < 0.5 * out.first["pair_error"]
    vectors = objective.backbone.encode(["alien space", "space ship", "west cowboy"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_classifier_learns_with_low_rank_additions_alone(encoder_folder, tmp_path):
    labels = np.arange(24) % 2
    texts = [f"{['red', 'blue', 'old'][i % 3]} {['space alien', 'cowboy west'][c]} film" for i, c in enumerate(labels)]
    objective = ClassifyObjective(Backbone(encoder_folder, Tuning("lora")), texts, labels)
    assert all("lora" in name or name.startswith("head.") for name, _ in objective.parameters())
    out = learn(objective, replace(QUICK, learning_rate=2e-2), run_of(tmp_path))
    assert out.first["loss"] == pytest.approx(np.log(2), abs=1e-4)
    assert out.best["loss"] < 0.5
    assert (objective.scores(texts).argmax(1) == labels).mean() > 0.9


@pytest.mark.parametrize("recipe", ["pairs", "lora"])
def test_tuned_encoders_rank_and_leave_the_frozen_one_alone(world, encoder_folder, recipe):
    method = Tuned(recipe, str(encoder_folder), replace(QUICK, steps=10, validate_every=5), pairs=100)
    before = world.vectors.copy()
    scores = method(world)
    assert scores.shape == world.shown.shape
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(world.vectors, before)
    if recipe == "pairs":
        assert not np.allclose(method.vectors(world), before)
        np.testing.assert_array_equal(scores, method(world))


def test_nothing_to_tune_on_leaves_the_frozen_vectors(puzzle, world, encoder_folder):
    one = draw_world(puzzle, world.texts, world.vectors, FewShot((1,), part="all"), 1, 0)
    assert Tuned("pairs", str(encoder_folder)).vectors(one) is world.vectors


def test_labelled_pairs_are_of_other_people_than_those_asked_about(puzzle, world):
    few, more = (draw_pairs(puzzle, world.texts, world.vectors, FewShot((2, 5), part="all"), k, 3) for k in (2, 5))
    assert (few.asked == more.asked).all()
    assert set(few.known) < set(more.known)
    assert len(more.known) == 5
    assert more.label[more.known].sum() == 3
    assert not set(more.user[more.known]) & set(more.user[more.asked])
    assert all(t.strip() for t in more.texts)
    middle = np.nanmedian(puzzle.interactions.rating)
    rating = puzzle.interactions.matrix(binary=False)
    assert rating is not None
    assert 0 < more.label.mean() < 1
    assert middle


def test_ratings_do_not_describe_the_person(puzzle, world):
    pair = draw_pairs(puzzle, world.texts, world.vectors, FewShot((4,), part="all"), 4, 0)
    assert not any("rated" in text for text in pair.texts)


def test_without_ratings_unmet_items_are_weak_negatives(puzzle, world):
    x = puzzle.interactions
    bare = puzzle.with_interactions(replace(x, rating=np.full(len(x), np.nan, np.float32)))
    pair = draw_pairs(bare, world.texts, world.vectors, FewShot((4,), part="all", share=1.0), 4, 0)
    met = x.matrix()
    assert pair.label.any()
    assert not pair.label.all()
    assert (np.bincount(pair.item[pair.label], minlength=x.n_items) <= met.getnnz(axis=0)).all()


def test_a_curve_over_pairs_says_na_where_labels_are_too_few(puzzle, world, encoder_folder):
    table = {name: pair_methods(["discriminant", "ridge", "linear"], "m")[name] for name in ("discriminant", "ridge")}
    table["pairs"] = TunedPairs("pairs", str(encoder_folder), replace(QUICK, steps=5))
    settings = FewShot((1, 16), part="all")
    curve = pair_curve(puzzle, world.texts, world.vectors, table, settings, seeds=2)
    assert curve.measure == "auc"
    assert str(curve.spread("discriminant", 1)) == str(curve.spread("pairs", 1)) == "n/a"
    for name in table:
        assert 0 < curve.spread(name, 16).mean < 1


def test_ridge_over_pairs_separates_what_is_separable(puzzle, world):
    pair = draw_pairs(puzzle, world.texts, world.vectors, FewShot((30,), part="all"), 30, 0)
    at = pair.known
    seen = replace(pair, asked=at)
    scores = ridge(seen)
    assert scores[pair.label[at]].mean() > scores[~pair.label[at]].mean()
    assert cosine(seen).shape == popularity(seen).shape == (30,)


def test_lora_over_pairs_scores_every_pair_asked(puzzle, world, encoder_folder):
    pair = draw_pairs(puzzle, world.texts, world.vectors, FewShot((12,), part="all"), 12, 0)
    scores = TunedPairs("lora", str(encoder_folder), replace(QUICK, steps=5))(pair)
    assert scores.shape == pair.asked.shape
    assert np.isfinite(scores).all()


def test_bad_questions_about_pairs_are_refused(puzzle, world):
    with pytest.raises(DataError, match=r"k=100000 labelled pairs need 50000 liked and 50000 others; there are"):
        draw_pairs(puzzle, world.texts, world.vectors, FewShot((100_000,), part="all"), 100_000, 0)
    with pytest.raises(ConfigError, match="'stacked' is not for labelled pairs"):
        pair_methods(["stacked"], "m")
