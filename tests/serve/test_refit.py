"""Refits over a real store: what is learned, what is judged by, what serves in the end."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from warmstart.engine import Engine
from warmstart.errors import DataError
from warmstart.serve import refit as module
from warmstart.serve.holdout import cut_of, held_out, known_until, split_of
from warmstart.serve.models import version_of
from warmstart.serve.refit import refit
from warmstart.serve.tidy import FITTING, tidy
from warmstart.serve.turn import Turn, take
from warmstart.store.rows import Event, Experiment, Item, Model
from warmstart.store.store import Store


@pytest.fixture
def store(world):
    with Store.open(world.database) as one:
        yield one


def test_newer_events_make_a_better_model_that_serves(world, store):
    store.put_items([Item("late", {"title": "The Orbit of the Rocket", "genre": "space"})])
    before, last, stages = store.serving(), store.last_seq(), []
    outcome = refit(world, store, "asked", lambda stage, done, total: stages.append(stage))
    assert outcome.status == "promoted", outcome.reason
    now = store.serving()
    assert now.version == outcome.version == version_of(Path(now.folder))
    assert store.model(before.version).status == "retired"
    assert Path(now.folder).parent == world.models_folder.resolve()
    assert "late" in Engine.load(now.folder).fitted.catalog.items
    report = now.report
    assert before.until < now.until < last
    assert (report["fair"], report["against"], report["origin"]) == (True, before.version, "refit")
    assert report["learned_events"] + report["held_events"] == store.counted(world.event_weights, 0, last)
    names = [part["name"] for part in report["slices"]]
    assert names[0] == "all"
    assert {"few_shot", "warm", "long tail"} <= set(names)
    assert report["slices"][0]["values"]["candidate"]["mean"] > report["slices"][0]["values"]["popularity"]["mean"]
    assert "Slice by slice" in (world.models_folder / f"{now.version}.html").read_text()
    assert not list(world.models_folder.glob(f"{FITTING}*"))
    assert {"reading events", "fitting experts", "judging"} <= set(stages)
    told = store.state("refit")
    assert (told["status"], told["model_version"], told["reason"]) == ("promoted", now.version, outcome.reason)
    second = refit(world, store, "asked")  # the events that judged it are fair: it has not learned from them
    assert second.report["fair"]
    assert second.report["learned_events"] > report["learned_events"]


def test_a_model_that_fell_is_refused_with_the_slice_and_its_interval(world, store):
    """Noise fills the store, and the model that was fitted before it came knows more."""
    serving, rng = store.serving(), np.random.default_rng(0)
    drawn = zip(rng.integers(150, size=6_000).tolist(), rng.integers(54, size=6_000).tolist(), strict=True)
    noise = [Event(f"x{n}", f"u{user}", f"i{item}", "view", 1, weight=50.0) for n, (user, item) in enumerate(drawn)]
    truth = store.events(serving.until, 5_000)
    store.add_events(noise)
    store.add_events([replace(e, event_id=f"again {e.event_id}", user_id=f"new {e.user_id}", seq=0) for e in truth])
    outcome = refit(world.model_copy(update={"refit_holdout": 0.12}), store, "asked")
    assert outcome.status == "refused", outcome.reason
    assert outcome.reason.startswith("fell: 'long tail' by ")
    fates = {part["name"]: part["fate"] for part in outcome.report["slices"]}
    assert fates["long tail"] == "fell"
    assert fates["all"] != "fell"  # one slice is enough
    assert store.serving() == serving
    row = store.model(outcome.version)
    assert (row.status, row.report["refused"]) == ("refused", outcome.reason)
    assert not (world.models_folder / outcome.version).exists()
    assert "▼ fell" in (world.models_folder / f"{outcome.version}.html").read_text()
    with pytest.raises(DataError, match="refused"):
        store.promote(outcome.version)


def test_without_new_events_a_flattered_model_is_no_bar_that_refuses(world, store, monkeypatch):
    """The serving model knows all the answers: whoever does worse is kept, for somebody to decide."""
    serving = store.serving()
    store.put_model(replace(serving, until=store.last_seq()))
    monkeypatch.setattr(module.Judgement, "passed", property(lambda self: False))
    outcome = refit(world, store, "asked")
    assert outcome.status == "kept"
    assert "may have learned from the events" in outcome.reason
    row = store.model(outcome.version)
    assert (row.status, row.report["fair"]) == ("candidate", False)
    assert store.serving().version == serving.version
    assert store.promote(outcome.version).status == "serving"


@pytest.mark.parametrize("fair", [True, False])
def test_the_same_engine_once_more_takes_nothing_from_the_one_that_served(world, store, monkeypatch, fair):
    serving = store.serving()
    if not fair:
        store.put_model(replace(serving, until=store.last_seq()))
    first = refit(world, store, "asked").version
    store.promote(first)
    store.promote(serving.version)
    before = store.model(first)
    monkeypatch.setattr(module.Judgement, "passed", property(lambda self: False))
    again = refit(world, store, "asked")
    assert (again.version, again.status) == (first, "refused" if fair else "kept")
    now = store.model(first)
    assert (now.status, now.promoted_at, now.folder) == ("retired", before.promoted_at, before.folder)
    assert version_of(Path(now.folder)) == first
    assert store.promote(first).status == "serving"


def test_events_the_first_engine_may_know_do_not_judge_it(world, store):
    """Its own data, put into the store after it began to serve, count as new; their time says that it knows them."""
    serving = store.serving()
    engine = Engine.load(serving.folder)
    newest = known_until(engine, serving)
    old = [e for e in store.events(0, 100_000) if e.seq <= serving.until]
    assert max(e.time for e in old) == newest
    assert known_until(engine, replace(serving, report={"origin": "refit"})) == -1
    store.put_model(replace(serving, until=0))
    outcome = refit(world, store, "asked")
    cut = store.model(outcome.version).until
    fair = [e for e in store.events(cut, 100_000) if e.time > newest]
    assert outcome.report["held_events"] == len(fair) > 0


def test_too_few_events_say_how_many_are_needed(world, store):
    outcome = refit(world.model_copy(update={"refit_holdout": 0.001}), store, "asked")
    assert outcome.status == "failed"
    assert outcome.reason.endswith("refit when there are 30,000 events, or raise refit_holdout")
    assert store.state("refit")["status"] == "failed"
    with pytest.raises(DataError, match="2 people took something new"):
        split_of(store.dataset({}), [Event(f"f{i}", f"f{i % 2}", "i1", "view", 1) for i in range(40)], ["i1"])


def test_the_cut_leaves_at_least_half_of_what_is_new_to_learn(world, store):
    weights, serving = dict(world.event_weights), store.serving()
    last = store.last_seq()
    total, new = store.counted(weights), store.counted(weights, serving.until)
    tenth, most = cut_of(store, weights, 0.1, serving, last), cut_of(store, weights, 0.9, serving, last)
    assert (tenth.held, most.held) == (round(total / 10), new // 2)
    assert (tenth.fair, most.fair) == (True, True)
    held = list(held_out(store, tenth, lambda event: 1.0))
    assert len(held) == tenth.held
    assert min(e.seq for e in held) > tenth.seq >= serving.until
    few = cut_of(store, weights, 0.1, replace(serving, until=last - 40), last)
    assert (few.fair, few.held) == (False, round(total / 10))


def test_somebody_erased_while_it_was_fitted_ends_it(world, store, monkeypatch):
    fit = Engine.fit

    def and_erase(self, data, progress=None):
        store.erase_user("u3")
        return fit(self, data, progress)

    monkeypatch.setattr(Engine, "fit", and_erase)
    serving = store.serving()
    outcome = refit(world, store, "asked")
    assert (outcome.status, outcome.reason) == ("failed", module.ERASED)
    assert store.serving() == serving
    assert [p.name for p in world.models_folder.iterdir() if p.is_dir()] == []


def test_a_model_promoted_meanwhile_is_not_overturned(world, store, monkeypatch):
    other = world.models_folder / "other"
    shutil.copytree(store.serving().folder, other)
    (other / "manifest.json").write_text((other / "manifest.json").read_text() + "\n")
    version = version_of(other)
    store.put_model(Model(version, str(other), until=5))
    fit = Engine.fit

    def and_promote(self, data, progress=None):
        store.promote(version)
        return fit(self, data, progress)

    monkeypatch.setattr(Engine, "fit", and_promote)
    outcome = refit(world, store, "asked")
    assert (outcome.status, outcome.reason) == ("kept", module.OVERTAKEN)
    assert store.serving().version == version


def test_a_damaged_serving_engine_is_told(world, store):
    folder = world.engine.parent / "damaged"
    shutil.copytree(world.engine, folder)
    (folder / "parts.json").write_text("{}")
    store.put_model(replace(store.serving(), folder=str(folder)))
    outcome = refit(world, store, "asked")
    assert outcome.status == "failed"
    assert "was changed after it was saved" in outcome.reason


def test_old_folders_go_and_their_rows_say_so(world, store):
    home = world.models_folder
    for i in range(6):
        (home / f"m{i}").mkdir(parents=True)
        store.put_model(Model(f"m{i}", str((home / f"m{i}").resolve())))
        store.promote(f"m{i}")
    (home / f"{FITTING}left").mkdir()
    store.put_experiment(Experiment("x", ({"name": "old", "model": "m0"}, {"name": "new"})))
    first = store.models()[0]
    assert tidy(store, home, keep=2) == ["m2", "m1"]
    assert {p.name for p in home.iterdir()} == {"m0", "m3", "m4", "m5"}  # tried, retired, retired, serving
    assert [store.model(v).status for v in ("m0", "m1", "m4", "m5")] == ["retired", "removed", "retired", "serving"]
    assert Path(store.model(first.version).folder).exists()  # not among the refits' own: nobody else's to delete
    with pytest.raises(DataError, match="was deleted"):
        store.promote("m1")
    assert tidy(store, home, keep=2) == []


def test_popularity_moves_up_to_the_cut_and_not_through_it(world, store):
    known = module.Known.of(world, store)
    turn = Turn(store, take(store, "asked"))
    live = module.Refit(world, store, turn, turn.tell)._live(known, known.serving)
    counted = store.counted(world.event_weights, known.serving.until, known.cut.seq)
    assert len(live._item) == counted
    assert counted + known.cut.held == store.counted(world.event_weights, known.serving.until)
