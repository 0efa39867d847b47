"""Link prediction beside PyKEEN: the same triples, model, dimension and epochs. Prints JSON.

    python bench/graph/links.py prepare KG.csv FOLDER       # train.tsv, test.tsv
    python bench/graph/links.py warmstart FOLDER --epochs 12
    python3 -m venv pykeen_env && pykeen_env/bin/pip install torch==2.13.0 pykeen==1.11.1
    pykeen_env/bin/python bench/graph/links_pykeen.py FOLDER --epochs 12
    python bench/graph/links.py ranks FOLDER                # our ranks of PyKEEN's vectors
    python bench/graph/links.py new FOLDER --epochs 12      # entities that were never learned from

Relations that say what another says are told once, so neither side learns an answer from its mirror image.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from warmstart.data.graph_relations import same_relations
from warmstart.learn.kge import GraphEmbedding, fit_graph_embedding
from warmstart.learn.kge_rank import figures, ranks
from warmstart.learn.kge_split import TRIPLE, hold_out, told_once
from warmstart.learn.kge_vectors import GraphVectors

SEED, TEST_SHARE, NEW_SHARE = 0, 0.1, 0.05


def prepare(kg: Path, folder: Path) -> dict[str, Any]:
    """Both parts of a graph as tables without a header."""
    whole = pl.read_csv(kg, schema_overrides=dict.fromkeys(TRIPLE, pl.String))
    once = told_once(whole, same_relations(whole))
    held = hold_out(once, TEST_SHARE, SEED)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train", "test"):
        getattr(held, name).write_csv(folder / f"{name}.tsv", separator="\t", include_header=False)
    return {"triples": whole.height, "told once": once.height, "train": held.train.height, "test": held.test.height}


def read(folder: Path, name: str) -> pl.DataFrame:
    """A part that ``prepare`` wrote."""
    return pl.read_csv(
        folder / f"{name}.tsv", separator="\t", has_header=False, new_columns=TRIPLE, schema_overrides=[pl.String] * 3
    )


def watch(stage: str, done: int, total: int, told: dict[str, float]) -> None:
    """A line every hundred steps on stderr."""
    if stage == "training" and done % 100 == 0:
        sys.stderr.write(f"{done}/{total} loss {told['loss']:.4f}\n")


def warmstart(folder: Path, settings: GraphEmbedding) -> dict[str, Any]:
    """Learn and judge."""
    train, test = read(folder, "train"), read(folder, "test")
    began, used = time.monotonic(), time.process_time()
    vectors = fit_graph_embedding(train, settings, None, watch)
    seconds = {"train_seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - used}
    vectors.save(folder / f"warmstart-{settings.model}")
    return vectors.judge(test, train) | seconds | {"settings": str(settings)}


def ranks_of_pykeen(folder: Path, model: str) -> dict[str, Any]:
    """What our ranks say of PyKEEN's vectors; equal to its own figures if both rank alike."""
    names = {k: json.loads((folder / f"pykeen-{k}.json").read_text()) for k in ("entities", "relations")}
    tables = [np.load(folder / f"pykeen-{model}-{k}.npy") for k in ("entity", "relation")]
    entity, relation = (np.concatenate([t[..., 0], t[..., 1]], 1) if t.ndim == 3 else t for t in tables)
    relation = np.concatenate([relation[::2], relation[1::2]])  # PyKEEN puts each reciprocal behind its relation
    level = np.zeros(len(relation), np.float32)
    theirs = GraphVectors(model, tuple(names["entities"]), tuple(names["relations"]), {}, entity, relation, level)
    return theirs.judge(read(folder, "test"), read(folder, "train"))


def new_entities(folder: Path, settings: GraphEmbedding) -> dict[str, Any]:
    """Learn without a twentieth of the heads, place them by four fifths of their facts, ask for the others' tails."""
    whole = pl.concat([read(folder, "train"), read(folder, "test")])
    rng = np.random.default_rng(SEED)
    often = whole.group_by("head").len().filter(pl.col("len") >= 10)["head"].sort().to_list()
    new = rng.choice(often, max(1, int(NEW_SHARE * len(often))), replace=False).tolist()
    of_new = pl.col("head").is_in(new) | pl.col("tail").is_in(new)
    train, theirs = whole.filter(~of_new), whole.filter(pl.col("head").is_in(new) & ~pl.col("tail").is_in(new))
    vectors = fit_graph_embedding(train, settings, None, watch)
    told = pl.Series(rng.random(theirs.height) < 0.8)
    met = pl.col("tail").is_in(vectors.entities) & pl.col("relation").is_in(vectors.relations)
    names, placed = vectors.place(theirs.filter(told))
    asked = theirs.filter(~told).filter(met & pl.col("head").is_in(names))
    several = judged(vectors, names, placed, asked, theirs.filter(met & pl.col("head").is_in(names)))
    middle = np.repeat(vectors.entity.mean(0, keepdims=True), len(names), 0)
    nowhere = judged(vectors, names, middle, asked, theirs.filter(met & pl.col("head").is_in(names)))
    return {"new": len(names), "asked": asked.height, "placed": several, "all at the mean": nowhere}


def judged(
    vectors: GraphVectors, names: tuple[str, ...], placed: np.ndarray, asked: pl.DataFrame, known: pl.DataFrame
) -> dict[str, float]:
    """Filtered figures of the tails of new entities, among the entities that were learned."""
    n = len(vectors.entities)
    more = GraphVectors(
        vectors.model,
        (*vectors.entities, *names),
        vectors.relations,
        {},
        np.concatenate([vectors.entity, placed]),
        vectors.relation,
        vectors.level,
    )
    return figures(ranks(more.codes(asked), more.codes(known), n, lambda e, r: more.scores(e, r)[:, :n]))


def main() -> None:
    """What the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["prepare", "warmstart", "ranks", "new"])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--model", default="complex")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--n3", type=float, default=0.01)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--negatives", type=int, default=256)
    a = parser.parse_args()
    settings = GraphEmbedding(
        a.model, a.dim, a.epochs, None, a.rate, a.n3, negatives=a.negatives, batch=a.batch, seed=SEED
    )
    works = {
        "prepare": lambda: prepare(*a.paths),
        "warmstart": lambda: warmstart(a.paths[0], settings),
        "ranks": lambda: ranks_of_pykeen(a.paths[0], a.model),
        "new": lambda: new_entities(a.paths[0], settings),
    }
    sys.stdout.write(json.dumps(works[a.what](), indent=1) + "\n")


if __name__ == "__main__":
    main()
