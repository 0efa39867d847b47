"""What pages say, in each language: one file of messages a language, all with the same keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from starlette.requests import Request

from warmstart.serve.pages.sentences import Sentences, sentences_of

LANGUAGES = {"en": "English", "zh": "中文"}
COOKIE = "language"
PLURAL = " | "  # between what is said of one and of several


@dataclass(frozen=True)
class Words:
    """The messages of one language.

    Examples
    --------
    >>> words_of("en")("n.items", 3), words_of("en")("n.items", "1"), words_of("zh")("n.items", 3)
    ('3 items', '1 item', '3 个物品')
    """

    language: str
    messages: Mapping[str, str]

    def __call__(self, key: str, n: object = "", what: object = "") -> str:
        """A message by its key, with what it speaks of; of ``ONE | MANY`` the first where ``n`` is 1.

        Raises
        ------
        KeyError
            If there is no such message.
        """
        one, _, many = self.messages[key].partition(PLURAL)
        return (many if many and str(n) != "1" else one).format(n=n, what=what)

    def name(self, group: str, value: str) -> str:
        """What a value of the service is called, e.g. of the group ``slice``; itself where it has no other name.

        Examples
        --------
        >>> words_of("zh").name("slice", "cold"), words_of("zh").name("slice", "odd")
        ('冷启动', 'odd')
        """
        return self.messages.get(f"{group}.{value}", value)

    def said(self, text: str) -> str:
        """A sentence that the service wrote in English, in this language; as it is where it is data, or not known.

        Examples
        --------
        >>> words_of("zh").said("taken by 5 people"), words_of("en").said("taken by 5 people")
        ('5 人选过', 'taken by 5 people')
        """
        return self.sentences(text)

    @cached_property
    def sentences(self) -> Sentences:
        """Those of the language."""
        return sentences_of(self.language, self.name)


@cache
def words_of(language: str) -> Words:
    """The messages of a language of ``LANGUAGES``."""
    text = resources.files("warmstart.serve.pages").joinpath(f"words/{language}.toml").read_text(encoding="utf-8")
    return Words(language, _flat(tomllib.loads(text), ""))


def _flat(table: Mapping[str, object], before: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{key}.")
        else:
            found[before + key] = str(value)
    return found


def language_of(request: Request, otherwise: str) -> str:
    """The language a browser chose on a page, else the first it asks for that there is, else another."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return next((one for one in preferred(request.headers.get("accept-language", "")) if one in LANGUAGES), otherwise)


def preferred(header: str) -> list[str]:
    """Languages of ``Accept-Language``, the dearest first.

    Examples
    --------
    >>> preferred("de, en;q=0.5, zh-CN;q=0.9"), preferred("")
    (['de', 'zh', 'en'], [])
    """
    found = []
    for place, part in enumerate(header[:500].split(",")):
        name, _, weight = part.partition(";q=")
        try:
            found.append((-float(weight or 1), place, name.strip()[:2].lower()))
        except ValueError:
            continue
    return [name for _, _, name in sorted(found) if name]
