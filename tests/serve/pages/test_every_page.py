"""Every page, in each language and scheme: it is there, says nothing to the console, and can be used by everybody."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from warmstart.serve.pages.render import HOME

from .conftest import pictured

PAGES = {"overview": HOME}
GRAVE = ("serious", "critical")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_open_to_everybody(visit, name, scheme, language):
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
