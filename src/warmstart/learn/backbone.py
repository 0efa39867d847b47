"""A pretrained transformer that learns: any encoder or decoder, as a folder, a name or a GGUF file."""

from __future__ import annotations

import copy
import json
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, TrainingError, require
from warmstart.learn.settings import Tuning, at_least
from warmstart.learn.token_dropout import thinned
from warmstart.text.reading import CHARS_A_TOKEN, Reading
from warmstart.text.transformer import load_with_head, pooled, quiet
from warmstart.text.weights import MINILM, weights_folder

_POOLING_KEYS = {
    "mean": "pooling_mode_mean_tokens",
    "cls": "pooling_mode_cls_token",
    "last": "pooling_mode_lasttoken",
}

Texts = Sequence[str]
Rewrite = Callable[[Texts, Texts | None], tuple[Texts, Texts | None]]


class Backbone:
    """Tokenizer, body and pooling of a language model, with the weights that ``tuning`` frees for learning.

    Parameters
    ----------
    name
        A folder, a GGUF file or a model name (see ``weights_folder``).
    tuning
        Which weights learn.
    head
        "none", or the language-model head to load or begin: "masked" (encoders) or "causal" (decoders).
    max_tokens
        Tokens of a text that are read; None = what the model's own files say.
    seed
        Fixes weights that begin at random: low-rank additions, heads that no file had.

    Attributes
    ----------
    model
        The whole torch module; ``body`` is the part of it that maps tokens to states.
    reading
        Pooling and length.
    dim
        Length of a state.
    rewrite
        What befalls texts (and the pairs that go with them) before they are read by ``vectors``; None = nothing.
    decoder
        Whether the model reads from left to right.
    fresh
        Weights of a language-model head that no file had; they begin at random and learn with any ``tuning``.

    Raises
    ------
    ConfigError, ArtefactError
        If there is no such model, or its files cannot be used.
    MissingExtra
        If torch, transformers or (for "lora") peft is not installed.
    """

    def __init__(
        self,
        name: str | Path = MINILM,
        tuning: Tuning | None = None,
        head: str = "none",
        max_tokens: int | None = None,
        seed: int = 0,
    ) -> None:
        source = weights_folder(str(name))
        own = Reading.of(source)
        at_least("max_tokens", 1 if max_tokens is None else max_tokens, 1)
        self.name, self.tuning = str(name), tuning or Tuning()
        self.reading = Reading(own.pooling, min(own.max_tokens, max_tokens or own.max_tokens))
        self.rewrite: Rewrite | None = None
        self._adapted: Any = None
        torch = require("torch", extra="lm")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.tokenizer, self.model, missing = load_with_head(source, head)
            self.fresh = [p for name, p in self.model.named_parameters() if name in missing]
            self.free()
        self.decoder = own.pooling == "last" or bool(getattr(self.model.config, "is_decoder", False))

    @property
    def body(self) -> Any:
        """The part that maps tokens to states; without a language-model head, the whole model."""
        return self.model.base_model

    @property
    def dim(self) -> int:
        """Length of a token's state and of a text's vector."""
        return int(self.model.config.hidden_size)

    @property
    def device(self) -> Any:
        """Where the weights are."""
        return next(self.model.parameters()).device

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The weights that learn, by name."""
        return ((name, p) for name, p in self.model.named_parameters() if p.requires_grad)

    def tokens(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, max_tokens: int | None = None
    ) -> dict[str, Any]:
        """Token ids and mask, right-padded int64 tensors of shape (n, tokens); with ``pairs``, two texts a row."""
        limit = min(self.reading.max_tokens, max_tokens or self.reading.max_tokens)
        cut = [t[: limit * CHARS_A_TOKEN] for t in texts]
        other = None if pairs is None else [t[: limit * CHARS_A_TOKEN] for t in pairs]
        made = self.tokenizer(cut, other, padding=True, truncation=True, max_length=limit, return_tensors="pt")
        kept = {k: v.to(self.device) for k, v in made.items() if k in ("input_ids", "attention_mask", "token_type_ids")}
        return kept if other is not None else {k: v for k, v in kept.items() if k != "token_type_ids"}

    def vectors(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> Any:
        """Pooled states as a float32 tensor of shape (n, dim) through which gradients flow; not normalised."""
        first, second = (texts, pairs) if self.rewrite is None else self.rewrite(texts, pairs)
        batch = self.tokens(first, second)
        thin = self.tuning.token_dropout if self.model.training else 0.0
        return self.pool(thinned(batch, thin) if thin else batch)

    def pool(self, batch: dict[str, Any]) -> Any:
        """Vectors, as ``vectors`` gives them, of texts that are tokens already."""
        states = self.body(**batch).last_hidden_state
        return pooled(states.float(), batch["attention_mask"], self.reading.pooling)

    def encode(self, texts: Sequence[str], batch: int = 64) -> np.ndarray:
        """Vectors without gradient: float32, shape (n, dim), unit rows; zero rows for empty texts."""
        torch = require("torch", extra="lm")
        out = np.zeros((len(texts), self.dim), np.float32)
        order = sorted((i for i, t in enumerate(texts) if t.strip()), key=lambda i: -len(texts[i]))
        was = self.model.training
        self.model.eval()
        with torch.inference_mode():
            for start in range(0, len(order), batch):
                at = order[start : start + batch]
                vectors = torch.nn.functional.normalize(self.vectors([texts[i] for i in at]), dim=1)
                out[at] = vectors.cpu().numpy()
        self.model.train(was)
        return out

    def merged(self) -> Any:
        """The model with low-rank additions worked into its weights; the model itself where there are none."""
        return self.model if self._adapted is None else copy.deepcopy(self._adapted).merge_and_unload()

    def save(self, folder: str | Path, vectors_only: bool = True) -> Path:
        """Write a folder that ``TransformerEncoder``, ``export_onnx`` and sentence-transformers read.

        Parameters
        ----------
        folder
            Is made.
        vectors_only
            Leave a language-model head out.

        Raises
        ------
        TrainingError
            If it cannot be written, e.g. on a full disk; what was there before is untouched.
        """
        path = Path(folder)
        fresh = path.with_name(path.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            self._write(fresh, vectors_only)
        except Exception as error:  # the writers of weights and tokenizers wrap the system's errors in their own
            shutil.rmtree(fresh, ignore_errors=True)
            raise TrainingError(
                f"the model could not be written to {path} ({error}); free the disk and repeat"
            ) from error
        path.mkdir(exist_ok=True)
        for entry in fresh.iterdir():
            if (path / entry.name).is_dir():
                shutil.rmtree(path / entry.name)
            entry.replace(path / entry.name)
        fresh.rmdir()
        return path

    def _write(self, folder: Path, vectors_only: bool) -> None:
        folder.mkdir(parents=True)
        model = self.merged()
        with quiet():
            (model.base_model if vectors_only else model).save_pretrained(str(folder), safe_serialization=True)
            self.tokenizer.save_pretrained(str(folder))
        write_reading(folder, self.reading, self.dim)

    def free(self) -> None:
        """Free the weights that ``tuning`` lets learn, freeze the others, set dropout; again where ``model`` is new."""
        torch = require("torch", extra="lm")
        mode = self.tuning.mode
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = self.tuning.dropout
            if isinstance(getattr(module, "attention_dropout", None), float):
                module.attention_dropout = self.tuning.dropout
        if mode == "full":
            return
        for p in self.model.parameters():
            p.requires_grad_(False)
        if mode == "last":
            for p in last_layers(self.body, self.tuning.layers):
                p.requires_grad_(True)
        elif mode == "lora":
            self._add_low_rank()
        for p in self.fresh:
            p.requires_grad_(True)

    def _add_low_rank(self) -> None:
        peft = require("peft", extra="lm")
        settings = peft.LoraConfig(
            r=self.tuning.rank,
            lora_alpha=self.tuning.alpha,
            lora_dropout=self.tuning.dropout,
            target_modules="all-linear",
        )
        # the additions are put into self.model's own layers; the wrapper is kept to merge them again
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an older name
            self._adapted = peft.get_peft_model(self.model, settings)


def last_layers(body: Any, n: int) -> Iterable[Any]:
    """Weights of the last ``n`` layers of a transformer, and of what comes after them.

    Raises
    ------
    ConfigError
        If no list of layers can be found.
    """
    torch = require("torch", extra="lm")
    lists = {name: m for name, m in body.named_modules() if isinstance(m, torch.nn.ModuleList) and len(m)}
    if not lists:
        raise ConfigError(f"{type(body).__name__} has no list of layers; choose tuning='full' or 'lora'")
    stem, layers = max(lists.items(), key=lambda item: len(item[1]))
    last = [f"{stem}.{i}." for i in range(max(0, len(layers) - n), len(layers))]
    names = [name for name, _ in body.named_parameters()]
    begin = max(i for i, name in enumerate(names) if name.startswith(f"{stem}."))
    return [
        p
        for i, (name, p) in enumerate(body.named_parameters())
        if i > begin or any(name.startswith(prefix) for prefix in last)
    ]


def write_reading(folder: Path, reading: Reading, dim: int) -> None:
    """Say in the files of sentence-transformers how the model pools and how far it reads."""
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    pooling = {"word_embedding_dimension": dim} | {k: m == reading.pooling for m, k in _POOLING_KEYS.items()}
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "2_Normalize").mkdir(exist_ok=True)
    for file, content in (
        ("modules.json", modules),
        ("1_Pooling/config.json", pooling),
        ("sentence_bert_config.json", {"max_seq_length": reading.max_tokens, "do_lower_case": False}),
    ):
        (folder / file).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
