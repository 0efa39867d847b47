"""Problems: every error has a status, a field and a remedy, and shows nothing of the inside."""

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.testclient import TestClient

from warmstart import errors
from warmstart.serve.problems import Problem, Unexpected, install_problems, problem_responses


class Row(BaseModel):
    item_id: str
    time: int = Field(ge=0)


class Rows(BaseModel):
    rows: list[Row]


RAISED = {
    "data": errors.DataError("k=0; ask for at least 1 item"),
    "store": errors.StoreUnavailable("/secret/place.db is locked; wait"),
    "artefact": errors.ArtefactError("engine has format 3; save it again"),
    "unfitted": errors.NotFitted("nothing learned; fit"),
    "training": errors.TrainingError("/secret/place diverged"),
    "bug": ZeroDivisionError("/secret/place"),
    "mine": Problem(404, "No such item", "item 'x'", "item_id", "list /v1/items", "unknown_item"),
}


@pytest.fixture(scope="module")
def client():
    app = FastAPI()
    install_problems(app)
    app.add_middleware(Unexpected)

    @app.get("/raise/{name}", responses=problem_responses(404))
    def raising(name: str):
        raise RAISED[name]

    @app.post("/rows")
    def rows(given: Rows):
        return len(given.rows)

    return TestClient(app)


@pytest.fixture
def app_client(serve):
    with serve() as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status", "code", "detail", "remedy"),
    [
        ("data", 422, "unusable_value", "k=0", "ask for at least 1 item"),
        ("store", 503, "store_unavailable", "", "try again"),
        ("artefact", 409, "artefact", "engine has format 3", "save it again"),
        ("unfitted", 503, "not_ready", "", "try again"),
        ("training", 500, "internal_server_error", "", "tell the operator the request_id"),
        ("bug", 500, "internal_server_error", "", "tell the operator the request_id"),
        ("mine", 404, "unknown_item", "item 'x'", "list /v1/items"),
    ],
)
def test_every_kind_of_error_is_a_problem(client, name, status, code, detail, remedy):
    response = client.get(f"/raise/{name}")
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert (body["detail"], body["remedy"], body["instance"]) == (detail, remedy, f"/raise/{name}")
    assert body["title"]
    assert "secret" not in response.text
    if status == 503:
        assert int(response.headers["retry-after"]) >= 1


def test_a_bad_request_lists_each_mistake_with_its_place_and_remedy(client):
    response = client.post("/rows", json={"rows": [{"item_id": "a", "time": 1}, {"time": -5, "item_id": ["hush"]}, {}]})
    body = response.json()
    assert (response.status_code, body["code"]) == (422, "invalid_request")
    found = {e["field"]: e for e in body["errors"]}
    assert set(found) == {"body.rows[1].item_id", "body.rows[1].time", "body.rows[2].item_id", "body.rows[2].time"}
    assert found["body.rows[2].time"]["remedy"] == "add it"
    told = found["body.rows[1].time"]
    assert (told["detail"], told["remedy"]) == ("-5 is too small", "give at least 0")
    assert body["field"] in found
    assert "hush" not in response.text


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"rows": 3}', b"[]", b""])
def test_what_is_no_json_or_no_object_is_refused(client, body):
    response = client.post("/rows", content=body, headers={"content-type": "application/json"})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code in (400, 422)
    assert response.json()["detail"] or response.json()["errors"]


def test_paths_and_methods_that_are_not_there_are_problems(client):
    assert client.get("/nowhere").json()["code"] == "not_found"
    assert client.get("/nowhere").json()["remedy"] == "GET /openapi.json lists all paths"
    assert client.get("/row").json()["remedy"].startswith("did you mean POST /rows?")
    wrong = client.get("/rows")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"
    assert wrong.json()["remedy"] == "/rows takes POST"


def test_a_wrong_method_is_told_all_that_the_path_takes(app_client):
    wrong = app_client.put("/v1/items/a%2Fb")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "DELETE, GET, PATCH")
    assert wrong.json()["remedy"] == "/v1/items/a/b takes DELETE, GET and PATCH"
    assert "did you mean POST /v1/recommend?" in app_client.get("/v1/recomend").json()["remedy"]
    assert app_client.get("/" + "x" * 50_000).json()["remedy"] == "GET /openapi.json lists all paths"


def test_the_document_knows_the_shape_of_problems(client):
    document = client.get("/openapi.json").json()
    told = document["paths"]["/raise/{name}"]["get"]["responses"]["404"]["content"]["application/problem+json"]
    name = told["schema"]["$ref"].rsplit("/", 1)[1]
    assert "remedy" in document["components"]["schemas"][name]["properties"]
    assert "Mistake" in document["components"]["schemas"]
