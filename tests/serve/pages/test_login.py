"""Where the service is not open, pages are for those who log in."""

import pytest

from warmstart.serve.pages.render import HOME
from warmstart.serve.settings import Settings

from .conftest import Served

PASSWORD = "a long word and 7"


@pytest.fixture
def closed(toy_engine, tmp_path):
    url = f"sqlite:///{tmp_path}/closed.db"
    with Served(
        Settings(engine=toy_engine, database_url=url, rate_limit=0, require_keys=True, admin_password=PASSWORD)
    ) as served:
        yield served


def test_in_and_out(visit, closed):
    page = visit(f"{HOME}/models", at=closed)
    assert "/login?next=/dashboard/models" in page.url
    page.fill("#password", "wrong")
    page.get_by_role("button", name="Log in").click()
    assert page.locator("[role=alert]").inner_text()
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{HOME}/models")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto(HOME)
    assert "/login" in page.url
    visit.said.clear()  # the browser tells of the 401
