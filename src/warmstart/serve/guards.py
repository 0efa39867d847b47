"""All that stands between a request and the app, in order."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from warmstart.serve.headers import SecurityHeaders
from warmstart.serve.limits import BodyLimit, Concurrency, Identify, Rate
from warmstart.serve.logs import RequestLog
from warmstart.serve.metrics import Metrics
from warmstart.serve.patience import Patience
from warmstart.serve.problems import Unexpected, install_problems
from warmstart.serve.security import Keychain
from warmstart.serve.settings import Settings


def install_guards(app: FastAPI, settings: Settings, keychain: Keychain, metrics: Metrics) -> None:
    """Add every middleware, and the answers to errors; what is added last is met first."""
    install_problems(app)
    app.add_middleware(Concurrency, most=settings.concurrency)
    app.add_middleware(BodyLimit, most=settings.body_limit)
    app.add_middleware(Patience, seconds=settings.body_seconds)
    app.add_middleware(Identify, keychain=keychain, rate=Rate(settings.rate_limit))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts), www_redirect=False)
    app.add_middleware(Unexpected)
    app.add_middleware(SecurityHeaders, https_only=settings.https_only)
    app.add_middleware(RequestLog, metrics=metrics)
