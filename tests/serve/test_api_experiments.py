"""Experiments over HTTP: begun, judged, stopped; they survive a restart."""

import time

import pytest

from warmstart.serve.experiments import assign
from warmstart.store.rows import Answer, Event, Shown

BODY = {"name": "covers", "variants": [{"name": "old", "share": 0.5}, {"name": "new", "share": 0.5, "diversity": 0.3}]}


def begin(client, **changes):
    return client.post("/v1/experiments", json=BODY | changes)


def test_begun_listed_judged_and_stopped(client):
    made = begin(client)
    assert made.status_code == 201
    assert made.json()["variants"][1] == {"name": "new", "share": 0.5, "settings": {"diversity": 0.3}}
    assert [e["name"] for e in client.get("/v1/experiments").json()["experiments"]] == ["covers"]
    result = client.get("/v1/experiments/covers").json()
    assert result["verdict"] == "too few people yet"
    assert result["results"][0]["rate"] == {"mean": None, "low": 0.0, "high": 1.0, "n": 0}
    assert result["sample_ratio"]["mismatch"] is False
    stopped = client.post("/v1/experiments/covers:stop").json()
    assert stopped["status"] == "stopped"
    assert client.post("/v1/experiments/covers:stop").json()["stopped_at"] == stopped["stopped_at"]


def test_a_result_from_what_people_did(client):
    begin(client)
    store = client.service.store
    (experiment,) = store.experiments()
    answers, clicks = [], []
    for i in range(1500):
        variant = assign([experiment], "", f"u{i}").variants[0].name
        answers.append(
            Answer(f"r{i}", f"u{i}", int(time.time()), "m", "", "warm", [Shown("a", 1.0, "x")], None, "covers", variant)
        )
        if i % 10 < (4 if variant == "new" else 2):
            clicks.append(Event(f"e{i}", f"u{i}", "a", "click", 5, recommendation_id=f"r{i}"))
    store.add_answers(answers)
    store.add_events(clicks)
    result = client.get("/v1/experiments/covers").json()
    assert result["verdict"].startswith("new is better than old: +")
    old, new = result["results"]
    assert old["against_first"] is None
    assert 0 < new["against_first"]["low"] < 0.2 < new["against_first"]["high"]
    assert old["people"] + new["people"] == 1500


@pytest.mark.parametrize("kind", ["ab", "interleave"])
def test_from_the_question_to_the_verdict(client, kind):
    """Answers, clicks and verdict through the service alone; people click whatever stands first."""
    begin(client, kind=kind)
    for i in range(12):
        ask = {"user_id": f"u{i}", "k": 4}
        given = [client.post("/v1/recommend", json=ask).json() for _ in "12"]
        assert [g["experiment"] for g in given] == ["covers"] * 2
        assert given[0]["variant"] == given[1]["variant"]
        row = {"user_id": f"u{i}", "item_id": given[0]["items"][0]["item_id"], "kind": "click"}
        client.service.writer.flush()
        client.post("/v1/events", json={"events": [row | {"recommendation_id": given[0]["recommendation_id"]}]})
    result = client.get("/v1/experiments/covers").json()
    if kind == "ab":
        clicks = [arm["rate"]["mean"] * 2 * 4 * arm["people"] for arm in result["results"]]
        assert sum(clicks) == pytest.approx(12)
        assert sum(result["sample_ratio"]["observed"]) == 12
        assert result["crossed"] == 0
    else:
        found = result["preference"]
        assert (found["wins_first"] + found["wins_second"], found["ties"]) == (12, 0)


def test_who_sees_what_stays_after_a_restart(serve):
    with serve() as client:
        begin(client)
        before = [assign(client.service.store.experiments(), "", f"u{i}").variants[0].name for i in range(50)]
    with serve() as client:
        after = [assign(client.service.store.experiments(), "", f"u{i}").variants[0].name for i in range(50)]
    assert before == after


def test_mixed_lists_have_a_preference(client):
    made = begin(client, kind="interleave")
    assert made.status_code == 201
    result = client.get("/v1/experiments/covers").json()
    assert result["results"] == []
    assert result["preference"]["margin"] == {"mean": None, "low": -1.0, "high": 1.0, "n": 0}


def test_a_name_is_used_once_and_one_experiment_runs_at_a_place(client):
    begin(client)
    taken = begin(client)
    assert (taken.status_code, taken.json()["field"]) == (409, "body.name")
    other = begin(client, name="other", scenario="home")
    assert other.status_code == 422
    assert "'covers' runs there already" in other.json()["detail"]
    client.post("/v1/experiments/covers:stop")
    assert begin(client, name="other").status_code == 201
    assert begin(client).status_code == 409  # who was assigned under that name would be assigned alike


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"variants": BODY["variants"][:1]}, "give 2 or more"),
        ({"variants": [{"name": "a", "share": 0.7}, {"name": "b", "share": 0.7, "explore": 0.1}]}, "sum to 1.4"),
        ({"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]}, "the same settings"),
        ({"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "colour": 1}]}, "no field"),
        ({"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "model": "m9"}]}, "'m9'"),
        ({"name": "a/b"}, "'a/b' is not of the form"),
        ({"kind": "other"}, "'ab' or 'interleave'"),
    ],
)
def test_mistakes_are_told(client, changes, told):
    refused = begin(client, **changes)
    assert refused.status_code == 422
    assert told in f"{refused.json()['detail']}; {refused.json()['remedy']}"
    assert client.get("/v1/experiments").json()["experiments"] == []


def test_an_unknown_one_is_not_found(client):
    for found in (client.get("/v1/experiments/none"), client.post("/v1/experiments/none:stop")):
        assert found.status_code == 404
        assert found.json()["remedy"] == "GET /v1/experiments lists them"
