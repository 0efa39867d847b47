"""A small app behind all guards, over a real store."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import pytest
import structlog
from fastapi import Depends, FastAPI, Request
from starlette.testclient import TestClient

from warmstart.serve.guards import install_guards
from warmstart.serve.logs import configure_logs
from warmstart.serve.metrics import Metrics
from warmstart.serve.security import Holder, Keychain, new_key, require
from warmstart.serve.settings import Settings
from warmstart.store.rows import Event
from warmstart.store.store import Store


@dataclass
class Guarded:
    """The app, its parts, and somebody who asks."""

    app: FastAPI
    settings: Settings
    store: Store
    keychain: Keychain
    metrics: Metrics

    @property
    def client(self) -> TestClient:
        """A new client; what the app raises unexpectedly is answered, not raised."""
        return TestClient(self.app, base_url="http://localhost", raise_server_exceptions=False)

    def key(self, *scopes: str) -> str:
        """A new key that may do this."""
        text, row = new_key("test", scopes)
        self.store.put_key(row)
        return text


def routes(app: FastAPI) -> None:
    """One route a scope, and one that reads and one that breaks."""

    @app.get("/health/live")
    def live() -> str:
        return "ok"

    @app.get("/items/{item_id}")
    def read(item_id: str, holder: Annotated[Holder, Depends(require("read"))]) -> str:
        return holder.name

    @app.post("/items")
    async def write(request: Request, holder: Annotated[Holder, Depends(require("write"))]) -> int:
        return len(await request.body())

    @app.post("/parsed")
    def parsed(rows: list[int]) -> int:
        return len(rows)

    @app.get("/admin")
    def admin(holder: Annotated[Holder, Depends(require("admin"))]) -> str:
        return holder.key_id

    @app.get("/broken")
    def broken(text: str = "") -> str:
        raise RuntimeError(f"it broke on {text}")


@pytest.fixture
def guarded(tmp_path, monkeypatch, sqlite_store) -> Iterator[Callable[..., Guarded]]:
    """Make an app with these settings."""
    monkeypatch.chdir(tmp_path)
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[plain])
    made = []

    def make(**given: object) -> Guarded:
        sqlite_store(tmp_path / "engine.db")
        settings = Settings.read({"engine": tmp_path / "engine"} | given)
        store, app, metrics = Store.open(settings.database), FastAPI(), Metrics()
        keychain = Keychain(store, settings.require_keys, settings.is_loopback, seconds=0.0)
        routes(app)
        install_guards(app, settings, keychain, metrics)
        made.append(store)
        return Guarded(app, settings, store, keychain, metrics)

    yield make
    for store in made:
        store.close()
    structlog.reset_defaults()


@pytest.fixture
def logged(capsys):
    """Context in which logs are written as the service writes them; gives a function that returns what was written."""

    @contextmanager
    def logging_as(settings: Settings) -> Iterator[Callable[[], str]]:
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        configure_logs(settings)
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # the client that asks here, not the service
        try:
            yield lambda: capsys.readouterr().err
        finally:
            structlog.reset_defaults()
            root.handlers[:] = before
            root.setLevel(level)

    return logging_as


@pytest.fixture(scope="session")
def toy():
    """Four kinds of items, each with words of its own, and people who like one kind."""
    from warmstart.data.toy import clusters

    return clusters(80, 48, 4, seed=1)


@pytest.fixture(scope="session")
def engine_folder(toy, tmp_path_factory):
    """An engine of the toy data, in a folder."""
    from warmstart.engine import Engine
    from warmstart.fusion.fuse import Fusion
    from warmstart.fusion.heads import HeadLearner
    from warmstart.recipe import Recipe

    folder = tmp_path_factory.mktemp("served") / "engine"
    Engine(Recipe(encoder="tfidf", fusion=Fusion(queries=50, heads=HeadLearner(ranker=None)))).fit(toy).save(folder)
    return folder


@pytest.fixture(scope="session")
def rated_folder(toy, tmp_path_factory):
    """An engine that predicts ratings: people gave their own kind of items 5, others 2, now and then one less."""
    import numpy as np

    from warmstart.data.interactions import Interactions
    from warmstart.engine import Engine
    from warmstart.experts.popularity import Popularity
    from warmstart.experts.ratings.machine import Chain, FactorisationMachine
    from warmstart.experts.ratings.model import RatingModel
    from warmstart.fusion.fuse import Fusion
    from warmstart.fusion.heads import HeadLearner
    from warmstart.recipe import Recipe

    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("rated") / "engine"
    user, item = np.nonzero(rng.random((toy.n_users, toy.n_items)) < 0.4)
    rating = np.where(user % 4 == item % 4, 5, 2) - (rng.random(len(user)) < 0.2)
    data = toy.with_interactions(Interactions.of(user, item, toy.n_users, toy.n_items, rating=rating))
    model = RatingModel(FactorisationMachine((Chain(), Chain(heard=False)), rank=4, steps=30, dropped=10, kept=4))
    fusion = Fusion(queries=50, heads=HeadLearner(ranker=None))
    recipe = Recipe(encoder="tfidf", experts={"popularity": Popularity()}, fusion=fusion, ratings=model)
    Engine(recipe).fit(data).save(folder)
    return folder


@pytest.fixture
def serve(engine_folder, tmp_path, sqlite_store):
    """Starts the app with other settings: ``with serve(rate_limit=0) as client``; its service is ``client.service``."""
    from warmstart.serve.app import create_app

    @contextmanager
    def starting(**given):
        known = {"engine": engine_folder, "database_url": sqlite_store(tmp_path / "store.db"), "rate_limit": 0}
        app = create_app(Settings(**(known | given)))
        with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
            client.service = app.state.service
            yield client

    return starting


@pytest.fixture
def client(serve):
    """The app with its usual settings."""
    with serve() as one:
        yield one


@pytest.fixture
def running(engine_folder, tmp_path, sqlite_store):
    """A server on loopback, as others would reach it: its address, and the service inside."""
    import threading
    import time

    import uvicorn

    from warmstart.serve.app import create_app

    settings = Settings(engine=engine_folder, database_url=sqlite_store(tmp_path / "store.db"), rate_limit=0)
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", app.state.service
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def _world(tmp_path_factory):
    """A folder with an engine of the older half of some events, and its store with all of them."""
    import numpy as np

    from warmstart.data.toy import clusters
    from warmstart.engine import Engine
    from warmstart.experts.content import ContentCosine
    from warmstart.experts.linear import PriorMeanEASE
    from warmstart.experts.popularity import Popularity
    from warmstart.fusion.fuse import Fusion
    from warmstart.fusion.heads import HeadLearner
    from warmstart.recipe import Recipe
    from warmstart.serve.models import Models

    home = tmp_path_factory.mktemp("world")
    data = clusters(150, 60, 4, seed=1)
    x, order = data.interactions, np.argsort(data.interactions.time, kind="stable")
    older, newer = np.sort(order[: len(x) // 2]), order[len(x) // 2 :]
    old = data.with_interactions(x.select(older))
    experts = {"popularity": Popularity(), "content": ContentCosine(), "people": PriorMeanEASE()}
    fusion = Fusion(queries=50, heads=HeadLearner(ranker=None))
    Engine(Recipe(encoder="tfidf", experts=experts, fusion=fusion)).fit(old).save(home / "engine")
    settings = Settings(engine=home / "engine")
    users, items = data.users.ids, data.catalog.items.ids
    rows = [Event(f"n{i}", users[x.user[i]], items[x.item[i]], "view", int(x.time[i])) for i in newer]
    with Store.open(settings.database) as store:
        store.seed(old)
        Models(store, dict(settings.event_weights)).begin(settings.engine)
        store.add_events(rows)
    return home


@pytest.fixture
def world(_world, tmp_path):
    """Settings of a service whose store holds as many new events as its engine was fitted on."""
    shutil.copytree(_world, tmp_path / "world")
    return Settings(engine=tmp_path / "world" / "engine", rate_limit=0)
