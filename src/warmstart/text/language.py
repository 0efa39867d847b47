"""Which script a text is written in: all that templates and the choice of an encoder need to know."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[^\W\d_\u3400-\u9fff\uf900-\ufaff]+")
LOOK_AT = 2000  # characters of a text, and texts of a catalogue, that are looked at


def is_chinese(text: str) -> bool:
    """Whether a text holds at least as many Chinese characters as words of other scripts.

    Examples
    --------
    >>> is_chinese("三体 (The Three-Body Problem)"), is_chinese("肖申克的救赎"), is_chinese("Alien")
    (False, True, False)
    """
    head = text[:LOOK_AT]
    han = len(_HAN.findall(head))
    return han > 0 and han >= len(_LATIN.findall(head))


def chinese_share(texts: Sequence[str]) -> float:
    """Share of Chinese among the texts that have any, in 0..1; an even sample of 2000 is looked at.

    Examples
    --------
    >>> chinese_share(["流浪地球", "Alien", "", "霸王别姬", "无间道"])
    0.75
    """
    step = max(1, len(texts) // LOOK_AT)
    sample = [t for t in texts[::step] if t.strip()]
    return sum(map(is_chinese, sample)) / len(sample) if sample else 0.0
