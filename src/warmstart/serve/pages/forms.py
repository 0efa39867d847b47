"""Forms that change something: models, experiments, items. Each is sent by a page of ours, by somebody logged in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form
from fastapi import Path as InPath
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from starlette.responses import RedirectResponse, Response

from warmstart.serve import api_experiments, api_models
from warmstart.serve.api_data import ItemPatch, Serving, patch_item
from warmstart.serve.api_experiments import ExperimentIn
from warmstart.serve.mistakes import mistake
from warmstart.serve.pages.figures import in_path
from warmstart.serve.pages.render import HOME
from warmstart.serve.pages.route import PageRoute
from warmstart.serve.problems import Problem
from warmstart.serve.sessions import admin_form

LONGEST = 256
MOST = 10  # variants
SETTINGS = ("share", "model", "calibrate", "diversity", "explore")
router = APIRouter(prefix=HOME, include_in_schema=False, route_class=PageRoute, dependencies=[Depends(admin_form)])
Key = Annotated[str, InPath(min_length=1, max_length=LONGEST)]
Text = Annotated[str, StringConstraints(max_length=LONGEST, strip_whitespace=True)]
Texts = Annotated[list[Text], Field(max_length=MOST)]


class ExperimentForm(BaseModel):
    """An experiment as the form has it: columns of variants, empty where nothing is said."""

    name: Text
    kind: Text
    scenario: Text = ""
    metric: Text = "click"
    variant: Texts
    share: Texts
    model: Texts
    calibrate: Texts
    diversity: Texts
    explore: Texts

    @property
    def told(self) -> dict[str, Any]:
        """As the API is asked."""
        columns = (self.variant, self.share, self.model, self.calibrate, self.diversity, self.explore)
        rows = [
            {name: cell for name, cell in zip(("name", *SETTINGS), row, strict=True) if cell}
            for row in zip(*columns, strict=False)
        ]
        shared = {"name": self.name, "kind": self.kind, "scenario": self.scenario, "metric": self.metric}
        return {**shared, "variants": [row for row in rows if row.get("name")]}


def to(page: str) -> Response:
    """See the page that shows the change."""
    return RedirectResponse(f"{HOME}/{page}", 303)


@router.post("/models/roll-back")
def roll_back(service: Serving) -> Response:
    """Let the model that served before serve again."""
    api_models.roll_back(service)
    return to("models")


@router.post("/models/refit")
def refit(service: Serving) -> Response:
    """Fit a new model on newer events, in a process of its own."""
    api_models.start_refit(service)
    return to("models")


@router.post("/models/{version}/promote")
def promote(version: Key, service: Serving) -> Response:
    """Let a model serve."""
    api_models.promote(version, service)
    return to("models")


@router.post("/experiments")
def begin(form: Annotated[ExperimentForm, Form()], service: Serving) -> Response:
    """Begin an experiment; what is left empty stays as the service says."""
    try:
        asked = ExperimentIn.model_validate(form.told)
    except ValidationError as error:
        said = mistake(error.errors()[0])
        raise Problem(422, "The experiment cannot begin", said.detail, said.field, said.remedy) from None
    api_experiments.post_experiment(asked, service)
    return to(f"experiments/{asked.name}")


@router.post("/experiments/{name}/stop")
def stop(name: Key, service: Serving) -> Response:
    """Stop an experiment."""
    api_experiments.stop_experiment(name, service)
    return to(f"experiments/{name}")


@router.post("/items/{item_id}/{change}")
def show_or_hide(item_id: Key, change: Literal["hide", "show"], service: Serving) -> Response:
    """Recommend an item no more, or again."""
    patch_item(item_id, ItemPatch(hidden=change == "hide"), service)
    return to(f"items/{in_path(item_id)}")
