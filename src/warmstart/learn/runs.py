"""Runs side by side: find their folders, sum each up in a line, say where their settings differ."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.errors import ArtefactError
from warmstart.learn.lock import held
from warmstart.learn.loop import FIRST, KEPT
from warmstart.learn.run import CARD, METRICS, Run, flat

VALID = "valid/"
TRIVIAL, UNTRAINED = "trivial/", "untrained/"  # begin the names of what a result is to be compared with
UNREADABLE, RUNNING, KILLED = "unreadable", "running", "killed"
STORE = "mlflow.db"  # see learn.mirrors


@dataclass(frozen=True)
class Summary:
    """A run in a line; what it does not say is None.

    Parameters
    ----------
    run
        Its folder, as given or below the folder that was searched.
    kind, model, status
        What was learned, from which weights, and how it ended: as in the card, or "killed".
    figure, best
        The watched validation figure and its best value; the newest result where nothing was watched.
    best_step, step, steps
        After which step it was had, how many were taken, how many were asked for.
    seconds, memory_mb
        Time over all sessions, of a run that goes on up to now, and the most memory held.
    seed
        As asked.
    data
        Fingerprint of what was learned from.
    started
        UTC.
    """

    run: str
    kind: str | None = None
    model: str | None = None
    status: str = UNREADABLE
    figure: str | None = None
    best: float | None = None
    best_step: int | None = None
    step: int = 0
    steps: int | None = None
    seconds: float | None = None
    memory_mb: int | None = None
    seed: int | None = None
    data: str | None = None
    started: str | None = None


def find_runs(folder: str | Path) -> list[Path]:
    """Folders of runs in and below a folder, by name.

    Raises
    ------
    ArtefactError
        If there is no such folder, or no run in it.
    """
    root = Path(folder)
    found = sorted(path.parent for path in root.rglob(CARD) if not _copied(path, root)) if root.is_dir() else []
    if not found:
        raise ArtefactError(f"{root} holds no run (no {CARD} in or below it); give the folder runs were written to")
    return found


def _copied(card: Path, root: Path) -> bool:
    """Whether a card lies in the store of MLflow, which keeps one of every run."""
    above = card.relative_to(root).parents
    return any((root / folder / STORE).is_file() for folder in above if folder != Path())


def summaries(folder: str | Path) -> list[Summary]:
    """All runs in and below a folder, the oldest first; one that cannot be read is listed as "unreadable"."""
    root, lines = Path(folder), []
    for path in find_runs(root):
        name = str(path.relative_to(root)) if path != root else path.name
        try:
            lines.append(summary(Run.read(path), name))
        except ArtefactError:
            lines.append(Summary(name))
    return sorted(lines, key=lambda line: (line.started or "", line.run))


def summary(run: Run, name: str | None = None) -> Summary:
    """A run in a line; one that is said to be running and that no process writes to was killed."""
    card, rows = run.card, list(run.metrics())
    status = KILLED if card["status"] == RUNNING and not held(run.folder) else card["status"]
    figure, best, best_step = best_of(card, rows)
    settings = card["settings"]
    return Summary(
        run=name or str(run.folder),
        kind=card["kind"],
        model=_text(settings.get("model") or (settings.get("source") or {}).get("model")),
        status=status,
        figure=figure,
        best=best,
        best_step=best_step,
        step=int(max((row["step"] for row in rows), default=0)),
        steps=(settings.get("training") or {}).get("steps"),
        seconds=_seconds(run, status),
        memory_mb=card.get("peak_memory_mb"),
        seed=card.get("seed"),
        data=card["data"],
        started=card["started"],
    )


def _seconds(run: Run, status: str) -> float:
    """Time of all sessions; of a run that did not end up to now, or to its last sign of life."""
    noted = float(run.card["seconds"])
    if status not in (RUNNING, KILLED):
        return noted
    files = [path.stat().st_mtime for name in (CARD, METRICS) if (path := run.folder / name).is_file()]
    until = time.time() if status == RUNNING else max(files)
    return round(noted + max(0.0, until - files[0]), 1)


def best_of(
    card: Mapping[str, Any], rows: Sequence[Mapping[str, float]]
) -> tuple[str | None, float | None, int | None]:
    """The watched figure, its best value and the step of it; None where there is none.

    Examples
    --------
    >>> rows = [{"step": 0, "valid/auc": 0.5}, {"step": 9, "valid/auc": 0.7}, {"step": 18, "valid/auc": 0.6}]
    >>> best_of({"watched": "auc", "higher_is_better": True}, rows)
    ('auc', 0.7, 9)
    >>> best_of({"result": {"best_step": 4, "first/accuracy": 0.2, "best/accuracy": 0.9}}, [])
    ('accuracy', 0.9, 4)
    """
    watched = card.get("watched")
    seen = [(row[VALID + watched], int(row["step"])) for row in rows if VALID + str(watched) in row] if watched else []
    seen = [(value, step) for value, step in seen if math.isfinite(value)]
    if seen:
        sign = -1 if card["higher_is_better"] else 1
        value, step = min(seen, key=lambda pair: (sign * pair[0], pair[1]))
        return watched, value, step
    result = {name: value for name, value in (card.get("result") or {}).items() if math.isfinite(value)}
    kept = {name.removeprefix(KEPT): value for name, value in result.items() if name.startswith(KEPT)} or result
    at = int(result["best_step"]) if "best_step" in result else None
    return next(((name, value, at) for name, value in kept.items()), (watched, None, None))


def curves(run: Run) -> dict[str, tuple[list[int], list[float]]]:
    """Every figure that was logged: name -> steps and values, without those that are no number; validations first."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for row in run.metrics():
        for name, value in row.items():
            if name != "step" and math.isfinite(value):
                steps, values = found.setdefault(name, ([], []))
                steps.append(int(row["step"]))
                values.append(value)
    return dict(sorted(found.items(), key=lambda item: not item[0].startswith(VALID)))


def differences(runs: Mapping[str, Run]) -> dict[str, dict[str, Any]]:
    """What was asked or was there differently: name -> run -> value; None where a run has no such setting.

    Parameters
    ----------
    runs
        Name -> run.
    """
    asked = {name: _asked(run.card) for name, run in runs.items()}
    names = dict.fromkeys(key for settings in asked.values() for key in settings)
    table = {key: {name: settings.get(key) for name, settings in asked.items()} for key in names}
    return {key: row for key, row in table.items() if len({repr(value) for value in row.values()}) > 1}


def named(paths: Sequence[str | Path]) -> dict[str, Run]:
    """Runs by the shortest names that tell them apart.

    Raises
    ------
    ArtefactError
        If one cannot be read.
    """
    runs = {str(path).rstrip("/"): Run.read(path) for path in paths}
    short = [run.folder.resolve().name for run in runs.values()]
    return dict(zip(short if len(set(short)) == len(short) else runs, runs.values(), strict=True))


def results(runs: Mapping[str, Run]) -> dict[str, dict[str, float | None]]:
    """What came out, and what there is to compare it with: name -> run -> figure; None where a run has none.

    Names begin with ``best/``, ``first/``, ``trivial/`` or ``untrained/`` where several are of one figure; those of one
    figure stand together, the best first.
    """
    found = {name: run.card.get("result") or {} for name, run in runs.items()}
    order = (KEPT, FIRST, TRIVIAL, UNTRAINED)
    names = dict.fromkeys(key for result in found.values() for key in result if key not in ("steps", "best_step"))
    bare = list(dict.fromkeys(key.partition("/")[2] or key for key in names))

    def place(key: str) -> tuple[int, int]:
        prefix, sign, figure = key.partition("/")
        return bare.index(figure or key), order.index(prefix + sign) if prefix + sign in order else -1

    return {key: {run: result.get(key) for run, result in found.items()} for key in sorted(names, key=place)}


def learned_from_events(model: str | Path) -> bool:
    """Whether a model lies in the folder of a run that learned from what people did.

    Examples
    --------
    >>> learned_from_events("minilm-onnx")
    False
    """
    folder = Path(model).absolute()
    places = (folder.parent, folder.parent.parent, folder.parent / "run")  # of model, model/encoder, and of an engine
    card = next((place / CARD for place in places if folder.is_dir() and (place / CARD).is_file()), None)
    if card is None:
        return False
    asked = Run.read(card.parent).card
    contrast = (asked["settings"].get("pretraining") or {}).get("method") == "contrast"
    return contrast or str(asked["kind"]).startswith(("finetune", "engine"))


def _asked(card: Mapping[str, Any]) -> dict[str, Any]:
    """Kind, data, settings, machine and versions of a card, flat."""
    parts = {"kind": card["kind"], "data": card["data"], **card["settings"]}
    return dict(flat(parts | {"hardware": card.get("hardware") or {}, "versions": card.get("versions") or {}}))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
