"""Models are swapped and rolled back without a failed answer; a damaged one is refused and the present one goes on."""

import json
import shutil
import threading
import time
from pathlib import Path

import httpx2
import numpy as np
import pytest

from warmstart.artefact import checksum
from warmstart.errors import ArtefactError, DataError, StoreUnavailable
from warmstart.serve import models as module
from warmstart.serve.models import Models, version_of
from warmstart.store.rows import Model
from warmstart.store.store import Store


def copied(folder, to):
    """The same engine under another version: its manifest has one more line."""
    shutil.copytree(folder, to)
    manifest = to / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n" * (1 + int(to.name[1:])))
    return version_of(to)


def registered(store, folder):
    """Known to the store."""
    store.put_model(Model(version_of(folder), str(folder)))
    return version_of(folder)


@pytest.fixture
def several(engine_folder, tmp_path):
    """Folders of six versions; more than a process keeps in memory."""
    folders = [tmp_path / f"m{i}" for i in range(6)]
    assert len({copied(engine_folder, folder) for folder in folders}) == 6 > module.KEPT
    return folders


def until(true, seconds=20.0):
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def test_no_request_fails_while_models_are_promoted_and_rolled_back(running, several):
    address, service = running
    versions = [registered(service.store, folder) for folder in several]
    stop, failed, seen = threading.Event(), [], []

    def asking(number):
        with httpx2.Client(base_url=address, timeout=30) as client:
            while not stop.is_set():
                answer = client.post("/v1/recommend", json={"user_id": f"u{number}", "k": 5})
                if answer.status_code != 200 or not answer.json()["items"]:
                    failed.append(answer.text)
                seen.append(answer.json().get("model_version"))

    threads = [threading.Thread(target=asking, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    with httpx2.Client(base_url=address, timeout=30) as admin:
        for turn in range(3):
            for version in versions:
                assert admin.post(f"/v1/models/{version}:promote").status_code == 200
                assert admin.get("/health/ready").status_code == 200
            before = versions[-2]
            assert admin.post("/v1/models:rollback").json()["model_version"] == before, turn
        service.store.promote(versions[0])  # by another process
        until(lambda: seen[-1] == versions[0])
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(seen) > 50
    assert set(versions) <= set(seen)


def rewritten(folder, name, value):
    """A manifest that lies: it says that a changed file is as it should be."""
    (folder / name).write_text(value)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = checksum(folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def changed_bytes(folder):
    path = max((p for p in folder.rglob("*.np*")), key=lambda p: p.stat().st_size)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def other_format(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 10**6}))


def other_class(folder):
    parts = json.loads((folder / "parts.json").read_text())
    rewritten(folder, "parts.json", json.dumps({name: {"class": "Popen", "fields": {}} for name in parts}))


POISONS = {
    "bytes changed": (changed_bytes, "was changed after it was saved"),
    "a file is missing": (lambda folder: (folder / "items.parquet").unlink(), "is missing"),
    "another format": (other_format, "has format 1000000"),
    "no manifest": (lambda folder: (folder / "manifest.json").write_text("{}"), "has format 0"),
    "no JSON": (lambda folder: (folder / "manifest.json").write_text("no"), "cannot be read"),
    "a manifest that lies": (lambda folder: rewritten(folder, "parts.json", "[]"), "cannot be read"),
    "a class nobody knows": (other_class, "class 'Popen' is unknown"),
}


@pytest.mark.parametrize("poison", POISONS)
def test_a_poisoned_folder_is_refused_with_the_reason_and_the_old_one_serves(client, several, poison):
    damage, why = POISONS[poison]
    store = client.service.store
    before = client.get("/v1/models").json()["serving"]
    damage(several[0])
    version = registered(store, several[0])
    answer = client.post(f"/v1/models/{version}:promote")
    assert (answer.status_code, answer.json()["code"]) == (409, "artefact")
    row = store.model(version)
    assert row.status == "refused"
    assert why in row.report["refused"]
    assert client.get("/health/ready").status_code == 200
    assert client.post("/v1/recommend", json={}).json()["model_version"] == before
    again = client.post(f"/v1/models/{version}:promote")
    assert again.status_code == 409
    assert "is refused" in again.json()["detail"]
    assert store.model(version) == row


def test_a_folder_changed_since_it_was_registered_is_refused(client, several):
    version = registered(client.service.store, several[0])
    copied(several[1], several[0].with_name("m9"))
    shutil.copy(several[0].with_name("m9") / "manifest.json", several[0])
    answer = client.post(f"/v1/models/{version}:promote").json()
    assert answer["detail"].endswith("holds another engine than when it was registered")


def test_what_another_process_promoted_and_nobody_can_load_is_told_once(client, several):
    """The present model goes on, and looking does not go round in circles: the reason is written once."""
    store = client.service.store
    before = client.get("/v1/models").json()["serving"]
    changed_bytes(several[0])
    version = registered(store, several[0])
    store.promote(version)
    client.post("/v1/recommend", json={})
    until(lambda: "refused" in store.model(version).report)
    for _ in range(5):
        assert client.post("/v1/recommend", json={}).json()["model_version"] == before
        time.sleep(0.02)
    until(lambda: not client.service.models._switching.locked())
    number = store.versions()["models"]
    for _ in range(5):
        client.post("/v1/recommend", json={})
    assert store.versions()["models"] == number
    assert store.serving().version == version  # as the operator said; who can load it serves it
    assert client.get("/health/ready").status_code == 200
    assert client.post("/v1/models:rollback").json()["model_version"] == before


def test_an_engine_that_is_damaged_at_the_start_changes_nothing(engine_folder, several, tmp_path):
    with Store.open(tmp_path / "store.db") as store:
        Models(store, {}).begin(engine_folder)
        changed_bytes(several[0])
        with pytest.raises(ArtefactError, match="was changed after"):
            Models(store, {}).begin(several[0])
        assert store.serving().version == version_of(engine_folder)
        assert len(store.models()) == 1


def test_roll_back_goes_to_the_one_before_within_a_second_and_when_the_clock_went_back(client, several, monkeypatch):
    store = client.service.store
    versions = sorted(registered(store, folder) for folder in several[:3])
    now = time.time()
    monkeypatch.setattr("warmstart.store.models.time.time", lambda: now)
    for version in versions:
        client.post(f"/v1/models/{version}:promote")
    assert client.post("/v1/models:rollback").json()["model_version"] == versions[1]
    now -= 7200
    client.post(f"/v1/models/{versions[0]}:promote")
    assert client.post("/v1/models:rollback").json()["model_version"] == versions[1]


def test_a_repaired_folder_can_be_registered_anew(client, engine_folder):
    home = client.service.settings.models_folder
    home.mkdir(exist_ok=True)
    version = copied(engine_folder, home / "r1")
    parts = (home / "r1" / "parts.json").read_bytes()
    try:
        assert client.post("/v1/models", json={"folder": "r1"}).json()["model_version"] == version
        (home / "r1" / "parts.json").write_bytes(b"{}")
        assert client.post(f"/v1/models/{version}:promote").status_code == 409
        (home / "r1" / "parts.json").write_bytes(parts)
        assert client.post("/v1/models", json={"folder": "r1"}).json()["status"] == "candidate"
        assert client.post(f"/v1/models/{version}:promote").json()["status"] == "serving"
    finally:
        shutil.rmtree(home)


@pytest.fixture
def known(engine_folder, several, tmp_path):
    """Models of a store in which the first of several serves, and that knows the others."""
    with Store.open(tmp_path / "store.db") as store:
        models = Models(store, {})
        models.begin(engine_folder)
        yield models, [registered(store, folder) for folder in several]


def test_a_slow_one_does_not_push_out_what_was_promoted_after_it(known, monkeypatch):
    models, (slow, quick, *_) = known
    load, loading, go = models.loaded, threading.Event(), threading.Event()

    def slowly(version):
        live = load(version)
        if version == slow:
            loading.set()
            go.wait(10)
        return live

    monkeypatch.setattr(models, "loaded", slowly)
    models.store.promote(slow)
    models.current(models.store.versions()["models"])
    assert loading.wait(10)
    models.store.promote(quick)
    models.current(models.store.versions()["models"])
    looks = [thread for thread in threading.enumerate() if thread.name == "switch-model"]
    time.sleep(0.5)  # time enough for the quick one, were it not to wait
    go.set()
    for look in looks:
        look.join()
    assert models.serving.version == quick


def test_a_store_that_was_gone_at_the_wrong_moment_is_asked_again(known, monkeypatch):
    models, (other, *_) = known
    models.store.promote(other)
    serving, asked = models.store.serving, []

    def gone():
        asked.append(1)
        if len(asked) == 1:
            raise StoreUnavailable("it is gone; start it again")
        return serving()

    monkeypatch.setattr(models.store, "serving", gone)
    number = models.store.versions()["models"]
    models.current(number)
    until(lambda: models._number == -1)
    models.current(number)
    until(lambda: models.serving.version == other)
    assert len(asked) == 2


def test_of_two_promotions_at_once_the_store_and_the_process_agree(known):
    models, versions = known
    rng = np.random.default_rng(0)
    lists = [rng.permutation(versions[:4]).tolist() for _ in range(4)]

    def promoting(given):
        for version in given:
            models.promote(version)

    threads = [threading.Thread(target=promoting, args=(given,)) for given in lists]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert models.serving.version == models.store.serving().version
    with pytest.raises(DataError, match="is unknown"):
        models.promote("nobody")
    assert Path(models.store.serving().folder).is_dir()


def test_workers_that_start_together_all_start(engine_folder, tmp_path, monkeypatch):
    with Store.open(tmp_path / "store.db") as store:
        load = module.Engine.load

        def overtaken(folder):
            monkeypatch.setattr(module.Engine, "load", load)
            Models(store, {}).begin(engine_folder)  # another worker, while this one loads
            return load(folder)

        monkeypatch.setattr(module.Engine, "load", overtaken)
        assert Models(store, {}).begin(engine_folder).version == store.serving().version


def test_a_model_has_answered_before_anybody_asks_it(engine_folder, tmp_path, monkeypatch):
    answered, recommend = [], module.Engine.recommend

    def noted(engine, **asked):
        found = recommend(engine, **asked)
        answered.append(found.height)
        return found

    monkeypatch.setattr(module.Engine, "recommend", noted)
    with Store.open(tmp_path / "store.db") as store:
        models = Models(store, {})
        models.begin(engine_folder)
        assert answered == [1]
        assert models.loaded(version_of(engine_folder)) is models.serving
    assert answered == [1]
