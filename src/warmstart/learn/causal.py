"""Causal language modelling: the decoder says which token comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from warmstart.errors import ConfigError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.corpus import Texts
from warmstart.learn.tokens import IGNORED, Question, TokenObjective


class CausalObjective(TokenObjective):
    """``-log p(token | those before it)``, mean over all tokens of a text but its first.

    Radford et al., Improving language understanding by generative pre-training, 2018, equation 1.

    Parameters
    ----------
    backbone
        A decoder with the head "causal".
    train, held, max_tokens, seed
        See ``TokenObjective``; nothing is drawn.

    Raises
    ------
    ConfigError
        If the model is an encoder.
    """

    def __init__(
        self, backbone: Backbone, train: Texts, held: Sequence[str], max_tokens: int | None = None, seed: int = 0
    ) -> None:
        super().__init__(backbone, train, held, max_tokens, seed)
        if not backbone.decoder:
            raise ConfigError(f"{backbone.name} is an encoder: it reads the whole text at once; use another method")

    def question(self, tokens: dict[str, Any], chances: Any) -> Question:
        """Every token is asked for at the place before it."""
        pad = require("torch", extra="lm").nn.functional.pad
        following = tokens["input_ids"].masked_fill(~tokens["attention_mask"].bool(), IGNORED)[:, 1:]
        return Question(tokens, pad(following, (0, 1), value=IGNORED))
