"""The worker's settings: read from the environment once, checked at start, and then only passed on.

An error names the variable and the rule it breaks, never the value, which may be a secret.
"""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from worker import OrderlatchError
from worker.addresses import checked_origin, checked_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

Environment = Literal["paper", "live"]

ALPACA: dict[Environment, str] = {
    "paper": "https://paper-api.alpaca.markets",
    "live": "https://api.alpaca.markets",
}
"""Alpaca's two trading hosts (ALPACA.md, section 1). What each is, is a fact that no setting can change."""

Key = Annotated[SecretStr, Field(min_length=1, max_length=512)]


class SettingsError(OrderlatchError):
    """The environment does not make sense; the message names the variable and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account to work for: where its broker is, which environment that is, and its keys."""

    name: str
    base_url: str
    stream_url: str
    environment: Environment
    key_id: SecretStr
    secret_key: SecretStr


class Settings(BaseSettings):
    """What the worker is told, besides the accounts. Durations are in milliseconds."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERLATCH_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    accounts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="accounts to work for, with commas between, like paper,live; needed"
    )
    stream: Literal["on", "off"] = Field(
        default="on", description="off: fills are not heard of at once, only read"
    )
    slots: int = Field(default=16, ge=1, le=256, description="calls at a time")
    poll_ms: int = Field(
        default=1_000, ge=100, le=60_000, description="longest pause between claims, when nothing wakes it"
    )
    drain_ms: int = Field(
        default=30_000, ge=1, le=600_000, description="longest wait for calls in flight at a stop"
    )
    worker_name: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")] = Field(
        default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}",
        description="name of this worker in the database; unset: host:pid",
    )
    metrics_port: int | None = Field(
        default=None, ge=1, le=65_535, description="serve /metrics, /healthz and /readyz there"
    )
    metrics_host: str = Field(default="127.0.0.1", description="the address to serve them on")

    traces: Literal["on", "off"] = Field(
        default="off", description="on: log lines of calls carry the trace of their decision"
    )

    @field_validator("accounts", mode="before")
    @classmethod
    def _split_at_commas(cls, names: object) -> object:
        return [name.strip() for name in names.split(",")] if isinstance(names, str) else names

    @field_validator("accounts")
    @classmethod
    def _are_told_apart(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not all(names):
            raise ValueError("must be account names with commas between, like paper,live")
        if len({_prefix(name) for name in names}) < len(names):
            raise ValueError("must name each account once, and two names must differ in letters or digits")
        return names

    @classmethod
    def read(cls) -> Self:
        """Read the environment. Raises SettingsError."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(_explain(error, prefix="ORDERLATCH_")) from None

    def read_accounts(self) -> tuple[Account, ...]:
        """Read each named account's own variables. Raises SettingsError."""
        if not self.accounts:
            raise SettingsError("ORDERLATCH_ACCOUNTS: must name the accounts to work for, like paper")
        return tuple(_read_account(name, alone=len(self.accounts) == 1) for name in self.accounts)


class AccountVariables(BaseSettings):
    """The variables of one account, behind the prefix ORDERLATCH_<ACCOUNT>_."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    key_id: Key | None = Field(
        default=None, description="Alpaca's key id; of a single account also APCA_API_KEY_ID"
    )
    secret_key: Key | None = Field(
        default=None, description="its secret key; of a single account also APCA_API_SECRET_KEY"
    )
    environment: Environment | None = Field(
        default=None, description="which of Alpaca's environments; unset: paper"
    )
    base_url: str | None = Field(default=None, description="another broker than Alpaca's of that environment")
    stream_url: str | None = Field(
        default=None, description="another stream than /stream beside that broker's API"
    )

    @field_validator("key_id", "secret_key")
    @classmethod
    def _fits_into_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise ValueError("must be printable ASCII without spaces")
        return key

    @field_validator("base_url")
    @classmethod
    def _is_an_origin(cls, url: str | None) -> str | None:
        return None if url is None else checked_origin(url)

    @field_validator("stream_url")
    @classmethod
    def _is_a_websocket(cls, url: str | None) -> str | None:
        return None if url is None else checked_stream(url)


def _read_account(name: str, *, alone: bool) -> Account:
    """Read one account. Alpaca's own variable names serve where the worker has one account only."""
    prefix = _prefix(name)
    own = _read_variables(prefix)
    keys, key_prefix = own, prefix
    if alone and own.key_id is None and own.secret_key is None:
        alpaca = _read_variables("APCA_API_")
        if alpaca.key_id is not None or alpaca.secret_key is not None:
            keys, key_prefix = alpaca, "APCA_API_"
    if keys.key_id is None or keys.secret_key is None:
        missing = "KEY_ID" if keys.key_id is None else "SECRET_KEY"
        raise SettingsError(f'{key_prefix}{missing}: must hold the Alpaca key of account "{name}"')

    base_url = own.base_url or ALPACA[own.environment or "paper"]
    environment = _environment(base_url, told=own.environment, variable=f"{prefix}ENVIRONMENT")
    stream_url = own.stream_url or f"ws{base_url.removeprefix('http')}/stream"
    if _alpacas(stream_url) not in (None, environment):
        raise SettingsError(f"{prefix}STREAM_URL: must be the stream of the {environment} environment")
    return Account(
        name=name,
        base_url=base_url,
        stream_url=stream_url,
        environment=environment,
        key_id=keys.key_id,
        secret_key=keys.secret_key,
    )


def _read_variables(prefix: str) -> AccountVariables:
    try:
        return AccountVariables(_env_prefix=prefix)
    except ValidationError as error:
        raise SettingsError(_explain(error, prefix=prefix)) from None


def _environment(base_url: str, *, told: Environment | None, variable: str) -> Environment:
    """Say what a base URL is: Alpaca's hosts speak for themselves, any other is what the variable says."""
    known = _alpacas(base_url)
    if known is not None and told not in (None, known):
        raise SettingsError(f"{variable}: must be {known} or unset for {urlsplit(base_url).hostname}")
    return known or told or "paper"


def _alpacas(url: str) -> Environment | None:
    """Say which environment of Alpaca's a URL leads to; none: it is not Alpaca's."""
    host = urlsplit(url).hostname
    return next((each for each, known in ALPACA.items() if urlsplit(known).hostname == host), None)


def _prefix(account: str) -> str:
    """ORDERLATCH_MY_PAPER_ for the account my-paper."""
    return f"ORDERLATCH_{re.sub('[^A-Z0-9]', '_', account.upper())}_"


def _explain(error: ValidationError, *, prefix: str) -> str:
    """One line for each broken rule: the variable and the rule."""
    return "\n".join(_broken_rules(error, prefix=prefix))


def _broken_rules(error: ValidationError, *, prefix: str) -> Iterable[str]:
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        variable = f"{prefix}{str(each['loc'][0]).upper()}"
        yield f"{variable}: {each['msg'].removeprefix('Value error, ')}"
