"""Routes of answers: recommend, what comes next, similar, rank, interests, explain."""

from __future__ import annotations

from fastapi import APIRouter

from warmstart.serve import recommend, verbs
from warmstart.serve.api_data import READ, Key, Serving
from warmstart.serve.problems import problem_responses
from warmstart.serve.schemas import (
    ExplainRequest,
    Interests,
    Likeness,
    NextRequest,
    RankRequest,
    Recommendation,
    RecommendRequest,
    SimilarRequest,
    Told,
)

router = APIRouter(prefix="/v1", dependencies=READ, responses=problem_responses())


@router.post("/recommend", summary="Recommend")
def post_recommend(body: RecommendRequest, service: Serving) -> Recommendation:
    """To a user, to a history, to words, to all of them, or to somebody of whom nothing is known."""
    return recommend.recommend(service, body)


@router.post("/recommend/next", summary="What comes after an answer")
def post_next(body: NextRequest, service: Serving) -> Recommendation:
    """The same question, without what was shown already."""
    return recommend.next_page(service, body)


@router.post("/rank", summary="Put given items in order")
def post_rank(body: RankRequest, service: Serving) -> Recommendation:
    """For lists that come from elsewhere, as a search."""
    return recommend.rank(service, body)


@router.post("/similar", summary="Items like an item, or like a text")
def post_similar(body: SimilarRequest, service: Serving) -> Likeness:
    """By people and by content where both are known."""
    return verbs.similar(service, body)


@router.post("/explain", summary="Why an item is shown, or is not")
def post_explain(body: ExplainRequest, service: Serving) -> Told:
    """Also for an item that is missing: seen, filtered, hidden, unknown, or below the cut at which rank."""
    return verbs.explain(service, body)


@router.get("/users/{user_id}/interests", summary="What somebody is about, in words")
def get_interests(user_id: Key, service: Serving) -> Interests:
    """What sets them apart from everybody, with the events that show it."""
    return verbs.interests(service, user_id)
