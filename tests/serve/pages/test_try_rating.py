"""Where an item and a person meet on *Try it*, the page tells the predicted rating, if the engine has one."""

import re

import pytest

from warmstart.serve.pages.render import HOME

ASKED = f"{HOME}/try?user=ann&why=i12"


@pytest.fixture
def rated(serve, rated_folder):
    with serve(engine=rated_folder) as client:
        rows = [{"user_id": "ann", "item_id": f"i{n}", "kind": "rate", "value": 5.0} for n in (0, 4, 8)]
        assert client.post("/v1/events", json={"events": rows}).status_code == 200
        yield client


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", r"Predicted rating <strong>(\S+)</strong>.*most likely ([\d.]+) to ([\d.]+)<"),
        ("zh", r"预测评分 <strong>(\S+)</strong>.*很可能在 ([\d.]+) 至 ([\d.]+) 之间<"),
    ],
)
def test_the_rating_is_told_with_its_interval(rated, language, said):
    page = rated.get(ASKED, headers={"accept-language": language}).text
    rating, low, high = map(float, re.search(said, page).groups())
    told = rated.post("/v1/ratings", json={"user_id": "ann", "items": ["i12"]}).json()["items"][0]
    assert (rating, low, high) == pytest.approx((told["rating"], told["low"], told["high"]), abs=0.006)


def test_nothing_is_told_of_an_unknown_item(rated):
    assert "Predicted rating" not in rated.get(f"{HOME}/try?user=ann&why=gone").text


def test_nothing_is_told_by_an_engine_without_ratings(client):
    page = client.get(ASKED)
    assert page.status_code == 200
    assert "Predicted rating" not in page.text
