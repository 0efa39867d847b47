"""From a template and what it shows to a page."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from warmstart import __version__
from warmstart.serve.pages.figures import FILTERS
from warmstart.serve.pages.files import address_of
from warmstart.serve.pages.words import LANGUAGES, Words, language_of, words_of
from warmstart.serve.problems import Problem
from warmstart.serve.sessions import FIELD, LOCAL, Visit, sessions_of

HOME = "/dashboard"
PAGES = ("overview", "try", "interests", "catalogue", "outcomes", "experiments", "models", "data")
VARY = {"Vary": "Accept-Language, Cookie, HX-Request"}


@cache
def environment() -> Environment:
    """The templates; what they are given is text until they say otherwise, and what they lack is an error."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(asset=address_of, languages=LANGUAGES, pages=PAGES, home=HOME, version=__version__)
    return made


def words(request: Request) -> Words:
    """In the language of whoever asks."""
    return words_of(language_of(request, sessions_of(request).settings.language))


def page(request: Request, visit: Visit, template: str, view: object, status: int = 200) -> HTMLResponse:
    """A page of the dashboard.

    Parameters
    ----------
    template
        Its name; it sees ``view`` as ``v`` and the messages as ``t``.
    """
    text = (
        environment()
        .get_template(template)
        .render(
            v=view,
            t=words(request),
            csrf=visit.csrf,
            field=FIELD,
            path=request.url.path,
            here=here(request),
            logged_in=visit.who not in (None, LOCAL),
        )
    )
    response = HTMLResponse(text, status, headers=VARY)
    sessions_of(request).dress(response, visit)
    return response


def here(request: Request) -> str:
    """Path and query of a page that was asked for by GET, to come back to; else the first page."""
    if request.method != "GET":
        return HOME
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def error_page(request: Request, problem: Problem, code: str = "") -> HTMLResponse:
    """What went wrong, and what to do; in the words of the service."""
    text = (
        environment()
        .get_template("error.html")
        .render(
            problem=problem,
            phrase=HTTPStatus(problem.status).phrase,
            request_id=getattr(request.state, "request_id", ""),
            code=code or problem.code,
            t=words(request),
        )
    )
    return HTMLResponse(text, problem.status, headers={**VARY, **(problem.headers or {})})
