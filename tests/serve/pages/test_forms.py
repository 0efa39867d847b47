"""Forms in a browser: what they change is changed, and nobody else's form is taken."""

import io
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from warmstart.engine import Engine
from warmstart.errors import DataError
from warmstart.serve.models import version_of
from warmstart.serve.pages.render import HOME
from warmstart.serve.pages.uploads import HOUR, Uploads
from warmstart.serve.pages.views.ingest import checked
from warmstart.serve.problems import Problem
from warmstart.serve.turn import end, take
from warmstart.store.rows import Item, Model

from .conftest import pictured

ITEMS = "item_id,title,genre,year\nn1,The Orbit of the New Star,space,2001\n,Nobody,space,2002\nn2,Odd,crime,soon\n"


def upload(page, table, name, text):
    page.check(f"input[value={table}]")
    page.set_input_files("#file", {"name": name, "mimeType": "text/plain", "buffer": text.encode()})
    page.get_by_role("button", name="Look it over").click()
    page.wait_for_load_state()


def folder(served):
    engine = served.service.settings.engine
    return engine.parent / f"{engine.name}.uploads"


@pytest.mark.parametrize("scripts", [True, False])
def test_items_are_looked_over_then_written(visit, served, scripts):
    page = visit(f"{HOME}/data", scripts=scripts)
    name = f"n1{scripts}"
    upload(page, "items", "new.csv", ITEMS.replace("n1", name))
    assert page.locator(".tile .value").all_inner_texts() == ["3", "1", "2"]
    told = page.locator("main").inner_text()
    assert "item id is missing" in told
    assert "'soon' is no number" in told
    assert served.service.store.item(name) is None
    assert "2 of 3 rows refused" in told  # not of the known items, too
    page.get_by_role("button", name="Write 1 row", exact=True).click()
    assert "1 item written. 1 was new, 2 refused." in page.locator("main").inner_text()
    assert served.service.store.item(name).fields["genre"] == "space"
    assert not folder(served).exists()
    page.goto(f"{HOME}/try?text=orbit+of+the+new+star")
    assert "The Orbit of the New Star" in page.locator(".ranking").inner_text()  # in the very next answer
    served.service.store.delete_item(name)


def test_events_and_users_are_written_too(visit, served):
    page = visit(f"{HOME}/data")
    upload(page, "events", "e.jsonl", '{"user": "newcomer", "item": "i4", "rating": 5}\n{"user": "newcomer"}\n')
    assert "1" in page.locator(".tile .value").all_inner_texts()
    page.get_by_role("button", name="Write 1 row").click()
    page.wait_for_selector(".notice.good")
    (event,) = served.service.store.history("newcomer")
    assert (event.item_id, event.kind, event.value) == ("i4", "rate", 5.0)
    upload(page, "users", "u.csv", "user_id,age,city\nnewcomer,33,Lima\n")
    page.get_by_role("button", name="Write 1 row").click()
    page.wait_for_selector(".notice.good")
    assert served.service.store.user("newcomer").attributes == {"age": 33, "city": "Lima"}


def test_a_file_is_dropped_and_a_bad_one_is_told(visit, served):
    page = visit(f"{HOME}/data")
    upload(page, "items", "new.csv", ITEMS)
    page.get_by_role("button", name="Drop the file").click()
    page.wait_for_url(f"**{HOME}/data")
    assert not folder(served).exists()
    upload(page, "items", "run.exe", "MZ")
    assert ".exe" in page.locator("main").inner_text()
    page.goto(f"{HOME}/data")
    upload(page, "items", "not.parquet", "no parquet at all")
    assert "Parquet" in page.locator("main").inner_text()
    visit.said.clear()  # the browser tells of every 422
    for path in folder(served).iterdir():
        path.unlink()
    folder(served).rmdir()


def test_what_is_uploaded_is_text_and_nothing_more(visit, served):
    page = visit(f"{HOME}/data")
    evil = "<img src=x onerror=alert(1)><script>document.title='run'</script>"
    upload(page, "items", "new.csv", f"item_id,title\nevil,{evil}\n")
    page.get_by_role("button", name="Write 1 row").click()
    page.goto(f"{HOME}/items/evil")
    assert page.locator("h1").inner_text() == evil
    page.goto(f"{HOME}/try?click=evil&find=onerror")
    assert evil in page.locator(".chips").inner_text()
    assert page.locator("main img").count() == 0
    served.service.store.delete_item("evil")


def test_a_file_of_too_many_rows_is_refused_before_it_is_read(tmp_path, served):
    most = served.service.settings.row_limit
    uploads = Uploads(tmp_path / "uploads")
    buffer = io.BytesIO()
    pl.DataFrame({"user_id": ["u"] * (most + 2), "item_id": ["i"] * (most + 2)}).write_parquet(buffer)
    for name, body in (("a.parquet", buffer.getvalue()), ("a.csv", b"user_id,item_id\n" + b"u,i\n" * (most + 2))):
        with pytest.raises(Problem) as refusal:
            checked(served.service, uploads.keep("events", name, body))
        assert refusal.value.status == 413


@pytest.mark.parametrize(("name", "body"), [("a.csv", b""), ("a", b"x"), ("a.csv", b"\x1f\x8b\x00")])
def test_files_of_no_use_are_refused(tmp_path, name, body):
    with pytest.raises(DataError):
        Uploads(tmp_path / "uploads").keep("items", name, body)
    with pytest.raises(Problem):
        Uploads(tmp_path).find("../../../etc/passwd")


def test_files_that_wait_for_too_long_are_removed(tmp_path):
    uploads = Uploads(tmp_path / "uploads")
    old = uploads.keep("items", "a.csv", b"x")
    os.utime(old.path, (time.time() - HOUR - 1,) * 2)
    new = uploads.keep("users", "../../b.CSV", b"x")
    assert not old.path.exists()
    assert new.path.parent == uploads.folder
    assert uploads.find(new.key) == new
    assert (new.table, new.path.suffix, oct(new.path.stat().st_mode)[-3:]) == ("users", ".csv", "600")


@pytest.mark.parametrize("leaves", [False, True])
def test_another_worker_that_sweeps_at_the_same_moment_harms_nothing(tmp_path, monkeypatch, leaves):
    uploads, listed = Uploads(tmp_path / "uploads"), Path.iterdir
    mine = uploads.keep("items", "a.csv", b"x")

    def overtaken(folder):
        for path in list(listed(folder)):
            path.unlink()
            if not leaves:
                folder.rmdir()
            yield path
        if leaves:
            (folder / "new.items.csv").write_bytes(b"y")

    monkeypatch.setattr(Path, "iterdir", overtaken)
    uploads.sweep()
    assert not mine.path.exists()
    assert (uploads.folder / "new.items.csv").exists() is leaves


def test_an_experiment_begins_shows_and_stops(visit, served):
    page = visit(f"{HOME}/experiments")
    page.fill("#name", "covers")
    page.locator("input[name=diversity]").nth(1).fill("0.4")
    page.fill("#scenario", "covers")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/experiments/covers")
    assert page.locator("tbody tr").count() == 2
    assert "diversity 0.4" in page.locator("tbody").inner_text()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".status.stopped")
    (row,) = [e for e in served.service.store.experiments() if e.name == "covers"]
    assert (row.status, [v["name"] for v in row.variants]) == ("stopped", ["as_it_is", "other"])


def test_an_experiment_that_cannot_begin_says_why(visit):
    page = visit(f"{HOME}/experiments", scripts=False)
    page.fill("#name", "too much")
    page.locator("#name").evaluate("e => e.removeAttribute('pattern')")
    page.get_by_role("button", name="Begin").click()
    assert "name" in page.locator("main").inner_text()
    visit.said.clear()


def test_an_item_is_hidden_and_comes_back(visit, served):
    page = visit(f"{HOME}/items/i5")
    page.get_by_role("button", name="Hide").click()
    page.wait_for_selector("text=Recommend again")
    assert served.service.store.item("i5").hidden
    page.get_by_role("button", name="Recommend again").click()
    page.wait_for_selector("text=Hide from")
    assert not served.service.store.item("i5").hidden


def test_an_item_whose_id_holds_a_slash_has_its_page(visit, served):
    name = "films/odd 100%"
    served.service.store.put_items([Item(name, {"title": "Zanzibar"})])
    page = visit(f"{HOME}/catalogue/find?title=zanzibar", scripts=False)
    page.get_by_role("link", name="Zanzibar").click()
    assert name in page.locator(".lead").inner_text()
    page.get_by_role("button", name="Hide").click()
    assert name in page.locator(".lead").inner_text()
    assert served.service.store.item(name).hidden
    served.service.store.delete_item(name)


def alike(toy_engine, folder, indent):
    """The same model, another version."""
    Engine.load(toy_engine).save(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=indent))
    return Model(version_of(folder), str(folder))


def test_models_are_promoted_and_rolled_back(visit, served, toy_engine, tmp_path):
    store, first = served.service.store, served.service.models.serving.version
    other = tmp_path / "other"
    store.put_model(alike(toy_engine, other, 3))
    page = visit(f"{HOME}/models")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Promote").click()
    page.wait_for_selector("text=Roll back")
    assert served.service.models.serving.version == version_of(other)
    page.get_by_role("button", name="Roll back").click()
    page.wait_for_selector(f".tile .value:has-text('{first}')")
    assert store.serving().version == first


def test_the_page_of_models_follows_a_refit_to_the_model_that_serves_then(visit, served, toy_engine, tmp_path):
    store, first = served.service.store, served.service.models.serving.version
    new = alike(toy_engine, tmp_path / "new", 5)
    holder = take(store, "asked")
    page, plain = visit(f"{HOME}/models"), visit(f"{HOME}/models", scripts=False)
    assert page.locator(".refit .status").inner_text() == "running"
    pictured(plain, "refit-light-en")
    assert "does not follow by itself" in plain.locator(".refit").inner_text()
    store.put_model(replace(new, report={"comparison": "no slice fell by more than 2.0%", "seconds": {"fit": 3.25}}))
    store.promote(new.version)  # as the process of the refit does: this one hears of it from the store
    end(store, holder, "promoted", {"model_version": new.version, "reason": "no slice fell by more than 2.0%"})
    page.wait_for_selector(f".tile .value:has-text('{new.version}')")
    assert page.locator(".refit .status").inner_text() == "promoted"
    row = page.locator("tbody tr", has_text=new.version)
    assert "serving" in row.inner_text()
    assert page.locator("#refit").get_attribute("hx-get") is None  # and asks no longer
    plain.get_by_role("link", name="Reload it").click()
    assert new.version in plain.locator(".tile .value").first.inner_text()
    pictured(page, "refitted-light-en")
    pictured(visit(f"{HOME}/models", language="zh", scheme="dark"), "refitted-dark-zh")
    served.service.models.promote(first)


def test_seconds_are_told_in_words(visit, served):
    page = visit(f"{HOME}/models")
    told = page.locator("section:has-text('0123456789ab against') .facts").inner_text()
    assert "fitting 12.3 s" in told
    assert "judging 4 s" in told
    assert "{" not in page.locator("main").inner_text()


def test_a_form_of_another_page_is_refused(visit, served):
    page = visit(f"{HOME}/models")
    sent = "{method: 'POST', body: new URLSearchParams({csrf: 'x'})}"
    status = page.evaluate(f"fetch('/dashboard/models/roll-back', {sent}).then(r => r.status)")
    assert status == 403
    visit.said.clear()
