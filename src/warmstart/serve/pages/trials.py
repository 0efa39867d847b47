"""Pages on which one tries something out: recommendations, and interests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from warmstart.serve.api_data import Serving
from warmstart.serve.pages.render import HOME, page
from warmstart.serve.pages.route import PageRoute
from warmstart.serve.pages.routes import Visiting
from warmstart.serve.pages.views.interests import interests_view
from warmstart.serve.pages.views.trial import CLICKS, Trial
from warmstart.serve.pages.views.try_it import try_it
from warmstart.serve.schemas import Id

router = APIRouter(prefix=HOME, include_in_schema=False, route_class=PageRoute)
Name = Annotated[str, Query(max_length=256)]
Numbers = Annotated[list[Annotated[int, Field(ge=0)]] | None, Query(max_length=CLICKS)]


def trial_of(
    user: Name = "",
    text: Annotated[str, Query(max_length=2_000)] = "",
    click: Annotated[list[Id] | None, Query(max_length=CLICKS)] = None,
    off: Numbers = None,
    more: Numbers = None,
    column: Name = "",
    value: Name = "",
    diversity: Annotated[float, Query(ge=0, le=1)] = 0.0,
    why: Name = "",
    find: Name = "",
) -> Trial:
    """The what-if of an address."""
    several = tuple(click or ()), tuple(off or ()), tuple(more or ())
    return Trial(user.strip(), text, *several, column, value, diversity, why, find)


Trying = Annotated[Trial, Depends(trial_of)]


@router.get("/try")
def show_try(request: Request, visit: Visiting, service: Serving, trial: Trying) -> Response:
    """A list for somebody, for words, for clicks; each change is an address."""
    return page(request, visit, "try.html", try_it(service, trial))


@router.get("/interests")
def show_interests(request: Request, visit: Visiting, service: Serving, trial: Trying) -> Response:
    """What somebody is about; switched off or raised, the list follows."""
    return page(request, visit, "interests.html", interests_view(service, trial))
