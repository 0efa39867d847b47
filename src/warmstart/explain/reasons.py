"""Why an item is shown: exact contributions of the linear experts to its score.

The prior-mean EASE of the asker's history length is linear in the history: the contribution of history item
i to item j is ``data_ij + semantic_ij`` and the contributions add up to the expert's score. The content map is
linear in the attributes of j. Popularity is named as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.histories import Histories
from warmstart.experts.content import FittedContentMap
from warmstart.experts.features import FittedFeatures, attribute_tokens, read_columns
from warmstart.experts.graph_features import fact_tokens
from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.explain.facts import Facts


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
    words
        The attributes in plain words; facts whose other end has no name are left out.
    """

    expert: str | None
    score: float
    contributions: tuple[Contribution, ...]
    attributes: tuple[tuple[str, float], ...]
    people: int
    words: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def sentences(self, most: int = 3, said: Sequence[str] = ()) -> list[str]:
        """The strongest reasons in words; what was ``said`` already is not said again."""
        out = []
        for c in [c for c in self.contributions if c.data + c.content > 0][:most]:
            why = "others who took it took this too" if c.data >= c.content else "they are alike"
            out.append(f"because of {c.title} ({why})")
        words = [word for word in self.words if not any(word in sentence for sentence in said)]
        if words:
            out.append("because of " + ", ".join(words[:most]))
        if self.people:
            out.append(f"taken by {self.people:,} {'person' if self.people == 1 else 'people'}")
        else:
            out.append("nobody has met it yet: its content speaks for it")
        return out


def describe(token: str) -> str:
    """An attribute in words.

    Examples
    --------
    >>> describe("main_genres=drama")
    'main genres: drama'
    """
    column, _, value = token.partition("=")
    return f"{column.replace('_', ' ')}: {value}"


@dataclass(frozen=True)
class Explainer:
    """Takes fitted experts apart; what an item's tokens add to its features is looked up once."""

    panel: Panel
    features: FittedFeatures
    catalog: Catalog
    facts: Facts | None
    counts: np.ndarray
    _known: dict[int, tuple[list[str], np.ndarray]] = field(default_factory=dict, compare=False, repr=False)

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
        attributes = self._attributes(panel, h, item)
        return Evidence(
            name, score, tuple(contributions), attributes, int(self.counts[item]), self._words(t for t, _ in attributes)
        )

    def _words(self, tokens: Iterable[str]) -> tuple[str, ...]:
        """Tokens in words, each once."""
        told = (describe(t) if self.facts is None or self._column(t) else self.facts.describe(t) for t in tokens)
        return tuple(dict.fromkeys(word for word in told if word))

    def _column(self, token: str) -> bool:
        """Whether a token tells a column of the catalogue."""
        return any(token.startswith(f"{name}=") for name in self.catalog.table.columns)

    def _attributes(self, panel: Panel, h: Histories, item: int, most: int = 5) -> tuple[tuple[str, float], ...]:
        """Tokens of the item by how much the content map's score owes to each; positive ones only."""
        content = content_map(panel)
        if content is None or not (h.lengths[0] or (h.vectors is not None and h.vectors[0].any())):
            return ()
        tokens, pull = self._tokens(item)
        share = pull @ self._heard(content.taste(h))[0]
        found = [(token, float(value)) for token, value in zip(tokens, share, strict=True)]
        return tuple(sorted([t for t in found if t[1] > 0], key=lambda t: -t[1])[:most])

    def effects(self, h: Histories, item: int, asked: Sequence[tuple[int, Sequence[str]]]) -> list[float]:
        """What items of a history add to an item's score by some of its tokens, each alone.

        The content map is linear in the history and in the features: over all items of the history (and the typed
        text) these add up to the share of the tokens in its score.

        Parameters
        ----------
        h
            The query (``len(h) == 1``).
        item
            The item shown.
        asked
            Items of the history, and tokens of the item shown; a token it lacks adds nothing.
        """
        panel, _ = self.panel.about(item, h)
        content = content_map(panel)
        if content is None or not asked:
            return [0.0] * len(asked)
        tokens, pull = self._tokens(item)
        place = {token: at for at, token in enumerate(tokens)}
        alone = Histories.of([[source] for source, _ in asked], h.n_items)
        share = self._heard(content.taste(alone)) @ pull.T
        rows = [[place[t] for t in told if t in place] for _, told in asked]
        return [float(share[at, row].sum()) for at, row in enumerate(rows)]

    def _heard(self, taste: np.ndarray) -> np.ndarray:
        """The part of a taste that meets attributes and facts: shape (n, dim of attributes + dim of facts)."""
        f = self.features
        width = f.attribute.basis.shape[1] + f.facts.basis.shape[1]
        end = taste.shape[1] - 1 - len(f.centres)
        return taste[:, end - width : end]

    def _tokens(self, item: int) -> tuple[list[str], np.ndarray]:
        """Tokens of an item, and what each adds to its features: float64, shape (n_tokens, as ``_heard``)."""
        if item not in self._known:
            self._known[item] = self._looked_up(item)
        return self._known[item]

    def _looked_up(self, item: int) -> tuple[list[str], np.ndarray]:
        f, one = self.features, Catalog(self.catalog.table[item : item + 1])
        width = (f.attribute.basis.shape[1], f.facts.basis.shape[1])
        names, rows = [], [np.zeros((0, sum(width)))]
        for tokens, space, scale, at in (
            (attribute_tokens(read_columns(one.table, f.columns)), f.attribute, f.scales[1], 0),
            (fact_tokens(one, None if self.facts is None else self.facts.graph), f.facts, f.scales[2], width[0]),
        ):
            known, vectors = space.parts(tokens[0])
            part = np.zeros((len(known), sum(width)))
            part[:, at : at + space.basis.shape[1]] = scale * vectors
            names += known
            rows.append(part)
        return names, np.vstack(rows)


def content_map(panel: Panel) -> FittedContentMap | None:
    """The first content map of a panel."""
    return next((e for e in panel.experts.values() if isinstance(e, FittedContentMap)), None)
