"""What objectives that predict tokens share: drawing, the loss of a batch in bounded memory, held-out perplexity."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.corpus import Texts
from warmstart.learn.loop import HEAD
from warmstart.learn.objective import OnBackbone
from warmstart.learn.processes import Draw
from warmstart.learn.settings import at_least

IGNORED = -100  # label of a token that is not to be predicted
LOGITS = 1 << 26  # at once: 256 MB in float32, about three times that with their gradients
HELD_BATCH = 32  # held-out texts at once
COUNTED = 1000  # texts from which the first bias of a fresh head is taken


@dataclass(frozen=True)
class Question:
    """Token ids and what is to be predicted from them; int64 tensors of shape (n, tokens).

    Parameters
    ----------
    inputs
        ``input_ids`` and ``attention_mask`` of what the model reads.
    labels
        The right answer of every place, or -100. They may be longer than the inputs where these are not their source.
    shown
        Other tensors of as many rows that the model is shown.
    """

    inputs: dict[str, Any]
    labels: Any
    shown: Any = None

    def rows(self, at: slice) -> Question:
        """Some rows, without the columns of padding that they do not need."""
        width = int(self.inputs["attention_mask"][at].sum(1).max())
        long = int((self.labels[at] != IGNORED).any(0).nonzero().max()) + 1 if self.count(at) else 1
        shown = None if self.shown is None else self.shown[at, :long]
        labels = self.labels[at, :width] if self.shown is None else self.labels[at, :long]
        return Question({k: v[at, :width] for k, v in self.inputs.items()}, labels, shown)

    def count(self, at: slice = slice(None)) -> int:
        """Tokens to be predicted."""
        return int((self.labels[at] != IGNORED).sum())


class TokenObjective(OnBackbone, ABC):
    """Mean negative log-likelihood of tokens, judged by the perplexity ``exp(mean loss)`` of held-out texts.

    Parameters
    ----------
    backbone
        With the head that the objective needs.
    train, held
        Texts to learn from and to judge by.
    max_tokens
        Tokens of a text that are read; what lies beyond is not learned from. None = as far as the model reads.
    seed
        Fixes what is asked of the held-out texts; it is drawn once and is the same at every validation.
    """

    watched = "perplexity"
    higher_is_better = False
    chances = 0  # random numbers in [0, 1) that a token needs

    def __init__(
        self, backbone: Backbone, train: Texts, held: Sequence[str], max_tokens: int | None = None, seed: int = 0
    ) -> None:
        at_least("max_tokens", max_tokens or 2, 2)
        self.backbone, self.train_texts = backbone, train
        self.max_tokens = min(max_tokens or backbone.reading.max_tokens, backbone.reading.max_tokens)
        self.vocabulary = int(backbone.model.config.vocab_size)
        self.held = sorted(held, key=len)  # of like length together
        self._held_chances = self._draw(np.random.default_rng([seed, 3]), len(held))

    @abstractmethod
    def question(self, tokens: dict[str, Any], chances: Any) -> Question:
        """What is asked of a batch.

        Parameters
        ----------
        tokens
            Of the texts, as ``Backbone.tokens`` gives them.
        chances
            Float32 tensor of shape (n, tokens, ``chances``): all that is random in it.
        """

    def logits(self, question: Question) -> Any:
        """Scores of shape (n predicted, vocabulary), in the order of ``labels[labels != -100]``."""
        where = question.labels != IGNORED
        with _only(self.backbone.body, where):
            return self.backbone.model(**question.inputs).logits[0]

    def fresh(self) -> list[Any]:
        """Weights that begin at random; they learn alone before anything is compared."""
        return list(self.backbone.fresh)

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The weights that learn; names of those that began at random begin with ``head.``."""
        fresh = {id(p) for p in self.fresh()}
        return ((HEAD + name if id(p) in fresh else name, p) for name, p in super().parameters())

    def backward(self, draw: Draw) -> float:
        """Gradients of the mean over all predicted tokens of all processes."""
        texts = [self.train_texts[int(i)] for i in draw.indices(len(self.train_texts))]
        question = self._ask(texts, draw.share(self._draw(draw.rng(), draw.size)))
        each = max(draw.processes.mean(question.count()), 1.0)
        total = 0.0
        for piece in self._pieces(question):
            loss = self._loss(piece) / each
            loss.backward()
            total += float(loss.detach())
        return total

    def validate(self) -> dict[str, float]:
        """Perplexity and mean loss (nats a token) of the held-out texts."""
        torch = require("torch", extra="lm")
        total, count = 0.0, 0
        with torch.inference_mode():
            for start in range(0, len(self.held), HELD_BATCH):
                at = slice(start, start + HELD_BATCH)
                question = self._ask(self.held[at], self._held_chances[at])
                count += question.count()
                total += sum(float(self._loss(piece)) for piece in self._pieces(question))
        mean = total / count if count else math.nan
        return {self.watched: math.exp(min(mean, 700.0)), "loss": mean}

    def _draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        return rng.random((n, self.max_tokens, self.chances), np.float32)

    def _ask(self, texts: Sequence[str], chances: np.ndarray) -> Question:
        """The question of texts, those of like length together."""
        torch = require("torch", extra="lm")
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        tokens = self.backbone.tokens([texts[i] for i in order], max_tokens=self.max_tokens)
        width = tokens["input_ids"].shape[1]
        return self.question(tokens, torch.from_numpy(chances[order, :width]).to(self.backbone.device))

    def _pieces(self, question: Question) -> Iterator[Question]:
        """Rows that fit into memory together; rows of which nothing is asked are left out."""
        n = len(question.labels)
        longest = max(int((question.labels != IGNORED).sum(1).max()), 1)
        step = max(1, LOGITS // (self.vocabulary * longest))
        for start in range(0, n, step):
            at = slice(start, start + step)
            if question.count(at):
                yield question.rows(at)

    def _loss(self, question: Question) -> Any:
        """The sum over predicted tokens."""
        cross_entropy = require("torch", extra="lm").nn.functional.cross_entropy
        labels = question.labels[question.labels != IGNORED]
        return cross_entropy(self.logits(question).float(), labels, reduction="sum")


@contextmanager
def _only(body: Any, where: Any) -> Iterator[None]:
    """Let a model's head see the states of some places alone, as one row: the others' scores are not wanted."""

    def choose(_module: Any, _inputs: Any, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state[where].unsqueeze(0)
        return output

    hook = body.register_forward_hook(choose)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def alone(weights: Sequence[Any], objective: TokenObjective) -> Iterator[None]:
    """Freeze all weights of an objective but some."""
    kept = {id(p) for p in weights}
    others = [p for _, p in objective.parameters() if id(p) not in kept]
    for p in others:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in others:
            p.requires_grad_(True)


def begin_bias(bias: Any, objective: TokenObjective) -> None:
    """Set the bias of a fresh head to the log-frequencies of tokens: what is frequent need not be learned step by step.

    Parameters
    ----------
    bias
        Weight of shape (vocabulary,); one that a file had, or none, is left as it is.
    objective
        Whose texts are counted: at most 1000, evenly spaced.
    """
    if not any(bias is p for p in objective.fresh()):
        return
    torch, texts = require("torch", extra="lm"), objective.train_texts
    step = max(1, len(texts) // COUNTED)
    read = [texts[i] for i in range(0, len(texts), step)][:COUNTED]
    count = torch.zeros(len(bias), dtype=torch.float64)
    for start in range(0, len(read), HELD_BATCH):
        tokens = objective.backbone.tokens(read[start : start + HELD_BATCH], max_tokens=objective.max_tokens)
        ids = tokens["input_ids"][tokens["attention_mask"].bool()].cpu()
        count += torch.bincount(ids, minlength=len(bias))[: len(bias)]
    with torch.no_grad():
        bias.copy_(((count + 0.1) / (count + 0.1).sum()).log())


def ordinary(backbone: Backbone) -> np.ndarray:
    """Ids of tokens that stand for text, int64.

    Raises
    ------
    ConfigError
        If there are none.
    """
    size = min(len(backbone.tokenizer), int(backbone.model.config.vocab_size))
    ids = np.setdiff1d(np.arange(size), backbone.tokenizer.all_special_ids)
    if not len(ids):
        raise ConfigError(f"the tokenizer of {backbone.name} has only special tokens; give another model")
    return ids
