"""Arguments that several commands take, and what they become."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.screen import progress, say, silent
from warmstart.errors import ConfigError, DataError

if TYPE_CHECKING:
    from warmstart.data.dataset import Dataset
    from warmstart.data.report import IngestReport
    from warmstart.data.split import Split

Data = Annotated[str, typer.Argument(metavar="DATA", help="Events: a file, a folder, sql:URL::QUERY, a saved dataset.")]
Items = Annotated[str | None, typer.Option(help="Table of items.")]
Graph = Annotated[str | None, typer.Option(help="Triples: a table, .nt, .ttl, .jsonld, a built graph.")]
Links = Annotated[str | None, typer.Option(help="Which entity of the graph is which item.")]
Users = Annotated[str | None, typer.Option(help="Table of users.")]
Map = Annotated[list[str] | None, typer.Option("--map", help="Column by name, e.g. user_id=uid; may be repeated.")]
Weights = Annotated[str | None, typer.Option(help="Weights of event kinds, e.g. view=1,cart=3,buy=5.")]
Rejects = Annotated[Path | None, typer.Option(help="File for refused rows: .csv, .parquet or .jsonl.")]
Scale = Annotated[
    str | None, typer.Option(metavar="LOW,HIGH", help="Smallest and largest rating allowed; rows beyond are refused.")
]
RecipeFile = Annotated[Path | None, typer.Option(help="Recipe (TOML); the default recipe if none is given.")]
RunFolder = Annotated[
    Path, typer.Option("--out", "-o", file_okay=False, help="Folder of the run; the model is its model/.")
]
Model = Annotated[str, typer.Option(help="A folder, a .gguf file, all-MiniLM-L6-v2, gemma-3-270m, a hub name.")]
Template = Annotated[str | None, typer.Option(help='Text of an item, e.g. "{title}: {description}".')]
MaxTokens = Annotated[int, typer.Option(min=0, help="Tokens of a text that are read; 0 = as many as the model reads.")]
Layers = Annotated[int, typer.Option(help="Layers that learn with --tuning last.")]
Rank = Annotated[int, typer.Option(help="Rank of the additions of --tuning lora.")]
Accumulate = Annotated[int, typer.Option(help="Batches whose gradients make one step.")]
Patience = Annotated[int, typer.Option(help="Validations without improvement after which it stops; 0 = never.")]
Seed = Annotated[int, typer.Option(min=0, help="Fixes whatever is drawn.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
Places = Annotated[int, typer.Option("-k", min=1, help="Length of a list.")]
EngineFolder = Annotated[Path, typer.Argument(metavar="ENGINE", help="Folder of a saved engine.")]
Track = Annotated[
    str | None,
    typer.Option(
        help="Show the run elsewhere too: tensorboard, wandb, mlflow; several between commas.",
        callback=lambda given: given if trackers(given) else None,
    ),
]
Known = Annotated[
    str | None, typer.Option("--data", metavar="DATA", help="What users did: as DATA of fit; needed for --user.")
]


class SplitKind(StrEnum):
    """Names of the tasks an engine can be measured on."""

    temporal = "temporal"
    last_n = "last_n"
    cold_items = "cold_items"
    cold_users = "cold_users"
    few_shot = "few_shot"
    sparse = "sparse"


@dataclass(frozen=True)
class Tables:
    """Where the data are, as the command line says it."""

    events: str
    items: str | None = None
    graph: str | None = None
    links: str | None = None
    users: str | None = None
    map: list[str] | None = None
    weights: str | None = None
    rejects: Path | None = None
    scale: str | None = None

    def read(self) -> tuple[Dataset, IngestReport]:
        """The dataset and the account of its rows; rows refused are counted on stderr."""
        from warmstart.data.ingest import read_with_report

        with progress() as tell:
            data, account = read_with_report(
                self.events,
                items=self.items,
                graph=self.graph,
                links=self.links,
                users=self.users,
                columns=pairs(self.map or (), "--map") or None,
                weights=self.weights,
                rejects=None if silent() else self.rejects,
                scale=bounds(self.scale),
                progress=tell,
            )
        count_refused(account)
        return data, account


def count_refused(account: IngestReport) -> None:
    """Say on stderr how many rows were refused, if any were, and that ratings were left out."""
    if account.unrated and not silent():
        say(account.unrated)
    if account.n_refused and not silent():
        where = f"they are in {account.rejects}" if account.rejects else "`warmstart check`, --rejects FILE show them"
        say(f"{account.told}; {where}")


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """``name=value`` texts as a mapping.

    Raises
    ------
    ConfigError
        If a text has no ``=`` or nothing before it.

    Examples
    --------
    >>> pairs(["user_id=uid"], "--map")
    {'user_id': 'uid'}
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise ConfigError(f"{option} {text!r} is no name=value; write e.g. {option} name=value")
        found[name.strip()] = value.strip()
    return found


def bounds(text: str | None) -> tuple[float, float] | None:
    """The numbers of ``--scale``; None if there are none.

    Raises
    ------
    ConfigError
        If it is not two numbers with a comma between.

    Examples
    --------
    >>> bounds("1,5"), bounds(None)
    ((1.0, 5.0), None)
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--scale {text!r} is not LOW,HIGH; write e.g. --scale 1,5") from None
    return low, high


def filters(texts: Sequence[str]) -> dict[str, Any] | None:
    """``column=value`` texts as filters; a column named twice takes either value.

    Examples
    --------
    >>> filters(["genre=Comedy"]), filters(["genre=Comedy", "genre=Drama"]), filters([])
    ({'genre': 'Comedy'}, {'genre': ['Comedy', 'Drama']}, None)
    """
    found: dict[str, Any] = {}
    for text in texts:
        for name, value in pairs([text], "--filter").items():
            before = found.get(name, [])
            found[name] = [*([before] if isinstance(before, str) else before), value] if name in found else value
    return found or None


def ids(text: str) -> list[str]:
    """Ids between commas, oldest first; an empty text is an empty history.

    Examples
    --------
    >>> ids("a, b"), ids("")
    (['a', 'b'], [])
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def events(text: str, items: Container[str]) -> list[str | tuple[str, float]]:
    """Ids between commas, or ITEM=RATING, oldest first; what the catalogue knows as an id is one.

    Examples
    --------
    >>> events("a, b=4, c=5", {"a", "b", "c=5"})
    ['a', ('b', 4.0), 'c=5']
    """
    found = list[str | tuple[str, float]]()
    for part in ids(text):
        item, _, value = part.rpartition("=")
        try:
            found.append((item, float(value)) if item and part not in items else part)
        except ValueError:
            found.append(part)
    return found


def trackers(text: str | None) -> list[str]:
    """Names given to ``--track``; for ``follow`` of learn/mirrors.py.

    Raises
    ------
    ConfigError
        If a name is not known.

    Examples
    --------
    >>> trackers("wandb, mlflow"), trackers(None)
    (['wandb', 'mlflow'], [])
    """
    from warmstart.learn.mirrors import check_names

    names = ids(text or "")
    check_names(names)
    return names


def read_ids(file: Path | None) -> list[str] | None:
    """Ids of a text file, one a line; None if no file is given.

    Raises
    ------
    DataError
        If the file cannot be read as text.
    """
    if file is None:
        return None
    try:
        return [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"'{file}' cannot be read ({error}); give a text file with one id a line") from error


def make_split(data: Dataset, kind: SplitKind, share: float, shots: int, percent: float, seed: int) -> Split:
    """The task of a name; each takes of the settings what it knows."""
    from warmstart.data import split

    makers = {
        SplitKind.temporal: lambda: split.temporal(data, share),
        SplitKind.last_n: lambda: split.last_n(data, share=share),
        SplitKind.cold_items: lambda: split.cold_items(data, share, seed),
        SplitKind.cold_users: lambda: split.cold_users(data, share, seed),
        SplitKind.few_shot: lambda: split.few_shot(data, shots, share=share, seed=seed),
        SplitKind.sparse: lambda: split.sparse(data, percent, seed, share=share),
    }
    return makers[kind]()
