"""Errors of pages are pages: told where they can be put right, else known by the id of the request."""

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from warmstart.errors import DataError, StoreUnavailable
from warmstart.serve.pages.route import PageRoute
from warmstart.serve.problems import Problem
from warmstart.serve.security import Keychain
from warmstart.serve.sessions import Sessions
from warmstart.serve.settings import Settings
from warmstart.store.store import Store

RAISED = {
    "told": Problem(409, "The name is taken", "<b>covers</b>", "name", "choose another"),
    "data": DataError("k=0; ask for at least 1 item"),
    "store": StoreUnavailable("the disk is full"),
    "bug": RuntimeError("secret 4711"),
}


@pytest.fixture
def client(tmp_path):
    app, router = FastAPI(), APIRouter(route_class=PageRoute)

    @router.get("/{name}")
    def broken(name: str, number: int = 0) -> None:
        raise RAISED[name]

    app.include_router(router)
    settings = Settings(engine=tmp_path / "engine")
    with Store.open(settings.database) as store:
        app.state.sessions = Sessions(settings, Keychain(store, False, True))
        yield TestClient(app)


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("told", 409, "&lt;b&gt;covers&lt;/b&gt;"),
        ("data", 422, "ask for at least 1 item"),
        ("store", 503, "Not available now"),
        ("bug", 500, "Something broke here"),
        ("told?number=x", 422, "number"),
    ],
)
def test_an_error_is_a_page(client, name, status, said, caplog):
    answer = client.get(f"/{name}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert said in answer.text
    assert "4711" not in answer.text
    assert "the disk is full" not in answer.text


def test_it_is_told_in_the_language_that_is_asked_for(client):
    answer = client.get("/bug", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert "服务出错了" in answer.text
    assert 'lang="zh-Hans"' in answer.text
