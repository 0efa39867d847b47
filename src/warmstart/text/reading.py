"""How a model reads: what its own files say of pooling and length."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.errors import ArtefactError, ConfigError
from warmstart.text.weights import fingerprint_of, is_gguf

CHARS_A_TOKEN = 16  # a text is cut at this many characters a token before it is split: nothing longer is read anyway
LONGEST = 512  # tokens, whatever a model could read
_POOLINGS = {"mean": "mean", "cls": "cls", "lasttoken": "last"}
_KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True)
class Reading:
    """How token states become one vector, and how many tokens are read.

    Parameters
    ----------
    pooling
        "mean", "cls" or "last".
    max_tokens
        Tokens of a text that are read, special ones included.
    """

    pooling: str
    max_tokens: int

    @classmethod
    def of(cls, folder: Path) -> Reading:
        """From the files of a sentence-transformers or plain transformers folder; a GGUF file is a decoder.

        Raises
        ------
        ArtefactError
            If the folder has no ``config.json``; one further down is named.
        ConfigError
            If the model pools in a way, or has a layer after pooling, that is not known here.
        """
        if is_gguf(folder):
            return cls("last", LONGEST)
        config = _json(folder / "config.json")
        if not config:
            raise ArtefactError(f"{folder} has no config.json; it is not a transformer's folder{_nearby(folder)}")
        strange = [m["type"] for m in _json(folder / "modules.json") or [] if not m["type"].endswith(_KNOWN_MODULES)]
        if strange:
            raise ConfigError(f"{folder} has a layer {strange[0]!r} that is not known here; use a model without it")
        limit = _json(folder / "sentence_bert_config.json").get("max_seq_length")
        limit = limit or _json(folder / "tokenizer_config.json").get("model_max_length", LONGEST)
        longest = config.get("max_position_embeddings", LONGEST)
        return cls(_pooling(folder, config), int(min(limit, longest, LONGEST)))


def _nearby(folder: Path) -> str:
    """For a message: the transformer that a run's folder, or a fine-tuned model's, holds further down."""
    inside = (folder / name for name in ("model", "encoder", "model/encoder"))
    return next((f"; give {path}" for path in inside if (path / "config.json").is_file()), "")


def source_fingerprint(folder: Path) -> str:
    """SHA-256 (hex) over weights, tokenizer and everything that decides how the model reads."""
    if is_gguf(folder):
        return fingerprint_of(folder, repr(Reading.of(folder)))
    files = sorted(folder.glob("*.safetensors")) + sorted(folder.glob("tokenizer.json"))
    if not files:
        raise ArtefactError(f"{folder} holds no *.safetensors; save the model in that format")
    return fingerprint_of(*files, folder / "config.json", repr(Reading.of(folder)))


def _pooling(folder: Path, config: dict[str, Any]) -> str:
    said = _json(folder / "1_Pooling" / "config.json")
    modes = [
        k.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
        for k, v in said.items()
        if k.startswith("pooling_mode_") and v is True
    ]
    if isinstance(mode := said.get("pooling_mode"), str):
        modes = [mode]
    if not modes:
        causal = any("CausalLM" in name for name in config.get("architectures") or [])
        modes = ["lasttoken" if causal else "mean"]
    if len(modes) > 1 or modes[0] not in _POOLINGS:
        raise ConfigError(f"{folder} pools by {modes}; known are {list(_POOLINGS)}, one at a time")
    return _POOLINGS[modes[0]]


def _json(path: Path) -> Any:
    """A JSON file's content; an empty dict where there is no file."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise ArtefactError(f"{path} is no JSON ({error}); save the model there again") from error
