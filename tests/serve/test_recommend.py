"""Answers over HTTP: for everybody, with where they come from, kept as they were given."""

import json

import pytest

KIND = 12  # items i0 .. i47, four kinds by number modulo 4


def ask(client, path="/v1/recommend", **body):
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def post_events(client, *rows):
    return ask(client, "/v1/events", events=[dict(zip(("user_id", "item_id", "kind"), r, strict=False)) for r in rows])


def test_a_visitor_nobody_knows_is_told_why_the_list_is_what_it_is(client):
    answer = ask(client, k=5)
    assert len(ids(answer)) == 5
    assert answer["slice"] == "cold"
    assert "nothing is known" in answer["fallback"]
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    assert all(item["source"] for item in answer["items"])


def test_an_unknown_user_is_a_new_user(client):
    assert ids(ask(client, user_id="nobody", k=5)) == ids(ask(client, k=5))


def test_a_history_a_text_and_a_stored_user_are_answered_alike(client, toy):
    history = toy.catalog.items.names(toy.interactions.item[toy.interactions.user == 0][:4])
    post_events(client, *[("ann", item, "view") for item in history])
    told, stored = ask(client, events=history, k=8), ask(client, user_id="ann", k=8)
    assert ids(told) == ids(stored)
    assert told["slice"] == stored["slice"] == "few_shot"
    assert told["fallback"] is None
    assert not set(ids(told)) & set(history)
    words = toy.catalog.title(0)
    assert ask(client, text=words, k=3)["fallback"] is None


def test_an_event_counts_in_the_very_next_answer(client, toy):
    before = ask(client, user_id="ben", k=5)
    post_events(client, ("ben", ids(before)[0], "buy"))
    after = ask(client, user_id="ben", k=5)
    assert ids(before)[0] not in ids(after)
    assert (before["slice"], after["slice"]) == ("cold", "few_shot")


def test_a_dislike_hides_an_item_and_teaches_no_liking(client):
    first = ids(ask(client, k=3))[0]
    post_events(client, ("cleo", first, "dislike"))
    answer = ask(client, user_id="cleo", k=5)
    assert first not in ids(answer)
    assert answer["slice"] == "cold"


def test_what_was_only_shown_may_be_shown_again(client):
    first = ids(ask(client, k=1))[0]
    post_events(client, ("dora", first, "impression"))
    assert ids(ask(client, user_id="dora", k=1)) == [first]


def test_the_next_page_repeats_nothing_however_far(client):
    page, seen = ask(client, events=["i1"], k=7), []
    for _ in range(4):
        seen += ids(page)
        page = ask(client, "/v1/recommend/next", recommendation_id=page["recommendation_id"], k=7)
    seen += ids(page)
    assert len(seen) == len(set(seen)) == 35


def test_the_next_page_of_an_answer_nobody_gave_is_refused(client):
    answer = client.post("/v1/recommend/next", json={"recommendation_id": "no"})
    assert answer.status_code == 422
    assert "unknown or too old" in answer.json()["detail"]


def test_filters_exclusions_and_what_leaves_nothing(client, toy):
    column = next(c for c in toy.catalog.table.columns if c not in ("item_id", "title"))
    value = str(toy.catalog.table[column][0])
    wanted = set(toy.catalog.table.filter(toy.catalog.table[column].cast(str) == value)["item_id"])
    answer = ask(client, k=5, filters={column: value})
    assert set(ids(answer)) <= wanted
    assert ids(ask(client, k=5, exclude=ids(answer)[:1], filters={column: [value]}))[0] != ids(answer)[0]
    empty = ask(client, k=5, filters={column: "no such value"})
    assert empty["items"] == []
    assert "no item may be shown" in empty["fallback"]


def test_an_unknown_filter_is_an_error_with_its_remedy(client):
    answer = client.post("/v1/recommend", json={"filters": {"colour": "red"}})
    assert answer.status_code == 422
    assert "colour" in answer.json()["detail"]


def test_diversity_brings_other_kinds(client):
    def alike(answer):
        return len({int(i[1:]) % 4 for i in ids(answer)})

    plain = ask(client, events=["i0", "i4", "i8"], k=6)
    mixed = ask(client, events=["i0", "i4", "i8"], k=6, diversity=0.9)
    assert alike(mixed) > alike(plain)


def test_given_items_are_put_in_order_and_unknown_ones_told(client):
    answer = ask(
        client, "/v1/rank", events=["i0", "i4", "i12", "i16", "i20"], items=["i1", "i8", "nothing", "i2", "i8"]
    )
    assert set(ids(answer)) == {"i1", "i2", "i8"}
    assert ids(answer)[0] == "i8"
    assert answer["unknown"] == ["nothing"]


def test_items_like_an_item_or_a_text(client, toy):
    answer = ask(client, "/v1/similar", item_id="i0", k=5)
    assert "i0" not in ids(answer)
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    assert len(ids(ask(client, "/v1/similar", text=toy.catalog.title(3), k=4))) == 4
    assert client.post("/v1/similar", json={"item_id": "none"}).status_code == 422
    assert client.post("/v1/similar", json={}).status_code == 422


@pytest.mark.parametrize(
    ("item", "status"), [("i0", "already seen"), ("none", "unknown"), ("i4", "shown"), ("i1", "below the cut")]
)
def test_a_missing_item_is_explained(client, item, status):
    answer = ask(client, "/v1/explain", item_id=item, events=["i0", "i8", "i12"], k=8 if status == "shown" else 1)
    assert answer["status"] == status
    assert answer["text"]


def test_paths_of_the_graph_come_with_an_explanation(client):
    events = [{"item_id": "i0", "kind": "buy"}]
    (path,) = [
        p for p in ask(client, "/v1/explain", item_id="i20", events=events)["detail"]["paths"] if len(p["nodes"]) == 3
    ]
    assert [node["id"] for node in path["nodes"]] == ["i0", "maker0_0", "i20"]
    assert path["text"].startswith("You bought The ")
    assert " -> made by maker0 0 -> " in path["text"]


def test_what_was_disliked_is_explained_as_seen(client):
    post_events(client, ("gus", "i0", "buy"), ("gus", "i4", "dislike"))
    assert "i4" not in ids(ask(client, user_id="gus", k=40))
    assert ask(client, "/v1/explain", user_id="gus", item_id="i4", k=40)["status"] == "already seen"


def test_events_of_very_many_kinds_are_answered(client):
    ask(client, "/v1/items", items=[{"item_id": f"n{n}", "fields": {"title": "thing"}} for n in range(140)])
    events = [{"item_id": f"n{n}", "kind": f"kind {n}"} for n in range(140)]
    assert ask(client, events=events, k=3)["slice"] == "warm"


def test_the_next_page_knows_what_the_request_told(client):
    first = ask(client, events=["i0", {"item_id": "i4", "kind": "buy"}], attributes={"age": 34}, k=3)
    more = ask(client, "/v1/recommend/next", recommendation_id=first["recommendation_id"], k=3)
    whole = ask(client, events=["i0", {"item_id": "i4", "kind": "buy"}], attributes={"age": 34}, k=6)
    assert more["slice"] == "few_shot"
    assert ids(first) + ids(more) == ids(whole)


def test_reasons_come_where_asked_for(client):
    assert all(item["reasons"] for item in ask(client, events=["i0"], k=3, explain=True)["items"])
    assert not any(item["reasons"] for item in ask(client, events=["i0"], k=3)["items"])


def test_interests_of_somebody_in_words(client):
    post_events(client, *[("eve", f"i{n}", "view") for n in range(0, 24, 4)])
    answer = client.get("/v1/users/eve/interests").json()
    assert answer["interests"]
    assert sum(one["weight"] for one in answer["interests"]) == pytest.approx(1, abs=1e-6)
    off = answer["interests"][0]["concept"]
    steered = ask(client, user_id="eve", k=5, without=[off])
    assert ids(steered) != ids(ask(client, user_id="eve", k=5))
    assert client.get("/v1/users/nobody/interests").json()["interests"] == []


def test_answers_are_kept_as_they_were_given(client):
    answer = ask(client, user_id="fay", k=4, scenario="home")
    client.service.writer.flush()
    kept = client.service.store.answer(answer["recommendation_id"])
    assert [shown.item_id for shown in kept.items] == ids(answer)
    assert (kept.user_id, kept.scenario, kept.slice, kept.model) == ("fay", "home", "cold", answer["model_version"])
    assert kept.milliseconds > 0


def test_a_name_that_is_not_known_is_a_mistake(client):
    problem = client.post("/v1/recommend", json={"k": 3, "colour": "red"})
    assert problem.status_code == 422
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["field"] == "body.colour"


def test_the_same_question_is_answered_from_memory_until_something_changes(client):
    first = ask(client, events=["i3"], k=4)
    hits = client.service.lists.hits
    again = ask(client, events=[{"item_id": "i3"}], k=4)
    assert ids(again) == ids(first)
    assert again["recommendation_id"] != first["recommendation_id"]
    ask(client, k=4)
    assert ask(client, k=4)
    assert client.service.lists.hits > hits


def test_exploration_tries_new_items_and_says_so(serve):
    with serve(explore_share=0.5) as client:
        words = {"title": "a plain thing"}
        ask(client, "/v1/items", items=[{"item_id": f"n{i}", "fields": words} for i in range(30)])
        answers = [ask(client, k=8) for _ in range(10)]
        client.service.writer.flush()
        kept = [client.service.store.answer(a["recommendation_id"]) for a in answers]
    explored = [shown for answer in kept for shown in answer.items if shown.explored]
    assert explored
    assert all(0 < shown.propensity < 1 for shown in explored)
    assert all(answer.items[0].propensity == 1.0 for answer in kept)


def test_an_experiment_answers_everybody_the_same_way_at_each_visit(client):
    variants = [{"name": "plain", "share": 0.5}, {"name": "mixed", "share": 0.5, "diversity": 0.9}]
    assert client.post("/v1/experiments", json={"name": "covers", "variants": variants}).status_code < 300
    first = {user: ask(client, user_id=user, k=5)["variant"] for user in map(str, range(20))}
    again = {user: ask(client, user_id=user, k=5)["variant"] for user in first}
    assert first == again
    assert set(first.values()) == {"plain", "mixed"}


def test_an_interleaved_list_says_whose_each_place_is(client):
    variants = [{"name": "plain", "share": 0.5}, {"name": "mixed", "share": 0.5, "diversity": 0.9}]
    body = {"name": "both", "variants": variants, "kind": "interleave"}
    assert client.post("/v1/experiments", json=body).status_code < 300
    answer = ask(client, user_id="ann", events=["i0", "i4"], k=8)
    client.service.writer.flush()
    kept = client.service.store.answer(answer["recommendation_id"])
    assert answer["experiment"] == "both"
    assert {shown.variant for shown in kept.items} == {"plain", "mixed"}
    assert len(set(ids(answer))) == 8


@pytest.mark.parametrize("name", ["0" * 6000, "9" * 12, "no such thing"])
def test_an_interest_that_is_none_is_refused(client, name):
    assert client.post("/v1/recommend", json={"interest": name}).status_code == 422
    assert client.post("/v1/recommend", json={"without": [name]}).status_code == 422


@pytest.mark.parametrize("folder", ["../engine", "a/b", "\x00", "", ".hidden", "\ud800"])
def test_a_folder_outside_the_folder_of_models_is_refused(client, folder):
    assert client.post("/v1/models", content=json.dumps({"folder": folder})).status_code in (400, 422)


def test_words_that_nobody_knows_are_told(client, toy):
    assert "no word of the text is known" in ask(client, text="zzzz qqqq", k=3)["fallback"]
    assert ask(client, text=toy.catalog.title(0), k=3)["fallback"] is None


def test_what_an_explanation_cannot_heed_is_refused(client):
    assert client.post("/v1/explain", json={"item_id": "i0", "more": [1]}).status_code == 422
    assert client.post("/v1/explain", json={"item_id": "i0", "without": [0]}).status_code == 200
