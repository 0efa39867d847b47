"""What test_processes.py lets one process do, and two: ``torchrun together.py MODEL DATA OUT BATCH TASK...``."""

import json
import sys
from pathlib import Path

import torch

from warmstart.data.dataset import Dataset
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import learn
from warmstart.learn.processes import Processes
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts

RATES = {"learning_rate": 3e-3, "validate_every": 3, "checkpoint_every": 3, "precision": "float32"}


class Line:
    """Mean squared error of a line to 37 points; ``idle`` never has a gradient."""

    watched, higher_is_better = "error", False

    def __init__(self, start):
        rng = torch.Generator().manual_seed(5)
        self.x = torch.randn(37, 4, generator=rng)
        self.y = self.x @ torch.tensor([1.0, -2.0, 0.5, 0.0]) + 0.1 * torch.randn(37, generator=rng)
        self.weight, self.idle = torch.nn.Parameter(torch.full((4,), float(start))), torch.nn.Parameter(torch.ones(2))

    def parameters(self):
        return iter([("weight", self.weight), ("idle", self.idle)])

    def place(self, processes):
        pass

    def train(self, mode):
        pass

    def backward(self, draw):
        at = draw.indices(len(self.x))
        loss = ((self.x[at] @ self.weight - self.y[at]) ** 2).mean()
        loss.backward()
        return float(loss.detach())

    def validate(self):
        with torch.no_grad():
            return {"error": float(((self.x @ self.weight - self.y) ** 2).mean())}


class Stopping(Processes):
    """Interrupted in the fourth step."""

    steps = 0

    def average(self, weights):
        super().average(weights)
        self.steps += 1
        if self.steps == 4:
            raise KeyboardInterrupt


class Tasks:
    """Each a few steps of learning, by name."""

    def __init__(self, model, data, out, batch):
        self.model, self.data, self.out, self.batch = model, Dataset.load(data), out, batch
        self.processes = Processes("float32")

    def full(self, folder="full", processes=None):
        return self._retrieval(folder, self.batch, 6, Tuning(), processes)

    def lora(self):
        return self._retrieval("lora", self.batch, 3, Tuning("lora"))

    def odd(self):
        """More than there are items, of which 63 is no multiple of two."""
        return self._retrieval("odd", 2 * self.batch, 2, Tuning())

    def cut(self):
        try:
            self.full("cut", Stopping("float32"))
        except KeyboardInterrupt:
            self.processes.wait()
            return self.full("cut")

    def line(self):
        """Two micro-batches a step; every process begins elsewhere."""
        training = Training(steps=12, batch=self.batch // 6, accumulate=2, **RATES | {"learning_rate": 0.1})
        objective = Line(self.processes.rank)
        learn(objective, training, self._run("line", training), self.processes)
        return objective

    def _retrieval(self, folder, batch, steps, tuning, processes=None):
        training = Training(steps=steps, batch=batch, **RATES)
        backbone = Backbone(self.model, tuning, seed=self.processes.rank)  # additions differ until they are shared
        texts = item_texts(self.data.catalog)
        objective = RetrievalObjective(backbone, texts, self.data.interactions, Retrieval(held_out=0.3))
        run = self._run(folder, training)
        out = learn(objective, training, run, processes or self.processes)
        run.end("done", out.best)
        return objective

    def _run(self, folder, training):
        return Run.begin(self.out / folder, folder, {"training": vars(training)}, "", writes=self.processes.main)


def work(model, data, out, batch, names):
    """Do the tasks of these names; weights at the end go to ``OUT/RANK.json``."""
    tasks = Tasks(model, data, out, batch)
    done = {name: getattr(tasks, name)() for name in names}
    weights = {name: {k: p.detach().flatten().tolist() for k, p in o.parameters()} for name, o in done.items()}
    said = {"rank": tasks.processes.rank, "count": tasks.processes.count, "weights": weights}
    (out / f"{tasks.processes.rank}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
