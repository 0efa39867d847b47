"""Paths in words: "You rated Alien -> directed by Ridley Scott -> Blade Runner", in English and Chinese."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from warmstart.data.relation_names import CHINESE, ENGLISH, Phrases, RelationNames
from warmstart.explain.paths import Path

Name = Callable[[str, str], str | None]  # entity and language -> what it is called
ARROW = " -> "
YOU = {ENGLISH: "You {did} {item}", CHINESE: "您{did} {item}"}
SHARES = {ENGLISH: "shares {what} with {item}", CHINESE: "与 {item} 有相同的{what}"}
VIA = {ENGLISH: "via {what}", CHINESE: "经由某个{what}"}
NAMELESS = {ENGLISH: "something without a name", CHINESE: "无名之物"}


@dataclass(frozen=True)
class ToldPath:
    """A path with its names and words.

    Parameters
    ----------
    path
        The path.
    names
        What its nodes are called; None = they have no name.
    text, text_zh
        In English and Chinese.
    effect
        What this item of the history adds to the content map's score by the last fact of the path (see
        ``reasons.Explainer.effects``); above 0 it is a reason. None = not measured.
    """

    path: Path
    names: tuple[str | None, ...]
    text: str
    text_zh: str
    effect: float | None = None

    def to_dict(self) -> dict[str, object]:
        """As plain values: ``nodes``, ``relations``, ``score``, ``effect``, ``text``, ``text_zh``."""
        path = self.path
        return {
            "nodes": [{"id": node, "name": name} for node, name in zip(path.nodes, self.names, strict=True)],
            "relations": [
                {"name": relation, "forward": forward}
                for relation, forward in zip(path.relations, path.forward, strict=True)
            ],
            "score": path.score,
            "effect": self.effect,
            "text": self.text,
            "text_zh": self.text_zh,
        }


@dataclass(frozen=True)
class Teller:
    """Tells paths.

    Parameters
    ----------
    relations
        Relations in words.
    name
        What an entity is called; None where it has but an id that says nothing.

    Examples
    --------
    >>> from warmstart.data.relation_names import relation_names
    >>> alien = Path(("m.1", "m.2", "m.3"), ("directed_by", "directed_by"), (True, False), 2.9)
    >>> known = {"m.1": "Alien", "m.3": "Blade Runner"}
    >>> Teller(relation_names(), lambda entity, _: known.get(entity)).text(alien, "rate")
    'You rated Alien -> shares a director with Blade Runner'
    >>> known["m.2"] = "Ridley Scott"
    >>> Teller(relation_names(), lambda entity, _: known.get(entity)).text(alien, "rate", "zh")
    '您评价过 Alien -> 由 Ridley Scott 执导 -> Blade Runner'
    """

    relations: RelationNames
    name: Name

    def told(self, path: Path, kind: str = "", effect: float | None = None) -> ToldPath:
        """A path in both languages; ``kind``: of the event that brought its first item into the history."""
        names = tuple(self.name(node, ENGLISH) for node in path.nodes)
        return ToldPath(path, names, self.text(path, kind), self.text(path, kind, CHINESE), effect)

    def text(self, path: Path, kind: str = "", language: str = ENGLISH) -> str:
        """A path in one language."""
        first = self.name(path.nodes[0], language) or path.nodes[0]
        start = YOU[language].format_map({"did": self.relations.did(kind, language), "item": first})
        return ARROW.join([start, *self.steps(path, language)])

    def steps(self, path: Path, language: str) -> list[str]:
        """What follows the item of the history."""
        last = self.name(path.nodes[-1], language) or path.nodes[-1]
        phrases = [self._read(r, f, language) for r, f in zip(path.relations, path.forward, strict=True)]
        middle = [
            self._step(phrase, self.name(node, language), language)
            for phrase, node in zip(phrases[:-1], path.nodes[1:-1], strict=True)
        ]
        if len(phrases) == 2 and path.relations[0] == path.relations[1] and path.forward[0] != path.forward[1]:
            if self.name(path.nodes[1], language):
                return [*middle, last]
            what = phrases[0].tail or phrases[0].forward.replace("{}", "").strip(" :")
            return [SHARES[language].format_map({"what": what, "item": last})]
        return [*middle, phrases[-1].forward.replace("{}", last)]

    def _read(self, relation: str, forward: bool, language: str) -> Phrases:
        phrases = self.relations(relation, language)
        return phrases if forward else phrases.turned

    @staticmethod
    def _step(phrase: Phrases, name: str | None, language: str) -> str:
        if name is not None:
            return phrase.forward.replace("{}", name)
        return VIA[language].format_map({"what": phrase.tail or NAMELESS[language]})
