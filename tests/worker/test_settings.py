"""Settings come from the environment, or an error names the variable and the rule, and never a value."""

from __future__ import annotations

import os

import pytest

from worker.settings import Account, AccountVariables, Settings, SettingsError
from worker.variables import help_text, variables

PAPER = {
    "ORDERLATCH_ACCOUNTS": "paper",
    "ORDERLATCH_PAPER_KEY_ID": "PK1",
    "ORDERLATCH_PAPER_SECRET_KEY": "s3cret",
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ORDERLATCH_", "APCA_")):
            monkeypatch.delenv(name)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> tuple[Account, ...]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.read().read_accounts()


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(monkeypatch, **environment)
    return str(caught.value)


def test_defaults_need_no_variable() -> None:
    settings = Settings.read()
    assert (settings.slots, settings.poll_ms, settings.drain_ms, settings.metrics_port, settings.stream) == (
        16,
        1000,
        30_000,
        None,
        "on",
    )
    assert settings.worker_name.endswith(f":{os.getpid()}")


def test_an_account_has_its_own_keys_and_alpacas_paper_address(monkeypatch: pytest.MonkeyPatch) -> None:
    [account] = read(monkeypatch, **PAPER)
    assert (account.name, account.environment) == ("paper", "paper")
    assert account.base_url == "https://paper-api.alpaca.markets"
    assert account.key_id.get_secret_value() == "PK1"
    assert account.secret_key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(account)


def test_a_name_s_variables_are_in_upper_case_with_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    paper, live = read(
        monkeypatch,
        **{**PAPER, "ORDERLATCH_ACCOUNTS": "paper, my-live.2"},
        ORDERLATCH_MY_LIVE_2_KEY_ID="AK1",
        ORDERLATCH_MY_LIVE_2_SECRET_KEY="other",
        ORDERLATCH_MY_LIVE_2_ENVIRONMENT="live",
    )
    assert (paper.name, live.name) == ("paper", "my-live.2")
    assert (live.environment, live.base_url) == ("live", "https://api.alpaca.markets")


def test_alpacas_own_variables_serve_a_single_account(monkeypatch: pytest.MonkeyPatch) -> None:
    [account] = read(monkeypatch, ORDERLATCH_ACCOUNTS="mine", APCA_API_KEY_ID="PK2", APCA_API_SECRET_KEY="s")
    assert account.key_id.get_secret_value() == "PK2"


def test_alpacas_own_variables_do_not_serve_two_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, ORDERLATCH_ACCOUNTS="a,b", APCA_API_KEY_ID="PK2", APCA_API_SECRET_KEY="s")
    assert message.startswith("ORDERLATCH_A_KEY_ID: ")


def test_an_account_s_own_keys_go_before_alpacas_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    [account] = read(monkeypatch, **PAPER, APCA_API_KEY_ID="PK2", APCA_API_SECRET_KEY="s")
    assert account.key_id.get_secret_value() == "PK1"


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"ORDERLATCH_ACCOUNTS": ""}, "ORDERLATCH_ACCOUNTS"),
        ({"ORDERLATCH_ACCOUNTS": "paper,,live"}, "ORDERLATCH_ACCOUNTS"),
        ({"ORDERLATCH_ACCOUNTS": "my-paper,my_paper"}, "ORDERLATCH_ACCOUNTS"),
        ({"ORDERLATCH_SLOTS": "0"}, "ORDERLATCH_SLOTS"),
        ({"ORDERLATCH_WORKER_NAME": "my worker"}, "ORDERLATCH_WORKER_NAME"),
        ({"ORDERLATCH_SLOTS": "many"}, "ORDERLATCH_SLOTS"),
        ({"ORDERLATCH_POLL_MS": "1"}, "ORDERLATCH_POLL_MS"),
        ({"ORDERLATCH_DRAIN_MS": "-1"}, "ORDERLATCH_DRAIN_MS"),
        ({"ORDERLATCH_METRICS_PORT": "70000"}, "ORDERLATCH_METRICS_PORT"),
        ({"ORDERLATCH_STREAM": "true"}, "ORDERLATCH_STREAM"),
        ({"ORDERLATCH_PAPER_KEY_ID": ""}, "ORDERLATCH_PAPER_KEY_ID"),
        ({"ORDERLATCH_PAPER_SECRET_KEY": ""}, "ORDERLATCH_PAPER_SECRET_KEY"),
        ({"ORDERLATCH_PAPER_SECRET_KEY": "s3cret\n"}, "ORDERLATCH_PAPER_SECRET_KEY"),
        ({"ORDERLATCH_PAPER_SECRET_KEY": "s3cr\u00e9t"}, "ORDERLATCH_PAPER_SECRET_KEY"),
        ({"ORDERLATCH_PAPER_ENVIRONMENT": "s3cret"}, "ORDERLATCH_PAPER_ENVIRONMENT"),
        ({"ORDERLATCH_PAPER_BASE_URL": "s3cret"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "https://paper-api.alpaca.markets/v2"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "https://paper-api.alpaca.markets?a=b"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "https://me:s3cret@example.com"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "https://example.com:port"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "http://example.com"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "http://127.0.0.1.example.com"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "http://[::1"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_BASE_URL": "wss://paper-api.alpaca.markets"}, "ORDERLATCH_PAPER_BASE_URL"),
        ({"ORDERLATCH_PAPER_STREAM_URL": "s3cret"}, "ORDERLATCH_PAPER_STREAM_URL"),
        ({"ORDERLATCH_PAPER_STREAM_URL": "https://example.com/stream"}, "ORDERLATCH_PAPER_STREAM_URL"),
        ({"ORDERLATCH_PAPER_STREAM_URL": "ws://example.com/stream"}, "ORDERLATCH_PAPER_STREAM_URL"),
        ({"ORDERLATCH_PAPER_STREAM_URL": "wss://example.com/stream?a=b"}, "ORDERLATCH_PAPER_STREAM_URL"),
        ({"ORDERLATCH_PAPER_STREAM_URL": "wss://me:s3cret@example.com"}, "ORDERLATCH_PAPER_STREAM_URL"),
        ({"ORDERLATCH_PAPER_STREAM_URL": "wss://example.com/a b"}, "ORDERLATCH_PAPER_STREAM_URL"),
        ({"ORDERLATCH_PAPER_STREAM_URL": "wss://api.alpaca.markets/stream"}, "ORDERLATCH_PAPER_STREAM_URL"),
        (
            {
                "ORDERLATCH_PAPER_BASE_URL": "https://api.alpaca.markets",
                "ORDERLATCH_PAPER_ENVIRONMENT": "paper",
            },
            "ORDERLATCH_PAPER_ENVIRONMENT",
        ),
        (
            {
                "ORDERLATCH_PAPER_BASE_URL": "https://PAPER-API.alpaca.markets.:443",
                "ORDERLATCH_PAPER_ENVIRONMENT": "live",
            },
            "ORDERLATCH_PAPER_ENVIRONMENT",
        ),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], variable: str
) -> None:
    message = refusal(monkeypatch, **{**PAPER, **changed})
    assert message.startswith(
        (f"{variable}: must ", f"{variable}: Input should ", f"{variable}: String should ")
    )
    assert "\n" not in message
    assert "s3cr" not in message
    assert "PK1" not in message


def test_every_broken_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, **PAPER, ORDERLATCH_SLOTS="x", ORDERLATCH_POLL_MS="y")
    assert [line.split(":")[0] for line in message.splitlines()] == ["ORDERLATCH_SLOTS", "ORDERLATCH_POLL_MS"]


@pytest.mark.parametrize(
    ("url", "told", "environment"),
    [
        ("https://api.alpaca.markets", None, "live"),
        ("https://API.Alpaca.Markets./", "live", "live"),
        ("https://paper-api.alpaca.markets", None, "paper"),
        ("http://127.0.0.1:8000", None, "paper"),
        ("http://localhost:8000/", "live", "live"),
        ("http://[::1]:8000", None, "paper"),
        ("https://broker.example.com", "live", "live"),
    ],
)
def test_what_an_address_is_follows_from_its_host_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, url: str, told: str | None, environment: str
) -> None:
    told_as = {} if told is None else {"ORDERLATCH_PAPER_ENVIRONMENT": told}
    [account] = read(monkeypatch, **PAPER, ORDERLATCH_PAPER_BASE_URL=url, **told_as)
    assert account.environment == environment
    assert not account.base_url.endswith("/")


@pytest.mark.parametrize(
    ("changed", "stream_url"),
    [
        ({}, "wss://paper-api.alpaca.markets/stream"),
        ({"ENVIRONMENT": "live"}, "wss://api.alpaca.markets/stream"),
        ({"BASE_URL": "http://127.0.0.1:8000"}, "ws://127.0.0.1:8000/stream"),
        ({"BASE_URL": "https://[2001:db8::1]:8443/"}, "wss://[2001:db8::1]:8443/stream"),
        (
            {"BASE_URL": "http://[::1]:8000", "STREAM_URL": "ws://LOCALHOST.:9000"},
            "ws://localhost:9000/stream",
        ),
        ({"STREAM_URL": "wss://Stream.example.com/v2/"}, "wss://stream.example.com/v2/"),
        ({"STREAM_URL": "wss://paper-api.alpaca.markets/stream"}, "wss://paper-api.alpaca.markets/stream"),
    ],
)
def test_the_stream_is_beside_the_api_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], stream_url: str
) -> None:
    told = {f"ORDERLATCH_PAPER_{name}": value for name, value in changed.items()}
    [account] = read(monkeypatch, **PAPER, **told)
    assert account.stream_url == stream_url


def test_every_variable_is_explained_by_the_field_that_reads_it() -> None:
    told = {each.name: each for each in variables()}
    fields = [f"ORDERLATCH_{name.upper()}" for name in Settings.model_fields]
    fields += [f"ORDERLATCH_<ACCOUNT>_{name.upper()}" for name in AccountVariables.model_fields]
    assert list(told) == ["DATABASE_URL", *fields]
    assert told["ORDERLATCH_SLOTS"][1:] == ("calls at a time", "1 to 256", "16")
    assert told["ORDERLATCH_STREAM"][2:] == ("on or off", "on")
    assert told["ORDERLATCH_<ACCOUNT>_ENVIRONMENT"].accepts == "paper or live"
    shown = help_text()
    assert all(f"\n{name} " in shown for name in told)
