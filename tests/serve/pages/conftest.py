"""A service over toy data on loopback, and a real browser that looks at it."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from warmstart.data.toy import clusters
from warmstart.engine import Engine
from warmstart.evaluate.intervals import Interval, Paired
from warmstart.experts.content import ContentCosine
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity
from warmstart.recipe import Recipe
from warmstart.serve import intake
from warmstart.serve.app import create_app
from warmstart.serve.judge import Judgement, Part
from warmstart.serve.recommend import recommend
from warmstart.serve.schemas import RecommendRequest
from warmstart.serve.settings import Settings
from warmstart.store.rows import Event, Experiment, Model, User

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
PICTURES = Path("build/screenshots")
LACKING = f"no browser: install Debian's chromium (looked for {', '.join(NAMES)})"


@pytest.fixture(scope="session")
def toy_engine(tmp_path_factory) -> Path:
    """The folder of a small engine, fitted in a second or two."""
    experts = {"popularity": Popularity(), "content": ContentCosine(), "people": PriorMeanEASE()}
    folder = tmp_path_factory.mktemp("dashboard") / "engine"
    Engine(Recipe(encoder="tfidf", experts=experts)).fit(clusters(n_users=80, n_items=60)).save(folder)
    return folder


class Served:
    """A running service: where it is, and the service behind it."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.service = self.app.state.service
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(self.app, log_level="error", access_log=False, ws="none"))
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive(), "the service did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(timeout=10)
        self.socket.close()


def people(service) -> None:
    """What the toy's first users did, and who they are."""
    data = clusters(n_users=80, n_items=60)
    x, items = data.interactions, data.catalog.items.ids
    now = int(time.time())
    rows = [
        Event(f"e{i}", f"u{u}", items[j], "click", now - 5_000 + i)
        for i, (u, j) in enumerate(zip(x.user.tolist(), x.item.tolist(), strict=True))
        if u < 20
    ]
    service.store.add_events(rows)
    service.store.put_users([User(f"u{u}", {"age": 30 + u}) for u in range(20)])


def refused(service) -> None:
    """A model that was judged beside the serving one, and fell."""
    parts = []
    for name, gap, fate in (("all", 0.01, "held"), ("cold", -0.02, "unsure"), ("long tail", -0.05, "fell")):
        values = {"candidate": 0.2 + gap, "serving": 0.2, "popularity": 0.1}
        told = {system: Interval(mean, mean - 0.01, mean + 0.01, 300) for system, mean in values.items()}
        parts.append(Part(name, told, Paired(gap, gap - 0.01, gap + 0.01, 0.03, 300), 40, fate))
    judgement = Judgement(tuple(parts), 0.02)
    sizes = {"learned_events": 900, "held_events": 100, "queries": 300, "against": service.models.serving.version}
    sizes["seconds"] = {"fit": 12.3, "judge": 4.0}
    report = judgement.to_dict() | sizes | {"refused": judgement.reason}
    service.store.put_model(Model("0123456789ab", "", "refused", report=report))


def traffic(service) -> None:
    """Two experiments, lists that were shown, and what came of them."""
    variants = [{"name": "as_it_is", "share": 0.5}, {"name": "mixed", "share": 0.5, "diversity": 0.4}]
    for name, kind in (("shown", "ab"), ("mixed", "interleave")):
        service.store.put_experiment(Experiment(name, variants, kind, name))
    for n in range(48):
        asked = {"user_id": f"u{n % 16}", "scenario": ("home", "shown", "mixed")[n % 3]}
        answer = recommend(service, RecommendRequest(**asked, k=5))
        taken = {"kind": "click", "recommendation_id": answer.recommendation_id, "user_id": asked["user_id"]}
        service.writer.flush()
        intake.events(service, [{"item_id": answer.items[n % 5].item_id} | taken])


@pytest.fixture(scope="session")
def served(toy_engine) -> Iterator[Served]:
    """Open on loopback, with people."""
    with Served(Settings(engine=toy_engine, rate_limit=0, host="127.0.0.1")) as served:
        people(served.service)
        traffic(served.service)
        refused(served.service)
        yield served


@pytest.fixture(scope="session")
def chromium():
    """A headless browser with a fresh profile."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(LACKING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def contexts(chromium):
    """Profiles of the browser, by what they are like; made once, as each takes a while."""
    made = {}

    def like(scripts, language, url):
        if (scripts, language, url) not in made:
            locale = {"en": "en-US", "zh": "zh-CN"}[language]
            made[scripts, language, url] = chromium.new_context(
                java_script_enabled=scripts, locale=locale, base_url=url
            )
        return made[scripts, language, url]

    yield like
    for context in made.values():
        context.close()


@pytest.fixture
def visit(contexts, served):
    """Open pages of the service; what the browser's console says against them fails the test."""
    pages, said = [], []

    def opened(path="/dashboard", *, scheme="light", language="en", width=1280, scripts=True, at=None):
        page = contexts(scripts, language, (at or served).url).new_page()
        pages.append(page)
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.set_default_timeout(15_000)
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path)
        return page

    opened.said = said
    yield opened
    for page in pages:
        page.context.clear_cookies()
        page.close()
    assert not said


def pictured(page, name: str) -> None:
    """Keep a picture of the whole page among what CI keeps."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
