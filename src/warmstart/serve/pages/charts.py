"""Charts as geometry: what a template draws as SVG, and the table behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

WIDTH, HEIGHT, TICKS = 1000.0, 200.0, 4
GAP = 0.15  # of a column's place that stays empty
MARKS = 4  # labels below a chart
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)

Value = float | None


@dataclass(frozen=True)
class Series:
    """One line of a chart, or one part of its columns.

    Parameters
    ----------
    name
        What it is.
    values
        One a place; None = not known.
    kind
        Class of its colour: s0 ... s7.
    low, high
        An interval about each value; empty = none.
    """

    name: str
    values: Sequence[Value]
    kind: str = "s0"
    low: Sequence[Value] = ()
    high: Sequence[Value] = ()


@dataclass(frozen=True)
class Path:
    """A line, or an area."""

    kind: str
    path: str


@dataclass(frozen=True)
class Column:
    """A rectangle; ``text`` is what it tells when pointed at."""

    x: str
    width: str
    y: str = "0"
    height: str = "0"
    kind: str = ""
    text: str = ""


@dataclass(frozen=True)
class Chart:
    """Values over places that follow each other, as lines or as columns that stand upon each other.

    Parameters
    ----------
    title, across
        What is shown, and over what.
    labels
        Name of each place.
    series
        At least one.
    write
        A value in words.
    stacked
        Columns upon each other; else lines.
    least
        The axis reaches at least so far.
    """

    title: str
    across: str
    labels: Sequence[str]
    series: Sequence[Series]
    write: Callable[[float], str]
    stacked: bool = False
    least: float = 0.0
    most: float = field(default=math.inf)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(v for one in self.series for v in one.values)

    @cached_property
    def top(self) -> float:
        """Where the axis ends."""
        if self.stacked:
            sums = [sum(v or 0.0 for v in place) for place in zip(*(s.values for s in self.series), strict=True)]
        else:
            sums = [v for s in self.series for v in (*s.values, *s.high) if v is not None]
        return min(nice(max([*sums, self.least])), self.most)

    @property
    def ticks(self) -> list[str]:
        """Labels of the axis, from 0 up."""
        return [self.write(self.top * i / TICKS) for i in range(TICKS + 1)]

    @property
    def marks(self) -> list[str]:
        """Labels below: the first, the last, and some between."""
        n = len(self.labels)
        if n <= MARKS:
            return list(self.labels)
        return [self.labels[round(i * (n - 1) / (MARKS - 1))] for i in range(MARKS)]

    @property
    def rows(self) -> list[list[str]]:
        """The table behind."""
        cells = [[self.told_value(s, at) for s in self.series] for at in range(len(self.labels))]
        return [[label, *row] for label, row in zip(self.labels, cells, strict=True)]

    @property
    def told(self) -> str:
        """The newest value of each series, in words."""
        last = len(self.labels) - 1
        return ", ".join(f"{s.name} {self.told_value(s, last)}" for s in self.series) + f" ({self.labels[last]})"

    def told_value(self, series: Series, at: int) -> str:
        """A value with its interval."""
        value = series.values[at]
        if value is None:
            return "–"
        text = self.write(value)
        if series.low and series.low[at] is not None and series.high[at] is not None:
            text += f" [{self.write(series.low[at] or 0.0)}, {self.write(series.high[at] or 0.0)}]"
        return text

    @property
    def columns(self) -> list[Column]:
        """The rectangles of stacked columns."""
        if not self.stacked:
            return []
        found, place = [], WIDTH / len(self.labels)
        for at in range(len(self.labels)):
            base = HEIGHT
            for s in self.series:
                height = HEIGHT * (s.values[at] or 0.0) / self.top
                base -= height
                if height:
                    x, width = (at + GAP / 2) * place, (1 - GAP) * place
                    found.append(Column(_n(x), _n(width), _n(base), _n(height), s.kind))
        return found

    @property
    def lines(self) -> list[Path]:
        """The lines; one breaks where a value is not known."""
        return [] if self.stacked else [Path(s.kind, self._line(s.values)) for s in self.series]

    @property
    def bands(self) -> list[Path]:
        """The intervals, as areas."""
        return [Path(s.kind, self._area(s)) for s in self.series if s.low]

    @property
    def tips(self) -> list[Column]:
        """What is told of each place when it is pointed at."""
        place = WIDTH / len(self.labels)
        texts = ["; ".join(f"{s.name} {self.told_value(s, i)}" for s in self.series) for i in range(len(self.labels))]
        return [
            Column(_n(i * place), _n(place), text=f"{label}: {text}")
            for i, (label, text) in enumerate(zip(self.labels, texts, strict=True))
        ]

    def _at(self, place: int, value: float) -> str:
        x = (place + 0.5) * WIDTH / len(self.labels)
        return f"{_n(x)} {_n(HEIGHT - HEIGHT * min(value, self.top) / self.top)}"

    def _line(self, values: Sequence[Value]) -> str:
        parts, drawing = [], False
        for place, value in enumerate(values):
            if value is None:
                drawing = False
                continue
            parts.append(f"L{self._at(place, value)}" if drawing else f"M{self._at(place, value)}h0.01")
            drawing = True
        return "".join(parts)

    def _area(self, series: Series) -> str:
        runs: list[list[int]] = [[]]
        for place, (low, high) in enumerate(zip(series.low, series.high, strict=True)):
            if low is None or high is None:
                runs.append([])
            else:
                runs[-1].append(place)
        parts = []
        for run in runs:
            if len(run) > 1:
                upper = [self._at(p, series.high[p] or 0.0) for p in run]
                lower = [self._at(p, series.low[p] or 0.0) for p in reversed(run)]
                parts.append("M" + "L".join([*upper, *lower]) + "Z")
        return "".join(parts)


def nice(value: float) -> float:
    """The least round number, four equal steps of which are round, that is no less than a value.

    Examples
    --------
    >>> [nice(v) for v in (0, 0.07, 3, 17, 830)]
    [1.0, 0.08, 4.0, 20.0, 1000.0]
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value / TICKS))
    step = next(step for step in NICE if TICKS * step * power >= value * (1 - 1e-9))
    return float(f"{TICKS * step * power:.6g}")


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
