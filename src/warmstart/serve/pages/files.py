"""Style sheets and scripts of the pages: the few files named here, nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources, util

from fastapi import APIRouter
from starlette.responses import Response

from warmstart.serve.problems import Problem

PLACE = "/dashboard/static"
OWN = "warmstart.serve.pages"
FILES = {
    "document.css": ("warmstart", "document.css", "text/css"),
    "dashboard.css": (OWN, "static/dashboard.css", "text/css"),
    "dashboard.js": (OWN, "static/dashboard.js", "text/javascript"),
    "icon.svg": (OWN, "static/icon.svg", "image/svg+xml"),
    "htmx.js": ("django_htmx", "static/django_htmx/htmx-2.min.js", "text/javascript"),
}
YEAR = "public, max-age=31536000, immutable"  # an address holds the digest of its file
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class File:
    """A file as it is sent."""

    body: bytes
    media: str

    @property
    def digest(self) -> str:
        """Changes with the file."""
        return hashlib.sha256(self.body).hexdigest()[:12]


@cache
def file_of(name: str) -> File | None:
    """A file by its name; None where the package that brings it is not installed (htmx: extra ``dashboard``)."""
    package, path, media = FILES[name]
    if util.find_spec(package) is None:
        return None
    return File(resources.files(package).joinpath(path).read_bytes(), media)


@cache
def address_of(name: str) -> str | None:
    """Where a browser finds a file; None where it is not installed.

    Examples
    --------
    >>> address_of("dashboard.css").split("?")[0]
    '/dashboard/static/dashboard.css'
    """
    file = file_of(name)
    return None if file is None else f"{PLACE}/{name}?{file.digest}"


@router.get(PLACE + "/{name}")
def get_file(name: str) -> Response:
    """A file; whoever is not logged in needs it for the login page."""
    file = file_of(name) if name in FILES else None
    if file is None:
        raise Problem(404, "File not found", repr(name[:60]))
    return Response(file.body, media_type=file.media, headers={"Cache-Control": YEAR})
