"""The web application: settings in, an ASGI app out."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from warmstart import __version__
from warmstart.serve import (
    api_data,
    api_experiments,
    api_models,
    api_outcomes,
    api_recommend,
    gorse,
    health,
    personalize,
)
from warmstart.serve.guards import install_guards
from warmstart.serve.metrics import Metrics
from warmstart.serve.pages.routers import ROUTERS as PAGES
from warmstart.serve.security import Keychain
from warmstart.serve.service import Service
from warmstart.serve.sessions import Sessions
from warmstart.serve.settings import Settings

ROUTERS = (
    api_recommend.router,  # before api_data, whose ids may hold a slash
    api_data.router,
    api_models.router,
    api_experiments.router,
    api_outcomes.router,
    gorse.router,
    personalize.router,
    health.router,
    *PAGES,
)
ABOUT = "Recommendations where data is sparse: for new users, new items, and a handful of events."


def create_app(settings: Settings) -> FastAPI:
    """The app of these settings; the store is opened now, the model is loaded when it starts.

    Raises
    ------
    ConfigError, ArtefactError, StoreUnavailable
        If the store cannot be used.
    """
    metrics = Metrics()
    service = Service.open(settings, metrics)
    keychain = Keychain(service.store, settings.require_keys, settings.is_loopback)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = settings.concurrency
        await to_thread.run_sync(service.begin)
        gc.freeze()  # what is loaded now stays: to look through it again and again costs those who ask
        yield
        await to_thread.run_sync(service.end)

    app = FastAPI(
        title="warmstart", version=__version__, description=ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.service, app.state.metrics, app.state.sessions = service, metrics, Sessions(settings, keychain)
    # the routes themselves: include_router would work out anew, for every app, what each of them depends on
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    install_guards(app, settings, keychain, metrics)
    return app
