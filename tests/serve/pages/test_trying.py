"""What-ifs in a browser: each click, word and switch changes the list, with scripts and without, by keyboard alone."""

import re

import pytest

from warmstart.serve.pages.render import HOME

TITLES = ".ranking .title a"


def titles(page):
    return page.locator(TITLES).all_inner_texts()


def settled(page, change):
    """Do something, and wait until the part of the page has been swapped."""
    page.evaluate("document.getElementById('trial').dataset.old = '1'")
    change()
    page.wait_for_selector("#trial:not([data-old])")


def test_a_click_changes_the_list_in_place(visit, served):
    before = served.service.store.last_seq()
    page = visit(f"{HOME}/try")
    page.evaluate("window.same = true")
    first = titles(page)
    assert len(first) == 10
    settled(page, lambda: page.locator(TITLES).first.click())
    assert page.evaluate("window.same")  # the page was not loaded anew
    assert "click=" in page.url
    second = titles(page)
    assert first[0] not in second
    assert second != first[1:]
    assert first[0] in page.locator(".chips").inner_text()
    assert page.locator(".moved.new").count() > 0
    assert "few-shot" in page.locator("#said").inner_text()
    settled(page, lambda: page.locator(".chips a").click())
    assert titles(page) == first
    page.go_back()
    page.wait_for_selector(".chips li")
    assert titles(page) == second
    assert served.service.store.last_seq() == before  # what is tried is stored nowhere


def test_a_taste_in_words_brings_what_it_names(visit):
    page = visit(f"{HOME}/try")
    page.fill("#text", "a kiss, a letter, love and a wedding")
    settled(page, lambda: page.get_by_role("button", name="Recommend").click())
    facts = page.locator(".ranking .facts").all_inner_texts()
    assert sum("romance" in fact for fact in facts) >= 6


def test_every_expert_shows_its_own_list(visit):
    page = visit(f"{HOME}/try?user=u3")
    heads = page.locator(".below table").nth(1).locator("thead th").all_inner_texts()
    assert heads[1:] == ["popularity", "content", "people"]
    assert page.locator(".below table").nth(0).locator("tbody tr").count() == 10
    assert "already seen" in page.locator(".below table").nth(2).inner_text()


def test_a_missing_item_is_explained_and_found_by_its_title(visit):
    page = visit(f"{HOME}/try?user=u3")
    page.fill("#find", "kiss")
    settled(page, lambda: page.get_by_role("button", name="Find").click())
    row = page.locator(".found li").first
    title = row.locator("span").first.inner_text().split("\n")[0]
    settled(page, lambda: row.get_by_role("link", name=re.compile("why not")).click())
    assert page.locator("#told").inner_text().startswith(title.split("  ")[0][:10])


def test_a_filter_holds_and_says_what_it_keeps_out(visit):
    page = visit(f"{HOME}/try")
    page.locator("summary", has_text="Filter").click()
    page.select_option("#column", "genre")
    page.fill("#value", "crime")
    settled(page, lambda: page.get_by_role("button", name="Recommend").click())
    facts = page.locator(".ranking .facts").all_inner_texts()
    assert facts
    assert all("crime" in fact for fact in facts)
    assert "does not pass the filter" in page.locator(".below").inner_text()


def test_an_interest_switched_off_leaves_the_list(visit):
    page = visit(f"{HOME}/interests?user=u3")
    before = page.locator(".ranking .title").all_inner_texts()
    settled(page, lambda: page.locator("input[name=off]").first.click())
    assert page.locator("input[name=off]:checked").count() == 1
    after = page.locator(".ranking .title").all_inner_texts()
    assert after != before
    assert page.locator(".gone").count() == 1
    settled(page, lambda: page.locator("input[name=off]:checked").click())
    assert [t.split(" ")[0] for t in page.locator(".ranking .title").all_inner_texts()] == [
        t.split(" ")[0] for t in before
    ]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_language_is_kept(visit, scripts):
    page = visit(f"{HOME}/try?user=u3", scripts=scripts)
    page.get_by_role("button", name="中文").click()
    page.wait_for_selector("html[lang=zh-Hans]")
    assert page.url.endswith("/try?user=u3")
    page.goto(f"{HOME}/models")
    assert page.locator("h1").inner_text() == "模型"


def test_it_all_works_without_scripts(visit):
    page = visit(f"{HOME}/try", scripts=False)
    first = titles(page)
    page.locator(TITLES).first.click()
    assert first[0] in page.locator(".chips").inner_text()
    assert titles(page) != first
    page.fill("#text", "a wedding")
    page.get_by_role("button", name="Recommend").click()
    assert first[0] in page.locator(".chips").inner_text()  # what was clicked is kept
    page.goto(f"{HOME}/interests?user=u3")
    page.locator("input[name=off]").first.check()
    page.get_by_role("button", name="Apply").click()
    assert "off=" in page.url
    assert page.locator("input[name=off]:checked").count() == 1


def test_the_keyboard_is_enough(visit):
    page = visit(f"{HOME}/try")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.ranking .title a')"):
            break
    first = page.evaluate("document.activeElement.textContent")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    settled(page, lambda: page.keyboard.press("Enter"))
    assert first in page.locator(".chips").inner_text()
    page.wait_for_function("document.activeElement !== document.body")  # the place in the page is not lost
