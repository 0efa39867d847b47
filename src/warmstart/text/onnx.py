"""The fast path: a transformer as an int8 ONNX graph, without torch.

Every text runs alone, several at once in threads. Dynamic int8 takes its scales from whatever is multiplied together;
alone, a text's vector cannot depend on its neighbours, nothing is padded, and it is faster than batches
(docs/decisions: one text a run).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.text.card import CARD, Shortening, read_card
from warmstart.text.reading import CHARS_A_TOKEN
from warmstart.text.transformer import Progress
from warmstart.text.weights import fingerprint_of

FILES = ("model.onnx", "tokenizer.json")
_CHUNK = 256  # texts between two reports of progress


class OnnxEncoder:
    """Encodes with onnxruntime and tokenizers what ``export_onnx`` wrote.

    Parameters
    ----------
    folder
        Holds ``model.onnx``, ``tokenizer.json`` and ``encoder.json``; the checksums are verified.
    threads
        Texts encoded at once; 0 takes as many as this process may use processors.
    progress
        Called with (texts done, texts in all) after every 256 texts.

    Raises
    ------
    ArtefactError
        If the folder is incomplete, changed or of a newer format.
    """

    def __init__(self, folder: str | Path, threads: int = 0, progress: Progress | None = None) -> None:
        self.folder, self.progress = Path(folder), progress
        card = read_card(self.folder, FILES)
        self.ending, self._max_tokens = Shortening.of(self.folder, card), int(card["max_tokens"])
        self.dim = self.ending.dim
        self._files = (*FILES, *self.ending.files)
        named = (*(self.folder / f for f in FILES), str(self._max_tokens), *self.ending.key(self.folder))
        self.fingerprint = fingerprint_of("onnx", *named)
        self._threads = threads or available_processors()
        from tokenizers import Tokenizer  # heavy, and not needed before the first encoder

        self._session = open_session(self.folder / "model.onnx")
        self._tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self._max_tokens)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim), unit rows; zero rows for empty texts."""
        out = np.zeros((len(texts), self.ending.dim_in), np.float32)
        # longest first: no thread is left alone with a long text at the end
        order = sorted((i for i, t in enumerate(texts) if t.strip()), key=lambda i: -len(texts[i]))
        with ThreadPoolExecutor(self._threads) as pool:
            for start in range(0, len(order), _CHUNK):
                at = order[start : start + _CHUNK]
                tokens = self._tokenizer.encode_batch([texts[i][: self._max_tokens * CHARS_A_TOKEN] for i in at])
                out[at] = list(pool.map(self._one, (t.ids for t in tokens)))
                if self.progress:
                    self.progress(min(start + _CHUNK, len(order)), len(order))
        return self.ending.apply(out)

    def _one(self, ids: list[int]) -> np.ndarray:
        vector: np.ndarray = self._session.run(None, {"input_ids": np.array([ids], np.int64)})[0][0]
        return vector

    def spec(self) -> dict[str, str]:
        """What ``encoder_from_spec`` needs besides the folder."""
        return {"kind": "onnx", "fingerprint": self.fingerprint}

    def save(self, folder: Path) -> None:
        """Copy graph, tokenizer and card into a folder, which then needs nothing else."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*self._files, CARD):
            if (self.folder / name).resolve() != (folder / name).resolve():
                shutil.copyfile(self.folder / name, folder / name)


def available_processors() -> int:
    """Processors this process may use.

    Examples
    --------
    >>> available_processors() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_session(graph: Path | bytes) -> Any:
    """A session of one thread, from a file or its bytes: parallel work is done by running several texts at once."""
    import onnxruntime as runtime  # heavy, and not needed before the first encoder

    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = graph if isinstance(graph, bytes) else str(graph)
    return runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
