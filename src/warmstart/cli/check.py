"""The health of data before anything is fitted."""

from __future__ import annotations

from warmstart.cli.options import Data, Graph, Items, Json, Links, Map, Rejects, Scale, Tables, Users, Weights
from warmstart.cli.screen import answers, emit


def check(
    data: Data,
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
    """Look data over and say what to do.

    Sparsity, cold users and items, times, leakage, texts and their languages, rows refused.
    """
    from warmstart.cli.health_view import render_health
    from warmstart.data.health import check as look

    report = look(*Tables(data, items, graph, links, users, columns, weights, rejects, scale).read())
    if as_json:
        emit(report.to_dict())
    else:
        render_health(report, answers())
