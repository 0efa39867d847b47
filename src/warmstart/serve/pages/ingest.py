"""Data in: a file is uploaded, looked over, confirmed, written; then it is gone."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from warmstart.serve.api_data import Key, Serving
from warmstart.serve.pages.render import HOME, page
from warmstart.serve.pages.route import PageRoute
from warmstart.serve.pages.routes import Visiting
from warmstart.serve.pages.uploads import SUFFIXES, TABLES, Uploads
from warmstart.serve.pages.views.ingest import checked, written
from warmstart.serve.problems import Problem
from warmstart.serve.service import Service
from warmstart.serve.sessions import Visit, admin_form

PLACE = HOME + "/data"
Table = Literal["events", "items", "users"]
Changing = Annotated[Visit, Depends(admin_form)]
router = APIRouter(prefix=PLACE, include_in_schema=False, route_class=PageRoute)


def uploads_of(service: Service) -> Uploads:
    """The waiting files, beside the engine."""
    engine = service.settings.engine
    return Uploads(engine.parent / f"{engine.name}.uploads")


@router.get("")
def show_form(
    request: Request,
    visit: Visiting,
    service: Serving,
    wrote: Annotated[Table | None, Query()] = None,
    taken: Annotated[int, Query(ge=0)] = 0,
    new: Annotated[int, Query(ge=0)] = 0,
    refused: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What may be uploaded; and after a confirmation, what became of it."""
    uploads_of(service).sweep()
    limits = {"rows": service.settings.row_limit, "megabytes": service.settings.body_limit / 2**20}
    done = {"wrote": wrote, "taken": taken, "new": new, "refused": refused}
    return page(request, visit, "data.html", {"tables": TABLES, "suffixes": SUFFIXES, **limits, **done})


@router.post("")
def upload(
    visit: Changing, service: Serving, table: Annotated[Table, Form()], file: Annotated[UploadFile, File()]
) -> Response:
    """Keep a file, and go where it is looked over."""
    if file.size is not None and file.size > service.settings.body_limit:
        raise Problem(413, "The file is too large", f"{file.size:,} bytes", "file", "give it in parts")
    kept = uploads_of(service).keep(table, file.filename or "", file.file.read())
    return RedirectResponse(f"{PLACE}/{kept.key}", 303)


@router.get("/{key}")
def show_checked(request: Request, visit: Visiting, service: Serving, key: Key) -> Response:
    """What a file holds, before any of it is written."""
    waiting = uploads_of(service).find(key)
    return page(request, visit, "checked.html", checked(service, waiting))


@router.post("/{key}/write")
def write(visit: Changing, service: Serving, key: Key) -> Response:
    """Write the rows, and drop the file."""
    uploads = uploads_of(service)
    waiting = uploads.find(key)
    done, refused = written(service, waiting)
    uploads.drop(waiting)
    told = f"wrote={waiting.table}&taken={done.accepted}&new={done.new}&refused={refused}"
    return RedirectResponse(f"{PLACE}?{told}", 303)


@router.post("/{key}/drop")
def drop(visit: Changing, service: Serving, key: Key) -> Response:
    """Drop the file, nothing of it is written."""
    uploads = uploads_of(service)
    uploads.drop(uploads.find(key))
    return RedirectResponse(PLACE, 303)
