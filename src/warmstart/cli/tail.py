"""What more of the long tail costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.evaluate import Kind, Page, Share
from warmstart.cli.options import (
    Data,
    Graph,
    Items,
    Json,
    Links,
    Map,
    Places,
    RecipeFile,
    Rejects,
    Scale,
    SplitKind,
    Tables,
    Users,
    Weights,
    ids,
    make_split,
)
from warmstart.cli.screen import Tell, answers, emit, listing, progress
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from warmstart.data.split import Split
    from warmstart.engine import Engine
    from warmstart.evaluate.trade import Line, Trade
    from warmstart.rerank.tail import Tail

WITHOUT = "without"
Strengths = Annotated[str, typer.Option(help="Strengths of the popularity correction, between commas.")]
Lifts = Annotated[str, typer.Option(help="Strengths of the lift of the tail, between commas.")]
Floors = Annotated[str, typer.Option(help="Shares of the places that go to the tail, between commas.")]
Keep = Annotated[int, typer.Option(min=0, help="Places at the top that floors leave alone.")]
Propensities = Annotated[str, typer.Option(help="Weights of rarely met targets in training; each is a fit of its own.")]
Loss = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of NDCG that an option may cost.")]
Most = Annotated[int, typer.Option("--queries", min=1, help="Most queries asked; drawn at random.")]
Seed = Annotated[int, typer.Option(min=0, help="Of everything drawn.")]


def tail(
    data: Data,
    strengths: Strengths = "0.2,0.4,0.6,0.8",
    lifts: Lifts = "0.4,0.8,1.2,1.6",
    floors: Floors = "0.1,0.2,0.3",
    keep: Keep = 0,
    propensities: Propensities = "",
    loss: Loss = 0.01,
    kind: Kind = SplitKind.temporal,
    share: Share = 0.2,
    most: Most = 2000,
    seed: Seed = 0,
    k: Places = 10,
    recipe: RecipeFile = None,
    items: Items = None,
    graph: Graph = None,
    links: Links = None,
    users: Users = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    page: Page = None,
    as_json: Json = False,
) -> None:
    """Price what trades the head of the catalogue for its tail.

    Fits on one part of the data and asks for the rest: with popularity corrections, with lifts of the tail, with places
    kept for it, and without, beside popularity, EASE and content. Marks what recalls most of the tail for the loss
    that is allowed.
    """
    rises = (numbers(strengths, "--strengths"), numbers(lifts, "--lifts"))
    menu = Menu(*rises, numbers(floors, "--floors"), keep, loss)
    trained = numbers(propensities, "--propensities")
    dataset, _ = Tables(data, items, graph, links, users, columns, weights, rejects, scale).read()
    split = some_of(make_split(dataset, kind, share, 3, 10.0, seed), most, seed)
    with progress() as tell:
        found = priced(recipe, split, k, menu, trained, seed, tell)
    if page is not None:
        from warmstart.evaluate.trade_page import page as written

        page.write_text(written(found), encoding="utf-8")
    if as_json:
        return emit(found.to_dict())
    answers().print(listing(table(found)), verdict(found), sep="\n", highlight=False)
    return None


@dataclass(frozen=True)
class Menu:
    """The options that are priced on one engine."""

    strengths: tuple[float, ...]
    lifts: tuple[float, ...]
    floors: tuple[float, ...]
    keep: int
    loss: float

    def options(self) -> Iterator[tuple[str, str, Tail]]:
        """Name, sort and settings; the choice made in the simulated worlds is among them."""
        from warmstart.fusion.price import WAYS
        from warmstart.rerank.tail import Tail

        yield WITHOUT, "as it is", Tail()
        for b in self.strengths:
            yield f"correction {b:g}", "correction", Tail(correction=b)
        for c in self.lifts:
            yield f"lift {c:g}", "lift", Tail(lift=c)
        for way in WAYS if self.loss else ():
            yield f"{way} by loss", "by its price", Tail(loss=self.loss, way=way)
            yield f"{way} by head loss", "by its price", Tail(head_loss=self.loss, way=way)
        for share in self.floors:
            yield f"floor {share:g}", "floor", Tail(floor=share, keep=self.keep)
        for share in self.floors if self.loss else ():
            both = Tail(loss=self.loss, floor=share, keep=self.keep)
            yield f"lift by loss, floor {share:g}", "by its price, with floor", both


@dataclass(frozen=True)
class With:
    """An engine asked with one option."""

    engine: Engine
    tail: Tail

    def recommend(
        self,
        users: list[str] | None = None,
        histories: list[list[str]] | None = None,
        *,
        k: int = 10,
        candidates: list[str] | None = None,
        exclude_seen: bool = True,
    ) -> pl.DataFrame:
        """As ``Engine.recommend``."""
        return self.engine.recommend(
            users, histories, k=k, candidates=candidates, exclude_seen=exclude_seen, tail=self.tail
        )


def priced(
    recipe: Path | None, split: Split, k: int, menu: Menu, trained: tuple[float, ...], seed: int, tell: Tell
) -> Trade:
    """Fit, ask with every option, and measure."""
    from warmstart.engine import Engine
    from warmstart.evaluate.trade import trade
    from warmstart.rerank.tail import Tail

    engine = Engine(recipe).fit(split.train, progress=tell)
    lists: dict[str, np.ndarray] = {}
    kinds: dict[str, str] = {}
    asked = [(name, kind, With(engine, option)) for name, kind, option in menu.options()]
    for a in trained:
        asked.append((f"propensity {a:g}", "propensity", With(weighted(engine, a, split, tell), Tail())))
    for done, (name, kind, system) in enumerate(asked):
        tell("asking with each option", done, len(asked))
        lists[name], kinds[name] = deep(system, split, k), kind
    tell("baselines", 0, 0)
    for name, ranked in peers(split, k, engine.features).items():
        lists[name], kinds[name] = ranked, "peer"
    return trade(lists, kinds, split, k, menu.loss, seed)


def weighted(engine: Engine, propensity: float, split: Split, tell: Tell) -> Engine:
    """Another engine, fitted with targets weighted by how rarely they are met."""
    from warmstart.engine import Engine

    fusion = engine.recipe.fusion
    heads = replace(fusion.heads, propensity=propensity)
    return Engine(replace(engine.recipe, fusion=replace(fusion, heads=heads))).fit(split.train, progress=tell)


def deep(system: object, split: Split, k: int) -> np.ndarray:
    """Lists of at least 50 places."""
    from warmstart.evaluate.ask import ask
    from warmstart.evaluate.beyond import DEEP

    return ask(system, split, max(k, DEEP))  # type: ignore[arg-type]


def peers(split: Split, k: int, features: np.ndarray) -> dict[str, np.ndarray]:
    """Lists of the baselines."""
    from warmstart.evaluate.baselines import baseline_experts, fit_baseline

    experts = baseline_experts(features)
    return {n: deep(fit_baseline(n, e, split.train, features), split, k) for n, e in experts.items()}


def some_of(split: Split, most: int, seed: int) -> Split:
    """At most so many queries."""
    import numpy as np

    if len(split) <= most:
        return split
    return split.take(np.sort(np.random.default_rng(seed).choice(len(split), most, replace=False)))


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers between commas.

    Raises
    ------
    ConfigError
        If one is no number.

    Examples
    --------
    >>> numbers("0.1, 1", "--floors")
    (0.1, 1.0)
    """
    try:
        return tuple(float(part) for part in ids(text))
    except ValueError:
        raise ConfigError(f"{option} {text!r} holds what is no number; write e.g. {option} 0.1,0.3") from None


def table(found: Trade) -> pl.DataFrame:
    """A line an option: what it is worth, and what it changes with the paired interval."""
    import polars as pl

    from warmstart.evaluate.trade import NDCG, TAIL_RECALL

    rows = []
    for line in found.lines:
        mark = "◆ " if line == found.chosen else ""
        groups = {name: f"{line.values[name].mean:.4f}" for name in ("head", "mid", "tail", "recall_50")}
        kept = {name: f"{line.lists[name]:.3f}" for name in ("coverage", "gini", "novelty")}
        first = {"lists": mark + line.name, f"NDCG@{found.k}": change(line, NDCG)}
        rows.append(first | groups | {"tail recall@50": change(line, TAIL_RECALL)} | kept)
    return pl.DataFrame(rows)


def change(line: Line, measure: str) -> str:
    """A mean, and how it differs from that of the first line, in percent with its interval."""
    value, test = line.values[measure], line.changes[measure]
    before = value.mean - test.difference
    if not before > 0 or test.low == test.high == 0:
        return f"{value.mean:.4f}"
    lost, low, high = (100 * v / before for v in (test.difference, test.low, test.high))
    return f"{value.mean:.4f} {lost:+.1f} % [{low:+.1f}, {high:+.1f}]"


def verdict(found: Trade) -> str:
    """What is chosen, in one line."""
    from warmstart.evaluate.trade import TAIL_RECALL

    peer, value = found.best_peer, found.chosen.values[TAIL_RECALL].mean
    said = f"◆ most tail recall at a loss of NDCG@{found.k} of at most {found.allowed:.1%}"
    if peer is None or not peer.values[TAIL_RECALL].mean > 0:
        return said
    return f"{said}; {value / peer.values[TAIL_RECALL].mean:.2f} times that of the best peer, {peer.name}"
