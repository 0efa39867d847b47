"""String ids at the edges, int32 codes inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import polars as pl

from warmstart.errors import DataError

UNKNOWN = -1


class Vocabulary:
    """An ordered set of string ids; the position of an id is its code.

    Parameters
    ----------
    ids
        Distinct strings; order is kept.

    Raises
    ------
    DataError
        If an id occurs twice.

    Examples
    --------
    >>> items = Vocabulary(["b12", "b98"])
    >>> items.codes(["b98", "nobody", "b12"])
    array([ 1, -1,  0], dtype=int32)
    >>> items.names([1])
    ['b98']
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids: tuple[str, ...] = tuple(ids)
        if len(self._code) != len(self.ids):
            seen: set[str] = set()
            twice = next(i for i in self.ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
            raise DataError(f"id {twice!r} occurs twice in a vocabulary; drop duplicate rows first")

    @cached_property
    def _code(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.ids)}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, name: object) -> bool:
        return name in self._code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} ids)"

    def codes(self, names: Sequence[str]) -> np.ndarray:
        """Codes of names: int32, shape (len(names),), -1 where unknown."""
        find = self._code.get
        return np.fromiter((find(n, UNKNOWN) for n in names), dtype=np.int32, count=len(names))

    def codes_of(self, names: pl.Series) -> np.ndarray:
        """``codes`` of a column: no text of it is made a Python object.

        Examples
        --------
        >>> Vocabulary(["b12", "b98"]).codes_of(pl.Series(["b98", None, "nobody", "b12"])).tolist()
        [1, -1, -1, 0]
        """
        if isinstance(names.dtype, pl.Categorical):
            return self._codes_of_categories(names)
        known = pl.Enum(pl.Series(self.ids, dtype=pl.String))
        codes = names.cast(pl.String).cast(known, strict=False).to_physical().cast(pl.Int32)
        return codes.fill_null(UNKNOWN).to_numpy()

    def _codes_of_categories(self, names: pl.Series) -> np.ndarray:
        """Each category is looked up once."""
        numbers, seen = names.to_physical(), names.unique().drop_nulls()
        code = np.full(int(numbers.max() or 0) + 2, UNKNOWN, np.int32)  # type: ignore[arg-type]
        code[seen.to_physical().to_numpy()] = self.codes_of(seen.cast(pl.String))
        codes: np.ndarray = code[numbers.fill_null(len(code) - 1).to_numpy()]
        return codes

    def names(self, codes: Iterable[int]) -> list[str]:
        """Ids of codes, in the given order; codes must be in range."""
        return [self.ids[c] for c in codes]

    def extended(self, names: Iterable[str]) -> Vocabulary:
        """A vocabulary with the new names appended; known names keep their codes."""
        return Vocabulary([*self.ids, *(n for n in dict.fromkeys(names) if n not in self)])


def check_codes(given: Sequence[int] | np.ndarray, n: int, *, least: int, name: str, remedy: str) -> np.ndarray:
    """Codes as they are, int64; refuse ids, and codes that are out of range.

    Parameters
    ----------
    given
        Codes, of any shape.
    n
        Size of the vocabulary.
    least
        0, or -1 where that stands for somebody or something unknown.
    name, remedy
        For the message: what they are, and what makes codes of ids.

    Raises
    ------
    DataError
        If one is no integer, or not from ``least`` to ``n - 1``.

    Examples
    --------
    >>> check_codes(["u1"], 9, least=-1, name="users", remedy="data.users.codes")
    Traceback (most recent call last):
    warmstart.errors.DataError: users are ['u1'], not integer codes; make codes of ids by data.users.codes(ids)
    """
    codes = np.asarray(given)
    if codes.size and codes.dtype.kind not in "iu":
        shown = codes.ravel()[:3].tolist()
        raise DataError(f"{name} are {shown}, not integer codes; make codes of ids by {remedy}(ids)")
    if len(wrong := codes[(codes < least) | (codes >= n)] if codes.size else codes):
        raise DataError(
            f"{name} hold {int(wrong[0])}, which is no code from {least} to {n - 1}; make codes of ids by {remedy}(ids)"
        )
    return codes.astype(np.int64)
