"""Where else a run is shown while it goes: TensorBoard, Weights & Biases, MLflow; nothing leaves the machine unasked.

A mirror shows what the run's own folder holds as well, so one that fails is dropped with a warning; training
goes on.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from warmstart.errors import ConfigError, require
from warmstart.learn.run import CARD, Mirror, Run, flat

LOG = logging.getLogger(__name__)
PROJECT = "warmstart"
_QUIET = {"WANDB_ERROR_REPORTING": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def follow(run: Run, names: Sequence[str]) -> Run:
    """Show a run in the places named, too; of several processes only the one that writes does.

    Raises
    ------
    ConfigError
        If a name is not known.
    MissingExtra
        If the package of a mirror is not installed.
    """
    check_names(names)
    if run.writes:
        run.mirrors = mirrors(names, run.folder, run.card)
    return run


def mirrors(names: Sequence[str], folder: Path, card: Mapping[str, Any]) -> list[Mirror]:
    """Open the mirrors of a run.

    Parameters
    ----------
    names
        Of "tensorboard", "wandb", "mlflow"; none opens nothing.
    folder
        The run's. TensorBoard writes to ``tensorboard/`` and Weights & Biases to ``wandb/`` in it; MLflow, whose store
        is for many runs, to ``mlflow/`` beside it.
    card
        The run's ``run.json``; its ``status`` is read again at the end.

    Raises
    ------
    ConfigError
        If a name is not known.
    MissingExtra
        If the package of a mirror is not installed.
    """
    check_names(names)
    with _private():
        for name in names:
            require(name, extra="tracking")
    return [_Shielded(name, partial(MIRRORS[name], folder, card)) for name in names]


def check_names(names: Sequence[str]) -> None:
    """Refuse a mirror that is not known.

    Examples
    --------
    >>> check_names(["excel"])
    Traceback (most recent call last):
    warmstart.errors.ConfigError: there is no mirror 'excel'; choose of tensorboard, wandb, mlflow
    """
    for name in names:
        if name not in MIRRORS:
            raise ConfigError(f"there is no mirror {name!r}; choose of {', '.join(MIRRORS)}")


class _Shielded:
    """A mirror whose failure is told once and never stops a run."""

    def __init__(self, name: str, make: Callable[[], Mirror]) -> None:
        self.name, self.mirror = name, None
        self.mirror = self._try(make)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Show the figures of a step."""
        if self.mirror is not None:
            self._try(self.mirror.log, step, figures)

    def end(self, result: Mapping[str, float]) -> None:
        """Show what came out, and close."""
        if self.mirror is not None:
            self._try(self.mirror.end, result)

    def _try(self, do: Callable[..., Any], *given: Any) -> Any:
        try:
            with _private():
                return do(*given)
        except Exception as error:  # a library of others, perhaps over a network: anything may happen
            self.mirror = None
            LOG.warning("%s is no longer told of this run (%s); its own folder is complete", self.name, error)
            return None


class TensorBoard:
    """Event files for ``tensorboard --logdir FOLDER``; what a run taken up says again replaces what was said."""

    def __init__(self, folder: Path, card: Mapping[str, Any]) -> None:
        self.folder, self.card = folder / "tensorboard", card
        self._writer: Any = None

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Scalars by name."""
        writer = self._open(step)
        for name, value in figures.items():
            writer.add_scalar(name, float(value), step)

    def end(self, result: Mapping[str, float]) -> None:
        """The result as scalars at the last step, and close."""
        writer = self._open(0)
        for name, value in result.items():
            writer.add_scalar(f"result/{name}", float(value))
        writer.close()
        self._writer = None

    def _open(self, step: int) -> Any:
        if self._writer is None:
            tensorboard = require("torch.utils.tensorboard", extra="tracking")
            self._writer = tensorboard.SummaryWriter(str(self.folder), purge_step=step)
            for name, value in plain(self.card).items():
                self._writer.add_text(name, str(value))
        return self._writer


class WandB:
    """Weights & Biases; offline unless WANDB_API_KEY or WANDB_MODE says otherwise (``wandb sync`` sends it later)."""

    def __init__(self, folder: Path, card: Mapping[str, Any]) -> None:
        wandb = require("wandb", extra="tracking")
        mode = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
        self._wandb, self.card = wandb, card
        with _environment({"WANDB_CACHE_DIR": str(folder / "wandb" / "cache")}):
            self._run = wandb.init(
                project=PROJECT,
                name=folder.name,
                id=identity(folder, card),
                resume="allow" if mode == "online" else None,
                dir=str(folder),
                mode=mode,
                config=plain(card),
                settings=_modest(wandb),
            )

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures under their names."""
        self._run.log(dict(figures), step=step)

    def end(self, result: Mapping[str, float]) -> None:
        """The result in the summary, and close; the helper process ends as well."""
        self._run.summary.update({f"result/{k}": v for k, v in result.items()} | {"status": self.card["status"]})
        self._run.finish(exit_code=int(self.card["status"] == "failed"))
        self._wandb.teardown()


def _modest(wandb: Any) -> Any:
    """Settings under which figures are recorded, and neither code nor machine nor terminal."""
    return wandb.Settings(
        console="off",
        silent=True,
        disable_code=True,
        disable_git=True,
        save_code=False,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )


class MLflow:
    """An MLflow run in a local SQLite store, or where MLFLOW_TRACKING_URI says; ``mlflow ui`` shows it."""

    def __init__(self, folder: Path, card: Mapping[str, Any]) -> None:
        mlflow = require("mlflow", extra="tracking")
        self._entities = require("mlflow.entities", extra="tracking")
        self.folder, self.card = folder, card
        store = folder.resolve().parent / "mlflow"
        local = None if os.environ.get("MLFLOW_TRACKING_URI") else store
        if local is not None:
            local.mkdir(parents=True, exist_ok=True)
        self._client = mlflow.MlflowClient(f"sqlite:///{local / 'mlflow.db'}" if local else None)
        self._experiment = self._find_experiment(local)
        self._id = self._find() or self._make()
        params = [self._entities.Param(name, str(value)[:500]) for name, value in plain(card).items()]
        self._client.log_batch(self._id, params=params)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Metrics; ``@`` becomes ``_at_``, which MLflow can store."""
        metric = self._entities.Metric
        self._client.log_batch(self._id, [metric(legal(k), float(v), _now_ms(), step) for k, v in figures.items()])

    def end(self, result: Mapping[str, float]) -> None:
        """The result as metrics, ``run.json`` as an artefact, and the status."""
        self.log(0, {f"result/{k}": v for k, v in result.items()})
        self._client.log_artifact(self._id, str(self.folder / CARD))
        ended = {"failed": "FAILED", "interrupted": "KILLED"}.get(self.card["status"], "FINISHED")
        self._client.set_terminated(self._id, ended)

    def _find_experiment(self, local: Path | None) -> str:
        found = self._client.get_experiment_by_name(PROJECT)
        if found is None:
            return str(self._client.create_experiment(PROJECT, (local / "artifacts").as_uri() if local else None))
        return str(found.experiment_id)

    def _find(self) -> str | None:
        """The run that was begun in this folder before."""
        mine = f"tags.identity = '{identity(self.folder, self.card)}'"
        found = self._client.search_runs([self._experiment], mine)
        return str(found[0].info.run_id) if found else None

    def _make(self) -> str:
        tags = {"identity": identity(self.folder, self.card)}
        made = self._client.create_run(self._experiment, tags=tags, run_name=self.folder.name)
        return str(made.info.run_id)


MIRRORS: dict[str, Callable[[Path, Mapping[str, Any]], Mirror]] = {
    "tensorboard": TensorBoard,
    "wandb": WandB,
    "mlflow": MLflow,
}


def identity(folder: Path, card: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that a run keeps when it is taken up again.

    Examples
    --------
    >>> identity(Path("runs/a"), {"started": "2025-01-01T00:00:00+00:00"})
    'ecf3dd08a3e1cbf1'
    """
    return hashlib.sha256(f"{folder.name}\n{card['started']}".encode()).hexdigest()[:16]


def plain(card: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, flat: kind, data, seed and every setting by its path.

    Examples
    --------
    >>> plain({"kind": "retrieval", "data": "d1", "seed": 0, "settings": {"training": {"steps": 9}}})
    {'kind': 'retrieval', 'data': 'd1', 'seed': 0, 'training.steps': 9}
    """
    return {name: card[name] for name in ("kind", "data", "seed")} | dict(flat(card["settings"]))


def legal(name: str) -> str:
    """A name of a figure in the letters that MLflow allows.

    Examples
    --------
    >>> legal("valid/ndcg@10")
    'valid/ndcg_at_10'
    """
    return re.sub(r"[^\w\-. :/]", "_", name.replace("@", "_at_"))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def _private() -> Iterator[None]:
    """No telemetry, no notes of progress, and no complaints of libraries about each other's age."""
    logging.getLogger("mlflow.store.db.utils").setLevel("WARNING")
    with _environment(_QUIET), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for a while; what the user has set himself stays."""
    fresh = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            os.environ.pop(name, None)
