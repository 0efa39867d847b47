"""Recipes: TOML on disk, typed objects in memory, and the one table from names to classes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from warmstart.data.relation_names import RelationNames, shipped
from warmstart.errors import ConfigError, installed
from warmstart.experts.attributes import UserAttributes
from warmstart.experts.base import Expert
from warmstart.experts.content import ContentCosine, ContentMap
from warmstart.experts.cross import CrossEncoder
from warmstart.experts.factors import Factors
from warmstart.experts.graph import PersonalisedPageRank
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.low_rank import ELSA
from warmstart.experts.popularity import Popularity
from warmstart.experts.ratings.model import RatingModel
from warmstart.experts.segments import Segments
from warmstart.experts.sequence import SequenceTransformer
from warmstart.experts.smoothed import SmoothedEASE
from warmstart.experts.space import ItemSpace
from warmstart.experts.transitions import Transitions
from warmstart.fusion.fuse import Fusion
from warmstart.interests.concepts import ConceptSettings
from warmstart.learn.encoder import Finetune
from warmstart.rerank.order import RELEVANCE, Order
from warmstart.rerank.tail import Tail

EXPERTS: dict[str, type] = {
    "Popularity": Popularity,
    "ContentCosine": ContentCosine,
    "ContentMap": ContentMap,
    "PriorMeanEASE": PriorMeanEASE,
    "SmoothedEASE": SmoothedEASE,
    "Factors": Factors,
    "ELSA": ELSA,
    "Transitions": Transitions,
    "PersonalisedPageRank": PersonalisedPageRank,
    "SequenceTransformer": SequenceTransformer,
    "Segments": Segments,
    "UserAttributes": UserAttributes,
    "CrossEncoder": CrossEncoder,
}


def default_experts() -> dict[str, Expert]:
    """The experts of the default recipe, by name; ``sequence`` where torch and onnx are (extra ``lm``).

    One that has nothing to learn from (``graph`` without a graph, ``attributes`` without any) leaves itself out.
    """
    experts: dict[str, Expert] = {
        "popularity": Popularity(),
        "predicted": Popularity(tau=16.0),
        "recent": Popularity(half_life=0.2, tau=0.5),
        "newest": Popularity(half_life=0.05, tau=0.5),
        "content": ContentCosine(),
        "content_map": ContentMap(),
        "people": PriorMeanEASE(strength=1.0),
        "people_few": PriorMeanEASE(strength=10.0, dropout=0.6),
        "people_one": PriorMeanEASE(strength=100.0, dropout=0.85),
        "people_content": SmoothedEASE(),
        "factors": Factors(),
        "transitions": Transitions(),
        "graph": PersonalisedPageRank(),
        "attributes": UserAttributes(),
    }
    if installed("torch", "accelerate", "onnx"):
        experts["sequence"] = SequenceTransformer()
    return experts


@dataclass(frozen=True)
class Recipe:
    """All that an engine is made of.

    Parameters
    ----------
    encoder
        Name, folder or hub name of the text encoder; ``auto`` takes the best that works here.
    space
        How items become features.
    experts
        By name; the names appear as sources of recommendations.
    fusion
        How experts are joined.
    concepts
        How what items are about is found and named.
    finetune
        How the text encoder learns from the events it is fitted on; None = it stays as it is. With it, ``encoder`` is
        left at "auto".
    judge
        An encoder that never learned from these events, in whose features the fusion learns whom to trust, where
        ``encoder`` is one that did (``warmstart finetune``); "" = none is needed. With ``finetune`` it is the model
        that fine-tuning began with.
    objective
        What lists are sorted by: ``"relevance"``, ``"rating"`` (the predicted one) or ``"both"``.
    tail
        How much of what is widely known lists give for what is not.
    ratings
        How ratings are predicted; None = not until ``predict_rating`` asks for one, or as usual where the objective
        needs them.
    doubtful_graph
        Whether a graph is used whose links seem to name the wrong items.
    memory_gb
        What a fit may hold in memory, in GB of 10^9 bytes; 0 = it is not looked at. Where all does not fit, worlds are
        made of fewer people, fewer questions are asked, and fewer items solved (``budget.within_budget``).
    relation_names
        Words for relations of the graph, before those of the package: see ``RelationNames.of``.
    """

    encoder: str = "auto"
    space: ItemSpace = field(default_factory=ItemSpace)
    experts: Mapping[str, Expert] = field(default_factory=default_experts)
    fusion: Fusion = field(default_factory=Fusion)
    concepts: ConceptSettings = field(default_factory=ConceptSettings)
    finetune: Finetune | None = field(default=None, metadata={"class": Finetune})
    judge: str = ""
    objective: str = RELEVANCE
    tail: Tail = field(default_factory=Tail)
    ratings: RatingModel | None = field(default=None, metadata={"class": RatingModel})
    doubtful_graph: bool = False
    memory_gb: float = 0.0
    relation_names: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.finetune is not None and self.encoder != "auto":
            raise ConfigError(
                f"encoder={self.encoder!r} stands beside [finetune]; name it there as model, or leave one of them out"
            )
        if self.finetune is not None and self.judge:
            raise ConfigError(f"judge={self.judge!r} stands beside [finetune], whose model is the judge; leave it out")
        if not self.memory_gb >= 0:
            raise ConfigError(
                f"memory_gb={self.memory_gb:g} is below 0; give GB, e.g. 8.0, or 0 to take what is needed"
            )
        _ = self.words, self.order  # what is wrong is refused here, not when it is first used

    @cached_property
    def words(self) -> RelationNames:
        """Relations in words."""
        return shipped().under(RelationNames.of(self.relation_names, "[relation_names] of the recipe"))

    @cached_property
    def order(self) -> Order:
        """What decides the order of lists, where nobody asks for another."""
        return Order(self.objective, tail=self.tail)

    @property
    def rating_model(self) -> RatingModel | None:
        """How a fit learns to predict ratings; None = not at all."""
        return RatingModel() if self.ratings is None and self.order.rated else self.ratings

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a TOML recipe; what it does not say stays default.

        Raises
        ------
        ConfigError
            If the file is missing or no TOML, or names an unknown setting or class.

        Examples
        --------
        >>> Recipe.of({"fusion": {"top": 100}}).fusion.top
        100
        """
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"recipe {path} cannot be read ({error.strerror}); give the path of a TOML file"
            ) from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"recipe {path} is no TOML: {error}; see docs/recipes.md") from error
        try:
            return cls.of(table)
        except ConfigError as error:
            raise ConfigError(f"recipe {path}: {error}") from None

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Recipe:
        """From the plain values of a recipe."""
        table = dict(table)
        experts = table.pop("experts", None)
        if experts is None:
            return cls(**settings_of(cls, table, "recipe"))
        made = {}
        for name, settings in experts.items():
            settings = dict(settings)
            kind = settings.pop("class", None)
            if kind not in EXPERTS:
                raise ConfigError(f"expert {name!r} has class {kind!r}; known classes are {sorted(EXPERTS)}")
            made[name] = build(EXPERTS[kind], settings, f"experts.{name}")
        return cls(**settings_of(cls, table, "recipe"), experts=made)

    def without(self, *names: str) -> Recipe:
        """Without some of its experts.

        Raises
        ------
        ConfigError
            If there is no expert of a name, or none is left.

        Examples
        --------
        >>> "graph" in Recipe().without("graph", "transitions").experts
        False
        """
        unknown = [name for name in names if name not in self.experts]
        left = {name: expert for name, expert in self.experts.items() if name not in names}
        if unknown or not left:
            told = f"no expert {unknown[0]!r} can be left out" if unknown else "no expert would be left"
            raise ConfigError(f"{told}; the recipe has {sorted(self.experts)}")
        return replace(self, experts=left)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, such as ``of`` takes."""
        out: dict[str, Any] = plain(self)
        out["experts"] = {name: {"class": type(e).__name__} | plain(e) for name, e in self.experts.items()}
        return out


def build(kind: type, settings: Mapping[str, Any], place: str) -> Any:
    """A dataclass from plain values, nested tables included; unknown names are refused."""
    return kind(**settings_of(kind, settings, place))


def settings_of(kind: type, settings: Mapping[str, Any], place: str, default: Any = None) -> dict[str, Any]:
    """Checked and converted arguments of a dataclass; nested ones keep what ``default`` says of them.

    ``true`` switches on, as it usually is, a part whose field is a ``switch``.
    """
    known = {f.name for f in fields(kind)}
    values, types = {}, {f.name: f.type for f in fields(kind)}
    default = kind() if default is None else default
    kinds = {f.name: f.metadata["class"] for f in fields(kind) if "class" in f.metadata}
    switches = {f.name for f in fields(kind) if f.metadata.get("switch")}
    for name, value in settings.items():
        if name not in known:
            raise ConfigError(f"{place} has no setting {name!r}; it has {sorted(known)}")
        optional = "None" in str(types[name])
        now = kinds[name]() if name in kinds else getattr(default, name)
        values[name] = now if value is True and name in switches else convert(now, value, f"{place}.{name}", optional)
    return values


def convert(now: Any, value: Any, place: str, optional: bool) -> Any:
    """A plain value in the type of the default ``now``; ``false`` switches an optional part off."""
    if is_dataclass(now) and not isinstance(now, type):
        if value is False and optional:
            return None
        if isinstance(value, Mapping):
            return replace(now, **settings_of(type(now), value, place, now))
    if isinstance(now, tuple) and isinstance(value, list) and (value or not now):
        return tuple(convert(now[0], v, place, False) if now else v for v in value)
    if isinstance(now, float) and type(value) is int:
        return float(value)
    if now is not None and (not isinstance(value, type(now)) or (type(value) is bool) != (type(now) is bool)):
        raise ConfigError(f"{place} is {value!r}; it takes {type(now).__name__}, e.g. {now!r}")
    return value


def plain(value: Any) -> Any:
    """Dataclasses as dicts, tuples as lists; a switched-off part is False."""
    if is_dataclass(value) and not isinstance(value, type):
        given = {f.name: getattr(value, f.name) for f in fields(value)}
        usual = type(value)()
        kept = {name: v for name, v in given.items() if v is not None or is_dataclass(getattr(usual, name))}
        return {name: False if v is None else plain(v) for name, v in kept.items()}
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    return [plain(one) for one in value] if isinstance(value, tuple) else value
