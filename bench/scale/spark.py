"""What Spark does a second and core: events read, pairs counted, texts encoded, people served; and sizes on paper.

``python bench/scale/spark.py [--events 300000] [--items 1000,4000] [--master local[2]] [--out FILE]``

Rates are by seconds of processor time of this process, the JVM and the workers together, so that a busy machine counts
as a free one. Every step runs once before it is measured: starting up is left out. The table takes the rates as they
are, times cores; a cluster loses some of that to its network and to its slowest task.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

import warmstart as ws
from warmstart.batch import Lists
from warmstart.data.synthetic import Synthetic
from warmstart.recipe import Recipe
from warmstart.scale.spark_clean import SparkEvents
from warmstart.scale.spark_encode import encode
from warmstart.scale.spark_gram import pairs
from warmstart.scale.spark_recommend import histories, recommend_all
from warmstart.scale.spark_session import session
from warmstart.scale.spark_ship import shipped
from warmstart.scale.spark_tables import SparkTables, coded
from warmstart.text.choose import encoder_from_name
from warmstart.text.templates import item_texts

CORES = 256
SIZES = ((10**6, 10**4), (10**7, 10**5), (10**8, 10**6), (10**9, 10**7))  # events, items
A_USER = 50  # events
AN_EVENT, AN_ID, A_FEATURE = 25, 150, 4  # bytes on the driver
FEATURES = 400  # of an item, about
QUERIES = 200  # of which the fusion learns: the fit is not what is measured
LEFT_OUT = ("sequence",)  # learns in torch, for longer than all else here takes


def main() -> None:
    """Measure, compute, print."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--events", type=int, default=300_000)
    words.add_argument("--items", default="1000,4000", help="two sizes of a catalogue")
    words.add_argument("--people", type=int, default=2_000, help="people who get a list")
    words.add_argument("--texts", type=int, default=1_000)
    words.add_argument("--encoder", default="minilm-onnx")
    words.add_argument("--master", default="local[2]")
    words.add_argument("--out", type=Path)
    given = words.parse_args()
    sizes = [int(size) for size in given.items.split(",")]
    with tempfile.TemporaryDirectory() as folder, session(given.master) as spark:
        rates = {}
        for size in sizes:
            place = Path(folder) / str(size)
            for _ in Synthetic(max(1, given.events // A_USER), size, given.events, clusters=40).write(place):
                pass
        few = Path(folder) / "few"
        for _ in Synthetic(max(1, given.events // A_USER // 10), sizes[-1], given.events // 10, clusters=40).write(few):
            pass
        rates |= of_events(spark, few, Path(folder) / str(sizes[-1]))
        rates |= of_texts(spark, Path(folder) / str(sizes[-1]), given.encoder, given.texts)
        rates["people_per_s"] = {size: of_people(spark, Path(folder) / str(size), given.people) for size in sizes}
    text = json.dumps(
        {"rates": rates, "cores": CORES, "on_paper": [on_paper(rates, *size) for size in SIZES]}, indent=1
    )
    sys.stdout.write(text + "\n")
    if given.out:
        given.out.write_text(text + "\n")


def processor_seconds() -> float:
    """Of this process and all it started, the finished ones included."""
    found = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        t = process.cpu_times()
        found += t.user + t.system + t.children_user + t.children_system
    return found


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of the second of two runs."""
    work()
    before = processor_seconds()
    work()
    return processor_seconds() - before


def nowhere(frame: object) -> None:
    """Do the work of a frame, and keep nothing."""
    frame.write.format("noop").mode("overwrite").save()  # type: ignore[attr-defined]


def of_events(spark: object, few: Path, many: Path) -> dict[str, float]:
    """Events read, checked, made distinct and coded; pairs of events of one person counted.

    What ten times the events take beyond what few take is counted: a job costs the same for few.
    """
    one, ten = took_by_events(spark, few), took_by_events(spark, many)
    events, pairs_, read, counted = (b - a for a, b in zip(one, ten, strict=True))
    return {
        "events_per_s": round(events / read),
        "pairs_per_s": round(pairs_ / counted),
        "pairs_per_event": round(ten[1] / ten[0], 1),
    }


def took_by_events(spark: object, folder: Path) -> tuple[float, float, float, float]:
    """Events, pairs, and the seconds that reading and counting took."""
    data = ws.read(folder)

    def read() -> None:
        events: SparkEvents = SparkTables(str(folder)).clean(spark)
        nowhere(coded(spark, events, data.users, data.catalog.items))
        events.close()

    took = seconds(read)
    events = SparkTables(str(folder)).clean(spark)
    held = coded(spark, events, data.users, data.catalog.items).select("user", "item").persist()
    counted = seconds(lambda: nowhere(pairs(held, data.n_items, 100)))
    held.unpersist()
    events.close()
    together = float((np.diff(data.interactions.matrix().indptr).astype(np.int64) ** 2).sum())
    return len(data.interactions), together, took, counted


def of_texts(spark: object, folder: Path, encoder: str, n: int) -> dict[str, float]:
    """Texts encoded."""
    texts = item_texts(ws.read(folder).catalog)[:n]
    reads = encoder_from_name(encoder, texts)
    return {"texts_per_s": round(len(texts) / seconds(lambda: encode(spark, reads, texts)), 1)}


def of_people(spark: object, folder: Path, n: int) -> float:
    """People who got a list of ten from the default recipe's experts, but those left out.

    What the last nine tenths of them took is counted: a task and a worker cost the same for few.
    """
    recipe = Recipe()
    experts = {name: e for name, e in recipe.experts.items() if name not in LEFT_OUT}
    recipe = replace(recipe, experts=experts, fusion=replace(recipe.fusion, queries=QUERIES))
    ws.Engine(recipe).fit(ws.read(folder)).save(folder / "engine")
    events = SparkTables(str(folder)).clean(spark)
    name, ask, took, many = shipped(spark, folder / "engine"), Lists(k=10), [], []
    for people in (n // 10, n):
        some = histories(spark, events, None).limit(people).persist()
        many.append(some.count())
        took.append(seconds(lambda some=some: nowhere(recommend_all(some, name, events.kinds, ask))))
        some.unpersist()
    events.close()
    return round((many[1] - many[0]) / (took[1] - took[0]), 1)


def on_paper(rates: dict, events: int, items: int) -> dict[str, float]:
    """Hours on ``CORES`` cores and gigabytes on the driver."""
    (a, fast), (b, slow) = rates["people_per_s"].items()
    each = max(1 / slow - 1 / fast, 0.0) / (b - a)  # seconds an item
    person = max(1 / fast - each * a, 0.0) + each * items
    people, spread = events / A_USER, 3600 * CORES
    return {
        "events": events,
        "items": items,
        "people": round(people),
        "read_h": round(events / rates["events_per_s"] / spread, 4),
        "gram_h": round(events * rates["pairs_per_event"] / rates["pairs_per_s"] / spread, 4),
        "encode_h": round(items / rates["texts_per_s"] / spread, 4),
        "recommend_h": round(people * person / spread, 3),
        "driver_events_gb": round(2 * events * AN_EVENT / 1e9, 2),
        "driver_ids_gb": round((people + items) * AN_ID / 1e9, 2),
        "driver_features_gb": round(items * FEATURES * A_FEATURE / 1e9, 2),
        "driver_gram_gb": round(min(items, 20_000) ** 2 * 12 / 1e9, 2),
    }


if __name__ == "__main__":
    main()
