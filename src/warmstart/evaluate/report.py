"""What an evaluation found, and how to read it: as a table, as JSON, as numbers."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warmstart.evaluate.baselines import FLOOR
from warmstart.evaluate.intervals import Interval, Paired

if TYPE_CHECKING:
    from rich.table import Table

EVERYBODY = "all queries"
SURE = 0.05


@dataclass(frozen=True)
class Measured:
    """One system's numbers.

    Parameters
    ----------
    name
        As it stands in the tables.
    values
        By population, then by measure (``ndcg``, ``recall`` ...): a mean over queries with its interval.
    beyond
        Coverage, Gini, novelty, popularity percentile, tail recall, miscalibration; NaN where not defined. The tail is
        what lies outside the best-known fifth of the catalogue; its recall is told at k and (``tail_recall_50``) at 50.
    costs
        ``fit_seconds`` (NaN if it came fitted), ``queries_per_second``, ``peak_memory_mb`` (of the process, so far).
    """

    name: str
    values: Mapping[str, Mapping[str, Interval]]
    beyond: Mapping[str, float]
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """The system against the best baseline of one population.

    ``adjusted`` is Holm's p over the fifths by activity and taste, or over all other populations.
    """

    population: str
    baseline: str
    test: Paired
    adjusted: float

    @property
    def verdict(self) -> str:
        """``"better"``, ``"worse"`` or ``"equal"`` at 5 %, all comparisons of its kind together.

        Examples
        --------
        >>> Comparison("all queries", "EASE", Paired(0.1, 0.05, 0.15, 0.002, 90), adjusted=0.01).verdict
        'better'
        """
        if self.adjusted >= SURE:
            return "equal"
        return "better" if self.test.difference > 0 else "worse"


@dataclass(frozen=True)
class Trust:
    """Whom the fusion trusts as evidence grows.

    Parameters
    ----------
    x
        Evidence, ascending: events of the item, or length of the history.
    shares
        By source (``text``, ``data`` ...): share of the trust at each ``x``, in [0, 1].
    label
        What ``x`` is.
    """

    x: tuple[float, ...]
    shares: Mapping[str, tuple[float, ...]]
    label: str = "events of the item in training"


@dataclass(frozen=True)
class Control:
    """A system fitted on shuffled texts beside the same one fitted on the right ones; the former must lose."""

    measure: str
    intact: Interval
    shuffled: Interval
    test: Paired

    @property
    def lost(self) -> bool:
        """Whether the shuffled texts did significantly worse, as they must if text is of use."""
        return self.test.difference > 0 and self.test.p < SURE


@dataclass(frozen=True)
class Report:
    """The measured answer to a split.

    Parameters
    ----------
    split
        Its name.
    k
        Places of a list that count.
    sizes
        ``queries``, ``items``, ``train_events``.
    populations
        By name, how many queries have something to find; ``"all queries"`` first, then slices, then item groups
        (``"items: head"`` ...), where only the targets of that group count.
    systems
        The measured system first, then the baselines.
    comparisons
        On NDCG, one for each population, where there are baselines.
    trust, control
        Extras, None where not measured.
    """

    split: str
    k: int
    sizes: Mapping[str, int]
    populations: Mapping[str, int]
    systems: tuple[Measured, ...]
    comparisons: tuple[Comparison, ...] = ()
    trust: Trust | None = None
    control: Control | None = field(default=None)

    def value(self, measure: str = "ndcg", system: str | None = None, population: str = EVERYBODY) -> Interval:
        """One number with its interval; the measured system unless another is named."""
        found = next(s for s in self.systems if system in (None, s.name))
        return found.values[population][measure]

    @property
    def below_floor(self) -> tuple[str, ...]:
        """Populations in which the measured system's NDCG is below popularity's."""
        if FLOOR not in [s.name for s in self.systems]:
            return ()
        ours, floor = ({p: self.value("ndcg", name, p).mean for p in self.populations} for name in (None, FLOOR))
        return tuple(p for p in self.populations if ours[p] < floor[p])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        plain = asdict(self)
        for row, comparison in zip(plain["comparisons"], self.comparisons, strict=True):
            row["verdict"] = comparison.verdict
        cleaned: dict[str, Any] = plain_values(plain | {"below_floor": list(self.below_floor)})
        return cleaned

    def save_json(self, path: str | Path) -> None:
        """Write ``to_dict`` as UTF-8 JSON."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def save_html(self, path: str | Path) -> None:
        """Write one self-contained page with tables and plots."""
        from warmstart.evaluate.html import page

        Path(path).write_text(page(self), encoding="utf-8")

    def table(self) -> Table:
        """NDCG by population, a column a system, and what the paired tests say (for rich)."""
        from rich.table import Table

        table = Table(title=f"NDCG@{self.k} by slice - {self.split}")
        for column in ("slice", "queries", *(s.name for s in self.systems), "against the best baseline"):
            table.add_column(column, justify="left" if column == "slice" else "right")
        notes = {c.population: c for c in self.comparisons}
        for name, n in self.populations.items():
            cells = [f"{s.values[name]['ndcg'].mean:.4f}" for s in self.systems]
            table.add_row(name, f"{n:,}", *cells, describe(notes[name]) if name in notes else "")
        return table

    def overview(self) -> Table:
        """All ranking measures over all queries, a row a system (for rich)."""
        from rich.table import Table

        sizes = f"{self.sizes['queries']:,} queries, {self.sizes['items']:,} items, k = {self.k}"
        table = Table(title=f"Measures - {self.split}: {sizes}")
        measures = list(self.systems[0].values[EVERYBODY])
        for column in ("system", *measures):
            table.add_column(column, justify="left" if column == "system" else "right")
        for s in self.systems:
            table.add_row(s.name, *(f"{s.values[EVERYBODY][m].mean:.4f}" for m in measures))
        return table

    def lists_and_costs(self) -> Table:
        """What the lists are like and what they cost, a row a system (for rich)."""
        from rich.table import Table

        table = Table(title=f"Lists and costs - {self.split}")
        extras, costs = list(self.systems[0].beyond), list(self.systems[0].costs)
        for column in ("system", *extras, *costs):
            table.add_column(column.replace("_", " "), justify="left" if column == "system" else "right")
        for s in self.systems:
            spent = ["-" if math.isnan(s.costs[c]) else f"{s.costs[c]:,.1f}" for c in costs]
            table.add_row(s.name, *(f"{s.beyond[e]:.3f}" for e in extras), *spent)
        return table

    def show(self) -> None:
        """Print the tables to the terminal."""
        from rich.console import Console

        Console().print(self.overview(), self.table(), self.lists_and_costs(), sep="\n")

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=140, no_color=True)
        with console.capture() as captured:
            console.print(self.overview(), self.table(), self.lists_and_costs(), sep="\n")
        return captured.get()


def describe(comparison: Comparison) -> str:
    """One line for a table: the relative gain, the adjusted p value and a sign for the verdict.

    Examples
    --------
    >>> describe(Comparison("all queries", "EASE", Paired(0.1, 0.05, 0.15, 0.002, 90), adjusted=0.01))
    '▲ +0.1000 on EASE, p = 0.010'
    """
    sign = {"better": "▲", "worse": "▼", "equal": "≈"}[comparison.verdict]
    return f"{sign} {comparison.test.difference:+.4f} on {comparison.baseline}, p = {comparison.adjusted:.3f}"


def plain_values(value: Any) -> Any:
    """Containers of plain values with text keys; NaN becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(v) for v in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
