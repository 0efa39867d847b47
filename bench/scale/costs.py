"""What a million costs: processor hours for a million events, items and people, step by step, measured on a few.

``python bench/scale/costs.py [--people 2000] [--items 4000] [--price 0.05] [--out FILE]``

Short steps run once before they are measured, so that starting up is left out; all are counted in seconds of the
processor: a busy machine counts as a free one. The fit encodes the titles once more.
``--price`` is what an hour of one core costs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import warmstart as ws
from warmstart.data.synthetic import Synthetic
from warmstart.experts.sequence import SequenceTransformer
from warmstart.learn.finetune import Finetuning, Source
from warmstart.learn.finetune_retrieval import RetrievalTask, finetune_retrieval
from warmstart.learn.pretrain import Pretraining, pretrain
from warmstart.learn.settings import Training
from warmstart.recipe import Recipe
from warmstart.text.choose import encoder_from_name
from warmstart.text.templates import item_texts

A_USER, TEXTS, BATCH = 50, 1_000, 32
STEPS = 1, 2, 12  # of three runs: the first pays for starting up, the last less the second is what is told
HOUR = 3_600.0
Measured = Iterator[tuple[str, str, float, float]]  # step, of what, how many, processor seconds


def main() -> None:
    """Measure, compute, print."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--people", type=int, default=2_000)
    words.add_argument("--items", type=int, default=4_000)
    words.add_argument("--price", type=float, default=0.05, help="of an hour of one core")
    words.add_argument("--out", type=Path)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WARMSTART_CACHE"] = str(Path(folder) / "cache")
        for _ in Synthetic(given.people, given.items, given.people * A_USER).write(Path(folder) / "tables"):
            pass
        found = [costs(*one, given.price) for one in measured(Path(folder))]
    sys.stdout.write(table(found, given.price))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")


def measured(folder: Path) -> Measured:
    """Every step that grows with the data."""
    tables = folder / "tables"
    yield "read and check", "events", *per(lambda: len(ws.read(tables).interactions))
    data = ws.read(tables)
    yield from texts(data)
    yield from learning(data, folder)
    sequence = SequenceTransformer()
    yield "sequence model, one fit", "events", len(data.interactions), seconds(lambda: sequence.fit(data))
    engine = ws.Engine(Recipe().without("sequence"))
    events, took = len(data.interactions), seconds(lambda: engine.fit(data))
    yield "fit, all else", "events", events, took
    people = list(data.users.ids)
    engine.recommend(users=people[:100])
    some = people[: min(len(people), 1_000)]
    yield f"lists of ten, {data.n_items:,} items", "people", len(some), seconds(lambda: engine.recommend(users=some))


def texts(data: ws.Dataset) -> Measured:
    """Encoding, by the table of words and by the transformer."""
    every = item_texts(data.catalog)
    for name, many in (("wordllama", every), ("minilm-onnx", every[:TEXTS])):
        encoder = encoder_from_name(name)
        encoder.encode(every[-50:])
        took = seconds(lambda encoder=encoder, many=many: encoder.encode(many))
        yield f"encode titles, {name}", "items", len(many), took


def learning(data: ws.Dataset, folder: Path) -> Measured:
    """A language model that learns: from texts alone, and from what people took."""
    tasks: dict[str, Callable[[Path, Training], object]] = {
        "pretrain MiniLM, one reading": lambda out, training: pretrain(
            out, data, settings=Pretraining(head_steps=0, most_held=64), training=training
        ),
        "fine-tune MiniLM, an example each": lambda out, training: finetune_retrieval(
            data, RetrievalTask(), out, Finetuning(Source("all-MiniLM-L6-v2", 32), training=training)
        ),
    }
    for name, learn in tasks.items():
        took = []
        for steps in STEPS:
            training = Training(steps=steps, batch=BATCH, validate_every=0, checkpoint_every=0)
            out = folder / f"{name} {steps}"
            took.append(seconds(lambda learn=learn, out=out, t=training: learn(out, t)))
        of = "items" if "pretrain" in name else "events"
        yield name, of, BATCH * (STEPS[2] - STEPS[1]), took[2] - took[1]


def per(work: Callable[[], int]) -> tuple[float, float]:
    """How many, and in how many seconds, the second time."""
    work()
    start = time.process_time()
    return work(), time.process_time() - start


def seconds(work: Callable[[], object]) -> float:
    """Of the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


def costs(step: str, of: str, many: float, took: float, price: float) -> dict[str, str | float]:
    """Rate, and hours and money of a million."""
    hours = 1e6 * took / many / HOUR
    rate = many / max(took, 1e-9)
    return {"step": step, "of": of, "a_second": rate, "hours": hours, "money": hours * price}


def table(found: list[dict[str, str | float]], price: float) -> str:
    """As Markdown."""
    rows = [f"| step | a second and core | core hours of a million | at {price:g} an hour |", "|---|---|---|---|"]
    for one in found:
        rate = float(np.format_float_positional(float(one["a_second"]), 3, fractional=False, trim="-"))
        rows.append(f"| {one['step']} | {rate:,.0f} {one['of']} | {one['hours']:.3g} | {one['money']:.2g} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
