"""A cross-encoder as it is served: person and item read as one text by an ONNX graph, without torch."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ArtefactError
from warmstart.text.onnx import available_processors, open_session
from warmstart.text.reading import CHARS_A_TOKEN
from warmstart.text.weights import sha256_of

CARD = "cross.json"
FILES = ("model.onnx", "tokenizer.json")
FORMAT = 1
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class CrossModel:
    """Scores pairs of texts; a plain object of bytes and numbers, saved with whatever holds it.

    Parameters
    ----------
    graph, tokenizer
        uint8: the bytes of ``model.onnx`` (token ids, and kinds of token where the model has them -> score) and of
        ``tokenizer.json``.
    max_tokens
        Tokens of a pair that are read; the longer text is cut first.
    history
        Newest events of a person that are told.
    template
        Of the items' texts; see ``item_texts``.
    """

    graph: np.ndarray
    tokenizer: np.ndarray
    max_tokens: int
    history: int
    template: str | None

    @classmethod
    def read(cls, folder: Path) -> CrossModel:
        """What ``export_cross`` wrote.

        Raises
        ------
        ArtefactError
            If a file is missing, was changed, or is of a newer format.
        """
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
            version, checksums = int(card["format"]), {name: card["sha256"][name] for name in FILES}
            numbers = int(card["max_tokens"]), int(card["history"]), card["template"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtefactError(f"{folder / CARD} cannot be read ({error!r}); export the model again") from error
        if version > FORMAT:
            raise ArtefactError(f"{folder} has format {version}, not {FORMAT}; upgrade warmstart")
        for name, expected in checksums.items():
            if sha256_of(folder / name) != expected:
                raise ArtefactError(f"{folder / name} was changed after it was written; export the model again")
        graph, tokenizer = (np.frombuffer((folder / name).read_bytes(), np.uint8) for name in FILES)
        return cls(graph, tokenizer, *numbers)

    def scores(self, pairs: Sequence[Pair], seconds: float = np.inf) -> np.ndarray:
        """Scores of pairs (person, item): float32, shape (len(pairs),); NaN for those that time did not suffice for.

        Parameters
        ----------
        pairs
            The most important first.
        seconds
            No pair is begun later than this.
        """
        self._ready()
        end = time.monotonic() + seconds
        found = np.full(len(pairs), np.nan, np.float32)
        with ThreadPoolExecutor(available_processors()) as pool:
            for number, score in enumerate(pool.map(lambda pair: self._one(pair, end), pairs)):
                found[number] = score
        return found

    def _ready(self) -> None:
        """Read graph and tokenizer before time counts, and before threads ask for them."""
        _ = self._session, self._tokenizer

    def _one(self, pair: Pair, end: float = np.inf) -> float:
        if time.monotonic() > end:
            return float("nan")
        limit = self.max_tokens * CHARS_A_TOKEN
        tokens = self._tokenizer.encode(pair[0][:limit], pair[1][:limit])
        told = {"input_ids": tokens.ids, "token_type_ids": tokens.type_ids}
        feed = {i.name: np.array([told[i.name]], np.int64) for i in self._session.get_inputs()}
        return float(self._session.run(None, feed)[0].ravel()[0])

    def seconds_a_pair(self, pairs: Iterable[Pair], tries: int = 8) -> float:
        """How long a pair takes, by a few of them: the median over tries, with all processors at work."""
        self._ready()
        some = list(islice(pairs, tries))
        took = list(self._timed(some * 3))
        return float(np.median(took)) / min(available_processors(), len(some)) if took else 0.0

    def _timed(self, pairs: Sequence[Pair]) -> Iterator[float]:
        for pair in pairs:
            began = time.perf_counter()
            self._one(pair)
            yield time.perf_counter() - began

    @cached_property
    def _session(self) -> Any:
        return open_session(self.graph.tobytes())

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer  # heavy, and not needed before the first pair

        made = Tokenizer.from_str(self.tokenizer.tobytes().decode("utf-8"))
        made.no_padding()
        made.enable_truncation(self.max_tokens)
        return made
