"""Names that mean the same: written alike but for case, accents or punctuation, or with one word misspelled."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

MARKS = re.compile("[\u0300-\u036f]")  # of Latin, Greek and Cyrillic letters; those of kana change the sound
PUNCTUATION = re.compile(r"[^\w\s]|_")
APOSTROPHE = re.compile(r"['\u2019`]")
EDGES = " \t\n,;|/\u3001\uff0c\uff1b"
SHORTEST = 6  # letters of a word that may be misspelled: of shorter ones one letter makes another word
LONG = 9  # letters of a word from which two slips are allowed
CROWD = 2000  # names of a group, beyond which they are not compared
COMMONER = 5  # times as common a name has to be for a rarer one to be it with a letter replaced, or two slips
SUFFIXES = frozenset(
    {"jr", "sr", "junior", "senior", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"}
)


@dataclass(frozen=True)
class Merge:
    """Two spellings that became one name.

    Parameters
    ----------
    kept, merged
        The name that stays, and the one that goes.
    why
        ``"spelling"`` (equal but for case, accents, punctuation) or ``"near"`` (one word misspelled).
    score
        Likeness by rapidfuzz, 0..100.
    kept_count, merged_count
        Cells that had either, before.
    """

    kept: str
    merged: str
    why: str
    score: float
    kept_count: int
    merged_count: int


def tidy_name(text: str) -> str:
    """A name as it is kept: NFKC, single blanks, no separators at its ends.

    Examples
    --------
    >>> tidy_name("  Quentin\u3000Tarantino, "), tidy_name("Ａｌｉｅｎ")
    ('Quentin Tarantino', 'Alien')
    """
    return " ".join(unicodedata.normalize("NFKC", text).split()).strip(EDGES)


def name_key(name: str) -> str:
    """What names are compared by: no case, no accents, no punctuation; ``Last, First`` turned round.

    Examples
    --------
    >>> name_key("Tchéky Karyo"), name_key("Scott, Ridley"), name_key("O'Neill, Ed"), name_key("Sci-Fi")
    ('tcheky karyo', 'ridley scott', 'ed oneill', 'sci fi')
    """
    last, comma, first = name.partition(", ")
    turned = comma and "," not in first and name_key(first) not in SUFFIXES
    plain = f"{first} {last}" if turned else name
    folded = MARKS.sub("", unicodedata.normalize("NFKD", plain)).casefold().replace("&", " and ")
    key = " ".join(PUNCTUATION.sub(" ", APOSTROPHE.sub("", folded)).split())
    return unicodedata.normalize("NFC", key) or name


def same_spelling(counts: Mapping[str, int]) -> tuple[dict[str, str], list[Merge]]:
    """Name -> the commonest of the spellings that have its key, and what was merged.

    Examples
    --------
    >>> same_spelling({"Sci-Fi": 3, "sci fi": 1})[0]
    {'Sci-Fi': 'Sci-Fi', 'sci fi': 'Sci-Fi'}
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in counts:
        groups[name_key(name)].append(name)
    kept, merges = {}, []
    for names in groups.values():
        best = min(names, key=lambda name: (-counts[name], name.isupper(), name.islower(), name.isascii(), name))
        for name in names:
            kept[name] = best
            if name != best:
                score = float(fuzz.ratio(best, name))
                merges.append(Merge(best, name, "spelling", score, counts[best], counts[name]))
    return kept, merges


def near_duplicates(counts: Mapping[str, int], threshold: float = 90.0) -> list[Merge]:
    """Rarer names that are a commoner one with one word misspelled.

    Two names are near if they have the same words but one, in the same places, and that word has six letters or more,
    starts alike, occurs in no other name, so that it is no word of its own, and lacks a letter, has one too many, or
    two in the wrong order. A letter replaced by another (Howitt, Hewitt) makes mostly another name: that, and two slips
    in nine letters or more, count only where one name is five times as common as the other. Initials, numbers, ``Jr.``
    and Roman numerals must be equal. Names that differ in blanks alone are near, too.

    Parameters
    ----------
    counts
        Name -> cells that have it. Spellings are expected to be joined already (``same_spelling``).
    threshold
        Least likeness of the whole names by ``rapidfuzz.fuzz.ratio``, 0..100.

    Examples
    --------
    >>> [(m.kept, m.merged) for m in near_duplicates({"Quentin Tarantino": 3, "Quentin Tarantno": 1})]
    [('Quentin Tarantino', 'Quentin Tarantno')]
    >>> near_duplicates({"Rocky II": 2, "Rocky III": 1, "J. Smith": 2, "John Smith": 1, "Jon Smith": 1})
    []
    """
    keys = {name: name_key(name).split() for name in counts}
    met = Counter(word for words in keys.values() for word in set(words))
    order = sorted(counts, key=lambda name: (-counts[name], name))
    rank = {name: place for place, name in enumerate(order)}
    near: defaultdict[str, set[tuple[float, int, str]]] = defaultdict(set)
    for block in _blocks(keys):
        for kept, other in combinations(sorted(block, key=rank.__getitem__), 2):
            one, two = keys[kept], keys[other]
            score = float(fuzz.ratio(" ".join(one), " ".join(two), score_cutoff=threshold))
            clear = counts[kept] >= COMMONER * counts[other]
            if score and ("".join(one) == "".join(two) or _misspelled(one, two, met, clear=clear)):
                near[other].add((score, -rank[kept], kept))
    return _merged(near, order, counts)


def _merged(
    near: Mapping[str, set[tuple[float, int, str]]], order: Iterable[str], counts: Mapping[str, int]
) -> list[Merge]:
    """Each name into the likest one that is kept itself: what goes is near what stays, not near a neighbour of it."""
    gone: set[str] = set()
    merges = []
    for other in order:
        kept = [choice for choice in near.get(other, ()) if choice[2] not in gone]
        if kept:
            score, _, name = max(kept)
            gone.add(other)
            merges.append(Merge(name, other, "near", score, counts[name], counts[other]))
    return merges


def _blocks(keys: Mapping[str, list[str]]) -> Iterable[list[str]]:
    """Groups of names worth comparing: equal without blanks, or all words but one in common and that one nearly.

    One slip cannot be both among the first three and among the last three letters of a word of six. Where thousands
    begin or end alike they are codes, not names, and are not compared.
    """
    groups: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, words in keys.items():
        groups["", "".join(words)].append(name)
        for place, word in enumerate(words):
            if len(word) >= SHORTEST and not any(c.isdigit() for c in word):
                rest = (*words[:place], "*", *words[place + 1 :])
                groups["first", word[:3], *rest].append(name)
                groups["last", word[0], word[-3:], *rest].append(name)
    return (group for group in groups.values() if 1 < len(group) <= CROWD)


def _misspelled(one: list[str], two: list[str], met: Mapping[str, int], *, clear: bool) -> bool:
    """Whether the second name is the first with one long word misspelled that occurs nowhere else.

    ``clear`` says that the first is so much commoner that a replaced letter, or two slips, are taken for slips.
    """
    if len(one) != len(two):
        return False
    places = [at for at, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    if len(places) != 1:
        return False
    a, b = one[places[0]], two[places[0]]
    shortest = min(len(a), len(b))
    if shortest < SHORTEST or a[0] != b[0] or met[b] > 1:
        return False
    if {a, b} & SUFFIXES or any(c.isdigit() for c in a + b):
        return False
    if clear:
        allowed = 2 if shortest >= LONG else 1
        return OSA.distance(a, b, score_cutoff=allowed) <= allowed
    moved = len(a) == len(b) and sorted(a) == sorted(b)
    return OSA.distance(a, b, score_cutoff=1) == 1 and (moved or len(a) != len(b))
