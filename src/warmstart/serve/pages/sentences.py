"""Sentences the service writes in English, wherever, told in the language of a page; what is data stays as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources

from warmstart.data.relation_names import CHINESE
from warmstart.explain.path_translation import PathTranslation

FIGURE = r"[-+0-9.,%e]+"
FIGURES = frozenset({"n", "m", "k", "low", "high", "share", "count"})  # places that hold figures
PLACE = re.compile(r"{(\w+)}")
LONGEST, DEEPEST = 2_000, 4  # characters of a text that is looked at, and sentences within each other
BETWEEN = "; "  # sentences of one line
GROUPS = {"kind": "kind", "listed": "slice"}  # places that hold words, and their group of messages
Name = Callable[[str, str], str]
Other = Callable[[str], str | None]  # tells sentences of its own; None of others


@dataclass(frozen=True)
class Sentence:
    """An English sentence with places, and the same in another language."""

    english: re.Pattern[str]
    other: str

    @classmethod
    def of(cls, english: str, other: str) -> Sentence:
        """From two texts with the same places in braces."""
        parts = PLACE.split(english)
        shapes = [re.escape(part) if at % 2 == 0 else _shape(part) for at, part in enumerate(parts)]
        return cls(re.compile("".join(shapes), re.DOTALL), other)


def _shape(place: str) -> str:
    return f"(?P<{place}>{FIGURE if place in FIGURES else '.+?'})"


@dataclass(frozen=True)
class Sentences:
    """All sentences of one language.

    Parameters
    ----------
    known
        The first that fits counts.
    name
        What a value of a group of messages is called.
    others
        Who tells sentences that no pattern holds: paths through a graph, whose words have a table of their own.

    Examples
    --------
    >>> said = Sentences((Sentence.of("taken by {n} people", "{n} 人选过"),), lambda group, value: value)
    >>> said("taken by 1,234 people"), said("Taken by the Sea")
    ('1,234 人选过', 'Taken by the Sea')
    """

    known: tuple[Sentence, ...]
    name: Name
    others: tuple[Other, ...] = ()

    def __call__(self, text: str) -> str:
        """A text in the language, or as it is where it is none of the sentences."""
        told = self.told(text)
        return text if told is None else told

    def told(self, text: str, depth: int = DEEPEST) -> str | None:
        """A text in the language; None where it is none of the sentences, or holds others deeper than ``depth``."""
        if len(text) > LONGEST or not depth:
            return None
        for other in self.others:
            if (told := other(text)) is not None:
                return told
        for one in self.known:
            found = one.english.fullmatch(text)
            places = None if found is None else self._places(found.groupdict(), depth - 1)
            if places is not None:
                return one.other.format(**places)
        several = text.split(BETWEEN)
        first = self.told(several[0], depth - 1) if len(several) > 1 else None
        return None if first is None else self.each(text, depth - 1)

    def each(self, text: str, depth: int) -> str:
        """Several sentences in one line; what is none by itself belongs to the one before (a title may hold a "; ")."""
        parts: list[str] = []
        for part in text.split(BETWEEN):
            if parts and self.told(part, depth) is None:
                parts[-1] += BETWEEN + part
            else:
                parts.append(part)
        return "；".join(self.told(part, depth) or part for part in parts)

    def _places(self, places: Mapping[str, str], depth: int) -> dict[str, str] | None:
        """What stands in the places; None where one that holds a sentence holds none that is known."""
        found = {}
        for place, value in places.items():
            group = GROUPS.get(place)
            if place.startswith("said_"):
                told = self.told(value, depth)
                if told is None:
                    return None
                found[place] = told
            elif group is not None:
                found[place] = "、".join(self.name(group, word) for word in value.split(", "))
            else:
                found[place] = self.each(value, depth) if place.startswith("each_") else value
        return found


def sentences_of(language: str, name: Name) -> Sentences:
    """The sentences of a language; none of English."""
    file = resources.files("warmstart.serve.pages").joinpath(f"words/sentences.{language}.toml")
    known = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    others = (PathTranslation(),) if language == CHINESE else ()
    return Sentences(tuple(Sentence.of(english, other) for english, other in known.items()), name, others)
