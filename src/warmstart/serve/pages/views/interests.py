"""Interests of somebody, from coarse to fine, with what shows them; and how lists follow when they are changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from warmstart.interests.profile import Interest
from warmstart.serve.pages.views.listing import Named, Names, Row, listed, names_of, rows
from warmstart.serve.pages.views.trial import Trial
from warmstart.serve.pages.views.try_it import samples
from warmstart.serve.service import Moment, Service

EVIDENCE = 5  # titles an interest is shown by


@dataclass
class Node:
    """An interest, and the finer ones within it.

    Parameters
    ----------
    is_own
        Whether it is one of the person's interests, or only holds some that are.
    share, common
        Of this person's events and of everybody's.
    """

    concept: int
    name: str
    level: int
    is_own: bool = False
    weight: float = 0.0
    share: float = 0.0
    common: float = 0.0
    trend: str = ""
    evidence: tuple[str, ...] = ()
    within: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class InterestsView:
    """What the page shows; ``before`` is the list as it would be without the changes."""

    trial: Trial
    model: str
    slice: str
    events: int
    tree: Sequence[Node]
    most: float
    before: Sequence[Named]
    rows: Sequence[Row]
    samples: Sequence[str]
    concepts: Sequence[tuple[str, int, float]]


def interests_view(service: Service, trial: Trial) -> InterestsView:
    """Interests from stored events and clicks; nothing of what is tried is stored."""
    moment = service.moment()
    asker, lines = listed(service, moment, trial)
    f, names = moment.snapshot.fitted, names_of(moment.snapshot)
    history = asker.histories(moment.live.engine, f).row(0)
    found = f.concepts.of(history) if len(history) else []
    old = listed(service, moment, trial.before)[1] if trial.before is not None else lines
    first = [c for c in range(len(f.concepts.members)) if f.concepts.members.level[c] == 0]
    return InterestsView(
        trial=trial,
        model=moment.live.version,
        slice=asker.slice(len(history), service.settings.few_shot),
        events=len(history),
        tree=tree(moment, names, found),
        most=max((max(i.share, i.common) for i in found), default=1.0),
        before=[names[line.code] for line in old],
        rows=rows(service, moment, trial, asker, lines),
        samples=samples(service),
        concepts=[(f.concepts.names[c], len(f.concepts.members.items(c)), float(f.concepts.common[c])) for c in first],
    )


def tree(moment: Moment, names: Names, found: Sequence[Interest]) -> list[Node]:
    """The interests, each within the coarser concept that holds it, the weightiest first."""
    concepts = moment.snapshot.fitted.concepts
    nodes: dict[int, Node] = {}

    def node(concept: int) -> Node:
        if concept not in nodes:
            nodes[concept] = Node(concept, concepts.names[concept], int(concepts.members.level[concept]))
            if (parent := int(concepts.members.parent[concept])) >= 0:
                node(parent).within.append(nodes[concept])
        return nodes[concept]

    for one in sorted(found, key=lambda i: -i.weight):
        own = node(one.concept)
        own.is_own, own.weight, own.share, own.common, own.trend = True, one.weight, one.share, one.common, one.trend
        own.evidence = tuple(names[int(code)].title for code in one.evidence[:EVIDENCE])
    return [n for n in nodes.values() if concepts.members.parent[n.concept] < 0]
