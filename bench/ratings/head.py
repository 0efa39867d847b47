"""Whether a fine-tuned language model's regression head adds to the ratings: by validation, inside training parts.

``python bench/ratings/head.py DATA [--task u2] [--out FILE]`` looks at the training part of a task of ``run.py`` alone
and hides of it: all ratings of a tenth of the items and a tenth of the others (``whole``); all but 5 % of the ratings,
of which a fifth is asked for (``thin``). Both arms share every fit but the head's: machine, neighbours, biases
and tastes are the same, and trust is learned once with the head among the voices and once without.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import run
import splits

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.experts.ratings.head import TextHead
from warmstart.experts.ratings.model import EVEN, FittedRatings, RatingModel
from warmstart.experts.ratings.rated import Rated
from warmstart.experts.ratings.rehearsal import Rehearsal
from warmstart.experts.ratings.scale import RatingScale

SEED = 5


def main() -> None:
    """Measure both."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("data", type=Path)
    words.add_argument("--task", default="u2")
    words.add_argument("--only", nargs="+", default=["whole", "thin"])
    words.add_argument("--out", type=Path)
    given = words.parse_args()
    data = run.described(run.table(given.data))
    x = splits.task_of(data, given.data, given.task).learned(1)
    found = {}
    for name, learned, asked in parts(x):
        if name in given.only:
            found[name] = beside(data, learned, asked)
            sys.stdout.write(json.dumps({name: found[name]}, indent=1) + "\n")
            sys.stdout.flush()
    if given.out:
        given.out.write_text(json.dumps({"data": given.data.name, "task": given.task} | found, indent=1) + "\n")


def parts(x: Interactions) -> Iterator[tuple[str, Interactions, Interactions]]:
    """Names, what is learned from, and what is asked for."""
    rng = np.random.default_rng(SEED)
    hidden, thin = (rng.random(x.n_items) < 0.1)[x.item] | (rng.random(len(x)) < 0.1), rng.random(len(x))
    yield "whole", x.select(~hidden), x.select(hidden)
    yield "thin", x.select(thin < 0.05), x.select(thin > 0.8)


def beside(data: Dataset, learned: Interactions, asked: Interactions) -> dict[str, object]:
    """Figures without and with the head, of all that is asked for and of items that nobody has rated."""
    part, people, found = data.with_interactions(learned), run.known(data, learned), {}
    both, seconds = arms(part, RatingModel(), TextHead())
    for name, fitted in both.items():
        met = fitted.counts[asked.item] > 0
        found[name] = {
            kind: run.judged(fitted, people, asked.select(rows))[0] for kind, rows in (("met", met), ("unmet", ~met))
        }
    return {"ratings": len(learned), "head_cpu_s": round(seconds, 1)} | found


def arms(part: Dataset, model: RatingModel, head: TextHead) -> tuple[dict[str, FittedRatings], float]:
    """The whole without the head, and with it; and how many seconds of a core the head took, trial included."""
    scale, one = RatingScale.of(part.interactions.rating), Rehearsal.of(part, model.rehearsal, model.seed)
    short = replace(model, machine=replace(model.machine, chains=model.machine.chains[:2]))
    trial = short.trained(one.train, scale, model.trust.untried(EVEN))
    start = time.process_time()
    tried, read = (head.fit(d, Rated.of(d.interactions)) for d in (one.train, part))
    seconds = time.process_time() - start
    asked, prior = (one.histories, one.query, one.item), replace(model, head=head).believed
    plain = model.trust.fit(*trial.told(*asked), one.value, EVEN)
    whole = model.trained(part, scale, plain)
    trust = model.trust.fit(*replace(trial, head=tried).told(*asked), one.value, prior)
    return {"without": whole, "with": replace(whole, head=read, trust=trust)}, seconds


if __name__ == "__main__":
    main()
