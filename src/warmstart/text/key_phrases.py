"""Key phrases of texts, by KeyBERT over any of our encoders: those that mean nearly what the text means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from warmstart.errors import ConfigError, require
from warmstart.text.base import TextEncoder
from warmstart.text.transformer import Progress

LIBRARY = "keybert"
CHUNK = 1000  # texts whose phrases are compared at once
_CLAUSE = re.compile(r"[^\w\s'\u2019-]+|\d+")
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+(?:['\u2019-][^\W\d_\u3400-\u9fff]+)*|[\u3400-\u9fff]+")


@dataclass(frozen=True)
class PhraseSettings:
    """Which phrases are taken.

    Parameters
    ----------
    most
        Phrases a text, at most.
    least
        Least cosine of phrase and text, in (0, 1): the confidence.
    least_items
        Texts that must hold a phrase: one that a single item has ties it to nothing.
    diversity
        Weight of being unlike the phrases taken before, 0..1 (maximal marginal relevance).
    """

    most: int = 5
    least: float = 0.3
    least_items: int = 2
    diversity: float = 0.5

    def __post_init__(self) -> None:
        if self.most < 1 or self.least_items < 1:
            raise ConfigError(f"most={self.most}, least_items={self.least_items}: both count from 1; give 1 or more")
        if not (0 < self.least < 1 and 0 <= self.diversity <= 1):
            raise ConfigError(f"least={self.least:g}, diversity={self.diversity:g} are not within 0 to 1")


def key_phrases(
    texts: Sequence[str], encoder: TextEncoder, settings: PhraseSettings | None = None, progress: Progress | None = None
) -> list[list[tuple[str, float]]]:
    """Phrases of each text with their confidence, the likest first.

    Candidates are words and pairs of neighbouring words without a stop word between (Chinese text is segmented by
    rjieba) that enough texts hold. KeyBERT ranks a text's candidates by the cosine of their vectors to the text's, each
    choice weighed against its likeness to those before (Grootendorst, KeyBERT, 2020; Carbonell and Goldstein, 1998).

    Parameters
    ----------
    texts
        Any; an empty one has no phrase.
    encoder
        Gives texts and phrases their vectors.
    settings
        None = the defaults.
    progress
        Called with (texts done, all texts).

    Raises
    ------
    MissingExtra
        If KeyBERT is not installed.
    """
    settings = settings or PhraseSettings()
    held = [candidates(text) for text in texts]
    met = Counter(phrase for row in held for phrase in set(row))
    known = sorted(phrase for phrase, n in met.items() if n >= settings.least_items)
    if not known:
        return [[] for _ in texts]
    model, vectorizer = _model(encoder), _vectorizer(known)
    words = encoder.encode(known)
    found: list[list[tuple[str, float]]] = []
    for start in range(0, len(texts), CHUNK):
        part = list(texts[start : start + CHUNK])
        told = model.extract_keywords(
            [*part, ""],  # KeyBERT answers one text otherwise than several
            vectorizer=vectorizer,
            top_n=settings.most,
            use_mmr=True,
            diversity=settings.diversity,
            doc_embeddings=np.vstack([encoder.encode(part), np.zeros((1, words.shape[1]), np.float32)]),
            word_embeddings=words,
        )
        found += [[(p, min(c, 1.0)) for p, c in row if c >= settings.least] for row in told[: len(part)]]
        if progress:
            progress(min(start + CHUNK, len(texts)), len(texts))
    return found


def candidates(text: str) -> list[str]:
    """Words, and pairs of them that stand together: lower case, without stop words, numbers, or what is too short.

    Examples
    --------
    >>> candidates("A serial killer on the run")
    ['serial', 'killer', 'run', 'serial killer']
    >>> candidates("关于太空旅行的电影")
    ['太空', '旅行', '电影', '太空旅行']
    """
    single: list[str] = []
    double: list[str] = []
    for clause in _CLAUSE.split(text.lower()):
        row = [word for run in _WORD.findall(clause) for word in _cut(run)]
        kept = [word if _says_something(word) else "" for word in row]
        single += [word for word in kept if word]
        double += [_joined(a, b) for a, b in pairwise(kept) if a and b]
    return list(dict.fromkeys([*single, *double]))


def _cut(run: str) -> list[str]:
    if "\u3400" <= run[0] <= "\u9fff":
        import rjieba  # a dictionary of its own, read where there is Chinese alone

        return list(rjieba.cut(run))
    return [run.replace("\u2019", "'").removesuffix("'s")]


def _joined(one: str, two: str) -> str:
    return one + two if "\u3400" <= one[0] <= "\u9fff" and "\u3400" <= two[0] <= "\u9fff" else f"{one} {two}"


def _says_something(word: str) -> bool:
    chinese = "\u3400" <= word[:1] <= "\u9fff"
    return len(word) >= (2 if chinese else 3) and word not in _stop_words()


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    more = {
        "关于",
        "一个",
        "他们",
        "我们",
        "自己",
        "以及",
        "这个",
        "那个",
        "因为",
        "没有",
        "成为",
        "但是",
        "发现",
        "开始",
    }
    return (
        frozenset(ENGLISH_STOP_WORDS) | more | {"don't", "doesn't", "can't", "isn't", "it's", "gets", "finds", "takes"}
    )


def _model(encoder: TextEncoder):  # type: ignore[no-untyped-def]  # noqa: ANN202 - of a library that is optional
    keybert = require("keybert", extra="graph-text")
    base = require("keybert.backend", extra="graph-text").BaseEmbedder

    class Ours(base):  # type: ignore[misc, valid-type]
        """Our encoder as KeyBERT asks for one."""

        def embed(self, documents: Sequence[str], verbose: bool = False) -> np.ndarray:
            return encoder.encode(list(documents))

    return keybert.KeyBERT(model=Ours())


def _vectorizer(known: Sequence[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - scikit-learn is untyped
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(analyzer=candidates, vocabulary=known)
