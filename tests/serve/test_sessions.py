"""Logins: who gets in, what a cookie is worth, and forms of other sites."""

import re
import time
from typing import Annotated

import pytest
from fastapi import Depends

from warmstart.serve import login
from warmstart.serve.login import own_path
from warmstart.serve.sessions import Sessions, Visit, admin_form, logged_in

PASSWORD, SECRET = "correct horse battery", "q7Zr2mPw9XcVb4NkLs8TdYf3Hg6Jh1Ea"
LOCKED = {"require_keys": True, "admin_password": PASSWORD, "secret_key": SECRET}


@pytest.fixture
def pages(guarded):
    """An app with a page to see, and a form that changes something."""

    def make(**given):
        service = guarded(**given)
        service.app.state.sessions = Sessions(service.settings, service.keychain)
        service.app.include_router(login.router)

        @service.app.get("/page")
        async def page(visit: Annotated[Visit, Depends(logged_in)]) -> str:
            return visit.who

        @service.app.post("/change")
        async def change(visit: Annotated[Visit, Depends(admin_form)]) -> str:
            return visit.who

        return service

    return make


def token(client, path="/login"):
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)[1]


def enter(client, password=PASSWORD, then="/page", **headers):
    form = {"csrf": token(client), "password": password, "next": then}
    return client.post("/login", data=form, headers=headers, follow_redirects=False)


def test_a_page_sends_strangers_to_the_login_and_back(pages):
    client = pages(**LOCKED).client
    sent = client.get("/page", follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/page")
    assert client.get("/page", headers={"HX-Request": "true"}).headers["hx-redirect"] == "/login?next=/page"
    entered = enter(client)
    assert (entered.status_code, entered.headers["location"]) == (303, "/page")
    assert client.get("/page").json() == "admin"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(pages):
    for https in (False, True):
        service = pages(**LOCKED, https_only=https)
        client = service.client
        if https:
            client.base_url = "https://localhost"
        cookie = enter(client).headers["set-cookie"]
        assert ("__Host-login=" in cookie, "Secure" in cookie) == (https, https)
        for part in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={12 * 3600}"):
            assert part in cookie
        assert PASSWORD not in cookie


def test_an_admin_key_opens_it_until_it_is_revoked_and_lesser_keys_do_not(pages):
    service = pages(**LOCKED)
    client, key = service.client, service.key("admin")
    assert enter(client, service.key("write")).status_code == 401
    assert enter(client, key).status_code == 303
    assert client.get("/page").json() == key.split("_")[1]
    service.store.revoke(key.split("_")[1])
    assert client.get("/page", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("wrong", ["", "correct horse", PASSWORD + " ", "ws_1_2", "x" * 1000])
def test_a_wrong_password_shows_the_form_again(pages, wrong):
    client = pages(**LOCKED).client
    refused = enter(client, wrong)
    assert refused.status_code == 401
    assert 'role="alert"' in refused.text
    assert "login=" not in refused.headers.get("set-cookie", "")
    assert client.get("/page", follow_redirects=False).status_code == 303


def test_no_password_is_no_login(pages):
    service = pages(require_keys=True)
    assert enter(service.client, "").status_code == 401
    assert enter(service.client, "None").status_code == 401


def test_guessing_must_wait_even_with_the_right_one(pages):
    client = pages(**LOCKED, login_attempts=3).client
    assert [enter(client, f"guess {n}").status_code for n in range(4)] == [401, 401, 401, 429]
    assert enter(client).status_code == 429


def test_who_logs_in_often_is_no_guesser(pages):
    client = pages(**LOCKED, login_attempts=3).client
    assert {enter(client).status_code for _ in range(6)} == {303}


def test_a_form_needs_the_token_of_its_own_browser(pages):
    service = pages(**LOCKED)
    client, other = service.client, service.client
    enter(client)
    enter(other)
    mine, theirs = token(client), token(other)
    changed = mine[:-1] + ("1" if mine.endswith("0") else "0")
    for sent in ({}, {"csrf": ""}, {"csrf": theirs}, {"csrf": changed}, {"csrf": "ünicode"}):
        refused = client.post("/change", data=sent)
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf"), sent
    assert client.post("/change", data={"csrf": mine}).json() == "admin"
    assert client.post("/change", headers={"X-CSRF-Token": mine}).json() == "admin"
    assert client.post("/change", json={"csrf": mine}).status_code == 403  # no form: the header it must be


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_a_form_of_another_site_is_refused(pages, headers, status):
    client = pages(**LOCKED).client
    enter(client)
    assert client.post("/change", data={"csrf": token(client)}, headers=headers).status_code == status


def test_the_login_itself_needs_a_token(pages):
    client = pages(**LOCKED).client
    assert client.post("/login", data={"password": PASSWORD}).status_code == 403
    assert "login=" not in str(client.cookies)


def test_a_token_from_before_the_login_is_worth_nothing_after_it(pages):
    client = pages(**LOCKED).client
    before = token(client)
    enter(client)
    assert client.post("/change", data={"csrf": before}).status_code == 403


def test_forged_old_and_foreign_cookies_are_no_login(pages, monkeypatch):
    service = pages(**LOCKED)
    client = service.client
    enter(client)
    cookie = client.cookies["login"]
    stranger = service.client
    for forged in ("x", cookie[:-2], cookie.replace(".", "", 1), service.client.cookies.get("visit", "a.b.c")):
        stranger.cookies.set("login", forged)
        assert stranger.get("/page", follow_redirects=False).status_code == 303
    stranger.cookies.set("login", cookie)
    assert stranger.get("/page").json() == "admin"
    for changed in ({"secret_key": SECRET[::-1]}, {"admin_password": PASSWORD + "!"}):
        elsewhere = pages(**(LOCKED | changed)).client
        elsewhere.cookies.set("login", cookie)
        assert elsewhere.get("/page", follow_redirects=False).status_code == 303
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 12.1 * 3600)
    assert client.get("/page", follow_redirects=False).status_code == 303


def test_a_visit_is_no_login(pages):
    client = pages(**LOCKED).client
    client.get("/login")
    client.cookies.set("login", client.cookies["visit"])
    assert client.get("/page", follow_redirects=False).status_code == 303


def test_logging_out_ends_it(pages):
    client = pages(**LOCKED).client
    enter(client)
    assert client.post("/logout").status_code == 403
    client.post("/logout", data={"csrf": token(client)}, follow_redirects=False)
    assert client.get("/page", follow_redirects=False).status_code == 303


def test_open_where_the_api_is_open_yet_not_to_other_sites(pages):
    service = pages()
    client = service.client
    assert client.get("/page").json() == "local"
    assert client.post("/change").status_code == 403
    assert client.post("/change", data={"csrf": token(client)}).json() == "local"
    service.key("read")
    assert client.get("/page", follow_redirects=False).status_code == 303
    assert client.post("/change", data={"csrf": token(client)}).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=1"],
)
def test_a_login_leads_nowhere_else(pages, path):
    assert own_path(path) == "/"
    assert enter(pages(**LOCKED).client, then=path).headers["location"] == "/"


def test_what_is_shown_is_escaped(pages):
    text = pages(**LOCKED).client.get("/login", params={"next": '/"><script>alert(1)</script>'}).text
    assert "<script>" not in text
