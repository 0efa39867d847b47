"""Cost of paths in a large graph: load, index, 3-edge queries, counts, memory. Prints JSON.

    python bench/graph/paths.py [TRIPLES]

The graph is drawn: 24 relations of unequal size, entities by Zipf's law, one hub of a twentieth of all facts (50,000 of
a million). It is written as Parquet, as an engine keeps it, and read again. Times depend on the machine and its load.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.adjacency import Adjacency
from warmstart.data.path_count import PathCount
from warmstart.data.vocab import Vocabulary
from warmstart.explain.paths import PathSettings, paths

HUB_SHARE, HISTORY, QUERIES = 20, 10, 200
SEED = 7


def drawn(n: int, rng: np.random.Generator) -> pl.DataFrame:
    """Draw n distinct triples: items i0, i1 ... are heads, entities e0, e1 ... tails; some facts tie entities."""
    items, entities, hub = n // 20, n // 4, n // HUB_SHARE
    head = np.concatenate([rng.permutation(items)[:hub], zipf(rng, items, 2 * n, 0.5)])
    tail = np.concatenate([np.zeros(hub, np.int64), 1 + zipf(rng, entities - 1, 2 * n, 0.75)])
    relation = np.concatenate([np.zeros(hub, np.int64), zipf(rng, 24, 2 * n, 1.0)])
    tied = rng.random(len(head)) < 0.2
    tied[:hub] = False
    name = (
        pl.when(pl.col("tied"))
        .then(pl.concat_str([pl.lit("e"), "other"]))
        .otherwise(pl.concat_str([pl.lit("i"), "head"]))
    )
    other = rng.integers(1, entities, len(head))
    frame = pl.DataFrame({"head": head, "relation": relation, "tail": tail, "tied": tied, "other": other})
    told = frame.select(
        name.alias("head"),
        pl.concat_str([pl.lit("relation_"), "relation"]).alias("relation"),
        pl.concat_str([pl.lit("e"), "tail"]).alias("tail"),
    )
    return told.unique(maintain_order=True).head(n)


def zipf(rng: np.random.Generator, n: int, size: int, power: float) -> np.ndarray:
    """Ranks from 0 to n - 1, drawn with weight ``(rank + 1)^-power``: int64, shape (size,)."""
    total = np.cumsum(np.arange(1, n + 1) ** -power)
    return np.searchsorted(total / total[-1], rng.random(size)).clip(max=n - 1)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result and milliseconds."""
    start = time.perf_counter()
    return work(), 1000 * (time.perf_counter() - start)


def percentiles(took: list[float]) -> dict[str, float]:
    """Median, 99th percentile and worst of milliseconds."""
    values = np.percentile(took, [50, 99, 100])
    return {name: round(float(v), 2) for name, v in zip(("p50_ms", "p99_ms", "worst_ms"), values, strict=True)}


def measured(folder: Path, n: int) -> dict[str, Any]:
    """Load and index the graph of a folder, then ask it."""
    triples, load = timed(lambda: pl.read_parquet(folder / "graph.parquet"))
    index, build = timed(lambda: Adjacency.of(triples))
    items = Vocabulary([name for name in index.entities.ids if name.startswith("i")])
    rng, hubs, met = np.random.default_rng(SEED), 0, 0
    asked = {"two_edges": PathSettings(2), "three_edges": PathSettings(3), "through_all_hubs": PathSettings(3, hub=n)}
    took: dict[str, list[float]] = {name: [] for name in asked}
    weight = index.degree[index.entities.codes(items.ids)]
    for _ in range(QUERIES):
        chosen = rng.choice(len(items), HISTORY + 1, replace=False, p=weight / weight.sum())
        *history, target = items.names(chosen.tolist())
        for name, settings in asked.items():
            found, ms = timed(lambda s=settings, h=history, t=target: paths(index, h, t, s))
            took[name].append(ms)
            if name == "three_edges":
                hubs, met = hubs + len(found.barred), met + bool(found.found)
    count, counter = timed(lambda: PathCount.of(index, items))
    one = sp.csr_matrix((np.ones(HISTORY), (np.zeros(HISTORY, int), np.arange(HISTORY))), shape=(1, len(items)))
    return {
        "triples": n,
        "entities": len(index.entities),
        "facts": len(index),
        "largest_hub": int(index.degree.max()),
        "load_ms": round(load),
        "index_ms": round(build),
        **{name: percentiles(times) for name, times in took.items()},
        "queries_with_paths": round(met / QUERIES, 3),
        "hubs_barred_a_query": round(hubs / QUERIES, 1),
        "count_index_ms": round(counter),
        "count_all_items": percentiles([timed(lambda: count(one))[1] for _ in range(50)]),
        "items": len(items),
        "peak_mb": peak(),
    }


def peak() -> int:
    """Most memory of this program, MiB; ``ru_maxrss`` would hold that of the process which started it, too."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found.group(1)) // 1024 if found else 0


def main(n: int = 1_000_000) -> None:
    """Draw the graph in another process, so that the peak is that of loading and asking alone."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, str(n), folder], check=True)
        json.dump(measured(Path(folder), n), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        drawn(int(sys.argv[1]), np.random.default_rng(SEED)).write_parquet(Path(sys.argv[2]) / "graph.parquet")
    else:
        main(*(int(a) for a in sys.argv[1:]))
