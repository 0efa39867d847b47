"""Names that a graph already knows, found in texts word by word: Aho-Corasick over all names at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from warmstart.data.names import tidy_name
from warmstart.errors import require
from warmstart.text.transformer import Progress

LIBRARY = "ahocorasick"
RELATION = "mentions"
SURE = 0.9  # confidence: letter for letter, but another may have the same name
SHORTEST = 3  # characters of a Chinese name
STEP = 1000  # texts between two notes of progress


def find_mentions(
    texts: Sequence[str], names: Mapping[str, str], progress: Progress | None = None
) -> tuple[list[list[tuple[str, float]]], int]:
    """Entities that texts name, letter for letter; of names that overlap the longest.

    Names count as whole words only, and need a capital letter and two words, or three Chinese characters: one word
    alone mostly means something else (Michael, Western). A name that two entities have is looked for in no text.

    Parameters
    ----------
    texts
        Any.
    names
        Entity -> its name.
    progress
        Called with (texts done, all texts).

    Returns
    -------
    tuple
        Of each text entities with their confidence, which is 0.9. And how many names were passed over because two
        entities have them.

    Raises
    ------
    MissingExtra
        If pyahocorasick is not installed.

    Examples
    --------
    >>> find_mentions(["Ridley Scott's Alien", "a ridley scott"], {"m.1": "Ridley Scott", "m.2": "Scott"})
    ([[('m.1', 0.9)], []], 0)
    """
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for entity, name in names.items():
        if _tells_apart(tidied := tidy_name(name)):
            owners[tidied].append(entity)
    single = {name: entities[0] for name, entities in owners.items() if len(entities) == 1}
    automaton = require("ahocorasick", extra="graph-text").Automaton()
    for name, entity in single.items():
        automaton.add_word(name, (name, entity))
    found: list[list[tuple[str, float]]] = []
    if single:
        automaton.make_automaton()
    for done, text in enumerate(texts, start=1):
        plain = " ".join(text.split())
        hits = [
            (end + 1 - len(name), name, entity) for end, (name, entity) in (automaton.iter(plain) if single else ())
        ]
        found.append(_longest(plain, hits))
        if progress and (done % STEP == 0 or done == len(texts)):
            progress(done, len(texts))
    return found, len(owners) - len(single)


def _longest(text: str, hits: Sequence[tuple[int, str, str]]) -> list[tuple[str, float]]:
    """Whole words, longest first, none over another; each entity once, in order of the text."""
    taken: list[tuple[int, int, str]] = []
    for start, name, entity in sorted(hits, key=lambda hit: -len(hit[1])):
        end = start + len(name)
        if _whole(text, start, end) and all(end <= a or start >= b for a, b, _ in taken):
            taken.append((start, end, entity))
    return [(entity, SURE) for entity in dict.fromkeys(entity for _, _, entity in sorted(taken))]


def _whole(text: str, start: int, end: int) -> bool:
    """Whether no word goes on beyond either end; Chinese is written without blanks."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if _chinese(text[start]):
        return True
    return not (before.isalnum() and not _chinese(before)) and not (after.isalnum() and not _chinese(after))


def _chinese(text: str) -> bool:
    return "\u3400" <= text[:1] <= "\u9fff"


def _tells_apart(name: str) -> bool:
    if _chinese(name):
        return len(name) >= SHORTEST
    return " " in name and any(c.isupper() for c in name)
