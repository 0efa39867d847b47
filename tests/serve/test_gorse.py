"""Gorse's own client against the running server."""

import httpx2
import pytest
from gorse import Gorse, GorseException

from warmstart.serve.security import new_key


@pytest.fixture
def gorse(running):
    return Gorse(running[0], "")


def test_feedback_counts_in_the_next_recommendation(gorse):
    before = gorse.get_recommend("ann", n=3)
    assert len(before) == 3
    assert before[0].score >= before[1].score
    assert gorse.insert_feedback("star", "ann", before[0].id, "2024-02-24T10:00:00Z", 1.0) == {"RowAffected": 1}
    rows = [{"FeedbackType": "like", "UserId": "ann", "ItemId": before[1].id, "Timestamp": "2024-02-25"}]
    assert gorse.insert_feedbacks(rows) == {"RowAffected": 1}
    after = gorse.get_recommend("ann", n=3)
    assert not {before[0].id, before[1].id} & {one.id for one in after}
    assert [f["FeedbackType"] for f in gorse.list_feedbacks("star", "ann")] == ["star"]
    assert gorse.list_feedbacks("star", "ann")[0]["Timestamp"] == "2024-02-24T10:00:00Z"


def test_pages_of_feedback_hold_every_row_once(gorse):
    rows = [{"FeedbackType": "view", "UserId": "ben", "ItemId": f"i{n}", "Timestamp": ""} for n in range(7)]
    gorse.insert_feedbacks(rows)
    found, cursor = gorse.get_feedbacks(3)
    while cursor:
        page, cursor = gorse.get_feedbacks(3, cursor)
        found += page
    assert [f["ItemId"] for f in found] == [f"i{n}" for n in range(7)]


def test_feedback_that_is_deleted_counts_no_more(gorse):
    first = gorse.get_recommend("cleo", n=1)[0].id
    gorse.insert_feedback("star", "cleo", first, "")
    assert gorse.get_recommend("cleo", n=1)[0].id != first
    assert gorse.delete_feedback("cleo", first) == {"RowAffected": 1}
    assert gorse.get_recommend("cleo", n=1)[0].id == first
    assert gorse.delete_feedback("cleo", "i47") == {"RowAffected": 0}


def test_pages_and_write_back(gorse):
    whole = [one.id for one in gorse.get_recommend("dora", n=6)]
    assert [one.id for one in gorse.get_recommend("dora", n=3, offset=3)] == whole[3:]
    gorse.get_recommend("dora", n=2, write_back_type="read")
    assert not {one.id for one in gorse.get_recommend("dora", n=2)} & set(whole[:2])


def test_a_session_is_answered_without_being_stored(gorse):
    rows = [{"FeedbackType": "view", "UserId": "x", "ItemId": i, "Timestamp": ""} for i in ("i0", "i4")]
    found = gorse.session_recommend(rows, n=4)
    assert len(found) == 4
    assert not {one["Id"] for one in found} & {"i0", "i4"}
    with pytest.raises(GorseException):
        gorse.get_user("x")


def test_items_come_and_go(gorse):
    item = {
        "ItemId": "n1",
        "IsHidden": False,
        "Categories": ["new"],
        "Timestamp": "2024-01-01",
        "Comment": "The Galaxy",
    }
    assert gorse.insert_item(item | {"Labels": {"year": 1999}}) == {"RowAffected": 1}
    known = gorse.get_item("n1")
    assert (known["Categories"], known["Comment"], known["Labels"]) == (["new"], "The Galaxy", {"year": 1999})
    assert [one.id for one in gorse.get_recommend("eve", "new", n=5)] == ["n1"]
    assert gorse.search_items("The Galaxy", n=3)
    gorse.update_item("n1", is_hidden=True)
    assert gorse.get_item("n1")["Comment"] == "The Galaxy"
    assert gorse.get_recommend("eve", "new", n=5) == []
    assert gorse.delete_item("n1") == {"RowAffected": 1}
    with pytest.raises(GorseException) as refused:
        gorse.get_item("n1")
    assert refused.value.status_code == 404


def test_neighbours_of_an_item_and_pages_of_items(gorse):
    near = gorse.get_neighbors("i0", n=5)
    assert len({one["Id"] for one in near} - {"i0"}) == 5
    found, cursor = gorse.get_items(20)
    while cursor:
        page, cursor = gorse.get_items(20, cursor)
        found += page
    assert len({one["ItemId"] for one in found}) == 48


def test_users_come_and_go(gorse):
    gorse.insert_user({"UserId": "fay", "Labels": {"age": 30}, "Comment": ""})
    gorse.insert_users([{"UserId": "gil", "Labels": ["a", "b"]}])
    assert gorse.get_user("fay")["Labels"] == {"age": 30}
    assert {u["UserId"] for u in gorse.get_users(10)[0]} == {"fay", "gil"}
    gorse.insert_feedback("star", "fay", "i3", "")
    assert gorse.delete_user("fay")["RowAffected"] == 2
    with pytest.raises(GorseException):
        gorse.get_user("fay")


def test_a_row_that_is_refused_is_an_error(gorse):
    with pytest.raises(GorseException, match="time"):
        gorse.insert_feedback("star", "hal", "i1", "yesterday")


@pytest.mark.parametrize("cursor", ["²", "9" * 5000, "x", "-1"])
def test_a_cursor_that_is_none_begins_anew(client, cursor):
    assert client.get("/api/feedback", params={"cursor": cursor}).status_code == 200


@pytest.mark.parametrize("labels", [5, "a", ["a", 1], {"a": 1}, True, 0, None])
def test_labels_of_any_form_are_kept_or_refused(client, labels):
    assert client.post("/api/user", json={"UserId": "u", "Labels": labels}).status_code in (200, 422)


@pytest.mark.parametrize("categories", [5, "SF|Horror", ["SF"], True])
def test_items_that_came_otherwise_are_told(client, categories):
    client.post("/v1/items", json={"items": [{"item_id": "odd", "fields": {"categories": categories}}]})
    assert all(isinstance(c, str) for c in client.get("/api/item/odd").json()["Categories"])


def test_writing_back_takes_a_key_that_may_write(serve):
    with serve(require_keys=True) as client:
        read, write = (new_key("test", [scope]) for scope in ("read", "write"))
        for _, row in (read, write):
            client.service.store.put_key(row)
        asked = "/api/recommend/ann?write-back-type=dislike"
        codes = [client.get(asked, headers={"X-API-Key": text}).status_code for text, _ in (read, write)]
        assert codes == [403, 200]
        assert client.get("/api/recommend/ann", headers={"X-API-Key": read[0]}).status_code == 200
        assert client.get("/api/recommend/ann").status_code == 401


def test_a_later_page_is_kept_as_what_it_showed(running, gorse):
    whole = [one.id for one in gorse.get_recommend("ida", n=6)]
    gorse.get_recommend("ida", n=2, offset=4)
    running[1].writer.flush()
    shown = [[s.item_id for s in answer.items] for answer in running[1].store.answers(0, 2**40)]
    assert sorted(shown, key=len) == [whole[4:], whole]


def test_ids_hold_a_slash_where_it_is_sent_encoded(client):
    item, user = "films/alien", "team/ann/feedback"
    at, who = "films%2Falien", "team%2Fann%2Ffeedback"
    sent = {"ItemId": item, "Categories": ["SF"], "Comment": "Alien", "IsHidden": False, "Labels": {}}
    assert client.post("/api/item", json=sent).json() == {"RowAffected": 1}
    assert client.get(f"/api/item/{at}").json()["ItemId"] == item
    assert client.patch(f"/api/item/{at}", json={"Comment": "Aliens"}).json() == {"RowAffected": 1}
    assert client.get(f"/api/item/{at.replace('F', 'f', 1)}").json()["Comment"] == "Aliens"
    assert client.get(f"/api/item/{at}/neighbors?n=2").status_code == 200
    rows = [{"FeedbackType": "star", "UserId": user, "ItemId": item, "Timestamp": ""}]
    assert client.post("/api/feedback", json=rows).json() == {"RowAffected": 1}
    for path in (f"/api/user/{who}/feedback", f"/api/user/{who}/feedback/star"):
        assert [row["ItemId"] for row in client.get(path).json()] == [item]
    assert client.get(f"/api/user/{who}").json()["UserId"] == user
    assert item not in client.get(f"/api/recommend/{who}", params={"n": 50}).json()
    assert client.delete(f"/api/feedback/{who}/{at}").json() == {"RowAffected": 1}  # two ids, which stay apart
    assert client.delete(f"/api/item/{at}").json() == {"RowAffected": 1}
    assert client.delete(f"/api/user/{who}").json()["RowAffected"] > 0


def test_a_plain_slash_ends_an_id_and_a_percent_sign_is_itself(running):
    with httpx2.Client(base_url=running[0]) as client:
        client.post("/api/item", json={"ItemId": "a%2Fb", "Comment": "percent"})
        assert client.get("/api/item/a%252Fb").json()["ItemId"] == "a%2Fb"
        assert client.get("/api/item/a%2Fb").status_code == 404
        assert client.get("/api/item/a/b").status_code == 404
