"""Graph embeddings: they learn what a graph repeats, alike each time, and place what is new."""

import json

import numpy as np
import polars as pl
import pytest

from warmstart.errors import ArtefactError, ConfigError, DataError
from warmstart.learn.kge import GraphEmbedding, fit_graph_embedding
from warmstart.learn.kge_models import MODELS
from warmstart.learn.kge_split import TRIPLE, hold_out
from warmstart.learn.kge_vectors import GraphVectors

N = 24


def graph(rows):
    return pl.DataFrame(rows, schema=dict.fromkeys(TRIPLE, pl.String), orient="row")


def ring():
    """What comes next, and after that; the second follows from the first."""
    steps = [(f"a{i}", r, f"a{(i + s) % N}") for i in range(N) for r, s in (("next", 1), ("skip", 2))]
    return graph([*steps, *((f"a{i}", "kind", f"k{i % 4}") for i in range(N))])


def studios():
    """Films of four studios: who makes, plays and pays goes by the studio."""
    facts = [("made_by", "director"), ("with", "actor"), ("paid_by", "bank"), ("in", "town")]
    return graph([(f"f{i}", r, f"{who}{i % 4}") for i in range(40) for r, who in facts])


SETTINGS = {
    "transe": GraphEmbedding("transe", dim=8, epochs=40, batch=64, learning_rate=0.05, margin=4.0, n3=0.0),
    "distmult": GraphEmbedding("distmult", dim=16, epochs=40, batch=64, learning_rate=0.05),
    "complex": GraphEmbedding("complex", dim=8, epochs=40, batch=64, learning_rate=0.05),
    "rotate": GraphEmbedding("rotate", dim=8, epochs=40, batch=64, learning_rate=0.05, margin=4.0, n3=0.0),
}


@pytest.fixture(scope="module")
def learned():
    return {name: fit_graph_embedding(studios(), settings) for name, settings in SETTINGS.items()}


@pytest.mark.parametrize(("model", "loss"), [(m, None) for m in MODELS] + [("complex", "self-adversarial")])
def test_tails_that_follow_from_others_are_named(model, loss):
    held = hold_out(studios(), 0.1)
    settings = SETTINGS[model] if loss is None else GraphEmbedding(model, 16, 80, loss, 0.05, batch=64, n3=0.0)
    vectors = fit_graph_embedding(held.train, settings)
    n = len(vectors.relations)
    codes = vectors.codes(held.test)
    assert (codes[:, 1] < n).all()
    best = vectors.scores(codes[:, 0], codes[:, 1]).argmax(1)
    assert (best == codes[:, 2]).mean() > 0.8


def test_a_pattern_is_learned():
    held = hold_out(ring(), 0.1)
    vectors = fit_graph_embedding(held.train, GraphEmbedding(dim=16, epochs=60, batch=64, learning_rate=0.05))
    found = vectors.judge(held.test, held.train)
    assert found["mrr"] > 0.8
    assert found["hits@1"] <= found["hits@3"] <= found["hits@10"]


def test_one_relation_is_enough():
    line = graph([(f"a{i}", "next", f"a{i + 1}") for i in range(9)])
    vectors = fit_graph_embedding(line, SETTINGS["complex"])
    assert vectors.relations == ("next",)
    assert vectors.judge(line, line)["mrr"] > 0.8


def test_the_seed_decides():
    def run(seed):
        return fit_graph_embedding(ring(), GraphEmbedding("rotate", 4, 2, batch=16, negatives=8, seed=seed)).entity

    np.testing.assert_array_equal(run(1), run(1))
    assert np.abs(run(1) - run(2)).max() > 0.01


def test_a_relation_told_twice_is_learned_once():
    back = [(t, "makes", h) for h, r, t in studios().rows() if r == "made_by"]
    vectors = fit_graph_embedding(pl.concat([studios(), graph(back)]), GraphEmbedding(dim=4, epochs=1))
    assert vectors.relations == ("in", "made_by", "paid_by", "with")
    assert vectors.same == {"makes": ("made_by", True)}
    assert vectors.codes(graph(back)).tolist() == vectors.codes(studios().filter(relation="made_by")).tolist()


@pytest.mark.parametrize("model", MODELS)
def test_a_new_entity_is_near_its_twins(learned, model):
    vectors = learned[model]
    facts = graph([("new", "made_by", "director2"), ("new", "with", "actor2"), ("new", "paid_by", "bank2")])
    names, placed = vectors.place(facts)
    assert names == ("new",)
    films = [f"f{i}" for i in range(40)]
    table = vectors.vectors(films)
    near = placed @ table.T if vectors.function.linear else -((placed - table) ** 2).sum(1)[None]
    order = np.argsort(-near[0])[:10]
    assert {int(i) % 4 for i in order} == {2}


def test_a_new_entity_may_be_a_tail_and_told_by_a_twin_relation(learned):
    vectors = learned["complex"]
    actor, placed = vectors.place(graph([("f1", "with", "guest"), ("f5", "with", "guest"), ("f9", "with", "guest")]))
    assert actor == ("guest",)
    others = vectors.vectors([f"actor{i}" for i in range(4)])
    assert int((placed @ others.T).argmax()) == 1
    same = GraphVectors(**(vars_of(vectors) | {"same": {"plays_in": ("with", True)}}))
    turned = same.place(graph([("guest", "plays_in", f"f{i}") for i in (1, 5, 9)]))[1]
    np.testing.assert_allclose(turned, placed)


def vars_of(vectors):
    return {name: getattr(vectors, name) for name in GraphVectors.__dataclass_fields__}


@pytest.mark.parametrize("model", ["transe", "rotate"])
def test_distances_place_at_the_mean_of_what_each_fact_says(learned, model):
    vectors = learned[model]
    facts = [("new", "with", "actor0"), ("new", "in", "town1")]
    both = vectors.place(graph(facts))[1]
    each = [vectors.place(graph([fact]))[1] for fact in facts]
    np.testing.assert_allclose(both, np.mean(each, 0), rtol=1e-4, atol=1e-5)


def test_facts_that_say_nothing(learned):
    vectors = learned["complex"]
    facts = [("new", "with", "stranger"), ("odd", "eats", "f1"), ("f1", "with", "actor1")]
    names, placed = vectors.place(graph(facts))
    assert set(names) == {"new", "stranger", "odd"}
    assert np.isnan(placed).all()
    assert vectors.place(studios())[1].shape == (0, 16)


def test_saved_and_loaded(learned, tmp_path):
    vectors = learned["rotate"]
    vectors.save(tmp_path / "v")
    again = GraphVectors.load(tmp_path / "v")
    assert (again.model, again.entities, again.relations, again.same) == (
        vectors.model,
        vectors.entities,
        vectors.relations,
        vectors.same,
    )
    np.testing.assert_array_equal(
        again.scores(np.array([0]), np.array([1])), vectors.scores(np.array([0]), np.array([1]))
    )
    (tmp_path / "v" / "names.json").write_text("{}")
    with pytest.raises(ArtefactError, match="was changed"):
        GraphVectors.load(tmp_path / "v")
    with pytest.raises(ArtefactError, match="holds no graph vectors"):
        GraphVectors.load(tmp_path)


def test_a_run_is_a_folder_and_goes_on(tmp_path):
    settings = GraphEmbedding(dim=4, epochs=2, batch=64)
    first = fit_graph_embedding(ring(), settings, tmp_path)
    card = json.loads((tmp_path / "run.json").read_text())
    assert (card["kind"], card["status"], card["sizes"]["triples"]) == ("graph embedding", "done", 3 * N)
    assert card["result"]["best/loss"] < card["result"]["first/loss"]
    told = []
    again = fit_graph_embedding(ring(), settings, tmp_path, lambda *now: told.append(now[0]))
    assert told == ["already done"]
    np.testing.assert_array_equal(again.entity, first.entity)
    with pytest.raises(ConfigError, match="holds a run with other settings"):
        fit_graph_embedding(ring(), GraphEmbedding(dim=5, epochs=2, batch=64), tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "word2vec"}, "model='word2vec' is not known; choose one of transe, distmult, complex, rotate"),
        ({"loss": "hinge"}, "loss='hinge' is not known"),
        ({"dim": 0}, "dim=0 is below 1"),
        ({"n3": -1}, "n3=-1 is below 0"),
        ({"learning_rate": 0}, "learning_rate=0 is not above 0"),
        ({"margin": float("nan")}, "margin=nan is not above 0"),
    ],
)
def test_settings_that_are_wrong(settings, said):
    with pytest.raises(ConfigError, match=said):
        GraphEmbedding(**settings)


@pytest.mark.parametrize(
    ("triples", "said"),
    [
        (graph([]), "the graph has 0 triples"),
        (graph([("a", "r", "a")]), "every triple leads from an entity to itself"),
        (graph([("a", None, "b")]), "1 missing parts"),
        (pl.DataFrame({"head": ["a"], "tail": ["b"]}), "no column 'relation'"),
    ],
)
def test_graphs_nothing_can_be_learned_from(triples, said):
    with pytest.raises(DataError, match=said):
        fit_graph_embedding(triples, GraphEmbedding())


def test_what_is_unknown_is_told(learned):
    vectors = learned["complex"]
    with pytest.raises(DataError, match=r"entity 'x' was not in the graph learned from; give its facts to place\(\)"):
        vectors.vectors(["f1", "x"])
    with pytest.raises(DataError, match="relation 'eats' was not in the graph"):
        vectors.judge(graph([("f1", "eats", "f2")]), studios())
    with pytest.raises(DataError, match="no column 'relation'"):
        vectors.place(pl.DataFrame({"head": ["a"], "tail": ["b"]}))
