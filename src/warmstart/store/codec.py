"""JSON in columns, by orjson: NaN becomes null, as neither database would take it."""

from __future__ import annotations

from typing import Any

import orjson


def dumps(value: Any) -> str:
    """JSON text of a value.

    Examples
    --------
    >>> dumps({"year": 1979, "score": float("nan")})
    '{"year":1979,"score":null}'
    """
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()


JSON_CODEC = {"json_serializer": dumps, "json_deserializer": orjson.loads}
