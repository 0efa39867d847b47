"""What is answered where the dashboard has no page; its routes come last."""

from __future__ import annotations

from fastapi import APIRouter

from warmstart.serve.pages.render import HOME
from warmstart.serve.pages.route import PageRoute
from warmstart.serve.problems import Problem

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get(HOME + "/{path:path}")
def miss(path: str) -> None:
    """There is no such page."""
    raise Problem(404, "Page not found")
