"""Every page, in each language and scheme: it is there, says nothing to the console, and can be used by everybody."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from warmstart.serve.pages.render import HOME

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


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_open_to_everybody(visit, name):
    """Light, then dark, English, then Chinese; axe looks at both."""
    for scheme, language in (("light", "en"), ("dark", "zh")):
        page = visit(PAGES[name], scheme=scheme, language=language)
        assert page.locator("h1").count() == 1
        assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
        pictured(page, f"{name}-{scheme}-{language}")
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in GRAVE] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(visit, name):
    page = visit(PAGES[name], width=400)
    pictured(page, f"{name}-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_without_scripts(visit, name):
    page = visit(PAGES[name], scripts=False, scheme="dark")
    assert page.locator("h1").inner_text()
    assert page.locator("main").inner_text().count("\n") > 3


def test_plots_have_their_figures_behind_them(visit):
    page = visit(HOME)
    charts = page.locator("figure.chart:has(svg[role=img])")
    assert charts.count() >= 3
    first = charts.first
    first.locator("summary").click()
    cells = first.locator("tbody td").all_inner_texts()
    assert sum(int(cell) for cell in cells) >= 20  # the answers that were given


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
