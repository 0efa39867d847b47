"""Limits every request meets: who asks, how often, how many at once, and how large a body may be."""

from __future__ import annotations

import math
import time

from anyio import to_thread
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warmstart.serve.problems import Problem
from warmstart.serve.security import EVERYBODY, Keychain, address_of, is_same_site, token_of

READING = ("GET", "HEAD", "OPTIONS")
ALWAYS = ("/health/live", "/health/ready")  # a busy service is not a dead one


class Identify:
    """Say who asks, in ``request.state.holder``; a key that is not valid is refused here.

    Where everybody may do everything, the pages of other sites that somebody here looks at may not.
    """

    def __init__(self, app: ASGIApp, keychain: Keychain, rate: Rate) -> None:
        self.app, self.keychain, self.rate = app, keychain, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        token, address = token_of(headers), address_of(scope["client"])
        try:
            if self.keychain.is_stale:
                holder = await to_thread.run_sync(self.keychain.holder, token)
            else:
                holder = self.keychain.holder(token)
        except Problem as problem:
            if problem.status == 401:
                self.rate.count(address)  # guessing keys is asking, too
            raise
        if holder is EVERYBODY and scope["method"] not in READING and not is_same_site(headers):
            remedy = "make a key (warmstart keys create), and send it"
            raise Problem(403, "Another site's page may not do this", remedy=remedy, code="cross_site")
        self.rate.count(holder.key_id or address)
        scope.setdefault("state", {})["holder"] = holder
        return await self.app(scope, receive, send)


class Rate:
    """So many requests a minute, by whom, over a moving window; counted by each worker for itself.

    Parameters
    ----------
    per_minute
        0 = no limit.

    Examples
    --------
    >>> rate = Rate(2)
    >>> rate.count("ann"), rate.count("ann"), rate.count("bob")
    (None, None, None)
    >>> try:
    ...     rate.count("ann")
    ... except Problem as problem:
    ...     problem.status, int(problem.headers["Retry-After"]) > 50
    (429, True)
    """

    def __init__(self, per_minute: int) -> None:
        self.limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self.storage = MemoryStorage()
        self.window = MovingWindowRateLimiter(self.storage)
        self.clock = time.time()

    def count(self, who: str) -> None:
        """Count one request.

        Raises
        ------
        Problem
            429 beyond the limit, with ``Retry-After``.
        """
        if self.limit is not None:
            self._mind_the_clock()
            if not self.window.hit(self.limit, who):
                raise self._refusal(who)

    def check(self, who: str) -> None:
        """Raise as ``count`` does, but count nothing."""
        if self.limit is not None:
            self._mind_the_clock()
            if not self.window.test(self.limit, who):
                raise self._refusal(who)

    def _mind_the_clock(self) -> None:
        """Windows hold times of the wall clock: one set back would keep clients out until it has caught up."""
        now = time.time()
        if now < self.clock - 1:
            self.storage.reset()
        self.clock = now

    def _refusal(self, who: str) -> Problem:
        assert self.limit is not None
        wait = max(1, math.ceil(self.window.get_window_stats(self.limit, who).reset_time - time.time()))
        detail = f"{self.limit.amount} requests a minute are allowed"
        headers = {"Retry-After": str(wait)}
        return Problem(429, "Too many requests", detail, remedy=f"wait {wait} s", code="rate_limited", headers=headers)


class Concurrency:
    """So many requests in work at once; more are asked to come back, so that those in work stay fast.

    A request is in work once its body is whole: those who send slowly keep nobody out.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most, self.now = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            return await self.app(scope, receive, send)
        entered = False

        async def receiving() -> Message:
            nonlocal entered
            message = await receive()
            if not entered and not message.get("more_body", False):
                entered = self._enter()
            return message

        try:
            if not _has_body(scope):
                entered = self._enter()
            return await self.app(scope, receiving, send)
        finally:
            self.now -= entered

    def _enter(self) -> bool:
        if self.now >= self.most:
            headers = {"Retry-After": "1"}
            raise Problem(503, "Too busy", remedy="try again in a second", code="busy", headers=headers)
        self.now += 1
        return True


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class BodyLimit:
    """So many bytes a body, by its header and by what really comes (chunks have no header)."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isdecimal():
            raise Problem(400, "Bad request", f"Content-Length {told[:20]!r}", "Content-Length", "send its bytes")
        if int(told) > self.most:
            raise self._refusal()
        came = 0

        async def receiving() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.most:
                raise self._refusal()
            return message

        return await self.app(scope, receiving, send)

    def _refusal(self) -> Problem:
        remedy = "send it in parts"
        headers = {"Connection": "close"}  # what is left of the body is not read
        return Problem(413, "The body is too large", f"{self.most} bytes are allowed", remedy=remedy, headers=headers)
