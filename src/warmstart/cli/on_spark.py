"""What ``--on`` asks of Spark: the reading of a fit, and lists for everybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import Tables, bounds, count_refused, pairs
from warmstart.cli.screen import emit, progress, say
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.batch import Lists
    from warmstart.data.dataset import Dataset
    from warmstart.data.report import IngestReport
    from warmstart.recipe import Recipe
    from warmstart.scale.spark_tables import SparkTables

On = Annotated[
    str | None, typer.Option("--on", metavar="MASTER", help="Read and encode on Spark: spark://host:7077, local[2].")
]
People = Annotated[
    int | None,
    typer.Option(
        "--people", min=1, help="With --on: learn from about so many people, and from what all took together."
    ),
]
AllOn = Annotated[
    str | None, typer.Option("--on", metavar="MASTER", help="With --all-users: on Spark, spark://host:7077, local[2].")
]


def spark_tables(tables: Tables) -> SparkTables:
    """The tables of the command line, for Spark to read.

    Raises
    ------
    ConfigError
        If refused rows are to be kept in a file.
    """
    from warmstart.scale.spark_tables import SparkTables

    if tables.rejects is not None:
        raise ConfigError(
            f"--rejects {tables.rejects} with --on: on Spark refused rows are counted by reason, not kept; leave it "
            "out, or run `warmstart check` on a part"
        )
    return SparkTables(
        tables.events,
        items=tables.items,
        graph=tables.graph,
        links=tables.links,
        users=tables.users,
        columns=pairs(tables.map or (), "--map") or None,
        weights=tables.weights,
        scale=bounds(tables.scale),
    )


def read_on(master: str, tables: Tables, recipe: Recipe, people: int | None) -> tuple[Dataset, IngestReport]:
    """The dataset and its account, read on Spark; texts of items are encoded there, too, for the fit to find."""
    from warmstart.scale.spark_encode import fill_for
    from warmstart.scale.spark_session import session

    asked = spark_tables(tables)
    with session(master) as spark:
        data, account = asked.read(spark, people)
        count_refused(account)
        with progress() as tell:
            fill_for(spark, recipe, data, tell)
    return data, account


def everybody_on(
    master: str, all_users: bool, engine: Path, data: str | None, out: str | None, lists: Lists, as_json: bool
) -> None:
    """Lists of all people of ``--data``, as Parquet parts in a folder.

    Raises
    ------
    ConfigError
        If somebody else is asked for, there is no data, no folder is named, or it holds something.
    """
    if not (all_users and data and out):
        raise ConfigError(
            f"--on {master} needs --all-users, --data, whose users are meant, and --out, a folder for lists"
        )
    if "://" not in out and Path(out).exists():
        raise ConfigError(f"--out '{out}' exists already; name another folder, or remove it")
    from warmstart.scale.spark_recommend import write_all
    from warmstart.scale.spark_session import session

    with session(master) as spark:
        people, lines = write_all(spark, engine, spark_tables(Tables(data)), lists, out)
    if as_json:
        emit({"out": out, "users": people, "rows": lines})
    else:
        say(f"lists of {people:,} users lie in {out}: {lines:,} rows")
