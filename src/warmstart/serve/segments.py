"""Routes whose ids may hold a slash: what is sent as %2F belongs to its segment, a plain slash ends it."""

from __future__ import annotations

from urllib.parse import unquote

from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

SLASH = "\udc2f"  # stands for a slash within a segment while routes are compared; no request can send it


class SegmentRoute(APIRoute):
    """A route that is compared with the path as it was sent, so that several ids in one path stay apart."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the route is meant, and the values of its path."""
        told = segmented(scope["path"], scope.get("raw_path") or b"")
        match, child = super().matches(scope if told is None else {**scope, "path": told})
        if told is not None and match != Match.NONE:
            child["path_params"] = {name: _whole(value) for name, value in child["path_params"].items()}
        return match, child


def segmented(path: str, raw: bytes) -> str | None:
    """The path with each slash that was sent as %2F marked; None where there is none, or it cannot be told.

    Parameters
    ----------
    path
        As a server decoded it.
    raw
        As it was sent; empty where the server does not tell, of another path where something rewrote it.

    Examples
    --------
    >>> segmented("/a/b/c", b"/a%2Fb/c") == f"/a{SLASH}b/c", segmented("/a/b", b"/a/b"), segmented("/other", b"/a%2Fb")
    (True, None, None)
    """
    if b"%2f" not in raw.lower():
        return None
    parts = [unquote(part) for part in raw.split(b"?", 1)[0].decode("latin-1").split("/")]
    return "/".join(part.replace("/", SLASH) for part in parts) if "/".join(parts) == path else None


def _whole(value: object) -> object:
    return value.replace(SLASH, "/") if isinstance(value, str) else value
