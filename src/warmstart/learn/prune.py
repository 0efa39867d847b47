"""Magnitude pruning: the smallest weights become zero, and stay zero while the others recover.

Unstructured zeros make the zipped file smaller. They do not make dense arithmetic faster: a processor multiplies by
zero as slowly as by anything else, and the file in use keeps its size. Source: Han et al. 2015, Learning both weights
and connections for efficient neural networks, arXiv:1506.02626, section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import learn
from warmstart.learn.objective import Watch
from warmstart.learn.run import Run, model_card
from warmstart.learn.settings import Training, Tuning, choose
from warmstart.learn.shrink import Reproduction
from warmstart.text.weights import fingerprint_of

SCOPES = ("global", "layer")


def mask_smallest(backbone: Backbone, share: float, scope: str = "global") -> None:
    """Set a share of the weights of all linear layers to zero and hold them there, until ``make_permanent``.

    Embeddings, norms and biases stay as they are.

    Parameters
    ----------
    share
        In (0, 1).
    scope
        "global": the smallest of all layers together; "layer": the same share of every layer.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """
    check_share(share)
    choose("scope", scope, SCOPES)
    prune = require("torch.nn.utils.prune", extra="lm")
    places = [(m, "weight") for m in linear_layers(backbone)]
    if scope == "global":
        prune.global_unstructured(places, prune.L1Unstructured, amount=share)
    else:
        for module, name in places:
            prune.l1_unstructured(module, name, share)


def make_permanent(backbone: Backbone) -> None:
    """Work the masks into the weights: what is saved afterwards is an ordinary model with zeros in it."""
    prune = require("torch.nn.utils.prune", extra="lm")
    for module in linear_layers(backbone):
        if prune.is_pruned(module):
            prune.remove(module, "weight")


def sparsity(backbone: Backbone) -> float:
    """Share of the weights of linear layers that are zero, as measured."""
    counts = [(int((m.weight == 0).sum()), m.weight.numel()) for m in linear_layers(backbone)]
    return float(sum(zero for zero, _ in counts) / sum(n for _, n in counts))


def linear_layers(backbone: Backbone) -> Iterable[Any]:
    """Modules that multiply by a matrix; GPT-2 calls them Conv1D."""
    torch = require("torch", extra="lm")
    return (m for m in backbone.body.modules() if isinstance(m, torch.nn.Linear) or type(m).__name__ == "Conv1D")


def check_share(share: float) -> None:
    """Refuse to prune nothing or everything.

    Examples
    --------
    >>> check_share(1.5)
    Traceback (most recent call last):
    warmstart.errors.ConfigError: prune=1.5 is not between 0 and 1; 0.5 sets half of the weights to zero
    """
    if not 0 < share < 1:
        raise ConfigError(f"prune={share} is not between 0 and 1; 0.5 sets half of the weights to zero")


def pruned(
    source: str | Path,
    share: float,
    texts: Sequence[str],
    vectors: np.ndarray,
    training: Training | None,
    folder: str | Path,
    watch: Watch | None = None,
) -> Backbone:
    """A model of which ``share`` of the weights is zero; the others learn to give its former vectors again.

    Parameters
    ----------
    source
        Folder, GGUF file or name.
    texts, vectors
        As ``Reproduction`` takes them.
    training
        Of the recovery; None = none.
    folder
        Of the run.
    """
    backbone = Backbone(source, Tuning("full"))
    mask_smallest(backbone, share)
    if training is not None:
        objective = Reproduction(backbone, texts, vectors, seed=training.seed)
        settings = {"training": vars(training), "prune": share} | model_card(source)
        run = Run.begin(folder, "prune", settings, fingerprint_of(*texts))
        outcome = learn(objective, training, run, watch=watch)
        run.end(outcome.status, outcome.result())
    make_permanent(backbone)
    return backbone
