"""Texts said a little differently: what must not matter to a model is varied while it learns.

Every augmentation is a function of texts and a generator to as many texts (``Augment``), so that any objective can
take it; the same generator gives the same texts. Words are what blanks separate; a Chinese character counts as a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from warmstart.errors import ConfigError

Augment = Callable[[Sequence[str], np.random.Generator], list[str]]

MASK = "[MASK]"
_HAN = "\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"\s*(?:[{_HAN}]|[^\s{_HAN}]+)")
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)\s*|[。！？]\s*|$)", re.DOTALL)


def words(text: str) -> list[str]:
    """A text's words, each with the blanks before it; joined they are the text again, but for blanks at its end.

    Examples
    --------
    >>> words("A cowboy doll."), words("流浪 地球")
    (['A', ' cowboy', ' doll.'], ['流', '浪', ' 地', '球'])
    """
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """The parts of a text that end with a full stop: title, lists, plot, as the default template writes them.

    Examples
    --------
    >>> sentences("Alien (1979). Horror, Sci-Fi. It costs 3.5 lives.")
    ['Alien (1979). ', 'Horror, Sci-Fi. ', 'It costs 3.5 lives.']
    """
    return _SENTENCE.findall(text)


def delete_words(text: str, rate: float, rng: np.random.Generator) -> str:
    """Each word is left out with probability ``rate``; at least one stays (Wei & Zou 2019, EDA, arXiv:1901.11196).

    Examples
    --------
    >>> delete_words("a b c d e f", 0.5, np.random.default_rng(0))
    'a e f'
    """
    return _kept(words(text), rate, rng)


def swap_words(text: str, rate: float, rng: np.random.Generator) -> str:
    """``rate`` times the number of words, at least once, two random words change places (arXiv:1901.11196).

    Examples
    --------
    >>> sorted(swap_words("a b c", 0.1, np.random.default_rng(0)).split())
    ['a', 'b', 'c']
    """
    found = words(text)
    if len(found) < 2 or not rate:
        return text
    bare = [w.strip() for w in found]
    for _ in range(max(1, round(rate * len(bare)))):
        i, j = rng.choice(len(bare), 2, replace=False)
        bare[i], bare[j] = bare[j], bare[i]
    return "".join(w[: len(w) - len(w.lstrip())] + b for w, b in zip(found, bare, strict=True))


def mask_words(text: str, rate: float, rng: np.random.Generator, mask: str = MASK) -> str:
    """Each word becomes the mask with probability ``rate``; at least one stays.

    Examples
    --------
    >>> mask_words("a b c d e f", 0.5, np.random.default_rng(0))
    'a [MASK] [MASK] [MASK] e f'
    """
    found = words(text)
    stays = _stays(len(found), rate, rng)
    return "".join(w if s else w[: len(w) - len(w.lstrip())] + mask for w, s in zip(found, stays, strict=True))


def drop_fields(text: str, rate: float, rng: np.random.Generator) -> str:
    """Each sentence (title, genres, plot ...) is left out with probability ``rate``; at least one stays.

    Examples
    --------
    >>> drop_fields("Alien (1979). Horror. A ship. A cat.", 0.5, np.random.default_rng(0))
    'Alien (1979).'
    """
    return _kept(sentences(text), rate, rng)


def drop_tokens(text: str, rate: float, rng: np.random.Generator, tokenizer: Any) -> str:
    """Each token of a model's own tokenizer is left out with probability ``rate``; at least one stays.

    Parameters
    ----------
    tokenizer
        A transformers tokenizer; its word pieces, not words, are what goes.
    """
    ids = np.asarray(tokenizer(text, add_special_tokens=False)["input_ids"], np.int64)
    stays = _stays(len(ids), rate, rng)
    return str(tokenizer.decode(ids[stays].tolist())).strip() if not stays.all() else text


@dataclass(frozen=True)
class Augmentation:
    """Which augmentations befall a text, one after another in this order; 0 switches one off.

    Parameters
    ----------
    field_dropout, deletion, swap, masking, token_dropout
        Rates in [0, 1).
    mixup
        Alpha >= 0 of the Beta distribution by which embeddings are mixed; see ``mixed``. Texts stay as they are.
    rewriter
        A text-to-text model's rewriting (back-translation, paraphrase; ``learn.rewrite``), before all others; or None.
    mask
        What a masked word becomes.
    tokenizer
        Needed by ``token_dropout``.

    Examples
    --------
    >>> twice = Augmentation(deletion=0.3, swap=0.2)
    >>> one, other = (twice(["a ship far away", ""], np.random.default_rng(3)) for _ in range(2))
    >>> one == other, one[1]
    (True, '')
    """

    field_dropout: float = 0.0
    deletion: float = 0.0
    swap: float = 0.0
    masking: float = 0.0
    token_dropout: float = 0.0
    mixup: float = 0.0
    rewriter: Augment | None = None
    mask: str = MASK
    tokenizer: Any = None

    def __post_init__(self) -> None:
        for name in ("field_dropout", "deletion", "swap", "masking", "token_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} is not in [0, 1); 0.1 is usual")
        if self.mixup < 0:
            raise ConfigError(f"mixup={self.mixup} is below 0; 0.2 is usual, 0 switches it off")
        if self.token_dropout and self.tokenizer is None:
            raise ConfigError("token_dropout drops a model's own tokens; give its tokenizer, or take deletion")

    @classmethod
    def of(cls, names: Sequence[str], rate: float = 0.2, tokenizer: Any = None, mask: str = MASK) -> Augmentation:
        """By name, all at one rate (for "mixup" its alpha).

        Raises
        ------
        ConfigError
            If a name is not known.

        Examples
        --------
        >>> Augmentation.of(["swap"]).swap
        0.2
        """
        known = [f.name for f in fields(cls) if f.name not in ("rewriter", "mask", "tokenizer")]
        for name in names:
            if name not in known:
                raise ConfigError(f"augmentation {name!r} is not known; choose among {', '.join(known)}")
        return cls(**dict.fromkeys(names, rate), mask=mask, tokenizer=tokenizer)  # type: ignore[arg-type]

    @property
    def changes_texts(self) -> bool:
        """Whether any text is touched; mix-up alone touches none."""
        return self.rewriter is not None or any(getattr(self, f.name) for f in fields(self)[:5])

    def __call__(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """As many texts; empty ones stay empty."""
        said = list(texts) if self.rewriter is None else self.rewriter(texts, rng)
        return [self._one(text, rng) if text.strip() else text for text in said]

    def _one(self, text: str, rng: np.random.Generator) -> str:
        for change, rate in ((drop_fields, self.field_dropout), (delete_words, self.deletion), (swap_words, self.swap)):
            text = change(text, rate, rng) if rate else text
        text = mask_words(text, self.masking, rng, self.mask) if self.masking else text
        return drop_tokens(text, self.token_dropout, rng, self.tokenizer) if self.token_dropout else text


def mixed(alpha: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """With whom each of n examples is mixed, and how much of it stays.

    ``x' = l x_i + (1 - l) x_j``, ``y' = l y_i + (1 - l) y_j`` with ``l ~ Beta(alpha, alpha)`` (Zhang et al. 2018,
    mixup, arXiv:1710.09412, equation 1), here on embeddings; ``max(l, 1 - l)`` is taken for l, so that an example stays
    mostly itself.

    Returns
    -------
    Partners, a permutation int64 of shape (n,), and l, float64 of shape (n,) in [0.5, 1]; all 1 for ``alpha = 0``.

    Examples
    --------
    >>> partner, share = mixed(0.2, 4, np.random.default_rng(0))
    >>> sorted(partner.tolist()), bool((share >= 0.5).all())
    ([0, 1, 2, 3], True)
    """
    share = rng.beta(alpha, alpha, n) if alpha else np.ones(n)
    return rng.permutation(n), np.maximum(share, 1 - share)


def _stays(n: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    stays = rng.random(n) >= rate
    if n and not stays.any():
        stays[rng.integers(n)] = True
    return stays


def _kept(parts: Sequence[str], rate: float, rng: np.random.Generator) -> str:
    stays = _stays(len(parts), rate, rng)
    return "".join(p for p, s in zip(parts, stays, strict=True) if s).strip()
