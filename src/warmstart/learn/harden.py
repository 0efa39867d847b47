"""Hardening: a model that has learned keeps its vectors, and comes to give them for mistyped texts as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from warmstart.data.interactions import Interactions
from warmstart.errors import require
from warmstart.learn.adversarial import Typist
from warmstart.learn.attacks import Attack
from warmstart.learn.backbone import Backbone
from warmstart.learn.cached import CHUNK
from warmstart.learn.held_items import HeldItems
from warmstart.learn.objective import OnBackbone
from warmstart.learn.processes import Draw, Processes
from warmstart.text.whiten import unit_rows

VIEWS = 2  # seeds by which held-out texts are attacked


class HardenObjective(OnBackbone):
    """``mean_i 1 - cos(f(x~_i) - m, f0(x_i) - m)``: f0 = the model as it begins, x~ = texts, half attacked.

    m is the mean of f0's unit vectors: what all of them share says nothing. What was learned from people is in f0 and
    stays there; nothing is asked of their events here but which items they met. A model taught by its own clean
    readings: compare Xie et al., Self-training with noisy student, CVPR 2020, arXiv:1911.04252.

    Parameters
    ----------
    backbone
        The model, already fine-tuned.
    texts
        One a catalogue item.
    x
        Events: items that are held out are those that fine-tuning with the same seed and share held out.
    attack
        What befalls texts; its seed is drawn anew at every step.
    held_out
        Share of the items with events kept to judge by.
    seed
        Decides which.

    Raises
    ------
    DataError
        If too few items have text and events.
    """

    watched = "kept"
    higher_is_better = True

    def __init__(
        self,
        backbone: Backbone,
        texts: Sequence[str],
        x: Interactions,
        attack: Attack | None = None,
        held_out: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.backbone, self.texts, self.attack = backbone, list(texts), attack or Attack("typos")
        asked = HeldItems.of(texts, x, held_out, seed)
        self.items, self.held = asked.items, asked.held
        self.targets = np.zeros((len(self.texts), backbone.dim), np.float32)
        self.middle = np.zeros(backbone.dim, np.float32)

    def place(self, processes: Processes) -> None:
        """Move the model to the device, and note how it reads clean texts before it learns anything."""
        super().place(processes)
        read = np.concatenate([self.items, self.held])
        clean = self.backbone.encode([self.texts[i] for i in read])
        self.middle = clean[: len(self.items)].mean(0)
        self.targets[read] = unit_rows(clean - self.middle)

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over this process's share of ``draw.size`` texts, ``CHUNK`` in memory at once."""
        n = len(self.items)
        whole = np.arange(n) if draw.size >= n else draw.whole(n)  # none twice where all are read
        at, total = self.items[draw.share(whole)], 0.0
        said, _ = Typist(self.attack, draw).half([self.texts[i] for i in at], None)
        order = sorted(range(len(at)), key=lambda i: len(said[i]))  # little padding
        for start in range(0, len(at), CHUNK):
            rows = order[start : start + CHUNK]
            total += self._drift([said[i] for i in rows], self.targets[at[rows]], len(at))
        return total

    def _drift(self, texts: list[str], targets: np.ndarray, among: int) -> float:
        """Add the gradient of these texts' part of the mean over ``among`` texts; return that part."""
        torch = require("torch", extra="lm")
        vectors = torch.nn.functional.normalize(self.backbone.vectors(texts).float(), dim=1)
        middle, aims = (torch.from_numpy(a).to(vectors.device) for a in (self.middle, targets))
        part = (1 - torch.nn.functional.cosine_similarity(vectors - middle, aims, dim=1)).sum() / among
        part.backward()
        return float(part.detach())

    def validate(self) -> dict[str, float]:
        """Mean cosine to the first model's clean vectors of held-out texts, clean and attacked; "kept" = both."""
        clean = self._near([self.texts[i] for i in self.held])
        views = [replace(self.attack, seed=self.attack.seed + n) for n in range(VIEWS)]
        attacked = float(np.mean([self._near(v.on([self.texts[i] for i in self.held])) for v in views]))
        return {"kept": (clean + attacked) / 2, "clean": clean, "attacked": attacked}

    def _near(self, texts: list[str]) -> float:
        if not texts:
            return float("nan")
        mine = unit_rows(self.backbone.encode(texts) - self.middle)
        return float((mine * self.targets[self.held]).sum(axis=1).mean())
