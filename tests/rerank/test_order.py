"""What decides the order of a list, and how deep it looks."""

import pytest

from warmstart.errors import ConfigError
from warmstart.recipe import Recipe
from warmstart.rerank.order import BOTH, OBJECTIVES, RATING, RELEVANCE, Order
from warmstart.rerank.tail import Tail


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"objective": "fame"}, "objective='fame' is none of ['relevance', 'rating', 'both']"),
        ({"calibrate": 1.5}, "calibrate=1.5 is not between 0 and 1"),
    ],
)
def test_mistakes_are_told(given, said):
    with pytest.raises(ConfigError) as told:
        Order(**given)
    assert said in str(told.value)


def test_a_plain_list_looks_no_deeper_than_it_is_long():
    assert [Order().depth(k) for k in (1, 500)] == [1, 500]
    assert [Order(RATING).depth(k) for k in (1, 500)] == [Order(BOTH).depth(k) for k in (1, 500)] == [200, 500]
    for order in (Order(calibrate=0.1), Order(tail=Tail(floor=0.1)), Order(RATING, calibrate=0.1)):
        assert [order.depth(k) for k in (1, 500)] == [200, 5000]
    assert Order().depth(30, moved=True) == 300


def test_a_recipe_knows_its_order():
    assert Recipe().order == Order(RELEVANCE)
    recipe = Recipe.of({"objective": "rating", "tail": {"floor": 0.2}})
    assert recipe.order == Order(RATING, tail=Tail(floor=0.2))
    assert Recipe.of(recipe.to_dict()) == recipe
    assert OBJECTIVES == (RELEVANCE, RATING, BOTH)
    assert [(Order(one).rated, Order(one).by_rating) for one in OBJECTIVES] == [(0, 0), (1, 1), (1, 0)]
    with pytest.raises(ConfigError, match="none of"):
        Recipe.of({"objective": "clicks"})


def test_ratings_are_learned_where_they_are_the_objective_or_asked_for():
    assert Recipe().rating_model is None
    assert Recipe(objective=RATING).rating_model == Recipe(objective=BOTH).rating_model is not None
    named = Recipe.of({"objective": "rating", "ratings": {"rehearsal": 0.0}})
    assert named.rating_model is named.ratings
    assert Recipe.of({"ratings": {"rehearsal": 0.0}}).rating_model.rehearsal == 0
