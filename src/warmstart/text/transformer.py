"""Any transformer as an encoder, by torch: the reference the lighter ones are measured against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from warmstart.errors import ArtefactError, require
from warmstart.text.reading import CHARS_A_TOKEN, Reading, source_fingerprint
from warmstart.text.weights import MINILM, fingerprint_of, is_gguf, weights_folder
from warmstart.text.whiten import unit_rows

Progress = Callable[[int, int], None]
_READING = Lock()  # of a GGUF file: what reads it is another meanwhile


class TransformerEncoder:
    """Encodes with torch and transformers, in float32, texts of like length together.

    Parameters
    ----------
    name
        A folder or a model name (see ``weights_folder``).
    batch_size
        Texts a step.
    progress
        Called with (texts done, texts in all) after every step.

    Raises
    ------
    MissingExtra
        If torch or transformers is not installed.
    """

    def __init__(self, name: str | Path = MINILM, batch_size: int = 32, progress: Progress | None = None) -> None:
        self.name, self.batch_size, self.progress = str(name), batch_size, progress
        folder = weights_folder(self.name)
        self._reading = Reading.of(folder)
        self._tokenizer, self._model = load_transformer(folder)
        self.dim = int(self._model.config.hidden_size)
        self.fingerprint = fingerprint_of("transformer", source_fingerprint(folder))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim), unit rows; zero rows for empty texts."""
        out = np.zeros((len(texts), self.dim), np.float32)
        order = sorted((i for i, t in enumerate(texts) if t.strip()), key=lambda i: -len(texts[i]))
        for start in range(0, len(order), self.batch_size):
            at = order[start : start + self.batch_size]
            out[at] = self._batch([texts[i] for i in at])
            if self.progress:
                self.progress(min(start + self.batch_size, len(order)), len(order))
        return unit_rows(out)

    @property
    def depth(self) -> int:
        """Layers of the model."""
        return int(self._model.config.num_hidden_layers)

    def _batch(self, texts: list[str]) -> np.ndarray:
        torch = require("torch", extra="lm")
        limit = self._reading.max_tokens
        cut = [t[: limit * CHARS_A_TOKEN] for t in texts]
        tokens = self._tokenizer(cut, padding=True, truncation=True, max_length=limit, return_tensors="pt")
        with torch.inference_mode():
            states = self._model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
            vectors: np.ndarray = pooled(
                states.last_hidden_state, tokens["attention_mask"], self._reading.pooling
            ).numpy()
        return vectors

    def spec(self) -> dict[str, str]:
        """What ``encoder_from_spec`` needs."""
        return {"kind": "transformer", "name": self.name, "fingerprint": self.fingerprint}

    def save(self, folder: Path) -> None:
        """Nothing to keep: weights stay where they are and are found by name."""


def pooled(states: Any, mask: Any, pooling: str) -> Any:
    """Token states (n, tokens, dim) and their mask (n, tokens), right-padded, to vectors (n, dim); torch tensors."""
    if pooling == "cls":
        return states[:, 0]
    if pooling == "last":
        torch = require("torch", extra="lm")
        return states[torch.arange(len(states)), mask.sum(1) - 1]
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1)


HEADS = {
    "none": "AutoModel",
    "masked": "AutoModelForMaskedLM",
    "causal": "AutoModelForCausalLM",
    "text-to-text": "AutoModelForSeq2SeqLM",
}


def load_transformer(source: Path, head: str = "none", **options: str) -> tuple[Any, Any]:
    """As ``load_with_head``, without the names.

    Raises
    ------
    ArtefactError
        If files are missing or are not those of a transformer.
    """
    tokenizer, model, _ = load_with_head(source, head, **options)
    return tokenizer, model


def load_with_head(source: Path, head: str = "none", **options: str) -> tuple[Any, Any, frozenset[str]]:
    """Tokenizer (right-padding) and model in evaluation mode, float32, without a word on the terminal.

    Parameters
    ----------
    source
        A transformer's folder or a GGUF file.
    head
        "none", or the language-model head: "masked", "causal" or, of an encoder with a decoder, "text-to-text".

    Returns
    -------
    Tokenizer, model, and the names of weights of the head that no file had and that begin at random.

    Raises
    ------
    ArtefactError
        If files are missing, are not those of a transformer, lack weights of its body, or a tokenizer that knows words.
    """
    transformers, torch = require("transformers", extra="lm"), require("torch", extra="lm")
    options |= {"gguf_file": source.name} if is_gguf(source) else {}
    where = str(source.parent if is_gguf(source) else source)
    maker = getattr(transformers, HEADS[head])
    try:
        with quiet(), _read_once() if is_gguf(source) else nullcontext():
            tokenizer = transformers.AutoTokenizer.from_pretrained(where, padding_side="right", **options)
            how = _unpacked(transformers) if is_gguf(source) else {"use_safetensors": True}
            model, report = maker.from_pretrained(
                where, dtype=torch.float32, output_loading_info=True, **how, **options
            )
    except Exception as error:  # the library's own errors are many: no such file, no such key, not a tokenizer
        reason = " ".join(str(error).split())[:200]
        raise ArtefactError(
            f"{source} cannot be loaded as a transformer ({reason}); save model and tokenizer there again"
        ) from error
    body = "" if head == "none" else f"{model.base_model_prefix}."
    missing = {name for name in report["missing_keys"] if "pooler" not in name}
    if lost := sorted(name for name in missing if name.startswith(body)):
        raise ArtefactError(f"{source} lacks {len(lost)} weights, {lost[0]!r} among them; save the whole model again")
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):  # made up by the library, to read nothing with
        raise ArtefactError(f"{source} has a tokenizer without words (tokenizer.json is missing); save it there again")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if quantizer := getattr(model, "hf_quantizer", None):
        quantizer.remove_quantization_config(model)  # its weights are plain numbers now, and may be saved
    return tokenizer, model.eval(), frozenset(missing)


def _unpacked(transformers: Any) -> dict[str, Any]:
    """What makes the weights of a GGUF file plain numbers, which can learn; older versions know no other way."""
    config = getattr(transformers, "GgufConfig", None)
    return {} if config is None else {"quantization_config": config(dequantize=True)}


@contextmanager
def _read_once() -> Iterator[None]:
    """Let transformers read the header of a GGUF file once, not anew for tokenizer, configuration and weights.

    The header holds every word of the tokenizer, a quarter of a million in Gemma. Its reader cuts them out of a
    memory map one by one; out of a plain array over the same memory that takes half as long.
    """
    gguf: Any = require("gguf", extra="lm")
    plain = property(lambda self: self._plain, lambda self, mapped: setattr(self, "_plain", np.asarray(mapped)))
    with _READING:
        own = gguf.GGUFReader
        gguf.GGUFReader = lru_cache(maxsize=1)(type("PlainReader", (own,), {"data": plain}))
        try:
            yield
        finally:
            gguf.GGUFReader = own


@contextmanager
def quiet() -> Iterator[None]:
    """Switch off transformers' own progress bars and reports while weights are read or written."""
    logging = require("transformers", extra="lm").utils.logging
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
