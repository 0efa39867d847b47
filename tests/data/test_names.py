"""Which names become one, and which never do."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.names import name_key, near_duplicates, same_spelling, tidy_name

WORDS = st.text("abcdefgh", min_size=1, max_size=9).map(str.title)
NAMES = st.lists(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=20, unique=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tchéky Karyo", "TCHEKY KARYO"),
        ("Sci-Fi", "sci fi"),
        ("Scott, Ridley", "Ridley Scott"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("Sinéad O\u2019Connor", "Sinead O'Connor"),
        ("Ａｌｉｅｎ", "Alien"),
        ("Robert Downey, Jr.", "Robert Downey Jr"),
    ],
)
def test_the_same_but_for_case_accents_punctuation(one, other):
    assert name_key(one) == name_key(other)
    kept, merges = same_spelling({one: 1, other: 2})
    assert set(kept.values()) == {other}
    assert [(m.kept, m.merged, m.why, m.kept_count, m.merged_count) for m in merges] == [(other, one, "spelling", 2, 1)]


@pytest.mark.parametrize(("one", "other"), [("がま", "かま"), ("C", "C++"), ("李安", "李白"), ("Alien", "Aliens")])
def test_other_words_keep_their_key(one, other):
    if one != "C":  # punctuation is all that tells these two apart
        assert name_key(one) != name_key(other)
    assert name_key(one)


def test_what_is_nothing_but_punctuation_keeps_itself():
    assert name_key("!!!") == "!!!"


@pytest.mark.parametrize(
    ("right", "slip"),
    [
        ("Quentin Tarantino", "Quentin Tarantno"),
        ("Quentin Tarantino", "Quentin Tarnatino"),
        ("Arnold Schwarzenegger", "Arnold Schwartzenegger"),
        ("Playstation", "Play Station"),
        ("Robert De Niro", "Robert DeNiro"),
        ("Adventure", "Advenure"),
    ],
)
def test_a_slip_in_one_word_is_merged(right, slip):
    merges = near_duplicates({right: 2, slip: 1})
    assert [(m.kept, m.merged, m.why) for m in merges] == [(right, slip, "near")]
    assert merges[0].score >= 90


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rocky II", "Rocky III"),
        ("Part 2", "Part 3"),
        ("Blade Runner 2049", "Blade Runner 2048"),
        ("Summer of 1942", "Summer of 1943"),
        ("Robert Downey Jr.", "Robert Downey Sr."),
        ("Robert Downey Jr.", "Robert Downey"),
        ("J. Smithson", "K. Smithson"),
        ("J. Smithson", "John Smithson"),
        ("Samuel L. Jackson", "Samuel Jackson"),
        ("John Smithson", "Jon Smithson"),
        ("Peter Howitt", "Peter Hewitt"),
        ("Michael Haley", "Michael Halsey"),
        ("Julie Christensen", "Julia Christensen"),
        ("Paul Simon", "Simon Paul"),
        ("Batman", "Catman"),
        ("Drama", "Dramas"),
    ],
)
def test_names_that_never_merge(one, other):
    assert near_duplicates({one: 2, other: 2}) == []


def test_a_replaced_letter_passes_only_where_one_is_five_times_as_common():
    assert near_duplicates({"Quentin Tarantino": 4, "Quentin Tarentino": 1}) == []
    merges = near_duplicates({"Quentin Tarantino": 5, "Quentin Tarentino": 1})
    assert [m.merged for m in merges] == ["Quentin Tarentino"]


def test_a_word_of_its_own_is_no_slip():
    assert near_duplicates({"Anna Marians": 9, "Anna Mariana": 1, "Mariana Lopez": 3}) == []


def test_a_chain_does_not_pull_in_what_is_not_near_the_name_that_stays():
    merges = near_duplicates({"Mountains": 9, "Mountain": 4, "Mountan": 1})
    assert {(m.kept, m.merged) for m in merges} == {("Mountains", "Mountain")} | {
        (m.kept, m.merged) for m in merges if m.merged == "Mountan" and m.kept == "Mountains"
    }


def test_the_threshold_is_kept():
    counts = {"Adventure": 9, "Advenure": 1}
    score = near_duplicates(counts)[0].score
    assert near_duplicates(counts, score + 0.5) == []


@given(NAMES)
def test_whatever_merges_stays_merged_once(names):
    counts = {name: len(name) for name in names}
    merges = near_duplicates(counts)
    gone = {m.merged for m in merges}
    assert len(gone) == len(merges)
    assert not gone & {m.kept for m in merges}
    assert all(counts[m.kept] >= counts[m.merged] for m in merges)


@given(st.text(max_size=30))
def test_tidy_names_are_tidy(text):
    once = tidy_name(text)
    assert tidy_name(once) == once
    assert name_key(once) == name_key(tidy_name(once))


@pytest.mark.parametrize("pattern", ["Episode {:06d}", "E {:06d}", "number{}"])
def test_codes_take_no_time_and_never_merge(pattern):
    names = {pattern.format(n): 1 for n in range(30_000)}
    start = time.perf_counter()
    assert near_duplicates(names) == []
    assert time.perf_counter() - start < 10


def test_thousands_of_words_that_begin_and_end_alike_are_not_compared():
    middle = ("".join(letters) for letters in product("abcdefghij", repeat=4))
    start = time.perf_counter()
    assert near_duplicates({f"code{word}code": 1 for word in middle}) == []
    assert time.perf_counter() - start < 10


def test_many_names_take_seconds():
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnoprstuvwz"))
    words = ["".join(rng.choice(letters, n)).title() for n in rng.integers(4, 10, 2000)]
    names = {f"{words[a]} {words[b]}": 1 for a, b in rng.integers(0, 2000, (30_000, 2))}
    start = time.perf_counter()
    near_duplicates(names)
    assert time.perf_counter() - start < 10
