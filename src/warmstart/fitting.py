"""From data to what an engine knows: spaces, experts, fusion, concepts, segments, ratings."""

from __future__ import annotations

from warmstart.budget import within_budget
from warmstart.data.dataset import Dataset
from warmstart.data.graph_users import impersonal
from warmstart.encoders import Encoders
from warmstart.errors import DataError
from warmstart.experts.link_test import believed
from warmstart.experts.nearest import linked
from warmstart.experts.panel import Panel, Progress
from warmstart.experts.space import FittedItemSpace
from warmstart.experts.split import SplitPanel
from warmstart.fitted import Fitted
from warmstart.fusion.fuse import FittedFusion
from warmstart.fusion.support import Support
from warmstart.interests.concepts import Concepts
from warmstart.interests.segments import segments_of
from warmstart.ratings import check_rated, with_ratings
from warmstart.recipe import Recipe


def learned(recipe: Recipe, data: Dataset, progress: Progress | None = None) -> tuple[Encoders, Fitted]:
    """Encode the catalogue, simulate sparsity to learn the fusion, then fit the experts on all events.

    What a graph says of people (``user:ID``) is left out; so is a graph whose links name wrong items
    (``link_test.believed``).

    Raises
    ------
    DataError
        If there are no events, or ratings are to be learned and there are none.
    ConfigError
        If the memory budget is not enough.
    """
    if not len(data.interactions):
        raise DataError("the dataset has no events; an engine needs some to learn from")
    if recipe.rating_model is not None:
        check_rated(data, recipe.rating_model)
    recipe = within_budget(recipe, data)
    known = believed(impersonal(data), doubtful=recipe.doubtful_graph)
    encoders = Encoders.of(recipe, known, progress)
    space, judged = encoders.spaces(recipe.space, known.catalog, known.graph, progress)
    concepts = Concepts.fit(space.describe(known), recipe.space.template, recipe.concepts, progress)
    seen = (judged or space).describe(known)
    neighbours = linked(space.z, progress, data.interactions) if judged is None else None
    fusion = recipe.fusion.fit(recipe.experts, seen, progress)
    panel = _panel(recipe, fusion, seen, None if judged is None else space, progress)
    if progress:
        progress("finding segments", 0, 1)
    parts = (Support.fit(seen, graph=recipe.fusion.graph), fusion, concepts, segments_of(panel, seen))
    told = (known.interactions.item_counts(), data.fingerprint(), recipe.words)
    fitted = Fitted(known.catalog, known.graph, space, judged, panel, *parts, *told, neighbours=neighbours)
    if recipe.rating_model is not None:
        fitted = with_ratings(fitted, data, recipe.rating_model, progress)
    return encoders, fitted


def _panel(
    recipe: Recipe, fusion: FittedFusion, seen: Dataset, tuned: FittedItemSpace | None, progress: Progress | None
) -> Panel:
    """The experts on all events; where an encoder learned from them (``tuned``), a ``SplitPanel``."""
    panel = fusion.heard(Panel.fit(recipe.experts, seen, progress))
    if tuned is None:
        return panel
    assert seen.features is not None
    return SplitPanel.of(panel, recipe.experts, tuned.describe(seen), seen.features.shape[1], progress)
