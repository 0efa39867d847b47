"""Mistakes that a check found: where, which value, what to give instead, each once and in plain words."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from warmstart.serve.mistakes import mistake


class Asked(BaseModel):
    """What is asked here."""

    model_config = ConfigDict(extra="forbid")

    k: int = Field(10, ge=1, le=50)
    share: float = Field(0.5, gt=0, lt=1, allow_inf_nan=False)
    name: Annotated[str, StringConstraints(min_length=1, max_length=5, pattern="^[a-z]*$")] = "a"
    kind: Literal["ab", "interleave"] = "ab"
    ids: list[str] = Field([], max_length=2)
    columns: dict[str, int] = {}
    sure: bool = False
    password: str = ""

    @model_validator(mode="after")
    def _odd(self):
        if self.k == 13:
            raise ValueError("k=13 is unlucky; take another")
        return self


@pytest.mark.parametrize(
    ("given", "field", "detail", "remedy"),
    [
        ({"k": 0}, "k", "0 is too small", "give at least 1"),
        ({"k": 51}, "k", "51 is too large", "give at most 50"),
        ({"k": "many"}, "k", "'many' is no whole number", "give a whole number"),
        ({"k": 1.5}, "k", "1.5 is no whole number", "give a whole number"),
        ({"k": None}, "k", "null is no whole number", "give a whole number"),
        ({"k": 10**5000}, "k", "a number of many digits is too large", "give at most 50"),
        ({"share": 0}, "share", "0 is too small", "give more than 0"),
        ({"share": 1}, "share", "1 is too large", "give less than 1"),
        ({"share": float("nan")}, "share", "nan is not finite", "give a finite number"),
        ({"name": ""}, "name", "'' is too short", "give 1 or more characters"),
        ({"name": "lengthy"}, "name", "'lengthy' is too long", "give at most 5 characters"),
        ({"name": "A"}, "name", "'A' is not of the form that is asked for", "give text that matches ^[a-z]*$"),
        ({"name": 3}, "name", "3 is no text", "give text"),
        ({"kind": "c"}, "kind", "'c' is none of the values there are", "give 'ab' or 'interleave'"),
        ({"ids": ["a", "b", "c"]}, "ids", "a list is too long", "give at most 2 of them"),
        ({"ids": "a"}, "ids", "'a' is no list", "give a list"),
        ({"columns": []}, "columns", "a list is no object", "give an object: names with values"),
        ({"sure": "perhaps"}, "sure", "'perhaps' is neither true nor false", "give true or false"),
        ({"colour": "red"}, "colour", "it is no field that is known here", "leave it out"),
        ({"k": 13}, "", "k=13 is unlucky", "take another"),
        ({"password": 1234}, "password", "it is no text", "give text"),
    ],
)
def test_each_mistake_names_value_and_remedy_once(given, field, detail, remedy):
    with pytest.raises(ValidationError) as refused:
        Asked.model_validate(given)
    found = mistake(refused.value.errors()[0])
    assert (found.field, found.detail, found.remedy) == (field, detail, remedy)


def test_long_values_are_cut_and_odd_ones_can_be_sent():
    wrong = {"type": "string_too_long", "loc": ("body", "text"), "ctx": {"max_length": 9}}
    assert len(mistake(wrong | {"input": "x" * 5_000}).detail) < 70
    mistake(wrong | {"input": "\ud800"}).detail.encode()


def test_a_kind_nobody_foresaw_is_told_without_saying_it_twice():
    found = mistake({"type": "date_type", "loc": ("day",), "input": 3, "msg": "Input should be a valid date"})
    assert (found.detail, found.remedy) == ("3 cannot be used", "give a valid date")
