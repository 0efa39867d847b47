"""Static word vectors (wordllama): a table and a mean, for machines without time."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from warmstart.errors import ArtefactError, MissingExtra, require
from warmstart.text.weights import fingerprint_of
from warmstart.text.whiten import unit_rows

MAX_CHARS = 8192


class StaticEncoder:
    """The mean of the vectors of a text's word pieces; 256 numbers, English above all.

    The package's table and tokenizer are read directly: its own loader looks for the tokenizer on the hub.

    Raises
    ------
    MissingExtra
        If wordllama is not installed.
    ArtefactError
        If its files are not where they are expected.
    """

    def __init__(self) -> None:
        from tokenizers import Tokenizer  # heavy, and not needed before the first encoder

        table, tokenizer = _files()
        tensors = require("safetensors.numpy", extra="weights").load_file(str(table))
        self._table: np.ndarray = tensors["embedding.weight"]
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.dim = int(self._table.shape[1])
        self.fingerprint = fingerprint_of("wordllama", table, tokenizer)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim), unit rows; zero rows for empty texts."""
        out = np.zeros((len(texts), self.dim), np.float32)
        cut = [t[:MAX_CHARS] if t.strip() else "" for t in texts]
        for row, tokens in enumerate(self._tokenizer.encode_batch(cut, add_special_tokens=False)):
            if tokens.ids and cut[row]:
                out[row] = self._table[tokens.ids].astype(np.float32).mean(axis=0)
        return unit_rows(out)

    def spec(self) -> dict[str, str]:
        """What ``encoder_from_spec`` needs."""
        return {"kind": "wordllama", "fingerprint": self.fingerprint}

    def save(self, folder: Path) -> None:
        """Nothing to keep: the installed package is found by name."""


def _files() -> tuple[Path, Path]:
    """The package's table and tokenizer, found without importing it."""
    found = importlib.util.find_spec("wordllama")
    if found is None or found.origin is None:
        raise MissingExtra("'wordllama' is not installed; it is needed here: pip install 'warmstart[weights]'")
    home = Path(found.origin).parent
    files = home / "weights" / "l2_supercat_256.safetensors", home / "tokenizers" / "l2_supercat_tokenizer_config.json"
    for file in files:
        if not file.is_file():
            raise ArtefactError(f"{file} is missing; install wordllama again")
    return files
