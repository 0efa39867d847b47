"""Routes of models: those that are known, which of them serves, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from warmstart.errors import ArtefactError
from warmstart.serve.api_data import READ, Key, Serving
from warmstart.serve.models import version_of
from warmstart.serve.problems import Problem, problem_responses
from warmstart.serve.schemas import Asked
from warmstart.serve.security import require
from warmstart.serve.times import iso
from warmstart.serve.turn import Running
from warmstart.store.models import REFUSED, REMOVED
from warmstart.store.rows import Model

router = APIRouter(prefix="/v1/models", responses=problem_responses(404, 409))
ADMIN = [Depends(require("admin"))]


class ModelOut(BaseModel):
    """A version of the model."""

    model_version: str
    status: str = Field(description="candidate, serving, retired, refused, or removed (too old to be kept).")
    created_at: str
    promoted_at: str | None
    report: dict[str, Any] = Field(description="How it compared with the model that served, slice by slice.")

    @classmethod
    def of(cls, model: Model) -> ModelOut:
        """From a row; its folder stays the server's own business."""
        return cls(
            model_version=model.version,
            status=model.status,
            created_at=iso(model.created_at),
            promoted_at=iso(model.promoted_at) if model.promoted_at else None,
            report=dict(model.report),
        )


class ModelsOut(BaseModel):
    """All versions, newest first."""

    serving: str
    models: list[ModelOut]


class ModelIn(Asked):
    """A saved engine in the server's folder of models."""

    folder: str = Field(
        max_length=256,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Its name there; nothing outside is read.",
        examples=["2026-11"],
    )


class RefitOut(BaseModel):
    """How far a refit is, or how the last one ended."""

    status: str = Field(
        description="idle (there was none), running, promoted, refused (a slice fell), kept (as a candidate, for "
        "somebody to decide), unchanged (it would be the same), failed, or interrupted."
    )
    why: str | None = Field(None, description="asked, or on time.")
    stage: str | None = Field(None, description="What it does, or did last.")
    done: int | None = Field(None, description="Parts of the stage that are done.")
    total: int | None = Field(None, description="Parts of the stage; 0 = not known.")
    started_at: str | None = None
    finished_at: str | None = None
    model_version: str | None = Field(None, description="The new model; its report is in GET /v1/models.")
    reason: str | None = Field(None, description="Why it ended as it did.")

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> RefitOut:
        """From the document of the store; the process behind it stays the server's own business."""
        times = {name: iso(told[name]) for name in ("started_at", "finished_at") if told.get(name)}
        names = ("status", "why", "stage", "done", "total", "model_version", "reason")
        return cls.model_validate({name: told.get(name) for name in names} | times)


@router.get("", dependencies=READ, summary="Versions of the model")
def get_models(service: Serving) -> ModelsOut:
    """Those that served, serve, or may."""
    rows = sorted(service.store.models(), key=lambda m: -m.created_at)
    return ModelsOut(serving=service.models.serving.version, models=[ModelOut.of(m) for m in rows])


@router.post("", dependencies=ADMIN, summary="Register a saved engine", status_code=201)
def post_model(body: ModelIn, service: Serving) -> ModelOut:
    """Its checksums are compared when it is promoted; registering promotes nothing."""
    home = service.settings.models_folder.resolve()
    folder = (home / body.folder).resolve()
    if home not in folder.parents:
        raise Problem(422, "The folder is elsewhere", repr(body.folder), "folder", "name a folder of the models folder")
    try:
        version = version_of(folder)
    except ArtefactError:
        raise Problem(
            404, "Model not found", f"{body.folder!r} holds no engine", "folder", "save one there with warmstart fit"
        ) from None
    known = service.store.model(version)
    if known is None:
        service.store.put_model(Model(version, str(folder), until=service.store.last_seq()))
    elif known.status in (REFUSED, REMOVED):  # it is there again, or was repaired
        service.store.put_model(replace(known, status="candidate", folder=str(folder)))
    return ModelOut.of(found(service, version))


@router.post(":refit", dependencies=ADMIN, summary="Fit a new model on newer events, and judge it", status_code=202)
def start_refit(service: Serving) -> RefitOut:
    """In a process of its own: judged beside the serving model by the newest events, which neither has learned from.

    It serves if no slice falls by more than `refit_margin`. No request fails meanwhile.
    """
    try:
        return RefitOut.of(service.refits.start("asked"))
    except Running as error:
        detail, _, remedy = str(error).rpartition("; ")
        raise Problem(409, "A refit is at work", detail, remedy=remedy, code="refit_running") from None


@router.get("/refit", dependencies=READ, summary="How far the refit is")
def get_refit(service: Serving) -> RefitOut:
    """Of whichever process; or how the last one ended."""
    return RefitOut.of(service.refits.progress())


@router.post(":rollback", dependencies=ADMIN, summary="Let the model that served before serve again")
def roll_back(service: Serving) -> ModelOut:
    """No request fails meanwhile."""
    return ModelOut.of(found(service, service.models.roll_back().version))


@router.post("/{model_version}:promote", dependencies=ADMIN, summary="Let a model serve")
def promote(model_version: Key, service: Serving) -> ModelOut:
    """It is loaded and looked at first; a damaged one is refused, and the present one goes on. No request fails."""
    found(service, model_version)
    return ModelOut.of(found(service, service.models.promote(model_version).version))


def found(service: Serving, version: str) -> Model:
    """A version, or a 404."""
    model = service.store.model(version)
    if model is None:
        raise Problem(404, "Model not found", f"{version!r} is not known", remedy="GET /v1/models lists the known ones")
    return model
