"""A table of token vectors of our own making: a lookup and a sum, no torch, some ten thousand texts a second."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from warmstart.text.card import CARD, Shortening, read_card, write_card
from warmstart.text.reading import CHARS_A_TOKEN
from warmstart.text.transformer import Progress
from warmstart.text.weights import fingerprint_of
from warmstart.text.whiten import unit_rows

KIND = "static-table"
FILES = ("table.npz", "tokenizer.json")
_CHUNK = 2048  # texts summed at once


class StaticTable:
    """``vector(text) = unit(unit(sum over tokens of factor_t codes_t) + offset)``; unknown tokens count nothing.

    Parameters
    ----------
    folder
        Holds ``table.npz`` (``codes`` int8, shape (n_tokens, dim); ``factors`` float32, shape (n_tokens,); ``offset``
        float32, shape (dim,): what the vectors of all texts have in common), ``tokenizer.json`` and ``encoder.json``,
        as ``write_table`` makes it; the checksums are verified.
    progress
        Called with (texts done, texts in all).

    Raises
    ------
    ArtefactError
        If the folder is incomplete, changed or of a newer format.
    """

    def __init__(self, folder: str | Path, progress: Progress | None = None) -> None:
        self.folder, self.progress = Path(folder), progress
        card = read_card(self.folder, FILES)
        self.ending, limit = Shortening.of(self.folder, card), int(card["max_tokens"])
        self.dim, self._max_chars = self.ending.dim, limit * CHARS_A_TOKEN
        self._files = (*FILES, *self.ending.files)
        named = (*(self.folder / f for f in FILES), str(limit), *self.ending.key(self.folder))
        self.fingerprint = fingerprint_of(KIND, *named)
        from tokenizers import Tokenizer  # heavy, and not needed before the first encoder

        with np.load(self.folder / FILES[0], allow_pickle=False) as arrays:
            self._codes, self._factors, self._offset = arrays["codes"], arrays["factors"], arrays["offset"]
        self._tokenizer = Tokenizer.from_file(str(self.folder / FILES[1]))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(limit)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim), unit rows; zero rows for texts without a known token."""
        out = np.zeros((len(texts), self.ending.dim_in), np.float32)
        for start in range(0, len(texts), _CHUNK):
            part = [t[: self._max_chars] for t in texts[start : start + _CHUNK]]
            ids = [t.ids for t in self._tokenizer.encode_batch_fast(part, add_special_tokens=False)]
            sums = self._sums(ids)
            out[start : start + len(part)] = (unit_rows(sums) + self._offset) * sums.any(axis=1, keepdims=True)
            if self.progress:
                self.progress(start + len(part), len(texts))
        return self.ending.apply(out)

    def _sums(self, ids: list[list[int]]) -> np.ndarray:
        """Sums of scaled codes, one a text; only rows in use become float32."""
        ends = np.cumsum([0, *(len(i) for i in ids)])
        flat = np.fromiter((i for text in ids for i in text), np.int64, int(ends[-1]))
        flat = np.where(flat < len(self._factors), flat, 0) if len(flat) else flat
        used, at = np.unique(flat, return_inverse=True)
        counts = sp.csr_matrix((self._factors[flat], at.ravel(), ends), shape=(len(ids), len(used)))
        sums: np.ndarray = counts @ self._codes[used].astype(np.float32)
        return sums

    def spec(self) -> dict[str, str]:
        """What ``encoder_from_spec`` needs besides the folder."""
        return {"kind": KIND, "fingerprint": self.fingerprint}

    def save(self, folder: Path) -> None:
        """Copy table, tokenizer and card into a folder, which then needs nothing else."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*self._files, CARD):
            if (self.folder / name).resolve() != (folder / name).resolve():
                shutil.copyfile(self.folder / name, folder / name)


def write_table(
    folder: Path, vectors: np.ndarray, weights: np.ndarray, offset: np.ndarray, tokenizer: str, max_tokens: int
) -> Path:
    """Write a folder that ``StaticTable`` reads.

    Parameters
    ----------
    vectors
        float, shape (n_tokens, dim), by token id; rounded to int8 with a scale a token.
    weights
        float, shape (n_tokens,): how much a token counts; 0 = not at all.
    offset
        float, shape (dim,).
    tokenizer
        The content of ``tokenizer.json``.
    max_tokens
        Tokens of a text that are read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scale = np.abs(vectors).max(axis=1) / 127
    codes = np.rint(vectors / np.where(scale > 0, scale, 1)[:, None]).astype(np.int8)
    factors = (weights * scale).astype(np.float32)
    np.savez(folder / FILES[0], codes=codes, factors=factors, offset=offset.astype(np.float32))
    (folder / FILES[1]).write_text(tokenizer, encoding="utf-8")
    write_card(folder, {"kind": KIND, "dim": int(vectors.shape[1]), "max_tokens": max_tokens}, FILES)
    return folder
