"""What it takes to go over all items: a question's products beside the reading of the same memory, and beside a graph.

``python bench/scale/scan.py [--items 20000,200000] [--dim 256]``

Reading is a scalar product of so many bytes with themselves by BLAS: nothing is written, every number is read once.
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
from warmstart.experts.scan import scanned

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
            line = f"{n:,} items x {given.dim}, {QUESTIONS} vectors: "
            line += told("float32", z.ravel(), lambda z=z: product(q, z)) + "; "
            line += told("eight bits", z.ravel()[: z.size // 4], lambda z=z: scanned(q[None], z))
            if given.graph:
                graph = Neighbours.build(z)
                near = fastest(lambda graph=graph: graph.search(q, 120))
                line += f"; by the graph in {1e3 * near:.2f} ms, recall {graph.recall:.3f}"
            sys.stdout.write(line + "\n")


def told(what: str, read: np.ndarray, work: Callable[[], object]) -> str:
    """Reading of as much memory, and the work."""
    reading, working = fastest(lambda: read @ read), fastest(work)
    rate = read.nbytes / reading / 1e9
    return f"{what} {1e3 * working:.2f} ms, read at {rate:.1f} GB/s in {1e3 * reading:.2f} ms, {working / reading:.2f}"


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
