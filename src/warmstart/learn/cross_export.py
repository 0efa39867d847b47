"""From a fine-tuned model that reads person and item together to an int8 ONNX graph; needs torch once."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.errors import ConfigError, require
from warmstart.learn.cross import CARD, FILES, FORMAT, CrossModel
from warmstart.learn.predictor import FineTuned
from warmstart.text.onnx_export import PROBES, quantise_graph, trace
from warmstart.text.reading import source_fingerprint
from warmstart.text.weights import cache_home, fingerprint_of, sha256_of

HISTORIES = ("history: Alien (1979), Heat (1995).", "age 23, student. liked: Toy Story (1995).", "new user", "新用户")
MIN_AGREEMENT = 0.97  # correlation of scores on the probes under which the graph stays float32
TASKS = ("interest", "rating", "ranking")


def cached_cross(source: str | Path) -> CrossModel:
    """The exported form of a fine-tuned model: read, or made in the user's cache on first use.

    Parameters
    ----------
    source
        A folder that ``export_cross`` wrote, or ``model`` of a run of ``warmstart finetune --reads together``.

    Raises
    ------
    ConfigError
        If it is neither, or reads person and item apart.
    MissingExtra
        If it has not been exported yet and torch is not installed.
    """
    path = Path(source)
    if (path / CARD).is_file():
        return CrossModel.read(path)
    folder = cache_home() / "cross" / cross_fingerprint(source)[:24]
    if not (folder / CARD).is_file():
        export_cross(path, folder)
    return CrossModel.read(folder)


def cross_fingerprint(source: str | Path) -> str:
    """SHA-256 (hex) over all that decides how a cross-encoder scores.

    Parameters
    ----------
    source
        As ``cached_cross`` takes it.

    Raises
    ------
    ConfigError
        If it is no cross-encoder.
    """
    path = Path(source)
    if (path / CARD).is_file():
        return fingerprint_of(path / CARD)  # it names the checksums of the other files
    if not (path / "finetuned.json").is_file():
        raise ConfigError(
            f"{str(source)!r} is no cross-encoder; give model/ of a run of warmstart finetune --reads together"
        )
    head = (path / "finetuned.json", path / "head.safetensors")
    return fingerprint_of(source_fingerprint(path / "encoder"), *head, f"cross-{FORMAT}")


def export_cross(source: str | Path, folder: str | Path, int8: bool = True) -> Path:
    """Write ``model.onnx``, ``tokenizer.json`` and ``cross.json``; all of it or nothing.

    Parameters
    ----------
    source
        ``model`` of a run: a fine-tuned model that reads person and item together.
    folder
        Is made; a finished one that is there is kept.
    int8
        Dynamic int8, unless its scores differ too much (``MIN_AGREEMENT``); False = float32.

    Raises
    ------
    ConfigError
        If the model reads person and item apart, or gives no score of an item.
    MissingExtra
        If torch, transformers or onnx is not installed.
    """
    for module in ("torch", "transformers", "onnx"):
        require(module, extra="lm")
    tuned, target = FineTuned.load(source, _nothing()), Path(folder)
    plan, reading = tuned.model.plan, tuned.model.backbone.reading
    if not tuned.model.together or tuned.task not in TASKS:
        raise ConfigError(
            f"{source} reads {plan.head.reads} for {tuned.task}; fine-tune with --reads together for {', '.join(TASKS)}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        out = Path(work) / "out"
        out.mkdir()
        tuned.model.backbone.tokenizer.backend_tokenizer.save(str(out / FILES[1]))
        card = {"format": FORMAT, "task": tuned.task, "max_tokens": reading.max_tokens, "history": plan.history}
        agreement = _write_graph(tuned, Path(work), out / FILES[0], out / FILES[1], int8)
        card |= {"template": plan.template, "int8": agreement is not None, "agreement": agreement}
        card |= {"sha256": {name: sha256_of(out / name) for name in FILES}}
        (out / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if not (target / CARD).is_file():
            shutil.rmtree(target, ignore_errors=True)
            os.replace(out, target)
    return target


def _write_graph(tuned: FineTuned, work: Path, graph: Path, tokenizer: Path, int8: bool) -> float | None:
    """The graph as int8 and its agreement with float32, or as float32 and None."""
    whole, model = work / "float32.onnx", tuned.model
    batch = model.backbone.tokens([HISTORIES[0]], [PROBES[0]])
    trace(_one_pair(tuned), {k: v for k, v in batch.items() if k != "attention_mask"}, "score", whole)
    if int8:
        quantise_graph(whole, graph)
        limit = model.backbone.reading.max_tokens
        one, other = (_probe(file, tokenizer, limit) for file in (whole, graph))
        agreement = float(np.corrcoef(one, other)[0, 1])
        if agreement >= MIN_AGREEMENT:
            return round(agreement, 4)
    os.replace(whole, graph)
    return None


def _one_pair(tuned: FineTuned) -> Any:
    """A torch module: ids (and kinds) of the tokens of one pair -> score, shape (1,); one pair has no padding."""
    torch, model = require("torch", extra="lm"), tuned.model

    class OnePair(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = model.backbone.body, model.head.weights

        def forward(self, ids: Any, kinds: Any = None) -> Any:
            batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            batch |= {} if kinds is None else {"token_type_ids": kinds}
            vector = torch.nn.functional.normalize(model.backbone.pool(batch), dim=1)
            return model.head(vector[None], torch.ones_like(vector[None, :, 0]) > 0, None)[0, :, 0]

    return OnePair().eval()


def _probe(graph: Path, tokenizer: Path, limit: int) -> np.ndarray:
    """Scores of every probing person and item."""
    one, other = (np.frombuffer(file.read_bytes(), np.uint8) for file in (graph, tokenizer))
    return CrossModel(one, other, limit, 0, None).scores([(who, what) for who in HISTORIES for what in PROBES])


def _nothing() -> Catalog:
    """A catalogue without items: the graph knows none."""
    import polars as pl

    return Catalog(pl.DataFrame({"item_id": [], "title": []}, schema={"item_id": pl.String, "title": pl.String}))
