"""What befalls texts: typing errors, lost words, keywords stuffed in. Seeded, for English and for Chinese."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.errors import ConfigError
from warmstart.learn.settings import choose
from warmstart.text.tfidf import terms

KINDS = ("typos", "drop", "stuff")
POPULAR = 50  # keywords among which a stuffer chooses
_HAN = "\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"([{_HAN}]|[^\W_{_HAN}]+(?:['’][^\W_{_HAN}]+)*)")
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_MOST_COMMON = 0.1  # share of texts above which a term says nothing


@dataclass(frozen=True)
class Attack:
    """An attack on texts.

    Parameters
    ----------
    kind
        "typos": in a share ``rate`` of the words one letter is mistyped (a neighbour on the keyboard), swapped with the
        next, left out or doubled. "drop": a share of the words is left out. "stuff": popular keywords are appended, in
        number a share of the words, at least one.
    rate
        In (0, 1].
    seed
        With the text itself it fixes what happens to it, wherever in a list it stands.
    keywords
        What "stuff" appends, see ``popular_keywords``.
    """

    kind: str
    rate: float = 0.2
    seed: int = 0
    keywords: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        choose("attack", self.kind, KINDS)
        if not 0 < self.rate <= 1:
            raise ConfigError(f"rate={self.rate} is not in (0, 1]; it is a share of a text's words")
        if self.kind == "stuff" and not self.keywords:
            raise ConfigError("attack='stuff' has no keywords to stuff in; give those of popular_keywords")

    def on(self, texts: Sequence[str]) -> list[str]:
        """The texts under attack; empty ones stay empty.

        Parameters
        ----------
        texts
            Of any language; a Chinese character counts as a word.

        Examples
        --------
        >>> Attack("typos", 0.5).on(["A cowboy doll is jealous.", "流浪地球的故事"])
        ['A cowboy doll i jealous.', '流的球故事事']
        """
        if self.kind == "stuff":
            return [stuffed(t, self.keywords, self.rate, self._rng(t)) for t in texts]
        change = typos if self.kind == "typos" else dropped
        return [change(t, self.rate, self._rng(t)) for t in texts]

    def chance(self, text: str) -> float:
        """A number in [0, 1) that goes with a text and the seed."""
        return float(np.random.default_rng([self.seed, 1, _code(text)]).random())

    def _rng(self, text: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, 0, _code(text)])


def typos(text: str, rate: float, rng: np.random.Generator) -> str:
    """A text in which every word has suffered one typing error with probability ``rate``."""
    pieces = _WORD.split(text)
    for i in range(1, len(pieces), 2):
        if rng.random() >= rate:
            continue
        if not _is_han(pieces[i]):
            pieces[i] = _mistyped(pieces[i], rng)
        elif i + 2 < len(pieces) and _is_han(pieces[i + 2]) and not pieces[i + 1] and rng.random() < 1 / 3:
            pieces[i], pieces[i + 2] = pieces[i + 2], pieces[i]
        else:
            pieces[i] *= 2 * int(rng.random() < 0.5)
    return "".join(pieces)


def dropped(text: str, rate: float, rng: np.random.Generator) -> str:
    """A text without a random share of its words; one word stays at least."""
    pieces = _WORD.split(text)
    words = np.arange(1, len(pieces), 2)
    gone = words[rng.random(len(words)) < rate]
    if len(gone) and len(gone) == len(words):
        gone = np.delete(gone, rng.integers(len(gone)))
    for i in gone:
        pieces[i] = ""
    return re.sub(r"\s{2,}", " ", "".join(pieces)).strip() if len(gone) else text


def stuffed(text: str, keywords: Sequence[str], rate: float, rng: np.random.Generator) -> str:
    """A text with popular keywords at its end: as many as ``rate`` of its words, at least one."""
    words = len(_WORD.findall(text))
    if not words or not keywords:
        return text
    n = max(1, round(rate * words))
    chosen = rng.choice(len(keywords), min(n, len(keywords)), replace=False)
    return " ".join([text, *(keywords[i] for i in chosen)])


def popular_keywords(texts: Sequence[str], counts: np.ndarray, n: int = POPULAR) -> tuple[str, ...]:
    """The words of items that people choose: what a seller would stuff into a text of his own.

    Terms by the sum of events over the items whose texts hold them, times ``log(n_texts / n_with_term)``; those in
    more than a tenth of the texts, in one text alone, of one character or two letters are left out.

    Parameters
    ----------
    texts
        One an item.
    counts
        Events of each item, shape (len(texts),).
    n
        Keywords, best first.

    Examples
    --------
    >>> texts = ["space opera", "space war", *["tea party"] * 2, *["old book"] * 16]
    >>> popular_keywords(texts, np.array([9, 8, 1, 1, *[5] * 16]), 3)
    ('space', 'party', 'tea')
    """
    found: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for text, count in zip(texts, counts.tolist(), strict=True):
        for term in set(terms(text)):
            found[term] += 1
            events[term] += count
    most = max(2.0, _MOST_COMMON * len(texts))
    known = {t: m for t, m in found.items() if 2 <= m <= most and len(t) > (1 if _is_han(t) else 2)}
    value = {t: events[t] * np.log(len(texts) / m) for t, m in known.items()}
    return tuple(sorted(value, key=lambda t: (-value[t], t))[:n])


def _mistyped(word: str, rng: np.random.Generator) -> str:
    """A word with one letter wrong; a letter that is on no key is doubled instead."""
    i, how = int(rng.integers(len(word))), int(rng.integers(4))
    if how == 0 and (near := _NEAR.get(word[i].lower(), "")):
        key = near[rng.integers(len(near))]
        return word[:i] + (key.upper() if word[i].isupper() else key) + word[i + 1 :]
    if len(word) > 1 and how == 1:
        i = min(i, len(word) - 2)
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if len(word) > 1 and how == 2:
        return word[:i] + word[i + 1 :]
    return word[: i + 1] + word[i:]


def _code(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _is_han(word: str) -> bool:
    return bool(re.match(f"[{_HAN}]", word))


def _neighbours() -> dict[str, str]:
    """The keys beside each key."""
    at = {key: (row, column + row / 2) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}
    return {
        a: "".join(b for b, (r, c) in at.items() if a != b and abs(r - y) <= 1 and abs(c - x) <= 1)
        for a, (y, x) in at.items()
    }


_NEAR = _neighbours()
