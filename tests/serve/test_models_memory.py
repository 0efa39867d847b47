"""Models in memory: none twice, none dropped that is needed, none refused for what the machine lacks for a moment."""

import errno
import shutil
import time

import pytest

from warmstart.errors import StoreUnavailable
from warmstart.serve import models as module
from warmstart.serve.models import Models, version_of
from warmstart.store.rows import Model
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


def test_at_the_start_the_folder_serves_until_the_promoted_one_can_be_read(known, engine_folder, monkeypatch):
    (models, (version, *_)), first = known, version_of(engine_folder)
    models.store.promote(version)
    late = Models(models.store, {})
    failing(monkeypatch, PASSING[0], 1)
    assert late.begin(engine_folder).version == first
    until(lambda: late.current(models.store.versions()["models"]).version == version)
