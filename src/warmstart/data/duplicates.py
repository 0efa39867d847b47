"""What shows only among all events: who did the same twice, and who does more than a human can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

AT_ONCE = 2_000_000  # events looked through for duplicates
BOT_EVENTS = 1000
BOT_RATIO = 50
BOT_QUANTILE = 0.99
SAME = ("user_id", "item_id", "time", "order", "kind")  # two events that agree in these are one
DUPLICATE = "duplicate (same user, item, time and kind)"
NONE_WRONG = pl.DataFrame(schema={"row": pl.Int64, "reason": pl.String})


@dataclass(frozen=True)
class Cleaned:
    """Events that can be used, and those that cannot.

    Parameters
    ----------
    events
        ``user_id``, ``item_id``, ``kind`` (text, or categorical), ``weight`` > 0, ``rating`` (null = none), ``time``
        (seconds, -1 = none), in file order, or in the order a column of ordinals gives.
    refused
        ``row`` (1-based) and ``reason``.
    times
        The form the times had, as ``times.Times.form``.
    """

    events: pl.DataFrame
    refused: pl.DataFrame
    times: str


def among_all(good: pl.DataFrame, wrong: pl.DataFrame, times: str, *, bots: bool) -> Cleaned:
    """Leave out duplicates and, where asked, bots; and put events into their order.

    Parameters
    ----------
    good
        Events that are right by themselves, as ``clean.judge`` types them; ``order`` may lack where it says nothing,
        and texts may be categorical.
    wrong
        ``row`` and ``reason`` of the others.
    times
        The form of the times.
    """
    refused = [wrong]
    good, wrong = _without(good, _repeated(good), DUPLICATE)
    refused.append(wrong)
    if bots:
        good, wrong = _without(good, *_of_bots(good))
        refused.append(wrong)
    good = good.sort("order", maintain_order=True) if times == "order" else good
    events = good.select("user_id", "item_id", "kind", "weight", "rating", "time")
    return Cleaned(events, pl.concat(refused).sort("row"), times)


def bot_limit(events_per_user: pl.Series) -> float:
    """More events than this are no human's: the larger of 1,000 and 50 times the 99th percentile of events per user.

    Examples
    --------
    >>> bot_limit(pl.Series([20] * 99 + [90_000]))
    1000.0
    """
    if not len(events_per_user):
        return float(BOT_EVENTS)
    typical = events_per_user.quantile(BOT_QUANTILE, interpolation="lower") or 0.0
    return max(float(BOT_EVENTS), BOT_RATIO * typical)


def bot_reason(limit: float) -> str:
    """Why somebody above the limit is left out."""
    return f"user has more than {limit:,.0f} events, as only a program has"


def _repeated(work: pl.DataFrame) -> pl.Series:
    """Where a row says the same as one before it, which is of the same user: people are looked through in parts."""
    codes = work.select(_numbers(work[name]) for name in SAME if name in work.columns)
    parts = 1 + work.height // AT_ONCE
    if parts == 1:
        return _again(codes)
    again = np.zeros(work.height, bool)
    for part in range(parts):
        rows = (codes["user_id"] % parts == part).arg_true()
        again[rows.to_numpy()] = _again(codes[rows]).to_numpy()
    return pl.Series(again)


def _again(codes: pl.DataFrame) -> pl.Series:
    return codes.select(pl.struct(pl.all()).is_first_distinct().not_().alias("again"))["again"]


def _numbers(column: pl.Series) -> pl.Series:
    """Numbers that stand for the texts."""
    return (column.cast(pl.Enum(column.unique())) if column.dtype == pl.String else column).to_physical()


def _of_bots(work: pl.DataFrame) -> tuple[pl.Series, str]:
    """Where a row is of a user with more events than a human has, and the reason."""
    counts = work.group_by("user_id").len()
    limit = bot_limit(counts["len"])
    bots = counts.filter(pl.col("len") > limit)["user_id"]
    hit = work["user_id"].is_in(bots.implode()) if len(bots) else pl.repeat(False, work.height, eager=True)
    return hit, bot_reason(limit)


def _without(work: pl.DataFrame, hit: pl.Series, why: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    if not hit.any():
        return work, NONE_WRONG
    wrong = work.select(pl.col("row").cast(pl.Int64)).filter(hit).with_columns(reason=pl.lit(why))
    return work.filter(~hit), wrong
