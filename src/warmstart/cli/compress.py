"""Smaller forms of a model, measured."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import Data, Items, Json, Map, Rejects, Scale, Seed, Tables, Template, Weights, read_ids
from warmstart.cli.screen import answers, emit, listing, progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from warmstart.learn.measure import Row

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A transformer: folder, GGUF file or model name.")]
Methods = Annotated[str, typer.Option(help="Forms, with commas between; words of one form joined by +.")]
Out = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for all forms.")]
Steps = Annotated[int, typer.Option(min=0, help="Steps in which layers:N and prune:SHARE learn; 0 = none.")]
Rate = Annotated[float, typer.Option(help="Their learning rate.")]
HeldOut = Annotated[float, typer.Option(help="Share of the items that forms are judged on.")]
Texts = Annotated[Path | None, typer.Option(help="More texts to learn from, one a line.")]


def compress(
    model: Model,
    data: Data,
    out: Out,
    items: Items = None,
    methods: Methods = "int8,dims:128,pca:128,int8-vectors,binary,binary-rescored,layers:3,prune:0.5,static",
    steps: Steps = 200,
    learning_rate: Rate = 1e-4,
    held_out: HeldOut = 0.1,
    texts: Texts = None,
    template: Template = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Make smaller forms of a text model; print size, speed and what each keeps.

    onnx, int8, static, layers:N, prune:SHARE, dims:N, pca:N, and stored vectors: int8-vectors, binary, binary-hamming,
    binary-rescored. Joined, e.g. layers:3+int8+dims:128.
    """
    from warmstart.learn.compress import Compression
    from warmstart.learn.compress import compress as forms
    from warmstart.learn.plan import plans
    from warmstart.learn.settings import Training

    wanted = plans(methods)
    dataset, _ = Tables(data, items, map=columns, weights=weights, rejects=rejects, scale=scale).read()
    more = tuple(read_ids(texts) or ())
    training = Training(steps=steps, learning_rate=learning_rate, validate_every=50, seed=seed) if steps else None
    settings = Compression(held_out, seed, training, template, more)
    with progress() as tell:
        rows = []
        for row in forms(model, dataset, wanted, out, settings, tell):
            rows.append(row)
            kept_on_disk(rows, out)
    if as_json:
        emit([plain(row) for row in rows])
    else:
        answers().print(listing(table(rows)), "texts_a_second: the original in torch, forms as they serve", sep="\n")


def kept_on_disk(rows: Sequence[Row], out: Path) -> None:
    """Write ``table.jsonl`` after every form: what was measured outlives an interruption.

    Rows of forms that were made there before stay, if they were measured against the same original on the same items.
    """
    if len(rows) < 2:  # the original is not known to be worth more than the table that is there
        return
    file, fresh = out / "table.jsonl", [plain(row) for row in rows]
    before = _read_lines(file)
    same = bool(before) and _untimed(before[0]) == _untimed(fresh[0])
    by_form = {str(row.get("method")): row for row in (*(before if same else ()), *fresh)}
    new = file.with_name(file.name + ".new")
    new.write_text("".join(json.dumps(row) + "\n" for row in by_form.values()), encoding="utf-8")
    new.replace(file)


def _read_lines(file: Path) -> list[dict[str, object]]:
    """Objects of a file, one a line; none where there is no file, or it was cut."""
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return []


def _untimed(row: Mapping[str, object]) -> dict[str, object]:
    """What two measurements of one form have in common."""
    kept = {name: value for name, value in row.items() if name != "texts_a_second"}
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in kept.items()}


def plain(row: Row) -> dict[str, object]:
    """A row for JSON; what is not a number is null."""
    flat = asdict(row)
    flat |= flat.pop("judged")
    return {name: None if value != value else value for name, value in flat.items()}


def table(rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as they are printed: what is not a number is left blank, folders are left out."""
    import polars as pl

    digits = {"encoder_mb": 1, "zipped_mb": 1, "vectors_mb": 2, "texts_a_second": 0}
    names = ("method", *(f.name for f in fields(rows[0]) if "_" in f.name), *(f.name for f in fields(rows[0].judged)))
    shown = [{k: plain(row)[k] for k in (*names, "note")} for row in rows]
    kept = [
        {k: f"{v:.{digits.get(k, 3)}f}" if isinstance(v, float) else v or "" for k, v in row.items()} for row in shown
    ]
    return pl.DataFrame(kept, schema=list(kept[0]))
