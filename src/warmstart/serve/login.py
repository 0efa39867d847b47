"""The pages ``/login`` and ``/logout``; they work without JavaScript."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from warmstart.serve.pages.render import page
from warmstart.serve.problems import Problem
from warmstart.serve.sessions import Visit, sent_form, sessions_of, visit_of

HOME = "/"
router = APIRouter(include_in_schema=False)


@router.get("/login")
async def show_login(request: Request, visit: Annotated[Visit, Depends(visit_of)], next: str = HOME) -> Response:
    """The form."""
    return _page(request, visit, own_path(next), "", 200)


@router.post("/login")
async def log_in(
    request: Request,
    visit: Annotated[Visit, Depends(sent_form)],
    password: Annotated[str, Form(max_length=1_000)] = "",
    next: Annotated[str, Form(max_length=1_000)] = HOME,
) -> Response:
    """Log in, and go where one wanted to; the form again where the password is wrong."""
    response = RedirectResponse(own_path(next), 303)
    try:
        await to_thread.run_sync(sessions_of(request).log_in, request, response, password)
    except Problem as problem:
        return _page(request, visit, own_path(next), f"{problem.detail}; {problem.remedy}", problem.status)
    return response


@router.post("/logout")
async def log_out(request: Request, visit: Annotated[Visit, Depends(sent_form)]) -> Response:
    """Log out."""
    response = RedirectResponse("/login", 303)
    sessions_of(request).log_out(response)
    return response


def own_path(text: str) -> str:
    """A path of this service; whatever might lead elsewhere becomes the first page.

    Examples
    --------
    >>> own_path("/models?x=1"), own_path("//evil.example"), own_path("https://evil.example")
    ('/models?x=1', '/', '/')
    """
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if plain else HOME


def _page(request: Request, visit: Visit, then: str, mistake: str, status: int) -> Response:
    return page(request, visit, "login.html", {"then": then, "mistake": mistake}, status)
