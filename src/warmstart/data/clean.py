"""Row by row: which events can be used, and why the others cannot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from warmstart.data.duplicates import NONE_WRONG, Cleaned, among_all
from warmstart.data.ids import id_text
from warmstart.data.times import read_times
from warmstart.errors import DataError

NO_KIND = "interaction"
MAX_KINDS = 127  # kinds are int8 codes
HEAVIEST = 1e6  # a weight above it is no strength of interest
SHOWN = 40  # characters of a value that a message repeats


@dataclass(frozen=True)
class Rules:
    """What is checked beyond ids and times.

    Parameters
    ----------
    weights
        Weight of each kind of event; a kind weighted 0 is dropped, one that is not named is refused. None = all 1.
    scale
        Smallest and largest rating allowed; None = any finite number.
    bots
        Whether users with an absurd number of events are left out: more than ``duplicates.bot_limit``.

    Raises
    ------
    DataError
        If the smallest rating is not below the largest.

    Examples
    --------
    >>> Rules(weights=parse_weights("view=1,buy=5")).weights
    {'view': 1.0, 'buy': 5.0}
    """

    weights: Mapping[str, float] | None = None
    scale: tuple[float, float] | None = None
    bots: bool = True

    def __post_init__(self) -> None:
        if self.scale is not None and not self.scale[0] < self.scale[1]:
            raise DataError(f"scale={self.scale} holds no ratings; give the smallest before the largest, e.g. 1 and 5")


def parse_weights(text: str | Mapping[str, float] | None) -> dict[str, float] | None:
    """Weights of event kinds from ``"view=1,cart=3,buy=5"`` or a mapping; kinds are lower-cased.

    Raises
    ------
    DataError
        If a part is no ``kind=number``, or a weight is negative or not finite.

    Examples
    --------
    >>> parse_weights("view=1, Cart=3")
    {'view': 1.0, 'cart': 3.0}
    """
    if text is None:
        return None
    pairs = dict(part.partition("=")[::2] for part in text.split(",")) if isinstance(text, str) else text
    weights = {}
    for kind, value in pairs.items():
        try:
            weights[str(kind).strip().lower()] = float(value)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"weight {value!r} of event kind {kind!r} is no number; write e.g. view=1,cart=3,buy=5"
            ) from error
    for kind, weight in weights.items():
        if not 0 <= weight <= HEAVIEST:
            raise DataError(
                f"weight {weight} of event kind {kind!r} is not between 0 and {HEAVIEST:,.0f}; choose another"
            )
    return weights


def clean_events(frame: pl.DataFrame, rules: Rules) -> Cleaned:
    """Check every event; the first reason found counts.

    In order: ids, time, kind, weight, rating, duplicates, bots. Repeated (user, item) at other times are events.

    Raises
    ------
    DataError
        If there are more than 127 kinds of event.

    Examples
    --------
    >>> got = clean_events(pl.DataFrame({"user_id": ["u", "u", None], "item_id": ["i", "i", "i"]}), Rules())
    >>> got.events.height, got.refused.rows()
    (1, [(2, 'duplicate (same user, item, time and kind)'), (3, 'user id is missing')])
    """
    work, times = judge(frame, rules)
    check_kinds(work["kind"])
    return among_all(*parted(work), times, bots=rules.bots)


def parted(work: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without a reason, and ``row`` and ``reason`` of the others; nothing is copied where all are good."""
    reason = work["reason"]
    if reason.null_count() == len(reason):
        return work, NONE_WRONG
    return work.filter(reason.is_null()), work.select("row", "reason").drop_nulls("reason")


def judge(frame: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, str]:
    """Every event by itself: in its final types, with why it is refused; and the form of the times.

    Returns ``row`` (1-based), ``user_id``, ``item_id``, ``kind``, ``weight`` (times that of its kind), ``rating``,
    ``time`` and ``order`` (0 but where times are an order of events), and ``reason`` (null = none yet: duplicates and
    bots show only among all). Times and ids written as ``12.0`` are read by what their whole column looks like.

    Examples
    --------
    >>> rows, form = judge(pl.DataFrame({"user_id": ["u", None], "item_id": [1, 2]}), Rules())
    >>> rows["reason"].to_list(), form
    ([None, 'user id is missing'], 'none')
    """
    work, times = _typed(frame)
    work = work.with_columns(_reason(rules, work.columns).alias("reason"))
    return work.with_columns(weight=pl.col("weight") * _kind_weight(rules.weights)), times


def _typed(frame: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """Every column in its final type, with what was wrong with the time; absent columns filled."""
    n, has = frame.height, frame.columns
    empty = pl.repeat(None, n, dtype=pl.String, eager=True)
    times = read_times(frame["time"] if "time" in has else empty)
    ordinal = _number(frame["time"]) if times.form == "order" else pl.repeat(0.0, n, eager=True)
    kind = id_text(frame["kind"]).str.to_lowercase().fill_null(NO_KIND) if "kind" in has else None
    rating = frame["rating"] if "rating" in has else None
    columns = (
        {
            "row": pl.int_range(1, n + 1, dtype=pl.Int64, eager=True),
            "user_id": id_text(frame["user_id"]),
            "item_id": id_text(frame["item_id"]),
            "time": times.seconds,
            "order": ordinal,
            "kind": pl.repeat(NO_KIND, n, dtype=pl.String, eager=True) if kind is None else kind,
            "weight": _number(frame["weight"]) if "weight" in has else pl.repeat(1.0, n, eager=True),
            "rating": empty.cast(pl.Float64) if rating is None else _number(rating),
        }
        | ({"bad_time": times.reason} if times.reason.null_count() < n else {})
        | ({} if rating is None or rating.dtype.is_numeric() else {"given_rating": id_text(rating)})
    )
    return pl.DataFrame(columns), times.form


def _number(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars() if column.dtype == pl.String else column
    return text.cast(pl.Float64, strict=False).fill_nan(None)


def _reason(rules: Rules, has: Collection[str]) -> pl.Expr:
    """The first thing that is wrong with a row; ``bad_time`` and ``given_rating`` stand where anything may be."""
    weight, rating = pl.col("weight"), pl.col("rating")
    kind_weight = _kind_weight(rules.weights)
    shown = pl.col("kind").str.replace_all(r"\s+", " ").str.slice(0, SHOWN)
    low, high = rules.scale or (-float(2**53), float(2**53))
    finite, no_number = rating.is_finite() | rating.is_null(), pl.lit("rating is no number")
    steps = [
        (pl.col("user_id").is_null(), pl.lit("user id is missing")),
        (pl.col("item_id").is_null(), pl.lit("item id is missing")),
        *([(pl.col("bad_time").is_not_null(), pl.col("bad_time"))] if "bad_time" in has else []),
        (kind_weight.is_null(), "event kind '" + shown + "' has no weight"),
        (kind_weight == 0, "event kind '" + shown + "' is weighted 0"),
        (weight.is_null(), pl.lit("weight is missing or no number")),
        (~weight.is_finite() | (weight <= 0), pl.lit("weight is not above 0")),
        (weight * kind_weight > HEAVIEST, pl.lit(f"weight is above {HEAVIEST:,.0f}")),
        *([(pl.col("given_rating").is_not_null() & rating.is_null(), no_number)] if "given_rating" in has else []),
        (~finite, pl.lit("rating is not finite")),
        ((rating < low) | (rating > high), pl.lit(f"rating is outside {low:g} to {high:g}")),
    ]
    return pl.coalesce(pl.when(wrong).then(why) for wrong, why in steps)


def _kind_weight(weights: Mapping[str, float] | None) -> pl.Expr:
    if weights is None:
        return pl.lit(1.0)
    return pl.col("kind").replace_strict(list(weights), list(weights.values()), default=None, return_dtype=pl.Float64)


def check_kinds(kinds: pl.Series) -> None:
    """Refuse a column that cannot be one of kinds."""
    if kinds.n_unique() > MAX_KINDS:
        raise DataError(
            f"the column of event kinds has more than {MAX_KINDS} values, e.g. {kinds[0][:SHOWN]!r}, which cannot be "
            "kinds: name another column, or none: columns={'kind': None}"
        )
