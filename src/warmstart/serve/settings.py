"""Settings of the service: arguments first, then the environment (``WARMSTART_*``), then a TOML file, then defaults."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from warmstart.errors import ConfigError
from warmstart.serve.settings_sources import PREFIX, TomlFile, origins_of, refuse_unknown_environment, told

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
SECRET_LEAST, PASSWORD_LEAST = 32, 12  # characters, where anybody may knock
EVENT_WEIGHTS = {
    "view": 1.0,
    "click": 1.0,
    "like": 2.0,
    "cart": 3.0,
    "rate": 3.0,
    "buy": 5.0,
    "impression": 0.0,
    "dwell": 0.0,
    "satisfaction": 0.0,
    "dislike": 0.0,
    "skip": 0.0,
    "retract": 0.0,
}
Days = Annotated[float, Field(ge=0, le=36_500)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]


class Settings(BaseSettings):
    """Everything that can be set about the service; ``Settings.read`` tells mistakes in one line.

    Examples
    --------
    >>> settings = Settings(engine="engine", port=9000)
    >>> settings.port, settings.database, settings.is_loopback
    (9000, 'sqlite:///engine.db', True)
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )
    _given: frozenset[str] = PrivateAttr(default=frozenset())

    engine: Path = Field(description="Folder of a saved engine.")
    config: Path | None = Field(None, description="TOML file of settings; warmstart.toml where there is one.")
    database_url: SecretStr = Field(
        SecretStr(""), description="sqlite:///FILE or postgresql+psycopg://...; empty = ENGINE.db beside the engine."
    )
    data: Path | None = Field(
        None, description="Saved dataset (warmstart fit --save-data) whose users and events the store takes in once."
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 = anybody may knock.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on; 0 = any free one.")
    workers: int = Field(1, ge=1, le=256, description="Processes; they share the engine's arrays in memory.")

    require_keys: bool = Field(False, description="Answer only those who bring a key; a must on a public host.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs cookies; 32 characters or more on a public host, empty = drawn at each start."
    )
    admin_password: SecretStr | None = Field(
        None, description="Opens the dashboard; a must on a public host. An admin key opens it, too."
    )
    session_hours: float = Field(12.0, gt=0, le=720, description="Hours until a login of the dashboard ends.")
    login_attempts: int = Field(10, ge=1, description="Failed logins a minute and address before it must wait.")
    https_only: bool = Field(False, description="Send cookies over HTTPS only; set it behind a TLS proxy.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses of proxies whose X-Forwarded-For is believed, between commas."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Host names answered, between commas; empty = loopback names on loopback, any in public."
    )

    rate_limit: int = Field(6_000, ge=0, description="Requests a minute by key or address and worker; 0 = no limit.")
    body_limit: int = Field(16_777_216, ge=1_024, description="Bytes of a request's body.")
    row_limit: int = Field(100_000, ge=1, description="Rows of one bulk request.")
    concurrency: int = Field(64, ge=1, description="Requests in work at once by a worker; more are told to wait.")
    connections: int = Field(2_000, ge=1, description="Open connections of a worker; more are told to wait.")
    backlog: int = Field(2_048, ge=1, description="Connections the system keeps waiting to be accepted.")
    header_seconds: Seconds = Field(10.0, description="Seconds for the head of a request to arrive.")
    body_seconds: Seconds = Field(30.0, description="Seconds for a body to come, and for an answer to be taken.")
    keep_alive_seconds: int = Field(15, ge=1, le=3_600, description="Seconds a connection may idle between requests.")
    shutdown_seconds: int = Field(30, ge=1, le=3_600, description="Seconds for requests in work to finish at the end.")

    history_limit: int = Field(
        1_000, ge=1, description="Newest events of a user, impressions aside, that an answer looks at."
    )
    event_weights: Annotated[dict[str, Annotated[float, Field(ge=0, le=1e6)]], NoDecode] = Field(
        EVENT_WEIGHTS, description="Weight of each kind of event, e.g. view=1,buy=5; kinds not named keep their own."
    )
    few_shot: int = Field(10, ge=1, description="Events up to which somebody counts as few_shot.")
    cache_size: int = Field(10_000, ge=0, description="Ranked lists remembered by a worker; 0 = none.")
    refresh_seconds: Seconds = Field(20.0, description="Seconds between looks at what is popular now.")
    explore_share: float = Field(0.0, ge=0, le=0.5, description="Share of places given to items still unknown.")

    retention_events_days: Days = Field(0.0, description="Days events are kept; 0 = for ever.")
    retention_answers_days: Days = Field(400.0, description="Days answers are kept; 0 = for ever.")
    refit_every_hours: float = Field(0.0, ge=0, le=8_760, description="Hours between refits; 0 = only when asked.")
    refit_margin: float = Field(0.02, ge=0, le=1, description="Share a slice may lose before a refit is refused.")
    refit_holdout: float = Field(0.1, gt=0, lt=1, description="Share of the newest events a refit is judged by.")
    refit_keep: int = Field(3, ge=1, le=1_000, description="Retired models kept on disk, to roll back to.")

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least weighty line logged.")
    log_format: Literal["json", "text"] = Field("text", description="Log as JSON, or as text for people.")
    metrics_folder: Path | None = Field(
        None, description="Folder where workers put their figures together; drawn where there are several."
    )
    language: Literal["en", "zh"] = Field("en", description="Language of the dashboard where a browser asks for none.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, strongest first."""
        return init_settings, env_settings, TomlFile(settings_cls)

    @classmethod
    def read(cls, given: Mapping[str, Any] | None = None) -> Settings:
        """Settings of all sources; ``given`` are arguments, None values of which count as not given.

        Raises
        ------
        ConfigError
            If a name is unknown, a value is out of its range, or the service would be public without its locks.
        """
        refuse_unknown_environment(cls.model_fields)
        arguments = {name: value for name, value in (given or {}).items() if value is not None}
        try:
            settings = cls(**arguments)
        except ValidationError as error:
            raise ConfigError(told(error)) from None  # the cause holds values, secrets too
        settings._given = frozenset(arguments)
        return settings

    @field_validator("trusted_proxies", "allowed_hosts", mode="before")
    @classmethod
    def _between_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("event_weights", mode="before")
    @classmethod
    def _named_weights(cls, value: object) -> object:
        if isinstance(value, str):
            value = dict(part.split("=", 1) for part in value.split(",") if "=" in part)
        return EVENT_WEIGHTS | {k.strip(): v for k, v in value.items()} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _locked_in_public(self) -> Settings:
        if self.is_loopback:
            return self
        lacking = []
        if not self.require_keys:
            lacking.append("require_keys = true")
        if not _is_strong(self.secret_key, SECRET_LEAST):
            lacking.append(f"a secret_key of {SECRET_LEAST} characters or more, drawn at random")
        if self.admin_password is None or not _is_strong(self.admin_password, PASSWORD_LEAST):
            lacking.append(f"an admin_password of {PASSWORD_LEAST} characters or more")
        if lacking:
            raise ValueError(f"host {self.host!r} is public and lacks {', '.join(lacking)}; set them, or use 127.0.0.1")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def database(self) -> str:
        """URL of the database; may hold a password."""
        if given := self.database_url.get_secret_value():
            return given
        return f"sqlite:///{self.engine.parent / (self.engine.name + '.db')}"

    @property
    def models_folder(self) -> Path:
        """Where refits put their engines."""
        return self.engine.parent / f"{self.engine.name}.models"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that are answered; ``*`` = any."""
        return self.allowed_hosts or ((*LOOPBACK_NAMES, self.host) if self.is_loopback else ("*",))

    @property
    def origins(self) -> dict[str, str]:
        """Where each value comes from: ``argument``, ``WARMSTART_...``, a file, or ``default``."""
        return origins_of(self, self._given)


def _is_strong(secret: SecretStr, least: int) -> bool:
    text = secret.get_secret_value()
    return len(text) >= least and len(set(text)) >= least // 4
