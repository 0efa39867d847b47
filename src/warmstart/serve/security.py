"""Who asks: keys of the API and what each may do; a key is kept as its hash alone."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol
from urllib.parse import urlsplit

import structlog
from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.datastructures import Headers

from warmstart.errors import ConfigError, StoreUnavailable
from warmstart.serve.problems import Problem
from warmstart.store.rows import Key

LOG = structlog.get_logger("warmstart.serve")
SCOPES = ("read", "write", "admin")  # each may do what those before it may
MARK, SIGNED = "ws", "aws4-hmac-sha256"
RETRY = {"Retry-After": "1"}
CHALLENGE = {"WWW-Authenticate": "Bearer"}
HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key: ws_<id>_<secret>.")
BEARER = HTTPBearer(auto_error=False, description="The same key.")


@dataclass(frozen=True)
class Holder:
    """Who asks: the id of a key, and what it may do."""

    key_id: str
    name: str
    scopes: frozenset[str]


EVERYBODY = Holder("", "open", frozenset(SCOPES))
NOBODY = Holder("", "nobody", frozenset())


class KeyStore(Protocol):
    """What of the store a keychain asks."""

    def versions(self) -> dict[str, int]:
        """Counters that move with each change."""
        ...

    def keys(self) -> list[Key]:
        """All keys, revoked ones too."""
        ...


def new_key(name: str, scopes: Iterable[str]) -> tuple[str, Key]:
    """A key drawn at random: its text, to be shown once, and its row.

    Raises
    ------
    ConfigError
        If a scope is unknown, or there is none.

    Examples
    --------
    >>> text, row = new_key("shop", ["read"])
    >>> text.startswith(f"ws_{row.key_id}_"), row.digest in text, row.scopes
    (True, False, ('read',))
    """
    asked = tuple(dict.fromkeys(scopes))
    if not asked or not set(asked) <= set(SCOPES):
        raise ConfigError(f"scopes {','.join(asked)!r} cannot be used; give some of {', '.join(SCOPES)}")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"{MARK}_{key_id}_{secret}", Key(key_id, name, digest(secret), asked, int(time.time()))


def digest(secret: str) -> str:
    """SHA-256 (hex) of 256 bits drawn at random, which needs neither salt nor stretching."""
    return hashlib.sha256(secret.encode()).hexdigest()


def widened(scopes: Iterable[str]) -> frozenset[str]:
    """Scopes with the lesser ones they hold.

    Examples
    --------
    >>> sorted(widened(["write"]))
    ['read', 'write']
    """
    top = max((SCOPES.index(scope) for scope in scopes if scope in SCOPES), default=-1)
    return frozenset(SCOPES[: top + 1])


def token_of(headers: Headers) -> str | None:
    """The key a request brings, or None.

    Clients of AWS name it as their access key id; their signature is not looked at, and another id is no key.

    Examples
    --------
    >>> token_of(Headers({"authorization": "Bearer ws_a_b"})), token_of(Headers({}))
    ('ws_a_b', None)
    >>> token_of(Headers({"authorization": "AWS4-HMAC-SHA256 Credential=ws_a_b/20260101/eu/x/aws4_request, Signed=h"}))
    'ws_a_b'
    """
    if key := headers.get("x-api-key"):
        return key
    kind, _, rest = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == SIGNED:
        name = rest.strip().removeprefix("Credential=").split("/", 1)[0]
        return name if name.startswith("ws_") else None  # these clients must always name one
    return None


class Keychain:
    """The keys as the store has them, looked at again when its counter moved; a lost database keeps the last.

    Parameters
    ----------
    store
        Where keys are.
    require_keys, is_loopback
        As the settings say; without a key, and none required, everybody on loopback may do everything.
    seconds
        A revoked key works no longer than this.
    """

    def __init__(self, store: KeyStore, require_keys: bool, is_loopback: bool, seconds: float = 1.0) -> None:
        self.store, self.seconds = store, seconds
        self.may_be_open = is_loopback and not require_keys
        self._keys: dict[str, Key] | None = None
        self._version, self._looked, self._told = -1, -seconds, False
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything: no key was ever made, and the settings allow it."""
        return self.may_be_open and self._keys == {}

    @property
    def is_stale(self) -> bool:
        """Whether the next question asks the database, and so may wait."""
        return time.monotonic() - self._looked >= self.seconds

    def holder(self, token: str | None) -> Holder:
        """Who brings this key; somebody without one may do everything or nothing.

        Raises
        ------
        Problem
            401 for a key that is malformed, unknown or revoked; 503 where keys could never be read.
        """
        keys = self._fresh()
        if token is None:
            return EVERYBODY if self.is_open else NOBODY
        mark, _, rest = token.partition("_")
        key_id, _, secret = rest.partition("_")
        row = keys.get(key_id)
        same = hmac.compare_digest(digest(secret), row.digest if row else digest(""))  # as long for unknown ids
        if mark != MARK or row is None or row.revoked_at or not same:
            raise Problem(
                401, "The key is not valid", remedy="send a key as `warmstart keys create` prints it", headers=CHALLENGE
            )
        return Holder(row.key_id, row.name, widened(row.scopes))

    def digest_of(self, key_id: str, scope: str) -> str | None:
        """Hash of a key that is in use and may do this, else None."""
        row = self._fresh().get(key_id)
        return row.digest if row and not row.revoked_at and scope in widened(row.scopes) else None

    def _fresh(self) -> dict[str, Key]:
        with self._lock:
            if self.is_stale:
                self._look()
            if self._keys is None:
                raise Problem(
                    503, "The store cannot be used now", remedy="try again", code="store_unavailable", headers=RETRY
                )
            return self._keys

    def _look(self) -> None:
        try:
            version = self.store.versions()["keys"]
            if version != self._version or self._keys is None:
                rows = self.store.keys()
                self._keys, self._version = {row.key_id: row for row in rows}, version
        except StoreUnavailable as error:
            LOG.warning("keys could not be looked at", reason=str(error), known=self._keys is not None)
        self._looked = time.monotonic()
        if self.is_open and not self._told:
            self._told = True
            LOG.warning("no key exists: whoever reaches this machine's loopback may do everything")


def require(scope: str) -> Callable[..., Awaitable[Holder]]:
    """Dependency of a route: whoever asks must hold this scope.

    Raises
    ------
    Problem
        401 without a key, 403 with one that may do less.
    """
    if scope not in SCOPES:
        raise ConfigError(f"scope {scope!r} is unknown; known are {', '.join(SCOPES)}")

    async def check(
        request: Request,
        _key: Annotated[str | None, Security(HEADER)] = None,
        _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)] = None,
    ) -> Holder:
        holder: Holder = getattr(request.state, "holder", NOBODY)
        if scope in holder.scopes:
            return holder
        if not holder.key_id:
            remedy = "send a key as X-API-Key or Authorization: Bearer"
            raise Problem(401, "A key is needed", remedy=remedy, headers=CHALLENGE)
        raise Problem(403, "The key may not do this", f"it lacks the scope {scope}", remedy=f"use a key with {scope}")

    return check


def is_same_site(headers: Headers) -> bool:
    """What browsers say of where a request comes from; who says nothing is no browser.

    Examples
    --------
    >>> is_same_site(Headers({"host": "localhost"})), is_same_site(Headers({"host": "localhost", "origin": "http://a"}))
    (True, False)
    """
    told = headers.get("sec-fetch-site", "same-origin")
    origin, host = headers.get("origin"), headers.get("host", "")
    return told in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc.lower() == host.lower())


def address_of(client: Sequence[object] | None) -> str:
    """What an anonymous client is counted by: its IPv4 address, or the /64 of IPv6 that one household holds.

    Examples
    --------
    >>> address_of(("10.0.0.1", 5)), address_of(("2001:db8:1:2:3:4:5:6", 5)), address_of(None)
    ('10.0.0.1', '2001:db8:1:2::/64', 'unknown')
    """
    if not client:
        return "unknown"
    try:
        address = ipaddress.ip_address(str(client[0]).partition("%")[0])
    except ValueError:
        return str(client[0])[:64]
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
