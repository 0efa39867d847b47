"""Reports print, save and say where a system falls short; the page stands alone."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from warmstart.data import split
from warmstart.evaluate.control import shuffled_text_control
from warmstart.evaluate.figures import SERIES
from warmstart.evaluate.html import page
from warmstart.evaluate.report import Trust
from warmstart.evaluate.run import evaluate

VOID = {"meta", "img", "br", "path", "use", "circle", "rect", "line"}


@pytest.fixture(scope="module")
def report(make_planted, engine_class, ranker_class):
    task = split.temporal(make_planted())
    found = evaluate(engine_class(), task, k=5, name="<parity>", n_boot=50)
    trust = Trust((0, 1, 10), {"text": (1.0, 0.6, 0.1), "data": (0.0, 0.4, 0.9)})
    return replace(found, trust=trust, control=shuffled_text_control(ranker_class, task, n_boot=50))


def test_the_terminal_text_has_every_slice_and_system(report):
    text = str(report)
    for name in (*report.populations, *(s.name for s in report.systems)):
        assert name in text


def test_show_prints(report, capsys):
    report.show()
    assert "NDCG@5" in capsys.readouterr().out


def test_json_is_plain_and_complete(report, tmp_path):
    report.save_json(tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    back = json.loads(text)
    assert back["systems"][0]["values"]["all queries"]["ndcg"]["mean"] == report.value().mean
    assert {c["verdict"] for c in back["comparisons"]} <= {"better", "worse", "equal"}
    assert back["trust"]["shares"]["text"] == [1.0, 0.6, 0.1]
    assert back["control"]["test"]["n"] > 0


def test_falling_below_the_floor_is_told(make_planted):
    task = split.last_n(make_planted(), share=0.3)

    def silent(histories, k, candidates):
        return np.full((len(histories), k), -1)

    bad = evaluate(silent, task, n_boot=1000)
    assert "all queries" in bad.below_floor
    assert bad.comparisons[0].verdict == "worse"
    assert "▼" in str(bad)


class Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids = [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [v for a, v in attrs if a == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [v for a, v in attrs if a == "id"]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_page_is_self_contained_and_well_formed(report, tmp_path):
    report.save_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    reader = Balance()
    reader.feed(text)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert not re.search(r"<script|<link|<img|src=|@import|url\((?!#)", text)
    assert not re.search(r'href="(?!#)', text)
    assert text.count('role="img"') == text.count("<figure>") == 6
    assert all(colour not in text for colour in SERIES)


def test_names_are_escaped_in_text_and_figures(report):
    text = page(report)
    assert "<parity>" not in text
    assert "&lt;parity&gt;" in text


def test_the_page_is_the_same_each_time(report):
    assert page(report) == page(report)


def test_without_extras_their_parts_are_left_out(report):
    text = page(replace(report, trust=None, control=None, comparisons=()))
    assert "Text against data" not in text
    assert "Control:" not in text
    assert "Gain on the best baseline" not in text
