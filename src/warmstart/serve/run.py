"""Run the service: one process or several, which end gracefully and stay polite when too many come."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

import structlog
from fastapi import FastAPI
from uvicorn import Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from warmstart.artefact import open_sealed
from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError, WarmstartError
from warmstart.serve.arenas import few_arenas
from warmstart.serve.logs import configure_logs
from warmstart.serve.metrics import SHARED, forget_dead
from warmstart.serve.models import version_of
from warmstart.serve.protocol import Manners, PoliteConfig, PoliteProtocol
from warmstart.serve.settings import Settings
from warmstart.serve.settings_sources import PREFIX, exported
from warmstart.storage import FORMAT
from warmstart.store.store import Store

LOG = structlog.get_logger("warmstart.serve")
SPARE = 256  # file descriptors for what is no connection: files, the database, pipes
START_SECONDS = 60  # within which a worker must give a sign of life; it does while it loads
SWITCH = 0.0005  # seconds until a thread that computes lets another answer; Python's own is ten times that
HERE = "warmstart.serve.run:application"


class NotStarted(WarmstartError):
    """A worker could not start; the log says why."""


def application() -> FastAPI:
    """The app of a process, from the settings of its environment."""
    from warmstart.serve.app import create_app

    few_arenas()
    settings = Settings.read()
    configure_logs(settings)
    forget_dead()
    end_with_parent()
    return create_app(settings)


def end_with_parent() -> None:
    """Let a worker end when the process that started it dies: left alone it would keep the address for itself."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=watch, name="parent", daemon=True).start()


def serve(settings: Settings, factory: str = HERE) -> None:
    """Answer requests until SIGINT or SIGTERM; then let those in work finish, and drain what is to be written.

    Parameters
    ----------
    settings
        What came as argument is handed to the processes in their environment, secrets too.
    factory
        ``module:function`` that makes the app in each process.

    Raises
    ------
    ConfigError, ArtefactError, StoreUnavailable
        If the address cannot be listened on, or the database cannot be used.
    NotStarted
        If a process could not start.
    """
    few_arenas()  # before there are threads, each of which would have one already
    configure_logs(settings)
    check(settings)
    listening = bound(settings)
    os.environ.update(exported(settings))
    if not settings.secret_key.get_secret_value():
        os.environ[f"{PREFIX}SECRET_KEY"] = secrets.token_urlsafe(32)  # the same for all workers
    config = config_of(settings, factory)
    LOG.info("listening", address=f"http://{settings.host}:{listening.getsockname()[1]}", workers=settings.workers)
    signal.signal(signal.SIGTERM, _leave)  # what uvicorn raises again when all is done
    with listening, suppress(KeyboardInterrupt):
        started = _one(config, listening) if settings.workers == 1 else _several(config, listening, settings)
        if not started:
            raise NotStarted("the service could not start; the log above says why")


def check(settings: Settings) -> None:
    """What would end every worker is told once, before there are any; the store takes in what the settings name.

    Raises
    ------
    ArtefactError
        If the engine is none, or is new to the store and damaged; one the store knows may give way to another. If the
        dataset is none.
    """
    version = version_of(settings.engine)  # before the store, which would be made
    with Store.open(settings.database) as store:
        if store.model(version) is None:
            open_sealed(settings.engine, FORMAT)
        if settings.data is not None:
            LOG.info("seeded", data=str(settings.data), **store.seed(Dataset.load(settings.data)))


def _one(config: PoliteConfig, listening: socket.socket) -> bool:
    server = Server(config)
    try:
        server.run([listening])
    except SystemExit as end:
        if end.code == STARTUP_FAILURE:
            return False
        raise
    return server.started


def _several(config: PoliteConfig, listening: socket.socket, settings: Settings) -> bool:
    with ExitStack() as stack:
        folder = settings.metrics_folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="warmstart-")))
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.db"):  # figures of an earlier start
            old.unlink()
        os.environ[SHARED] = str(folder)  # before the workers import what counts
        supervisor = Multiprocess(config, [listening])
        supervisor.run()
    return all(process.exitcode != STARTUP_FAILURE for process in supervisor.processes)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def bound(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say.

    Raises
    ------
    ConfigError
        If the address is taken, or is none of this machine.
    """
    try:
        found = socket.getaddrinfo(settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM)
        family, address = found[0][0], found[0][4][:2]
        listening = socket.create_server(address, family=family, backlog=settings.backlog)
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        raise ConfigError(
            f"{place} cannot be listened on ({os.strerror(error.errno or 0)}); give another --host or --port"
        ) from error
    listening.set_inheritable(True)
    return listening


def config_of(settings: Settings, factory: str) -> PoliteConfig:
    """What uvicorn is told."""
    proxies = list(settings.trusted_proxies)
    config = PoliteConfig(
        factory,
        factory=True,
        workers=settings.workers,
        loop="auto",
        http=PoliteProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        backlog=settings.backlog,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_worker_healthcheck=START_SECONDS,
    )
    room = file_room(2 * settings.connections + SPARE) - SPARE
    connections = min(settings.connections, max(1, room // 2))
    config.manners = Manners(connections, room, settings.header_seconds, settings.body_seconds)
    return config


def file_room(wanted: int) -> int:
    """File descriptors this process and its children may open, raised to what is wanted where the system allows it."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return wanted if soft == resource.RLIM_INFINITY else soft
