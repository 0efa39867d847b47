"""Denoising autoencoder: a text with most of its words gone becomes a vector, from which alone it is written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from warmstart.errors import ConfigError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.corpus import Texts
from warmstart.learn.loop import HEAD
from warmstart.learn.processes import Processes
from warmstart.learn.tokens import IGNORED, Question, TokenObjective, begin_bias, ordinary

HEADS = 8  # of attention in the decoder, or the next smaller number that divides the length of a state


class DenoiseObjective(TokenObjective):
    """``-log p(token | those before it, vector of the damaged text)``, mean over all tokens but the first.

    Of a text's tokens most are deleted (at least one stays); what is left is pooled to one vector. A small decoder,
    which sees of the text that vector alone, writes the whole of it. It shares the word embeddings with the backbone,
    begins at random and is thrown away afterwards. Source: Wang et al., TSDAE, 2021, arXiv:2104.06979, section 3.

    Parameters
    ----------
    backbone
        An encoder or a decoder, without a head.
    train, held, max_tokens, seed
        See ``TokenObjective``; the seed also fixes the decoder's first weights.
    deleted
        Share of the tokens that is deleted, in (0, 1).
    layers
        Layers of the decoder.

    Raises
    ------
    ConfigError
        If ``deleted`` is not a share.
    """

    chances = 1

    def __init__(
        self,
        backbone: Backbone,
        train: Texts,
        held: Sequence[str],
        max_tokens: int | None = None,
        seed: int = 0,
        deleted: float = 0.6,
        layers: int = 1,
    ) -> None:
        super().__init__(backbone, train, held, max_tokens, seed)
        if not 0 < deleted < 1:
            raise ConfigError(f"deleted={deleted} is not in (0, 1); 0.6 is usual")
        self.deleted, self._ordinary = deleted, ordinary(backbone)
        torch = require("torch", extra="lm")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.decoder = make_decoder(backbone, layers, self.max_tokens)
        begin_bias(self.decoder["bias"][0], self)

    def question(self, tokens: dict[str, Any], chances: Any) -> Question:
        """Delete tokens and close up the gaps; special ones stay, and of the others at least one does."""
        torch = require("torch", extra="lm")
        ids, mask = tokens["input_ids"], tokens["attention_mask"].bool()
        free = torch.isin(ids, torch.from_numpy(self._ordinary).to(ids.device)) & mask
        chance = chances[..., 0].masked_fill(~free, -1.0)
        stays = mask & (~free | (chance >= self.deleted) | (chance == chance.amax(1, keepdim=True)))
        order = (~stays).to(torch.int8).argsort(dim=1, stable=True)
        damaged = {"input_ids": ids.gather(1, order), "attention_mask": stays.gather(1, order).to(ids.dtype)}
        return Question(damaged, ids.masked_fill(~mask, IGNORED)[:, 1:], shown=ids[:, :-1])

    def logits(self, question: Question) -> Any:
        """The decoder's scores of the next token, from the vector and the tokens before it."""
        torch = require("torch", extra="lm")
        vector, shown = self.backbone.pool(question.inputs), question.shown
        words = self.backbone.model.get_input_embeddings()
        places = torch.arange(shown.shape[1], device=shown.device)
        states = self.decoder["begin"](words(shown).float()) + self.decoder["places"](places)
        ahead = torch.nn.Transformer.generate_square_subsequent_mask(len(places), device=shown.device)
        memory = self.decoder["vector"](vector).unsqueeze(1)
        states = self.decoder["layers"](states, memory, tgt_mask=ahead, tgt_is_causal=True)
        chosen = self.decoder["end"](states[question.labels != IGNORED])
        return torch.nn.functional.linear(chosen, words.weight.to(chosen.dtype)) + self.decoder["bias"][0]

    def fresh(self) -> list[Any]:
        """The decoder's weights."""
        return list(self.decoder.parameters())

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The weights of the backbone that learn, and those of the decoder."""
        yield from self.backbone.parameters()
        yield from ((f"{HEAD}{name}", p) for name, p in self.decoder.named_parameters() if p.requires_grad)

    def place(self, processes: Processes) -> None:
        """Move backbone and decoder to the device."""
        super().place(processes)
        self.decoder.to(processes.device)

    def train(self, mode: bool) -> None:
        """Switch dropout."""
        super().train(mode)
        self.decoder.train(mode)


def make_decoder(backbone: Backbone, layers: int, max_tokens: int) -> Any:
    """A transformer that attends to tokens before and to one vector; parts by name, as a torch module."""
    torch, dim = require("torch", extra="lm"), backbone.dim
    nn = torch.nn
    words = backbone.model.get_input_embeddings()
    heads = next(h for h in range(min(HEADS, dim), 0, -1) if dim % h == 0)
    layer = nn.TransformerDecoderLayer(
        dim, heads, 4 * dim, backbone.tuning.dropout, activation="gelu", batch_first=True, norm_first=True
    )
    parts = nn.ModuleDict(
        {
            "begin": nn.LayerNorm(words.embedding_dim),
            "places": nn.Embedding(max_tokens, dim),
            "vector": nn.Linear(dim, dim),
            "layers": nn.TransformerDecoder(layer, layers),
            "end": nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, words.embedding_dim)),
            "bias": nn.ParameterList([nn.Parameter(torch.zeros(words.num_embeddings))]),
        }
    )
    nn.init.normal_(parts["places"].weight, std=0.02)
    return parts
