"""Made-up data hold to their plan."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.synthetic import START, YEAR, Synthetic, kinds
from warmstart.errors import ConfigError

USUAL = Synthetic(users=3_000, items=600, events=60_000, clusters=10)


@pytest.fixture(scope="module")
def events():
    return pl.concat(USUAL.stream())


@pytest.fixture(scope="module")
def clusters(events):
    """Cluster of each event."""
    return USUAL.plan.cluster[codes(events["item_id"])]


def codes(ids):
    return ids.str.slice(1).cast(pl.Int64).to_numpy()


def test_sizes_are_about_those_asked(events):
    assert len(events) == pytest.approx(60_000, rel=0.05)
    assert events["user_id"].n_unique() == 3_000
    assert events.select("user_id", "item_id").n_unique() == len(events)
    assert USUAL.catalogue()["item_id"].n_unique() == 600


def test_parts_are_the_same_again_and_another_seed_is_not(events):
    assert pl.concat(USUAL.stream()).equals(events)
    other = pl.concat(Synthetic(users=3_000, items=600, events=60_000, clusters=10, seed=1).stream())
    assert not other.equals(events)


def test_parts_make_up_the_whole(monkeypatch):
    monkeypatch.setattr("warmstart.data.synthetic.BATCH", 5_000)
    parts = list(USUAL.stream())
    assert len(parts) == 12
    assert pl.concat(parts)["user_id"].n_unique() == 3_000
    assert max(map(len, parts)) < 8_000


def test_nobody_meets_an_item_before_it_comes(events):
    arrived = USUAL.catalogue()["arrived"].to_numpy()
    time = events["timestamp"].to_numpy()
    late = arrived > START
    assert late.mean() == pytest.approx(0.5, abs=0.1)
    assert (time >= arrived[codes(events["item_id"])])[late[codes(events["item_id"])]].all()
    assert time.min() >= START
    assert time.max() < START + YEAR


def test_people_are_loyal_to_two_clusters(events, clusters):
    user = codes(events["user_id"])
    met = np.zeros((3_000, 10))
    np.add.at(met, (user, clusters), 1)
    many = met.sum(1) >= 20
    top = np.sort(met[many], axis=1)[:, -2:].sum(1) / met[many].sum(1)
    assert top.mean() > 0.7  # of any, two of ten would be well below a half
    mean = events["rating"].to_numpy()
    assert mean.min() >= 1
    assert mean.max() <= 5


def test_popularity_falls_off_by_zipf():
    steep, level = (Synthetic(2_000, 400, 40_000, clusters=4, zipf=z, drift=0.0) for z in (1.2, 0.0))
    shares = []
    for one in (steep, level):
        counts = np.sort(np.bincount(codes(pl.concat(one.stream())["item_id"]), minlength=400))
        shares.append(counts[-40:].sum() / counts.sum())
    assert shares[0] > 2 * shares[1]


def test_tastes_turn_where_they_drift():
    def second(drift):
        one = Synthetic(4_000, 500, 80_000, clusters=20, drift=drift, loyalty=1.0, zipf=0.0)
        found = pl.concat(one.stream())
        user, time = codes(found["user_id"]), found["timestamp"].to_numpy()
        cluster = one.plan.cluster[codes(found["item_id"])]
        met = np.zeros((4_000, 20))
        np.add.at(met, (user, cluster), 1)
        rare = cluster != met.argmax(1)[user]
        late = time > START + YEAR * 0.75
        return rare[late].mean() / rare[time < START + YEAR * 0.4].mean()

    assert second(0.5) > 1.4 * second(0.0)


def test_titles_and_genres_tell_the_cluster():
    table = USUAL.catalogue()
    names = kinds()[:10]
    assert table["genre"].to_list() == [names[c][0] for c in USUAL.plan.cluster]


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_share_of_the_items_has_no_event(share):
    one = Synthetic(500, 2_000, 20_000, clusters=5, unmet=share)
    met = pl.concat(one.stream())["item_id"].n_unique()
    assert met <= 2_000 * (1 - share) * 1.4 + 5
    assert len(one.catalogue()) == 2_000


@pytest.mark.parametrize(("ids", "kind"), [("integer", pl.Int64), ("uuid", pl.String)])
def test_ids_of_events_are_ids_of_the_catalogue(ids, kind):
    one = Synthetic(100, 50, 500, clusters=5, ids=ids)
    table, found = one.catalogue(), pl.concat(one.stream())
    assert table["item_id"].dtype == found["item_id"].dtype == kind
    assert set(found["item_id"].to_list()) <= set(table["item_id"].to_list())
    assert found["user_id"].n_unique() == 100


def test_fewer_items_than_clusters_and_a_single_person():
    one = pl.concat(Synthetic(1, 3, 2, clusters=40).stream())
    assert 1 <= len(one) <= 3


def test_it_is_written_in_parts(tmp_path):
    written = list(Synthetic(200, 50, 1_000, clusters=5).write(tmp_path))
    assert written[-1] == pl.scan_parquet(tmp_path / "interactions" / "*.parquet").select(pl.len()).collect().item()
    assert pl.read_parquet(tmp_path / "items.parquet").height == 50
    with pytest.raises(ConfigError, match="holds 1 parts of events already"):
        list(Synthetic(100, 50, 500, clusters=5).write(tmp_path))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"users": 0}, "users=0"),
        ({"events": 5}, "events=5"),
        ({"users": 10, "items": 5, "events": 51}, "events=51"),
        ({"seed": -1}, "seed=-1"),
        ({"clusters": 201}, "clusters=201"),
        ({"drift": 0.6}, "drift=0.6"),
        ({"unmet": 1.0}, "unmet=1.0"),
        ({"ids": "word"}, "ids=word"),
        ({"loyalty": float("nan")}, "loyalty=nan"),
    ],
)
def test_mistakes_are_told(wrong, told):
    with pytest.raises(ConfigError, match=told):
        Synthetic(**wrong)
