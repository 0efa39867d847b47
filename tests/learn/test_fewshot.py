import numpy as np
import pytest
import scipy.sparse as sp

from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError, DataError
from warmstart.learn.fewshot import FewShot, draw_world, part_of
from warmstart.learn.fewshot_choice import chosen, hide_one
from warmstart.learn.fewshot_curve import Curve, Spread, learning_curve
from warmstart.learn.fewshot_floors import cosine, factorisation, popularity, popularity_of_everybody
from warmstart.learn.fewshot_linear import Linear
from warmstart.learn.fewshot_methods import FLOORS, augmented, methods
from warmstart.learn.fewshot_ridge import Discriminant, Ridge, left_out_error, smooth
from warmstart.learn.fewshot_spectral import Filter, Spectral
from warmstart.learn.fewshot_stacked import Stacked
from warmstart.learn.scores import ndcg
from warmstart.text.templates import item_texts
from warmstart.text.tfidf import TfidfEncoder

HEADS = {"ridge": Ridge(), "discriminant": Discriminant(kappa=2.0), "linear": Linear(), "spectral": Spectral()}
HEADS |= {"stacked": Stacked()}


@pytest.fixture(scope="module")
def shop():
    data = clusters(150, 80, 4, seed=1)
    texts = item_texts(data.catalog)
    encoder = TfidfEncoder.fit(texts)
    return data, texts, encoder.encode(texts), encoder.encode


def world_of(shop, k=3, seed=0, **settings):
    return draw_world(*shop[:3], FewShot(**({"shots": (k,), "part": "all"} | settings)), k, seed)


@pytest.mark.parametrize("order", ["random", "first"])
def test_a_world_shows_k_events_and_asks_for_others(shop, order):
    x = shop[0].interactions
    for k in (1, 4):
        world = world_of(shop, k, order=order, shots=(1, 4))
        assert world.shown.getnnz(axis=1).max() == k
        assert not world.shown.multiply(world.targets).nnz
        assert not world.hidden.multiply(world.targets).nnz
        own = x.matrix()[world.users]
        assert (world.shown + world.hidden + world.targets != own).nnz == 0


def test_questions_are_the_same_for_every_k_and_labels_are_nested(shop):
    few, more = (world_of(shop, k, seed=5, shots=(1, 4)) for k in (1, 4))
    assert (few.targets != more.targets).nnz == 0
    assert (few.shown.multiply(more.shown) != few.shown).nnz == 0
    assert (few.users == more.users).all()


def test_first_means_oldest(shop):
    x = shop[0].interactions
    world = world_of(shop, 2, order="first")
    for row, user in enumerate(world.users[:20]):
        mine = np.flatnonzero(x.user == user)
        latest_shown = x.time[mine][np.isin(x.item[mine], world.shown[row].indices)].max()
        assert latest_shown <= np.sort(x.time[mine])[1]


def test_seeds_and_parts_fix_who_is_asked(shop):
    assert (world_of(shop, seed=3).shown != world_of(shop, seed=3).shown).nnz == 0
    assert (world_of(shop, seed=3).shown.shape != world_of(shop, seed=4).shown.shape) or (
        world_of(shop, seed=3).shown != world_of(shop, seed=4).shown
    ).nnz
    test, validation = (set(world_of(shop, part=p, share=1.0).users) for p in ("test", "validation"))
    assert not test & validation
    assert test | validation == set(part_of(shop[0], "all"))


@pytest.mark.parametrize("method", [popularity, cosine, factorisation, *HEADS.values()], ids=lambda m: str(m)[:20])
def test_nothing_but_the_labels_is_looked_at(shop, method):
    """Whatever else happened in the world, scores stay: other people's events, later events, ratings."""
    data, texts, vectors, _ = shop
    world = world_of(shop, 3, share=0.6)
    x = data.interactions
    row, item = world.shown.nonzero()
    bare = data.with_interactions(Interactions.of(world.users[row], item, x.n_users, x.n_items))
    outside = np.setdiff1d(np.arange(x.n_users), world.users)
    planted = Interactions.of(
        np.concatenate([bare.interactions.user, np.repeat(outside, 5)]),
        np.concatenate([bare.interactions.item, np.arange(5 * len(outside)) % x.n_items]),
        x.n_users,
        x.n_items,
    )
    other = world.__class__(
        world.shown, world.targets[:, ::-1], world.hidden, planted.item_counts(), texts, vectors, world.users, 0
    )
    np.testing.assert_array_equal(method(world), method(other))


@pytest.mark.parametrize("name", HEADS)
def test_heads_find_what_people_like_from_three_labels(shop, name):
    world = world_of(shop, 3)
    found = ndcg(world.ranked(HEADS[name](world)), world.targets)
    assert found > ndcg(world.ranked(popularity(world)), world.targets) + 0.05
    shuffled = world.vectors[np.random.default_rng(0).permutation(len(world.vectors))]
    blind = world.__class__(**{**vars(world), "vectors": shuffled})
    if name not in ("spectral", "stacked"):  # these also learn from who labels what together
        assert found > ndcg(world.ranked(HEADS[name](blind)), world.targets)


@pytest.mark.parametrize("name", HEADS)
def test_heads_are_finite_and_repeatable_at_any_k(shop, name):
    for k in (1, 2):
        world = world_of(shop, k)
        scores = [np.broadcast_to(HEADS[name](world), world.shown.shape) for _ in range(2)]
        assert np.isfinite(scores[0]).all()
        np.testing.assert_array_equal(*scores)


def test_leave_one_out_in_closed_form_is_leaving_one_out():
    rng = np.random.default_rng(0)
    z, residual = rng.normal(size=(12, 3)), rng.normal(size=(2, 12))
    errors = []
    for j in range(12):
        kept = np.delete(np.arange(12), j)
        w = np.linalg.solve(z[kept].T @ z[kept] + 2.0 * np.eye(3), z[kept].T @ residual[:, kept].T)
        errors.append((residual[:, j] - z[j] @ w) ** 2)
    assert left_out_error(residual, z, 2.0) == pytest.approx(np.mean(errors))
    assert np.abs(smooth(residual, z, 1e9)).max() < 1e-6


def test_a_wide_open_filter_keeps_everything_and_a_closed_one_the_first_pattern():
    y = np.random.default_rng(1).normal(size=(6, 20)) + np.outer(np.arange(6), np.ones(20)) * 5
    u, s, v = np.linalg.svd(y, full_matrices=False)
    damped = s**8 / (s**8 + s[2] ** 8)
    np.testing.assert_allclose(Filter(y).low_pass(2), (u * (damped * s)) @ v, atol=1e-8)
    np.testing.assert_allclose(Filter(y).low_pass(0), np.tile(y.mean(0), (6, 1)))


def test_words_rank_items_that_nobody_labelled(shop):
    data, _, vectors, _ = shop
    theme = np.arange(data.n_items) % 4
    labelled = np.arange(data.n_items) < 60
    rows = [np.flatnonzero((theme == u % 4) & labelled)[:5] for u in range(40)]
    shown = sp.csr_matrix(np.array([np.isin(np.arange(data.n_items), r) for r in rows], np.float32))
    scores = Spectral(strengths=(2.0,), cuts=(4,)).family(shown, vectors)(0)
    for u in range(4):
        fresh = scores[u, ~labelled]
        assert fresh[theme[~labelled] == u].min() > fresh[theme[~labelled] != u].max()


def test_hidden_labels_are_real_ones_and_their_users_keep_one(shop):
    shown = world_of(shop, 2).shown
    kept, hidden = hide_one(shown, seed=1)
    assert len(hidden)
    assert np.asarray(shown[hidden[:, 0], hidden[:, 1]]).all()
    assert not np.asarray(kept[hidden[:, 0], hidden[:, 1]]).any()
    assert kept.getnnz(axis=1)[hidden[:, 0]].min() >= 1
    nothing = chosen(sp.csr_matrix(np.eye(3)), lambda shown: lambda n: np.full((3, 3), n), 5, first=3)
    assert (nothing == 3).all()


def test_the_curve_has_known_intervals():
    spread = Spread.of(np.array([0.1, 0.2, 0.3, 0.4]))
    assert spread.mean == 0.25
    assert spread.high - spread.mean == pytest.approx(3.182446 * np.std([0.1, 0.2, 0.3, 0.4], ddof=1) / 2, abs=1e-5)
    assert np.isnan(Spread.of([0.5]).low)
    values = {
        "popularity": np.array([[0.1, 0.11, 0.12]]),
        "a": np.array([[0.3, 0.31, 0.32]]),
        "b": np.array([[0.1] * 3]),
    }
    curve = Curve(FewShot((8,)), values, values, {}, floors=("popularity",))
    assert curve.beaten("a", 8) == ["popularity"]
    assert curve.beaten("b", 8) == []
    assert curve.gain("a", "popularity", 8).mean == pytest.approx(0.2)


def test_a_curve_measures_all_methods_on_the_same_worlds(shop):
    told = []
    settings = FewShot((1, 4), part="all")
    table = methods(["linear", "stacked"], "no model is needed")
    curve = learning_curve(*shop[:3], table, settings, seeds=3, floors=FLOORS, tell=lambda *a: told.append(a))
    assert told[-1][1:] == (6, 6)
    assert set(curve.values) == {*FLOORS, "popularity (everybody)", "linear", "stacked"}
    assert "popularity" in curve.beaten("stacked", 4)
    assert curve.spread("cosine", 1).mean == curve.spread("cosine", 1).mean
    assert (curve.values["popularity (everybody)"][0] == curve.values["popularity (everybody)"][1]).all()
    said = curve.to_dict()
    assert said["methods"]["stacked"]["4"]["above"] == curve.beaten("stacked", 4)
    assert len(said["methods"]["stacked"]["4"]["seeds"]) == 3


def test_everybody_knows_more_than_the_labels(shop):
    world = world_of(shop, 1, share=0.3)
    assert popularity_of_everybody(world).sum() > 5 * popularity(world).sum()


def test_augmented_methods_see_other_texts(shop):
    from warmstart.learn.augment import Augmentation

    world, seen = world_of(shop), []

    def encode(texts):
        seen.append(texts)
        return shop[3](texts)

    views = augmented(Ridge(), Augmentation(deletion=0.3), encode)(world)
    assert len(seen) == 4
    assert seen[0] != seen[1]
    assert seen[0] != list(world.texts)
    assert not np.allclose(views, Ridge()(world))
    mixed = augmented(Linear(), Augmentation(mixup=0.4), encode)
    assert mixed == Linear(mixup=0.4)
    assert not np.allclose(mixed(world), Linear()(world))
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shots": ()}, "asks for nothing"),
        ({"shots": (0, 2)}, "shots=0 is below 1"),
        ({"share": 0.0}, "share=0.0 is not in"),
        ({"order": "last"}, "order='last' is not known; choose one of random, first"),
    ],
)
def test_settings_are_checked(settings, said):
    with pytest.raises(ConfigError, match=said):
        FewShot(**settings)


def test_bad_worlds_are_refused_in_words(shop):
    data, texts, vectors, _ = shop
    with pytest.raises(
        DataError, match=r"k=5000 events are shown, .* nobody has more than \d+; give a smaller --shots"
    ):
        world_of(shop, 5000)
    with pytest.raises(DataError, match="no item has a text"):
        draw_world(data, ["", " "] * 40, vectors, FewShot((2,)), 2, 0)
    with pytest.raises(ConfigError, match="method 'magic' is not known; choose among ridge"):
        methods(["magic"], "m")
    with pytest.raises(ConfigError, match="seeds=0"):
        learning_curve(data, texts, vectors, {}, seeds=0)
