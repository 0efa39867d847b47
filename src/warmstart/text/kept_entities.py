"""Named entities on disk by the content of the texts: a run that was broken off goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from warmstart.text.named_entities import MODEL, Mention, named_entities
from warmstart.text.transformer import Progress

CHUNK = 2000  # texts: what a run that is broken off loses at most


def kept_entities(
    texts: Sequence[str], folder: Path, model: str = MODEL, progress: Progress | None = None
) -> list[list[Mention]]:
    """As ``named_entities``, but every 2000 texts are written to a folder, and read from it the next time.

    A file that is damaged is made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: list[list[Mention]] = []
    for start in range(0, len(texts), CHUNK):
        part = list(texts[start : start + CHUNK])
        digest = hashlib.sha256("\0".join([model, *part]).encode("utf-8", "surrogatepass")).hexdigest()
        file = folder / f"entities-{digest[:32]}.json"
        rows = _read(file, len(part))
        if rows is None:
            told = None if progress is None else _shifted(progress, start, len(texts))
            rows = named_entities(part, model, told)
            fresh = file.with_suffix(".part")
            fresh.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
            fresh.replace(file)
        found += rows
    return found


def _read(file: Path, n: int) -> list[list[Mention]] | None:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        kept = [[(str(r), str(name), float(sure), str(by)) for r, name, sure, by in row] for row in rows]
    except (OSError, ValueError, TypeError):
        return None
    return kept if len(kept) == n else None


def _shifted(progress: Progress, start: int, total: int) -> Progress:
    return lambda done, _: progress(start + done, total)
