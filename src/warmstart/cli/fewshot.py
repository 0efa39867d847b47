"""How much a handful of labels teaches, method by method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.options import Data, Items, Json, Map, Rejects, Scale, Tables, Template, Weights, ids
from warmstart.cli.screen import Tell, answers, emit, listing, progress, say
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from warmstart.data.dataset import Dataset
    from warmstart.learn.augment import Augment, Augmentation
    from warmstart.learn.fewshot_curve import Curve
    from warmstart.text.cache import CachedEncoder


class LabelKind(StrEnum):
    """What k counts."""

    events = "events"
    pairs = "pairs"


USUAL = {LabelKind.events: "ridge,discriminant,linear,spectral,stacked", LabelKind.pairs: "ridge,discriminant,linear"}


class Order(StrEnum):
    """Which events of a user are the labelled ones."""

    random = "random"
    first = "first"


class Part(StrEnum):
    """Which users are looked at."""

    all = "all"
    test = "test"
    validation = "validation"


Shots = Annotated[
    str | None,
    typer.Option(
        help="k's of the curve, between commas; usual: 1,2,4,8,16,32,64, of events as far as users have more."
    ),
]
Labels = Annotated[LabelKind, typer.Option(help="k events of each user, or k labelled pairs in all.")]
Names = Annotated[
    str | None,
    typer.Option(
        "--methods",
        help="ridge, discriminant, linear; of events spectral, stacked (these usually); pairs, lora.",
    ),
]
Shown = Annotated[Order, typer.Option("--order", help="Which k events a user shows.")]
People = Annotated[Part, typer.Option("--part", help="validation: a third of the users, to choose settings on.")]
Share = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the part's users that a seed draws.")]
Seeds = Annotated[int, typer.Option(min=1, help="Draws over which intervals are taken.")]
Seed = Annotated[int, typer.Option(min=0, help="The first draw.")]
Encoder = Annotated[str, typer.Option(help="Frozen encoder: folder or name.")]
Model = Annotated[str, typer.Option(help="What pairs and lora tune: folder or name.")]
Change = Annotated[
    str | None,
    typer.Option("--augment", help="field_dropout, deletion, swap, masking, token_dropout, mixup: with and without."),
]
Rate = Annotated[float, typer.Option(min=0.0, help="Of each augmentation; alpha of mixup.")]
Paraphrase = Annotated[str | None, typer.Option(help="Text-to-text model that paraphrases: with and without.")]
Back = Annotated[str | None, typer.Option("--back-translate", help="Two text-to-text models, THERE,BACK.")]
Page = Annotated[Path | None, typer.Option("--html", help="Write the curve as one self-contained page here.")]


def fewshot(
    data: Data,
    items: Items = None,
    labels: Labels = LabelKind.events,
    shots: Shots = None,
    names: Names = None,
    order: Shown = Order.random,
    part: People = Part.test,
    share: Share = 0.8,
    seeds: Seeds = 5,
    seed: Seed = 0,
    encoder: Encoder = "minilm-onnx",
    model: Model = "all-MiniLM-L6-v2",
    augment: Change = None,
    rate: Rate = 0.2,
    paraphrase: Paraphrase = None,
    back_translate: Back = None,
    template: Template = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    html: Page = None,
    as_json: Json = False,
) -> None:
    """Print what each method makes of k labels, beside popularity, content cosine and factors learned from scratch.

    Every method knows k events of each user and nothing else (of "popularity (everybody)" alone more), and ranks the
    whole catalogue for what else these users did. Intervals: 95 %, over seeds.
    """
    from warmstart.learn.processes import one_alone

    one_alone("fewshot")
    dataset, _ = Tables(data, items, map=columns, weights=weights, rejects=rejects, scale=scale).read()
    change = augmentation(augment, rate, paraphrase, back_translate, model)
    asked = Asked(lengths(shots, dataset, labels, part), order.value, part.value, share, seeds, seed, template)
    with progress() as tell:
        curve = asked.measure(dataset, labels, ids(names or USUAL[labels]), encoder, model, change, tell)
    if html is not None:
        from warmstart.evaluate.fewshot_page import page

        html.write_text(page(curve, f"{Path(data).stem}: k labelled {labels.value}"), encoding="utf-8")
    if as_json:
        emit(curve.to_dict())
    else:
        answers().print(listing(table(curve), heading(curve)), *verdicts(curve), sep="\n")


@dataclass(frozen=True)
class Asked:
    """The question as the command line puts it."""

    shots: tuple[int, ...]
    order: str
    part: str
    share: float
    seeds: int
    seed: int
    template: str | None

    def measure(
        self,
        data: Dataset,
        labels: LabelKind,
        names: list[str],
        encoder: str,
        model: str,
        change: Augmentation | None,
        tell: Tell,
    ) -> Curve:
        """The curve of the named methods."""
        from warmstart.learn.fewshot import FewShot
        from warmstart.learn.fewshot_curve import learning_curve, pair_curve
        from warmstart.learn.fewshot_methods import FLOORS, methods
        from warmstart.learn.fewshot_pair_methods import pair_methods
        from warmstart.text.templates import item_texts

        settings = FewShot(self.shots, self.order, self.part, self.share)
        texts = item_texts(data.catalog, self.template)
        frozen = cached(encoder, texts, tell)
        vectors, options = frozen.encode(texts), {"seeds": self.seeds, "seed": self.seed}
        if labels is LabelKind.pairs:
            return pair_curve(
                data, texts, vectors, pair_methods(names, model, change), settings, floors=FLOORS, tell=tell, **options
            )
        known = methods(names, model, change, frozen.encode)
        return learning_curve(data, texts, vectors, known, settings, floors=FLOORS, tell=tell, **options)


def cached(encoder: str, texts: list[str], tell: Tell) -> CachedEncoder:
    """The frozen encoder; its vectors are kept in the user's cache."""
    from warmstart.text.cache import CachedEncoder
    from warmstart.text.choose import encoder_from_name
    from warmstart.text.weights import cache_home

    def told(done: int, total: int) -> None:
        tell("texts", done, total)

    return CachedEncoder(encoder_from_name(encoder, texts), cache_home(), told)


def augmentation(
    names: str | None, rate: float, paraphrase: str | None, back: str | None, model: str
) -> Augmentation | None:
    """What the options switch on; None if nothing."""
    if not (names or paraphrase or back):
        return None
    from warmstart.learn.augment import Augmentation

    wanted = ids(names or "")
    tokenizer = _tokenizer(model) if "token_dropout" in wanted else None
    return replace(Augmentation.of(wanted, rate, tokenizer), rewriter=_rewriter(paraphrase, back))


def lengths(text: str | None, data: Dataset, labels: LabelKind, part: Part) -> tuple[int, ...]:
    """The k's asked for; else the usual ones, less those past which too few users have events, which is told."""
    from warmstart.learn.fewshot import SHOTS, reachable

    if text is not None:
        return whole_numbers(text)
    kept = reachable(data, part.value) if labels is LabelKind.events else SHOTS
    if left := [str(k) for k in SHOTS if k not in kept]:
        say(f"k = {', '.join(left)} left out: too few users ({part.value}) have more events; --shots asks for them")
    return kept


def whole_numbers(text: str) -> tuple[int, ...]:
    """Numbers between commas.

    Raises
    ------
    ConfigError
        If one is no whole number.

    Examples
    --------
    >>> whole_numbers("1, 8")
    (1, 8)
    """
    try:
        return tuple(int(part) for part in ids(text))
    except ValueError:
        raise ConfigError(f"--shots {text!r} holds what is no whole number; write e.g. --shots 1,2,4,8") from None


def heading(curve: Curve) -> str:
    """What was measured, on whom."""
    sizes = ", ".join(f"{n:,} {name}" for name, n in curve.sizes.items())
    seeds = len(next(iter(curve.values.values()))[0])
    return f"{curve.measure}, mean and 95 % t-interval over {seeds} seeds; {sizes}"


def table(curve: Curve) -> pl.DataFrame:
    """A line a method, a column a k."""
    import polars as pl

    shots = curve.settings.shots
    rows = [[name, *(str(curve.spread(name, k)) for k in shots)] for name in curve.values]
    return pl.DataFrame(rows, schema=["method", *(f"k={k}" for k in shots)], orient="row")


def verdicts(curve: Curve) -> list[str]:
    """For every k: the best of all, a floor or not, and which floors the interval of the best method lies above."""
    return [line for k in curve.settings.shots if (line := _verdict(curve, k))]


def _verdict(curve: Curve, k: int) -> str:
    means = {name: m for name in curve.values if (m := curve.spread(name, k).mean) == m}  # those that are numbers
    others = [name for name in means if name not in curve.floors and "everybody" not in name]
    if not others:
        return ""
    first, best = max(means, key=means.__getitem__), max(others, key=means.__getitem__)
    above = f"its interval lies above: {', '.join(curve.beaten(best, k)) or 'none'}"
    if first == best:
        return f"k={k}: {best} is best; {above}"
    return f"k={k}: {first}, a floor, is best; of the methods {best}, {above}"


def _tokenizer(model: str) -> Any:
    from warmstart.text.transformer import load_transformer
    from warmstart.text.weights import weights_folder

    return load_transformer(weights_folder(model))[0]


def _rewriter(paraphrase: str | None, back: str | None) -> Augment | None:
    """A paraphrasing model, or two for there and back; both cannot be asked for."""
    if paraphrase and back:
        raise ConfigError("--paraphrase and --back-translate were both given; one run measures one of them")
    if not (paraphrase or back):
        return None
    from warmstart.learn.rewrite import BackTranslation, Rewriter

    if paraphrase:
        return Rewriter(paraphrase)
    models = ids(back or "")
    if len(models) != 2:
        raise ConfigError(f"--back-translate {back!r} does not name two models; write THERE,BACK")
    return BackTranslation(Rewriter(models[0]), Rewriter(models[1]))
