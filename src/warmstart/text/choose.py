"""Which encoder to use, by name, by what was saved, or the best there is on this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from warmstart.errors import ArtefactError, ConfigError, MissingExtra, WarmstartError
from warmstart.text.base import TextEncoder
from warmstart.text.card import CARD, card_kind
from warmstart.text.language import chinese_share
from warmstart.text.multilingual import MultilingualEncoder
from warmstart.text.onnx import OnnxEncoder
from warmstart.text.onnx_export import cached_export
from warmstart.text.static import StaticEncoder
from warmstart.text.static_table import KIND, StaticTable
from warmstart.text.tfidf import TfidfEncoder
from warmstart.text.transformer import TransformerEncoder

LOG = logging.getLogger(__name__)
MOSTLY_CHINESE = 0.5


class SavedEncoder(TextEncoder, Protocol):
    """An encoder that a saved engine can bring back."""

    def spec(self) -> dict[str, str]:
        """JSON-able; with the folder of ``save`` all that ``encoder_from_spec`` needs."""
        ...

    def save(self, folder: Path) -> None:
        """Write what the encoder needs besides its spec."""
        ...


@dataclass(frozen=True)
class Choice:
    """An encoder and why it was taken: one line that also names what could not be had."""

    encoder: SavedEncoder
    reason: str


NAMES: dict[str, Callable[[], SavedEncoder]] = {
    "minilm-onnx": lambda: OnnxEncoder(cached_export()),
    "minilm": TransformerEncoder,
    "wordllama": StaticEncoder,
    "use-multilingual": MultilingualEncoder,
}
SLOW = ("minilm-onnx", "minilm")
ENGLISH, MANY = (*SLOW, "wordllama"), ("wordllama", *SLOW)
LARGE = 200_000  # texts above which a transformer would read for hours on a laptop
CHINESE = ("use-multilingual",)


def default_encoder(texts: Sequence[str], language: str | None = None) -> Choice:
    """The best encoder that works here for these texts; TF-IDF, fitted on them, when no weights can be had.

    Of more than 200,000 texts the best that reads thousands a second, a table of words; where it is not installed a
    transformer, and the log warns that it will take hours.

    Parameters
    ----------
    texts
        The catalogue's texts.
    language
        "zh" or "en"; None looks at the texts.

    Examples
    --------
    >>> default_encoder(["三体", "流浪地球"]).reason
    'use-multilingual: most texts are Chinese'
    """
    chinese = language == "zh" if language else chinese_share(texts) >= MOSTLY_CHINESE
    many = len(texts) > LARGE
    why = "most texts are Chinese" if chinese else "the best that works here"
    hours = f"{len(texts):,} texts would take a transformer hours; name encoder = 'minilm-onnx' to let it read them"
    failed: list[str] = []
    for name in CHINESE if chinese else MANY if many else ENGLISH:
        try:
            found = NAMES[name]()
            if many and name in SLOW:
                LOG.warning("%d texts take %s hours; pip install 'warmstart[weights]': minutes", len(texts), name)
            told = hours if many and name == "wordllama" else why
            return Choice(found, "; ".join([f"{name}: {told}", *failed]))
        except WarmstartError as error:
            failed.append(f"{name} is not available ({error})")
    return Choice(TfidfEncoder.fit(texts), "; ".join(["tfidf: no pretrained weights", *failed]))


def encoder_from_name(name: str, texts: Sequence[str] = ()) -> SavedEncoder:
    """An encoder by short name ("minilm", "minilm-onnx", "wordllama", "use-multilingual", "tfidf"), folder or hub name.

    Raises
    ------
    ConfigError
        If nothing goes by that name, or TF-IDF is asked for without texts to fit it on.

    Examples
    --------
    >>> encoder_from_name("tfidf", texts=["space horror", "romantic comedy"]).dim
    2
    """
    if name == "tfidf":
        return TfidfEncoder.fit(texts)
    if name in NAMES:
        return NAMES[name]()
    if (Path(name) / CARD).is_file():
        return encoder_from_folder(name)
    return exported(name) if Path(name).is_dir() else TransformerEncoder(name)


def exported(folder: str) -> SavedEncoder:
    """A transformer's folder as an int8 ONNX encoder, made once in the cache: an engine saved with it needs no torch.

    A model that cannot be exported, or not here, is encoded by torch, also by the saved engine.
    """
    try:
        return OnnxEncoder(cached_export(folder))
    except (ConfigError, ArtefactError):
        raise
    except (MissingExtra, RuntimeError, TypeError, ValueError) as error:  # the exporter's own are all of these
        reason = " ".join(str(error).split())[:200]
        LOG.warning("%s cannot be exported to ONNX (%s); it is used by torch, when served too", folder, reason)
        return TransformerEncoder(folder)


def encoder_from_folder(folder: str | Path) -> OnnxEncoder | StaticTable:
    """The encoder of a folder with a card (``encoder.json``), such as ``warmstart compress`` writes.

    Raises
    ------
    ArtefactError
        If there is no card, or it is of a kind that this version does not know.
    """
    kind = card_kind(Path(folder))
    if kind not in ("", "onnx", KIND):
        raise ArtefactError(f"{Path(folder) / CARD} is of kind {kind!r}; known are 'onnx' and {KIND!r}")
    return StaticTable(folder) if kind == KIND else OnnxEncoder(folder)


def encoder_from_spec(spec: Mapping[str, str], folder: str | Path, threads: int = 0) -> SavedEncoder:
    """The encoder of a saved engine: ``spec`` is what its ``spec()`` gave, ``folder`` what it was saved to.

    ``threads`` is how many texts an ONNX encoder reads at once; 0 = as many as there are processors.

    Raises
    ------
    ConfigError
        If the kind is not known.
    ArtefactError
        If the encoder found is not the one that was saved: vectors would not fit the engine's.
    """
    makers: dict[str, Callable[[], SavedEncoder]] = {
        "onnx": lambda: OnnxEncoder(folder, threads),
        KIND: lambda: StaticTable(folder),
        "tfidf": lambda: TfidfEncoder.load(Path(folder)),
        "transformer": lambda: TransformerEncoder(spec["name"]),
        "wordllama": StaticEncoder,
        "use-multilingual": MultilingualEncoder,
    }
    kind = spec.get("kind", "")
    if kind not in makers:
        raise ConfigError(f"encoder kind {kind!r} is not known; known are {list(makers)}; upgrade warmstart")
    encoder = makers[kind]()
    if encoder.fingerprint != spec["fingerprint"]:
        raise ArtefactError(
            f"the {kind} encoder here is not the one the engine was fitted with; install the same weights"
        )
    return encoder
