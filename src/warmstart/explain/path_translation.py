"""A path that was told in English, told in Chinese: for places that keep sentences, not paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from warmstart.data.relation_names import CHINESE, ENGLISH, RelationNames, relation_names
from warmstart.explain.path_words import ARROW, NAMELESS, SHARES, VIA, YOU

Pattern = tuple[re.Pattern[str], str]


@dataclass(frozen=True, eq=False)
class PathTranslation:
    """From English sentences of ``path_words.Teller`` to Chinese ones.

    Parameters
    ----------
    relations
        Relations in words.

    Examples
    --------
    >>> in_chinese = PathTranslation()
    >>> in_chinese("You rated Alien -> directed by Ridley Scott -> Blade Runner")
    '您评价过 Alien -> 由 Ridley Scott 执导 -> Blade Runner'
    >>> in_chinese("You took Alien -> shares a director with Blade Runner")
    '您选过 Alien -> 与 Blade Runner 有相同的导演'
    >>> in_chinese("You Only Live Twice") is None
    True
    """

    relations: RelationNames = field(default_factory=relation_names)

    def __call__(self, text: str) -> str | None:
        """The sentence in Chinese, names as they are; None where it is no path."""
        first, *steps = text.split(ARROW)
        start = self._fitting(self._starts, first)
        if start is None or not steps:
            return None
        return ARROW.join([start, *(self._fitting(self._steps, step) or step for step in steps)])

    @staticmethod
    def _fitting(patterns: list[Pattern], text: str) -> str | None:
        """The text in the words of the first pattern that fits."""
        for pattern, other in patterns:
            if found := pattern.fullmatch(text):
                return other.replace("{}", found.groupdict().get("name", ""))
        return None

    @cached_property
    def _starts(self) -> list[Pattern]:
        both = [(told[ENGLISH], told[CHINESE]) for told in self.relations.events.values() if len(told) > 1]
        return patterns(_framed(YOU, pair) for pair in both)

    @cached_property
    def _steps(self) -> list[Pattern]:
        known = [(told[ENGLISH], told[CHINESE]) for told in self.relations.relations.values() if len(told) > 1]
        ends = [(english.tail, chinese.tail) for english, chinese in known if english.tail and chinese.tail]
        shared = [_framed(frame, pair) for frame in (SHARES, VIA) for pair in (*ends, _pair(NAMELESS))]
        forward = [(english.forward, chinese.forward) for english, chinese in known]
        return patterns((*shared, *forward, *((english.back, chinese.back) for english, chinese in known)))


def patterns(pairs: Iterable[tuple[str, str]]) -> list[Pattern]:
    """English texts with a place ``{}``, or none, as patterns, the longest first; and the same in Chinese.

    Examples
    --------
    >>> [other for _, other in patterns([("by {}", "1 {}"), ("made by {}", "2 {}")])]
    ['2 {}', '1 {}']
    """
    texts = sorted(dict(pairs).items(), key=lambda pair: -len(pair[0]))
    return [(re.compile(re.escape(text).replace(r"\{\}", "(?P<name>.+)"), re.DOTALL), other) for text, other in texts]


def _pair(texts: Mapping[str, str]) -> tuple[str, str]:
    return texts[ENGLISH], texts[CHINESE]


def _framed(frame: Mapping[str, str], words: tuple[str, str]) -> tuple[str, str]:
    """A frame in both languages, its words filled in, the item left open."""
    english, chinese = ({"did": word, "what": word, "item": "{}"} for word in words)
    return frame[ENGLISH].format_map(english), frame[CHINESE].format_map(chinese)
