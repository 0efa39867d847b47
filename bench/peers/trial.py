"""One system, one setting, one task: a process of its own, its figures and lists kept, and not run again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .entrants import Entrant, Settings
from .environments import reason

THREADS = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON", "NUMEXPR"))
SPARED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")  # of our environment, all a system sees


@dataclass(frozen=True)
class Trial:
    """A run to be made.

    Parameters
    ----------
    entrant, python
        Who, and by which interpreter.
    settings
        Of the system.
    task, fingerprint
        Folder of the task, and what it holds.
    folder
        Where figures and lists are kept, one folder a trial.
    threads
        How many it may use.
    speed
        Whether throughput and latency are measured, too.
    limit
        Seconds after which it is ended.
    """

    entrant: Entrant
    python: Path
    settings: Settings
    task: Path
    fingerprint: str
    folder: Path
    threads: int = 1
    speed: bool = False
    limit: float = 3600.0

    @property
    def key(self) -> str:
        """Equal for runs that would find the same: task, runner, packages, settings, threads."""
        told = [self.fingerprint, self.entrant.packages, dict(self.settings), self.threads, self.speed]
        text = json.dumps(told, sort_keys=True) + self.entrant.file.read_text(encoding="utf-8")
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def place(self) -> Path:
        """Where this one is kept."""
        return self.folder / self.key

    def forget(self) -> None:
        """Remove what was found, to measure again."""
        shutil.rmtree(self.place, ignore_errors=True)

    def lists(self, question: int) -> Path:
        """Lists for the question of this number."""
        return self.place / f"lists-{question}.parquet"

    def result(self) -> dict[str, Any]:
        """What ``run.json`` says, run now if it was not before; ``failed`` says why there are no figures."""
        file = self.place / "run.json"
        if not file.is_file():
            self.place.mkdir(parents=True, exist_ok=True)
            if failed := self._run():
                file.write_text(json.dumps({"failed": failed}), encoding="utf-8")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _run(self) -> str:
        with (self.place / "log.txt").open("w", encoding="utf-8") as log:
            try:
                done = subprocess.run(
                    self.command(),
                    env=surroundings(self.threads),
                    stdout=log,
                    stderr=log,
                    timeout=self.limit,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"took more than {self.limit:g} s"
        said = (self.place / "log.txt").read_text(encoding="utf-8", errors="replace")
        return reason(said) if done.returncode else ""

    def command(self) -> Sequence[str]:
        """What is run."""
        words = [self.python, self.entrant.file, self.task, self.place, json.dumps(dict(self.settings))]
        more = ["--threads", self.threads, *(["--speed"] if self.speed else [])]
        return [str(word) for word in (*words, *more)]


def surroundings(threads: int) -> Mapping[str, str]:
    """Environment variables of a run: few of ours, the number of threads, no network for weights."""
    kept = {name: os.environ[name] for name in SPARED if name in os.environ}
    told = {
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONWARNINGS": "ignore",
        "CUDA_VISIBLE_DEVICES": "",
    }
    return kept | dict.fromkeys((*THREADS, "POLARS_MAX_THREADS"), str(threads)) | told
