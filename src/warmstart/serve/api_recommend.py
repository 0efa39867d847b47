"""Routes of answers: recommend, what comes next, similar, rank, ratings, interests, explain."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from warmstart.serve import ratings, recommend, verbs
from warmstart.serve.api_data import READ, Key, Serving
from warmstart.serve.problems import problem_responses
from warmstart.serve.schemas import (
    AskRequest,
    ExplainRequest,
    Interests,
    Likeness,
    NextRequest,
    Questions,
    RankRequest,
    Ratings,
    RatingsRequest,
    Recommendation,
    RecommendRequest,
    SimilarRequest,
    Told,
)

router = APIRouter(prefix="/v1", dependencies=READ, responses=problem_responses())


def written(answer: BaseModel) -> Response:
    """An answer as JSON, written here and now: checked once more by the framework, it would change threads twice."""
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post("/recommend", response_model=Recommendation, summary="Recommend")
def post_recommend(body: RecommendRequest, service: Serving) -> Response:
    """To a user, to a history, to words, to all of them, or to somebody of whom nothing is known."""
    return written(recommend.recommend(service, body))


@router.post("/recommend/next", response_model=Recommendation, summary="What comes after an answer")
def post_next(body: NextRequest, service: Serving) -> Response:
    """The same question, without what was shown already."""
    return written(recommend.next_page(service, body))


@router.post("/rank", response_model=Recommendation, summary="Put given items in order")
def post_rank(body: RankRequest, service: Serving) -> Response:
    """For lists that come from elsewhere, as a search."""
    return written(recommend.rank(service, body))


@router.post("/similar", response_model=Likeness, summary="Items like an item, or like a text")
def post_similar(body: SimilarRequest, service: Serving) -> Response:
    """By people and by content where both are known."""
    return written(verbs.similar(service, body))


@router.post("/ratings", summary="What somebody would rate items", responses=problem_responses(404))
def post_ratings(body: RatingsRequest, service: Serving) -> Ratings:
    """With intervals; where the model that serves has learned ratings."""
    return ratings.predict(service, body)


@router.post("/ratings/ask", summary="Which items to ask somebody about", responses=problem_responses(404))
def post_ratings_ask(body: AskRequest, service: Serving) -> Questions:
    """Those whose rating would make the other predictions surest."""
    return ratings.questions(service, body)


@router.post("/explain", response_model=Told, summary="Why an item is shown, or is not")
def post_explain(body: ExplainRequest, service: Serving) -> Response:
    """Also for an item that is missing: seen, filtered, hidden, unknown, or below the cut at which rank."""
    return written(verbs.explain(service, body))


@router.get("/users/{user_id:path}/interests", summary="What somebody is about, in words")
def get_interests(user_id: Key, service: Serving) -> Interests:
    """What sets them apart from everybody, with the events that show it."""
    return verbs.interests(service, user_id)
