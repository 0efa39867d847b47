"""Every page, in each language and scheme: it is there, says nothing to the console, and can be used by everybody."""

import re
import tomllib
from importlib import resources

import pytest
from axe_playwright_python.sync_playwright import Axe

from warmstart.serve.pages.files import FILES, address_of
from warmstart.serve.pages.render import HOME
from warmstart.serve.pages.views.outcomes import GROUPS
from warmstart.serve.pages.views.overview import WINDOWS
from warmstart.serve.pages.words import words_of

from .conftest import pictured

PAGES = {
    "overview": HOME,
    "try": f"{HOME}/try?user=u3&click=i7&why=i9&find=the",
    "interests": f"{HOME}/interests?user=u3&off=1",
    "catalogue": f"{HOME}/catalogue",
    "found": f"{HOME}/catalogue/find?title=the",
    "item": f"{HOME}/items/i4",
    "outcomes": f"{HOME}/outcomes?by=slice",
    "experiments": f"{HOME}/experiments",
    "experiment": f"{HOME}/experiments/shown",
    "mixed": f"{HOME}/experiments/mixed",
    "models": f"{HOME}/models",
    "data": f"{HOME}/data",
    "login": "/login",
}
GRAVE = ("serious", "critical")
TITLED = ("item", "experiment", "mixed")  # by names of their own


def grave(page, rules=None):
    """What axe holds against a page."""
    found = Axe().run(page, options={"runOnly": rules} if rules else None).response["violations"]
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in GRAVE]


def english_in(text):
    """What a page says of the English that the service writes: three words of a message or a sentence in a row."""
    sentences = resources.files("warmstart.serve.pages").joinpath("words/sentences.zh.toml").read_text(encoding="utf-8")
    said = [*tomllib.loads(sentences), *words_of("en").messages.values()]
    runs = {run for one in said for run in re.findall(r"\b[A-Za-z]+(?:,? [a-z]+){2,}\b", one)}
    assert len(runs) > 200
    return sorted(run for run in runs if run in text)


def test_a_checked_file_is_told_in_chinese(visit):
    page = visit(f"{HOME}/data", language="zh", scheme="dark")
    page.check("input[value=events]")
    rows = "user_id,item_id,time,rating\nu1,i1,1,5\n,i2,2,4\nu3,nowhere,3,1\nu1,i4,2100000000,2\n"
    page.set_input_files("#file", {"name": "e.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.locator("button.main").click()
    page.wait_for_selector(".findings")
    told = page.locator("main").inner_text()
    assert "缺少用户编号" in told
    assert "4 行中有" in told
    assert english_in(told) == []
    assert grave(page) == []
    pictured(page, "checked-dark-zh")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    pictured(page, "checked-light-zh")
    page.locator("form[action$=drop] button").click()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_open_to_everybody(visit, name):
    page = visit(PAGES[name])
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert grave(page) == []
    pictured(page, f"{name}-light-en")
    page.emulate_media(color_scheme="dark")
    assert grave(page, ["color-contrast"]) == []
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    pictured(page, f"{name}-narrow-dark-en")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_speaks_chinese_and_is_read_without_scripts(visit, name):
    page = visit(PAGES[name], language="zh", scheme="dark", scripts=False)
    assert page.locator("main").inner_text().count("\n") > 3
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert re.search("[\u4e00-\u9fff]{2}", page.locator("h1" if name not in TITLED else ".kicker").inner_text())
    assert english_in(page.locator("body").text_content()) == []
    pictured(page, f"{name}-dark-zh")


def test_every_choice_of_a_page_is_answered_in_both_languages(visit):
    page = visit("/login")
    choices = [f"{HOME}?window={window}" for window in WINDOWS]
    choices += [f"{HOME}/outcomes?by={by}&days={days}" for by in GROUPS for days in (1, 365)]
    for language in ("en", "zh"):
        for choice in choices:
            answer = page.request.get(choice, headers={"accept-language": language})
            assert answer.status == 200, (choice, answer.text()[:500])


def test_files_are_kept_by_browsers_and_nothing_else_is_served(visit):
    page = visit("/login")
    for name in FILES:
        answer = page.request.get(address_of(name))
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]
    assert page.request.get("/dashboard/static/words.py").status == 404
    assert page.request.get("/dashboard/static/..%2fwords.py").status == 404
    assert page.request.get(HOME).headers["cache-control"] == "no-store"


def test_plots_have_their_figures_behind_them(visit):
    page = visit(HOME)
    charts = page.locator("figure.chart:has(svg[role=img])")
    assert charts.count() >= 3
    first = charts.first
    first.locator("summary").click()
    cells = first.locator("tbody td").all_inner_texts()
    assert sum(int(cell) for cell in cells) >= 20  # the answers that were given


def test_times_are_told_route_by_route(visit, served):
    page = visit("/login")
    for _ in range(5):
        assert page.request.post("/v1/recommend", data={"user_id": "u1", "k": 3}).status == 200
    page.goto(HOME)
    row = page.locator("tr", has_text="/v1/recommend").first.inner_text().split("\t")
    assert row[0] == "POST /v1/recommend"
    assert int(row[1]) >= 5
    assert all(cell.endswith(" ms") for cell in row[2:5])
    assert grave(page) == []
    pictured(page, "routes-light-en")
    page = visit(HOME, language="zh", scheme="dark", width=400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert grave(page, ["color-contrast"]) == []
    pictured(page, "routes-narrow-dark-zh")


def test_a_comparison_is_told_slice_by_slice(visit):
    page = visit(f"{HOME}/models")
    told = page.locator("section:has-text('0123456789ab against') tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in told] == ["all", "cold", "long tail"]
    assert "+5.0 %" in told[0]
    assert "-25.0 %" in told[2]
    assert told[2].endswith("fell")
    assert page.get_by_role("button", name="Promote 0123456789ab").count() == 0


def test_a_page_that_is_not_there_says_so(visit):
    page = visit(f"{HOME}/nowhere", language="zh")
    assert page.locator("h1").inner_text() == "找不到页面"
    visit.said.clear()  # the browser tells of every 404


def test_somebody_unknown_and_a_filter_unknown(visit):
    page = visit(f"{HOME}/try?user=nobody-yet")
    assert page.locator(".ranking li").count() == 10
    page = visit(f"{HOME}/try?column=nothing&value=x")
    assert "nothing" in page.locator("main").inner_text()
    visit.said.clear()
