"""By what a smaller form of a model is judged: size, speed, likeness to the original, ranking kept."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warmstart.errors import require
from warmstart.learn.held_items import HeldItems
from warmstart.learn.quantise import FloatVectors, StoredVectors, overlap
from warmstart.text.whiten import unit_rows

K = 10


@dataclass(frozen=True)
class Judged:
    """What a form's vectors are worth.

    Parameters
    ----------
    cosine
        Mean over held-out texts to the original's vectors; NaN where lengths differ.
    neighbours
        Mean share of the original's ten nearest items of a held-out text that are among this form's ten nearest.
    ndcg, kept
        NDCG@10 of held-out items ranked among themselves by the cosine to the mean of a person's other items, as
        fine-tuning for retrieval validates; and the same over the original's.
    centred, centred_kept
        The same with the catalogue's mean taken off a person's vector, as the engine does (``Whitening``). A frozen
        model's vectors share a large mean; what merely removes it (``pca``, ``binary``) seems to gain in ``kept``.
    """

    cosine: float
    neighbours: float
    ndcg: float
    kept: float
    centred: float
    centred_kept: float


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    method
        What was done; "original" is the model in float32 under torch.
    encoder_mb, zipped_mb
        Files that serving needs, as they are and deflated, in 10^6 bytes.
    vectors_mb
        The catalogue's stored vectors.
    texts_a_second
        On one core: texts over seconds of processor time, so that other work on the machine does not count; NaN where
        nothing else computes than in the original.
    judged
        Likeness and ranking.
    folder
        Where it was written.
    note
        What else there is to say.
    """

    method: str
    encoder_mb: float
    zipped_mb: float
    vectors_mb: float
    texts_a_second: float
    judged: Judged
    folder: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Yardstick:
    """The original's vectors and the questions that every form has to answer.

    Parameters
    ----------
    held
        Who liked which held-out item.
    vectors
        Of the original, float32, shape (n_catalogue, dim), unit rows.
    """

    held: HeldItems
    vectors: np.ndarray

    def judge(self, stored: StoredVectors, queries: np.ndarray) -> Judged:
        """Likeness to the original and ranking of a form.

        Parameters
        ----------
        stored
            The catalogue's vectors, in its order.
        queries
            The same before they were stored, float32, unit rows: what the form's encoder gives.
        """
        h, known = self.held, stored.take(self.held.items)
        asked, true = queries[h.held], self.vectors[h.held]
        near = overlap(known.scores(asked), true @ self.vectors[h.items].T, K)
        plain, centred = (self._ndcg(stored, c) for c in (False, True))
        best, centred_best = (self._ndcg(FloatVectors(self.vectors), c) for c in (False, True))
        return Judged(self._cosine(stored), near, plain, plain / best, centred, centred / centred_best)

    def _ndcg(self, stored: StoredVectors, centred: bool) -> float:
        known = stored.take(self.held.items).decoded()
        people = self.held.history @ (known - known.mean(axis=0) if centred else known)
        return float(self.held.ndcg_rows(stored.take(self.held.held).scores(people), K).mean())

    def _cosine(self, stored: StoredVectors) -> float:
        mine, true = unit_rows(stored.take(self.held.held).decoded()), self.vectors[self.held.held]
        return float((mine * true).sum(axis=1).mean()) if mine.shape == true.shape else float("nan")


@contextmanager
def one_core() -> Iterator[None]:
    """Torch and tokenizers on one thread, as long as it lasts."""
    torch = require("torch", extra="lm")
    threads, parallel = torch.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if parallel is None:
            del os.environ["TOKENIZERS_PARALLELISM"]
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = parallel


def timed(encode: Callable[[Sequence[str]], np.ndarray], texts: Sequence[str]) -> tuple[np.ndarray, float]:
    """Vectors, and texts a second of processor time on one core, after a first call that does not count."""
    with one_core():
        encode(texts[:2])
        began = time.process_time()
        vectors = encode(texts)
        return vectors, len(texts) / max(time.process_time() - began, 1e-9)


def megabytes(files: Sequence[Path]) -> float:
    """Size of files in 10^6 bytes."""
    return sum(f.stat().st_size for f in files) / 1e6


def zipped_megabytes(files: Sequence[Path]) -> float:
    """The same after DEFLATE, which is what zip does."""
    total = 0
    for file in files:
        packer = zlib.compressobj(6)
        with file.open("rb") as source:
            while block := source.read(1 << 20):
                total += len(packer.compress(block))
        total += len(packer.flush())
    return total / 1e6
