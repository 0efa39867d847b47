"""Routes of models: those that are known, which of them serves, and back again."""

from __future__ import annotations

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
from warmstart.store.rows import Model

router = APIRouter(prefix="/v1/models", responses=problem_responses(404, 409))
ADMIN = [Depends(require("admin"))]


class ModelOut(BaseModel):
    """A version of the model."""

    model_version: str
    status: str = Field(description="candidate, serving, retired, or refused.")
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

    folder: str = Field(max_length=256, description="Its name there; nothing outside is read.", examples=["2026-11"])


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
    return ModelOut.of(known or found(service, version))


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
