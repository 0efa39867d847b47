"""Outcomes over HTTP, from answers the service gave and events it was sent."""

import pytest

from warmstart.serve import api_outcomes as module
from warmstart.serve.security import new_key


def answered(client, user, k=4, **given):
    return client.post("/v1/recommend", json={"user_id": user, "k": k, **given}).json()


def send(client, answer, user, kind, place, **given):
    row = {"user_id": user, "item_id": answer["items"][place]["item_id"], "kind": kind}
    sent = client.post(
        "/v1/events", json={"events": [row | given | {"recommendation_id": answer["recommendation_id"]}]}
    )
    assert sent.json()["accepted"] == 1, sent.text


@pytest.fixture
def told(client):
    """Two answers, and what came of them."""
    home, cart = answered(client, "ann", scenario="home"), answered(client, "bob", scenario="cart")
    client.service.writer.flush()
    send(client, home, "ann", "click", 0)
    send(client, home, "ann", "click", 0)
    send(client, home, "ann", "buy", 0)
    send(client, home, "ann", "satisfaction", 0, value=4.0)
    send(client, cart, "bob", "dwell", 1, value=12.0)
    return client


def test_clicks_conversions_dwell_and_satisfaction(told):
    body = told.get("/v1/outcomes", params={"by": "scenario"}).json()
    cart, home = body["groups"]
    assert (home["key"], home["answers"], home["shown"], home["people"]) == ({"scenario": "home"}, 1, 4, 1)
    assert home["rates"]["click"]["mean"] == home["rates"]["buy"]["mean"] == 0.25
    assert home["means"]["satisfaction"] == {"mean": 4.0, "low": None, "high": None, "n": 1}
    assert cart["means"]["dwell"]["mean"] == 12.0
    assert cart["rates"]["click"]["mean"] == 0
    assert body["until"] is None
    assert "no impressions are sent" in body["counted"]


def test_what_is_meant_can_be_narrowed(told):
    def shown(**params):
        return sum(group["shown"] for group in told.get("/v1/outcomes", params=params).json()["groups"])

    assert shown() == 8
    assert shown(scenario="home") == shown(slice="cold", scenario="cart") == 4
    assert shown(slice="warm") == shown(until="2020-01-01") == shown(model="none") == 0
    assert shown(since="2020-01-01", until=1_600_000_000) == 0
    assert shown(by=["model", "day", "slice", "variant"]) == 8


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"by": "colour"}, "'colour' is none of the values there are; give 'model'"),
        ({"since": "soon"}, "since is 'soon'"),
        ({"since": "nan"}, "since is"),
        ({"until": "inf"}, "until is"),
        ({"slice": "hot"}, "'cold', 'few_shot' or 'warm'"),
    ],
)
def test_mistakes_are_told(client, params, told):
    refused = client.get("/v1/outcomes", params=params)
    assert refused.status_code == 422
    assert told in f"{refused.json()['detail']}; {refused.json()['remedy']}"


def test_exploration_and_its_cost(serve):
    with serve(explore_share=0.5) as client:
        client.post("/v1/items", json={"items": [{"item_id": f"n{i}", "title": f"New {i}"} for i in range(5)]})
        for i in range(20):
            answered(client, f"u{i}")
        client.service.writer.flush()
        body = client.get("/v1/outcomes/exploration").json()
        groups = client.get("/v1/outcomes", params={"by": "explored"}).json()["groups"]
    assert body["places"] == sum(group["shown"] for group in groups if group["key"]["explored"])
    assert body["lost"] == 0  # nobody clicked anything
    assert body["tried"]["low"] == 0


def test_without_exploration_what_was_shown_is_what_it_would_have_earned(told):
    body = told.get("/v1/outcomes/counterfactual").json()
    assert body["ips"]["rate"]["mean"] == body["snips"]["rate"]["mean"] == body["shown"]["mean"] == 0.125
    assert (body["answers"], body["left_out"], body["target"]) == (2, 0, None)
    assert any("nothing was left to chance" in warning for warning in body["snips"]["warnings"])


def test_the_same_model_asked_again_shows_the_same(told):
    version = told.get("/v1/models").json()["serving"]
    body = told.get("/v1/outcomes/counterfactual", params={"target": version}).json()
    assert body["ips"]["rate"]["mean"] == body["shown"]["mean"] == 0.125
    assert body["ips"]["told_of"] == 1.0
    assert body["answers"] == 2


def test_there_must_be_a_model_and_answers(client):
    unknown = client.get("/v1/outcomes/counterfactual", params={"target": "none"})
    assert (unknown.status_code, unknown.json()["field"]) == (404, "query.target")
    nothing = client.get("/v1/outcomes/counterfactual")
    assert nothing.status_code == 422
    assert nothing.json()["detail"] == "no answer could be asked again"


def test_names_no_store_could_hold_find_nothing(client):
    assert client.get("/v1/outcomes", params={"model": "a\x00b", "rates": "\x00"}).status_code in (200, 422)


def test_asking_a_model_again_needs_the_scope_admin(serve):
    with serve(require_keys=True) as client:
        keys = {scope: new_key(scope, [scope]) for scope in ("read", "write", "admin")}
        for _, row in keys.values():
            client.service.store.put_key(row)
        answers = {
            scope: client.get("/v1/outcomes/counterfactual", headers={"X-API-Key": text})
            for scope, (text, _) in keys.items()
        }
        assert client.get("/v1/outcomes", headers={"X-API-Key": keys["read"][0]}).status_code == 200
    assert [answer.status_code for answer in answers.values()] == [403, 403, 422]  # 422: there is no answer yet
    assert answers["read"].json()["remedy"] == "use a key with admin"


def test_who_asks_while_another_is_at_it_is_told_to_come_later(told, monkeypatch):
    estimate, second = module.counterfactual, []

    def with_a_second_one(*given):
        monkeypatch.undo()
        second.append(told.get("/v1/outcomes/counterfactual"))
        return estimate(*given)

    monkeypatch.setattr(module, "counterfactual", with_a_second_one)
    assert told.get("/v1/outcomes/counterfactual").status_code == 200
    assert (second[0].status_code, second[0].json()["code"]) == (503, "busy")
    assert int(second[0].headers["Retry-After"]) > 0
    assert told.get("/v1/outcomes/counterfactual").status_code == 200
