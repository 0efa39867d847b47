"""Train and judge PyKEEN's model on the triples that links.py wrote; runs in PyKEEN's own environment.

    python bench/graph/links_pykeen.py FOLDER --model complex --epochs 20

Reads ``train.tsv`` and ``test.tsv`` of the folder, writes ``pykeen-MODEL.json`` and the vectors beside them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from pykeen.pipeline import pipeline
from pykeen.triples import TriplesFactory


def asked() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="complex", choices=["transe", "distmult", "complex", "rotate"])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--n3", type=float, default=0.0)
    parser.add_argument("--negatives", type=int, default=0, help="0 = against all entities (LCWA)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="pykeen")
    return parser.parse_args()


def main() -> None:
    """Train, judge, write."""
    a = asked()
    train = TriplesFactory.from_path(a.folder / "train.tsv", create_inverse_triples=True)
    test = TriplesFactory.from_path(
        a.folder / "test.tsv", entity_to_id=train.entity_to_id, relation_to_id=train.relation_to_id
    )
    settings = {"embedding_dim": a.dim, "entity_initializer": "xavier_normal", "relation_initializer": "xavier_normal"}
    if a.model == "rotate":
        settings.pop("relation_initializer")
    if a.n3:
        settings |= {"regularizer": "powersum", "regularizer_kwargs": {"weight": a.n3, "p": 3.0, "normalize": False}}
    elif a.model in ("complex", "distmult"):
        settings |= {"regularizer": None}
    sampled = {
        "training_loop": "slcwa",
        "loss": "nssa",
        "loss_kwargs": {"margin": 9.0, "adversarial_temperature": 1.0},
        "negative_sampler_kwargs": {"num_negs_per_pos": a.negatives},
    }
    whole = {"training_loop": "lcwa", "loss": "crossentropy"}
    began = time.monotonic()
    result = pipeline(
        training=train,
        testing=test,
        model=a.model,
        model_kwargs=settings,
        optimizer="adam",
        optimizer_kwargs={"lr": a.rate},
        training_kwargs={"num_epochs": a.epochs, "batch_size": a.batch, "use_tqdm_batch": False},
        evaluator_kwargs={"filtered": True},
        evaluation_kwargs={"batch_size": 64, "use_tqdm": False},
        random_seed=a.seed,
        device="cpu",
        **(sampled if a.negatives else whole),
    )
    figures = {
        "mrr": result.get_metric("both.realistic.inverse_harmonic_mean_rank"),
        **{f"hits@{k}": result.get_metric(f"both.realistic.hits_at_{k}") for k in (1, 3, 10)},
        "train_seconds": result.train_seconds,
        "seconds": time.monotonic() - began,
        "losses": result.losses,
        "asked": {k: str(v) for k, v in vars(a).items() if k != "folder"},
    }
    (a.folder / f"{a.name}-{a.model}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    model = result.model
    tables = {"entity": model.entity_representations[0](), "relation": model.relation_representations[0]()}
    for name, table in tables.items():
        real = torch.view_as_real(table.detach()) if table.is_complex() else table.detach()
        np.save(a.folder / f"{a.name}-{a.model}-{name}.npy", real.numpy())
    for name, codes in (("entities", train.entity_to_id), ("relations", train.relation_to_id)):
        (a.folder / f"{a.name}-{name}.json").write_text(json.dumps(sorted(codes, key=codes.get)), encoding="utf-8")
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
