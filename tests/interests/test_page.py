"""The page of a person's interests: whole, escaped, and drawn without complaint by a real browser."""

import re
import shutil
import subprocess
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.document import document
from warmstart.engine import Engine
from warmstart.experts.content import ContentMap
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.interests.concepts import Concepts, ConceptSettings
from warmstart.interests.map import MapSettings
from warmstart.interests.page import FOLDED, MARKED, evidence, page
from warmstart.interests.profile import newest_items
from warmstart.interests.shown import COLOURS, GREY, SHAPES, Person, Shown
from warmstart.interests.sparse import SparseSettings
from warmstart.recipe import Recipe

SMALL = Recipe(
    encoder="tfidf",
    experts={"popularity": Popularity(), "content_map": ContentMap()},
    fusion=Fusion(queries=60, heads=HeadLearner(ranker=None)),
)
EVIL = "</title><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
HISTORY = ["i0", "i4", "i8", "i12", "i1", "evil"]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-logging=stderr")


@pytest.fixture(scope="module")
def engine():
    made = Engine(SMALL).fit(clusters(120, 80, 4, seed=1))
    made.add_items([{"item_id": "evil", "title": EVIL, "genre": "space"}])
    return made


def shown_of(engine, history=None, name="user <u>7</u>", **changed):
    f = engine.fitted
    concepts = replace(f.concepts, **changed)
    row = None if history is None else f.catalog.items.codes(history)
    return Shown(concepts, f.catalog, f.counts, None if row is None else Person.of(name, row, concepts))


@pytest.fixture(scope="module")
def drawn(engine):
    """The page of somebody with a hostile name who took a hostile item."""
    return page(shown_of(engine, HISTORY), engine.features)


class Reader(HTMLParser):
    """Elements by tag, with their attributes; fails where one is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag, attribute):
        return [attrs[attribute] for name, attrs in self.found if name == tag and attribute in attrs]


def test_the_page_is_whole_and_fetches_nothing(drawn):
    reader = Reader(drawn)
    ids = [attrs["id"] for _, attrs in reader.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {name for name, _ in reader.found}.isdisjoint({"link", "img", "iframe", "object"})
    assert all(href.startswith("#") for href in reader.all("a", "href"))
    assert not re.search(r"@import|url\(|https?:", drawn)
    assert [attrs["aria-label"] for name, attrs in reader.found if name == "svg" and attrs.get("role") == "img"]


def test_titles_and_names_are_text_and_never_elements(engine, drawn):
    assert drawn.count("<script") == 1
    assert EVIL not in drawn
    assert escape(EVIL) in drawn
    assert "<u>7</u>" not in drawn
    names = tuple(f"<i>{n}</i>, <script>, {n}" for n in range(len(engine.fitted.concepts.names)))
    hostile = page(shown_of(engine, HISTORY, names=names), engine.features)
    assert "<i>0" not in hostile
    assert hostile.count("<script") == 1


def test_every_interest_is_told_with_its_evidence(engine, drawn):
    f, text = engine.fitted, Reader(drawn).text
    told = engine.interests(histories=[HISTORY])
    assert len(told)
    for row in told.iter_rows(named=True):
        assert f"{100 * row['weight']:.0f} %" in text
        assert row["name"] in text
        assert row["trend"] in text
        assert all(title in text for title in row["evidence"])
    assert all(name in text for name in f.concepts.names)


def test_the_map_has_each_item_once_and_the_events_on_top(engine, drawn):
    dots, _, rest = drawn[drawn.index('<g class="dots">') :].partition('<g class="events">')
    events, _, _ = rest.partition('<g class="labels"')
    assert dots.count("<path") == len(engine.fitted.catalog.items) == 81
    assert events.count("<path") == len(HISTORY)
    assert f"event {len(HISTORY)} of {len(HISTORY)}</title>" in events
    held = re.findall(r'<path data-c="([\d ]+)"', dots)
    assert all(len(h.split()) == engine.fitted.concepts.members.levels for h in held)


def test_bars_compare_the_person_with_everybody(engine):
    shown = shown_of(engine, ["i0", "i4", "i8"])
    members = shown.concepts.members
    for level in range(members.levels):
        assert shown.person.share[members.at(level)].sum() == pytest.approx(1)
    (inside,) = {int(c) for c in members.paths[engine.fitted.catalog.items.codes(["i0", "i4", "i8"]), 0]}
    assert shown.person.share[inside] == pytest.approx(1)
    text = Reader(page(shown, engine.features)).text
    assert f"100.0 % / {100 * shown.concepts.common[inside]:.1f} %" in text
    assert "person / everybody" in text


def test_of_nobody_the_catalogue_is_drawn(engine):
    text = page(shown_of(engine), engine.features)
    assert "<h1>Concepts</h1>" in text
    assert "with-events" not in re.search(r'<svg class="map[^>]*>', text)[0]
    assert '<div class="interests">' not in text
    assert page(shown_of(engine), engine.features) == text


def test_without_interests_the_page_says_why(engine):
    assert "No event of this person is known" in page(shown_of(engine, []), engine.features)
    shown = shown_of(engine, ["i0", "i4"])
    like_all = replace(shown, person=replace(shown.person, interests=()))
    assert "Nothing is taken more often than everybody takes it" in page(like_all, engine.features)


def test_a_small_sample_keeps_the_events(engine):
    text = page(shown_of(engine, HISTORY), engine.features, MapSettings(most=20))
    assert "20 of 81 items" in text
    assert escape(EVIL) in re.search(r'class="events">(.*?)<g class="labels"', text, re.DOTALL)[1]


def test_of_much_evidence_the_newest_is_told(engine):
    told = evidence([0] * 5_000, shown_of(engine))
    assert told.count(escape(engine.fitted.catalog.title(0))) == FOLDED
    assert "and 4,994 more" in told
    assert "4,900 older" in told
    assert "details" not in evidence([0] * 6, shown_of(engine))


def test_of_a_long_history_the_newest_items_are_marked():
    assert sorted(newest_items(np.arange(100_000) % 5_000, MARKED).tolist()) == list(range(4_000, 5_000))
    assert newest_items(np.zeros(0, np.int64), 5).tolist() == []


def test_more_concepts_than_signs_are_grey(engine):
    members = engine.fitted.concepts.members
    shown = shown_of(engine, ["i0"])
    assert len({shown.colour(int(c)) for c in members.at(0)}) > 1
    one_level = {"level": np.zeros_like(members.level), "parent": np.full_like(members.parent, -1)}
    flat = shown_of(engine, ["i0"], members=replace(members, **one_level))
    assert len(flat.signed) == min(COLOURS * SHAPES, len(members))
    grey = [c for c in range(len(members)) if flat.colour(c) == GREY]
    assert len(grey) == len(members) - len(flat.signed)
    assert not set(grey) & set(np.flatnonzero(flat.person.share).tolist())


def test_overlapping_concepts_are_drawn(engine):
    data = clusters(120, 80, 4, seed=1)
    settings = ConceptSettings("sparse", sparse=SparseSettings(size=30, active=3, steps=50))
    concepts = Concepts.fit(data.with_features(engine.features[:80]), settings=settings)
    person = Person.of("one", data.catalog.items.codes(HISTORY[:5]), concepts)
    assert person.share.sum() == pytest.approx(1)
    text = page(Shown(concepts, data.catalog, data.interactions.item_counts(), person), engine.features[:80])
    reader = Reader(text)
    assert f"{len(concepts.members)} concepts" in reader.text
    assert "coarse to fine" not in reader.text
    held = re.findall(r'<path data-c="([\d ]+)"', text)
    assert max(len(h.split()) for h in held) == 3


def browse(text, folder):
    """What a real browser makes of a page: the document afterwards, and what it says on the console."""
    (folder / "page.html").write_text(text, encoding="utf-8")
    words = (BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", (folder / "page.html").as_uri())
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    return ran.stdout, [line for line in ran.stderr.splitlines() if "CONSOLE" in line]


needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")


@needs_browser
def test_a_browser_draws_it_without_a_word_on_the_console(drawn, tmp_path):
    after, said = browse(drawn, tmp_path)
    assert said == []
    assert f'data-ready="{81 + len(HISTORY)}"' in after
    assert "<title>Interests of user &lt;u&gt;7&lt;/u&gt;</title>" in after


@needs_browser
def test_the_policy_stops_foreign_scripts(tmp_path):
    after, said = browse(document("own", "", "", "<script>document.title='owned'</script>"), tmp_path)
    assert "<title>own</title>" in after
    assert any("Content Security Policy" in line for line in said)


@needs_browser
def test_a_concept_is_lit_and_events_are_stepped_through(engine, drawn, tmp_path):
    drive = """<script>
      document.querySelector('button[data-c="0"]').click();
      document.querySelector(".map").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
    </script></body>"""
    free = re.sub(r"<meta http-equiv=[^>]*>", "", drawn).replace("</body>", drive)
    after, said = browse(free, tmp_path)
    assert said == []
    dots = re.search(r'class="dots">(.*?)<g class="events">', after, re.DOTALL)[1]
    assert dots.count('class="lit"') == len(engine.fitted.concepts.members.items(0))
    tip = re.search(r'<div class="tip"[^>]*>(.*?)</div>', after)[1]
    assert escape(EVIL, quote=False) in tip
