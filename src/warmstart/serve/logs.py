"""Logs: one line a request, as JSON or text, on stderr; no secret and nothing that a person typed gets into them."""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from warmstart.serve.metrics import Metrics
from warmstart.serve.settings_sources import MASK

if TYPE_CHECKING:
    from warmstart.serve.settings import Settings

LOG = structlog.get_logger("warmstart.access")
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
KEY = re.compile(r"\bws_[0-9a-zA-Z]+_[\w-]{8,}")
URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^@\s/]+@")
PRIVATE = frozenset(
    {"authorization", "cookie", "csrf", "key", "password", "secret", "set_cookie", "text", "token", "x_api_key"}
)
QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})  # asked every few seconds


class Redact:
    """Mask what must not be logged: values under private names, keys, passwords of URLs, and our own secrets.

    Parameters
    ----------
    secrets
        Texts to look for wherever they are.

    Examples
    --------
    >>> Redact({"hush hush"})(None, "info", {"event": "hush hush ws_1a_abcdefgh", "password": 3})
    {'event': '******** ********', 'password': '********'}
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self.secrets = sorted((s for s in secrets if s), key=len, reverse=True)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """The line without secrets."""
        return {name: MASK if name.lower() in PRIVATE else self.clean(value) for name, value in event.items()}

    def clean(self, value: Any) -> Any:
        """A value without secrets; lists and mappings by their parts."""
        if isinstance(value, str):
            for secret in self.secrets:
                value = value.replace(secret, MASK)
            return URL_PASSWORD.sub(rf"\1:{MASK}@", KEY.sub(MASK, value))
        if isinstance(value, dict):
            return self(None, "", value)
        if isinstance(value, list | tuple):
            return [self.clean(part) for part in value]
        return value if value is None or isinstance(value, bool | int | float) else self.clean(str(value))


class Frames:
    """An error as text: where it arose, and of which kind; its message, which may repeat what was typed, on debug only.

    Examples
    --------
    >>> try:
    ...     int("what somebody typed")
    ... except ValueError as error:
    ...     Frames(with_message=False)((ValueError, error, None)).splitlines()[-1]
    'ValueError'
    """

    def __init__(self, with_message: bool) -> None:
        self.with_message = with_message

    def __call__(self, exc_info: ExcInfo) -> str:
        """The text of one error and of those that led to it, the last first."""
        told: list[str] = []
        seen: set[int] = set()
        error: BaseException | None = exc_info[1]
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            told.append(self._one(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nled to by\n".join(told)

    def _one(self, error: BaseException) -> str:
        name = type(error).__name__ + (f": {error}" if self.with_message else "")
        return "".join(traceback.format_tb(error.__traceback__)) + name


def configure_logs(settings: Settings) -> None:
    """Let structlog and the standard ``logging`` write to stderr in one form; called once a process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    redact = Redact(secrets_of(settings))
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    frames = structlog.processors.ExceptionRenderer(Frames(with_message=settings.log_level == "debug"))
    last: list[Processor] = [frames, redact, _renderer(settings)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"


def secrets_of(settings: Settings) -> list[str]:
    """Texts of the settings that must never be logged."""
    held = (settings.secret_key, settings.admin_password)
    return [secret.get_secret_value() for secret in held if secret is not None]


def _renderer(settings: Settings) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer(serializer=_json)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _json(event: EventDict, default: Callable[[Any], Any] = str, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class RequestLog:
    """Give each request an id, write its line, count it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id, began, status = request_id_of(Headers(scope=scope)), time.perf_counter(), 499
        scope.setdefault("state", {})["request_id"] = request_id

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                return await self.app(scope, receive, sending)
            finally:
                self._tell(scope, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = template_of(scope)
        self.metrics.request(scope["method"], route, status, seconds)
        tell = LOG.debug if route in QUIET and status < 400 else LOG.info
        holder = scope["state"].get("holder")
        key_id = holder.key_id if holder else ""
        tell("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1e3, 2), key_id=key_id)


def request_id_of(headers: Headers) -> str:
    """The id a caller gave, where it is well-formed, else a new one.

    Examples
    --------
    >>> request_id_of(Headers({"x-request-id": "0123-abcd"})), len(request_id_of(Headers({"x-request-id": "a b"})))
    ('0123-abcd', 32)
    """
    given = headers.get("x-request-id", "")
    is_fine = REQUEST_ID.fullmatch(given) and not KEY.search(given)
    return given if is_fine else uuid.uuid4().hex


def template_of(scope: Scope) -> str:
    """The route of a request as it is written in the app; its path may hold what a person typed."""
    route = scope.get("route")
    return str(getattr(route, "path_format", None) or getattr(route, "path", None) or "none")
