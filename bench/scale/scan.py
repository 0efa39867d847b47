"""What it takes to go over all items: a question's products beside the reading of the same memory, and beside a graph.

``python bench/scale/scan.py [--items 20000,200000] [--dim 256]``

Reading is a scalar product of the features with themselves by BLAS: nothing is written, every number is read once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from warmstart.experts.nearest import Neighbours
from warmstart.experts.products import product

QUESTIONS, TIMES = 2, 15  # vectors of one question that look for items in the features; repetitions


def main() -> None:
    """Print a line a size."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--items", default="20000,200000")
    words.add_argument("--dim", type=int, default=256)
    words.add_argument("--graph", action="store_true", help="build the graph of neighbours, too (minutes)")
    given = words.parse_args()
    rng = np.random.default_rng(0)
    q = rng.normal(size=(QUESTIONS, given.dim)).astype(np.float32)
    with threadpool_limits(1):
        for n in map(int, given.items.split(",")):
            z = rng.normal(size=(n, given.dim)).astype(np.float32)
            flat = z.ravel()
            read, found = fastest(lambda flat=flat: flat @ flat), fastest(lambda z=z: product(q, z))
            rate = z.nbytes / read / 1e9
            line = f"{n:,} items x {given.dim}: read at {rate:.1f} GB/s in {1e3 * read:.2f} ms; "
            line += f"{QUESTIONS} vectors held against them in {1e3 * found:.2f} ms, {found / read:.2f} times that"
            if given.graph:
                graph = Neighbours.build(z)
                near = fastest(lambda graph=graph: graph.search(q, 120))
                line += f"; by the graph in {1e3 * near:.2f} ms, recall {graph.recall:.3f}"
            sys.stdout.write(line + "\n")


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs: what the machine can do where nobody disturbs."""
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


if __name__ == "__main__":
    main()
