"""Weights and optimiser on disk, in one file that is whole or absent; safetensors, never pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warmstart.errors import ArtefactError, TrainingError, require

_NOTE = "warmstart"


def write_tensors(path: Path, tensors: Mapping[str, Any], note: Mapping[str, Any]) -> None:
    """Write tensors and a note (plain values) in one step; what was there stays until the new file is complete.

    Raises
    ------
    TrainingError
        If it cannot be written, e.g. on a full disk; the file that was there before is untouched.
    """
    save_file = require("safetensors.torch", extra="lm").save_file
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    try:
        save_file(_apart(tensors), fresh, {_NOTE: json.dumps(note)})
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except Exception as error:  # safetensors wraps the system's errors in its own
        fresh.unlink(missing_ok=True)
        kept = "the previous one is kept" if path.is_file() else "nothing was there before"
        raise TrainingError(
            f"{path} could not be written ({error}); {kept}; free the disk and run the same command to go on"
        ) from error


def _apart(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors on the processor that share no memory, which safetensors would refuse."""
    out: dict[str, Any] = {}
    seen: set[int] = set()
    for name, value in tensors.items():
        plain = value.detach().cpu().contiguous()
        place = plain.untyped_storage().data_ptr()
        out[name] = plain.clone() if place in seen else plain
        seen.add(place)
    return out


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors and note of a file that ``write_tensors`` wrote.

    Raises
    ------
    ArtefactError
        If it is missing or damaged.
    """
    safe_open = require("safetensors", extra="lm").safe_open
    try:
        with safe_open(str(path), framework="pt") as file:
            note = json.loads((file.metadata() or {})[_NOTE])
            return {key: file.get_tensor(key) for key in file.keys()}, note  # noqa: SIM118
    except Exception as error:  # not there, cut short, not ours
        raise ArtefactError(f"{path} cannot be read ({error}); remove it to begin anew") from error


def optimiser_tensors(optimiser: Any, names: Mapping[int, str]) -> dict[str, Any]:
    """The state of an optimiser by weight, as ``optimiser/WEIGHT/KEY``.

    Parameters
    ----------
    optimiser
        A torch optimiser.
    names
        ``id`` of a weight -> its name.
    """
    torch = require("torch", extra="lm")
    return {
        f"optimiser/{names[id(weight)]}/{key}": value if torch.is_tensor(value) else torch.tensor(value)
        for weight, state in optimiser.state.items()
        for key, value in state.items()
        if value is not None
    }


def restore(weights: Mapping[str, Any], optimiser: Any, tensors: Mapping[str, Any]) -> None:
    """Put a checkpoint's tensors into weights (by name) and optimiser.

    Raises
    ------
    ArtefactError
        If the checkpoint is of another model.
    """
    load_weights(weights, {k.removeprefix("weights/"): v for k, v in tensors.items() if k.startswith("weights/")})
    for key, value in tensors.items():
        if key.startswith("optimiser/"):
            name, _, part = key.removeprefix("optimiser/").rpartition("/")
            weight = weights[name]
            # torch keeps step counters on the processor
            place = value if part == "step" else value.to(weight.device)
            optimiser.state[weight][part] = place


def load_weights(weights: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    """Copy tensors into the weights of the same names.

    Raises
    ------
    ArtefactError
        If names or shapes differ.
    """
    torch = require("torch", extra="lm")
    shapes = {k: tuple(v.shape) for k, v in weights.items()}
    found = {k: tuple(v.shape) for k, v in tensors.items()}
    if shapes != found:
        strange = sorted(set(shapes.items()) ^ set(found.items()))[0][0]
        raise ArtefactError(f"the checkpoint is of another model: {strange!r} differs; give another folder")
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(tensors[name])
