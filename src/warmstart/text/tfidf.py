"""TF-IDF and a truncated SVD, fitted on the catalogue itself: needs no weights and knows no language."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from warmstart.errors import ArtefactError
from warmstart.text.weights import fingerprint_of
from warmstart.text.whiten import unit_rows

LOG = logging.getLogger(__name__)
MAX_CHARS = 20_000
MAX_TERMS = 50_000
_TERM = re.compile(r"[^\W_\u3400-\u9fff]+|[\u3400-\u9fff]+")
_NAMES = ("tfidf.json", "tfidf.npz")


def terms(text: str) -> list[str]:
    """Lower-case words; of Chinese, characters and pairs of neighbours.

    Examples
    --------
    >>> terms("Alien 3: 流浪地")
    ['alien', '3', '流', '浪', '地', '流浪', '浪地']
    """
    out: list[str] = []
    for run in _TERM.findall(text[:MAX_CHARS].lower()):
        chinese = "\u3400" <= run[0] <= "\u9fff"
        out += [*run, *(run[i : i + 2] for i in range(len(run) - 1))] if chinese else [run]
    return out


class TfidfEncoder:
    """``norm(norm((1 + log tf) idf) V)``; texts without a known term get a zero row.

    Parameters
    ----------
    vocabulary
        Terms, in column order.
    idf
        float32, shape (n_terms,).
    components
        float32, shape (n_terms, dim).

    Examples
    --------
    >>> e = TfidfEncoder.fit(["space horror", "space opera", "romantic comedy", "comedy horror"], dim=3)
    >>> z = e.encode(["horror in space", "space horror"])
    >>> e.dim, round(float(z[0] @ z[1]), 3)
    (3, 1.0)
    """

    def __init__(self, vocabulary: Sequence[str], idf: np.ndarray, components: np.ndarray) -> None:
        self._vocabulary = {term: column for column, term in enumerate(vocabulary)}
        self._idf, self._components = idf, components
        self.dim = int(components.shape[1])
        content = idf.tobytes().hex() + components.tobytes().hex()
        self.fingerprint = fingerprint_of("tfidf", "\n".join(vocabulary), content)

    @classmethod
    def fit(cls, texts: Sequence[str], dim: int = 256, seed: int = 0) -> TfidfEncoder:
        """Learn terms and directions from texts; ``dim`` is an upper bound.

        Texts without any word give zero rows: such a catalogue is recommended from by what people do.
        """
        from sklearn.utils.extmath import randomized_svd  # a second of import, needed here only

        found = Counter(term for text in texts for term in set(terms(text)))
        rarest = 2 if len(texts) >= 50 else 1
        frequent = sorted(((-n, t) for t, n in found.items() if n >= rarest))[:MAX_TERMS]
        if not frequent:
            LOG.warning("none of %d texts holds a word; items are told apart by what people do alone", len(texts))
            return cls([""], np.ones(1, np.float32), np.zeros((1, 1), np.float32))
        vocabulary = sorted(t for _, t in frequent)
        idf = np.array([np.log((1 + len(texts)) / (1 + found[t])) + 1 for t in vocabulary], np.float32)
        matrix = _weights(texts, {t: c for c, t in enumerate(vocabulary)}, idf)
        _, _, rows = randomized_svd(matrix, min(dim, *matrix.shape), random_state=seed)
        return cls(vocabulary, idf, np.ascontiguousarray(rows.T, np.float32))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim), unit rows; zero rows for empty texts."""
        return unit_rows(_weights(texts, self._vocabulary, self._idf) @ self._components)

    def spec(self) -> dict[str, str]:
        """What ``encoder_from_spec`` needs besides the folder."""
        return {"kind": "tfidf", "fingerprint": self.fingerprint}

    def save(self, folder: Path) -> None:
        """Write terms as JSON and arrays as .npz."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _NAMES[0]).write_text(json.dumps(list(self._vocabulary), ensure_ascii=False), encoding="utf-8")
        np.savez(folder / _NAMES[1], idf=self._idf, components=self._components)

    @classmethod
    def load(cls, folder: Path) -> TfidfEncoder:
        """Read what ``save`` wrote.

        Raises
        ------
        ArtefactError
            If the files are missing or cannot be read.
        """
        try:
            vocabulary = json.loads((folder / _NAMES[0]).read_text(encoding="utf-8"))
            with np.load(folder / _NAMES[1], allow_pickle=False) as arrays:
                return cls(vocabulary, arrays["idf"], arrays["components"])
        except (OSError, ValueError, KeyError) as error:
            raise ArtefactError(
                f"{folder} holds no readable TF-IDF encoder ({error}); save the engine again"
            ) from error


def _weights(texts: Sequence[str], vocabulary: dict[str, int], idf: np.ndarray) -> sp.csr_matrix:
    """Unit rows of (1 + log tf) idf: float32 CSR, shape (n_texts, n_terms)."""
    columns, values, indptr = [], [], [0]
    for text in texts:
        counts = Counter(vocabulary[t] for t in terms(text) if t in vocabulary)
        row = np.fromiter(sorted(counts), np.int64, len(counts))
        weight = (1 + np.log(np.fromiter((counts[c] for c in row), np.float64, len(row)))) * idf[row]
        columns.append(row)
        values.append(weight / (np.linalg.norm(weight) or 1))
        indptr.append(indptr[-1] + len(row))
    flat = np.concatenate(values) if values else np.empty(0)
    at = np.concatenate(columns) if columns else np.empty(0, np.int64)
    return sp.csr_matrix((flat.astype(np.float32), at, indptr), shape=(len(texts), len(vocabulary)))
