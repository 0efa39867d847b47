"""Routes whose errors are pages, too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from warmstart.errors import WarmstartError
from warmstart.serve.mistakes import mistake
from warmstart.serve.pages.render import error_page
from warmstart.serve.problems import INTERNAL, Problem, of_error
from warmstart.serve.segments import SegmentRoute

LOG = structlog.get_logger("warmstart.serve")


class PageRoute(SegmentRoute):
    """Answers errors with a page; redirections pass."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, guarded."""
        made = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await made(request)
            except Problem as problem:
                return error_page(request, problem)
            except HTTPException as error:
                if error.headers and {"Location", "HX-Redirect"} & error.headers.keys():
                    raise
                return error_page(request, Problem(error.status_code, "", str(error.detail)))
            except Exception as error:
                return error_page(request, told(error))

        return guarded


def told(error: Exception) -> Problem:
    """An error as a problem; one that nobody foresaw is logged whole."""
    if isinstance(error, RequestValidationError):
        first = mistake(error.errors()[0])
        return Problem(422, "The request cannot be used", first.detail, first.field, first.remedy)
    if isinstance(error, WarmstartError):
        return of_error(error)
    LOG.exception("unexpected error")
    return INTERNAL
