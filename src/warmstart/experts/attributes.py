"""User attributes: what people alike in age, place or trade take; the prior mean of a short history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.popularity import Popularity

MANY = 100  # values of a text column beyond which only first characters are told apart
FEW = 12  # different numbers up to which a numeric column is taken as a list of kinds
BLOCK = 4096


@dataclass(frozen=True)
class AttributeEncoder:
    """Numeric columns in units of their spread, and codes of frequent values.

    Parameters
    ----------
    numbers
        Names of the numeric columns.
    centre, spread
        Mean and deviation of each.
    kinds
        Names of the other columns.
    levels
        Per such column: the values kept.
    short
        Per such column: whether values are told apart by their first character only (zip codes).

    Examples
    --------
    >>> table = pl.DataFrame({"sex": ["f", "m", "f", None]})
    >>> AttributeEncoder.fit(table, min_count=1).encode(table)[1].ravel().tolist()
    [0, 1, 0, -1]
    """

    numbers: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    kinds: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    short: tuple[bool, ...]

    @classmethod
    def fit(cls, table: pl.DataFrame, min_count: int = 5) -> AttributeEncoder:
        """Numeric columns with many values stay numbers; of the others, values met ``min_count`` times are kept."""
        numbers: list[tuple[str, float, float]] = []
        kinds: list[tuple[str, tuple[str, ...], bool]] = []
        for name in table.columns:
            known = finite(table[name])
            if len(np.unique(known)) > FEW:
                numbers.append((name, float(known.mean()), float(known.std())))
                continue
            short = table[name].n_unique() > MANY
            levels = frequent_values(as_text(table[name], short), min_count)
            if levels:
                kinds.append((name, levels, short))
        return cls(
            numbers=tuple(n[0] for n in numbers),
            centre=tuple(n[1] for n in numbers),
            spread=tuple(n[2] for n in numbers),
            kinds=tuple(k[0] for k in kinds),
            levels=tuple(k[1] for k in kinds),
            short=tuple(k[2] for k in kinds),
        )

    def encode(self, table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Numbers: float32, shape (n, len(numbers)), NaN = unknown; codes: int16, (n, len(kinds)), -1 = unknown."""
        x = np.full((table.height, len(self.numbers)), np.nan, np.float32)
        for i, name in enumerate(self.numbers):
            if name in table.columns:
                value = table[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
                x[:, i] = (np.where(np.isfinite(value), value, np.nan) - self.centre[i]) / self.spread[i]
        c = np.full((table.height, len(self.kinds)), -1, np.int16)
        for i, name in enumerate(self.kinds):
            if name in table.columns:
                place = {v: p for p, v in enumerate(self.levels[i])}
                c[:, i] = [place.get(v, -1) for v in as_text(table[name], self.short[i]).to_list()]
        return x, c


def finite(values: pl.Series) -> np.ndarray:
    """The finite numbers of a numeric column; nothing of any other.

    Examples
    --------
    >>> finite(pl.Series([1, None, 3])).tolist(), finite(pl.Series(["a"])).tolist()
    ([1.0, 3.0], [])
    """
    if not values.dtype.is_numeric():
        return np.empty(0)
    number = values.cast(pl.Float64).drop_nulls().to_numpy()
    return np.asarray(number[np.isfinite(number)])


def frequent_values(text: pl.Series, min_count: int, most: int = 64) -> tuple[str, ...]:
    """Values met at least ``min_count`` times, the ``most`` frequent, in the order of the alphabet.

    Examples
    --------
    >>> frequent_values(pl.Series(["b", "a", "b", None, "a", "c"]), min_count=2)
    ('a', 'b')
    """
    counts = Counter(text.drop_nulls().to_list())
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:most]
    return tuple(sorted(value for value, count in ranked if count >= min_count))


def as_text(values: pl.Series, short: bool) -> pl.Series:
    """Values as text, or only its first character.

    Examples
    --------
    >>> as_text(pl.Series([94110, None]), short=True).to_list()
    ['9', None]
    """
    text = values.cast(pl.String)
    return text.str.slice(0, 1) if short else text


def likeness(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], width: float, other: float
) -> np.ndarray:
    """Product kernel ``prod exp(-d^2 / 2 width^2) prod other^[kinds differ]``: float64, shape (n_a, n_b), in (0, 1].

    What is unknown on either side neither adds nor takes.

    Examples
    --------
    >>> a = np.zeros((1, 1)), np.array([[0, 1]])
    >>> likeness(a, (np.array([[0.0], [np.nan]]), np.array([[0, 2], [0, -1]])), 1.0, 0.3).tolist()
    [[0.3, 1.0]]
    """
    known_a, known_b = np.isfinite(a[0]), np.isfinite(b[0])
    x, y = np.where(known_a, a[0], 0.0), np.where(known_b, b[0], 0.0)
    far = (x**2) @ known_b.T + known_a @ (y**2).T - 2 * x @ y.T
    differ = np.zeros((len(x), len(y)))
    for i, j in zip(a[1].T, b[1].T, strict=True):
        differ += (i[:, None] != j) & (i[:, None] >= 0) & (j >= 0)
    alike: np.ndarray = np.exp(-0.5 * np.maximum(far, 0.0) / width**2) * other**differ
    return alike


@dataclass(frozen=True)
class UserAttributes:
    """What people like the asker take: kernel regression on the users table, kept as made-up typical people.

    ``prototypes`` made-up people are drawn, each attribute by itself, from the attributes of the table. The profile
    of prototype p is ``(sum_u k(u, p) x_u + shrink mean) / (sum_u k(u, p) + shrink)``, with ``x_u`` the history
    (0 or 1) and ``k`` the kernel of ``likeness``; a query with attributes a scores
    ``log(sum_p k(a, p)^power profile_p / sum_p k(a, p)^power)``. No row of the table is kept.

    Parameters
    ----------
    width
        Deviation of the kernel in numeric columns, in units of the column's.
    other
        Likeness of two different values of a column.
    shape
        In events of like people: how many weigh as much as popularity.
    popularity
        What a user is expected to take.
    prototypes
        How many made-up people.
    power
        How much sharper a query looks at prototypes than they look at users.

    References
    ----------
    E. Nadaraya, On Estimating Regression, 1964.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters(seed=0)
    >>> scores = UserAttributes().fit(data).score(data.histories(np.array([0])))
    >>> int(np.argmax(scores[0])) % 4  # users of an age share a theme
    0
    """

    width: float = 0.7
    other: float = 0.3
    shape: float = 3.0
    popularity: Popularity = field(default_factory=lambda: Popularity(tau=16.0))
    prototypes: int = 128
    power: float = 4.0
    seed: int = 0

    def fit(self, data: Dataset) -> FittedUserAttributes | None:
        """Learn from users with events; None where there is no table of users, or nothing in it to tell them apart."""
        if data.user_table is None or not data.user_table.width:
            return None
        x = data.interactions.matrix()
        met = np.flatnonzero(np.diff(x.indptr) > 0)
        encoder = AttributeEncoder.fit(data.user_table)
        if not len(met) or not encoder.numbers + encoder.kinds:
            return None
        numbers, kinds = (part[met] for part in encoder.encode(data.user_table))
        rng = np.random.default_rng(self.seed)
        made = tuple(
            np.column_stack([rng.choice(v, self.prototypes) for v in part.T] or [np.empty((self.prototypes, 0))])
            for part in (numbers, kinds)
        )
        x, expected = x[met], np.exp(self.popularity.fit(data).scores.astype(np.float64)) / len(met)
        taken, weight = np.zeros((self.prototypes, data.n_items)), np.zeros(self.prototypes)
        for s in range(0, len(met), BLOCK):
            at = slice(s, s + BLOCK)
            k = likeness((numbers[at], kinds[at]), (made[0], made[1]), self.width, self.other)
            taken, weight = taken + np.asarray(x[at].T @ k).T, weight + k.sum(0)
        profile = (taken + self.shape) / (weight[:, None] + self.shape / np.maximum(expected, 1e-9))
        return FittedUserAttributes(
            **vars(encoder),
            prototype_numbers=made[0].astype(np.float32),
            prototype_kinds=made[1].astype(np.int16),
            profile=profile.astype(np.float32),
            width=self.width / self.power**0.5,
            other=self.other**self.power,
        )


@dataclass(frozen=True)
class FittedUserAttributes:
    """Made-up people and what those like them take; the first six fields are those of ``AttributeEncoder``."""

    numbers: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    kinds: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    short: tuple[bool, ...]
    prototype_numbers: np.ndarray
    prototype_kinds: np.ndarray
    profile: np.ndarray
    width: float
    other: float

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items), log of a share; NaN where no attribute is known."""
        out = np.full((len(histories), self.profile.shape[1]), np.nan, np.float32)
        if histories.attributes is None:
            return out
        encoder = AttributeEncoder(self.numbers, self.centre, self.spread, self.kinds, self.levels, self.short)
        numbers, kinds = encoder.encode(histories.attributes)
        known = np.isfinite(numbers).any(1) | (kinds >= 0).any(1)
        if known.any():
            made = self.prototype_numbers, self.prototype_kinds
            k = likeness((numbers[known], kinds[known]), made, self.width, self.other) + 1e-30
            out[known] = np.log((k / k.sum(1, keepdims=True)).astype(np.float32) @ self.profile)
        return out

    def grow(self, features: np.ndarray) -> Self:
        """New items stand at the lowest share: attributes say nothing of them."""
        low = self.profile.min(1, keepdims=True) if self.profile.size else np.full((len(self.profile), 1), 1e-6)
        return replace(self, profile=np.hstack([self.profile, np.repeat(low, len(features), 1)]).astype(np.float32))
