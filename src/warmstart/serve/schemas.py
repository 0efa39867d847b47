"""What the API is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from warmstart.errors import DataError

Id = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]+$")]
Words = Annotated[str, StringConstraints(max_length=10_000)]
Slice = Literal["cold", "few_shot", "warm"]
Status = Literal["shown", "below the cut", "already seen", "filtered", "unknown"]
MOST = 1_000  # items of one answer
QUESTIONS = 100  # of one answer
NAMED = 200  # attributes, filters, interests of one request
Value = Words | StrictInt | StrictFloat | StrictBool  # else a text too long that is all digits would pass as a number
Values = Annotated[list[Value], Field(max_length=10_000)]
Filters = Annotated[dict[Id, Value | Values], Field(max_length=NAMED)]


Objective = Literal["relevance", "rating", "both"] | None
SORTED: Any = Field(
    None, description="What the list is sorted by: relevance, the predicted rating, both; null = as the recipe says."
)


class Asked(BaseModel):
    """A body; a name it does not know is a mistake, not silence."""

    model_config = ConfigDict(extra="forbid")


A = TypeVar("A", bound=Asked)


def understood(form: type[A], values: Mapping[str, Any]) -> A:
    """A body made of what came in another form.

    Raises
    ------
    DataError
        If a value cannot be used; the first one is told.

    Examples
    --------
    >>> understood(SimilarRequest, {"text": " "})
    Traceback (most recent call last):
    warmstart.errors.DataError: the request: Value error, give either item_id or text; mend it
    """
    try:
        return form.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the request"
        raise DataError(f"{place}: {first['msg']}; mend it") from None


class PastEvent(Asked):
    """Something the asker did, told in the request; it is not stored."""

    item_id: Id
    kind: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "view"
    time: str | int | float | None = Field(None, description="Seconds, milliseconds or ISO 8601; null = now.")
    value: float | None = Field(None, description="Of a rating.", allow_inf_nan=False)


class Who(Asked):
    """Somebody, by what is known of them."""

    user_id: Id | None = Field(None, description="Somebody; one nobody knows is a new user.", examples=["u1"])
    events: list[PastEvent | Id] | None = Field(
        None,
        description="What the asker did, oldest first: ids or events; after what is stored of the user.",
        max_length=10_000,
        examples=[["i1", {"item_id": "i2", "kind": "buy"}]],
    )
    attributes: dict[Id, Value | None] = Field(
        {}, description="What is known of the asker; added to what is stored.", max_length=NAMED
    )

    @property
    def question(self) -> Question:
        """Who asks, and nothing else."""
        return Question(user_id=self.user_id, events=self.events, attributes=self.attributes)


class Question(Who):
    """Who asks, and within what."""

    text: Words = Field("", description="What is wanted, in words.", examples=["slow science fiction"])
    filters: Filters = Field(
        {}, description="Column of the catalogue and the value, or values of which one, it must have."
    )
    exclude: list[Id] = Field([], description="Items not to be shown.", max_length=10_000)
    without: list[int | Words] = Field(
        [], description="Interests that are switched off, by number or name.", max_length=NAMED
    )


class ListRequest(Question):
    """A question that a list answers."""

    more: list[int | Words] = Field([], description="Interests of which more is wanted.", max_length=NAMED)
    objective: Objective = SORTED
    explain: bool = Field(False, description="Add the reasons of each item.")


class RecommendRequest(ListRequest):
    """Asks for recommendations: by user_id, by events, by text, by all of them, or by nothing: a new visitor."""

    k: int = Field(10, ge=1, le=MOST, description="Items wanted.")
    diversity: float = Field(0.0, ge=0, le=1, description="How much items must differ; 0 = by score alone.")
    calibrate: float = Field(0.0, ge=0, le=1, description="How far the list keeps the proportions of the interests.")
    interest: int | Words | None = Field(
        None, description="An interest, by number or name, whose items alone are shown."
    )
    scenario: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="Where the list is shown.", examples=["home"]
    )
    exclude_seen: bool = Field(True, description="Leave out what the asker knows.")


class NextRequest(Asked):
    """Asks for what comes after an answer."""

    recommendation_id: Id
    k: int = Field(10, ge=1, le=MOST)


class RankRequest(ListRequest):
    """Asks for the order of given items; nothing is left out but what is hidden, excluded or filtered."""

    items: list[Id] = Field(min_length=1, max_length=10_000, examples=[["i1", "i2", "i3"]])
    scenario: Annotated[str, StringConstraints(max_length=64)] = ""


class SimilarRequest(Asked):
    """Asks for items like an item, or like a text."""

    item_id: Id | None = Field(None, examples=["i1"])
    text: Words = ""
    k: int = Field(10, ge=1, le=MOST)
    filters: Filters = {}

    @model_validator(mode="after")
    def _one_of_them(self) -> SimilarRequest:
        if (self.item_id is None) == (not self.text.strip()):
            raise ValueError("give either item_id or text")
        return self


class ExplainRequest(Question):
    """Asks why an item is shown to somebody, or is not."""

    item_id: Id
    k: int = Field(10, ge=1, le=MOST, description="Length of the list it should stand in.")
    objective: Objective = SORTED


class RatingsRequest(Who):
    """Asks what somebody would rate some items; ratings that are known are events of kind `rate` with a value."""

    items: list[Id] = Field(min_length=1, max_length=MOST, examples=[["i1", "i2", "i3"]])


class AskRequest(Who):
    """Asks which items somebody should be asked to rate."""

    k: int = Field(5, ge=1, le=QUESTIONS, description="Items wanted.")


class Placed(BaseModel):
    """One place of a list."""

    item_id: str
    title: str = Field(description="Its title in the catalogue, else its id.")
    score: float = Field(description="Higher is better; compares within this answer alone.")
    rank: int = Field(description="From 1.")
    source: str = Field(description="The expert that ranks it highest.")
    explored: bool = Field(False, description="Shown to be learned about.")
    reasons: list[str] = Field([], description="Where asked for.")


class Recommendation(BaseModel):
    """A list, and where it came from."""

    recommendation_id: str = Field(description="Name it in the events that follow.")
    model_version: str
    generated_at: str = Field(description="ISO 8601, UTC.")
    slice: Slice = Field(description="By how much is known of the asker.")
    items: list[Placed]
    fallback: str | None = Field(None, description="Why it is less than it could be; null = it is not.")
    experiment: str | None = None
    variant: str | None = None
    unknown: list[str] = Field([], description="Given items that the catalogue lacks, hides or filters out.")


class Likeness(BaseModel):
    """Items like an item or a text."""

    model_version: str
    items: list[Placed]


class Rating(BaseModel):
    """What somebody would rate an item, in the unit of the ratings."""

    rating: float
    low: float = Field(
        description="Lower end of the interval in which `level` of such ratings lie, nine of ten as usual."
    )
    high: float = Field(description="Its upper end.")


class RatedItem(Rating):
    """The same with the item."""

    item_id: str
    title: str


class Heard(BaseModel):
    """What an answer about ratings took from what somebody rated."""

    model_version: str
    known: int = Field(description="Ratings of theirs that are known; 0 = those of somebody new.")
    unheard: list[str] = Field([], description="Items they rated that the catalogue lacks; these were left out.")
    outside: list[str] = Field([], description="Items they rated beyond the scale; these count as its ends.")
    fallback: str | None = Field(None, description="Why it is less than it could be; null = it is not.")


class Ratings(Heard):
    """Predicted ratings of somebody."""

    items: list[RatedItem]
    unknown: list[str] = Field([], description="Given items that the catalogue lacks or hides.")
    level: float = Field(description="Share of such ratings that lie between low and high.")


class WorthAsking(BaseModel):
    """An item whose rating would tell much."""

    item_id: str
    title: str
    gain: float = Field(description="What it takes from the mean variance of the other ratings.")


class Questions(Heard):
    """Items to ask somebody about, the most telling first; each as if those before had been answered."""

    items: list[WorthAsking]


class Told(BaseModel):
    """Why an item is shown, or is not."""

    item_id: str
    title: str
    status: Status
    rank: int | None = Field(description="Among all allowed items; null where it was not ranked.")
    k: int
    text: str = Field(description="In words.")
    detail: dict[str, Any] = Field(description="What speaks for it, item by item.")
    rating: Rating | None = Field(None, description="What they would rate it; null where that is not predicted.")
    model_version: str


class Interest(BaseModel):
    """What sets somebody apart from everybody."""

    concept: int = Field(description="For `interest`, `without` and `more`.")
    level: int = Field(description="0 = coarsest.")
    label: str
    weight: float = Field(description="The weights of a person sum to 1.")
    share: float = Field(description="Of this person's events, newer ones weighing more.")
    common: float = Field(description="Of everybody's events.")
    trend: str
    evidence_items: list[str] = Field(description="Titles, newest first.")


class Interests(BaseModel):
    """The interests of somebody."""

    user_id: str
    model_version: str
    slice: Slice
    interests: list[Interest]
