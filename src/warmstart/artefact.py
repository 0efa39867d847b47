"""Fitted objects as files: arrays as .npy, the rest in JSON, every file with a checksum; nothing is executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from warmstart.eight_bits import EightBits, from_steps, in_steps
from warmstart.errors import ArtefactError

MANIFEST = "manifest.json"
MAKERS = {"engine": "Engine.save or warmstart fit", "rater": "Rater.save", "graph vectors": "warmstart graph embed"}
NARROW = 65_536  # columns up to which two bytes tell one
MAPPED = 65_536  # bytes from which a file is mapped; smaller ones are read


def pack(value: Any, classes: Mapping[str, type], arrays: dict[str, np.ndarray], place: str) -> Any:
    """A JSON-able description of a fitted object; its arrays go into ``arrays``, named by place."""
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        if name not in classes:
            raise ArtefactError(f"{name} cannot be saved; add it to the table of classes")
        parts = {f.name: pack(getattr(value, f.name), classes, arrays, f"{place}.{f.name}") for f in fields(value)}
        return {"class": name, "fields": parts}
    if sp.issparse(value):
        return _pack_sparse(value, arrays, place)
    if isinstance(value, np.ndarray):
        stored = next((name for name, array in arrays.items() if array is value), place)  # shared arrays once
        arrays[stored] = value
        return {"array": stored}
    if isinstance(value, tuple | list):
        return {"tuple": [pack(v, classes, arrays, f"{place}.{i}") for i, v in enumerate(value)]}
    if isinstance(value, dict):
        pairs = enumerate(value.items())
        return {
            "dict": [[pack(k, classes, arrays, ""), pack(v, classes, arrays, f"{place}.{i}")] for i, (k, v) in pairs]
        }
    return {"value": value.item() if isinstance(value, np.generic) else value}


def unpack(described: Any, classes: Mapping[str, type], arrays: Mapping[str, np.ndarray]) -> Any:
    """The object that ``pack`` described; only classes of the table are made."""
    if "class" in described:
        if described["class"] not in classes:
            raise ArtefactError(f"class {described['class']!r} is unknown to this version; upgrade warmstart")
        parts = {name: unpack(part, classes, arrays) for name, part in described["fields"].items()}
        return classes[described["class"]](**parts)
    if "sparse" in described:
        return _unpack_sparse(described, arrays)
    if "array" in described:
        return arrays[described["array"]]
    if "tuple" in described:
        return tuple(unpack(v, classes, arrays) for v in described["tuple"])
    if "dict" in described:
        return {unpack(k, classes, arrays): unpack(v, classes, arrays) for k, v in described["dict"]}
    return described["value"]


def _pack_sparse(value: Any, arrays: dict[str, np.ndarray], place: str) -> dict[str, Any]:
    """A table of eight bits takes a byte an entry, a scale a row, and two bytes a column where these are enough."""
    told: dict[str, Any] = {"sparse": place, "shape": [int(n) for n in value.shape]}
    rows = value if isinstance(value, EightBits) else sp.csr_matrix(value)
    parts = {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr}
    if isinstance(rows, EightBits):
        parts["scales"], parts["data"] = in_steps(rows)
        parts["indices"] = rows.indices.astype(np.uint16) if rows.shape[1] <= NARROW else rows.indices
        told["bits"] = 8
    arrays |= {f"{place}.{part}": array for part, array in parts.items()}
    return told


def _unpack_sparse(described: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> sp.csr_matrix:
    place, shape = described["sparse"], tuple(described["shape"])
    data, indices, indptr = (arrays[f"{place}.{part}"] for part in ("data", "indices", "indptr"))
    if "bits" in described:
        return EightBits(from_steps(arrays[f"{place}.scales"], data, indptr, indices), shape=shape)
    return sp.csr_matrix((data, indices, indptr), shape=shape)


def save_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write each array as ``NAME.npy`` of a folder, in place of those that are there.

    Old files are taken away, not overwritten: another process may have mapped them.
    """
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.npy"):
        old.unlink()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load_arrays(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of a folder, read-only; large ones are mapped, so that processes on one machine share their memory."""
    arrays = {}
    for path in sorted(folder.glob("*.npy")):
        mode: Literal["r"] | None = "r" if path.stat().st_size >= MAPPED else None
        arrays[path.stem] = np.asarray(np.load(path, mmap_mode=mode, allow_pickle=False))
        arrays[path.stem].flags.writeable = False
    return arrays


def checksum(path: Path) -> str:
    """SHA-256 of a file (hex)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest with the checksum of every other file."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    manifest = manifest | {"files": {name: checksum(folder / name) for name in names}}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def open_sealed(folder: Path, version: int, kind: str = "engine") -> dict[str, Any]:
    """Read the manifest and compare every checksum; ``kind`` is one of ``MAKERS``.

    Raises
    ------
    ArtefactError
        If the manifest is missing, of another kind or format, or a file is missing or was changed.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtefactError(f"{folder} is not a saved {kind} (no {MANIFEST}); make one with {MAKERS[kind]}")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if (is_one := manifest.get("kind", "engine")) != kind:
        raise ArtefactError(f"{folder} holds a saved {is_one}, not a saved {kind}; load it as what it is")
    found = manifest.get("format", 0)
    if found != version:
        remedy = "upgrade warmstart" if found > version else "fit and save it again with this version"
        raise ArtefactError(f"{folder} has format {found}, this version reads {version}; {remedy}")
    for name, expected in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise ArtefactError(f"{file} is missing; save the engine again")
        if checksum(file) != expected:
            raise ArtefactError(f"{file} was changed after it was saved (checksum differs); save the engine again")
    return manifest
