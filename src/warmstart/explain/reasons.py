"""Why an item is shown: exact contributions of the linear experts to its score.

The prior-mean EASE of the asker's history length is linear in the history: the contribution of history item
i to item j is ``data_ij + semantic_ij`` and the contributions add up to the expert's score. The content map is
linear in the attributes of j. Popularity is named as such.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.histories import Histories
from warmstart.experts.content import FittedContentMap
from warmstart.experts.features import FittedFeatures, attribute_tokens, fact_tokens
from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.panel import Panel


@dataclass(frozen=True)
class Contribution:
    """What one item of the history adds to the score.

    Parameters
    ----------
    item_id, title
        The item of the history.
    data
        Part learned from what people did.
    content
        Part learned from what the items are.
    """

    item_id: str
    title: str
    data: float
    content: float


@dataclass(frozen=True)
class Evidence:
    """All that speaks for one item.

    Parameters
    ----------
    expert
        Name of the linear expert that the contributions belong to; None for an empty history.
    score
        Its score: the sum of all contributions, data and content.
    contributions
        Every history item, strongest first.
    attributes
        Attributes and facts of the item that fit the history or the typed text, strongest first, with their share.
    people
        How many people took the item.
    """

    expert: str | None
    score: float
    contributions: tuple[Contribution, ...]
    attributes: tuple[tuple[str, float], ...]
    people: int

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def sentences(self, most: int = 3) -> list[str]:
        """The strongest reasons in words."""
        out = []
        for c in [c for c in self.contributions if c.data + c.content > 0][:most]:
            why = "others who took it took this too" if c.data >= c.content else "they are alike"
            out.append(f"because of {c.title} ({why})")
        if self.attributes:
            out.append("because of " + ", ".join(describe(token) for token, _ in self.attributes[:most]))
        if self.people:
            out.append(f"taken by {self.people:,} {'person' if self.people == 1 else 'people'}")
        else:
            out.append("nobody has met it yet: its content speaks for it")
        return out


def describe(token: str) -> str:
    """A token in words.

    Examples
    --------
    >>> describe("genres=drama"), describe("film.directed_by>Lem")
    ('genres: drama', 'directed by: Lem')
    """
    for mark in ("=", ">", "<"):
        if mark in token:
            relation, value = token.split(mark, 1)
            return f"{relation.split('.')[-1].replace('_', ' ')}: {value}"
    return token


@dataclass(frozen=True)
class Explainer:
    """Takes fitted experts apart."""

    panel: Panel
    features: FittedFeatures
    catalog: Catalog
    graph: KnowledgeGraph | None
    counts: np.ndarray

    @staticmethod
    def linear(panel: Panel, length: int) -> tuple[str, FittedPriorMeanEASE] | None:
        """The prior-mean EASE that fits the history's length: the weakest ridge for a long one."""
        found = [(n, e) for n, e in panel.experts.items() if isinstance(e, FittedPriorMeanEASE)]
        if not found or length == 0:
            return None
        return found[0] if length > 10 else found[len(found) // 2] if length > 2 else found[-1]

    def evidence(self, h: Histories, item: int) -> Evidence:
        """Evidence for an item, given one query (``len(h) == 1``)."""
        panel, h = self.panel.about(item, h)
        linear = self.linear(panel, int(h.lengths[0]))
        contributions: list[Contribution] = []
        score = 0.0
        if linear is not None:
            rows = np.unique(h.row(0))
            data, content = linear[1].weights(rows, item)
            score = float(data.sum() + content.sum())
            for at in np.argsort(-(data + content), kind="stable"):
                code = int(rows[at])
                contributions.append(
                    Contribution(
                        self.catalog.items.ids[code], self.catalog.title(code), float(data[at]), float(content[at])
                    )
                )
        name = None if linear is None else linear[0]
        return Evidence(name, score, tuple(contributions), self._attributes(panel, h, item), int(self.counts[item]))

    def _attributes(self, panel: Panel, h: Histories, item: int, most: int = 5) -> tuple[tuple[str, float], ...]:
        """Tokens of the item by how much the content map's score owes to each; positive ones only."""
        maps = [e for e in panel.experts.values() if isinstance(e, FittedContentMap)]
        if not maps or not (h.lengths[0] or (h.vectors is not None and h.vectors[0].any())):
            return ()
        taste = maps[0].taste(h)[0]
        one = Catalog(self.catalog.table[item : item + 1])
        f, found = self.features, []
        width = (f.attribute.basis.shape[1], f.facts.basis.shape[1])
        start = len(taste) - 1 - len(f.centres) - sum(width)
        for tokens, space, scale, at in (
            (attribute_tokens(one.table), f.attribute, f.scales[1], start),
            (fact_tokens(one, self.graph), f.facts, f.scales[2], start + width[0]),
        ):
            row = space.sparse(tokens)
            pull = space.basis @ taste[at : at + space.basis.shape[1]]
            norm = max(float(np.linalg.norm(row @ space.basis)), 1e-9)
            names = list(space.tokens)
            found += [(names[c], float(scale * v * pull[c] / norm)) for c, v in zip(row.indices, row.data, strict=True)]
        return tuple(sorted([t for t in found if t[1] > 0], key=lambda t: -t[1])[:most])
