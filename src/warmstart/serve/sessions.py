"""Logins of the dashboard: signed cookies, tokens of forms, and who may look."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import Depends, HTTPException, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.responses import Response

from warmstart.serve.limits import Rate
from warmstart.serve.problems import Problem
from warmstart.serve.security import MARK, Keychain, address_of, is_same_site
from warmstart.serve.settings import Settings

ADMIN, LOCAL = "admin", "local"  # whoever knows the password; anybody, where the service is open
FIELD, HEADER = "csrf", "X-CSRF-Token"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
HOUR = 3_600  # seconds


@dataclass(frozen=True)
class Visit:
    """One browser.

    Parameters
    ----------
    anchor
        What its forms are signed for: the id of the login, or before one that of the visit.
    who
        ``admin``, the id of an admin key, ``local`` where the service is open; None = not logged in.
    csrf
        The token that its forms send back.
    is_new
        It has no cookie yet; ``Sessions.dress`` gives it one.
    """

    anchor: str
    who: str | None
    csrf: str
    is_new: bool


class Sessions:
    """Who is logged in; nothing is kept here, cookies are signed and end by themselves.

    A login ends early when the password or the secret key changes, or its key is revoked.
    """

    def __init__(self, settings: Settings, keychain: Keychain) -> None:
        self.settings, self.keychain = settings, keychain
        self.secret = settings.secret_key.get_secret_value() or secrets.token_urlsafe(32)
        self.attempts = Rate(settings.login_attempts)
        self.prefix = "__Host-" if settings.https_only else ""
        self._logins = self._serializer("login")
        self._visits = self._serializer("visit")

    def visit(self, request: Request) -> Visit:
        """The browser that asks; may wait for the database."""
        self.keychain.holder(None)  # so that it is known whether the service is open
        who, anchor = self._login(request.cookies.get(self.prefix + "login", ""))
        known = anchor or self._unsigned(self._visits, request.cookies.get(self.prefix + "visit", "")).get("id")
        anchor = known or secrets.token_urlsafe(16)
        if who is None and self.keychain.is_open:
            who = LOCAL
        return Visit(anchor, who, self._token(anchor), known is None)

    def dress(self, response: Response, visit: Visit) -> None:
        """Give a new browser its cookie, with the page whose forms it will send."""
        if visit.is_new:
            self._set(response, "visit", self._visits.dumps({"id": visit.anchor}))

    def log_in(self, request: Request, response: Response, text: str) -> None:
        """Set the cookie of a login; ``text`` is the password, or a key with scope admin. May wait for the database.

        Raises
        ------
        Problem
            401 if it is neither; 429 after too many wrong ones from this address.
        """
        address = address_of(request.client)
        self.attempts.check(address)
        who = self._who(text)
        if who is None:
            self.attempts.count(address)
            raise Problem(401, "Not logged in", "the password is not right", "password", "try again")
        login = {"who": who, "id": secrets.token_urlsafe(16), "mark": self._mark(who)}
        self._set(response, "login", self._logins.dumps(login))

    def log_out(self, response: Response) -> None:
        """Take the cookies away."""
        for name in ("login", "visit"):
            response.delete_cookie(
                self.prefix + name, secure=self.settings.https_only, httponly=True, samesite="strict"
            )

    def check_form(self, request: Request, visit: Visit, token: str) -> None:
        """Whether a form was sent by a page of ours.

        Raises
        ------
        Problem
            403 if another site sent it, or the token is missing or of another browser.
        """
        if not is_same_site(request.headers) or not hmac.compare_digest(token.encode(), visit.csrf.encode()):
            remedy = "load the page again, and send the form from there"
            raise Problem(403, "The form is not from a page of this browser", field=FIELD, remedy=remedy, code="csrf")

    def _who(self, text: str) -> str | None:
        if text.startswith(MARK + "_"):
            try:
                holder = self.keychain.holder(text)
            except Problem as problem:
                if problem.status != 401:
                    raise
            else:
                return holder.key_id if "admin" in holder.scopes else None
        password = self.settings.admin_password
        same = password is not None and hmac.compare_digest(_hash(text), _hash(password.get_secret_value()))
        return ADMIN if same else None

    def _login(self, cookie: str) -> tuple[str | None, str | None]:
        login = self._unsigned(self._logins, cookie)
        who = login.get("who", "")
        if not who or not hmac.compare_digest(login["mark"], self._mark(who)):
            return None, None
        return who, login["id"]

    def _mark(self, who: str) -> str:
        """What a login is bound to: it changes when the password does, or the key is revoked."""
        if who == ADMIN:
            password = self.settings.admin_password
            held = "" if password is None else password.get_secret_value()
        else:
            held = self.keychain.digest_of(who, "admin") or secrets.token_hex()
        return hmac.new(self.secret.encode(), f"mark {who} {held}".encode(), hashlib.sha256).hexdigest()

    def _token(self, anchor: str) -> str:
        return hmac.new(self.secret.encode(), f"form {anchor}".encode(), hashlib.sha256).hexdigest()

    def _serializer(self, salt: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=salt, signer_kwargs={"digest_method": hashlib.sha256})

    def _unsigned(self, serializer: URLSafeTimedSerializer, cookie: str) -> dict[str, str]:
        try:
            found: dict[str, str] = serializer.loads(cookie, max_age=int(self.settings.session_hours * HOUR))
        except BadSignature:
            return {}
        return found

    def _set(self, response: Response, name: str, value: str) -> None:
        age, secure = int(self.settings.session_hours * HOUR), self.settings.https_only
        response.set_cookie(self.prefix + name, value, age, secure=secure, httponly=True, samesite="strict")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def sessions_of(request: Request) -> Sessions:
    """The sessions of the app that is asked: its ``state.sessions``."""
    found: Sessions = request.app.state.sessions
    return found


async def visit_of(request: Request) -> Visit:
    """Dependency: the browser that asks, logged in or not."""
    sessions = sessions_of(request)
    return await to_thread.run_sync(sessions.visit, request)


async def logged_in(request: Request, visit: Annotated[Visit, Depends(visit_of)]) -> Visit:
    """Dependency of pages: whoever is not logged in is sent to ``/login``, and comes back."""
    if visit.who is None:
        place = "/login?next=" + quote(request.url.path)
        name = "HX-Redirect" if "hx-request" in request.headers else "Location"
        raise HTTPException(303 if name == "Location" else 401, headers={name: place})
    return visit


async def sent_form(request: Request, visit: Annotated[Visit, Depends(visit_of)]) -> Visit:
    """Dependency of every route a form is sent to, before a login too; the token is a field or a header."""
    token = request.headers.get(HEADER)
    if token is None and request.headers.get("content-type", "").split(";")[0] in FORM_TYPES:
        token = str((await request.form()).get(FIELD, ""))
    sessions_of(request).check_form(request, visit, token or "")
    return visit


async def admin_form(visit: Annotated[Visit, Depends(sent_form)]) -> Visit:
    """Dependency of forms that change something: sent by a page of ours, by somebody logged in."""
    if visit.who is None:
        raise Problem(401, "Not logged in", remedy="log in at /login")
    return visit
