"""What is left of an encoder when texts are attacked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.options import Data, Items, Json, Map, Rejects, Scale, Tables, Template, Weights
from warmstart.cli.screen import answers, emit, listing, progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from warmstart.evaluate.intervals import Paired
    from warmstart.evaluate.robustness import Robustness

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A text encoder: folder or name.")]
Beside = Annotated[list[str] | None, typer.Option(metavar="MODEL", help="Another to compare with; may be repeated.")]
Rate = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of a text's words that are attacked.")]
HeldOut = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the items held out, as in fine-tuning.")]
Draws = Annotated[int, typer.Option(min=1, help="Seeds over which an attack is averaged; 1 tells no spread.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides what is held out, as in fine-tuning, and what goes wrong.")]


def robustness(
    model: Model,
    data: Data,
    items: Items = None,
    beside: Beside = None,
    rate: Rate = 0.2,
    held_out: HeldOut = 0.1,
    draws: Draws = 10,
    template: Template = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Attack the texts of held-out items; print what is left of NDCG@10.

    Typing errors, lost words, popular keywords stuffed in. An encoder that was fine-tuned with the same --held-out and
    --seed has not met these items.
    """
    from warmstart.evaluate.robustness import Ordeal, judge

    dataset, _ = Tables(data, items, map=columns, weights=weights, rejects=rejects, scale=scale).read()
    ordeal = Ordeal(rate, held_out, seed, draws, template)
    with progress() as tell:
        found = judge([model, *(beside or ())], dataset, ordeal, tell)
    if as_json:
        return emit({"models": {name: plain(one) for name, one in found.items()}, "against_first": compared(found)})
    answers().print(listing(table(found)), listing(stuffing(found), "stuffing keywords into one's own text"), sep="\n")
    if against := compared(found):
        answers().print(listing(differences(against), f"NDCG@10 less that of {model}, on the same texts"))
    return None


def plain(one: Robustness) -> dict[str, Any]:
    """All figures of an encoder, for JSON."""
    attacks = {
        name: {"ndcg@10": asdict(one.interval(name)), "change": asdict(one.change(name)), "loss": one.loss(name)}
        | {"between_draws": spread if (spread := one.spread(name)) == spread else None}
        for name in one.attacked
    }
    return {"clean": asdict(one.interval()), "attacks": attacks, "lift": {k: asdict(v) for k, v in one.lift.items()}}


def table(found: Mapping[str, Robustness]) -> pl.DataFrame:
    """A line an encoder and attack: NDCG@10 with its interval, and how much of the clean one is lost."""
    import polars as pl

    rows = []
    for name, one in found.items():
        rows.append((name, "clean", str(one.interval()), "", "", ""))
        for attack in one.attacked:
            lost, spread = f"{one.loss(attack):.1%}", "-" if (s := one.spread(attack)) != s else f"{s:.4f}"
            rows.append(("", attack, str(one.interval(attack)), lost, _shown(one.change(attack)), spread))
    columns = ["model", "texts", "ndcg@10", "lost", "change by person", "between draws"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def stuffing(found: Mapping[str, Robustness]) -> pl.DataFrame:
    """What stuffing does for an item whose rivals are honest."""
    import polars as pl

    rows = [
        {"model": name, "places won": f"{lift.places:+.1f} of {lift.items}"}
        | {"in the first ten": f"{lift.before:.1%} -> {lift.after:.1%}"}
        for name, one in found.items()
        for lift in one.lift.values()
    ]
    return pl.DataFrame(rows)


def compared(found: Mapping[str, Robustness]) -> dict[str, dict[str, dict[str, float]]]:
    """Every further encoder less the first, by person: by name and kind of texts."""
    (_, first), *others = found.items()
    return {
        name: {attack or "clean": asdict(one.against(first, attack)) for attack in (None, *one.attacked)}
        for name, one in others
    }


def differences(against: Mapping[str, Mapping[str, Mapping[str, float]]]) -> pl.DataFrame:
    """``compared`` as lines."""
    import polars as pl

    rows = [
        {"model": name, "texts": texts, "difference": f"{d['difference']:+.4f} [{d['low']:+.4f}, {d['high']:+.4f}]"}
        for name, one in against.items()
        for texts, d in one.items()
    ]
    return pl.DataFrame(rows)


def _shown(change: Paired) -> str:
    return f"{change.difference:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
