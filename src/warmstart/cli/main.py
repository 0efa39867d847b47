"""The command ``warmstart``: one app, one place where errors become one line and exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from warmstart import __version__
from warmstart.cli import (
    check,
    compress,
    data,
    demo,
    evaluate,
    evaluate_explanations,
    evaluate_interests,
    fewshot,
    finetune,
    fit,
    graph,
    graph_build,
    graph_embed,
    graph_paths,
    interests,
    keys,
    make_data,
    narrow,
    pretrain,
    rate,
    recommend,
    refit,
    robustness,
    runs,
    segments,
    serve,
    store,
    tail,
)
from warmstart.cli.screen import say
from warmstart.errors import WarmstartError

MISTAKE = 2  # exit code of whatever the user can put right
COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (demo.demo, "warmstart demo"),
    (check.check, "warmstart check ratings.csv --items films.csv --rejects refused.csv"),
    (fit.fit, "warmstart fit ratings.csv --items films.csv -o engine/"),
    (recommend.recommend, 'warmstart recommend engine/ --text "slow science fiction" -k 5 --explain'),
    (recommend.similar, "warmstart similar engine/ --item 260"),
    (recommend.explain, "warmstart explain engine/ --history 260,1196 --item 1210"),
    (rate.rate, "warmstart rate engine/ --history 260=5,1196=4 --items 1210,2571"),
    (interests.concepts, "warmstart concepts engine/ --level 1"),
    (interests.interests, "warmstart interests engine/ --history 260,1196,1210"),
    (segments.segments, "warmstart segments engine/"),
    (evaluate.evaluate, "warmstart evaluate ratings.csv --items films.csv --split cold_items --report out.html"),
    (
        evaluate_interests.evaluate_interests,
        "warmstart evaluate-interests ratings.csv --items films.csv --hide genres,directors",
    ),
    (
        evaluate_explanations.evaluate_explanations,
        "warmstart evaluate-explanations ratings.csv --items films.csv --people 100",
    ),
    (tail.tail, "warmstart tail ratings.csv --items films.csv --split last_n --report tail.html"),
    (pretrain.pretrain, "warmstart pretrain --items films.csv --texts reviews.txt -o runs/words"),
    (finetune.finetune, "warmstart finetune ratings.csv --items films.csv --task interest -o runs/interest"),
    (
        compress.compress,
        "warmstart compress all-MiniLM-L6-v2 ratings.csv --items films.csv --methods int8,layers:3+int8 -o small/",
    ),
    (narrow.narrow, "warmstart narrow engine/ ratings.csv -o small/"),
    (serve.serve, "warmstart serve engine/ --port 8000"),
    (refit.refit, "warmstart refit engine/ --database-url postgresql+psycopg://shop@db/shop"),
    (fewshot.fewshot, "warmstart fewshot ratings.csv --items films.csv --shots 2,8,32 --html curve.html"),
    (robustness.robustness, "warmstart robustness runs/films/model ratings.csv --items films.csv --beside minilm"),
)
DATA_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("list", data.list_data, "warmstart data list --json"),
    ("get", data.get_data, "warmstart data get ml-latest-small-2016 --to data"),
    ("make", make_data.make_data, "warmstart data make --items 20000 --events 20000000 --to big/"),
)
RUNS_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("list", runs.list_runs, "warmstart runs list runs/"),
    ("show", runs.show_run, "warmstart runs show runs/a --html a.html"),
    ("compare", runs.compare_runs, "warmstart runs compare runs/a runs/b --html both.html"),
)
KEYS_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("create", keys.create_key, "warmstart keys create engine/ --name shop --scopes write"),
    ("list", keys.list_keys, "warmstart keys list engine/"),
    ("revoke", keys.revoke_key, "warmstart keys revoke engine/ --id 1a2b3c4d5e6f"),
)
STORE_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("fill", store.fill_store, "warmstart store fill ratings.csv --items films.csv --engine engine/"),
    ("export", store.export_store, "warmstart store export engine/ --to copy/"),
    ("import", store.import_store, "warmstart store import --from copy/ --database-url postgresql://me@host/shop"),
    ("erase", store.erase_user, "warmstart store erase engine/ --user ann"),
    ("retain", store.retain_store, "warmstart store retain engine/"),
)
GRAPH_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("build", graph_build.build_graph, "warmstart graph build --items films.csv --from-columns director,cast -o g/"),
    ("stats", graph.stats_graph, "warmstart graph stats graph/ --items films.csv"),
    ("show", graph.show_graph, "warmstart graph show graph/ 260 --items films.csv --picture around.svg"),
    ("check", graph.check_graph, "warmstart graph check kg.csv --items films.csv --links links.csv"),
    ("embed", graph_embed.embed_graph, "warmstart graph embed graph/ -o vectors/ --model complex --dim 64"),
    ("paths", graph_paths.graph_paths, "warmstart graph paths engine/ --history 260,1196 --item 1210"),
)


class Mistakes(TyperGroup):
    """A group of commands that tells a user's mistake in one line, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except WarmstartError as error:
            _stop(str(error))
        except OSError as error:
            _stop(f"{error.filename or 'a file'}: {error.strerror or error}")
        except Exception as error:
            # what is not one of Typer's own is a defect, to be seen in full; a bare group shows its help
            if not hasattr(error, "format_message") or type(error).__name__ == "NoArgsIsHelpError":
                raise
            _stop(f"{error.format_message().rstrip('.').replace('Value error, ', '')}; see --help")


def _stop(message: str) -> NoReturn:
    say("error: " + " ".join(message.split()))
    raise typer.Exit(MISTAKE)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Good recommendations from the first second, where data is sparse."""


def build() -> typer.Typer:
    """The app with all its commands."""
    settings = {"rich_markup_mode": None, "no_args_is_help": True}
    app = typer.Typer(cls=Mistakes, add_completion=False, pretty_exceptions_enable=False, **settings)  # type: ignore[arg-type]
    app.callback()(root)
    for function, example in COMMANDS:
        app.command(epilog=f"Example: {example}")(function)
    groups = {
        "data": (DATA_COMMANDS, "Public data sets by name."),
        "runs": (RUNS_COMMANDS, "What was learned, and how."),
        "keys": (KEYS_COMMANDS, "Keys of the service's API."),
        "store": (STORE_COMMANDS, "The service's database."),
        "graph": (GRAPH_COMMANDS, "Facts about items."),
    }
    for group, (commands, told) in groups.items():
        part = typer.Typer(help=told, **settings)  # type: ignore[arg-type]
        for name, function, example in commands:
            part.command(name, epilog=f"Example: {example}")(function)
        app.add_typer(part, name=group)
    return app


app = build()


def main() -> None:
    """What the console script calls."""
    app()
