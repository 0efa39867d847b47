"""Masked language modelling: some words are hidden, the encoder says which they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from warmstart.errors import ConfigError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.corpus import Texts
from warmstart.learn.tokens import IGNORED, Question, TokenObjective, begin_bias, ordinary

SHOWN_AS_MASK, SHOWN_AS_OTHER = 0.8, 0.1  # of the tokens to be predicted; the rest is shown as it is


class MaskedObjective(TokenObjective):
    """``-log p(token | text with some tokens hidden)``, mean over hidden tokens.

    Of a text's tokens a share is chosen, at least one; of those 80 % are shown as the mask, 10 % as any other token,
    10 % as they are. Source: Devlin et al., BERT, 2018, arXiv:1810.04805, section 3.1. The held-out perplexity is
    that of tokens chosen in the same way, once and for all.

    Parameters
    ----------
    backbone
        An encoder with the head "masked"; one that no file had is tied to the word embeddings where the family does so.
    train, held, max_tokens, seed
        See ``TokenObjective``.
    share
        Share of the tokens that is predicted, in (0, 1).

    Raises
    ------
    ConfigError
        If the model is a decoder, or its tokenizer has no mask.
    """

    chances = 3

    def __init__(
        self,
        backbone: Backbone,
        train: Texts,
        held: Sequence[str],
        max_tokens: int | None = None,
        seed: int = 0,
        share: float = 0.15,
    ) -> None:
        super().__init__(backbone, train, held, max_tokens, seed)
        if backbone.decoder or backbone.tokenizer.mask_token_id is None:
            raise ConfigError(f"{backbone.name} has no mask token or is a decoder; use method 'causal' or 'denoise'")
        if not 0 < share < 1:
            raise ConfigError(f"masked={share} is not in (0, 1); 0.15 is usual")
        self.share, self._ordinary = share, ordinary(backbone)
        begin_bias(backbone.model.get_output_embeddings().bias, self)

    def question(self, tokens: dict[str, Any], chances: Any) -> Question:
        """Hide tokens: the first number chooses them, the second how they are shown, the third as which other one."""
        torch = require("torch", extra="lm")
        ids, words = tokens["input_ids"], torch.from_numpy(self._ordinary).to(tokens["input_ids"].device)
        free = torch.isin(ids, words) & tokens["attention_mask"].bool()
        wanted = (self.share * free.sum(1, keepdim=True)).round().clamp(min=1)
        rank = chances[..., 0].masked_fill(~free, 2.0).argsort(1).argsort(1)
        chosen = free & (rank < wanted)
        as_mask = chosen & (chances[..., 1] < SHOWN_AS_MASK)
        as_other = chosen & (chances[..., 1] >= 1 - SHOWN_AS_OTHER)
        other = words[(chances[..., 2] * len(words)).long().clamp(max=len(words) - 1)]
        shown = ids.masked_fill(as_mask, self.backbone.tokenizer.mask_token_id).where(~as_other, other)
        return Question(tokens | {"input_ids": shown}, ids.masked_fill(~chosen, IGNORED))
