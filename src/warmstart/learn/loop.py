"""The loop: gradients, clipping, a step, validation, checkpoints; the same for every objective."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from warmstart.errors import ArtefactError, TrainingError, require
from warmstart.learn.checkpoint import load_weights, optimiser_tensors, read_tensors, restore, write_tensors
from warmstart.learn.objective import ALREADY_DONE, Objective, Watch
from warmstart.learn.processes import Draw, Processes, reseed
from warmstart.learn.run import Run
from warmstart.learn.settings import Training

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"
HEAD = "head."  # begins the names of weights that begin from nothing
FIRST, KEPT = "first/", "best/"  # begin the names of validation figures in the result of a run


@dataclass
class Outcome:
    """How a run ended.

    Parameters
    ----------
    steps
        Steps taken.
    first, best
        Validation figures before the first step, and of the weights that were kept.
    best_step
        After which step those weights were had; 0 = nothing was better than the beginning.
    stopped
        Whether patience ended it before its last step.
    """

    steps: int = 0
    first: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    best_step: int = 0
    stale: int = 0
    stopped: bool = False

    @property
    def status(self) -> str:
        """How the run ended, for its card.

        Examples
        --------
        >>> Outcome(stopped=True).status
        'stopped early'
        """
        return "stopped early" if self.stopped else "done"

    def result(self) -> dict[str, float]:
        """What came out, for the card of a run of any kind.

        Examples
        --------
        >>> Outcome(steps=9, first={"ndcg@10": 0.1}, best={"ndcg@10": 0.2}, best_step=6).result()
        {'steps': 9, 'best_step': 6, 'first/ndcg@10': 0.1, 'best/ndcg@10': 0.2}
        """
        figures = {f"{FIRST}{k}": v for k, v in self.first.items()} | {f"{KEPT}{k}": v for k, v in self.best.items()}
        return {"steps": self.steps, "best_step": self.best_step} | figures

    @classmethod
    def of(cls, note: Mapping[str, Any]) -> Outcome:
        """As a checkpoint notes it.

        Raises
        ------
        ArtefactError
            If the note is another one.
        """
        if set(note) != {f.name for f in fields(cls)}:
            raise ArtefactError(f"the checkpoint notes {sorted(note)}; it is of another version, give another folder")
        made = cls()
        for name, value in note.items():
            setattr(made, name, value)
        return made


def learn(
    objective: Objective,
    training: Training,
    run: Run,
    processes: Processes | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Train until the steps are done or patience ends; the objective is left with the best weights.

    Parameters
    ----------
    objective
        What is learned.
    training
        Settings of the loop.
    run
        Where figures and checkpoints go; a checkpoint in its folder is taken up.
    processes
        Who works together; None = as the environment says.
    watch
        Told of every step.

    Raises
    ------
    TrainingError
        If loss or gradient is not a number, or a file of the run cannot be written; the best weights so far are on
        disk, and the run is marked "failed".
    ArtefactError
        If the checkpoint in the folder cannot be read or is of another model.
    """
    loop = _Loop(objective, training, run, processes or Processes(training.precision), watch)
    run.card |= {"watched": objective.watched, "higher_is_better": objective.higher_is_better}
    run.note()
    try:
        return loop.run()
    except BaseException as error:
        with suppress(OSError):  # the disk may be what failed
            run.end("failed" if isinstance(error, Exception) else "interrupted", loop.at.result())
        raise


class _Loop:
    def __init__(
        self, objective: Objective, training: Training, run: Run, processes: Processes, watch: Watch | None
    ) -> None:
        self.objective, self.training, self.folder = objective, training, run
        self.processes, self.watch = processes, watch
        objective.place(processes)
        processes.same(p for _, p in objective.parameters())
        self.weights = dict(objective.parameters())
        self.optimiser = make_optimiser(self.weights, training)
        self.at = Outcome()

    def run(self) -> Outcome:
        """From the last checkpoint, or from the beginning, to the end."""
        if not self._resume():
            self.at.first = self._validate(0)
        training, began, start = self.training, time.monotonic(), self.at.steps
        if self.watch and self.processes.main and (start >= training.steps or self.at.stopped):
            self.watch(ALREADY_DONE, start, training.steps, {})
        while self.at.steps < training.steps and not self.at.stopped:
            figures = self._step(self.at.steps)
            self.at.steps += 1
            speed = (self.at.steps - start) / max(time.monotonic() - began, 1e-9)
            self.folder.log(self.at.steps, figures | {"steps_per_second": speed})
            if self.watch and self.processes.main:
                self.watch("training", self.at.steps, training.steps, figures | {"steps_per_second": speed})
            self._judge()
            if training.checkpoint_every and self.at.steps % training.checkpoint_every == 0:
                self._save()
        self._take_best()
        return self.at

    def _step(self, step: int) -> dict[str, float]:
        """One step of the optimiser."""
        torch = require("torch", extra="lm")
        t = self.training
        for group in self.optimiser.param_groups:
            group["lr"] = t.rate_at(step) * group["multiple"]
        self.objective.train(True)
        total = 0.0
        for micro in range(t.accumulate):
            seed = ((t.seed * 1_000_003 + step) * 1_009 + micro) * 257 + self.processes.rank
            reseed(seed % (1 << 63))
            draw = Draw(t.seed, step, micro, t.batch, self.processes, t.accumulate)
            with self.processes.autocast():
                total += self.objective.backward(draw) / t.accumulate
        loss = self.processes.mean(total)
        self._finite("loss", loss)
        weights = list(self.weights.values())
        for p in weights:
            if p.grad is not None and t.accumulate > 1:
                p.grad /= t.accumulate
        self.processes.average(weights)
        norm = float(torch.nn.utils.clip_grad_norm_(weights, t.clip or math.inf))
        self._finite("gradient", norm)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return {"loss": loss, "learning_rate": t.rate_at(step), "gradient_norm": norm}

    def _finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"the {what} is {value} at step {self.at.steps + 1}; the weights of step {self.at.best_step} are kept "
                f"in {self.folder.folder / BEST}; lower learning_rate={self.training.learning_rate:g} or set clip"
            )

    def _judge(self) -> None:
        """Validate when it is time, keep the best, count how long nothing improved."""
        t = self.training
        due = self.at.steps == t.steps or (t.validate_every and self.at.steps % t.validate_every == 0)
        if not due:
            return
        self._validate(self.at.steps)
        self.at.stopped = bool(t.patience) and self.at.stale >= t.patience and self.at.steps < t.steps

    def _validate(self, step: int) -> dict[str, float]:
        self.objective.train(False)
        figures = self.processes.first(self.objective.validate())
        self.folder.log(step, {f"valid/{k}": v for k, v in figures.items()})
        if self.watch and self.processes.main:
            self.watch("validation", step, self.training.steps, figures)
        if self._better(figures):
            self.at.best, self.at.best_step, self.at.stale = figures, step, 0
            self._write(BEST, {})
        else:
            self.at.stale += 1
        return figures

    def _better(self, figures: Mapping[str, float]) -> bool:
        name = self.objective.watched
        if not self.at.best:
            return True
        new, old = figures[name], self.at.best[name]
        if math.isnan(old):
            return True  # nothing is held out, or could be judged yet: the newest are the best
        return new > old if self.objective.higher_is_better else new < old

    def _save(self) -> None:
        names = {id(p): name for name, p in self.weights.items()}
        self._write(CHECKPOINT, optimiser_tensors(self.optimiser, names))
        self.folder.note()

    def _write(self, file: str, more: Mapping[str, Any]) -> None:
        if self.processes.main and self.folder.writes:
            tensors = {f"weights/{k}": v for k, v in self.weights.items()} | dict(more)
            write_tensors(self.folder.folder / file, tensors, asdict(self.at))
        self.processes.wait()

    def _resume(self) -> bool:
        """Take up the checkpoint of an interrupted run."""
        path = self.folder.folder / CHECKPOINT
        found = self.processes.mean(path.is_file())
        if 0 < found < 1:
            raise ArtefactError(f"{path} is not there for every process; put the run's folder on a disk they share")
        if found:
            tensors, note = read_tensors(path)
            restore(self.weights, self.optimiser, tensors)
            self.at = Outcome.of(note)
        self.folder.rewind(self.at.steps if found else -1)
        return bool(found)

    def _take_best(self) -> None:
        """Leave the objective with the best weights."""
        if self.folder.writes:
            tensors, _ = read_tensors(self.folder.folder / BEST)
            load_weights(self.weights, {k.removeprefix("weights/"): v for k, v in tensors.items()})
        self.processes.same(self.weights.values())
        self.objective.train(False)


def make_optimiser(weights: Mapping[str, Any], training: Training) -> Any:
    """AdamW, Adam or SGD with momentum 0.9 over the weights that learn; those of heads at their own rate."""
    optim = require("torch", extra="lm").optim
    t = training
    fresh = [p for name, p in weights.items() if name.startswith(HEAD)]
    others = [p for name, p in weights.items() if not name.startswith(HEAD)]
    groups = [{"params": p, "multiple": m} for p, m in ((others, 1.0), (fresh, t.head_rate)) if p]
    if t.optimiser == "sgd":
        return optim.SGD(groups, lr=t.learning_rate, momentum=0.9, weight_decay=t.weight_decay)
    kind = optim.AdamW if t.optimiser == "adamw" else optim.Adam
    near = all(p.device.type == "cpu" for p in weights.values())  # there it takes a quarter of the time
    return kind(groups, lr=t.learning_rate, weight_decay=t.weight_decay, fused=near or None)
