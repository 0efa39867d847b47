"""What the options of ``warmstart finetune`` say of the task, and what they mean for no other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from warmstart.errors import ConfigError
from warmstart.learn.settings import Training, Tuning

if TYPE_CHECKING:
    from warmstart.data.catalog import Catalog
    from warmstart.data.dataset import Dataset
    from warmstart.learn.adversarial import Adversary
    from warmstart.learn.finetune import Finetuning, Learned
    from warmstart.learn.heads import HeadSettings
    from warmstart.learn.objective import Watch
    from warmstart.learn.pairs import Pairing
    from warmstart.learn.task import Task

T = TypeVar("T")


class TaskName(StrEnum):
    """What can be learned."""

    retrieval = "retrieval"
    interest = "interest"
    category = "category"
    rating = "rating"
    ranking = "ranking"


OVER_PAIRS = (TaskName.interest, TaskName.category, TaskName.rating, TaskName.ranking)
MEANING = {  # option -> tasks; what is not here has a meaning for all
    "loss": (TaskName.retrieval, TaskName.ranking),
    "teacher": (TaskName.retrieval,),
    "dims": (TaskName.retrieval,),
    "threshold": (TaskName.interest,),
    "negatives": (TaskName.interest, TaskName.ranking),
    "by_rating": (TaskName.ranking,),
    "category": (TaskName.category,),
    "rare": (TaskName.category,),
    "head": OVER_PAIRS,
    "reads": OVER_PAIRS,
    "hidden": OVER_PAIRS,
}
TAUGHT = ("history", "head_rate")  # of retrieval only where a teacher is asked


@dataclass(frozen=True)
class Usual:
    """What is taken where an option is left out."""

    mode: str
    steps: int
    batch: int
    learning_rate: float
    dropout: float
    token_dropout: float
    validate_every: int
    checkpoint_every: int

    @classmethod
    def of(
        cls, task: TaskName, data: Dataset, template: str | None, batch: int | None, held_out: float, seed: int
    ) -> Usual:
        """For a task; for retrieval with as many steps as read the texts of this dataset twelve times."""
        if task is not TaskName.retrieval:
            return ANSWERS
        from warmstart.learn.encoder import Finetune
        from warmstart.learn.retrieval import Retrieval

        plan = Finetune(retrieval=Retrieval(held_out=held_out))
        plan = replace(plan, training=replace(plan.training, seed=seed))
        if batch is not None:
            plan = replace(plan, characters=0, training=replace(plan.training, batch=batch))
        loop, tuning = plan.for_data(data, template), plan.tuning
        rates = (loop.learning_rate, tuning.dropout, tuning.token_dropout)
        return cls(tuning.mode, loop.steps, loop.batch, *rates, loop.validate_every, loop.checkpoint_every)

    def tuning(
        self, mode: str | None, layers: int, rank: int, dropout: float | None, token_dropout: float | None
    ) -> Tuning:
        """Which weights learn."""
        inner, outer = given(dropout, self.dropout), given(token_dropout, self.token_dropout)
        return Tuning(given(mode, self.mode), layers, rank, dropout=inner, token_dropout=outer)

    def training(
        self,
        loop: Training,
        steps: int | None,
        batch: int | None,
        learning_rate: float | None,
        validate_every: int | None,
        checkpoint_every: int | None,
    ) -> Training:
        """The loop with what differs between tasks."""
        return replace(
            loop,
            steps=given(steps, self.steps),
            batch=given(batch, self.batch),
            learning_rate=given(learning_rate, self.learning_rate),
            validate_every=given(validate_every, self.validate_every),
            checkpoint_every=given(checkpoint_every, self.checkpoint_every),
        )


ANSWERS = Usual("last", 200, 32, 5e-5, 0.0, 0.0, 20, 50)
NEGATIVES = 4


@dataclass(frozen=True)
class Asked:
    """What the options say of the task; None where one is left out.

    Raises
    ------
    ConfigError
        If one was given that has no meaning for the task, or beside another.
    """

    task: TaskName
    loss: str | None = None
    teacher: str | None = None
    dims: str | None = None
    threshold: float | None = None
    negatives: int | None = None
    by_rating: bool | None = None
    category: str | None = None
    rare: str | None = None
    head: str | None = None
    reads: str | None = None
    hidden: int | None = None
    history: int | None = None
    head_rate: float | None = None

    def __post_init__(self) -> None:
        for name, tasks in MEANING.items():
            if self.task not in tasks:
                self._refuse(name, f"for task {self.task.value!r}", f"give --task {' or '.join(tasks)}")
        if self.task is TaskName.retrieval and self.loss != "distil":
            for name in TAUGHT:
                self._refuse(name, f"for task {self.task.value!r}", "give --loss distil")
        self._check_loss()
        for name in ("threshold", "by_rating"):
            if getattr(self, name) is not None:
                self._refuse("negatives", f"beside {flag(name)}: nothing is drawn", f"leave {flag(name)} out")

    def _check_loss(self) -> None:
        """Refuse a loss that is another task's."""
        from warmstart.learn.finetune_retrieval import LOSSES
        from warmstart.learn.losses import RANKING

        of_task = {TaskName.retrieval: LOSSES, TaskName.ranking: tuple(RANKING)}
        for task, losses in of_task.items():
            if self.loss in losses and self.loss not in of_task.get(self.task, ()):
                mine = ", ".join(of_task[self.task])
                raise ConfigError(f"--loss {self.loss} is of task {task.value!r}; for {self.task.value!r} give {mine}")

    def _refuse(self, name: str, place: str, remedy: str) -> None:
        value = getattr(self, name)
        if value is not None:
            told = flag(name) if value is True else f"{flag(name)} {value!r}"
            raise ConfigError(f"{told} has no meaning {place}; leave it out, or {remedy}")

    def heads(self) -> HeadSettings:
        """What stands on the language model."""
        from warmstart.learn.heads import HeadSettings

        usual = HeadSettings()
        return HeadSettings(
            given(self.head, usual.kind), given(self.reads, usual.reads), given(self.hidden, usual.hidden)
        )

    def pairing(self, held_out: float) -> Pairing:
        """How examples are made and held out."""
        from warmstart.learn.pairs import Pairing

        return Pairing(given(self.history, Pairing.history), held_out)

    def learn(self, data: Dataset, out: Path, settings: Finetuning, track: list[str], watch: Watch) -> Learned:
        """Fine-tune."""
        from warmstart.learn.finetune import finetune
        from warmstart.learn.finetune_retrieval import RetrievalTask, finetune_retrieval

        if self.task is TaskName.retrieval:
            held_out, dims = settings.pairing.held_out, lengths(self.dims or "")
            wanted = RetrievalTask(self.loss or "elsa", dims, held_out, self.teacher or "")
            return finetune_retrieval(data, wanted, out, settings, track=track, watch=watch)
        return finetune(data, self.over_pairs(data.catalog), out, settings, track=track, watch=watch)

    def over_pairs(self, catalog: Catalog) -> Task:
        """The task over people and items."""
        from warmstart.learn.category import Category
        from warmstart.learn.interest import Interest
        from warmstart.learn.ranking import Ranking
        from warmstart.learn.rating import Rating

        drawn = given(self.negatives, NEGATIVES)
        if self.task is TaskName.interest:
            return Interest(self.threshold, drawn)
        if self.task is TaskName.category:
            return Category.of(catalog, self.category, self.rare or "refuse")
        return Rating() if self.task is TaskName.rating else Ranking(self.loss or "bpr", drawn, bool(self.by_rating))


def adversary(method: str | None, weight: float | None, rate: float | None) -> Adversary | None:
    """What texts are put through; None = nothing.

    Raises
    ------
    ConfigError
        If it is not known, or a weight or rate was given that it does not have.
    """
    from warmstart.learn.adversarial import Adversary
    from warmstart.learn.attacks import Attack

    typos = Attack("typos", given(rate, 0.2))
    made = Adversary(method, given(weight, Adversary.weight), attack=typos) if method else None
    for name, value, able in (
        ("weight", weight, ("fgm", "pgd", "vat", "consistency")),
        ("rate", rate, ("typos", "consistency")),
    ):
        if value is not None and method not in able:
            beside = "without --adversary" if method is None else f"for --adversary {method}"
            raise ConfigError(
                f"--adversary-{name} {value!r} has no meaning {beside}; leave it out, or give one of {', '.join(able)}"
            )
    return made


def given(value: T | None, usual: T) -> T:
    """An option, or what is usual where it is left out.

    Examples
    --------
    >>> given(None, 3), given(0, 3)
    (3, 0)
    """
    return usual if value is None else value


def flag(name: str) -> str:
    """A field's name as it is typed.

    Examples
    --------
    >>> flag("by_rating")
    '--by-rating'
    """
    return "--" + name.replace("_", "-")


def lengths(text: str) -> tuple[int, ...]:
    """Numbers between commas.

    Raises
    ------
    ConfigError
        If something is no number.

    Examples
    --------
    >>> lengths("64, 128"), lengths("")
    ((64, 128), ())
    """
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"--dims {text!r} holds something that is no number; write e.g. 64,128") from None
