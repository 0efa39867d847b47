"""How much of an encoder's worth is left when the texts of new items are attacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.errors import DataError
from warmstart.evaluate.intervals import Interval, Paired, intervals, paired
from warmstart.learn.attacks import KINDS, Attack, popular_keywords
from warmstart.learn.held_items import Encodes, HeldItems
from warmstart.text.card import CARD
from warmstart.text.choose import encoder_from_name
from warmstart.text.templates import item_texts
from warmstart.text.transformer import TransformerEncoder

TOP = 10
_SHARES = ("places", "before", "after")
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Ordeal:
    """What encoders are put through.

    Parameters
    ----------
    rate
        Share of a text's words that are attacked.
    held_out, seed
        Which items are held out, as in fine-tuning for retrieval.
    draws
        Seeds over which an attack is averaged.
    template
        Of the items' texts; see ``item_texts``.
    """

    rate: float = 0.2
    held_out: float = 0.1
    seed: int = 0
    draws: int = 10
    template: str | None = None

    def attacks(self, texts: Sequence[str], counts: np.ndarray) -> dict[str, Attack]:
        """All attacks, by name; keywords are those of items with many events."""
        keywords = popular_keywords(texts, counts)
        if not keywords:
            raise DataError("no word stands in two texts; there are no popular keywords to stuff in")
        return {kind: Attack(kind, self.rate, self.seed, keywords) for kind in KINDS}


@dataclass(frozen=True)
class Lift:
    """What stuffing keywords into its text does for one item, all others being honest.

    Parameters
    ----------
    places
        Places won, mean over items and questions; below 0 = lost.
    before, after
        Share of the questions in which the item is among the first ten.
    items
        How many are ranked.
    """

    places: float
    before: float
    after: float
    items: int


@dataclass(frozen=True, eq=False)
class Robustness:
    """NDCG@10 of held-out items by question: clean, and under every attack.

    Parameters
    ----------
    clean
        float64, shape (n_questions,).
    attacked
        The same by name of attack, mean over draws.
    draws
        Mean NDCG@10 of every draw, by name of attack: intervals over people leave out how much depends on which words
        are hit.
    lift
        By name of attack, for those that stuff keywords in.
    """

    clean: np.ndarray
    attacked: Mapping[str, np.ndarray]
    draws: Mapping[str, np.ndarray] = field(default_factory=dict)
    lift: Mapping[str, Lift] = field(default_factory=dict)

    def interval(self, attack: str | None = None) -> Interval:
        """Mean and interval over people; None = clean."""
        rows = self.clean if attack is None else self.attacked[attack]
        return intervals(rows[:, None])[0]

    def change(self, attack: str) -> Paired:
        """Attacked less clean, paired by person."""
        return paired(self.attacked[attack], self.clean)

    def against(self, other: Robustness, attack: str | None = None) -> Paired:
        """NDCG@10 less that of another encoder, paired by person; None = clean."""
        mine, its = (self.clean, other.clean) if attack is None else (self.attacked[attack], other.attacked[attack])
        return paired(mine, its)

    def spread(self, attack: str) -> float:
        """Standard deviation of NDCG@10 between draws; NaN of a single one."""
        draws = self.draws[attack]
        return float(draws.std(ddof=1)) if len(draws) > 1 else float("nan")

    def loss(self, attack: str) -> float:
        """Share of the clean NDCG that is lost; below 0 = won."""
        return float(1 - self.attacked[attack].mean() / self.clean.mean())


def judge(
    models: Sequence[str], data: Dataset, ordeal: Ordeal | None = None, tell: Tell | None = None
) -> dict[str, Robustness]:
    """Measure encoders, by name, on the same held-out items under the same attacks.

    Parameters
    ----------
    models
        Folders or names of text encoders.
    data
        Events and items.
    ordeal
        What they are put through.
    tell
        Told of the attacks done with.

    Raises
    ------
    DataError
        If nobody has events on held-out items and on others.
    """
    ordeal = ordeal or Ordeal()
    texts = item_texts(data.catalog, ordeal.template)
    held = HeldItems.of(texts, data.interactions, ordeal.held_out, ordeal.seed)
    counts = np.bincount(data.interactions.item, minlength=len(texts))
    attacks = ordeal.attacks([texts[i] for i in held.items], counts[held.items])
    return {name: withstand(_opened(name, texts), texts, held, attacks, ordeal.draws, tell) for name in models}


def withstand(
    encoder: Encodes,
    texts: Sequence[str],
    held: HeldItems,
    attacks: Mapping[str, Attack],
    draws: int = 10,
    tell: Tell | None = None,
) -> Robustness:
    """Measure an encoder on held-out items whose texts are attacked; the items people have met keep theirs.

    Parameters
    ----------
    encoder
        Texts -> unit vectors.
    texts
        One a catalogue item.
    held
        Items and questions.
    attacks
        By name.
    draws
        Seeds over which an attack is averaged.
    tell
        Told of texts encoded.

    Raises
    ------
    DataError
        If nobody has events on both sides.
    """
    if not len(held.users):
        raise DataError("nobody has events on held-out items and on others; hold out more (--held-out)")
    known, clean = held.encode(encoder, texts)
    honest = held.scores(known, clean)
    people, new = held.history @ known, [texts[i] for i in held.held]
    attacked, drawn, lift = {}, {}, {}
    for done, (name, attack) in enumerate(attacks.items()):
        scores = []
        for draw in range(draws):
            scores.append(people @ encoder.encode(replace(attack, seed=attack.seed + draw).on(new)).T)
            if tell:
                tell("attacking", done * draws + draw + 1, len(attacks) * draws)
        rows = np.array([held.ndcg_rows(s) for s in scores])
        attacked[name], drawn[name] = rows.mean(0), rows.mean(1)
        if attack.kind == "stuff":
            lift[name] = _mean_lift([lift_of(honest, s) for s in scores])
    return Robustness(held.ndcg_rows(honest), attacked, drawn, lift)


def lift_of(honest: np.ndarray, dishonest: np.ndarray) -> Lift:
    """Every item in turn takes its dishonest score among the honest scores of the others.

    Parameters
    ----------
    honest, dishonest
        float, shape (n_questions, n_items).

    Examples
    --------
    >>> lift = lift_of(np.array([[3.0, 2.0, 1.0]]), np.array([[3.0, 2.0, 4.0]]))
    >>> round(lift.places, 3), lift.items
    (0.667, 3)
    """
    ascending, n = np.sort(honest, axis=1), honest.shape[1]
    before, after = np.empty(honest.shape), np.empty(honest.shape)
    for row, rivals in enumerate(ascending):
        before[row] = _places(rivals, honest[row], honest[row])
        after[row] = _places(rivals, honest[row], dishonest[row])
    return Lift(float((before - after).mean()), float((before < TOP).mean()), float((after < TOP).mean()), n)


def _places(rivals: np.ndarray, own: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Places, from 0, of items among ascending scores, of which each item's own is none; equal ones share theirs."""
    above = len(rivals) - np.searchsorted(rivals, score, side="right") - (own > score)
    equal = np.searchsorted(rivals, score, side="right") - np.searchsorted(rivals, score, side="left") - (own == score)
    places: np.ndarray = above + equal / 2
    return places


def _opened(name: str, texts: Sequence[str]) -> Encodes:
    """The encoder of a name; a transformer's folder as it is, not exported."""
    plain = Path(name).is_dir() and not (Path(name) / CARD).is_file()
    return TransformerEncoder(name) if plain else encoder_from_name(name, texts)


def _mean_lift(lifts: Sequence[Lift]) -> Lift:
    places, before, after = (float(np.mean([getattr(x, name) for x in lifts])) for name in _SHARES)
    return Lift(places, before, after, lifts[0].items)
