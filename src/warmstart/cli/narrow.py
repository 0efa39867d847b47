"""An engine in fewer bits, and what that costs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from warmstart.cli.options import Data, EngineFolder, Json, Map, Seed, Tables
from warmstart.cli.screen import answers, emit, progress
from warmstart.errors import ConfigError

Out = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the smaller engine.")]
Keep = Annotated[int, typer.Option(min=1, help="Weights kept of each item, the strongest.")]
People = Annotated[int, typer.Option(min=1, help="People whose lists are compared.")]


def narrow(
    engine: EngineFolder,
    data: Data,
    out: Out,
    keep: Keep = 256,
    people: People = 1000,
    columns: Map = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Keep the weights between items in eight bits; print what that saves on disk and costs in NDCG."""
    from warmstart.engine import load
    from warmstart.narrow import cost, narrowed

    if out.resolve() == engine.resolve():
        raise ConfigError(f"--out {out} is the engine itself; give another folder, so that it stays to be compared")
    before, (dataset, _) = load(engine), Tables(data, map=columns).read()
    size = megabytes(engine)
    after = narrowed(before, keep)
    after.save(out)
    with progress() as tell:
        found = cost(before, after, dataset, people, seed, tell)
    sizes = {"mb_before": size, "mb_after": megabytes(out)}
    if as_json:
        emit({"engine": str(out)} | sizes | asdict(found))
        return
    answers().print(
        f"engine: {out}\nsize: {sizes['mb_before']:.1f} MB before, {sizes['mb_after']:.1f} MB now\n"
        f"NDCG@10 of the newest event of {found.people:,} people: {found.before:.4f} before, {found.after:.4f} now; "
        f"loss {found.loss:.4f} ({found.low:.4f} to {found.high:.4f})\n"
        f"items of a list that stay: {found.same:.1%}",
        markup=False,
        soft_wrap=True,
    )


def megabytes(folder: Path) -> float:
    """Size of all files of a folder, in MB of 10^6 bytes."""
    return round(sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6, 3)
