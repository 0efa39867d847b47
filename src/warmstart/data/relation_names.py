"""Relations in plain words, in English and Chinese, by a table that a file of one's own extends."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from warmstart.data.graph import INVERSE
from warmstart.errors import ConfigError

ENGLISH, CHINESE = LANGUAGES = ("en", "zh")
END, PART = re.compile(r"[./:#]"), re.compile(r"[_\-\s]+|(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Phrases:
    """What a relation is called, in one language.

    Parameters
    ----------
    forward, back
        Read from the head, ``{}`` = the tail; and from the tail, ``{}`` = the head.
    tail, head
        What either end is called where it has no name; may be empty.
    """

    forward: str
    back: str
    tail: str = ""
    head: str = ""

    @property
    def turned(self) -> Phrases:
        """Of the relation told from the other end."""
        return Phrases(self.back, self.forward, self.head, self.tail)


@dataclass(frozen=True)
class RelationNames:
    """Phrases by relation and language, and what somebody did by kind of event.

    Parameters
    ----------
    relations
        Name, in small letters -> language -> phrases.
    events
        Kind of event, in small letters -> language -> what somebody did, e.g. "rated".

    Examples
    --------
    >>> names = relation_names()
    >>> names("film.film.directed_by").forward, names("film.director.film").forward
    ('directed by {}', 'director of {}')
    >>> names("film.film.directed_by", "zh").forward, names("film.film.costume_design").forward
    ('由 {} 执导', 'costume design: {}')
    >>> names.did("buy"), names.did("no such kind"), names.did("buy", "zh")
    ('bought', 'took', '买过')
    """

    relations: Mapping[str, Mapping[str, Phrases]]
    events: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, table: Mapping[str, Any], place: str) -> RelationNames:
        """From the plain values of a TOML table.

        Raises
        ------
        ConfigError
            If a section is not of the form that data/relation_names.toml explains.
        """
        for name in table.keys() - {"relations", "events"}:
            raise ConfigError(f"{place} has a section {name!r}; sections are [relations.NAME] and [events.NAME]")
        relations: dict[str, dict[str, Phrases]] = {}
        events: dict[str, dict[str, str]] = {}
        for name, section in sections(table, "relations", place):
            where = f"[relations.{name}] of {place}"
            known = {language: phrases(section[language], where) for language in LANGUAGES if language in section}
            turned = {language: one.turned for language, one in known.items()}
            for group, told in (("match", known), ("inverse", turned)):
                for alias in aliases(section, group, where, (name,) if group == "match" else ()):
                    relations.setdefault(alias, told)
        for name, section in sections(table, "events", place):
            where = f"[events.{name}] of {place}"
            said = {language: str(section[language]) for language in LANGUAGES if language in section}
            for alias in aliases(section, "match", where, (name,)):
                events.setdefault(alias, said)
        return cls(relations, events)

    def under(self, own: RelationNames) -> RelationNames:
        """With a table of one's own before this one, language by language."""
        return RelationNames(_joined(self.relations, own.relations), _joined(self.events, own.events))

    def __call__(self, relation: str, language: str = ENGLISH) -> Phrases:
        """Phrases of a relation; made of its name where the table has none."""
        if relation.startswith(INVERSE):
            return self(relation.removeprefix(INVERSE), language).turned
        whole = relation.strip().lower()
        for name in (whole, END.split(whole)[-1], END.split(whole)[-1].replace(" ", "_")):
            if language in self.relations.get(name, ()):
                return self.relations[name][language]
        return made(relation)

    def did(self, kind: str, language: str = ENGLISH) -> str:
        """What somebody did with an item, by kind of event."""
        usual = self.events[""][language]
        return self.events.get(kind.strip().lower(), {}).get(language, usual)


def made(relation: str) -> Phrases:
    """Words from any name: its last part, split at underscores and capitals.

    Examples
    --------
    >>> made("film.film.costume_design").back, made("tailoredBy").forward, made("tailoredBy").back
    ('costume design of {}', 'tailored by {}', 'tailored {}')
    """
    parts = [part for part in END.split(relation) if part.strip()]
    words = " ".join(PART.split(parts[-1])).strip().lower() if parts else relation
    safe = words.replace("{", "").replace("}", "")
    if safe.endswith(("ed by", "made by")):
        return Phrases(f"{safe} {{}}", f"{safe.removesuffix(' by')} {{}}")
    if safe.endswith((" by", " in", " of", " to", " on", " from", " for", " with")):
        return Phrases(f"{safe} {{}}", f"linked ({safe}) to {{}}")
    return Phrases(f"{safe}: {{}}", f"{safe} of {{}}")


def sections(table: Mapping[str, Any], group: str, place: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Sections of a group, by name.

    Raises
    ------
    ConfigError
        If there is anything else.
    """
    found = table.get(group, {})
    for name, section in found.items() if isinstance(found, Mapping) else [(group, found)]:
        if not isinstance(section, Mapping):
            raise ConfigError(f"{name} = {section!r} of {place} is no section; write [{group}.NAME]")
    return list(found.items())


def phrases(given: object, place: str) -> Phrases:
    """Three texts as phrases.

    Raises
    ------
    ConfigError
        If they are not three, or one of the first two has not exactly one place ``{}``.
    """
    if not (isinstance(given, list) and len(given) == 3 and all(isinstance(text, str) for text in given)):
        example = '["directed by {}", "director of {}", "a director"]'
        raise ConfigError(f"{place} has the phrases {given!r}; give three texts, e.g. {example}")
    for text in given[:2]:
        if text.count("{}") != 1 or text.count("{") != 1 or text.count("}") != 1:
            raise ConfigError(f"{place} has the phrase {text!r}; it takes exactly one {{}}, where the name goes")
    return Phrases(*given)


def aliases(section: Mapping[str, Any], group: str, place: str, usual: tuple[str, ...]) -> list[str]:
    """Names a section is found by, in small letters."""
    given = section.get(group, [])
    if not (isinstance(given, list) and all(isinstance(name, str) for name in given)):
        raise ConfigError(f"{place} has {group} = {given!r}; give a list of names")
    return [name.strip().lower() for name in [*given, *usual]]


@cache
def shipped() -> RelationNames:
    """The table of this package."""
    file = resources.files("warmstart.data").joinpath("relation_names.toml")
    return RelationNames.of(tomllib.loads(file.read_text(encoding="utf-8")), "relation_names.toml")


def relation_names(own: str | Path | None = None, usual: RelationNames | None = None) -> RelationNames:
    """The table of this package (or ``usual``), with a file of one's own before it.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no TOML, or has another form.
    """
    usual = usual or shipped()
    if own is None:
        return usual
    try:
        table = tomllib.loads(Path(own).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"names {own} cannot be read ({error.strerror}); give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"names {own} is no TOML: {error}; see docs/explanations.md") from error
    return usual.under(RelationNames.of(table, str(own)))


def _joined(usual: Mapping[str, Mapping[str, Any]], own: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**usual.get(name, {}), **own.get(name, {})} for name in [*usual, *own]}
