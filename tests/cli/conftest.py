"""Raw tables of a small world, and an engine fitted by the command line."""

import json

import polars as pl
import pytest
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.data.toy import clusters

RECIPE = """encoder = "tfidf"
[fusion]
queries = 100
[fusion.heads]
ranker = false
[experts.popularity]
class = "Popularity"
[experts.content_map]
class = "ContentMap"
[experts.people]
class = "PriorMeanEASE"
[experts.segments]
class = "Segments"
"""


class Shell:
    """Runs commands in a folder of raw tables."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *words, code=0):
        result = CliRunner().invoke(app, [str(w) for w in words])
        assert result.exit_code == code, result.output
        return result

    def json(self, *words):
        return json.loads(self(*words, "--json").stdout)


@pytest.fixture(scope="session")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    data = clusters(120, 80, 4, seed=1)
    x = data.interactions
    users, items = data.users.names(x.user.tolist()), data.catalog.items.names(x.item.tolist())
    events = pl.DataFrame({"who": users, "sku": items, "rating": x.rating, "time": x.time})
    events.vstack(events[:1].with_columns(who=pl.lit(None, pl.String))).write_csv(folder / "events.csv")
    data.catalog.table.write_csv(folder / "items.csv")
    (folder / "recipe.toml").write_text(RECIPE)
    return Shell(folder)


@pytest.fixture(scope="session")
def fitted(shell):
    """What ``warmstart fit`` said, with the folders it wrote."""
    f = shell.folder
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who", "--rejects", f / "refused.csv")
    wrote = ("--recipe", f / "recipe.toml", "--out", f / "engine", "--save-data", f / "data")
    return shell.json("fit", *tables, *wrote)
