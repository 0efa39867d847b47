"""What a question may hold at most."""

import pytest

LONG = "x" * 10_001


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attributes", {f"a{n}": 1 for n in range(201)}),
        ("filters", {f"a{n}": "x" for n in range(201)}),
        ("filters", {"genre": ["x"] * 10_001}),
        ("without", list(range(201))),
        ("more", ["drama"] * 201),
    ],
)
def test_more_than_a_question_may_name_is_refused(client, field, value):
    answer = client.post("/v1/recommend", json={field: value})
    told = answer.json()
    assert answer.status_code == 422
    assert told["field"].startswith(f"body.{field}")
    assert "at most" in told["remedy"] + str(told["errors"])


@pytest.mark.parametrize("path", ["recommend", "rank", "similar", "explain"])
def test_filters_are_limited_wherever_they_are_asked(client, path):
    asked = {"rank": {"items": ["i1"]}, "similar": {"item_id": "i1"}, "explain": {"item_id": "i1"}}.get(path, {})
    answer = client.post(f"/v1/{path}", json=asked | {"filters": {f"a{n}": "x" for n in range(201)}})
    assert (answer.status_code, answer.json()["field"]) == (422, "body.filters")


@pytest.mark.parametrize("text", [LONG, "1" * 10_001])
def test_texts_of_a_question_end_somewhere(client, text):
    for asked in ({"attributes": {"about": text}}, {"filters": {"genre": text}}, {"filters": {"genre": [text]}}):
        answer = client.post("/v1/recommend", json=asked)
        assert answer.status_code == 422
        assert "10000 characters" in str(answer.json()["errors"])
    for asked in ({"more": [LONG]}, {"without": [LONG]}, {"interest": LONG}):
        assert client.post("/v1/recommend", json=asked).status_code == 422
