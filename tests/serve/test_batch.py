"""Questions ranked together are ranked as each would be alone; nobody waits for ever; errors are their own."""

import threading

import pytest

from warmstart.errors import DataError
from warmstart.serve.asker import Asker
from warmstart.serve.batch import Batches, Job, rank_all, ranked
from warmstart.serve.lines import Wanted
from warmstart.store.rows import Event


def asker(*items, **known):
    taste = [Event(str(at), "u", item, "view" if at % 2 else "buy", at + 1) for at, item in enumerate(items)]
    return Asker.of("u", taste, known.get("attributes", {}), known.get("text", ""), {})


ASKERS = [
    (asker("i0", "i4", "i8"), Wanted()),
    (asker(), Wanted(exclude=frozenset({"i1"}))),
    (asker("i3", attributes={"age": 30}), Wanted(filters=(("genre", ("none such",)),))),
    (asker(text="the orbit of the galaxy"), Wanted()),
    (asker("i2", "i6", "i10", "i14", "i18"), Wanted(candidates=("i1", "i22", "i3"))),
    (asker("i1", "unknown item"), Wanted(interest=0)),
]


@pytest.fixture
def jobs(client):
    moment = client.service.moment()
    return [Job(moment.live, moment.snapshot, who, wanted, 10) for who, wanted in ASKERS]


def test_together_or_alone_is_the_same(jobs):
    together = ranked(jobs)
    alone = [ranked([job])[0] for job in jobs]
    for many, one in zip(together, alone, strict=True):
        assert [line.item_id for line in many] == [line.item_id for line in one]
        assert [line.score for line in many] == pytest.approx([line.score for line in one], rel=1e-4, abs=1e-5)


def test_what_waits_is_taken_in_one_batch(jobs, monkeypatch):
    sizes, batches, go = [], Batches(), threading.Event()

    def slowly(many):
        sizes.append(len(many))
        go.wait(10)
        rank_all(many)

    monkeypatch.setattr("warmstart.serve.batch.rank_all", slowly)
    found = {}

    def ask(number):
        job = jobs[number]
        found[number] = batches.ranked(job.live, job.snapshot, job.asker, job.wanted, job.deep)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(jobs))]
    threads[0].start()
    while not sizes:
        pass
    for thread in threads[1:]:
        thread.start()
    while len(batches._waiting) < len(jobs) - 1:
        pass
    go.set()
    for thread in threads:
        thread.join(timeout=20)
    assert sizes == [1, len(jobs) - 2, 1]  # one asker is described, and is ranked apart
    alone = [[line.item_id for line in ranked([job])[0]] for job in jobs]
    assert [[line.item_id for line in found[n]] for n in range(len(jobs))] == alone


def test_an_error_is_of_the_one_who_made_it(jobs):
    bad = Job(jobs[0].live, jobs[0].snapshot, asker("i0"), Wanted(interest="no such interest"), 10)
    rank_all([jobs[0], bad, jobs[1]])
    assert isinstance(bad.error, DataError)
    assert jobs[0].lines
    assert jobs[1].lines
    assert jobs[0].error is None


def test_many_threads_all_get_their_own(client, jobs):
    batches, expected = Batches(), [ranked([job])[0] for job in jobs]
    wrong = []

    def ask(number):
        for turn in range(20):
            job = jobs[(number + turn) % len(jobs)]
            lines = batches.ranked(job.live, job.snapshot, job.asker, job.wanted, job.deep + 0)
            if [i.item_id for i in lines] != [i.item_id for i in expected[(number + turn) % len(jobs)]]:
                wrong.append((number, turn))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
    assert not batches._busy


def test_askers_whose_attributes_are_of_other_kinds_are_ranked_apart(jobs):
    plain, odd = (Job(jobs[0].live, jobs[0].snapshot, asker(attributes={"age": v}), Wanted(), 5) for v in (30, "abc"))
    assert plain.group != odd.group
    assert plain.group == Job(jobs[0].live, jobs[0].snapshot, asker(attributes={"age": 7}), Wanted(), 5).group
