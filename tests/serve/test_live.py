"""What is posted now counts in the next answer: items, changes, popularity."""

import numpy as np
import pytest

WORDS = {"title": "The Orbit of the Galaxy 99", "genre": "space", "year": 2026}


def ask(client, path="/v1/recommend", **body):
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def post_item(client, item_id, **fields):
    return ask(client, "/v1/items", items=[{"item_id": item_id, "fields": fields}])


def test_a_new_item_can_be_recommended_in_the_next_request(client, toy):
    column = toy.catalog.table["genre"][0]
    assert post_item(client, "new", **WORDS | {"genre": column})["accepted"] == 1
    answer = ask(client, events=["i0", "i4"], k=40)
    assert "new" in ids(answer)
    assert answer["items"][ids(answer).index("new")]["title"] == WORDS["title"]
    assert ask(client, "/v1/explain", item_id="new", events=["i0"], k=40)["status"] != "unknown"
    assert "new" in ids(ask(client, "/v1/similar", item_id="i0", k=40))


def test_a_new_item_begins_by_its_words(client, toy):
    post_item(client, "like0", title=toy.catalog.title(0) + " again", genre=toy.catalog.table["genre"][0])
    answer = ask(client, "/v1/rank", events=["i0", "i4", "i8"], items=["like0", "i45", "i46", "i47"])
    assert ids(answer)[0] == "like0"


def test_an_item_of_the_past_and_an_event_of_it_come_together(client):
    rows = [{"user_id": "ann", "item_id": "later", "kind": "buy"}]
    ask(client, "/v1/events", events=rows)
    assert ask(client, user_id="ann", k=3)["slice"] == "cold"
    post_item(client, "later", **WORDS)
    answer = ask(client, user_id="ann", k=40)
    assert answer["slice"] == "few_shot"
    assert "later" not in ids(answer)


def test_hidden_and_deleted_items_are_not_shown_until_they_are_back(client):
    first = ids(ask(client, k=1))[0]
    client.patch(f"/v1/items/{first}", json={"hidden": True})
    assert first not in ids(ask(client, k=48))
    told = ask(client, "/v1/explain", item_id=first)
    assert (told["status"], "hidden" in told["text"]) == ("filtered", True)
    client.patch(f"/v1/items/{first}", json={"hidden": False})
    assert ids(ask(client, k=1)) == [first]
    assert client.delete(f"/v1/items/{first}").status_code == 204
    assert first not in ids(ask(client, k=48))
    assert client.get(f"/v1/items/{first}").status_code == 404
    post_item(client, first, title="back")
    assert first in ids(ask(client, k=48))


def test_what_changes_of_an_item_is_seen_at_once(client):
    client.patch("/v1/items/i3", json={"fields": {"title": "Renamed", "genre": "unheard of"}})
    answer = ask(client, k=5, filters={"genre": "unheard of"})
    assert ids(answer) == ["i3"]
    assert answer["items"][0]["title"] == "Renamed"
    assert client.get("/v1/items/i3").json()["fields"]["year"] > 1900  # what is not named stays


def test_a_new_column_can_be_filtered_by(client):
    post_item(client, "dear", title="A dear thing", price=99.5, tags=["gift", "rare"])
    assert ids(ask(client, k=5, filters={"tags": "rare"})) == ["dear"]
    assert ids(ask(client, k=5, filters={"price": 99.5})) == ["dear"]


@pytest.mark.parametrize("year", ["nan", "inf", "1e999", 1e30, 2**63, "soon"])
def test_no_item_keeps_others_from_being_recommended(client, year):
    posted = client.post("/v1/items", json={"items": [{"item_id": "odd", "fields": {"title": "odd", "year": year}}]})
    assert posted.status_code == 200
    assert ids(ask(client, k=3))


def test_what_many_take_rises_when_events_are_followed(client):
    before = ids(ask(client, k=48))
    last = before[-1]
    rows = [{"user_id": f"p{n}", "item_id": last, "kind": "buy"} for n in range(400)]
    ask(client, "/v1/events", events=rows)
    assert client.service.models.follow() == 400
    after = ids(ask(client, k=48))
    assert after.index(last) < before.index(last) - 10


def test_who_was_shown_much_is_still_who_they_were(serve):
    with serve(history_limit=5) as client:
        events = [("buy", f"i{n}") for n in range(3)] + [("impression", f"i{n}") for n in range(20)]
        rows = [
            {"user_id": "ann", "item_id": i, "kind": k, "time": 1_700_000_000 + n} for n, (k, i) in enumerate(events)
        ]
        ask(client, "/v1/events", events=rows)
        assert ask(client, user_id="ann")["slice"] == "few_shot"


def test_impressions_make_nothing_popular(client):
    rows = [{"user_id": f"p{n}", "item_id": "i47", "kind": "impression"} for n in range(50)]
    ask(client, "/v1/events", events=rows)
    assert client.service.models.follow() == 0


def test_the_follower_runs_by_itself(serve):
    import time

    with serve(refresh_seconds=0.05) as client:
        last = ids(ask(client, k=48))[-1]
        number = client.service.models.serving.snapshot.number
        ask(client, "/v1/events", events=[{"user_id": f"p{n}", "item_id": last} for n in range(300)])
        until = time.monotonic() + 10
        while client.service.models.serving.snapshot.number == number and time.monotonic() < until:
            time.sleep(0.02)
        assert ids(ask(client, k=48)).index(last) < 40


def test_a_restart_brings_everything_back(serve):
    with serve() as client:
        post_item(client, "kept", **WORDS)
        client.patch("/v1/items/i1", json={"hidden": True})
        ask(client, "/v1/events", events=[{"user_id": "ann", "item_id": "i0"}])
        before = ids(ask(client, user_id="ann", k=48))
    with serve() as client:
        after = ids(ask(client, user_id="ann", k=48))
        assert sorted(after) == sorted(before)
        assert "kept" in after
        assert "i1" not in after


def test_two_workers_see_each_others_items_and_events(serve):
    with serve() as one, serve() as two:
        post_item(one, "shared", **WORDS)
        ask(one, "/v1/events", events=[{"user_id": "ann", "item_id": "i0"}])
        answer = ask(two, user_id="ann", k=48)
        assert "shared" in ids(answer)
        assert "i0" not in ids(answer)


def test_snapshots_differ_and_old_ones_stay_as_they_were(client):
    live = client.service.models.serving
    before, scores = live.snapshot, live.snapshot.fitted.panel.experts["popularity"].scores.copy()
    post_item(client, "n", **WORDS)
    after = client.service.moment().snapshot
    assert after.number > before.number
    assert len(after.shown) == len(before.shown) + 1
    np.testing.assert_array_equal(before.fitted.panel.experts["popularity"].scores, scores)


@pytest.mark.parametrize("body", [{"item_id": "x", "fields": {"year": "soon"}}, {"fields": {}}, {"item_id": ""}, 7])
def test_rows_that_cannot_be_used_are_told_one_by_one(client, body):
    answer = ask(client, "/v1/items", items=[{"item_id": "good", "fields": WORDS}, body]) if body != 7 else None
    if answer is None:
        assert client.post("/v1/items", json={"items": [7]}).status_code == 422
        return
    assert answer["accepted"] == 1
    assert [row["index"] for row in answer["rejected"]] == [1]
    assert answer["rejected"][0]["error"]


def test_an_item_that_cannot_be_taken_up_keeps_no_other_out(client, monkeypatch):
    live = client.service.models.serving
    grow = type(live)._grow

    def breaking(self, items):
        if any(item.item_id == "bad" for item in items):
            raise RuntimeError("no vector")
        grow(self, items)

    monkeypatch.setattr(type(live), "_grow", breaking)
    rows = [{"item_id": name, "fields": WORDS} for name in ("good", "bad", "fine", "well")]
    assert ask(client, "/v1/items", items=rows)["accepted"] == 4
    assert {"good", "fine", "well"} <= set(ids(ask(client, k=60)))
    assert client.get("/health/ready").status_code == 200


def test_events_of_an_item_count_for_it_when_it_comes(client):
    ask(client, "/v1/events", events=[{"user_id": f"p{n}", "item_id": "later", "kind": "buy"} for n in range(300)])
    client.service.models.follow()
    post_item(client, "later", **WORDS)
    post_item(client, "calm", **WORDS)  # the same, and nobody took it
    found = ids(ask(client, k=50))
    assert found.index("later") < found.index("calm")


def test_hidden_items_take_no_rank_in_an_explanation(client):
    whole = ids(ask(client, events=["i0"], k=47))
    last = whole[10]
    rank = ask(client, "/v1/explain", item_id=last, events=["i0"])["rank"]
    client.patch(f"/v1/items/{whole[0]}", json={"hidden": True})
    assert ask(client, "/v1/explain", item_id=last, events=["i0"])["rank"] == rank - 1
    assert ask(client, "/v1/explain", item_id=last, events=["i0"], exclude=[whole[1]])["rank"] == rank - 2


def test_a_new_column_of_a_known_item_can_be_filtered_by(client):
    client.patch("/v1/items/i3", json={"fields": {"size": "L", "price": 9}})
    assert ids(ask(client, k=5, filters={"size": "L"})) == ["i3"]
    assert ids(ask(client, k=5, filters={"price": 9})) == ids(ask(client, k=5, filters={"price": "9.0"})) == ["i3"]


def test_ids_may_hold_a_slash(client):
    post_item(client, "茶/1", **WORDS)
    assert client.get("/v1/items/%E8%8C%B6%2F1").json()["item_id"] == "茶/1"
    ask(client, "/v1/events", events=[{"user_id": "mail/x", "item_id": "i0"}])
    assert client.get("/v1/users/mail%2Fx/interests").json()["user_id"] == "mail/x"
    assert client.delete("/v1/users/mail%2Fx").json()["removed"]["events"] == 1


@pytest.mark.parametrize("kind", ["retract", "dislike", "skip"])
def test_what_is_taken_back_or_disliked_is_no_liking(client, kind):
    ask(client, "/v1/events", events=[{"user_id": "ann", "item_id": "i0", "kind": "buy", "time": "2024-01-01"}])
    ask(client, "/v1/events", events=[{"user_id": "ann", "item_id": "i0", "kind": kind, "weight": 2}])
    answer = ask(client, user_id="ann", k=48)
    assert answer["slice"] == "cold"
    assert ("i0" in ids(answer)) == (kind == "retract")
