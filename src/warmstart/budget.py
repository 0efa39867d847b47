"""What a fit will hold in memory, estimated before it begins; and the recipe that keeps within a budget."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, replace

from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError
from warmstart.evaluate.memory import memory_mb
from warmstart.experts.base import Expert
from warmstart.experts.columns import DENSE_TABLE
from warmstart.experts.linear import DENSE_LIMIT, PriorMeanEASE
from warmstart.experts.segments import Segments
from warmstart.experts.sequence import SequenceTransformer
from warmstart.experts.smoothed import SmoothedEASE
from warmstart.experts.transition_counts import PAIRS
from warmstart.experts.transitions import Transitions
from warmstart.fusion.samples import BLOCK
from warmstart.fusion.worlds import LARGE_ITEMS, LARGE_USERS
from warmstart.recipe import Recipe

LOG = logging.getLogger(__name__)
GB = 1e9
SHRUNK = (1, 2, 4, 8, 16, 32)  # parts of people, questions and solved items that are tried in turn
LEAST_PEOPLE, LEAST_QUERIES, LEAST_HEAD = 1_000, 60, 500
READ = 384  # numbers a text encoder gives of a text, about
AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(GB|MB)?\s*", re.IGNORECASE)


def gigabytes(text: str) -> float:
    """``"8GB"``, ``"800MB"`` or ``"8"`` in GB of 10^9 bytes.

    Raises
    ------
    ConfigError
        If the text says something else, or nothing above 0.

    Examples
    --------
    >>> gigabytes("8GB"), gigabytes("500 mb"), gigabytes("1.5")
    (8.0, 0.5, 1.5)
    """
    found = AMOUNT.fullmatch(text)
    amount = float(found[1]) / (1e3 if (found[2] or "").upper() == "MB" else 1.0) if found else 0.0
    if not amount:
        raise ConfigError(f"a memory budget of {text!r} cannot be read; write e.g. 8GB or 800MB")
    return amount


@dataclass(frozen=True)
class Sizes:
    """Of the data: people with events, items, items with events, events."""

    users: int
    items: int
    met: int
    events: int

    @classmethod
    def of(cls, data: Dataset) -> Sizes:
        """Count."""
        x = data.interactions
        return cls(int((x.user_counts() > 0).sum()), data.n_items, int((x.item_counts() > 0).sum()), len(x))


def within_budget(recipe: Recipe, data: Dataset) -> Recipe:
    """The recipe, its samples and solved items cut so far that the fit keeps to ``recipe.memory_gb``; told in one line.

    Raises
    ------
    ConfigError
        If the smallest plan needs more.
    """
    if not recipe.memory_gb:
        return recipe
    sizes, held = Sizes.of(data), 1e6 * memory_mb()
    for by in SHRUNK:
        plan = shrunk(recipe, by)
        needed = (held + sum(parts(plan, sizes).values())) / GB
        if needed <= recipe.memory_gb:
            told = LOG.info if by == 1 else LOG.warning
            told("memory budget %.3g GB: %s", recipe.memory_gb, in_words(plan, sizes, needed))
            return plan
    largest = max(parts(plan, sizes).items(), key=lambda part: part[1])
    raise ConfigError(
        f"memory_gb={recipe.memory_gb:.3g} is not enough: the smallest plan for {sizes.events:,} events of "
        f"{sizes.items:,} items takes about {needed:.2g} GB, {held / GB:.2g} of them held already and "
        f"{largest[1] / GB:.2g} for {largest[0]}; give a budget of {math.ceil(10 * needed) / 10:g} GB, or leave out "
        "experts"
    )


def in_words(plan: Recipe, sizes: Sizes, needed: float) -> str:
    """What a plan takes, and what is cut in it."""
    heads = [e.head for e in plan.experts.values() if isinstance(e, PriorMeanEASE)]
    solved = f", {min(max(heads), sizes.met):,} items solved" if heads else ""
    people = min(plan.fusion.people, sizes.users)
    return f"about {needed:.2g} GB, with {people:,} people in simulated worlds, {plan.fusion.queries} queries{solved}"


def shrunk(recipe: Recipe, by: int) -> Recipe:
    """People of simulated worlds and segments, queries and solved items divided; itself by 1.

    Examples
    --------
    >>> shrunk(Recipe(), 4).fusion.people, shrunk(Recipe(), 4).experts["people"].head
    (25000, 5000)
    """
    if by == 1:
        return recipe
    fusion = replace(
        recipe.fusion,
        people=_part(recipe.fusion.people, by, LEAST_PEOPLE),
        queries=_part(recipe.fusion.queries, by, LEAST_QUERIES),
    )
    return replace(recipe, fusion=fusion, experts={n: _shrunk_expert(e, by) for n, e in recipe.experts.items()})


def _part(number: int, by: int, least: int) -> int:
    return min(number, max(number // by, least))


def _shrunk_expert(expert: Expert, by: int) -> Expert:
    if isinstance(expert, PriorMeanEASE):
        return replace(expert, head=_part(expert.head, by, LEAST_HEAD))
    if isinstance(expert, SmoothedEASE):
        return replace(expert, people=replace(expert.people, head=_part(expert.people.head, by, LEAST_HEAD)))
    if isinstance(expert, Segments):
        return replace(expert, people=_part(expert.people, by, LEAST_PEOPLE))
    return expert


def parts(recipe: Recipe, sizes: Sizes) -> dict[str, float]:
    """Bytes that a fit holds beside what is held already, by what for; each from the arrays that are made."""
    n, e, met, many = sizes.items, sizes.events, sizes.met, len(recipe.experts)
    dim = recipe.space.text_dim + recipe.space.features.dim + 32
    share = min(1.0, recipe.fusion.people / max(sizes.users, 1))
    cells = min(512 * n * many, max(BLOCK, 4 * n * many))
    torch = any(isinstance(x, SequenceTransformer) for x in recipe.experts.values())
    return {
        "libraries": 0.35 * GB if torch else 0.15 * GB,
        "texts and features of items": n * (12.0 * READ + 20.0 * dim),
        "tables of events": 100.0 * e + followers(recipe, sizes),
        "solved items": solved(recipe, sizes, dim),
        "neighbours of items": 16.0 * met * min(200, met),
        "simulated worlds": share * e * 29 * 4,
        "questions": questions(recipe, sizes),
        "scores": 10.0 * cells,
        "segments": 48.0 * n * Segments().tried(sizes.users, n)[-1],
    }


def followers(recipe: Recipe, sizes: Sizes) -> float:
    """Bytes of transitions: a block of pairs while they are counted, and what is kept of them."""
    found = [t for t in recipe.experts.values() if isinstance(t, Transitions)]
    pairs = [float(t.lags) * sizes.events for t in found]
    kept = sum(8.0 * min(p, float(t.keep) * sizes.items) for t, p in zip(found, pairs, strict=True))
    return kept + 60.0 * min(max(pairs, default=0.0), PAIRS)


def solved(recipe: Recipe, sizes: Sizes, dim: int) -> float:
    """Bytes of the linear experts: a Gram matrix, its inverse, and what is kept of the columns."""
    total, widest = 0.0, 0
    for expert in recipe.experts.values():
        if isinstance(expert, PriorMeanEASE):
            head = min(expert.head, sizes.met)
            dense = head <= DENSE_LIMIT and sizes.items <= DENSE_TABLE
            total += 4.0 * sizes.items**2 if dense else 16.0 * min(expert.keep, head) * head
            total, widest = total + 8.0 * dim * head, max(widest, head)
    return total + 10.0 * widest**2


def questions(recipe: Recipe, sizes: Sizes) -> float:
    """Bytes of what the fusion learns from: candidates of all simulated queries, copied while it learns."""
    large = sizes.users > LARGE_USERS or sizes.met > LARGE_ITEMS
    asked = min(recipe.fusion.asked(sizes.items), sizes.users) * (11 if large else 16)  # by world and state
    many = len(recipe.experts)
    candidates = min(sizes.items, 0.3 * recipe.fusion.top * many)
    return asked * candidates * (3 * many + 16) * 4 * 2.5
