"""From a transformer's folder to an int8 ONNX encoder; needs torch once, the result does not."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import require
from warmstart.text.card import CARD, FORMAT, write_card
from warmstart.text.onnx import FILES, open_session
from warmstart.text.reading import Reading, source_fingerprint
from warmstart.text.transformer import load_transformer, pooled
from warmstart.text.weights import MINILM, cache_home, fingerprint_of, weights_folder

PROBES = ("Alien (1979). Horror, Sci-Fi.", "A cowboy doll is jealous of a new toy. " * 4, "wooden railway set", "年")
MIN_AGREEMENT = 0.97  # mean cosine on the probes under which the graph stays float32
_OPSET = 17


def cached_export(name: str = MINILM) -> Path:
    """The exported encoder of a model in the user's cache, made on first use.

    Raises
    ------
    MissingExtra
        If it has not been made yet and torch is not installed.
    """
    source = weights_folder(name)
    key = fingerprint_of(source_fingerprint(source), f"onnx-{FORMAT}")[:24]
    folder = cache_home() / "onnx" / key
    if not (folder / CARD).is_file():
        export_onnx(source, folder)
    return folder


def export_onnx(source: str | Path, folder: str | Path, int8: bool = True) -> Path:
    """Write ``model.onnx``, ``tokenizer.json`` and ``encoder.json``; all of it or nothing.

    Parameters
    ----------
    source
        The folder of an encoder or a decoder, a GGUF file, or a model name.
    folder
        Is made; where another process has made it meanwhile, that one's is kept.
    int8
        Dynamic int8, unless its vectors differ too much (``MIN_AGREEMENT``); False = float32.

    Raises
    ------
    MissingExtra
        If torch, transformers or onnx is not installed.
    """
    path, target = weights_folder(str(source)), Path(folder)
    reading = Reading.of(path)
    for module in ("torch", "transformers", "onnx"):
        require(module, extra="lm")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        whole, out = Path(work) / "float32.onnx", Path(work) / "out"
        out.mkdir()
        tokenizer, model = load_transformer(path, attn_implementation="eager")
        _write_graph(model, tokenizer, reading, whole)
        dim = int(model.config.hidden_size)
        del model  # a large one leaves room for its graph
        agreement = _quantise(whole, out / "model.onnx", tokenizer, reading.max_tokens) if int8 else None
        if agreement is None:
            os.replace(whole, out / "model.onnx")
        tokenizer.backend_tokenizer.save(str(out / "tokenizer.json"))
        card = {"dim": dim, "max_tokens": reading.max_tokens, "pooling": reading.pooling}
        card |= {"int8": agreement is not None, "agreement": agreement, "source": source_fingerprint(path)}
        write_card(out, card, FILES)
        _publish(out, target)
    return target


def _publish(made: Path, target: Path) -> None:
    """Move a finished folder into place in one step; an incomplete one there is replaced."""
    if target.is_dir() and not (target / CARD).is_file():
        shutil.rmtree(target)
    try:
        os.replace(made, target)
    except OSError:
        if not (target / CARD).is_file():
            raise


def _write_graph(model: Any, tokenizer: Any, reading: Reading, path: Path) -> None:
    """Trace ids of one text -> pooled vector; one text has no padding, so no mask goes in."""
    torch = require("torch", extra="lm")

    remembers_nothing = {"use_cache": False} if hasattr(model.config, "use_cache") else {}

    class OneText(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any) -> Any:
            mask = torch.ones_like(ids)
            states = self.model(input_ids=ids, attention_mask=mask, **remembers_nothing).last_hidden_state
            return states[:, -1] if reading.pooling == "last" else pooled(states, torch.ones_like(ids), reading.pooling)

    ids = tokenizer([PROBES[0]], return_tensors="pt")["input_ids"]
    trace(OneText().eval(), {"input_ids": ids}, "vector", path)


def trace(module: Any, inputs: dict[str, Any], output: str, path: Path) -> None:
    """Write what a torch module does with example inputs, tensors (1, tokens), as a float32 graph for any length."""
    torch = require("torch", extra="lm")
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes and on its successor
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes={name: {1: "tokens"} for name in inputs},
            opset_version=_OPSET,
            dynamo=False,
        )


def _quantise(whole: Path, out: Path, tokenizer: Any, max_tokens: int) -> float | None:
    """Write the int8 graph; its agreement with float32, or None where that is too low and float32 is to be kept."""
    quantise_graph(whole, out)
    agreement = _agreement(open_session(whole), open_session(out), tokenizer, max_tokens)
    return round(agreement, 4) if agreement >= MIN_AGREEMENT else None


def quantise_graph(whole: Path, out: Path) -> None:
    """Write a float32 graph with weights of int8 and scales that are taken as it runs.

    Scales per channel double the accuracy; weights of 7 bits keep processors without VNNI from overflowing.
    """
    quantization = require("onnxruntime.quantization", extra="lm")
    weights = {"per_channel": True, "reduce_range": True, "weight_type": quantization.QuantType.QInt8}
    root = logging.getLogger()
    level = root.level
    root.setLevel("ERROR")  # the quantiser advises on the root logger
    try:
        quantization.quantize_dynamic(str(whole), str(out), **weights)
    finally:
        root.setLevel(level)


def _agreement(one: Any, other: Any, tokenizer: Any, max_tokens: int) -> float:
    """Mean cosine of two graphs on the probes."""
    cosines = []
    for text in PROBES:
        feed = {"input_ids": np.array([tokenizer(text)["input_ids"][:max_tokens]], np.int64)}
        a, b = one.run(None, feed)[0][0], other.run(None, feed)[0][0]
        cosines.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
    return float(np.mean(cosines))
