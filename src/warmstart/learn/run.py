"""A run is a folder: what was asked, on which data and machine, what was measured at every step, what came out."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from warmstart.errors import ArtefactError, ConfigError, TrainingError
from warmstart.learn.lock import leave, take
from warmstart.text.reading import source_fingerprint
from warmstart.text.weights import weights_folder

CARD = "run.json"
METRICS = "metrics.jsonl"
FORMAT = 1
_PACKAGES = ("warmstart", "torch", "transformers", "peft", "accelerate")


class Mirror(Protocol):
    """Another place where a run's figures are shown while it goes."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Show the figures of a step."""
        ...

    def end(self, result: Mapping[str, float]) -> None:
        """Show what came out, and close."""
        ...


@dataclass
class Run:
    """A run that is going on, or is read again.

    Parameters
    ----------
    folder
        Holds ``run.json`` and ``metrics.jsonl``; checkpoints and the model are written beside them.
    card
        The content of ``run.json``: ``format``, ``kind``, ``settings``, ``data`` (fingerprint), ``sizes`` (of the
        data), ``seed``, ``hardware``, ``versions``, ``started``, ``ended``, ``seconds``, ``peak_memory_mb``, ``status``
        ("running", "done", "stopped early", "failed", "interrupted") and ``result`` (``Outcome.result``, and what there
        is to compare it with); ``watched`` and ``higher_is_better`` (the validation figure by which weights are chosen)
        once it learns.
    mirrors
        Told of everything that is logged.
    writes
        Whether this process writes; of several only the first does.
    """

    folder: Path
    card: dict[str, Any]
    mirrors: Sequence[Mirror] = ()
    writes: bool = True
    _began: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(
        cls,
        folder: str | Path,
        kind: str,
        settings: Mapping[str, Any],
        data: str,
        *,
        sizes: Mapping[str, int] | None = None,
        mirrors: Sequence[Mirror] = (),
        writes: bool = True,
    ) -> Run:
        """Begin a run in a folder, or take up the one that was begun there with the same settings and data.

        Raises
        ------
        ConfigError
            If the folder holds a run that was asked for something else, another process writes there, or it is a file.
        """
        path = Path(folder)
        if path.exists() and not path.is_dir():
            raise ConfigError(f"{path} is a file; a run is a folder: give another name (--out)")
        plain_settings = json.loads(json.dumps(dict(settings), default=str))
        card = {"format": FORMAT, "kind": kind, "settings": plain_settings, "data": data, "sizes": dict(sizes or {})}
        card |= {"status": "running", "started": now(), "ended": None}
        card |= {"seconds": 0.0, "peak_memory_mb": 0, "result": {}}
        card |= {"seed": plain_settings.get("training", {}).get("seed"), "hardware": hardware(), "versions": versions()}
        if (path / CARD).is_file():
            old = read_card(path)
            for name in ("kind", "settings", "data"):
                if old[name] != card[name]:
                    raise ConfigError(
                        f"{path} holds a run with other {name}{_difference(old[name], card[name])}; "
                        "give another folder, or remove this one"
                    )
            card |= {"started": old["started"], "seconds": old["seconds"]}
        run = cls(path, card, mirrors, writes)
        run._began -= float(card["seconds"])
        if writes:
            path.mkdir(parents=True, exist_ok=True)
            take(path)
            run._write()
        return run

    @classmethod
    def read(cls, folder: str | Path) -> Run:
        """A run that was written before."""
        return cls(Path(folder), read_card(Path(folder)), writes=False)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Note figures of a step (counted from 1; validations carry names that begin with ``valid/``).

        Raises
        ------
        TrainingError
            If they cannot be written.
        """
        if not self.writes:
            return
        line = json.dumps({"step": step} | {k: float(v) for k, v in figures.items()}) + "\n"
        try:
            with (self.folder / METRICS).open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise TrainingError(
                f"{self.folder / METRICS} cannot be written ({error.strerror}) at step {step}; "
                "free the disk and run the same command to go on"
            ) from error
        for mirror in self.mirrors:
            mirror.log(step, figures)

    def metrics(self) -> Iterator[dict[str, float]]:
        """What was logged, in order; a line that was cut by a crash is left out."""
        path = self.folder / METRICS
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            with suppress(ValueError):
                yield json.loads(line)

    def rewind(self, step: int) -> None:
        """Forget what was logged after a step: the run goes on from there."""
        if not self.writes:
            return
        kept = [json.dumps(row) for row in self.metrics() if row["step"] <= step]
        _replace(self.folder / METRICS, "".join(line + "\n" for line in kept))

    def note(self) -> None:
        """Write down time and memory so far, in case nothing comes after."""
        if self.writes:
            self._write()

    def end(self, status: str, result: Mapping[str, float]) -> None:
        """Close the run with what came out."""
        self.card |= {"status": status, "result": {k: float(v) for k, v in result.items()}, "ended": now()}
        if not self.writes:
            return
        self._write()
        leave(self.folder)
        for mirror in self.mirrors:
            mirror.end(result)
        self.mirrors = ()  # a run may be ended once more, with figures of the test

    def _write(self) -> None:
        self.card |= {"seconds": round(time.monotonic() - self._began, 1), "peak_memory_mb": peak_memory_mb()}
        _replace(self.folder / CARD, json.dumps(self.card, indent=1, ensure_ascii=False) + "\n")


def read_card(folder: Path) -> dict[str, Any]:
    """The content of ``run.json``.

    Raises
    ------
    ArtefactError
        If there is none, or it cannot be read.
    """
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        lost = {"kind", "settings", "data", "status", "started", "seconds"} - set(card)
    except (OSError, ValueError, TypeError) as error:
        raise ArtefactError(f"{folder} holds no readable {CARD} ({error}); give the folder of a run") from error
    if lost:
        raise ArtefactError(f"{folder / CARD} has no {sorted(lost)[0]!r}; give the folder of a run")
    if card.get("format", 0) > FORMAT:
        raise ArtefactError(f"{folder} has format {card['format']}, not {FORMAT}; upgrade warmstart")
    return card


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by their paths.

    Examples
    --------
    >>> dict(flat({"training": {"steps": 9}, "seed": 0}))
    {'training.steps': 9, 'seed': 0}
    """
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for name, inner in value.items():
        yield from flat(inner, f"{prefix}.{name}" if prefix else str(name))


def hardware() -> dict[str, Any]:
    """What this machine computes with; names no host and no user."""
    found: dict[str, Any] = {"machine": platform.machine(), "system": platform.system(), "processors": os.cpu_count()}
    found["processes"] = int(os.environ.get("WORLD_SIZE", "1"))  # as torchrun and accelerate launch say
    torch = sys.modules.get("torch")
    if torch is not None:
        found["threads"] = torch.get_num_threads()
        found["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return found


def versions() -> dict[str, str]:
    """Versions of the packages that decide what comes out."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_memory_mb() -> int:
    """The most memory this process has held, in MB; 0 where the system does not say.

    Examples
    --------
    >>> peak_memory_mb() >= 0
    True
    """
    try:
        import resource  # not on Windows
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak // (1024 * 1024 if sys.platform == "darwin" else 1024))


def _replace(path: Path, text: str) -> None:
    """Write a file in one step; what was there stays until the new one is complete."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def model_card(source: str | Path) -> dict[str, str]:
    """What a run says of the model it begins with: its name, and a fingerprint of its weights."""
    return {"model": str(source), "weights": source_fingerprint(weights_folder(str(source)))}


def _difference(old: Any, new: Any) -> str:
    """Where two cards differ, for a message."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return f" ({old!r}, now {new!r})"
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            return f" ({name}: {_difference(old.get(name), new.get(name)).strip(' ()')})"
    return ""
