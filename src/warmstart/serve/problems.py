"""Errors of the API as problem+json (RFC 9457): what, where, and what to do; never what is inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as PlainHTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warmstart.errors import ArtefactError, ConfigError, DataError, MissingExtra, NotFitted, StoreUnavailable
from warmstart.errors import WarmstartError as KnownError
from warmstart.serve.mistakes import Mistake, mistake
from warmstart.serve.nearest import methods_of, remedy_for_method, remedy_for_path

LOG = structlog.get_logger("warmstart.serve")
MEDIA = "application/problem+json"
MOST = 100  # mistakes of one request that are listed
RETRY = {"Retry-After": "1"}


class ProblemBody(BaseModel):
    """A problem as RFC 9457 has it, with a code for programs, the field and the remedy."""

    type: str = Field(default="about:blank", description="Kind of problem; about:blank = that of the status.")
    title: str = Field(description="What went wrong, the same for each problem of a code.")
    status: int = Field(description="Status of the answer.", ge=400, le=599)
    code: str = Field(description="The same for programs, e.g. `not_found`.")
    detail: str = Field(default="", description="What went wrong here.")
    field: str | None = Field(default=None, description="Which part of the request; null = none alone.")
    remedy: str = Field(default="", description="What to do.")
    errors: list[Mistake] = Field(default_factory=list, description="Each mistake, where there are several.")
    instance: str = Field(default="", description="Path of the request.")
    request_id: str = Field(default="", description="Id of the request in the log.")


class Problem(HTTPException):
    """An error that the client is told, with its status.

    Parameters
    ----------
    status
        HTTP status, 400 to 599.
    title
        A few words, the same for each problem of its kind.
    detail, field, remedy
        What is wrong here, in which part of the request, and what to do.
    code
        For programs; None = made of the status.
    headers
        Of the answer.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        field: str | None = None,
        remedy: str = "",
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))  # of FastAPI's kind: it lets none else pass from a body
        self.status, self.title, self.field, self.remedy = status, title, field, remedy
        self.code = code or HTTPStatus(status).name.lower()


INTERNAL = Problem(500, "Internal error", remedy="tell the operator the request_id")


def answer(problem: Problem, scope: Scope, errors: Sequence[Mistake] = ()) -> Response:
    """The response of a problem to the request of an ASGI scope."""
    body = ProblemBody(
        title=problem.title,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        field=problem.field,
        remedy=problem.remedy,
        errors=list(errors),
        instance=scope.get("path", ""),
        request_id=scope.get("state", {}).get("request_id", ""),
    )
    return Response(orjson.dumps(body.model_dump()), problem.status, problem.headers, media_type=MEDIA)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of its problems in the OpenAPI document: the argument ``responses``.

    Examples
    --------
    >>> sorted(problem_responses(404))
    [400, 401, 403, 404, 413, 422, 429, 503]
    """
    content = {MEDIA: {"schema": {"$ref": f"#/components/schemas/{ProblemBody.__name__}"}}}
    always = (400, 401, 403, 413, 422, 429, 503)
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in sorted({*always, *statuses})}


def of_error(error: KnownError) -> Problem:
    """One of our own errors as a problem; only what the client can put right is told in its words.

    Examples
    --------
    >>> problem = of_error(DataError("k=0; ask for at least 1 item"))
    >>> problem.status, problem.detail, problem.remedy
    (422, 'k=0', 'ask for at least 1 item')
    """
    if isinstance(error, StoreUnavailable):
        return Problem(503, "The store cannot be used now", remedy="try again", code="store_unavailable", headers=RETRY)
    if isinstance(error, NotFitted):
        return Problem(503, "No engine serves yet", remedy="try again", code="not_ready", headers=RETRY)
    if isinstance(error, MissingExtra):
        return Problem(501, "Not installed here", str(error), code="missing_extra")
    if isinstance(error, DataError | ConfigError | ArtefactError):
        detail, _, remedy = " ".join(str(error).split()).rpartition("; ")
        status, code = (409, "artefact") if isinstance(error, ArtefactError) else (422, "unusable_value")
        return Problem(status, "A value cannot be used", detail or remedy, remedy=remedy if detail else "", code=code)
    return INTERNAL


def install_problems(app: FastAPI) -> None:
    """Answer every error of the app as a problem; unexpected ones are ``Unexpected``'s, which guards the whole."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(KnownError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(PlainHTTPException, _http)
    made = app.openapi

    def openapi() -> dict[str, Any]:
        """The document with the shape of problems, which no route returns by its type."""
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        whole = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(whole.pop("$defs"), **{ProblemBody.__name__: whole})
        return document

    app.openapi = openapi  # type: ignore[method-assign]


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error, request.scope)


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, KnownError)
    problem = of_error(error)
    if problem.status >= 500:
        LOG.error("request failed", kind=type(error).__name__, reason=str(error))
    return answer(problem, request.scope)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlainHTTPException)
    status = HTTPStatus(error.status_code)
    if status < HTTPStatus.BAD_REQUEST:  # a redirection
        return Response(status_code=status, headers=error.headers)
    detail, remedy, headers = "" if error.detail == status.phrase else str(error.detail), "", error.headers
    routes, path = request.app.routes, request.scope["path"]
    if status == HTTPStatus.NOT_FOUND:
        remedy = remedy_for_path(routes, path)
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = methods_of(routes, path)
        remedy = remedy_for_method(methods, path)
        headers = {"Allow": ", ".join(methods)} if methods else headers  # of all routes of the path, not of the first
    return answer(Problem(status, status.phrase, detail, remedy=remedy, headers=headers), request.scope)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [mistake(found) for found in error.errors()[:MOST]]
    first = errors[0]
    problem = Problem(422, "The request cannot be used", first.detail, first.field, first.remedy, "invalid_request")
    return answer(problem, request.scope, errors)


class Unexpected:
    """Middleware: an error nobody foresaw is logged whole, and told as a request id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Problem as problem:  # of a middleware, which stands outside the app's own handlers
            if started:
                raise
            await answer(problem, scope)(scope, receive, send)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            LOG.exception("unexpected error")
            await answer(INTERNAL, scope)(scope, receive, send)
