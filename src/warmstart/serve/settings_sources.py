"""Where settings come from, beside arguments: the environment and a TOML file; and how they are told."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.serve.settings import Settings

PREFIX = "WARMSTART_"
FILE = Path("warmstart.toml")
OTHERS = frozenset({"WARMSTART_CACHE"})  # variables of other parts of warmstart
MASK = "********"


class TomlFile(PydanticBaseSettingsSource):
    """The file that ``config`` names, or ``warmstart.toml`` of the working folder where there is one."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Value of one field, its key, and that it needs no decoding."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All values of the file.

        Raises
        ------
        ConfigError
            If a file that is named is missing or no TOML, or a key is unknown.
        """
        named = self.current_state.get("config")
        return read_toml(Path(named) if named else FILE, bool(named), self.settings_cls.model_fields)


def read_toml(path: Path, required: bool, known: Iterable[str]) -> dict[str, Any]:
    """Settings of a TOML file; nothing where it is missing and not required."""
    if not required and not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); give a TOML file of settings") from error
    names = sorted(known)
    for name in found:
        if name not in names:
            raise ConfigError(f"{path}: {name!r} is no setting; {_meant(name, names)}")
    return found


def refuse_unknown_environment(known: Iterable[str]) -> None:
    """A misspelt lock is no lock: variables of our prefix that name no setting are mistakes.

    Raises
    ------
    ConfigError
        If there is one.
    """
    names = sorted(PREFIX + name.upper() for name in known)
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable not in OTHERS and variable.upper() not in names:
            raise ConfigError(f"environment: {variable} is no setting; {_meant(variable, names)}")


def _meant(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"


def told(error: ValidationError) -> str:
    """The first mistake in one line; never shows a secret.

    Examples
    --------
    >>> from warmstart.serve.settings import Settings
    >>> try:
    ...     Settings(engine="engine", port=70000)
    ... except ValidationError as error:
    ...     told(error)
    'port: Input should be less than or equal to 65535; correct the setting (--show-settings lists all)'
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if not place:
        return message
    if first["type"] == "missing":
        return f"{place} is missing; give it as argument, as {PREFIX}{place.upper()}, or in {FILE}"
    return f"{place}: {message}; correct the setting (--show-settings lists all)"


def origins_of(settings: Settings, given: Collection[str]) -> dict[str, str]:
    """Source of each value; ``given`` are the names that came as arguments."""
    config = settings.config or FILE
    in_file = read_toml(config, False, type(settings).model_fields)
    origins = {}
    for name in type(settings).model_fields:
        variable = PREFIX + name.upper()
        if name in given or name not in settings.model_fields_set:
            origins[name] = "argument" if name in given else "default"
        elif os.environ.get(variable):
            origins[name] = variable
        else:
            origins[name] = str(config) if name in in_file else "argument"
    return origins


def shown(settings: Settings) -> list[dict[str, str]]:
    """Rows ``setting``, ``value``, ``source``, ``meaning``, for people; secrets are masked."""
    origins = settings.origins
    return [
        {
            "setting": name,
            "value": _masked(name, getattr(settings, name)),
            "source": origins[name],
            "meaning": field.description or "",
        }
        for name, field in type(settings).model_fields.items()
    ]


def exported(settings: Settings) -> dict[str, str]:
    """Environment in which another process reads the same settings: what came as argument here, and nothing else.

    Examples
    --------
    >>> from warmstart.serve.settings import Settings
    >>> exported(Settings.read({"engine": "e", "allowed_hosts": "a,b", "require_keys": True}))
    {'WARMSTART_ENGINE': 'e', 'WARMSTART_REQUIRE_KEYS': 'true', 'WARMSTART_ALLOWED_HOSTS': 'a,b'}
    """
    given = (name for name, origin in settings.origins.items() if origin == "argument")
    return {PREFIX + name.upper(): _text(getattr(settings, name)) for name in given}


def _masked(name: str, value: object) -> str:
    if name == "database_url":
        return without_password(_text(value))
    return MASK if isinstance(value, SecretStr) and _text(value) else _text(value)


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return ",".join(f"{kind}={weight:g}" for kind, weight in value.items())
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool | float):
        return str(value).lower() if isinstance(value, bool) else f"{value:g}"
    return "" if value is None else str(value)


def without_password(url: str) -> str:
    """A database URL whose password, and whatever follows ``?``, is masked.

    Examples
    --------
    >>> without_password("postgresql+psycopg://me:secret@db/shop?password=x")
    'postgresql+psycopg://me:********@db/shop?********'
    """
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    netloc = f"{name}{colon}{MASK if colon else ''}{at}{host}"
    return urlunsplit(parts._replace(netloc=netloc, query=MASK if parts.query else ""))
