import numpy as np
import pytest

from warmstart.errors import ConfigError
from warmstart.learn import attacks
from warmstart.learn.attacks import Attack, popular_keywords

PLOTS = [
    "A cowboy doll is profoundly threatened when a new spaceman figure supplants him as top toy.",
    "太阳即将毁灭，人类在地球表面建造出巨大的推进器，寻找新家园。",
    "Years after a friend is killed, a secret space-based weapon is stolen; 007 must stop it (at once)!",
    "L'été d'Amélie — ein schöner Tag.",
]


@pytest.mark.parametrize("kind", ["typos", "drop", "stuff"])
def test_the_same_text_always_suffers_the_same(kind):
    attack = Attack(kind, 0.5, seed=4, keywords=("war", "love", "战争"))
    once = attack.on(PLOTS)
    assert attack.on(PLOTS[::-1]) == once[::-1]
    assert once != PLOTS
    assert once != Attack(kind, 0.5, seed=5, keywords=("war", "love", "战争")).on(PLOTS)
    assert attack.on(["", "  ", "?!"]) == ["", "  ", "?!"]


def edits(a, b):
    """Damerau-Levenshtein distance (restricted)."""
    d = np.add.outer(np.arange(len(a) + 1), np.arange(len(b) + 1))
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[-1, -1]


def test_a_mistyped_word_is_one_error_away():
    rng = np.random.default_rng(0)
    words = ["cowboy", "A", "7", "Éa", "x", "Spaceman"]
    wrong = [(w, attacks._mistyped(w, rng)) for w in words for _ in range(50)]
    assert {edits(*pair) for pair in wrong} <= {0, 1}  # 0: two equal letters swapped, of which none is here but "A"
    assert np.mean([a != b for a, b in wrong]) > 0.95
    assert all(b for _, b in wrong)


def test_wrong_keys_are_neighbours():
    assert set(attacks._NEAR["g"]) == set("tyfhvb")
    assert all(a in attacks._NEAR[b] for a, near in attacks._NEAR.items() for b in near)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_share_of_wrong_words_is_the_rate(rate):
    text = " ".join(["planet", "summer", "winter", "garden"] * 500)
    wrong = Attack("typos", rate).on([text])[0].split()
    assert len(wrong) == 2000
    assert np.mean([a != b for a, b in zip(text.split(), wrong, strict=True)]) == pytest.approx(rate, abs=0.04)
    assert len(Attack("drop", rate).on([text])[0].split()) == pytest.approx(2000 * (1 - rate), abs=80)


def test_chinese_characters_are_words_of_their_own():
    text = "流浪地球的故事" * 100
    typed, lost = Attack("typos", 0.3).on([text])[0], Attack("drop", 0.3).on([text])[0]
    assert set(typed) == set(text) == set(lost)
    assert typed != text
    assert len(lost) == pytest.approx(490, abs=40)


def test_one_word_always_stays():
    assert Attack("drop", 1.0).on(["Alien", "one two"])[0] == "Alien"
    assert Attack("drop", 1.0).on(["one two three"])[0] in ("one", "two", "three")


def test_stuffing_appends_keywords_in_proportion():
    attack = Attack("stuff", 0.2, keywords=("war", "love", "space", "robot"))
    first, short = attack.on([PLOTS[0], "Alien"])
    assert first.startswith(PLOTS[0] + " ")
    added = first.removeprefix(PLOTS[0]).split()
    assert len(added) == len(set(added)) == 3
    assert set(added) <= set(attack.keywords)
    assert len(short.split()) == 2


def test_keywords_are_those_of_what_people_choose():
    texts = ["space war", "space opera", "太空战争", "太空歌剧", *["tea party"] * 3, *["the the book"] * 40]
    counts = np.array([9, 9, 7, 7, 1, 1, 1, *[9] * 40])
    found = popular_keywords(texts, counts, 2)
    assert found == ("space", "太空")
    assert "the" not in popular_keywords(texts, counts)


@pytest.mark.parametrize("bad", [{"kind": "noise"}, {"kind": "typos", "rate": 0.0}, {"kind": "stuff"}])
def test_settings_are_checked(bad):
    with pytest.raises(ConfigError):
        Attack(**bad)
