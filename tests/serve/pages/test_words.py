"""Both languages say the same things."""

import re
from pathlib import Path

import pytest

import warmstart.serve.pages
from warmstart.explain.missing import BELOW
from warmstart.serve.pages.words import LANGUAGES, words_of
from warmstart.serve.recommend import NOBODY
from warmstart.serve.service import DOWN

FOLDER = Path(warmstart.serve.pages.__file__).parent


def test_all_languages_have_the_same_messages_about_the_same_things():
    english = words_of("en").messages
    for language in LANGUAGES:
        other = words_of(language).messages
        assert other.keys() == english.keys()
        for key, text in other.items():
            assert text
            assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[key])), key


def test_templates_ask_for_messages_that_there_are():
    asked = {
        key
        for template in (FOLDER / "templates").glob("*.html")
        for key in re.findall(r"""\bt\("([a-z0-9_.]+)"[,)]""", template.read_text())
    }
    assert asked
    assert asked <= words_of("en").messages.keys()


def test_an_unknown_message_is_a_mistake():
    with pytest.raises(KeyError):
        words_of("en")("nothing.there")


def test_why_answers_fall_short_is_told_in_chinese():
    for why in (NOBODY, DOWN):
        assert re.search("[\u4e00-\u9fff]", words_of("zh").name("short", why))
    assert words_of("zh").name("status", BELOW) == "排名不够靠前"
