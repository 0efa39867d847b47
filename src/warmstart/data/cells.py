"""Cells that hold several values: how a column separates them, and names that were cut off at a cell's end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from warmstart.data.ids import id_text
from warmstart.data.names import SUFFIXES, name_key, tidy_name

SURE = ("|", ";", "；", "、", " / ", "\t")  # where one of these occurs in some cells, it separates
COMMAS = (",", "，")
SOME = 0.01  # share of filled cells in which a sure separator has to occur
WIDE = 5  # words a part: from there on a comma is punctuation of a text
AGAIN = 0.1  # share of cells with a comma whose later parts begin other cells, from which it separates values
FIRMS = frozenset({"inc", "ltd", "llc", "co", "corp", "gmbh", "plc", "phd", "md", "esq"})
LEAST_CUT = 50  # characters: shorter cells are not cut off, they are short
LEFT = 0.75  # share of a name that must be left of it for it to be completed
CUT_CELLS = 3  # cells of the greatest length, from which it is taken for a limit
NOTHING = frozenset({"", "nan", "none", "null", "n/a", "<na>", "(no genres listed)", "unknown", "\\n"})


def find_separator(cells: Sequence[str]) -> str | None:
    """What separates the values of a column's cells; None if each is one value.

    A bar, a semicolon, an enumeration comma, `` / `` or a tab separates wherever it occurs in one cell of a hundred. A
    comma separates if cells have lists of three values and more, if later parts begin other cells (``Drama, Crime``
    beside ``Crime, Comedy``), or if both sides are names of two words. ``Lastname, Firstname``, titles with an article
    filed at the end, and sentences are left whole.

    Examples
    --------
    >>> find_separator(["Drama|Crime", "Crime"]), find_separator(["Joel Coen, Ethan Coen", "Ridley Scott"])
    ('|', ',')
    >>> find_separator(["Scott, Ridley", "Lem, Stanislaw"]), find_separator(["Matrix, The", "Alien"])
    (None, None)
    """
    filled = [cell for cell in cells if cell]
    for mark in SURE:
        if sum(mark in cell for cell in filled) > SOME * len(filled):
            return mark
    for mark in COMMAS:
        listed = [[part.strip() for part in cell.split(mark) if part.strip()] for cell in filled if mark in cell]
        if len(listed) > SOME * len(filled) and _is_list(listed, filled, mark):
            return mark
    return None


def _is_list(listed: Sequence[Sequence[str]], filled: Sequence[str], mark: str) -> bool:
    """Whether parts between commas are values of their own."""
    parts = [part for cell in listed for part in cell]
    if sum(len(part.split()) for part in parts) > WIDE * len(parts):
        return False
    if sum(len(cell) > 2 for cell in listed) > len(listed) / 2:
        return True
    firsts = {cell.split(mark)[0].strip() for cell in filled}
    again = sum(any(part in firsts for part in cell[1:]) for cell in listed)
    if again > AGAIN * len(listed):
        return True
    return sum(all(" " in part for part in cell) for cell in listed) > len(listed) / 2


def split_cell(cell: str, separator: str | None) -> list[str]:
    """The values of a cell, tidied, each once; ``Jr.``, ``Inc.`` and the like stay with the name before them.

    Examples
    --------
    >>> split_cell("Robert Downey, Jr., Val Kilmer,", ","), split_cell("Scott, Ridley", None)
    (['Robert Downey Jr.', 'Val Kilmer'], ['Scott, Ridley'])
    """
    found: list[str] = []
    for part in cell.split(separator) if separator else [cell]:
        name = tidy_name(part)
        if found and separator in COMMAS and name_key(name).replace(" ", "") in SUFFIXES | FIRMS:
            found[-1] = f"{found[-1]} {name}"
        elif name.casefold() not in NOTHING:
            found.append(name)
    return list(dict.fromkeys(found))


def cell_texts(column: pl.Series) -> tuple[list[str], str | None]:
    r"""Cells as text, ``""`` where empty; lists are joined by a tab, which then is their separator.

    Examples
    --------
    >>> cell_texts(pl.Series([["Drama", "Crime"], None])), cell_texts(pl.Series([1995, None]))
    ((['Drama\tCrime', ''], '\t'), (['1995', ''], None))
    """
    if isinstance(column.dtype, pl.List | pl.Array):
        joined = column.cast(pl.List(pl.String)).list.eval(pl.element().str.replace_all("\t", " ")).list.join("\t")
        return joined.fill_null("").to_list(), "\t"
    return id_text(column).fill_null("").to_list(), None


def cut_names(cells: Sequence[str], values: Sequence[Sequence[str]]) -> dict[str, str | None]:
    """Names that occur only at the end of cells cut at the column's limit and begin another name.

    Parameters
    ----------
    cells
        As read. Where three or more have the greatest length, of 50 characters or more, that is taken for a limit.
    values
        What ``split_cell`` made of each.

    Returns
    -------
    dict[str, str | None]
        Cut name -> the one name it begins; None where it begins several, or less than three quarters of it are left.

    Examples
    --------
    >>> cells = [f"{'x' * 45}, Tom Han"] * 3 + ["Tom Hanks"]
    >>> cut_names(cells, [split_cell(cell, ",") for cell in cells])
    {'Tom Han': 'Tom Hanks'}
    """
    limit = max(map(len, cells), default=0)
    at_limit = [len(cell) >= limit - 1 for cell in cells]  # a blank at the end may have gone
    if limit < LEAST_CUT or sum(at_limit) < CUT_CELLS:
        return {}
    everywhere = Counter(name for row in values for name in row)
    last = Counter(row[-1] for row, full in zip(values, at_limit, strict=True) if full and len(row) > 1)
    suspects = {name for name, n in last.items() if everywhere[name] == n}
    longer = _continuations(suspects, everywhere)
    return {
        name: longer[name][0] if len(longer[name]) == 1 and len(name) >= LEFT * len(longer[name][0]) else None
        for name in sorted(suspects)
        if longer[name]
    }


def _continuations(suspects: set[str], everywhere: Mapping[str, int]) -> Mapping[str, list[str]]:
    """Suspect -> names of others that begin with it, found by one walk over the sorted names."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    open_now: list[str] = []
    for name in sorted(everywhere):
        open_now = [start for start in open_now if name.startswith(start)]
        for start in open_now:
            if name not in suspects:
                found[start].append(name)
        if name in suspects:
            open_now.append(name)
    return found
