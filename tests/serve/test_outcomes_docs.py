"""The requests of docs/outcomes.md work as they stand."""

import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "outcomes.md"


def requests():
    """Method, path and body of each request of the page, in order."""
    for block in re.findall(r"```http\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        for method, path, body in re.findall(r"^(GET|POST) (\S+)\n((?:[ {].*\n)*)", block, re.MULTILINE):
            yield method, path, json.loads(body) if body else None


def test_requests_of_the_page(client):
    client.post("/v1/recommend", json={"user_id": "ann"})
    client.service.writer.flush()
    asked = list(requests())
    assert len(asked) == 6
    for method, path, body in asked:
        answer = client.request(method, path, json=body)
        assert answer.status_code in (200, 201), (path, answer.text)
