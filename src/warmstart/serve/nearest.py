"""What there is near a path or a method that there is not."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from re import Pattern
from urllib.parse import quote

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, compile_path

LONGEST = 200  # characters of a path that are compared
ALIKE = 0.6  # share of characters in common from which a path is worth a hint
ALL = "GET /openapi.json lists all paths"


def methods_of(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """Methods that a path takes, of all its routes; HEAD and OPTIONS are not told.

    Examples
    --------
    >>> from fastapi import FastAPI
    >>> app = FastAPI()
    >>> _ = app.get("/items/{item_id}")(lambda item_id: item_id)
    >>> _ = app.delete("/items/{item_id}")(lambda item_id: item_id)
    >>> methods_of(app.routes, "/items/7"), methods_of(app.routes, "/nowhere")
    (['DELETE', 'GET'], [])
    """
    found = {
        method
        for route in iter_route_contexts(routes)
        if route.path and _pattern(route.path).match(path)
        for method in route.methods or ()
    }
    return sorted(found - {"HEAD", "OPTIONS"})


def remedy_for_path(routes: Sequence[BaseRoute], path: str) -> str:
    """The documented path that is most like one that there is not, if any is, and where all of them stand.

    Examples
    --------
    >>> from fastapi import FastAPI
    >>> app = FastAPI()
    >>> _ = app.get("/v1/items/{item_id}")(lambda item_id: item_id)
    >>> remedy_for_path(app.routes, "/v1/item/7")
    'did you mean GET /v1/items/{item_id}? GET /openapi.json lists all paths'
    >>> remedy_for_path(app.routes, "/wp-login.php")
    'GET /openapi.json lists all paths'
    """
    known: dict[str, set[str]] = {}
    for route in iter_route_contexts(routes):
        if route.path and route.include_in_schema:
            known.setdefault(_pathless(route.path), set()).update(set(route.methods or ()) - {"HEAD", "OPTIONS"})
    asked = path[:LONGEST]
    near = get_close_matches(asked, known, 1, ALIKE) or get_close_matches(asked.rstrip("/").lower(), known, 1, ALIKE)
    return f"did you mean {'/'.join(sorted(known[near[0]]))} {near[0]}? {ALL}" if near else ALL


def remedy_for_method(methods: Sequence[str], path: str) -> str:
    """Which methods a path takes.

    Examples
    --------
    >>> remedy_for_method(["DELETE", "GET", "PATCH"], "/v1/items/7"), remedy_for_method(["POST"], "/v1/recommend")
    ('/v1/items/7 takes DELETE, GET and PATCH', '/v1/recommend takes POST')
    """
    told = " and ".join([", ".join(methods[:-1]), *methods[-1:]][len(methods) < 2 :])
    return f"{quote(path[:LONGEST])} takes {told}" if methods else ALL


@cache
def _pattern(path: str) -> Pattern[str]:
    return compile_path(path)[0]


def _pathless(path: str) -> str:
    """A path as the documentation writes it."""
    return compile_path(path)[1]
