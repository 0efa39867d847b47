"""docs/service.md names every route, and its requests work."""

import json
import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"```http\n(GET|POST) (\S+)\n(.*?)```", TEXT, re.DOTALL)
OURS = ("/v1/", "/health/", "/metrics")


def test_every_route_is_named(client):
    paths = client.get("/openapi.json").json()["paths"]
    routes = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert [route for route in routes if route.split()[1].startswith(OURS) and f"`{route}`" not in TEXT] == []


def test_no_route_is_named_that_is_none(client):
    paths = client.get("/openapi.json").json()["paths"]
    known = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert [route for route in re.findall(r"`((?:GET|POST|PATCH|DELETE) /\S+)`", TEXT) if route not in known] == []


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_its_requests_work(serve, engine_folder, rated_folder, method, path, body):
    with serve(engine=rated_folder if path.startswith("/v1/ratings") else engine_folder) as client:
        answer = client.request(method, path, json=json.loads(body) if body.strip() else None)
    assert answer.status_code == 200, answer.text
    if path == "/v1/recommend":
        assert len(answer.json()["items"]) == 5
        assert answer.json()["fallback"] is None or answer.json()["fallback"].split(":")[0] in TEXT


def test_there_are_requests():
    assert len(REQUESTS) >= 6
