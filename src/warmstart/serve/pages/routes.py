"""Pages that only show: the overview, and where the dashboard begins."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from warmstart.serve.api_data import Serving
from warmstart.serve.login import own_path
from warmstart.serve.pages.render import HOME, page, words
from warmstart.serve.pages.route import PageRoute
from warmstart.serve.pages.views.overview import USUAL, Window, overview
from warmstart.serve.pages.words import COOKIE
from warmstart.serve.sessions import Visit, logged_in, sent_form, sessions_of

YEAR = 31_536_000  # seconds
router = APIRouter(include_in_schema=False, route_class=PageRoute)
Visiting = Annotated[Visit, Depends(logged_in)]


@router.get("/")
def begin() -> Response:
    """The dashboard."""
    return RedirectResponse(HOME, 303)


@router.get(HOME)
def show_overview(request: Request, visit: Visiting, service: Serving, window: Window = USUAL) -> Response:
    """Traffic, latency, fallbacks, slices, click-through."""
    return page(request, visit, "overview.html", overview(service, words(request), window))


@router.post(HOME + "/language")
def choose_language(
    request: Request,
    visit: Annotated[Visit, Depends(sent_form)],
    to: Annotated[Literal["en", "zh"], Form()],
    next: Annotated[str, Form(max_length=4_000)] = HOME,
) -> Response:
    """Keep the language in a cookie, and go back."""
    response = RedirectResponse(own_path(next), 303)
    secure = sessions_of(request).settings.https_only
    response.set_cookie(COOKIE, to, YEAR, httponly=True, samesite="lax", secure=secure)
    return response
