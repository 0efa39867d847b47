"""The best paths through a graph from the items of a history to another: few edges, and as specific as can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.data.adjacency import Adjacency
from warmstart.data.path_count import HUB
from warmstart.errors import ConfigError
from warmstart.explain.walks import Ends, Walks, by_one, by_two, direct

LONGEST = 3  # edges


@dataclass(frozen=True)
class PathSettings:
    """What paths are looked for.

    Parameters
    ----------
    edges
        Of a path at most: 1 (a sequel), 2 (a common director), or 3.
    most
        Paths from one item of the history at most, >= 1.
    hub
        An entity of more facts than this is not walked through, >= 1.
    budget
        Edges, and walks of one length, that are looked at, >= 1; the most specific ones, where there are more.
    """

    edges: int = LONGEST
    most: int = 3
    hub: int = HUB
    budget: int = 100_000

    def __post_init__(self) -> None:
        if not 1 <= self.edges <= LONGEST:
            raise ConfigError(f"edges={self.edges} of a path is not from 1 to {LONGEST}; 2 is a common neighbour")
        for name, value in (("most", self.most), ("hub", self.hub), ("budget", self.budget)):
            if value < 1:
                raise ConfigError(
                    f"{name}={value} of the paths is below 1; the default is {PathSettings().__dict__[name]}"
                )


@dataclass(frozen=True)
class Path:
    """A walk from an item of the history to another item.

    Parameters
    ----------
    nodes
        Ids: the item of the history, what lies between, the other item.
    relations
        Of each edge; one fewer than nodes.
    forward
        Whether each edge is walked from its head to its tail.
    score
        See ``paths``; higher is better.
    """

    nodes: tuple[str, ...]
    relations: tuple[str, ...]
    forward: tuple[bool, ...]
    score: float


@dataclass(frozen=True)
class Paths:
    """Paths to one item, and what was not looked at.

    Parameters
    ----------
    found
        Best first.
    barred
        Entities next to the item or the history that were not walked through for their many facts; those of the most
        facts first.
    cut
        Edges and walks beyond the budget.
    """

    found: tuple[Path, ...] = ()
    barred: tuple[str, ...] = ()
    cut: int = 0


def paths(
    index: Adjacency,
    sources: Sequence[str],
    target: str,
    settings: PathSettings | None = None,
    named: np.ndarray | None = None,
) -> Paths:
    """The best paths from some entities to another.

    Found from both ends: what the sources are next to, what the target is next to, and where these are the same or
    next to each other. Neither a source nor the target lies between. Of one source no two paths share a middle entity.

    ``score = 4 - edges + (specificity + named) / 2``. ``specificity`` is the mean, over the middle entities v and
    the relations r of the path, of ``1 - log(facts of v) / log(entities)`` and ``1 - log(facts of r) / log(facts)``:
    the idf of each, scaled to [0, 1]. ``named`` is the share of the middle entities that have a name (1 of a path
    without any). So a shorter path is always better, and of equally long ones the more specific, told in names.

    Parameters
    ----------
    sources, target
        Ids of entities. Unknown ones have no paths, nor has the target to itself. Earlier sources stand first in ties,
        then names in their order.
    named
        bool, shape (n_entities,): entities that have a name; None = all.

    Returns
    -------
    Paths
        Best first; at most ``settings.most`` of each source.

    Examples
    --------
    >>> import polars as pl
    >>> rows = [("Alien", "directed_by", "Scott"), ("Blade Runner", "directed_by", "Scott")]
    >>> index = Adjacency.of(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    >>> paths(index, ["Alien"], "Blade Runner").found[0].nodes
    ('Alien', 'Scott', 'Blade Runner')
    """
    settings = settings or PathSettings()
    end = int(index.entities.codes([target])[0])
    codes = index.entities.codes(list(dict.fromkeys(sources))).astype(np.int64)
    codes = codes[(codes >= 0) & (codes != end)]
    if end < 0 or not len(codes):
        return Paths()
    through = index.degree <= settings.hub
    through[codes] = through[end] = False
    search = Search(index, settings, through, codes, end)
    chosen = [(walks, score) for walks, score in search.best(named)]
    found = [path for walks, score in chosen for path in told(index, walks, score)]
    return Paths(tuple(found), search.barred(), search.cut)


def varied(found: Sequence[Path], most: int) -> list[Path]:
    """Some of the paths, best first: such as share no middle entity, then others.

    Examples
    --------
    >>> three = [Path((a, "x", "t"), ("by", "by"), (True, False), 2.0) for a in "abc"]
    >>> [path.nodes[0] for path in varied([*three, Path(("a", "t"), ("then",), (True,), 3.0)], 2)]
    ['a', 'a']
    """
    used, fresh = set[str](), set[int]()
    for at, path in enumerate(found):
        if used.isdisjoint(path.nodes[1:-1]):
            used.update(path.nodes[1:-1])
            fresh.add(at)
    order = sorted(range(len(found)), key=lambda at: (at not in fresh, at))
    return [found[at] for at in sorted(order[:most])]


@dataclass
class Search:
    """One question: what may be walked through, and from where to where."""

    index: Adjacency
    settings: PathSettings
    through: np.ndarray
    sources: np.ndarray
    target: int
    cut: int = 0

    def best(self, named: np.ndarray | None) -> list[tuple[Walks, np.ndarray]]:
        """Walks of one edge, of two, of three with their scores, best first; longer ones where there are too few."""
        place = np.full(len(self.index.entities), -1)
        place[self.sources] = np.arange(len(self.sources))
        left = np.full(len(self.sources), self.settings.most)
        used = np.full((len(self.sources), 0), -1)
        out = []
        for edges in range(1, self.settings.edges + 1):
            walks = self.walks(edges, self.sources[left > 0])
            self.cut += walks.cut
            score = scores(self.index, walks, named)
            at = place[walks.node[:, 0]]
            order = np.lexsort((at, -score))
            picked, used = spread(walks.node[order, 1:-1], at[order], left, used)
            left = left - np.bincount(at[order[picked]], minlength=len(left))
            out.append((walks.take(order[picked]), score[order[picked]]))
        return out

    def walks(self, edges: int, sources: np.ndarray) -> Walks:
        """All walks of some sources."""
        if edges == 1:
            return direct(self.index, sources, self.target)
        near = Ends.of(self.index, sources, self.through)
        far = Ends.of(self.index, np.array([self.target]), self.through)
        if edges == 2:
            return by_one(self.index, near, far, self.settings.budget)
        return by_two(self.index, near, far, self.settings.budget)

    def barred(self) -> tuple[str, ...]:
        """Hubs beside the ends, by their facts."""
        _, at = self.index.edges(np.append(self.sources, self.target))
        beside = np.setdiff1d(self.index.neighbour[at], np.append(self.sources, self.target))
        hubs = beside[self.index.degree[beside] > self.settings.hub]
        return tuple(self.index.entities.names(hubs[np.argsort(-self.index.degree[hubs], kind="stable")]))


def scores(index: Adjacency, walks: Walks, named: np.ndarray | None) -> np.ndarray:
    """``4 - edges + (specificity + named) / 2``, to nine digits, so that equal paths are equal: float64, shape (n,)."""
    middle = walks.node[:, 1:-1]
    share = np.ones(len(walks)) if named is None or not middle.shape[1] else named[middle].mean(1)
    found: np.ndarray = np.round(LONGEST + 1 - walks.edges + (walks.specificity(index) + share) / 2, 9)
    return found


def spread(middle: np.ndarray, source: np.ndarray, left: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best rows of each source, no two of which share a middle entity.

    Parameters
    ----------
    middle
        int64, shape (n, m): middle entities of walks, best first.
    source
        int64, shape (n,): number of the source of each.
    left
        int64, shape (n_sources,): rows that each source may still have.
    used
        int64, shape (n_sources, u): middle entities that each source used up; -1 = none.

    Returns
    -------
    tuple
        Rows taken, ascending; and ``used`` with theirs.

    Examples
    --------
    >>> spread(np.array([[7], [7], [8]]), np.array([0, 0, 0]), np.array([2]), np.empty((1, 0), int))[0].tolist()
    [0, 2]
    """
    open_ = np.ones(len(source), bool)
    for column in range(used.shape[1]):
        open_ &= ~(middle == used[source, column][:, None]).any(1)
    taken = []
    for turn in range(int(left.max(initial=0))):
        rows = np.flatnonzero(open_ & (left[source] > turn))
        if not len(rows):
            break
        first = np.full(len(left), -1)
        first[source[rows][::-1]] = rows[::-1]  # of several the last assignment counts: the best row
        best = first[first >= 0]
        new = np.full((len(left), max(middle.shape[1], 1)), -1)
        new[source[best], : middle.shape[1]] = middle[best]
        taken.append(best)
        open_[best] = False
        for column in new.T:
            open_ &= ~(middle == column[source][:, None]).any(1)
        used = np.hstack([used, new])
    return np.sort(np.concatenate(taken)) if taken else np.empty(0, np.int64), used


def told(index: Adjacency, walks: Walks, score: np.ndarray) -> list[Path]:
    """Walks by name."""
    name, relation = index.entities.ids, index.relations.ids
    rows = zip(walks.node.tolist(), walks.relation.tolist(), walks.forward.tolist(), score.tolist(), strict=True)
    return [
        Path(tuple(name[v] for v in nodes), tuple(relation[r] for r in relations), tuple(forward), value)
        for nodes, relations, forward, value in rows
    ]
