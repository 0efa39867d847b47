"""A transformer as a table of token vectors: no attention, no torch, a sum.

A token's vector is the teacher's for this token alone, in its principal directions; frequent tokens count less (Arora
et al. 2017, A simple but tough-to-beat baseline for sentence embeddings, section 3); the idea of both together is that
of Model2Vec (https://github.com/MinishLab/model2vec). Two closed fits to the teacher's vectors of texts follow, both to
what is left of them when their mean is taken off: the mean would drown everything else, and least squares would shrink
the rest towards it. It is put back when a text is encoded.

1. ``min_W ||S W - T||^2 + l1 ||W||^2`` with S the weighted means of token vectors and T the teacher's vectors, centred;
2. ``min_D ||A (E + D) - T||^2 + l2 ||D||^2`` over the table itself, with A the weights of tokens in texts:
   ``D = A' (A A' + l2 I)^-1 (T - A E)``; tokens that no text has keep what they had.

l1 and l2 are those that keep most neighbours of a tenth of the texts; then all texts are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from warmstart.errors import DataError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.quantise import overlap
from warmstart.learn.settings import at_least
from warmstart.text.static_table import write_table
from warmstart.text.transformer import pooled
from warmstart.text.whiten import Whitening, unit_rows

Progress = Callable[[int, int], None]
MAX_TEXTS = 6000  # the second fit solves a system of this size
MIN_TEXTS = 20
_BATCH = 512
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0)  # l1 and l2, as shares of the mean diagonal
_NONE = np.inf  # a ridge so large that nothing is fitted


@dataclass(frozen=True)
class StaticDistillation:
    """Settings.

    Parameters
    ----------
    directions
        Principal directions kept of the token vectors.
    rarity
        a in the weight ``a / (a + p)`` of a token of probability p.
    vocabulary
        Tokens in the table at most: those of the texts first, then those of lowest id.
    seed
        Decides which texts choose the ridges.
    """

    directions: int = 256
    rarity: float = 1e-2
    vocabulary: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        at_least("directions", self.directions, 1)
        at_least("vocabulary", self.vocabulary, 1)


@dataclass(frozen=True, eq=False)
class TokenTable:
    """``vector = unit(unit(mean of vectors, weighted) + offset)``.

    Parameters
    ----------
    vectors
        float32, shape (n_tokens, dim).
    weights
        float32, shape (n_tokens,); 0 = the token counts nothing.
    offset
        float32, shape (dim,): the mean of the teacher's vectors, in units of their usual distance from it.
    """

    vectors: np.ndarray
    weights: np.ndarray
    offset: np.ndarray

    def shares(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        """Weights of tokens in texts, rows summing to 1, from counts (n_texts, n_tokens)."""
        weighted = sp.csr_matrix(counts @ sp.diags(self.weights))
        total = np.asarray(weighted.sum(axis=1)).ravel()
        return sp.csr_matrix(sp.diags(1 / np.where(total > 0, total, 1)) @ weighted)

    def encode(self, counts: sp.csr_matrix) -> np.ndarray:
        """float32, shape (n_texts, dim), unit rows."""
        return unit_rows(unit_rows(self.shares(counts) @ self.vectors) + self.offset)


def distil_static(
    teacher: Backbone,
    texts: Sequence[str],
    vectors: np.ndarray,
    folder: Path,
    settings: StaticDistillation | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a folder that ``StaticTable`` reads; its vectors are as long as the teacher's.

    Parameters
    ----------
    teacher
        Any backbone.
    texts, vectors
        Texts and the teacher's vectors of them, float32, shape (n, dim), unit rows.
    folder
        Is made.
    progress
        Called with (tokens done, tokens in all).

    Raises
    ------
    DataError
        If there are fewer than 20 texts.
    """
    s = settings or StaticDistillation()
    if len(texts) < MIN_TEXTS:
        raise DataError(f"{len(texts)} texts; a token table needs {MIN_TEXTS} or more to be fitted on")
    counts = token_counts(teacher, texts)
    known = known_tokens(teacher, counts, s.vocabulary)
    raw = np.zeros((counts.shape[1], teacher.dim), np.float32)
    raw[known] = token_vectors(teacher, known, progress)
    table = fit_table(start_table(raw, known, counts, s), counts, vectors, s.seed)
    tokenizer = teacher.tokenizer.backend_tokenizer.to_str()
    return write_table(folder, table.vectors, table.weights, table.offset, tokenizer, teacher.reading.max_tokens)


def token_counts(teacher: Backbone, texts: Sequence[str]) -> sp.csr_matrix:
    """How often each token comes in each text: float32 CSR, shape (n_texts, n_tokens), special ones left out."""
    limit = teacher.reading.max_tokens
    ids = teacher.tokenizer(list(texts), add_special_tokens=False, truncation=True, max_length=limit)["input_ids"]
    rows = np.repeat(np.arange(len(ids)), [len(i) for i in ids])
    flat = np.array([i for text in ids for i in text], np.int64)
    return sp.csr_matrix((np.ones(len(flat), np.float32), (rows, flat)), shape=(len(ids), len(teacher.tokenizer)))


def known_tokens(teacher: Backbone, counts: sp.csr_matrix, at_most: int) -> np.ndarray:
    """Ids of the tokens that get a vector, ascending: int64; none of the special ones."""
    special = np.array(teacher.tokenizer.all_special_ids, np.int64)
    met = np.asarray(counts.sum(axis=0)).ravel() > 0
    order = np.argsort(~met, kind="stable")
    return np.sort(order[~np.isin(order, special)][:at_most])


def token_vectors(teacher: Backbone, ids: np.ndarray, progress: Progress | None = None) -> np.ndarray:
    """The teacher's vector of every token alone, between its usual special tokens: float32, shape (n, dim)."""
    torch = require("torch", extra="lm")
    bare = teacher.tokenizer("a", add_special_tokens=False)["input_ids"]
    framed = teacher.tokenizer("a")["input_ids"]
    at = next(i for i in range(len(framed)) if framed[i : i + len(bare)] == bare)
    before, after = framed[:at], framed[at + len(bare) :]
    out = np.zeros((len(ids), teacher.dim), np.float32)
    teacher.model.eval()
    for start in range(0, len(ids), _BATCH):
        rows = [[*before, int(i), *after] for i in ids[start : start + _BATCH]]
        with torch.inference_mode():
            batch = torch.tensor(rows, device=teacher.device)
            mask = torch.ones_like(batch)
            states = teacher.body(input_ids=batch, attention_mask=mask).last_hidden_state.float()
            out[start : start + len(rows)] = pooled(states, mask, teacher.reading.pooling).cpu().numpy()
        if progress:
            progress(start + len(rows), len(ids))
    return out


def start_table(raw: np.ndarray, known: np.ndarray, counts: sp.csr_matrix, s: StaticDistillation) -> TokenTable:
    """Principal directions and rarity weights of raw token vectors; nothing of whole texts yet."""
    total = np.asarray(counts.sum(axis=0)).ravel()
    p = (total + 1) / (total.sum() + len(known))
    weights = np.zeros(len(raw), np.float32)
    weights[known] = s.rarity / (s.rarity + p[known])
    directions = Whitening.fit(raw[known], min(s.directions, raw.shape[1]), relax=0.0)
    vectors = np.zeros((len(raw), directions.dim), np.float32)
    vectors[known] = (raw[known] - directions.mean) @ directions.components
    return TokenTable(vectors, weights, np.zeros(directions.dim, np.float32))


def fit_table(start: TokenTable, counts: sp.csr_matrix, vectors: np.ndarray, seed: int = 0) -> TokenTable:
    """The two closed fits of the module's first lines; the ridges are chosen on a tenth of the texts.

    Returns
    -------
    A table whose vectors are as long as the teacher's.
    """
    order = np.random.default_rng([seed, 3]).permutation(counts.shape[0])
    judge, rest = order[: max(1, len(order) // 10)], order[max(1, len(order) // 10) :]
    truth = vectors[judge] @ vectors[rest].T

    def neighbours(table: TokenTable) -> float:
        return overlap(table.encode(counts[judge]) @ table.encode(counts[rest]).T, truth)

    l1 = max(_RIDGES, key=lambda r: neighbours(_mapped(start, counts[rest], vectors[rest], r)))
    near = _mapped(start, counts[rest], vectors[rest], l1)
    l2 = max((*_RIDGES, _NONE), key=lambda r: neighbours(_refined(near, counts[rest], vectors[rest], r)))
    return _refined(_mapped(start, counts, vectors, l1), counts, vectors, l2)


def _mapped(table: TokenTable, counts: sp.csr_matrix, vectors: np.ndarray, ridge: float) -> TokenTable:
    """Fit 1: a linear map of all token vectors; weights sum to 1, so a map of tokens is one of texts."""
    s = table.shares(counts) @ table.vectors
    mean_s, mean_t = s.mean(axis=0), vectors.mean(axis=0)
    gram = (s - mean_s).T @ (s - mean_s)
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram) + 1e-12
    w = np.linalg.solve(gram, (s - mean_s).T @ (vectors - mean_t))
    known = (table.weights > 0)[:, None]
    mapped = (((table.vectors - mean_s) @ w) * known).astype(np.float32)
    usual = max(float(np.linalg.norm(vectors - mean_t, axis=1).mean()), 1e-6)
    return replace(table, vectors=mapped, offset=(mean_t / usual).astype(np.float32))


def _refined(table: TokenTable, counts: sp.csr_matrix, vectors: np.ndarray, ridge: float) -> TokenTable:
    """Fit 2: the table itself, by the dual system; of more than 6,000 texts the first 6,000."""
    if not np.isfinite(ridge):
        return table
    a, left = table.shares(counts[:MAX_TEXTS]), vectors[:MAX_TEXTS] - vectors.mean(axis=0)
    kernel = (a @ a.T).toarray().astype(np.float64)
    kernel[np.diag_indices_from(kernel)] += ridge * max(np.trace(kernel) / len(kernel), 1e-12)
    dual = np.linalg.solve(kernel, left - a @ table.vectors)
    return replace(table, vectors=(table.vectors + a.T @ dual).astype(np.float32))
