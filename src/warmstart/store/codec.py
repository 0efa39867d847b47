"""JSON in columns, by orjson: NaN becomes null, as neither database would take it."""

from __future__ import annotations

from typing import Any

import orjson

from warmstart.errors import DataError


def dumps(value: Any) -> str:
    """JSON text of a value.

    Raises
    ------
    DataError
        If a part of it is no text, number, truth value, list, mapping or None.

    Examples
    --------
    >>> dumps({"year": 1979, "score": float("nan")})
    '{"year":1979,"score":null}'
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as error:
        raise DataError(f"{str(value)[:60]!r} is no JSON: {error}; correct the row") from error


JSON_CODEC = {"json_serializer": dumps, "json_deserializer": orjson.loads}
