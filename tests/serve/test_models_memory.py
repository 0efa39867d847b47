"""Models in memory: none twice, none dropped that is needed, none refused for what the machine lacks for a moment."""

import errno
import shutil
import threading
import time

import pytest

from warmstart.errors import StoreUnavailable
from warmstart.serve import models as module
from warmstart.serve.models import Models, version_of
from warmstart.store.rows import Experiment, Model
from warmstart.store.store import Store


@pytest.fixture
def known(engine_folder, tmp_path):
    """Models of a store in which the engine serves, and six more that the store knows: the same, of other manifests."""
    with Store.open(tmp_path / "store.db") as store:
        models, versions = Models(store, {}), []
        models.begin(engine_folder)
        for number in range(6):
            folder = tmp_path / f"m{number}"
            shutil.copytree(engine_folder, folder)
            manifest = folder / "manifest.json"
            manifest.write_text(manifest.read_text() + "\n" * (1 + number))
            versions.append(version_of(folder))
            store.put_model(Model(versions[-1], str(folder)))
        yield models, versions


def until(true, seconds=20.0):
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def failing(monkeypatch, error, times):
    """Engines that cannot be loaded so many times; gives the list of trials."""
    load, tried = module.Engine.load, []

    def once(folder):
        tried.append(folder)
        if len(tried) <= times:
            raise error
        return load(folder)

    monkeypatch.setattr(module.Engine, "load", once)
    return tried


PASSING = [OSError(errno.EMFILE, "Too many open files"), OSError(errno.EIO, "Input/output error"), MemoryError()]


@pytest.mark.parametrize("error", PASSING, ids=["files", "disk", "memory"])
def test_what_the_machine_lacks_for_a_moment_refuses_no_model(known, monkeypatch, error):
    models, (version, *_) = known
    before = models.store.model(version)
    failing(monkeypatch, error, 1)
    with pytest.raises(StoreUnavailable, match=r"cannot be read now: .*; try again"):
        models.promote(version)
    assert models.store.model(version) == before
    assert models.promote(version).version == models.serving.version == version


def test_a_file_that_went_while_it_was_read_does_refuse_it(known, monkeypatch):
    models, (version, *_) = known
    failing(monkeypatch, FileNotFoundError(errno.ENOENT, "No such file"), 1)
    with pytest.raises(module.ArtefactError, match="cannot be read"):
        models.promote(version)
    assert models.store.model(version).status == "refused"


def test_a_serving_model_that_cannot_be_read_now_is_looked_at_again(known, monkeypatch):
    models, (version, *_) = known
    monkeypatch.setattr(module, "AGAIN", 0.0)
    models.store.promote(version)
    failing(monkeypatch, PASSING[0], 1)
    number = models.store.versions()["models"]
    until(lambda: models.current(number).version == version)
    assert models.store.model(version).status == "serving"


def test_at_the_start_the_folder_serves_until_the_promoted_one_can_be_read(known, engine_folder, monkeypatch):
    (models, (version, *_)), first = known, version_of(engine_folder)
    models.store.promote(version)
    late = Models(models.store, {})
    failing(monkeypatch, PASSING[0], 1)
    assert late.begin(engine_folder).version == first
    until(lambda: late.current(models.store.versions()["models"]).version == version)


def test_who_asks_for_the_same_model_at_once_shares_it(known, monkeypatch):
    models, (version, *_) = known
    load, loads, got = module.Engine.load, [], []

    def slowly(folder):
        loads.append(folder)
        time.sleep(0.3)
        return load(folder)

    monkeypatch.setattr(module.Engine, "load", slowly)
    threads = [threading.Thread(target=lambda: got.append(models.loaded(version))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len(got) == 4
    assert len({id(live) for live in got}) == 1


def test_what_experiments_name_and_what_served_before_stays_in_memory(known, engine_folder):
    models, versions = known
    tried, *others = versions
    variants = ({"name": "old", "share": 0.5}, {"name": "new", "share": 0.5, "model": tried})
    models.store.put_experiment(Experiment("x", variants))
    live, before = models.loaded(tried), models.serving
    models.promote(others[0])
    for version in others[1:]:
        models.loaded(version)
    assert models.if_loaded(tried) is live
    assert models.if_loaded(version_of(engine_folder)) is before
    assert len(models._lives) == 1 + module.KEPT  # the others went, the oldest first
    assert others[-1] in models._lives


def test_nothing_is_dropped_while_the_store_does_not_say_what_is_tried(known, monkeypatch):
    def gone():
        raise StoreUnavailable("it is gone; start it again")

    models, versions = known
    monkeypatch.setattr(models.store, "experiments", gone)
    lives = [models.loaded(version) for version in versions]
    assert [models.if_loaded(version) for version in versions] == lives


def test_a_variant_that_cannot_be_loaded_is_tried_again_after_a_while(known, monkeypatch):
    models, (version, *_) = known
    now, row, asked = time.monotonic(), models.store.model, []

    def counted(which):
        asked.append(which)
        return None if len(asked) == 1 else row(which)

    monkeypatch.setattr(models.store, "model", counted)
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    for _ in range(20):
        assert models.if_loaded(version) is None
        for thread in threading.enumerate():
            if thread.name == "load-model":
                thread.join()
    assert asked == [version]
    now += module.PAUSE
    models.if_loaded(version)
    for thread in threading.enumerate():
        if thread.name == "load-model":
            thread.join()
    assert models.if_loaded(version).version == version
