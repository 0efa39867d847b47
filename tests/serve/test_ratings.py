"""Ratings over HTTP: of somebody known, of a history in the request, and what to ask."""

from dataclasses import replace

import pytest

LIKES = [{"item_id": f"i{n}", "kind": "rate", "value": 5.0} for n in (0, 4, 8)]
HATES = [{"item_id": f"i{n}", "kind": "rate", "value": 1.0} for n in (1, 5, 9)]


@pytest.fixture
def rated(serve, rated_folder):
    """A service whose model predicts ratings."""
    with serve(engine=rated_folder) as client:
        yield client


def ask(client, path, **body):
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer):
    return [one["item_id"] for one in answer["items"]]


def ratings(client, **body):
    return ask(client, "/v1/ratings", **body)


def test_a_history_tells_what_is_liked(rated):
    told = ratings(rated, events=LIKES + HATES, items=["i12", "i13", "gone", "i12"])
    assert ids(told) == ["i12", "i13"]
    assert told["unknown"] == ["gone"]
    assert told["known"] == 6
    assert told["fallback"] is None
    for one in told["items"]:
        assert 1 <= one["low"] <= one["rating"] <= one["high"] <= 5
    assert told["items"][0]["rating"] > told["items"][1]["rating"]
    assert told["items"][0]["title"]


@pytest.mark.parametrize(("path", "asked"), [("/v1/ratings", {"items": ["i12"]}), ("/v1/ratings/ask", {})])
def test_what_of_the_ratings_was_not_taken_as_it_is_is_told(rated, path, asked):
    odd = [{"item_id": "gone", "kind": "rate", "value": 4.0}, {"item_id": "i1", "kind": "rate", "value": 9.0}]
    told = ask(rated, path, events=LIKES + odd, **asked)
    assert (told["known"], told["unheard"], told["outside"]) == (4, ["gone"], ["i1"])
    plain = ask(rated, path, events=LIKES, **asked)
    assert (plain["unheard"], plain["outside"]) == ([], [])
    if path == "/v1/ratings":
        assert plain["level"] == 0.9


def test_an_explanation_follows_the_objective_of_the_list(rated):
    asked = {"events": LIKES + HATES, "k": 3}
    for objective in ("rating", "relevance", "both"):
        listed = ids(ask(rated, "/v1/recommend", **asked, objective=objective))
        told = [ask(rated, "/v1/explain", **asked, item_id=i, objective=objective)["rank"] for i in listed]
        assert told == [1, 2, 3]


def test_what_is_stored_counts_as_what_is_told(rated):
    asked = ["i12", "i13", "i2"]
    rows = [{"user_id": "ann", **row} for row in LIKES + HATES]
    ask(rated, "/v1/events", events=rows)
    stored, told = ratings(rated, user_id="ann", items=asked), ratings(rated, events=LIKES + HATES, items=asked)
    assert stored["items"] == told["items"]
    nobody = ratings(rated, user_id="nobody", items=asked)
    assert nobody["known"] == 0
    assert nobody["items"] == ratings(rated, items=asked)["items"] != told["items"]


def test_a_rating_stays_known_when_the_item_is_looked_at_again(rated):
    again = [*LIKES, {"item_id": "i0", "kind": "view"}]
    assert ratings(rated, events=again, items=["i12"])["known"] == 3
    back = [*LIKES, {"item_id": "i0", "kind": "retract"}]
    assert ratings(rated, events=back, items=["i12"])["known"] == 2
    changed = [*LIKES, {"item_id": "i0", "kind": "rate", "value": 1.0}]
    assert ratings(rated, events=changed, items=["i12"])["known"] == 3


def test_a_new_item_has_a_rating_and_a_hidden_one_is_unknown(rated):
    ask(rated, "/v1/items", items=[{"item_id": "new", "fields": {"title": "A new thing"}}])
    rated.patch("/v1/items/i3", json={"hidden": True})
    told = ratings(rated, events=LIKES, items=["new", "i3"])
    assert (ids(told), told["unknown"]) == (["new"], ["i3"])


def test_questions_are_of_items_that_were_not_rated_and_are_shown(rated):
    told = ask(rated, "/v1/ratings/ask", events=LIKES, k=4)
    first = ids(told)
    assert len(first) == 4
    assert not {"i0", "i4", "i8"} & set(first)
    gains = [one["gain"] for one in told["items"]]
    assert all(gain >= 0 for gain in gains)
    rated.patch(f"/v1/items/{first[0]}", json={"hidden": True})
    assert first[0] not in ids(ask(rated, "/v1/ratings/ask", events=LIKES, k=40))


def test_an_explanation_tells_the_rating(rated):
    told = ask(rated, "/v1/explain", events=LIKES, item_id="i12")
    assert told["rating"] == {k: ratings(rated, events=LIKES, items=["i12"])["items"][0][k] for k in told["rating"]}
    assert ask(rated, "/v1/explain", item_id="gone")["rating"] is None


def test_an_explanation_by_a_model_without_ratings_tells_none(client):
    assert ask(client, "/v1/explain", item_id="i12")["rating"] is None


@pytest.mark.parametrize("path", ["/v1/ratings", "/v1/ratings/ask"])
def test_a_model_without_ratings_says_what_to_do(client, path):
    answer = client.post(path, json={"items": ["i1"]} if path == "/v1/ratings" else {})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (404, "no_ratings")
    assert "--ratings" in problem["remedy"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/ratings", {}, "body.items"),
        ("/v1/ratings", {"items": []}, "body.items"),
        ("/v1/ratings", {"items": ["i1"], "text": "a film"}, "body.text"),
        ("/v1/ratings/ask", {"k": 0}, "body.k"),
        ("/v1/ratings/ask", {"k": 101}, "body.k"),
    ],
)
def test_mistakes_name_the_field(rated, path, body, field):
    answer = rated.post(path, json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def sorted_by_rating(client, answer):
    """The items of an answer, whose scores are their predicted ratings, best first."""
    listed = answer["items"]
    told = ratings(client, events=LIKES + HATES, items=[one["item_id"] for one in listed])["items"]
    assert [one["score"] for one in listed] == pytest.approx([one["rating"] for one in told])
    assert [one["score"] for one in listed] == sorted((one["score"] for one in listed), reverse=True)
    return ids(answer)


def test_a_list_is_sorted_by_rating_where_the_request_says_so(rated):
    asked = {"events": LIKES + HATES, "k": 5}
    answer = ask(rated, "/v1/recommend", **asked, objective="rating")
    first = sorted_by_rating(rated, answer)
    plain = ids(ask(rated, "/v1/recommend", **asked))
    assert first != plain == ids(ask(rated, "/v1/recommend", **asked, objective="relevance"))
    following = ask(rated, "/v1/recommend/next", recommendation_id=answer["recommendation_id"], k=5)
    assert not set(first) & set(sorted_by_rating(rated, following))
    given = sorted_by_rating(rated, ask(rated, "/v1/rank", events=LIKES + HATES, items=plain, objective="rating"))
    assert sorted(given) == sorted(plain)


def test_lists_are_sorted_by_rating_where_the_recipe_says_so(rated):
    live = rated.service.models.serving
    live.engine.recipe = replace(live.engine.recipe, objective="rating")
    sorted_by_rating(rated, ask(rated, "/v1/recommend", events=LIKES + HATES, k=5))
    told = ask(rated, "/v1/explain", events=LIKES + HATES, item_id="i12", k=3)
    assert told["status"] in ("shown", "below the cut")


@pytest.mark.parametrize("objective", ["rating", "both"])
@pytest.mark.parametrize(("path", "more"), [("/v1/recommend", {}), ("/v1/rank", {"items": ["i1"]})])
def test_a_list_by_rating_needs_a_model_with_ratings(client, path, more, objective):
    answer = client.post(path, json={"objective": objective} | more)
    assert answer.status_code == 422
    assert "predicts no ratings" in answer.json()["detail"]
    assert "--ratings" in answer.json()["remedy"]
    assert client.post(path, json={"objective": "fame"} | more).json()["field"] == "body.objective"
