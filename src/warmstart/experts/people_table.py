"""The table of users as numbers: what is told apart, and how like two people are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl

MANY = 100  # values of a text column beyond which only first characters are told apart
FEW = 12  # different numbers up to which a numeric column is taken as a list of kinds


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
        Per such column: whether values are told apart by their first character only (postal codes given as text).

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
        """Numeric columns with many values stay numbers; of the others, values met ``min_count`` times are kept.

        A column that tells nobody apart is left out.
        """
        numbers: list[tuple[str, float, float]] = []
        kinds: list[tuple[str, tuple[str, ...], bool]] = []
        for name in table.columns:
            known = finite(table[name])
            if len(np.unique(known)) > FEW:
                if np.isfinite(known.std()):
                    numbers.append((name, float(known.mean()), float(known.std())))
                continue
            short = table[name].n_unique() > MANY
            levels = frequent_values(as_text(table[name], short), min_count)
            if len(levels) > 1:
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
    text = (values.fill_nan(None) if values.dtype.is_float() else values).cast(pl.String)
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
