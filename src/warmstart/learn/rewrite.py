"""Rewriting by a text-to-text model: paraphrase by one, back-translation by two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warmstart.errors import require
from warmstart.learn.settings import at_least
from warmstart.text.reading import CHARS_A_TOKEN, source_fingerprint
from warmstart.text.transformer import load_transformer
from warmstart.text.weights import cache_home, weights_folder

FILE = "rewritten.jsonl"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Writing:
    """How a text is written: by beam search, so that it depends on the text alone, not on its neighbours in a batch.

    Parameters
    ----------
    variants
        The best so many ways to say it are kept; which of them is taken is drawn.
    beams
        Ways that are followed at once, at least as many as variants.
    longest
        Tokens of a text, read or written.
    batch
        Texts a step.
    """

    variants: int = 2
    beams: int = 4
    longest: int = 128
    batch: int = 16

    def __post_init__(self) -> None:
        for name in ("variants", "longest", "batch"):
            at_least(name, getattr(self, name), 1)
        at_least("beams", self.beams, self.variants)


class Rewriter:
    """A text-to-text model that says a text anew; what it said is kept and not computed twice.

    Parameters
    ----------
    name
        A folder or a model name of a sequence-to-sequence transformer (T5, BART, Marian ...).
    prompt
        Put before each text, e.g. "paraphrase: " or "translate English to German: ".
    writing
        How it writes.
    cache
        Folder of the file that keeps what was said; the user's cache if None.
    progress
        Called with (texts done, texts to write) after every batch.

    Raises
    ------
    ConfigError, ArtefactError
        If there is no such model, or it is none from text to text.
    """

    def __init__(
        self,
        name: str | Path,
        prompt: str = "",
        writing: Writing | None = None,
        cache: str | Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.name, self.prompt, self.writing, self.progress = str(name), prompt, writing or Writing(), progress
        folder = weights_folder(self.name)
        self._tokenizer, self._model = load_transformer(folder, "text-to-text")
        self._file = Path(cache or cache_home()) / FILE
        self._stamp = f"{source_fingerprint(folder)}\0{prompt}\0{self.writing}"
        self._known = _read(self._file)

    def __call__(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """One of the variants of each text, drawn; an ``Augment``."""
        drawn = rng.integers(self.writing.variants, size=len(texts)).tolist()
        return [variants[v] for variants, v in zip(self.variants(texts), drawn, strict=True)]

    def variants(self, texts: Sequence[str]) -> list[list[str]]:
        """All variants of each text, the likeliest first; what the model makes nothing of stays as it is."""
        keys = [self._key(text) for text in texts]
        missing = {k: t for k, t in zip(keys, texts, strict=True) if t.strip() and k not in self._known}
        for start in range(0, len(missing), self.writing.batch):
            part = dict(list(missing.items())[start : start + self.writing.batch])
            self._keep(dict(zip(part, self._write(list(part.values())), strict=True)))
            if self.progress:
                self.progress(min(start + self.writing.batch, len(missing)), len(missing))
        as_it_is = [""] * self.writing.variants
        return [[v or t for v in self._known.get(k, as_it_is)] for k, t in zip(keys, texts, strict=True)]

    def _write(self, texts: list[str]) -> list[list[str]]:
        torch, w = require("torch", extra="lm"), self.writing
        cut = [self.prompt + t[: w.longest * CHARS_A_TOKEN] for t in texts]
        batch = self._tokenizer(cut, padding=True, truncation=True, max_length=w.longest, return_tensors="pt")
        inputs = {k: v for k, v in batch.items() if k in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            ids = self._model.generate(
                **inputs, num_beams=w.beams, num_return_sequences=w.variants, do_sample=False, max_new_tokens=w.longest
            )
        said = [t.strip() for t in self._tokenizer.batch_decode(ids, skip_special_tokens=True)]
        return [said[i : i + w.variants] for i in range(0, len(said), w.variants)]

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self._stamp}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()

    def _keep(self, said: dict[str, list[str]]) -> None:
        self._known |= said
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps([key, said[key]], ensure_ascii=False) + "\n" for key in said)


@dataclass(frozen=True)
class BackTranslation:
    """There into another language and back (Sennrich et al. 2016, arXiv:1511.06709): an ``Augment``.

    Parameters
    ----------
    there, back
        Two text-to-text models.
    """

    there: Rewriter
    back: Rewriter

    def __call__(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """As many texts, said anew."""
        return self.back(self.there(texts, rng), rng)


def _read(file: Path) -> dict[str, list[str]]:
    """What was kept; a line that was cut by a crash is left out."""
    known: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            key, variants = json.loads(line)
        except ValueError:
            continue
        known[key] = variants
    return known
