"""Pages that only show: the overview, and where the dashboard begins."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from warmstart.serve.api_data import Key, Serving
from warmstart.serve.login import own_path
from warmstart.serve.pages.render import HOME, page, words
from warmstart.serve.pages.route import PageRoute
from warmstart.serve.pages.views.catalogue import catalogue_view
from warmstart.serve.pages.views.experiments import experiment_view, experiments_view
from warmstart.serve.pages.views.item import found_items, item_view
from warmstart.serve.pages.views.models import models_view
from warmstart.serve.pages.views.outcomes import By, outcomes_view
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


@router.get(HOME + "/catalogue")
def show_catalogue(request: Request, visit: Visiting, service: Serving) -> Response:
    """What nobody has met, what says nothing of itself, what is hidden."""
    return page(request, visit, "catalogue.html", catalogue_view(service, words(request)))


@router.get(HOME + "/catalogue/find")
def find_items(
    request: Request, visit: Visiting, service: Serving, title: Annotated[str, Query(max_length=256)] = ""
) -> Response:
    """Items by words of their title."""
    return page(request, visit, "found.html", found_items(service, title))


@router.get(HOME + "/items/{item_id}")
def show_item(request: Request, visit: Visiting, service: Serving, item_id: Key) -> Response:
    """One item, and what is like it."""
    return page(request, visit, "item.html", item_view(service, item_id))


@router.get(HOME + "/models")
def show_models(request: Request, visit: Visiting, service: Serving) -> Response:
    """All versions, and how each compared; what asks how far a refit is gets the whole anew once it has ended."""
    view = models_view(service)
    response = page(request, visit, "models.html", view)
    if "HX-Request" in request.headers and not view.moves:
        response.headers.update({"HX-Retarget": "#models", "HX-Reselect": "#models", "HX-Reswap": "outerHTML"})
    return response


@router.get(HOME + "/outcomes")
def show_outcomes(
    request: Request,
    visit: Visiting,
    service: Serving,
    by: By = "model",
    days: Annotated[int, Query(ge=1, le=3_650)] = 30,
) -> Response:
    """What came of answers."""
    return page(request, visit, "outcomes.html", outcomes_view(service, by, days))


@router.get(HOME + "/experiments")
def show_experiments(request: Request, visit: Visiting, service: Serving) -> Response:
    """All experiments."""
    return page(request, visit, "experiments.html", experiments_view(service))


@router.get(HOME + "/experiments/{name}")
def show_experiment(request: Request, visit: Visiting, service: Serving, name: Key) -> Response:
    """One experiment, and what it shows."""
    return page(request, visit, "experiment.html", experiment_view(service, name))


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
