"""The learning curve: how well each method ranks after k labels, with intervals over seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError, DataError
from warmstart.learn.fewshot import FewShot, World, draw_world
from warmstart.learn.fewshot_labelled import PairWorld, draw_pairs
from warmstart.learn.scores import ndcg_rows

W = TypeVar("W")
Method = Callable[[World], np.ndarray]
PairMethod = Callable[[PairWorld], np.ndarray]
Score = Callable[[np.ndarray], float]
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Spread:
    """A mean over seeds and its 95 % t-interval; NaN bounds from one seed, all NaN where nothing could be learned."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray) -> Spread:
        """``mean +- t_{0.975, n - 1} sd / sqrt(n)`` over the seeds.

        Examples
        --------
        >>> Spread.of([0.1, 0.2, 0.3])
        Spread(mean=0.2, low=-0.048414, high=0.448414)
        """
        from scipy.stats import t

        x = np.asarray(values, np.float64)
        mean = float(x.mean())
        if len(x) < 2:
            return cls(round(mean, 6), math.nan, math.nan)
        half = float(t.ppf(0.975, len(x) - 1)) * float(x.std(ddof=1)) / math.sqrt(len(x))
        return cls(round(mean, 6), round(mean - half, 6), round(mean + half, 6))

    def cut(self, least: float, most: float) -> Spread:
        """With an interval that ends where figures do.

        Examples
        --------
        >>> Spread(0.9, -0.2, 2.0).cut(0.0, 1.0)
        Spread(mean=0.9, low=0.0, high=1.0)
        """
        return self if math.isnan(self.low) else Spread(self.mean, max(self.low, least), min(self.high, most))

    def __str__(self) -> str:
        if math.isnan(self.mean):
            return "n/a"
        return f"{self.mean:.4f}" if math.isnan(self.low) else f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Curve:
    """What was measured.

    Parameters
    ----------
    settings
        How worlds were drawn.
    values
        Method -> float64, shape (n_shots, n_seeds): mean over the users asked about, of NDCG@10 or of the area under
        the ROC curve.
    seconds
        Method -> float64, same shape.
    sizes
        Counts worth knowing: users, users asked about, items.
    measure
        "ndcg@10" or "auc".
    floors
        The methods that the others have to beat.
    """

    settings: FewShot
    values: dict[str, np.ndarray]
    seconds: dict[str, np.ndarray]
    sizes: dict[str, int]
    measure: str = "ndcg@10"
    floors: tuple[str, ...] = ()

    def spread(self, method: str, k: int) -> Spread:
        """Mean and interval of a method after k labels, cut at 0 and 1, beyond which neither measure goes."""
        return Spread.of(self.values[method][self.settings.shots.index(k)]).cut(0.0, 1.0)

    def apart(self, method: str, floor: str, k: int) -> bool:
        """Whether the method's interval lies wholly above the floor's."""
        return self.spread(method, k).low > self.spread(floor, k).high

    def gain(self, method: str, floor: str, k: int) -> Spread:
        """Mean difference over the same seeds and its interval."""
        at = self.settings.shots.index(k)
        return Spread.of(self.values[method][at] - self.values[floor][at])

    def beaten(self, method: str, k: int) -> list[str]:
        """The floors that lie below the method with intervals apart."""
        return [floor for floor in self.floors if floor != method and self.apart(method, floor, k)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: every interval, every seed's value, seconds."""
        shots = self.settings.shots
        return {
            "measure": self.measure,
            "settings": asdict(self.settings),
            "sizes": self.sizes,
            "floors": list(self.floors),
            "methods": {
                name: {
                    str(k): {
                        **asdict(self.spread(name, k)),
                        "seeds": [round(float(v), 6) for v in self.values[name][i]],
                        "seconds": round(float(self.seconds[name][i].mean()), 2),
                        "above": self.beaten(name, k),
                    }
                    for i, k in enumerate(shots)
                }
                for name in self.values
            },
        }


def learning_curve(
    data: Dataset,
    texts: Sequence[str],
    vectors: np.ndarray,
    methods: Mapping[str, Method],
    settings: FewShot | None = None,
    *,
    seeds: int = 5,
    seed: int = 0,
    floors: Sequence[str] = (),
    tell: Tell | None = None,
) -> Curve:
    """Every method on the same worlds, for every k and seed.

    Parameters
    ----------
    data, texts, vectors
        Events, and of each item a text and its frozen vector (float32, unit rows).
    methods
        World -> scores, shape (n_users, n_items) or (n_items,).
    settings
        k's and how users are drawn.
    seeds, seed
        Worlds a k, and the first one's seed.
    floors
        Names of methods that are there to be beaten.
    tell
        Told of progress.

    Raises
    ------
    DataError
        If there is no text, or nobody has more events than the largest k.
    """
    settings = settings or FewShot()

    def draw(k: int, number: int) -> tuple[World, Score, dict[str, int]]:
        world = draw_world(data, texts, vectors, settings, k, number)
        asked = int((world.targets.getnnz(axis=1) > 0).sum())
        sizes = {"users": world.shown.shape[0], "asked": asked, "items": world.shown.shape[1]}
        return world, lambda scores: float(np.nanmean(ndcg_rows(world.ranked(scores), world.targets))), sizes

    return measured(draw, methods, settings, "ndcg@10", seeds=seeds, seed=seed, floors=floors, tell=tell)


def pair_curve(
    data: Dataset,
    texts: Sequence[str],
    vectors: np.ndarray,
    methods: Mapping[str, PairMethod],
    settings: FewShot | None = None,
    *,
    seeds: int = 5,
    seed: int = 0,
    floors: Sequence[str] = (),
    tell: Tell | None = None,
) -> Curve:
    """As ``learning_curve``, for k labelled pairs in all; measured by the area under the ROC curve of others."""
    from sklearn.metrics import roc_auc_score

    settings = settings or FewShot()

    def draw(k: int, number: int) -> tuple[PairWorld, Score, dict[str, int]]:
        world = draw_pairs(data, texts, vectors, settings, k, number)
        sizes = {"users": len(world.people), "asked": len(world.asked), "items": len(world.items)}
        return world, lambda scores: float(roc_auc_score(world.label[world.asked], scores)), sizes

    return measured(draw, methods, settings, "auc", seeds=seeds, seed=seed, floors=floors, tell=tell)


def measured(
    draw: Callable[[int, int], tuple[W, Score, dict[str, int]]],
    methods: Mapping[str, Callable[[W], np.ndarray]],
    settings: FewShot,
    measure: str,
    *,
    seeds: int,
    seed: int,
    floors: Sequence[str],
    tell: Tell | None,
) -> Curve:
    """Draw a world for every k and seed and judge every method on it; NaN where labels are too few to learn from."""
    if seeds < 1:
        raise ConfigError(f"seeds={seeds} draws nothing; give 5 or more for an interval")
    grid = len(settings.shots), seeds
    values = {name: np.full(grid, np.nan) for name in methods}
    seconds = {name: np.zeros(grid) for name in methods}
    sizes: dict[str, int] = {}
    for number, (i, s) in enumerate(np.ndindex(grid)):
        world, score, sizes = draw(settings.shots[i], seed + s)
        for name, method in methods.items():
            if tell:
                tell("few labels", number, grid[0] * grid[1])
            start = time.perf_counter()
            with suppress(DataError):  # the world itself is sound: draw has seen to that
                values[name][i, s] = score(method(world))
            seconds[name][i, s] = time.perf_counter() - start
    if tell:
        tell("few labels", grid[0] * grid[1], grid[0] * grid[1])
    return Curve(settings, values, seconds, sizes, measure, tuple(floors))
