"""What a check of pydantic found, in plain words: where, which value, what to give instead; each of them once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

LONG = 40  # characters of a value that is repeated
LARGEST = 10**18  # whole numbers beyond are not written out
SECRET = re.compile(r"passw|secret|token|csrf|key", re.IGNORECASE)  # fields whose values are never repeated
NUMBER = ("is no number", "give a number")
WHOLE = ("is no whole number", "give a whole number")
TRUTH = ("is neither true nor false", "give true or false")
TEXT = ("is no text", "give text")
LIST = ("is no list", "give a list")
OBJECT = ("is no object", "give an object: names with values")
SAID: Mapping[str, tuple[str, str]] = {  # by kind of error: what is wrong with the value, and what to do
    "missing": ("is missing", "add it"),
    "extra_forbidden": ("is no field that is known here", "leave it out"),
    "greater_than_equal": ("is too small", "give at least {ge}"),
    "greater_than": ("is too small", "give more than {gt}"),
    "less_than_equal": ("is too large", "give at most {le}"),
    "less_than": ("is too large", "give less than {lt}"),
    "string_too_long": ("is too long", "give at most {max_length} characters"),
    "string_too_short": ("is too short", "give {min_length} or more characters"),
    "too_long": ("is too long", "give at most {max_length} of them"),
    "too_short": ("is too short", "give {min_length} or more of them"),
    "literal_error": ("is none of the values there are", "give {expected}"),
    "enum": ("is none of the values there are", "give {expected}"),
    "string_pattern_mismatch": ("is not of the form that is asked for", "give text that matches {pattern}"),
    "finite_number": ("is not finite", "give a finite number"),
    "int_from_float": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": ("has too many digits", "give a smaller number"),
    "int_type": WHOLE,
    "float_parsing": NUMBER,
    "float_type": NUMBER,
    "bool_parsing": TRUTH,
    "bool_type": TRUTH,
    "string_type": TEXT,
    "string_unicode": ("is no text in UTF-8", "send valid UTF-8"),
    "list_type": LIST,
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "json_invalid": ("is no valid JSON ({error})", "send valid JSON in UTF-8"),
    "model_attributes_type": ("is no JSON object", "send a JSON object with Content-Type: application/json"),
}


class Mistake(BaseModel):
    """One value that cannot be used."""

    field: str = Field(description="Where it is, e.g. `body.events[3].time`.")
    detail: str = Field(description="What is wrong with which value.")
    remedy: str = Field(description="What to do.")


def mistake(error: Mapping[str, Any]) -> Mistake:
    """One error as pydantic lists it, in plain words; lists, objects and what may be a secret are not repeated.

    Examples
    --------
    >>> wrong = {"type": "greater_than_equal", "loc": ("body", "events", 3, "time"), "input": -5, "ctx": {"ge": 0}}
    >>> mistake(wrong)
    Mistake(field='body.events[3].time', detail='-5 is too small', remedy='give at least 0')
    >>> mistake({"type": "missing", "loc": ("query", "k"), "input": None}).detail
    'it is missing'
    """
    field, kind, message = place_of(error["loc"]), str(error["type"]), str(error.get("msg", ""))
    given = value_of(error.get("input"), secret=SECRET.search(field) is not None)
    if kind in SAID:
        wrong, remedy = (text.format_map(_Context.of(error.get("ctx"))) for text in SAID[kind])
        unnamed = kind in ("missing", "extra_forbidden", "json_invalid", "model_attributes_type")
        return Mistake(field=field, detail=f"{'it' if unnamed else given} {wrong}", remedy=remedy)
    if kind in ("value_error", "assertion_error"):  # a check of ours, in its own words
        detail, _, remedy = message.partition(", ")[2].rpartition("; ")
        return Mistake(field=field, detail=detail or f"{given} cannot be used", remedy=remedy)
    told = re.sub(r"^Input should (?:be |have )?", "give ", message)
    return Mistake(field=field, detail=f"{given} cannot be used", remedy=told[:1].lower() + told[1:])


def place_of(parts: Sequence[str | int]) -> str:
    """Where a value is.

    Examples
    --------
    >>> place_of(("body", "events", 3, "time"))
    'body.events[3].time'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def value_of(value: object, *, secret: bool = False) -> str:
    """A value as it is repeated to whoever sent it.

    Examples
    --------
    >>> value_of(-5), value_of("home"), value_of([1, 2]), value_of("hunter2", secret=True), value_of(None)
    ('-5', "'home'", 'a list', 'it', 'null')
    """
    if secret:
        return "it"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value) if abs(value) < LARGEST else "a number of many digits"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return repr(value if len(value) <= LONG else value[: LONG - 1] + "…")
    return "a list" if isinstance(value, list | tuple) else "an object" if isinstance(value, Mapping) else "it"


class _Context(dict[str, Any]):
    """What a message may speak of; what pydantic did not tell is left open."""

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> _Context:
        """As an error tells it; 0.0 is written 0."""
        return cls({name: f"{one:g}" if isinstance(one, float) else one for name, one in (told or {}).items()})

    def __missing__(self, name: str) -> str:
        return "what the documentation says"
