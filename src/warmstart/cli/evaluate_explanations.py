"""Whether explanations are true, whether steering steers, and what lists in proportion to interests cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

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
    make_split,
)
from warmstart.cli.screen import Tell, answers, emit, listing, progress

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from warmstart.data.histories import Histories
    from warmstart.data.split import Split
    from warmstart.engine import Engine
    from warmstart.evaluate.faithful import Faithfulness
    from warmstart.evaluate.proportions import Price
    from warmstart.evaluate.steered import Steered
    from warmstart.interests.steer import Steering

WEIGHTS = (0.0, 0.25, 0.5, 0.75)  # of the proportions
STEERED = 20  # places of a list that is steered
SHARE, PERCENT = 0.2, 10.0
Kind = Annotated[SplitKind, typer.Option("--split", help="What is held out; histories are those of its queries.")]
People = Annotated[int, typer.Option(min=1, help="People asked about, drawn from those who are held out.")]
Draws = Annotated[int, typer.Option(min=1, help="Draws of other events that an explanation is held against.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the split and of all that is drawn.")]


@dataclass(frozen=True, eq=False)
class Judged:
    """All that was measured."""

    faithful: Faithfulness
    steered: Steered
    prices: list[Price]

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        told = [price.to_dict() for price in self.prices]
        return {"explanations": self.faithful.to_dict(), "steering": self.steered.to_dict(), "calibration": told}


def evaluate_explanations(
    data: Data,
    kind: Kind = SplitKind.cold_users,
    people: People = 200,
    k: Places = 10,
    draws: Draws = 10,
    seed: Seed = 0,
    recipe: RecipeFile = None,
    items: Items = None,
    graph: Graph = None,
    links: Links = None,
    users: Users = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Test explanations by interest; measure what steering does, and what calibrated lists cost.

    Fits on one part of the data. An explanation is faithful if an item falls further without the events it cites than
    without as many others.
    """
    from warmstart.engine import Engine

    dataset, _ = Tables(data, items, graph, links, users, columns, weights, rejects, scale).read()
    split = make_split(dataset, kind, SHARE, 3, PERCENT, seed)
    with progress() as tell:
        found = judge(Engine(recipe).fit(split.train, progress=tell), split, people, k, draws, seed, tell)
    if as_json:
        return emit(found.to_dict())
    answers().print(listing(explanations(found.faithful), "Explanations by interest"))
    answers().print(listing(steering(found.steered), f"The strongest interest's share of the first {STEERED}"))
    answers().print(listing(calibration(found.prices), f"Lists of {k} in proportion to interests"))
    return None


def judge(engine: Engine, split: Split, people: int, k: int, draws: int, seed: int, tell: Tell) -> Judged:
    """Measure a fitted engine."""
    import numpy as np

    from warmstart.evaluate.faithful import faithfulness
    from warmstart.evaluate.proportions import prices
    from warmstart.evaluate.steered import steered
    from warmstart.fusion.leave_out import LeaveOut
    from warmstart.reasons import by_interest

    f, drawn = engine.fitted, np.random.default_rng(seed).permutation(len(split))[:people]
    part = split.take(np.sort(drawn))

    def claims(h: Histories, item: np.ndarray, allowed: np.ndarray) -> Sequence[np.ndarray | None]:
        told = by_interest(f, h, item, allowed)
        return [None if one is None else f.catalog.items.codes(list(one.item_ids)) for one in told]

    ask = LeaveOut(f.fusion, f.panel, f.support)
    faithful = faithfulness(ask, claims, part.queries, k, draws, seed, tell)
    tell("steering", 0, 0)
    moved = steered(partial(lists, engine, STEERED), f.concepts, f.space.z, part.queries)
    tell("calibrating", 0, 0)
    by_weight = {w: lists(engine, k, split.queries, calibrate=w) for w in WEIGHTS}
    shares = f.concepts.members.weights[:, f.concepts.members.at(0)]
    return Judged(faithful, moved, prices(by_weight, split, shares))


def lists(
    engine: Engine,
    k: int,
    h: Histories,
    steer: Steering | None = None,
    candidates: np.ndarray | None = None,
    calibrate: float = 0.0,
) -> np.ndarray:
    """What an engine recommends, as item codes: int32, shape (n_queries, k), -1 = the list is shorter."""
    from warmstart.evaluate.ask import codes_of

    names = engine.fitted.catalog.items
    rows = [names.names(h.row(q).tolist()) for q in range(len(h))]
    only = None if candidates is None else names.names(candidates.tolist())
    table = engine.recommend(histories=rows, k=k, candidates=only, steer=steer, calibrate=calibrate)
    return codes_of(table, names, len(h), k)


def explanations(one: Faithfulness) -> pl.DataFrame:
    """Figures of the test as lines."""
    import polars as pl

    told = one.to_dict()
    lines = {
        "recommended items that got one": f"{one.explained_share:.1%} of {one.listed}",
        "faithful (share of draws beaten)": f"{one.share()}, {len(one.won)} tested",
        "the item falls without what is cited by": told["drop"],
        "without as many other events by": told["drop_random"],
    }
    return pl.DataFrame(
        {"": list(lines), "measured": [v if isinstance(v, str) else _number(v) for v in lines.values()]}
    )


def steering(one: Steered) -> pl.DataFrame:
    """Shares of lists as lines."""
    import polars as pl

    rows = [
        ("as recommended", one.interest, one.neighbours),
        ("its items not shown, its events still heard", 0.0, one.neighbours_hidden),
        ("switched off", one.interest_off, one.neighbours_off),
        ("more of it", one.interest_more, None),
    ]
    told = [(name, *("" if v is None else f"{v:.1%}" for v in values)) for name, *values in rows]
    return pl.DataFrame(told, schema=[f"{one.people} people", "the interest", "its neighbours"], orient="row")


def calibration(found: Sequence[Price]) -> pl.DataFrame:
    """Lists by the weight of the proportions."""
    import polars as pl

    return pl.DataFrame(
        {
            "weight": [f"{p.weight:g}" for p in found],
            "miscalibration": [str(p.miscalibration) for p in found],
            "ndcg": [str(p.ndcg) for p in found],
            "change": [f"{p.change.difference:+.4f} [{p.change.low:+.4f}, {p.change.high:+.4f}]" for p in found],
        }
    )


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "n/a"
